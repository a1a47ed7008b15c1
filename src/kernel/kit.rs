//! The crate as one dynamic library, with the metadata that the compiler of a cell needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{cargo, toml_path, write};
use crate::error::{Error, Result};
use crate::hash::hexadecimal;

/// The library's crate name.
pub(super) const NAME: &str = "earworm_kit";

/// The package around the crate that makes it a dynamic library. Its profile is the crate's own `kit` profile, so that
/// what `cargo run --profile kit` compiled in the same target folder is not compiled again.
const MANIFEST: &str = r#"[package]
name = "earworm_kit"
version = "0.1.0"
edition = "2024"

[lib]
path = "lib.rs"
crate-type = ["dylib"]

[dependencies]
earworm = { path = "SOURCE" }

[profile.kit]
inherits = "release"
opt-level = 2
codegen-units = 16

[workspace]
"#;

/// The crate's source folder, which must still be where it was compiled from.
pub(super) fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The library's file name on this system.
pub(super) fn file_name() -> String {
    format!("{}{NAME}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Hashes all that the library is built from.
pub(super) fn fingerprint() -> Result<String> {
    let mut files: Vec<PathBuf> = ["src", "kernel/src", "kernel/runtime"]
        .into_iter()
        .flat_map(|folder| WalkDir::new(source().join(folder)))
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect();
    files.sort();
    files.extend(["Cargo.toml", "Cargo.lock", "kernel/Cargo.toml"].map(|name| source().join(name)));
    let mut hasher = Sha256::new();
    for file in files {
        let text = std::fs::read(&file).map_err(|_| Error::Kernel {
            what: format!("the crate's source is not where this program was compiled from: no {}", file.display()),
            remedy: "compile it again in a clone: `cargo run --release -- kernel install`".into(),
        })?;
        hasher.update(file.to_string_lossy().as_bytes());
        hasher.update(text);
    }
    Ok(hexadecimal(hasher))
}

/// Builds the library; returns the folder in which cargo left it.
pub(super) fn build() -> Result<PathBuf> {
    let target = source().join("target/kernel");
    let package = target.join("package");
    write(&package.join("Cargo.toml"), &MANIFEST.replace("SOURCE", &toml_path(source())))?;
    write(&package.join("lib.rs"), "pub use earworm::*;\n")?;
    let lock = source().join("Cargo.lock");
    std::fs::copy(&lock, package.join("Cargo.lock")).map_err(|e| Error::writing(&package, e))?;
    cargo(
        "library",
        Command::new("cargo")
            .args(["build", "--profile", "kit", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", "-Cprefer-dynamic"),
    )?;
    Ok(target.join("kit"))
}

/// Copies what cells compile and link against: the library, its dependencies' metadata, and the procedural macros.
pub(super) fn copy(built: &Path, folder: &Path) -> Result<()> {
    let deps = folder.join("deps");
    std::fs::create_dir_all(&deps).map_err(|e| Error::writing(&deps, e))?;
    let copy = |from: &Path, to: PathBuf| std::fs::copy(from, &to).map_err(|e| Error::writing(&to, e));
    copy(&built.join(file_name()), folder.join(file_name()))?;
    let entries = std::fs::read_dir(built.join("deps")).map_err(|e| Error::reading(built, e))?;
    for file in entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = name.ends_with(".rmeta") || name.ends_with(std::env::consts::DLL_SUFFIX);
        if wanted && !name.contains(NAME) {
            copy(&file, deps.join(name))?;
        }
    }
    Ok(())
}
