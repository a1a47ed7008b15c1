//! The kernel's side of the process that runs the cells: starting it, giving orders, hearing it, ending it.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::evaluator::{Order, SOCKET};
use crate::front::Stream;

/// Output as it was read; nothing in it means that the stream ended.
pub type Chunk = (Stream, Vec<u8>);

/// A running process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    socket: UnixStream,
    stdin: Option<ChildStdin>,
    output: Receiver<Chunk>,
}

/// The variable by which the system's loader finds libraries.
const LOADER_PATH: &str = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

impl Process {
    /// Starts `program` as a process that runs cells, with the folders in which the loader finds their libraries.
    pub fn start(
        program: &Path,
        folder: &Path,
        libraries: &[PathBuf],
        environment: &[(String, String)],
    ) -> Result<Self> {
        let path = folder.join("orders");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).with_context(|| format!("no socket at {}", path.display()))?;
        listener.set_nonblocking(true)?;
        let inherited = std::env::var_os(LOADER_PATH).unwrap_or_default();
        let all = libraries.iter().cloned().chain(std::env::split_paths(&inherited).filter(|p| p != Path::new("")));
        let mut child = Command::new(program)
            .env(SOCKET, &path)
            .env(LOADER_PATH, joined(all)?)
            // By these a library knows that it is shown in a notebook, and in which kernel.
            .env("EVCXR_IS_RUNTIME", "1")
            .env("EARWORM_KERNEL", "1")
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        // A cell that prints faster than it is shown waits, so that an interrupt finds little still to be shown.
        let (sender, output) = mpsc::sync_channel(16);
        for (stream, pipe) in [
            (Stream::Stdout, child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>)),
            (Stream::Stderr, child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>)),
        ] {
            let (sender, Some(mut pipe)) = (sender.clone(), pipe) else { bail!("the process has no output") };
            std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                loop {
                    let read = match pipe.read(&mut buffer) {
                        Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                        read => read.unwrap_or(0),
                    };
                    if sender.send((stream, buffer[..read].to_vec())).is_err() || read == 0 {
                        return;
                    }
                }
            });
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        let socket = loop {
            match listener.accept() {
                Ok((socket, _)) => break socket,
                Err(e) if e.kind() != ErrorKind::WouldBlock => return Err(e).context("the process cannot be reached"),
                Err(_) if child.try_wait()?.is_some() || Instant::now() > deadline => {
                    let _ = child.kill();
                    bail!("the process that runs the cells does not start");
                }
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        socket.set_nonblocking(false)?;
        let stdin = child.stdin.take();
        Ok(Self { child, socket, stdin, output })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn order(&mut self, order: &Order) -> Result<()> {
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        Ok(self.socket.write_all(line.as_bytes())?)
    }

    /// Answers a question that a cell asked.
    pub fn answer(&mut self, line: &str) -> Result<()> {
        if let Some(stdin) = &mut self.stdin {
            stdin.write_all(format!("{line}\n").as_bytes())?;
            stdin.flush()?;
        }
        Ok(())
    }

    /// Waits for output, for a while.
    pub fn output(&self, wait: Duration) -> Option<Chunk> {
        match self.output.recv_timeout(wait) {
            Ok(chunk) => Some(chunk),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some((Stream::Stdout, Vec::new())),
        }
    }

    /// Ends the process, if it still runs, and tells how it ended.
    pub fn end(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + Duration::from_millis(500);
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill()
    }

    pub fn kill(&mut self) -> Option<ExitStatus> {
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn joined(paths: impl Iterator<Item = PathBuf>) -> Result<OsString> {
    std::env::join_paths(paths).context("a folder's name holds a colon")
}
