//! How long a download waits, and how often it tries.

use std::time::Duration;

/// How long to wait for a server, and how often to try.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To look up a host, and then to connect to it: 15 s.
    pub connect: Duration,
    /// For the next bytes: 30 s.
    pub stall: Duration,
    /// How many times to try before giving up, unless a try brings [`MUCH`] bytes: 4.
    pub tries: u32,
    /// Before the second try: 1 s; doubled before each one after it. A server may ask for up to [`LONGEST_WAIT`].
    pub first_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let (connect, stall) = (Duration::from_secs(15), Duration::from_secs(30));
        Self { connect, stall, tries: 4, first_wait: Duration::from_secs(1) }
    }
}

/// A try that brings this many bytes starts the count of tries anew.
pub const MUCH: u64 = 1 << 20;

/// The longest wait between two tries.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
