//! Ending a running cell from outside.

use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGKILL};

/// How long a cell may go on after an interrupt before its process is ended.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Ends a running cell from another thread. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Interrupter {
    asked: Arc<Mutex<Option<Instant>>>,
    pub(crate) compiling: Arc<Mutex<Option<Child>>>,
    pub(crate) running: Arc<AtomicU32>,
}

impl Interrupter {
    /// Asks the running cell to end: at the next turn of one of its loops, or where the code it calls looks for it. One
    /// that does not look is ended with its process after five seconds.
    pub fn interrupt(&self) {
        *lock(&self.asked) = Some(Instant::now());
        if let Some(mut compiler) = lock(&self.compiling).take() {
            let _ = compiler.kill();
            let _ = compiler.wait();
        }
        let running = self.running.load(Ordering::SeqCst);
        if running != 0 {
            send(running, SIGINT);
        }
    }

    /// Ends the process that runs the cells, and with it the running one.
    pub fn kill(&self) {
        self.interrupt();
        let running = self.running.load(Ordering::SeqCst);
        if running != 0 {
            send(running, SIGKILL);
        }
    }

    /// Begins a cell without an interrupt.
    pub(crate) fn forget(&self) {
        *lock(&self.asked) = None;
    }

    pub(crate) fn asked(&self) -> Option<Instant> {
        *lock(&self.asked)
    }
}

/// Sends a signal, which the standard library can only do to a child at hand.
fn send(process: u32, signal: i32) {
    unsafe extern "C" {
        fn kill(process: i32, signal: i32) -> i32;
    }
    if let Ok(process) = i32::try_from(process) {
        // SAFETY: a plain system call; the process is our child, not yet waited for.
        unsafe { kill(process, signal) };
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
