//! How far a long call has come: a bar in a terminal, a few plain lines in a notebook.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// In a notebook a line is printed at most this often, so that a saved one stays short.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Counts steps and says so.
pub(crate) struct Progress {
    total: usize,
    done: usize,
    started: Instant,
    bar: Option<ProgressBar>,
    printed: Instant,
}

impl Progress {
    /// Starts counting to `total`.
    pub(crate) fn new(total: usize) -> Self {
        let bar = (!crate::show::in_notebook()).then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {eta} left  {wide_msg}");
            ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let now = Instant::now();
        Self { total, done: 0, started: now, bar, printed: now }
    }

    /// Counts one step, named by what it was about.
    pub(crate) fn advance(&mut self, what: &str) {
        self.done += 1;
        let what = crate::show::plain(what);
        match &self.bar {
            Some(bar) => {
                bar.set_message(what);
                bar.inc(1);
            }
            None if self.printed.elapsed() >= LINE_EVERY && self.done < self.total => {
                self.printed = Instant::now();
                let per_step = self.started.elapsed().as_secs_f64() / self.done as f64;
                let left = per_step * (self.total - self.done) as f64;
                line(&format!("{}/{}, about {left:.0} s left: {what}", self.done, self.total));
            }
            None => {}
        }
    }

    /// Ends the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Prints a line that shows up at once. A closed output is no reason to stop the work.
fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
