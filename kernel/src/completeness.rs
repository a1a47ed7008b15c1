//! Whether a cell is whole, or waits for more lines.

use proc_macro2::TokenStream;

use crate::cell::{parse, split_commands};
use crate::front::Completeness;

/// Tells whether a cell is whole.
pub fn completeness(source: &str) -> Completeness {
    let (_, code) = split_commands(source);
    let indent = |code: &str| {
        let last = code.lines().last().unwrap_or_default();
        let own: String = last.chars().take_while(|c| c.is_whitespace()).collect();
        if last.trim_end().ends_with(['{', '(', '[']) { own + "    " } else { own }
    };
    if let Err(open) = balanced(&code) {
        return if open { Completeness::Incomplete(indent(&code)) } else { Completeness::Invalid };
    }
    match parse(&code) {
        Ok(_) => Completeness::Complete,
        // What the parser stumbles over at the very end, more lines may mend.
        Err(e) if e.to_string().contains("unexpected end of input") || at_end(&e, &code) => {
            Completeness::Incomplete(indent(&code))
        }
        Err(_) => Completeness::Invalid,
    }
}

fn at_end(error: &syn::Error, code: &str) -> bool {
    let range = error.span().byte_range();
    // An error without a place is one at the end.
    range.is_empty() && (range.start == 0 || range.start >= code.trim_end().len())
}

/// Looks whether brackets, strings and comments are closed: `Err(true)` if one is open, `Err(false)` if one is wrong.
fn balanced(code: &str) -> Result<(), bool> {
    if code.parse::<TokenStream>().is_ok() {
        return Ok(());
    }
    // Not a sequence of tokens: it is if something more would close it.
    let mut stack = Vec::new();
    let bytes = code.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'/' if bytes[i..].starts_with(b"//") => {
                i += bytes[i..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - i)
            }
            b'/' if bytes[i..].starts_with(b"/*") => {
                let mut depth = 0;
                loop {
                    if bytes[i..].starts_with(b"/*") {
                        depth += 1;
                        i += 2;
                    } else if bytes[i..].starts_with(b"*/") {
                        depth -= 1;
                        i += 2;
                    } else {
                        i += 1;
                    }
                    if depth == 0 {
                        break;
                    }
                    if i >= bytes.len() {
                        return Err(true);
                    }
                }
                continue;
            }
            b'r' if raw_string(&code[i..]).is_some() && !word_before(code, i) => {
                let hashes = raw_string(&code[i..]).unwrap_or_default();
                let end = format!("\"{}", "#".repeat(hashes));
                let start = i + 2 + hashes;
                match code[start..].find(&end) {
                    Some(length) => i = start + length + end.len(),
                    None => return Err(true),
                }
                continue;
            }
            b'"' => {
                i += 1;
                while i < bytes.len() && bytes[i] != b'"' {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
                if i >= bytes.len() {
                    return Err(true);
                }
            }
            // A character literal, not a lifetime.
            b'\'' if bytes.get(i + 1) == Some(&b'\\') => i += 3,
            b'\'' => {
                let length = code[i + 1..].chars().next().map_or(0, char::len_utf8);
                if length > 0 && bytes.get(i + 1 + length) == Some(&b'\'') {
                    i += 1 + length;
                }
            }
            open @ (b'(' | b'[' | b'{') => stack.push(open),
            close @ (b')' | b']' | b'}') => {
                let open = match close {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                if stack.pop() != Some(open) {
                    return Err(false);
                }
            }
            _ => {}
        }
        i += 1;
    }
    Err(!stack.is_empty())
}

/// The number of hashes if a raw string begins here.
fn raw_string(code: &str) -> Option<usize> {
    let rest = code.strip_prefix('r')?;
    let hashes = rest.bytes().take_while(|b| *b == b'#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

fn word_before(code: &str, at: usize) -> bool {
    code[..at].chars().next_back().is_some_and(|c| c != 'b' && c != 'c' && (c.is_alphanumeric() || c == '_'))
}
