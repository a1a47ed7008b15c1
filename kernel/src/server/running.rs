//! The cell that runs: how to interrupt it, and the question that it asks of the reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::wire::Request;

/// What ends a running cell from another thread.
pub type Interrupt = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub struct Running {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    interrupt: Option<Interrupt>,
    kill: Option<Interrupt>,
    running: bool,
    interrupted: bool,
    /// How many cells have ended.
    ended: u64,
    question: Option<(String, oneshot::Sender<String>)>,
}

impl Running {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, interrupt: Interrupt, kill: Interrupt) {
        let mut state = self.state();
        (state.interrupt, state.kill) = (Some(interrupt), Some(kill));
    }

    /// Ends the cell that runs, whatever it does.
    pub fn kill(&self) {
        let kill = self.state().kill.clone();
        kill.iter().for_each(|kill| kill());
    }

    pub fn begin(&self) {
        let mut state = self.state();
        state.running = true;
        state.interrupted = false;
    }

    pub fn end(&self) -> u64 {
        let mut state = self.state();
        state.running = false;
        state.question = None;
        state.ended += 1;
        state.ended
    }

    /// Whether no cell has run since this many had ended.
    pub fn idle_since(&self, ended: u64) -> bool {
        let state = self.state();
        !state.running && state.ended == ended
    }

    /// Interrupts the cell that runs, if one does; it gets no answer to its question. This may take a moment.
    pub fn interrupt(&self) {
        let mut state = self.state();
        if !state.running {
            return;
        }
        state.interrupted = true;
        state.question = None;
        // The state stays locked meanwhile, so that it is not the next cell that is hit.
        if let Some(interrupt) = &state.interrupt {
            interrupt();
        }
    }

    /// Gets ready for the answer to the `input_request` with this id. The answer never comes if there is an interrupt.
    pub fn ask(&self, id: &str) -> oneshot::Receiver<String> {
        let (sender, answer) = oneshot::channel();
        let mut state = self.state();
        if !state.interrupted {
            state.question = Some((id.to_owned(), sender));
        }
        answer
    }

    /// Takes an `input_reply` to the question that is open now.
    pub fn answer(&self, reply: &Request) {
        let mut state = self.state();
        let parent = reply.origin.parent_header.as_ref().filter(|parent| parent.msg_type == "input_request");
        let open = state.question.as_ref().map(|(id, _)| id.as_str());
        // Many frontends name no question; one that names another was late.
        if parent.is_some_and(|parent| Some(parent.msg_id.as_str()) != open) {
            return;
        }
        if let Some((_, sender)) = state.question.take()
            && reply.text("status") != "error"
        {
            let _ = sender.send(reply.text("value").to_owned());
        }
    }
}
