//! How far a long call has come: a bar in a terminal and in our own kernel, a few plain lines in any other notebook.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// In a notebook a line is printed at most this often, so that a saved one stays short.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// A bar that replaces itself is drawn anew at most this often.
const BAR_EVERY: Duration = Duration::from_millis(100);

/// Counts steps and says so.
pub(crate) struct Progress {
    total: usize,
    done: usize,
    started: Instant,
    bar: Option<ProgressBar>,
    live: Option<String>,
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
        let live = crate::show::in_live_notebook().then(|| {
            static BARS: AtomicUsize = AtomicUsize::new(0);
            format!("progress-{}-{}", std::process::id(), BARS.fetch_add(1, Ordering::Relaxed))
        });
        let progress = Self { total, done: 0, started: now, bar, live, printed: now };
        progress.draw(true, "");
        progress
    }

    /// Counts one step, named by what it was about.
    pub(crate) fn advance(&mut self, what: &str) {
        self.reach(self.done + 1, what);
    }

    /// Counts up to a step.
    pub(crate) fn reach(&mut self, done: usize, what: &str) {
        self.done = done;
        let what = crate::show::plain(what);
        match &self.bar {
            Some(bar) => {
                bar.set_message(what);
                bar.set_position(done as u64);
            }
            None if self.live.is_some() && (self.printed.elapsed() >= BAR_EVERY || self.done == self.total) => {
                self.printed = Instant::now();
                self.draw(false, &what);
            }
            None if self.live.is_some() => {}
            None if self.printed.elapsed() >= LINE_EVERY && self.done < self.total => {
                self.printed = Instant::now();
                line(&format!("{}/{}, {}: {what}", self.done, self.total, self.left()));
            }
            None => {}
        }
    }

    fn left(&self) -> String {
        let per_step = self.started.elapsed().as_secs_f64() / self.done.max(1) as f64;
        format!("about {:.0} s left", per_step * (self.total - self.done) as f64)
    }

    /// Draws the bar of our own kernel.
    fn draw(&self, first: bool, what: &str) {
        let Some(name) = &self.live else { return };
        let (done, total) = (self.done, self.total);
        let rest = match done {
            _ if done >= total => format!("in {:.1} s", self.started.elapsed().as_secs_f64()),
            0 => String::new(),
            _ => format!("{}: {what}", self.left()),
        };
        let html = format!(
            "<progress max=\"{total}\" value=\"{done}\" style=\"width:16em\"></progress> {done} of {total} {}",
            crate::show::escape(&rest)
        );
        crate::show::emit_live(name, first, &html, &format!("{done} of {total} {rest}"));
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
