//! What runs a cell and what shows it, as each sees the other.

use serde_json::{Map, Value};

/// One output in several formats, keyed by MIME type.
pub type MimeBundle = Map<String, Value>;

/// Where printed text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// An output in the notebook. One with an id can be replaced later by another of the same id that says `update`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Display {
    pub data: MimeBundle,
    pub id: Option<String>,
    pub update: bool,
}

/// What a running cell asks of the notebook that shows it. All of it happens at once, while the cell runs.
pub trait Front: Send + Sync {
    /// Shows printed text, which may hold carriage returns and ANSI colours and need not end with a line.
    fn text(&self, stream: Stream, text: &str);
    /// Shows an output, or replaces one.
    fn display(&self, display: Display);
    /// Shows the value of the cell's last expression.
    fn result(&self, data: MimeBundle);
    /// Removes the outputs of the cell so far, at once or when the next one comes (`wait`).
    fn clear_output(&self, wait: bool);
    /// Asks the reader for a line; `None` if there is nobody to ask.
    fn input(&self, prompt: &str, password: bool) -> Option<String>;
}

/// Shows nothing: for what runs before there is a cell.
pub struct Quiet;

impl Front for Quiet {
    fn text(&self, _: Stream, _: &str) {}
    fn display(&self, _: Display) {}
    fn result(&self, _: MimeBundle) {}
    fn clear_output(&self, _: bool) {}
    fn input(&self, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done,
    Failed(Failure),
    /// The reader asked the kernel to end (`:quit`).
    Quit,
}

/// Why a cell failed, for the notebook: `traceback` is what it shows, line by line, with ANSI colours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    pub name: String,
    pub value: String,
    pub traceback: Vec<String>,
}

/// Whether a cell can run, or waits for more lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// With what the next line should be indented by.
    Incomplete(String),
    Invalid,
}
