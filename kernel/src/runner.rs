//! Running compiled cells in their process, and showing what they print.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use crate::evaluator::Order;
use crate::front::{Front, Stream};
use crate::interrupter::{Interrupter, PATIENCE};
use crate::output::{Event, Parser, Report};
use crate::process::{Chunk, Process};

/// How a cell came to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    Finished,
    Failed(Report),
    /// The process was ended because the cell did not look at an interrupt.
    Killed,
    /// The process ended by itself, in this way.
    Died(String),
}

/// The process of the cells, while it lives.
#[derive(Debug, Default)]
pub struct Runner {
    process: Option<Process>,
    stdout: Parser,
    stderr: Parser,
    interrupter: Interrupter,
}

impl Runner {
    /// Makes a runner without a process yet.
    pub fn new(interrupter: Interrupter) -> Self {
        Self { interrupter, ..Self::default() }
    }

    pub fn is_alive(&self) -> bool {
        self.process.is_some()
    }

    /// Starts a new process in the place of the present one.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(
        &mut self,
        evaluator: &Path,
        folder: &Path,
        shared: &Path,
        libraries: &[PathBuf],
        environment: &[(String, String)],
    ) -> Result<()> {
        self.end();
        let mut process = Process::start(evaluator, folder, libraries, environment)?;
        process.order(&Order::Begin { library: shared.to_string_lossy().into_owned() })?;
        self.interrupter.running.store(process.id(), Ordering::SeqCst);
        (self.stdout, self.stderr) = (Parser::new(), Parser::new());
        self.process = Some(process);
        Ok(())
    }

    fn end(&mut self) {
        self.interrupter.running.store(0, Ordering::SeqCst);
        self.process = None;
    }

    /// Drops a variable in the process.
    pub fn forget(&mut self, variable: &str) {
        self.order(&Order::Forget { variable: variable.to_owned() });
    }

    fn order(&mut self, order: &Order) {
        // If it cannot be told, it has died, and the next look at its output shows that.
        if let Some(process) = &mut self.process {
            let _ = process.order(order);
        }
    }

    /// Runs a compiled cell to its end, and shows what it prints meanwhile.
    pub fn run(&mut self, library: &Path, entry: &str, cell: u32, front: &dyn Front) -> Ending {
        self.order(&Order::Run { library: library.to_string_lossy().into_owned(), entry: entry.to_owned(), cell });
        let mut ended = (false, false);
        let mut failure = None;
        while let Some(process) = &mut self.process {
            if self.interrupter.asked().is_some_and(|asked| asked.elapsed() > PATIENCE) {
                process.kill();
                self.end();
                return Ending::Killed;
            }
            let chunk = process.output(Duration::from_millis(20));
            if matches!(&chunk, Some((Stream::Stdout, bytes)) if bytes.is_empty()) {
                return self.died(front);
            }
            for (stream, event) in self.events(chunk) {
                match event {
                    Event::End(number) if number == cell => match stream {
                        Stream::Stdout => ended.0 = true,
                        Stream::Stderr => ended.1 = true,
                    },
                    Event::Failure(report) => failure = Some(report),
                    Event::Input { prompt, password } => {
                        if !self.ask(&prompt, password, front) {
                            let message =
                                "the cell asked for input, and here nobody can give it: it went on with an empty line";
                            failure =
                                Some(Report { kind: "error".into(), message: message.into(), ..Report::default() });
                        }
                    }
                    event => show(front, stream, event),
                }
            }
            if ended == (true, true) {
                break;
            }
        }
        failure.map_or(Ending::Finished, Ending::Failed)
    }

    /// What a piece of output completes, or the lack of one lets through.
    fn events(&mut self, chunk: Option<Chunk>) -> Vec<(Stream, Event)> {
        let from = |stream, events: Vec<Event>| events.into_iter().map(move |event| (stream, event));
        match chunk {
            Some((Stream::Stdout, bytes)) => from(Stream::Stdout, self.stdout.push(&bytes)).collect(),
            Some((Stream::Stderr, bytes)) => from(Stream::Stderr, self.stderr.push(&bytes)).collect(),
            None => {
                from(Stream::Stdout, self.stdout.flush()).chain(from(Stream::Stderr, self.stderr.flush())).collect()
            }
        }
    }

    /// Passes a question on, and the answer back; tells whether there was one, or an interrupt instead.
    fn ask(&mut self, prompt: &str, password: bool, front: &dyn Front) -> bool {
        let answer = front.input(prompt, password);
        let settled = answer.is_some() || self.interrupter.asked().is_some();
        if let Some(process) = &mut self.process {
            let _ = process.answer(&answer.unwrap_or_default());
        }
        settled
    }

    fn died(&mut self, front: &dyn Front) -> Ending {
        let status = self.process.as_mut().and_then(Process::end);
        loop {
            let more = self.process.as_ref().and_then(|process| process.output(Duration::from_millis(50)));
            let Some(chunk) = more.filter(|(_, bytes)| !bytes.is_empty()) else { break };
            self.events(Some(chunk)).into_iter().for_each(|(stream, event)| show(front, stream, event));
        }
        self.events(None).into_iter().for_each(|(stream, event)| show(front, stream, event));
        self.end();
        Ending::Died(status.map_or("in an unknown way".into(), |status| format!("with status: {status}")))
    }
}

fn show(front: &dyn Front, stream: Stream, event: Event) {
    match event {
        Event::Text(text) => front.text(stream, &text),
        Event::Display(display) => front.display(display),
        Event::Result(data) => front.result(data),
        Event::ClearOutput { wait } => front.clear_output(wait),
        Event::Input { .. } | Event::Failure(_) | Event::End(_) => {}
    }
}
