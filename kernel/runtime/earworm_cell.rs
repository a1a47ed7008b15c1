//! What every cell is linked with: the variables that outlive a cell, the guard around its code, and its displays.
//!
//! The kernel compiles this file once a session, with the compiler that compiles the cells; it has no dependencies.

use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::io::Write;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use std::time::Duration;

thread_local! {
    static VARIABLES: RefCell<HashMap<String, Box<dyn Any>>> = RefCell::new(HashMap::new());
    /// Whether this is the thread that runs the cells.
    static RUNS_CELLS: Cell<bool> = const { Cell::new(false) };
    /// The place, message and callers of the last panic.
    static PANIC: Cell<Option<(String, String, String)>> = const { Cell::new(None) };
}

/// Keeps a variable for later cells.
pub fn put<T: 'static>(name: &str, value: T) {
    // What it replaces is dropped after the borrow ends: a destructor may well use this store.
    let old = VARIABLES.with_borrow_mut(|all| all.insert(name.to_owned(), Box::new(value)));
    drop(old);
}

/// Gives a variable back to a cell.
pub fn take<T: 'static>(name: &str) -> T {
    let value = VARIABLES.with_borrow_mut(|all| all.remove(name)).and_then(|value| value.downcast().ok());
    match value {
        Some(value) => *value,
        None => panic!("the variable `{name}` is no longer there as a {}", type_name::<T>()),
    }
}

/// Makes something once, and gives it to all later cells that ask for it by this name.
pub fn shared<T: 'static, E: Display>(name: &str, make: impl FnOnce() -> Result<T, E>) -> &'static T {
    let known = VARIABLES.with_borrow(|all| all.get(name).and_then(|value| value.downcast_ref::<&'static T>().copied()));
    known.unwrap_or_else(|| match make() {
        Ok(made) => {
            let made: &'static T = Box::leak(Box::new(made));
            put(name, made);
            made
        }
        Err(e) => panic!("{name} could not be started: {e}"),
    })
}

/// Forgets a variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn earworm_cell_forget(name: *const u8, length: usize) {
    // SAFETY: the kernel passes a string's own pointer and length.
    let name = unsafe { std::slice::from_raw_parts(name, length) };
    let old = VARIABLES.with_borrow_mut(|all| all.remove(&*String::from_utf8_lossy(name)));
    let _ = catch_unwind(AssertUnwindSafe(|| drop(old)));
}

/// Points to the flag that an interrupt sets; it lives in the program that runs the cells.
static INTERRUPT: AtomicPtr<AtomicBool> = AtomicPtr::new(&raw const NEVER as *mut AtomicBool);
static NEVER: AtomicBool = AtomicBool::new(false);
static RUNNING: AtomicBool = AtomicBool::new(false);

/// Prepares the process: failures are reported to the kernel, and text without a line end is shown in time.
#[unsafe(no_mangle)]
pub extern "C" fn earworm_cell_begin(interrupt: *const AtomicBool) {
    INTERRUPT.store(interrupt.cast_mut(), Ordering::SeqCst);
    RUNS_CELLS.set(true);
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("(a panic without words)");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if !in_cell() {
            let thread = std::thread::current();
            eprint!("{}", format!("thread '{}' panicked at {place}:\n{message}\n", thread.name().unwrap_or("unnamed")));
        } else if !panic.payload().is::<Interrupted>() {
            // Reported only if nothing in the cell catches it.
            let frames = std::backtrace::Backtrace::force_capture().to_string();
            PANIC.set(Some((place, message.to_owned(), frames)));
        }
    }));
    let _ = std::thread::Builder::new().name("flush".into()).spawn(|| {
        loop {
            std::thread::sleep(Duration::from_millis(50));
            let _ = std::io::stdout().flush();
        }
    });
}

struct Interrupted;

/// Ends the cell here if an interrupt came. The kernel calls it in every loop that a cell writes.
#[inline]
pub fn tick() {
    // SAFETY: the pointer is to a static, of this library or of the program that runs the cells.
    if unsafe { &*INTERRUPT.load(Ordering::Relaxed) }.load(Ordering::Relaxed) {
        stop();
    }
}

#[cold]
fn stop() {
    if in_cell() {
        std::panic::panic_any(Interrupted);
    }
}

fn in_cell() -> bool {
    RUNNING.load(Ordering::SeqCst) && RUNS_CELLS.get()
}

fn report(kind: &str, place: &str, message: &str, frames: &str) {
    let _ = std::io::stdout().flush();
    println!("\u{1e}EARWORM_FAILURE {kind} {} {} {}", place.len(), message.len(), frames.len());
    println!("{place}{message}{frames}");
}

/// An error that a cell returned with `?`.
pub struct Failed(String, &'static Location<'static>);

impl<E: Display> From<E> for Failed {
    #[track_caller]
    fn from(error: E) -> Self {
        Self(error.to_string(), Location::caller())
    }
}

/// The same, shown as `{:?}` shows it.
pub struct FailedDebug(Failed);

impl<E: Debug> From<E> for FailedDebug {
    #[track_caller]
    fn from(error: E) -> Self {
        Self(Failed(format!("{error:?}"), Location::caller()))
    }
}

pub trait Failing {
    fn failed(self) -> Failed;
}

impl Failing for Failed {
    fn failed(self) -> Failed {
        self
    }
}

impl Failing for FailedDebug {
    fn failed(self) -> Failed {
        self.0
    }
}

/// Runs a cell's code and tells whether it came to its end; a panic and an error are reported.
pub fn guard<E: Failing>(preserve: bool, code: impl FnOnce() -> Result<(), E>) -> bool {
    RUNNING.store(true, Ordering::SeqCst);
    let outcome = catch_unwind(AssertUnwindSafe(code));
    RUNNING.store(false, Ordering::SeqCst);
    match outcome {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => {
            let Failed(message, place) = error.failed();
            report("error", &place.to_string(), &message, "");
        }
        Err(payload) if payload.is::<Interrupted>() => report("interrupt", "", "", ""),
        Err(_) => {
            report_panic();
            if !preserve {
                let _ = std::io::stdout().flush();
                std::process::exit(101);
            }
        }
    }
    false
}

fn report_panic() {
    let (place, message, frames) = PANIC.take().unwrap_or_default();
    report("panic", &place, &message, &frames);
}

/// Runs all of a cell, so that nothing unwinds out of it.
pub fn run(cell: impl FnOnce()) {
    RUNNING.store(true, Ordering::SeqCst);
    let outcome = catch_unwind(AssertUnwindSafe(cell));
    RUNNING.store(false, Ordering::SeqCst);
    if outcome.is_err() {
        report_panic();
    }
    let _ = std::io::stdout().flush();
}

/// Whether a shown value is preceded by its type.
static TYPES: AtomicU8 = AtomicU8::new(0);

/// How the value of a cell's last expression is shown: by its own `evcxr_display`, else by `Debug`, else by the name of
/// its type. The first that exists is chosen by the compiler, in the order in which it looks for methods.
pub mod show {
    use super::*;

    pub struct Missing;

    pub trait Absent {
        fn evcxr_display(&self) -> Missing {
            Missing
        }
    }
    impl<T: ?Sized> Absent for &T {}

    /// A reference to a value shows the value, as it would if the method were simply called.
    pub struct Peel<'a, T: ?Sized>(pub &'a T);
    pub struct Nothing;

    pub trait PeelReference<'a> {
        type Inner: ?Sized;
        fn peel(&self) -> &'a Self::Inner;
    }
    impl<'a, T: ?Sized> PeelReference<'a> for &Peel<'a, &'a T> {
        type Inner = T;
        fn peel(&self) -> &'a T {
            self.0
        }
    }

    pub trait PeelNothing {
        fn peel(&self) -> &'static Nothing {
            &Nothing
        }
    }
    impl<T: ?Sized> PeelNothing for Peel<'_, T> {}

    pub struct Shown<'a, A, B, T: ?Sized>(pub A, pub B, pub &'a T);

    impl<T: ?Sized> Shown<'_, (), Missing, T> {
        pub fn finish(&self) {}
    }
    impl<T: ?Sized> Shown<'_, Missing, (), T> {
        pub fn finish(&self) {}
    }

    pub trait ByName {
        fn finish(&self);
    }
    impl<T: ?Sized> ByName for Shown<'_, Missing, Missing, T> {
        fn finish(&self) {
            plain::<T>(short(type_name::<T>()));
        }
    }

    pub trait ByDebug {
        fn finish(&self);
    }
    impl<T: Debug + ?Sized> ByDebug for &Shown<'_, Missing, Missing, T> {
        fn finish(&self) {
            plain::<T>(format!("{:?}", self.2));
        }
    }

    /// Shows a text in the place of a value of type `T`.
    pub fn plain<T: ?Sized>(text: String) {
        let name = type_name::<T>();
        if name != "()" && name != "!" {
            let prefix =
                if TYPES.load(Ordering::SeqCst) != 0 { format!(": {} = ", short(name)) } else { String::new() };
            println!("EVCXR_BEGIN_CONTENT text/plain\n{prefix}{text}\nEVCXR_END_CONTENT");
        }
    }

    /// Says that what is shown next is the cell's value.
    pub fn result(with_type: bool) {
        TYPES.store(u8::from(with_type), Ordering::SeqCst);
        println!("\u{1e}EARWORM_RESULT");
    }

    /// A type's name without the modules.
    fn short(name: &str) -> String {
        let mut out = String::new();
        let mut word = 0;
        for c in name.chars() {
            out.push(c);
            if !(c.is_alphanumeric() || c == '_') {
                if out.ends_with("::") {
                    out.truncate(word);
                } else if c != ':' {
                    word = out.len();
                }
            }
        }
        out
    }
}
