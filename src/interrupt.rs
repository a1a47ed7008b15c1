//! Ending a long call from outside, and keeping all that is in memory.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::SIGINT;

use crate::show::{in_live_notebook, in_notebook};

/// The exit code of a process that an interrupt ended, by the shells' convention.
const INTERRUPTED: i32 = 128 + SIGINT;

struct Flags {
    asked: Arc<AtomicBool>,
    idle: Arc<AtomicBool>,
    calls: AtomicUsize,
}

fn flags() -> &'static Flags {
    static FLAGS: OnceLock<Flags> = OnceLock::new();
    FLAGS.get_or_init(|| Flags {
        asked: Arc::new(AtomicBool::new(false)),
        idle: Arc::new(AtomicBool::new(true)),
        calls: AtomicUsize::new(0),
    })
}

/// Makes interrupts (SIGINT) end a long call of this crate in good order, and anything else at once (in the kernel of
/// this project it is the kernel that ends anything else).
///
/// A program that has its own way with interrupts does not call it.
pub fn heed_interrupts() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        // Refused only for signals that cannot be caught, of which SIGINT is none; without it they act as before.
        if !in_live_notebook() {
            let _ = signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&flags().idle));
        }
        let _ = signal_hook::flag::register(SIGINT, Arc::clone(&flags().asked));
    });
}

/// A call that looks from time to time whether it should end.
pub(crate) struct Interruptible(());

impl Interruptible {
    pub(crate) fn begin() -> Self {
        // Where a kernel runs the code, nobody else asks for it.
        if in_notebook() {
            heed_interrupts();
        }
        let flags = flags();
        if flags.calls.fetch_add(1, Ordering::SeqCst) == 0 {
            flags.asked.store(false, Ordering::SeqCst);
            flags.idle.store(false, Ordering::SeqCst);
        }
        Self(())
    }

    /// Tells whether an interrupt came since the call began.
    pub(crate) fn asked(&self) -> bool {
        flags().asked.load(Ordering::Relaxed)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        if flags().calls.fetch_sub(1, Ordering::SeqCst) == 1 {
            flags().idle.store(true, Ordering::SeqCst);
        }
    }
}
