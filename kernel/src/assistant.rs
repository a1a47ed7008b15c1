//! Completion and documentation while a cell is written: from an analyser in a process of its own, and from a word list
//! where that has no answer, or not yet.

mod analyser;
mod words;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use unicode_segmentation::UnicodeSegmentation;

use self::analyser::Analyser;
use crate::cell::blank_head;
use crate::front::MimeBundle;

/// How long completion waits for the analyser: JupyterLab ignores what comes after a second.
const COMPLETION_PATIENCE: Duration = Duration::from_millis(900);
/// How long documentation does.
const DOCUMENTATION_PATIENCE: Duration = Duration::from_secs(2);
/// What is completed first: it has the analyser read the crates, and find out what methods there are.
const WARM_UP: &str = "\"\".";
/// Names that evcxr adds to what is analysed.
const OF_EVCXR: [&str; 3] = ["EvcxrUserCodeError", "evcxr_variable_store", "evcxr_analysis_wrapper"];
/// How often the analyser is started in all, should it end.
const STARTS: usize = 3;

/// How to start the analyser.
#[derive(Clone, Debug)]
pub struct AssistantOptions {
    /// The program `evcxr_jupyter`.
    pub evcxr: PathBuf,
    /// Folder of an `evcxr.toml` that names the crates which cells may use.
    pub config_dir: PathBuf,
    /// More variables for the process.
    pub environment: Vec<(String, String)>,
}

/// Something that can stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub text: String,
    /// As Jupyter names kinds: `function`, `class`, `module`, `instance`, `keyword`.
    pub kind: String,
}

/// What can stand at the cursor, instead of the bytes from `start` to `end` of the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    pub start: usize,
    pub end: usize,
    pub items: Vec<Item>,
}

/// Answers what a cell could go on with, and what a name in it is.
pub struct Assistant {
    options: Option<AssistantOptions>,
    analyser: Mutex<(usize, Option<Analyser>)>,
}

impl Assistant {
    /// Without options there is the word list only, and no documentation.
    pub fn new(options: Option<AssistantOptions>) -> Self {
        Self { options, analyser: Mutex::new((0, None)) }
    }

    /// Starts the analyser in the background, if it does not run. Needs a tokio runtime.
    pub fn start(&self, context: &str) {
        let _ = self.analyser(context);
    }

    fn analyser(&self, context: &str) -> Option<Analyser> {
        let options = self.options.as_ref()?;
        let mut analyser = self.analyser.lock().unwrap_or_else(PoisonError::into_inner);
        let (starts, running) = &mut *analyser;
        if running.as_ref().is_none_or(Analyser::is_gone) && *starts < STARTS {
            *starts += 1;
            *running = Some(Analyser::start(options.clone(), Sent::new(context, WARM_UP).code));
        }
        running.clone().filter(|running| !running.is_gone())
    }

    /// What can stand at this byte of a cell. `context` is source that declares what the cell sees.
    pub async fn complete(&self, context: &str, code: &str, cursor: usize) -> Completions {
        let cursor = code.floor_char_boundary(cursor);
        match timeout(COMPLETION_PATIENCE, self.analysed(context, code, cursor)).await {
            Ok(Some(found)) if !found.items.is_empty() => found,
            _ => words::complete(context, code, cursor),
        }
    }

    async fn analysed(&self, context: &str, code: &str, cursor: usize) -> Option<Completions> {
        let analyser = self.analyser(context)?;
        let sent = Sent::new(context, code);
        let position = graphemes_before(&sent.code, sent.cell + cursor);
        let answer = analyser.ask("complete_request", json!({ "code": sent.code, "cursor_pos": position })).await?;
        let start = sent.in_cell(&answer["cursor_start"])?;
        let end = sent.in_cell(&answer["cursor_end"])?;
        if !code.is_char_boundary(start) || !code.is_char_boundary(end) || start > end {
            return None;
        }
        let described = &answer["metadata"]["_jupyter_types_experimental"];
        let items = answer["matches"].as_array()?.iter().enumerate().filter_map(|(index, text)| {
            let text =
                without_placeholders(text.as_str().filter(|text| !OF_EVCXR.iter().any(|own| text.contains(own)))?);
            Some(Item { text, kind: described[index]["type"].as_str().unwrap_or("instance").into() })
        });
        Some(Completions { start, end, items: without_private_fields(items.collect()) })
    }

    /// Documentation of the name at this byte of a cell, or of the function whose arguments are there.
    pub async fn inspect(&self, context: &str, code: &str, cursor: usize) -> Option<MimeBundle> {
        timeout(DOCUMENTATION_PATIENCE, self.documented(context, code, code.floor_char_boundary(cursor))).await.ok()?
    }

    async fn documented(&self, context: &str, code: &str, cursor: usize) -> Option<MimeBundle> {
        let analyser = self.analyser(context)?;
        for end in subjects(code, cursor) {
            let sent = Sent::new(context, &code[..end]);
            // evcxr knows a method by the bracket after it.
            for text in [format!("{}(", sent.code), sent.code] {
                let position = graphemes_before(&text, text.len());
                let answer = analyser.ask("inspect_request", json!({ "code": text, "cursor_pos": position })).await?;
                if answer["found"] == json!(true) {
                    return Some(answer["data"].as_object()?.iter().map(without_crate).collect());
                }
            }
        }
        None
    }
}

/// The items without the fields that a method of the same name gives access to: evcxr lists private ones, too.
fn without_private_fields(items: Vec<Item>) -> Vec<Item> {
    let methods: HashSet<String> =
        items.iter().filter_map(|item| item.text.split_once('(').map(|(name, _)| name.to_owned())).collect();
    items.into_iter().filter(|item| item.kind != "instance" || !methods.contains(&item.text)).collect()
}

/// A cell with the context before it, as one piece of code.
struct Sent {
    code: String,
    /// Where the cell begins.
    cell: usize,
}

impl Sent {
    fn new(context: &str, cell: &str) -> Self {
        let mut code = context.to_owned();
        if !code.is_empty() && !code.ends_with('\n') {
            code.push('\n');
        }
        let begin = code.len();
        code.push_str(&without_commands(cell));
        Self { code, cell: begin }
    }

    /// The byte of the cell that is meant by a position in an answer.
    fn in_cell(&self, position: &Value) -> Option<usize> {
        let position = usize::try_from(position.as_u64()?).ok()?;
        let byte = self.code.grapheme_indices(true).nth(position).map_or(self.code.len(), |(byte, _)| byte);
        byte.checked_sub(self.cell)
    }
}

/// evcxr counts its positions in graphemes.
fn graphemes_before(code: &str, byte: usize) -> usize {
    code.grapheme_indices(true).take_while(|(begin, _)| *begin < byte).count()
}

/// The cell with spaces for the commands at its beginning, which evcxr would carry out.
fn without_commands(cell: &str) -> String {
    blank_head(cell, |line| line.starts_with([':', '!'])).1
}

/// A completion without the places, such as `$1`, at which an editor would go on.
fn without_placeholders(text: &str) -> String {
    let mut parts = text.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.trim_start_matches(|c: char| c.is_ascii_digit()) {
        rest if rest.len() < part.len() => text + rest,
        _ => text + "$" + part,
    })
}

/// Documentation that does not say that something is in evcxr's own crate, as all of a notebook is.
fn without_crate((format, text): (&String, &Value)) -> (String, Value) {
    const CODE: &str = "<pre><code class=\"language-rust\">";
    let plain = text.as_str().unwrap_or_default();
    let (before, code) = plain.strip_prefix(CODE).map_or(("", plain), |code| (CODE, code));
    let shorter = match code.strip_prefix("ctx") {
        Some(rest) if rest.starts_with("::") => Some(format!("{before}{}", &rest[2..])),
        Some(rest) => rest.strip_prefix("\n\n").or_else(|| rest.strip_prefix("\n</code></pre>\n")).map(str::to_owned),
        None => None,
    };
    (format.clone(), shorter.map_or_else(|| text.clone(), Value::from))
}

/// Ends of the names that documentation may be wanted for: of the one at the cursor, and of the function that is called
/// around it.
fn subjects(code: &str, cursor: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut add = |end: usize| {
        if code[words::name_start(code, end)..end].chars().next().is_some_and(|c| !c.is_numeric()) {
            ends.push(end);
        }
    };
    add(words::name_end(code, cursor));
    let before = &code[..cursor];
    let quotes = |at: usize| before[at..].starts_with('"') && !before[..at].ends_with('\\');
    let mut in_text = before.match_indices('"').filter(|(at, _)| quotes(*at)).count() % 2 == 1;
    let mut open = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            '"' if quotes(at) => in_text = !in_text,
            _ if in_text => {}
            ')' => open += 1,
            '(' if open == 0 => {
                add(before[..at].trim_end_matches('!').len());
                break;
            }
            '(' => open -= 1,
            '{' | '}' | ';' => break,
            _ => {}
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_that_is_sent_counts_graphemes_of_context_and_cell() {
        let sent = Sent::new("let mut e\u{301}: u8 = 1;", "\r\né.x");
        assert_eq!(graphemes_before(&sent.code, sent.cell), 19);
        assert_eq!(graphemes_before(&sent.code, sent.cell + 5), 22);
        assert_eq!(sent.in_cell(&json!(22)), Some(5));
        assert_eq!(sent.in_cell(&json!(99)), Some(6));
        assert_eq!(sent.in_cell(&json!(3)), None);
        assert_eq!(sent.in_cell(&json!("22")), None);
    }

    #[test]
    fn commands_at_the_beginning_are_blanked_byte_by_byte() {
        let cell = "// é\n:dep é\n\n  :vars\n!ls\nx.len();\n:dep x";
        let blanked = without_commands(cell);
        assert_eq!(blanked, "// é\n       \n\n       \n   \nx.len();\n:dep x");
        assert_eq!(blanked.len(), cell.len());
        assert_eq!(without_commands(""), "");
    }

    #[test]
    fn documentation_is_for_the_name_at_the_cursor_and_then_for_the_call_around_it() {
        assert_eq!(subjects("play(&tone)", 8), [10, 4]);
        assert_eq!(subjects("play(&tone)", 2), [4]);
        assert_eq!(subjects("a.mix(f(1), ", 12), [5]);
        assert_eq!(subjects("println!(", 9), [7]);
        assert_eq!(subjects(r#"{ println!("{} \") {}", "#, 24), [9]);
        assert_eq!(subjects(r#"println!("{ "#, 12), [7]);
        assert_eq!(subjects("(1 + ", 5), [] as [usize; 0]);
        assert_eq!(subjects("f(|| { x; ", 10), [] as [usize; 0]);
        assert_eq!(subjects("", 0), [] as [usize; 0]);
    }

    #[test]
    fn a_field_with_a_getter_is_listed_once() {
        let item = |text: &str, kind: &str| Item { text: text.into(), kind: kind.into() };
        let listed = vec![item("name", "instance"), item("peak", "instance"), item("name()", "function")];
        let left: Vec<String> = without_private_fields(listed).into_iter().map(|item| item.text).collect();
        assert_eq!(left, ["peak", "name()"]);
    }

    #[test]
    fn placeholders_are_taken_out_of_completions_and_nothing_else() {
        assert_eq!(without_placeholders("impl $1 for $20 {\n    \n}"), "impl  for  {\n    \n}");
        assert_eq!(without_placeholders("Features { rate$1 }"), "Features { rate }");
        assert_eq!(without_placeholders("($crate::a$)"), "($crate::a$)");
        assert_eq!(without_placeholders("clip(start, é)"), "clip(start, é)");
    }

    #[test]
    fn documentation_does_not_tell_of_the_crate_that_evcxr_makes() {
        let of = |text: &str| without_crate((&"text/plain".into(), &json!(text))).1;
        assert_eq!(of("ctx\n\nfn louder()"), "fn louder()");
        assert_eq!(of("ctx::Tune\n\nfn height()"), "Tune\n\nfn height()");
        let html = |code: &str| format!("<pre><code class=\"language-rust\">{code}\n</code></pre>\n");
        assert_eq!(of(&(html("ctx") + &html("fn louder()"))), html("fn louder()"));
        assert_eq!(of(&html("ctx::Tune")), html("Tune"));
        assert_eq!(of("ctxt\n\nfn louder()"), "ctxt\n\nfn louder()");
        assert_eq!(of("std::ctx\n\nfn louder()"), "std::ctx\n\nfn louder()");
    }

    #[tokio::test]
    async fn without_an_analyser_there_are_words_and_no_documentation() {
        let assistant = Assistant::new(None);
        let found = assistant.complete("fn loudness() {}", "loud", 4).await;
        assert_eq!(found.items[0].text, "loudness");
        assert_eq!(assistant.inspect("fn loudness() {}", "loudness", 3).await, None);
    }

    #[tokio::test]
    async fn an_analyser_that_does_not_start_costs_no_words() {
        let options =
            AssistantOptions { evcxr: "/no/such/program".into(), config_dir: "/".into(), environment: vec![] };
        let assistant = Assistant::new(Some(options));
        for _ in 0..5 {
            let found = assistant.complete("fn loudness() {}", "loud", 4).await;
            assert_eq!(found.items[0].text, "loudness");
        }
    }
}
