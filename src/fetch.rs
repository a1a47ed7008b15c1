//! Fetching a file over HTTP: it resumes where it stopped, and takes its name only once it is the one expected.

mod fault;
mod http;
mod part;
mod patience;

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ureq::Agent;

use crate::error::{Error, Result};
use crate::hash::sha256;
pub use fault::Fault;
use http::Failure;
use part::Part;
pub use patience::{LONGEST_WAIT, MUCH, Patience};

/// What a file is known by.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: &'a str,
}

/// How often it looks whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Fetches a file, or keeps the one that is there if it is the one expected.
///
/// What has come is in `NAME.part` until all of it is there and has the expected hash; a later call resumes it.
/// `progress` is told how many bytes there are, after every few of them. `interrupted` is asked from another thread,
/// every 50 ms. Proxies are those of the environment; an `https://` address is never redirected to an unsafe one.
///
/// # Errors
/// [`Error::Fetch`] with a [`Fault`], [`Error::Unreadable`] or [`Error::Unwritable`].
pub fn fetch(
    url: &str,
    to: &Path,
    expected: &Expected<'_>,
    progress: &mut dyn FnMut(u64),
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    fetch_patiently(url, to, expected, &Patience::default(), progress, interrupted)
}

/// Fetches a file as [`fetch`] does, with a patience of one's own.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_patiently(
    url: &str,
    to: &Path,
    expected: &Expected<'_>,
    patience: &Patience,
    progress: &mut dyn FnMut(u64),
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    if is_there(to, expected)? {
        progress(expected.bytes);
        return Ok(());
    }
    let failed = |fault| Error::Fetch { url: url.into(), to: to.into(), fault };
    let mut part = Part::open(to)?.ok_or_else(|| failed(Fault::Busy))?;
    // The process that had the part until now may have finished it.
    if is_there(to, expected)? {
        return part.discard();
    }
    if part.have() > expected.bytes {
        part.restart(None)?;
    }
    let agent = http::agent(url, patience);
    let mut download = Download { url, expected, agent: &agent, failed: &failed, part, progress };
    // A server that sends nothing would keep this thread; closing the connections wakes it.
    let fetched = std::thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        let agent = agent.clone();
        scope.spawn(move || {
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if interrupted() {
                    return agent.shutdown();
                }
            }
        });
        let fetched = download.try_until_whole(patience, interrupted);
        drop(running);
        fetched
    });
    let mut part = download.part;
    if let Err(error) = fetched {
        if part.have() == 0 {
            part.discard()?;
        }
        return Err(error);
    }
    let found = part.sha256()?;
    if found != expected.sha256 {
        part.discard()?;
        return Err(failed(Fault::WrongHash { expected: expected.sha256.into(), found }));
    }
    part.publish(to)
}

/// Tells whether a file is there already.
fn is_there(to: &Path, expected: &Expected<'_>) -> Result<bool> {
    match std::fs::metadata(to) {
        Ok(there) if there.is_file() && there.len() == expected.bytes => Ok(sha256(to)? == expected.sha256),
        Ok(there) if there.is_dir() => Err(Error::writing(to, ErrorKind::IsADirectory.into())),
        _ => Ok(false),
    }
}

struct Download<'a> {
    url: &'a str,
    expected: &'a Expected<'a>,
    agent: &'a Agent,
    failed: &'a dyn Fn(Fault) -> Error,
    part: Part,
    progress: &'a mut dyn FnMut(u64),
}

/// Why a try ended early.
enum Stop {
    Failure(Failure),
    Error(Error),
}

impl Download<'_> {
    fn try_until_whole(&mut self, patience: &Patience, interrupted: &(dyn Fn() -> bool + Sync)) -> Result<()> {
        let of = self.expected.bytes;
        let (mut tries, mut wait) = (0, patience.first_wait);
        (self.progress)(self.part.have());
        while self.part.have() < of {
            let before = self.part.have();
            let tried = self.try_once();
            let have = self.part.have();
            if interrupted() && have < of {
                return Err((self.failed)(Fault::Interrupted { have, of }));
            }
            let (reason, asked) = match tried {
                Ok(()) => continue,
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Failure(Failure::Lasting(fault))) => return Err((self.failed)(fault)),
                Err(Stop::Failure(Failure::Passing { reason, wait })) => (reason, wait),
            };
            if have >= before.saturating_add(MUCH) {
                (tries, wait) = (0, patience.first_wait);
            }
            tries += 1;
            if tries >= patience.tries {
                return Err((self.failed)(reason.fault(have, of)));
            }
            let mut left = asked.unwrap_or(wait).min(LONGEST_WAIT);
            while !left.is_zero() && !interrupted() {
                std::thread::sleep(left.min(LOOK_EVERY));
                left = left.saturating_sub(LOOK_EVERY);
            }
            wait *= 2;
        }
        Ok(())
    }

    /// Asks for what is missing and takes what comes.
    fn try_once(&mut self) -> Result<(), Stop> {
        let tag = self.part.tag();
        let answer = match http::get(self.agent, self.url, self.part.have(), tag.as_deref(), self.expected.bytes) {
            Ok(answer) => answer,
            Err(failure) => {
                // The server's file ends before that, or is another one by now.
                let outdated = match &failure {
                    Failure::Passing { reason, .. } => matches!(reason, http::Reason::Status(416)),
                    Failure::Lasting(fault) => matches!(fault, Fault::WrongSize { .. }),
                };
                if outdated {
                    self.part.restart(None).map_err(Stop::Error)?;
                }
                return Err(Stop::Failure(failure));
            }
        };
        if answer.from == 0 {
            self.part.restart(answer.tag.as_deref()).map_err(Stop::Error)?;
        }
        self.take(&mut answer.body.into_reader())
    }

    fn take(&mut self, body: &mut impl Read) -> Result<(), Stop> {
        let expected = self.expected.bytes;
        let mut block = vec![0; 1 << 16];
        loop {
            let have = self.part.have();
            let count = match body.read(&mut block) {
                Ok(0) if have < expected => return Err(Stop::Failure(Failure::connection("the server closed it"))),
                Ok(0) => return Ok(()),
                Ok(count) => count,
                // All of it is there, however the connection ends.
                Err(_) if have == expected => return Ok(()),
                Err(error) => return Err(Stop::Failure(Failure::connection(error))),
            };
            let bytes = &block[..count];
            let fault = match have {
                0 if is_page(bytes) => Some(Fault::WebPage),
                have if have + count as u64 > expected => Some(Fault::TooLong { expected }),
                _ => None,
            };
            if let Some(fault) = fault {
                self.part.restart(None).map_err(Stop::Error)?;
                return Err(Stop::Failure(Failure::Lasting(fault)));
            }
            self.part.append(bytes).map_err(|error| Stop::Error(self.not_written(error)))?;
            (self.progress)(self.part.have());
        }
    }

    fn not_written(&self, error: std::io::Error) -> Error {
        let (have, of) = (self.part.have(), self.expected.bytes);
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (self.failed)(Fault::DiskFull { missing: of.saturating_sub(have), have, of })
            }
            _ => Error::writing(&self.part.path, error),
        }
    }
}

/// Tells a web page by its beginning, whatever the server calls it.
fn is_page(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let begins = |tag: &str| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    begins("<!doctype html") || begins("<html")
}
