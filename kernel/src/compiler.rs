//! rustc: finding it, and compiling a program with it.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::interrupter::{Interrupter, lock};

/// The compiler in use.
#[derive(Clone, Debug)]
pub struct Compiler {
    rustc: PathBuf,
    /// Where the standard library lies, which cells link dynamically.
    pub libraries: Vec<PathBuf>,
}

impl Compiler {
    /// Asks `rustc` where it really is: the one on the `PATH` may be a proxy that chooses anew each time.
    pub fn find() -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").map_or_else(|| program("rustc"), PathBuf::from);
        let output = Command::new(&rustc).args(["--print", "sysroot", "--print", "target-libdir"]).output().context(
            "rustc does not run, and a Rust kernel compiles every cell: install Rust from https://rustup.rs",
        )?;
        if !output.status.success() {
            bail!("rustc does not answer: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let [sysroot, target, ..] = lines[..] else { bail!("rustc answers in an unknown way: {text}") };
        let own = Path::new(sysroot).join("bin/rustc");
        Ok(Self {
            rustc: if own.is_file() { own } else { rustc },
            libraries: vec![Path::new(sysroot).join("lib"), target.into()],
        })
    }

    /// The compiler's name and version.
    pub fn version(&self) -> String {
        let output = Command::new(&self.rustc).arg("--version").output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    }

    /// What the compiler has to say on an error code.
    pub fn explain(&self, code: &str) -> Result<String> {
        let output = Command::new(&self.rustc).args(["--explain", code]).output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Compiles a program, written to `file` in the target's folder; returns whether it succeeded, and what the compiler
    /// said. An interrupt ends the compiler.
    ///
    /// # Errors
    /// If the compiler does not run or a file cannot be written.
    pub fn compile(
        &self,
        file: &str,
        source: &str,
        target: &Target,
        interrupter: &Interrupter,
    ) -> Result<(bool, Vec<Message>)> {
        let path = target.folder.join(file);
        std::fs::write(&path, source).with_context(|| format!("{} cannot be written", path.display()))?;
        let mut child = Command::new(&self.rustc)
            .args(["--edition", "2024", "--error-format=json", "-Ztrim-diagnostic-paths=no", "-Cprefer-dynamic"])
            // For the lines of a panic's callers.
            .arg("-Cdebuginfo=line-tables-only")
            .arg(format!("--remap-path-prefix={}/=", target.folder.display()))
            .args(["--crate-name", target.crate_name, "--crate-type", target.crate_type])
            .arg(format!("-Copt-level={}", target.opt_level))
            .arg("-L")
            .arg(target.folder)
            .args(target.search.iter().flat_map(|folder| ["-L".into(), folder.as_os_str().to_owned()]))
            .args(target.externs.iter().flat_map(|(name, file)| {
                let mut pair = OsString::from(format!("{name}="));
                pair.push(file);
                ["--extern".into(), pair]
            }))
            .arg("-o")
            .args([target.library, &path])
            // For the flag above, without which types are named in a way that only their own module understands.
            .env("RUSTC_BOOTSTRAP", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} does not run", self.rustc.display()))?;
        let stderr = child.stderr.take();
        *lock(&interrupter.compiling) = Some(child);
        let mut bytes = Vec::new();
        if let Some(mut stderr) = stderr {
            stderr.read_to_end(&mut bytes)?;
        }
        let Some(mut child) = lock(&interrupter.compiling).take() else { bail!("interrupted") };
        let success = child.wait()?.success();
        let messages = String::from_utf8_lossy(&bytes).lines().map(Message::read).collect();
        Ok((success, messages))
    }

    /// Compiles what all cells are linked with.
    ///
    /// # Errors
    /// As for a cell; or if this compiler does not know the language that it is written in.
    pub fn compile_shared(&self, folder: &Path, library: &Path, interrupter: &Interrupter) -> Result<()> {
        let target = Target {
            crate_name: "earworm_cell",
            crate_type: "dylib",
            opt_level: "1",
            folder,
            externs: Vec::new(),
            search: Vec::new(),
            library,
        };
        let source = include_str!("../runtime/earworm_cell.rs");
        let (compiled, messages) = self.compile("earworm_cell.rs", source, &target, interrupter)?;
        if !compiled {
            let errors: Vec<&str> = messages.iter().filter(|m| m.is_error()).map(|m| m.message.as_str()).collect();
            bail!("what every cell is linked with does not compile with {}: {}", self.version(), errors.join("; "));
        }
        Ok(())
    }
}

/// Where a program of the toolchain is: on the `PATH`, or where rustup puts it. Jupyter may have been started by a desktop
/// that does not know the latter.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        return name.into();
    }
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    cargo_home.map(|folder| folder.join("bin").join(name)).filter(|file| file.is_file()).unwrap_or_else(|| name.into())
}

/// What to make of a program.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    pub crate_name: &'a str,
    pub crate_type: &'a str,
    pub opt_level: &'a str,
    /// Where programs and libraries of the session are.
    pub folder: &'a Path,
    pub externs: Vec<(String, PathBuf)>,
    pub search: Vec<PathBuf>,
    pub library: &'a Path,
}

/// A diagnostic, as rustc prints it with `--error-format=json`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Message {
    pub message: String,
    #[serde(default)]
    pub code: Option<Code>,
    #[serde(default)]
    pub level: String,
    #[serde(default)]
    pub spans: Vec<Span>,
    #[serde(default)]
    pub children: Vec<Message>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Code {
    pub code: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Span {
    pub file_name: String,
    pub byte_start: usize,
    pub byte_end: usize,
    pub is_primary: bool,
    pub label: Option<String>,
    pub suggested_replacement: Option<String>,
    pub expansion: Option<Box<Expansion>>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Expansion {
    pub span: Span,
}

impl Message {
    fn read(line: &str) -> Self {
        let unknown = || Self { message: line.to_owned(), level: "error".into(), ..Self::default() };
        serde_json::from_str(line).unwrap_or_else(|_| unknown())
    }

    /// Whether it is an error, and not a count of errors.
    pub fn is_own_error(&self) -> bool {
        self.is_error() && !self.message.starts_with("aborting due to")
    }

    pub fn is_error(&self) -> bool {
        self.level.starts_with("error")
    }

    /// Where it is about.
    pub fn primary(&self) -> Option<&Span> {
        self.spans.iter().find(|span| span.is_primary)
    }

    pub fn code(&self) -> &str {
        self.code.as_ref().map_or("", |code| &code.code)
    }
}
