//! What the process of the cells prints: plain text, and among it displays, questions and reports.

use serde_json::Value;

use crate::front::{Display, MimeBundle};

/// One thing that was printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Text(String),
    Display(Display),
    /// The value of the cell's last expression.
    Result(MimeBundle),
    ClearOutput {
        wait: bool,
    },
    Input {
        prompt: String,
        password: bool,
    },
    Failure(Report),
    /// The cell with this number has ended.
    End(u32),
}

/// How a cell's code failed, as the process of the cells reports it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// `panic`, `error` or `interrupt`.
    pub kind: String,
    /// File, line and column.
    pub place: String,
    pub message: String,
    pub frames: String,
}

/// The end of a cell, as the process of the cells prints it.
pub fn end_line(cell: u32) -> String {
    format!("\u{1e}EARWORM_END {cell}\n")
}

/// A failure without a place, as the process of the cells prints it.
pub fn failure_lines(kind: &str, message: &str) -> String {
    format!("\u{1e}EARWORM_FAILURE {kind} 0 {} 0\n{message}\n", message.len())
}

/// The words that begin a line that is not for the reader. Those of evcxr are kept, so that what shows itself there
/// shows itself here.
const WORDS: [&str; 7] = [
    "EVCXR_BEGIN_CONTENT ",
    "EVCXR_INPUT_REQUEST:",
    "EVCXR_INPUT_REQUEST_PASSWORD:",
    "EARWORM_DISPLAY ",
    "EARWORM_UPDATE ",
    "EARWORM_CLEAR_OUTPUT",
    OWN,
];
const OWN: &str = "\u{1e}EARWORM_";
const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";

/// Reads a stream of output as it comes.
#[derive(Debug, Default)]
pub struct Parser {
    pending: Vec<u8>,
    /// How much of it is done with.
    done: usize,
    at_line_start: bool,
    content: Option<(String, String)>,
    bundle: MimeBundle,
    bundle_is_result: bool,
    bundle_id: Option<(String, bool)>,
}

impl Parser {
    pub fn new() -> Self {
        Self { at_line_start: true, ..Self::default() }
    }

    /// Takes what was read; gives the events that it completes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        while self.step(&mut events) {}
        self.drop_done();
        events
    }

    fn drop_done(&mut self) {
        self.pending.drain(..self.done);
        self.done = 0;
    }

    fn waiting(&self) -> &[u8] {
        &self.pending[self.done..]
    }

    /// Gives what waits for more that may not come: a display that another format could have joined.
    pub fn flush(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.finish_bundle(&mut events);
        if self.content.is_none() && !self.begins_a_word() {
            // No reader writes the character that our own marks begin with.
            self.text(self.waiting().len() - half_a_mark(self.waiting(), &[OWN]), &mut events);
        }
        self.drop_done();
        events
    }

    fn step(&mut self, events: &mut Vec<Event>) -> bool {
        if self.waiting().is_empty() {
            return false;
        }
        if self.content.is_none() && !self.begins_a_word() {
            // Up to the end of the line, or to where a mark begins, or may begin, within it.
            let line = self.waiting().iter().position(|b| *b == b'\n').map(|i| i + 1);
            let text = &self.waiting()[..line.unwrap_or(self.waiting().len())];
            let mark = [BEGIN, OWN].into_iter().filter_map(|word| find(text, word.as_bytes())).min();
            if mark == Some(0) {
                self.at_line_start = true;
                return true;
            }
            let half = || if line.is_none() { half_a_mark(text, &[BEGIN, OWN]) } else { 0 };
            let length = mark.unwrap_or_else(|| text.len() - half());
            self.finish_bundle(events);
            return self.text(length, events);
        }
        let Some(end) = self.waiting().iter().position(|b| *b == b'\n') else { return false };
        if let Some(rest) = self.waiting().strip_prefix("\u{1e}EARWORM_FAILURE ".as_bytes()) {
            let head =
                String::from_utf8_lossy(&rest[..rest.iter().position(|b| *b == b'\n').unwrap_or(0)]).into_owned();
            let words: Vec<&str> = head.split(' ').collect();
            let lengths: Vec<usize> = words.iter().skip(1).filter_map(|word| word.parse().ok()).collect();
            if let [place, message, frames] = lengths[..] {
                let total = end + 1 + place + message + frames + 1;
                if self.waiting().len() < total {
                    return false;
                }
                let part = |from: usize, length: usize| {
                    String::from_utf8_lossy(&self.waiting()[end + 1 + from..][..length]).into_owned()
                };
                let report = Report {
                    kind: words[0].to_owned(),
                    place: part(0, place),
                    message: part(place, message),
                    frames: part(place + message, frames),
                };
                self.done += total;
                self.finish_bundle(events);
                events.push(Event::Failure(report));
                return true;
            }
        }
        let line = String::from_utf8_lossy(&self.waiting()[..=end]).into_owned();
        self.done += end + 1;
        let line = line.trim_end_matches(['\n', '\r']);
        self.line(line, events);
        true
    }

    fn line(&mut self, line: &str, events: &mut Vec<Event>) {
        if let Some((mime, text)) = &mut self.content {
            if line == END {
                let (mime, text) = (std::mem::take(mime), std::mem::take(text));
                self.content = None;
                self.add(mime, text, events);
            } else {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(line);
            }
        } else if let Some(mime) = line.strip_prefix(BEGIN) {
            self.content = Some((mime.trim().to_owned(), String::new()));
        } else if line == "\u{1e}EARWORM_RESULT" {
            self.finish_bundle(events);
            self.bundle_is_result = true;
        } else if let Some(id) = line.strip_prefix("EARWORM_DISPLAY ") {
            self.finish_bundle(events);
            self.bundle_id = Some((id.trim().to_owned(), false));
        } else if let Some(id) = line.strip_prefix("EARWORM_UPDATE ") {
            self.finish_bundle(events);
            self.bundle_id = Some((id.trim().to_owned(), true));
        } else {
            self.finish_bundle(events);
            if let Some(prompt) = line.strip_prefix("EVCXR_INPUT_REQUEST:") {
                events.push(Event::Input { prompt: prompt.to_owned(), password: false });
            } else if let Some(prompt) = line.strip_prefix("EVCXR_INPUT_REQUEST_PASSWORD:") {
                events.push(Event::Input { prompt: prompt.to_owned(), password: true });
            } else if let Some(rest) = line.strip_prefix("EARWORM_CLEAR_OUTPUT") {
                events.push(Event::ClearOutput { wait: rest.trim() == "wait" });
            } else if let Some(cell) = line.strip_prefix("\u{1e}EARWORM_END ") {
                self.bundle_is_result = false;
                events.extend(cell.parse().ok().map(Event::End));
            }
        }
    }

    /// Adds a format to the output that is being put together; the same format again begins another output.
    fn add(&mut self, mime: String, text: String, events: &mut Vec<Event>) {
        if self.bundle.contains_key(&mime) {
            self.finish_bundle(events);
        }
        let value = match serde_json::from_str(&text) {
            Ok(value) if mime.contains("json") => value,
            _ => Value::String(text),
        };
        self.bundle.insert(mime, value);
    }

    fn finish_bundle(&mut self, events: &mut Vec<Event>) {
        if self.bundle.is_empty() {
            return;
        }
        let data = std::mem::take(&mut self.bundle);
        let id = self.bundle_id.take();
        if std::mem::take(&mut self.bundle_is_result) && id.is_none() {
            events.push(Event::Result(data));
        } else {
            let (id, update) = id.map_or((None, false), |(id, update)| (Some(id), update));
            events.push(Event::Display(Display { data, id, update }));
        }
    }

    /// Gives out text, but not half of a character.
    fn text(&mut self, length: usize, events: &mut Vec<Event>) -> bool {
        let mut length = length;
        match std::str::from_utf8(&self.waiting()[..length]) {
            Err(e) if e.error_len().is_none() && length == self.waiting().len() => length = e.valid_up_to(),
            _ => {}
        }
        if length == 0 {
            return false;
        }
        let text = String::from_utf8_lossy(&self.waiting()[..length]).into_owned();
        self.at_line_start = text.ends_with('\n');
        self.done += length;
        match events.last_mut() {
            Some(Event::Text(before)) => before.push_str(&text),
            _ => events.push(Event::Text(text)),
        }
        true
    }

    /// Whether what waits is, or may become, a line that is not for the reader.
    fn begins_a_word(&self) -> bool {
        let may_be = |word: &&str| {
            let length = word.len().min(self.waiting().len());
            self.waiting()[..length] == word.as_bytes()[..length]
        };
        self.at_line_start && !self.waiting().is_empty() && WORDS.iter().any(may_be)
    }
}

/// The length of the longest end of a text that one of the marks begins with.
fn half_a_mark(text: &[u8], marks: &[&str]) -> usize {
    let longest =
        |mark: &&str| (1..mark.len().min(text.len() + 1)).rev().find(|n| text.ends_with(&mark.as_bytes()[..*n]));
    marks.iter().filter_map(longest).max().unwrap_or(0)
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&str]) -> Vec<Event> {
        let mut parser = Parser::new();
        let mut events: Vec<Event> = chunks.iter().flat_map(|chunk| parser.push(chunk.as_bytes())).collect();
        events.extend(parser.flush());
        events
    }

    fn display(pairs: &[(&str, &str)]) -> Event {
        let data = pairs.iter().map(|(k, v)| (k.to_string(), Value::from(*v))).collect();
        Event::Display(Display { data, id: None, update: false })
    }

    #[test]
    fn text_and_displays_come_apart_wherever_the_chunks_are_cut() {
        let text = "a\nbEVCXR_BEGIN_CONTENT text/html\n<b>é\nx</b>\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/plain\nx\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/plain\ny\nEVCXR_END_CONTENT\nlast";
        let joined = |events: Vec<Event>| {
            events.into_iter().fold(Vec::new(), |mut all: Vec<Event>, event| {
                match (all.last_mut(), event) {
                    (Some(Event::Text(text)), Event::Text(more)) => text.push_str(&more),
                    (_, event) => all.push(event),
                }
                all
            })
        };
        let expected = vec![
            Event::Text("a\nb".into()),
            display(&[("text/html", "<b>é\nx</b>"), ("text/plain", "x")]),
            display(&[("text/plain", "y")]),
            Event::Text("last".into()),
        ];
        assert_eq!(joined(all(&[text])), expected);
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            assert_eq!(joined(all(&[&text[..at], &text[at..]])), expected, "cut at {at}");
        }
    }

    #[test]
    fn reports_results_and_questions_are_told_apart() {
        let report = "\u{1e}EARWORM_FAILURE panic 7 5 1\ncell:1:hellof\n";
        let events = all(&[
            "\u{1e}EARWORM_RESULT\nEVCXR_BEGIN_CONTENT text/plain\n42\nEVCXR_END_CONTENT\n",
            report,
            "EVCXR_INPUT_REQUEST:name? \nEARWORM_CLEAR_OUTPUT wait\nEARWORM_UPDATE bar\nEVCXR_BEGIN_CONTENT text/plain\n5 %\nEVCXR_END_CONTENT\n",
            &end_line(3),
        ]);
        let data = |text: &str| [("text/plain".to_string(), Value::from(text))].into_iter().collect::<MimeBundle>();
        let report =
            Report { kind: "panic".into(), place: "cell:1:".into(), message: "hello".into(), frames: "f".into() };
        assert_eq!(
            events,
            vec![
                Event::Result(data("42")),
                Event::Failure(report),
                Event::Input { prompt: "name? ".into(), password: false },
                Event::ClearOutput { wait: true },
                Event::Display(Display { data: data("5 %"), id: Some("bar".into()), update: true }),
                Event::End(3),
            ]
        );
    }

    #[test]
    fn carriage_returns_and_broken_characters_pass() {
        assert_eq!(all(&["10 %\r", "20 %\r"]), vec![Event::Text("10 %\r".into()), Event::Text("20 %\r".into())]);
        let mut parser = Parser::new();
        assert_eq!(parser.push(b"a\xff\xfeb\n"), vec![Event::Text("a\u{fffd}\u{fffd}b\n".into())]);
        assert_eq!(parser.push(&"é".as_bytes()[..1]), vec![]);
        assert_eq!(parser.push(&"é".as_bytes()[1..]), vec![Event::Text("é".into())]);
    }
}
