//! The fast Rust kernel: installing it, looking after it, taking it away.
//!
//! evcxr compiles each cell, and with 250 dependencies in sight cargo and the analyser behind it take seconds to walk
//! them. So the crate is built once, as one dynamic library (`kit`); notebooks depend on a stub without dependencies
//! that re-exports it (`stub`); and a kernel specification makes Jupyter start evcxr with both (`spec`). Statics then
//! exist once for all cells, too.

mod kit;
mod spec;
mod stub;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::doctor::{Finding, finding};
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
    /// to be done. `evcxr` is the `evcxr_jupyter` to run, looked for on the `PATH` by default.
    ///
    /// # Errors
    /// [`Error::Kernel`] naming what is missing or failed; an installed kernel is then left as it was.
    pub fn install(&self, evcxr: Option<&Path>) -> Result<bool> {
        let evcxr = match evcxr {
            Some(path) => absolute(path),
            None => on_path("evcxr_jupyter").ok_or_else(|| Error::Kernel {
                what: "evcxr_jupyter is not on the PATH".into(),
                remedy: "install it with `cargo install evcxr_jupyter --locked`, or run ./scripts/run in the clone"
                    .into(),
            })?,
        };
        let toolchain = toolchain()?;
        let made_from = format!("{}\n{}\n{toolchain}", kit::fingerprint()?, evcxr.display());
        if self.made_from().is_some_and(|stamp| stamp == made_from) && self.spec_file().is_file() {
            return Ok(false);
        }
        let staged = self.root.with_extension("new");
        remove(&staged)?;
        let library = kit::build()?;
        kit::copy(&library, &staged.join("kit"))?;
        stub::write_package(&staged.join("stub"), &self.root.join("kit"), &toolchain)?;
        spec::write_evcxr_config(&staged.join("config"), &self.root.join("stub"))?;
        write(&staged.join(STAMP), &made_from)?;
        remove(&self.root)?;
        std::fs::rename(&staged, &self.root).map_err(|e| Error::writing(&self.root, e))?;
        spec::write_spec(&self.spec_folder, &evcxr, &self.root)?;
        Ok(true)
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

    /// Says what is wrong with the kernel, if anything, and what to type.
    pub fn doctor(&self) -> Vec<Finding> {
        let finding = |what, outcome| finding(what, outcome, "earworm kernel install");
        let there = |path: PathBuf| {
            if path.is_file() { Ok(path.display().to_string()) } else { Err(format!("no {}", path.display())) }
        };
        let stamp = self.made_from().unwrap_or_default();
        let mut lines = stamp.splitn(3, '\n');
        let (made, evcxr, built_by) = (lines.next(), lines.next().unwrap_or_default(), lines.next());
        let same_toolchain = toolchain().map_err(|e| e.to_string()).and_then(|now| match built_by {
            Some(then) if then == now => Ok(first_line(&now).into()),
            Some(then) => Err(format!("built by {}, now there is {}", first_line(then), first_line(&now))),
            None => Err("not installed".into()),
        });
        let same_source = kit::fingerprint().map_err(|e| e.to_string()).and_then(|now| match made {
            Some(then) if then == now => Ok(format!("as in {}", kit::source().display())),
            _ => Err(format!("changed since the kernel was built: {}", kit::source().display())),
        });
        let linker = on_path("cc").map(|path| path.display().to_string()).ok_or_else(|| "no cc on the PATH".into());
        vec![
            finding("kernel", there(self.spec_file())),
            finding("library", there(self.root.join("kit").join(kit::file_name()))),
            finding("evcxr", there(evcxr.into())),
            finding("toolchain", same_toolchain),
            finding("source", same_source),
            finding("linker", linker),
        ]
    }

    /// Where Jupyter finds it.
    pub(crate) fn spec_file(&self) -> PathBuf {
        self.spec_folder.join("kernel.json")
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
