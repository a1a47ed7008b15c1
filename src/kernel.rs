//! The fast Rust kernel: installing it, looking after it, taking it away.
//!
//! A Rust kernel compiles each cell, and with 250 dependencies in sight cargo takes seconds to walk them. So the crate
//! is built once, as one dynamic library (`kit`), and a kernel of our own (`program`, in the folder `kernel/` of the
//! clone) gives each cell straight to rustc with it. Statics then exist once for all cells, too. Names are completed by
//! the analyser inside evcxr, which sees the crate as a stub without dependencies (`stub`). `spec` tells Jupyter.

mod health;
mod kit;
mod program;
mod spec;
mod stub;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::folders::user_data;

/// Where a kernel is installed, and which evcxr it runs.
#[derive(Clone, Debug)]
pub struct Kernel {
    root: PathBuf,
    spec_folder: PathBuf,
}

/// The file that says what a kernel was made from; it is written last.
const STAMP: &str = "made-from.txt";

impl Kernel {
    /// Names the kernel of this user, or of a Python environment if its folder is given as `prefix`.
    pub fn at(prefix: Option<&Path>) -> Self {
        let (data, jupyter) = match prefix.map(absolute) {
            Some(prefix) => (prefix.join("share"), prefix.join("share/jupyter")),
            None => (user_data(), spec::user_folder()),
        };
        Self { root: data.join("earworm/kernel"), spec_folder: jupyter.join("kernels/earworm") }
    }

    /// Builds the library, writes the stub and registers the kernel as *Rust (earworm)*; tells whether anything was
    /// to be done. `evcxr` is the `evcxr_jupyter` whose analyser completes names, looked for on the `PATH` by default; it
    /// may come later, and without it only names that the notebook has are completed.
    ///
    /// # Errors
    /// [`Error::Kernel`] naming what is missing or failed; an installed kernel is then left as it was.
    pub fn install(&self, evcxr: Option<&Path>) -> Result<bool> {
        let evcxr = evcxr.map(absolute).or_else(|| on_path("evcxr_jupyter"));
        let toolchain = toolchain()?;
        let analyser = evcxr.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let made_from = format!("{}\n{analyser}\n{toolchain}", kit::fingerprint()?);
        let whole = [self.spec_file(), self.program_file(), self.library_file()].iter().all(|part| part.is_file());
        if whole && self.made_from().is_some_and(|stamp| stamp == made_from) {
            return Ok(false);
        }
        let staged = self.root.with_extension("new");
        let made = self.stage(&staged, &toolchain, &made_from);
        if made.is_err() {
            let _ = remove(&staged);
        }
        made?;
        remove(&self.root)?;
        std::fs::rename(&staged, &self.root).map_err(|e| Error::writing(&self.root, e))?;
        spec::write_spec(&self.spec_folder, &self.root, first_line(&toolchain), evcxr.as_deref())?;
        Ok(true)
    }

    /// Makes all of a kernel in a folder beside its own, so that a failure leaves the kernel that was there.
    fn stage(&self, staged: &Path, toolchain: &str, made_from: &str) -> Result<()> {
        let (library, program) = (kit::build()?, program::build()?);
        remove(staged)?;
        kit::copy(&library, &staged.join("kit"))?;
        let binary = staged.join("bin/earworm-kernel");
        std::fs::create_dir_all(staged.join("bin")).map_err(|e| Error::writing(&binary, e))?;
        std::fs::copy(&program, &binary).map_err(|e| Error::writing(&binary, e))?;
        stub::write_package(&staged.join("stub"), &self.root.join("kit"), toolchain)?;
        spec::write_evcxr_config(&staged.join("config"), &self.root.join("stub"))?;
        write(&staged.join(STAMP), made_from)
    }

    /// Takes the kernel away; tells whether it was there.
    ///
    /// # Errors
    /// [`Error::Unwritable`] if a file cannot be removed.
    pub fn uninstall(&self) -> Result<bool> {
        let there = self.root.exists() || self.spec_folder.exists();
        for folder in [&self.spec_folder, &self.root, &self.root.with_extension("new")] {
            remove(folder)?;
        }
        // The folder above belongs to the kernel if nothing else is in it.
        if let Some(parent) = self.root.parent() {
            let _ = std::fs::remove_dir(parent);
        }
        Ok(there)
    }

    /// Where Jupyter finds it.
    pub(crate) fn spec_file(&self) -> PathBuf {
        self.spec_folder.join("kernel.json")
    }

    fn program_file(&self) -> PathBuf {
        self.root.join("bin/earworm-kernel")
    }

    fn library_file(&self) -> PathBuf {
        self.root.join("kit").join(kit::file_name())
    }

    fn made_from(&self) -> Option<String> {
        std::fs::read_to_string(self.root.join(STAMP)).ok()
    }
}

/// A kernel starts in any folder, so what it is told must not depend on one.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A path as it stands inside a TOML string.
fn toml_path(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"")
}

/// What `rustc` is in use; a library serves only the compiler that built it.
fn toolchain() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output();
    let text =
        output.ok().filter(|o| o.status.success()).map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string());
    text.ok_or_else(|| Error::Kernel {
        what: "rustc does not run, and a Rust kernel compiles every cell".into(),
        remedy: "install Rust from https://rustup.rs".into(),
    })
}

/// Runs cargo to build a part of the kernel.
fn cargo(part: &str, command: &mut Command) -> Result<()> {
    let what = match command.status() {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => format!("the kernel's {part} could not be built (cargo: {status}); the lines above say why"),
        Err(e) => format!("cargo does not run: {e}"),
    };
    Err(Error::Kernel { what, remedy: "mend that and run `earworm kernel install` again".into() })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::writing(folder, e))?;
    }
    std::fs::write(path, text).map_err(|e| Error::writing(path, e))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::writing(folder, e)),
        _ => Ok(()),
    }
}
