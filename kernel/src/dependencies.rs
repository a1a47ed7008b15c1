//! Crates that a notebook asks for with `:dep`: built by cargo into one dynamic library, so that they exist once.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::compiler;

/// Crates that cells can name.
#[derive(Clone, Debug, Default)]
pub struct Dependencies {
    /// As they stand in a `Cargo.toml`, by their names.
    lines: BTreeMap<String, String>,
    /// How often a library was built.
    serial: usize,
    /// Names and files of the crates.
    pub externs: Vec<(String, PathBuf)>,
    /// The library in which they are.
    pub library: Option<(String, PathBuf)>,
    target: PathBuf,
    package: PathBuf,
}

impl Dependencies {
    /// Writes its package in a session's folder, and builds where other sessions do, so that a crate is built once.
    pub fn new(folder: &Path) -> Self {
        let all = Self {
            target: shared_target().unwrap_or_else(|| folder.join("target")),
            package: folder.join("dependencies"),
            ..Self::default()
        };
        // The loader never looks again into a folder that was not there when it first looked.
        for folder in all.loader_folders() {
            let _ = std::fs::create_dir_all(folder);
        }
        all
    }

    /// The folders in which the loader will find libraries.
    pub fn loader_folders(&self) -> Vec<PathBuf> {
        vec![self.target.join("debug"), self.target.join("debug/deps")]
    }

    /// The dependencies as a notebook would write them.
    pub fn lines(&self) -> String {
        self.lines.iter().map(|(name, rest)| format!("{name} = {rest}\n")).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.lines.keys().any(|known| known.replace('-', "_") == name)
    }

    /// Builds what is there and what is added; on failure all stays as it was.
    ///
    /// # Errors
    /// What cargo says.
    pub fn add(&mut self, asked: &[String], opt_level: &str, environment: &[(String, String)]) -> Result<()> {
        let mut next = self.clone();
        for asked in asked {
            let (name, rest) = parse(asked)?;
            next.lines.insert(name, rest);
        }
        if next.lines != self.lines {
            next.build(opt_level, environment)?;
            self.clean();
            *self = next;
        }
        Ok(())
    }

    /// Removes the library; the crates in it stay for the next session.
    pub fn clean(&self) {
        if let Some((_, file)) = &self.library {
            let name = file.file_name().unwrap_or_default();
            for folder in self.loader_folders() {
                let _ = std::fs::remove_file(folder.join(name));
            }
        }
    }

    fn build(&mut self, opt_level: &str, environment: &[(String, String)]) -> Result<()> {
        self.serial += 1;
        // The name is this session's own: two that build at the same time must not take each other's library.
        let session = self.package.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let session: String = session.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("earworm_deps_{session}_{}", self.serial);
        std::fs::create_dir_all(&self.package)?;
        // The settings differ from every other library's, so that a crate that is in two of them has two names.
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\
             crate-type = [\"dylib\"]\n\n[dependencies]\n{}\n[profile.dev]\nopt-level = {opt_level}\ndebug = 0\n\n[workspace]\n",
            self.lines()
        );
        std::fs::write(self.package.join("Cargo.toml"), manifest)?;
        std::fs::write(self.package.join("lib.rs"), "")?;
        let nodes = self.cargo(&["metadata", "--format-version", "1"], environment)?;
        let metadata: Value = serde_json::from_str(&nodes).context("cargo's description cannot be read")?;
        let root = &metadata["resolve"]["root"];
        let nodes = metadata["resolve"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let direct = nodes.iter().find(|node| node["id"] == *root).map(|node| &node["deps"]);
        let direct: Vec<(&str, &str)> = direct
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(|dep| Some((dep["name"].as_str()?, dep["pkg"].as_str()?)))
            .collect();
        // A crate must be named for the library to hold it.
        let named: String = direct.iter().map(|(name, _)| format!("extern crate {name} as _;\n")).collect();
        std::fs::write(self.package.join("lib.rs"), named)?;
        let built = self.cargo(&["build", "--message-format=json-render-diagnostics"], environment)?;
        let mut files: HashMap<String, PathBuf> = HashMap::new();
        for artifact in built.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let kinds = artifact["target"]["crate_types"].as_array().cloned().unwrap_or_default();
            let wanted =
                |name: &str| [".rlib", std::env::consts::DLL_SUFFIX].iter().any(|suffix| name.ends_with(suffix));
            let file =
                artifact["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str).find(|f| wanted(f));
            let is_library = !kinds.iter().any(|kind| kind == "bin");
            if let (Some(package), Some(file), true) = (artifact["package_id"].as_str(), file, is_library) {
                files.insert(package.to_owned(), file.into());
            }
        }
        let file_of =
            |package: &str| files.get(package).cloned().with_context(|| format!("cargo did not build {package}"));
        self.externs =
            direct.iter().map(|(name, package)| Ok((name.to_string(), file_of(package)?))).collect::<Result<_>>()?;
        self.library = match root.as_str() {
            Some(root) if !direct.is_empty() => Some((name, file_of(root)?)),
            _ => None,
        };
        Ok(())
    }

    fn cargo(&self, arguments: &[&str], environment: &[(String, String)]) -> Result<String> {
        let output = Command::new(compiler::program("cargo"))
            .args(arguments)
            .arg("--quiet")
            .current_dir(&self.package)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTFLAGS", "-Cprefer-dynamic")
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .output()
            .context("cargo does not run, and it builds what `:dep` asks for: install Rust from https://rustup.rs")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A folder of the user's cache, if it can be written.
fn shared_target() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None if cfg!(target_os = "macos") => home?.join("Library/Caches"),
        None => home?.join(".cache"),
    };
    let target = cache.join("earworm/notebook-dependencies");
    (std::fs::create_dir_all(&target).is_ok() && tempfile::tempfile_in(&target).is_ok()).then_some(target)
}

/// Reads `name`, `name = "1.0"`, `name = { … }` or the path of a crate.
fn parse(asked: &str) -> Result<(String, String)> {
    let asked = asked.trim();
    if let Some((name, rest)) = asked.split_once('=') {
        let rest = rest.trim();
        let absolute = match rest.split_once("path") {
            // Cargo would look from its own package, the reader means the notebook's folder.
            Some((before, after)) if after.trim_start().starts_with('=') => {
                let mut quoted = after.splitn(3, '"');
                match (quoted.next(), quoted.next(), quoted.next()) {
                    (Some(equals), Some(path), Some(end)) => {
                        format!("{before}path{equals}\"{}\"{end}", escaped(&std::path::absolute(path)?))
                    }
                    _ => rest.to_owned(),
                }
            }
            _ => rest.to_owned(),
        };
        return Ok((name.trim().to_owned(), absolute));
    }
    let folder = Path::new(asked);
    if folder.join("Cargo.toml").is_file() {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let name = manifest.lines().find_map(|line| line.trim().strip_prefix("name")?.trim().strip_prefix('='));
        let name = name.context("its Cargo.toml names no package")?.trim().trim_matches('"').to_owned();
        return Ok((name, format!("{{ path = \"{}\" }}", escaped(&std::path::absolute(folder)?))));
    }
    if asked.contains(['/', '\\']) {
        bail!("no crate in {asked}");
    }
    if asked.is_empty() {
        bail!(":dep needs the name of a crate: `:dep rand = \"0.9\"`");
    }
    Ok((asked.to_owned(), "\"*\"".into()))
}

fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"")
}
