//! A notebook for tests: a session, and a front that records what it is shown.

#![allow(dead_code, reason = "each test program needs a part of it")]

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use earworm_kernel::front::{Display, Failure, Front, MimeBundle, Outcome, Stream};
use earworm_kernel::session::{Session, Settings};

/// How long a test waits for something that a cell prints, the cell's compilation included.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Notebook {
    pub session: Session,
    /// The number of the cell that ran last.
    pub cell: u32,
}

/// What a cell showed, in the order in which it came.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    events: Vec<Event>,
}

#[derive(Clone, Debug)]
pub enum Event {
    Text(Stream, String),
    Display(Display),
    Result(MimeBundle),
    Clear(bool),
}

#[derive(Default)]
struct Recorder(Mutex<Ran>);

impl Notebook {
    #[track_caller]
    pub fn new() -> Self {
        Self::with_prelude("")
    }

    #[track_caller]
    pub fn with_prelude(prelude: &str) -> Self {
        let evaluator = PathBuf::from(env!("CARGO_BIN_EXE_earworm-kernel"));
        let settings = Settings { prelude: prelude.to_owned(), evaluator: Some(evaluator), ..Settings::default() };
        match Session::start(settings) {
            Ok(session) => Self { session, cell: 0 },
            Err(failure) => panic!("the session did not start:\n{}", failure.text()),
        }
    }

    /// Runs a cell, whatever its end.
    pub fn execute(&mut self, code: &str) -> (Outcome, Ran) {
        self.cell += 1;
        let recorder = Recorder::default();
        let outcome = self.session.execute(code, self.cell, &recorder);
        (outcome, recorder.0.into_inner().unwrap())
    }

    /// Runs a cell that must succeed.
    #[track_caller]
    pub fn run(&mut self, code: &str) -> Ran {
        match self.execute(code) {
            (Outcome::Done, ran) => ran,
            (Outcome::Failed(failure), ran) => panic!("failed:\n{code}\n{}\n{ran:?}", failure.text()),
            (Outcome::Quit, _) => panic!("quit:\n{code}"),
        }
    }

    /// Runs a cell that must fail.
    #[track_caller]
    pub fn fails(&mut self, code: &str) -> Failure {
        match self.execute(code) {
            (Outcome::Failed(failure), _) => failure,
            (outcome, ran) => panic!("no failure but {outcome:?}:\n{code}\n{ran:?}"),
        }
    }

    /// The plain text of a cell's result.
    #[track_caller]
    pub fn value(&mut self, code: &str) -> String {
        let ran = self.run(code);
        match ran.result() {
            Some(data) => mime(data, "text/plain"),
            None => panic!("no result:\n{code}\n{ran:?}"),
        }
    }

    /// All that a cell says, in whatever way: where a command's answer appears is the engine's choice.
    #[track_caller]
    pub fn says(&mut self, code: &str) -> String {
        self.run(code).said()
    }

    /// Runs a cell, and `act` in another thread as soon as the cell has printed `seen`.
    #[track_caller]
    pub fn while_running(&mut self, code: &str, seen: &str, act: impl FnOnce() + Send) -> (Outcome, Ran) {
        self.cell += 1;
        let recorder = Recorder::default();
        let ended = AtomicBool::new(false);
        let (outcome, acted) = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let start = Instant::now();
                while !recorder.0.lock().unwrap().stdout().contains(seen) {
                    if ended.load(Ordering::SeqCst) || start.elapsed() > PATIENCE {
                        return false;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                act();
                true
            });
            let outcome = self.session.execute(code, self.cell, &recorder);
            ended.store(true, Ordering::SeqCst);
            (outcome, watcher.join().unwrap())
        });
        let ran = recorder.0.into_inner().unwrap();
        assert!(acted, "never printed {seen:?} while it ran: {outcome:?}\n{code}\n{ran:?}");
        (outcome, ran)
    }

    /// Runs a cell that prints `go`, interrupts it then, and tells how long it went on.
    #[track_caller]
    pub fn interrupted(&mut self, code: &str) -> (Failure, Duration) {
        let interrupter = self.session.interrupter();
        let mut asked = None;
        let (outcome, ran) = self.while_running(code, "go\n", || {
            std::thread::sleep(Duration::from_millis(200));
            asked = Some(Instant::now());
            interrupter.interrupt();
        });
        match (outcome, asked) {
            (Outcome::Failed(failure), Some(asked)) => (failure, asked.elapsed()),
            (outcome, _) => panic!("not interrupted but {outcome:?}:\n{code}\n{ran:?}"),
        }
    }

    /// The variables' names, separated by spaces.
    pub fn names(&self) -> String {
        let variables = self.session.variables();
        variables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// A variable's type; empty if there is no such variable.
    pub fn type_of(&self, name: &str) -> String {
        let variables = self.session.variables();
        variables.into_iter().find(|variable| variable.0 == name).map(|variable| variable.1).unwrap_or_default()
    }

    /// The items' names, separated by spaces.
    pub fn items(&self) -> String {
        self.session.items().join(" ")
    }
}

impl Ran {
    pub fn stdout(&self) -> String {
        self.printed(Stream::Stdout)
    }

    pub fn stderr(&self) -> String {
        self.printed(Stream::Stderr)
    }

    fn printed(&self, wanted: Stream) -> String {
        let text = |event: &Event| match event {
            Event::Text(stream, text) if *stream == wanted => Some(text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    pub fn displays(&self) -> Vec<&MimeBundle> {
        let shown = self.events.iter().filter_map(|event| match event {
            Event::Display(display) => Some(&display.data),
            _ => None,
        });
        shown.collect()
    }

    pub fn result(&self) -> Option<&MimeBundle> {
        self.events.iter().find_map(|event| match event {
            Event::Result(data) => Some(data),
            _ => None,
        })
    }

    /// Everything that a reader sees of it, as plain text.
    pub fn said(&self) -> String {
        let text = |event: &Event| match event {
            Event::Text(_, text) => text.clone(),
            Event::Display(Display { data, .. }) | Event::Result(data) => mime(data, "text/plain"),
            Event::Clear(_) => String::new(),
        };
        self.events.iter().map(text).collect()
    }

    pub fn is_silent(&self) -> bool {
        self.events.is_empty()
    }
}

impl Recorder {
    fn add(&self, event: Event) {
        self.0.lock().unwrap().events.push(event);
    }
}

impl Front for Recorder {
    fn text(&self, stream: Stream, text: &str) {
        self.add(Event::Text(stream, text.to_owned()));
    }
    fn display(&self, display: Display) {
        self.add(Event::Display(display));
    }
    fn result(&self, data: MimeBundle) {
        self.add(Event::Result(data));
    }
    fn clear_output(&self, wait: bool) {
        self.add(Event::Clear(wait));
    }
    fn input(&self, _prompt: &str, _password: bool) -> Option<String> {
        None
    }
}

/// One format of an output; empty if it has none such.
pub fn mime(data: &MimeBundle, format: &str) -> String {
    data.get(format).and_then(|content| content.as_str()).unwrap_or_default().to_owned()
}

/// What a failure tells.
pub trait Told {
    /// Name, value and traceback, without colours.
    fn text(&self) -> String;

    /// Asserts that it contains one of the words, however they are spelt.
    fn says(&self, words: &[&str]);

    /// Asserts that the traceback shows a line of source and says in which cell and line it stands.
    fn points_at(&self, cell: u32, line: u32, source: &str);
}

impl Told for Failure {
    fn text(&self) -> String {
        without_colours(&format!("{}: {}\n{}", self.name, self.value, self.traceback.join("\n")))
    }

    #[track_caller]
    fn says(&self, words: &[&str]) {
        let text = self.text();
        let found = words.iter().any(|word| text.to_lowercase().contains(&word.to_lowercase()));
        assert!(found, "none of {words:?} in:\n{text}");
    }

    #[track_caller]
    fn points_at(&self, cell: u32, line: u32, source: &str) {
        let text = without_colours(&self.traceback.join("\n"));
        assert!(text.contains(source), "no line {source:?} in:\n{text}");
        // The number that follows the cell's is the line's: `cell 2:1:9`, `cell 2, line 1`.
        let wanted = [cell, line].map(|number| number.to_string());
        let found = text.split("cell ").skip(1).any(|rest| {
            let mut numbers = rest.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
            rest.starts_with(&wanted[0]) && wanted.iter().all(|number| numbers.next() == Some(number.as_str()))
        });
        assert!(found, "no cell {cell}, line {line} in:\n{text}");
    }
}

/// Removes the escape sequences that colour text in a terminal.
pub fn without_colours(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}
