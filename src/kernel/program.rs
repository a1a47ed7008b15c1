//! The program that Jupyter starts: the kernel itself, a package of its own in the clone.

use std::path::PathBuf;
use std::process::Command;

use super::{cargo, kit};
use crate::error::{Error, Result};

/// Builds the program; returns where cargo left it.
pub(super) fn build() -> Result<PathBuf> {
    let manifest = kit::source().join("kernel/Cargo.toml");
    if !manifest.is_file() {
        return Err(Error::Kernel {
            what: format!("no {}: the kernel is built from a clone of the project", manifest.display()),
            remedy: "clone it and run ./scripts/run there".into(),
        });
    }
    let target = kit::source().join("target/kernel/program");
    cargo(
        "program",
        Command::new("cargo")
            .args(["build", "--locked", "--profile", "kernel", "--bin", "earworm-kernel", "--manifest-path"])
            .arg(&manifest)
            .env("CARGO_TARGET_DIR", &target)
            // What builds the library must not reach here: the program runs without the compiler's libraries.
            .env_remove("RUSTFLAGS"),
    )?;
    Ok(target.join("kernel").join(format!("earworm-kernel{}", std::env::consts::EXE_SUFFIX)))
}
