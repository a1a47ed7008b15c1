//! What may be wrong with an installed kernel, and mending it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Kernel, first_line, kit, on_path, spec, toolchain};
use crate::doctor::{Finding, finding, optional};
use crate::error::Result;

const INSTALL: &str = "earworm kernel install";
const RUST_SOURCE: &str = "rust-src";

impl Kernel {
    /// Says what is wrong with the kernel, if anything, and what to type.
    pub fn doctor(&self) -> Vec<Finding> {
        let stamp = self.made_from().unwrap_or_default();
        let mut lines = stamp.splitn(3, '\n');
        let (made, analyser, built_by) = (lines.next(), lines.next().unwrap_or_default(), lines.next());
        let same_toolchain = toolchain().map_err(|e| e.to_string()).and_then(|now| match built_by {
            Some(then) if then == now => Ok(first_line(&now).into()),
            Some(then) => Err(format!("built by {}, now there is {}", first_line(then), first_line(&now))),
            None => Err("not installed".into()),
        });
        let same_source = kit::fingerprint().map_err(|e| e.to_string()).and_then(|now| match made {
            Some(then) if then == now => Ok(format!("as in {}", kit::source().display())),
            _ => Err(format!("changed since the kernel was built: {}", kit::source().display())),
        });
        let linker = "install a C compiler: `sudo apt install build-essential`, `xcode-select --install`";
        let analyser = there(analyser.into()).map_err(|_| "not there: only names of the notebook are completed".into());
        vec![
            finding("kernel", there(self.spec_file()), INSTALL),
            finding("program", there(self.program_file()), INSTALL),
            finding("library", there(self.library_file()), INSTALL),
            finding("toolchain", same_toolchain, INSTALL),
            finding("source", same_source, INSTALL),
            finding("linker", links(), linker),
            finding("one version", self.alone(), "earworm kernel uninstall, with its --prefix if it has one"),
            optional("analyser", analyser, "scripts/install-evcxr in the clone"),
            optional(RUST_SOURCE, rust_source(), "rustup component add rust-src"),
        ]
    }

    /// Mends what can be mended from here of what [`Kernel::doctor`] found: builds an installed kernel again that does not fit the toolchain or the
    /// source, or lacks a part, and adds the standard library's source for completion. Tells whether it did anything.
    ///
    /// # Errors
    /// As for [`Kernel::install`].
    pub fn repair(&self, findings: &[Finding]) -> Result<bool> {
        let mut repaired = false;
        let installed = self.made_from().is_some() || self.spec_file().is_file();
        if installed && findings.iter().any(|f| !f.ok && f.remedy.as_deref() == Some(INSTALL)) {
            let stamp = self.made_from().unwrap_or_default();
            let analyser = stamp.lines().nth(1).filter(|path| !path.is_empty()).map(PathBuf::from);
            repaired = self.install(analyser.as_deref())?;
        }
        if findings.iter().any(|f| f.what == RUST_SOURCE && f.remedy.is_some()) && on_path("rustup").is_some() {
            let mut rustup = Command::new("rustup");
            rustup.args(["component", "add", "rust-src"]).stdout(Stdio::null()).stderr(Stdio::null());
            repaired |= rustup.status().is_ok_and(|status| status.success());
        }
        Ok(repaired)
    }

    /// Looks for other kernels of this name, which Jupyter may start in its place.
    fn alone(&self) -> std::result::Result<String, String> {
        let mut folders = vec![spec::user_folder(), "/usr/local/share/jupyter".into(), "/usr/share/jupyter".into()];
        folders.extend(std::env::var_os("VIRTUAL_ENV").map(|venv| Path::new(&venv).join("share/jupyter")));
        let others = folders.iter().map(|folder| folder.join("kernels/earworm/kernel.json"));
        match others.into_iter().find(|other| other.is_file() && *other != self.spec_file()) {
            Some(other) => Err(format!("another kernel of this name is registered at {}", other.display())),
            None => Ok("no other kernel of this name".into()),
        }
    }
}

fn there(path: PathBuf) -> std::result::Result<String, String> {
    if path.is_file() { Ok(path.display().to_string()) } else { Err(format!("no {}", path.display())) }
}

/// Links a small program, which is more than to find a linker.
fn links() -> std::result::Result<String, String> {
    let folder = std::env::temp_dir().join(format!("earworm-doctor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("no temporary folder {}: {e}", folder.display()))?;
    let source = folder.join("probe.rs");
    let outcome = std::fs::write(&source, "fn main() {}\n").and_then(|()| {
        Command::new("rustc").arg("-o").args([&folder.join("probe"), &source]).stdin(Stdio::null()).output()
    });
    let _ = std::fs::remove_dir_all(&folder);
    match outcome {
        Ok(output) if output.status.success() => Ok("links programs".into()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let error = said.lines().find(|line| line.starts_with("error")).unwrap_or("rustc does not say why");
            Err(format!("a program cannot be linked: {error}"))
        }
        Err(e) => Err(format!("a program cannot be compiled: {e}")),
    }
}

/// The source of the standard library, which completes its names.
fn rust_source() -> std::result::Result<String, String> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().map_err(|e| e.to_string())?;
    let root = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let source = root.join("lib/rustlib/src/rust/library");
    if source.is_dir() {
        Ok(source.display().to_string())
    } else {
        Err("not there: names of the standard library are not completed".into())
    }
}
