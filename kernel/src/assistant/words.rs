//! Completion from a word list: the names that stand in the source, and Rust's keywords. It knows no types, but it is
//! always there.

use super::{Completions, Item};

const KEYWORDS: [&str; 41] = [
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "Self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "union",
    "unsafe",
    "use",
    "where",
    "while",
    "yield",
    "macro_rules",
];

/// Whether a character can be in a name.
pub fn in_a_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Where the name begins that ends at this byte; the byte itself if none does.
pub fn name_start(code: &str, end: usize) -> usize {
    code[..end].char_indices().rev().take_while(|(_, c)| in_a_name(*c)).last().map_or(end, |(begin, _)| begin)
}

/// Where the name ends that goes on at this byte; the byte itself if none does.
pub fn name_end(code: &str, begin: usize) -> usize {
    code[begin..].char_indices().find(|(_, c)| !in_a_name(*c)).map_or(code.len(), |(length, _)| begin + length)
}

/// The words that continue the one before the cursor.
pub fn complete(context: &str, code: &str, cursor: usize) -> Completions {
    let start = name_start(code, cursor);
    let prefix = &code[start..cursor];
    let mut items: Vec<Item> = Vec::new();
    if prefix.chars().next().is_some_and(|c| !c.is_numeric()) {
        let member = code[..start].trim_end().ends_with('.');
        // The word that is being typed is not among those that are known.
        let sources = [context, &code[..start], &code[name_end(code, cursor)..]];
        let names = sources.iter().flat_map(|source| source.split(|c| !in_a_name(c)));
        let names = names.filter(|word| !KEYWORDS.contains(word)).map(|word| (word, "instance"));
        let keywords = KEYWORDS.iter().filter(|_| !member).map(|word| (*word, "keyword"));
        for (word, kind) in keywords.chain(names).filter(|(word, _)| word.starts_with(prefix) && *word != prefix) {
            if items.iter().all(|item| item.text != word) {
                items.push(Item { text: word.into(), kind: kind.into() });
            }
        }
        items.sort_by(|a, b| a.text.cmp(&b.text));
    }
    Completions { start, end: cursor, items }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(context: &str, code: &str, cursor: usize) -> Vec<String> {
        complete(context, code, cursor).items.into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn names_of_the_context_and_of_the_cell_and_keywords_are_found_once() {
        let context = "fn loudness() {}\nlet mut lost: f32 = unimplemented!();";
        assert_eq!(texts(context, "lo", 2), ["loop", "lost", "loudness"]);
        assert_eq!(texts(context, "let long = lost; lo", 19), ["long", "loop", "lost", "loudness"]);
    }

    #[test]
    fn only_what_is_before_the_cursor_is_replaced() {
        let found = complete("fn größe() {}", "1 + grö + x", 8);
        assert_eq!((found.start, found.end), (4, 8));
        assert_eq!(found.items[0].text, "größe");
    }

    #[test]
    fn a_member_is_no_keyword() {
        assert_eq!(texts("let mut looks = 1; loop {}", "x.loo", 5), ["looks"]);
    }

    #[test]
    fn nothing_continues_nothing_or_a_number() {
        assert!(texts("let mut x = 1;", "x.", 2).is_empty());
        assert!(texts("let mut x = 15;", "1", 1).is_empty());
        assert!(texts("", "", 0).is_empty());
    }

    #[test]
    fn names_reach_from_their_first_to_their_last_letter() {
        let code = "a.größe(b)";
        assert_eq!((name_start(code, 6), name_end(code, 6)), (2, 9));
        assert_eq!((name_start(code, 10), name_end(code, 10)), (10, 11));
        assert_eq!((name_start(code, 2), name_end(code, 9)), (2, 9));
    }
}
