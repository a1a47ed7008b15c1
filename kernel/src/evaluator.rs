//! The process that runs the cells. The kernel starts itself again to be it, and so outlives whatever a cell does.

use std::ffi::c_void;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGKILL};

use crate::output::{end_line, failure_lines};

/// The variable that names the socket on which orders come.
pub const SOCKET: &str = "EARWORM_EVALUATOR_SOCKET";

/// What the kernel asks of the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Load the library that all cells share.
    Begin { library: String },
    /// Load a cell and run it.
    Run { library: String, entry: String, cell: u32 },
    /// Drop a variable.
    Forget { variable: String },
}

/// Turns this process into one that runs cells, if it was started to be that; else returns at once.
pub fn run_if_asked() {
    if let Some(socket) = std::env::var_os(SOCKET) {
        if let Err(e) = run(Path::new(&socket)) {
            eprintln!("{e:#}");
            std::process::exit(1);
        }
        std::process::exit(0);
    }
}

fn run(socket: &Path) -> Result<()> {
    let socket = UnixStream::connect(socket).context("the kernel cannot be reached")?;
    let interrupt: &'static Arc<AtomicBool> = Box::leak(Box::new(Arc::new(AtomicBool::new(false))));
    signal_hook::flag::register(SIGINT, Arc::clone(interrupt))?;
    let (sender, orders) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(socket).lines().map_while(|line| line.ok()) {
            if let Ok(order) = serde_json::from_str::<Order>(&line) {
                let _ = sender.send(order);
            }
        }
        // The kernel is gone, and nobody would see what a running cell still does.
        let _ = signal_hook::low_level::raise(SIGKILL);
    });
    let mut shared: Option<Library> = None;
    for order in orders {
        match order {
            Order::Begin { library } => {
                let library = load(&library, RTLD_NOW | RTLD_GLOBAL)?;
                // SAFETY: the function has this type in the source that the kernel compiled the library from.
                let begin = unsafe { library.get::<extern "C" fn(*const AtomicBool)>(b"earworm_cell_begin")? };
                begin(Arc::as_ptr(interrupt));
                shared = Some(library);
            }
            Order::Run { library, entry, cell } => {
                interrupt.store(false, Ordering::SeqCst);
                if let Err(e) = run_cell(&library, &entry) {
                    let message = format!("the cell cannot be loaded: {e:#}");
                    print!("{}", failure_lines("load", &message));
                }
                let end = end_line(cell);
                let (mut stdout, mut stderr) = (std::io::stdout().lock(), std::io::stderr().lock());
                stdout.write_all(end.as_bytes()).and_then(|()| stdout.flush())?;
                stderr.write_all(end.as_bytes()).and_then(|()| stderr.flush())?;
            }
            Order::Forget { variable } => {
                if let Some(library) = &shared {
                    type Forget = unsafe extern "C" fn(*const c_void, usize);
                    // SAFETY: as above; the name is only read while the call lasts.
                    unsafe { library.get::<Forget>(b"earworm_cell_forget")?(variable.as_ptr().cast(), variable.len()) };
                }
            }
        }
    }
    Ok(())
}

fn run_cell(library: &str, entry: &str) -> Result<()> {
    let library = load(library, RTLD_NOW | RTLD_LOCAL)?;
    // SAFETY: the kernel wrote the function, of this type; nothing unwinds out of it.
    let function = unsafe { library.get::<extern "C" fn()>(entry.as_bytes()) }?;
    function();
    // Values, statics and functions of the cell are in use until the process ends.
    std::mem::forget(library);
    Ok(())
}

fn load(path: &str, flags: i32) -> Result<Library> {
    // SAFETY: loading runs what the library does at its start; that is the reader's own code, run on their wish.
    unsafe { Library::open(Some(path), flags) }.with_context(|| format!("{path} cannot be loaded"))
}
