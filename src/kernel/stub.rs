//! The package that notebooks depend on: it re-exports the prebuilt library and has no dependencies of its own.

use std::path::Path;

use walkdir::WalkDir;

use super::{kit, write};
use crate::error::{Error, Result};

const MANIFEST: &str = r#"[package]
name = "earworm"
version = "0.1.0"
edition = "2024"
build = "build.rs"

[lints.rust]
unexpected_cfgs = "allow"
"#;

/// Points the compiler at the library, and refuses a compiler that cannot read it, in words. The search path must be of
/// the kind `all`: with the others rustc does not find the library's dependencies.
const BUILD: &str = r#"use std::path::Path;
use std::process::Command;

fn main() {
    let kit = include_str!("kit.txt").trim();
    println!("cargo::rerun-if-changed={kit}");
    println!("cargo::rustc-link-search=all={kit}");
    println!("cargo::rustc-link-search=all={kit}/deps");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map(|o| o.stdout).unwrap_or_default();
    let (now, then) = (String::from_utf8_lossy(&output), include_str!("toolchain.txt"));
    let first = |text: &str| text.lines().next().unwrap_or_default().to_string();
    if now.trim() != then.trim() {
        println!("cargo::error=This kernel was built by {}, and cells are compiled by {}. Build it again: earworm kernel install (or ./scripts/run in the clone), then restart the kernel.", first(then), first(&now));
    } else if !Path::new(kit).is_dir() {
        println!("cargo::error=The kernel's library is gone from {kit}. Build it again: earworm kernel install, then restart the kernel.");
    }
}
"#;

const LINKED: &str = "#[cfg(not(rust_analyzer))]
extern crate earworm_kit;
#[cfg(not(rust_analyzer))]
pub use earworm_kit::*;

// Only the analyser reads this copy of the source: it gives the types of variables, completion and documentation
// without a walk through the dependencies.
";

/// Writes the package into `folder`, for the library that will be at `kit`.
pub(super) fn write_package(folder: &Path, kit: &Path, toolchain: &str) -> Result<()> {
    let source = kit::source().join("src");
    for entry in WalkDir::new(&source).into_iter().filter_map(|entry| entry.ok()) {
        let relative = entry.path().strip_prefix(&source).unwrap_or(entry.path());
        if !entry.file_type().is_file() || relative.starts_with("bin") || relative == Path::new("lib.rs") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).map_err(|e| Error::reading(entry.path(), e))?;
        write(&folder.join("src").join(relative), &text)?;
    }
    let lib = source.join("lib.rs");
    let text = std::fs::read_to_string(&lib).map_err(|e| Error::reading(&lib, e))?;
    write(&folder.join("src/lib.rs"), &(LINKED.to_string() + &for_the_analyser(&text)))?;
    write(&folder.join("Cargo.toml"), MANIFEST)?;
    write(&folder.join("build.rs"), BUILD)?;
    write(&folder.join("kit.txt"), &kit.to_string_lossy())?;
    write(&folder.join("toolchain.txt"), toolchain)
}

/// Keeps the items of `lib.rs`, each for the analyser alone. They are statements that end with a semicolon.
fn for_the_analyser(lib: &str) -> String {
    let mut items = String::new();
    let mut item = String::new();
    for line in lib.lines().filter(|line| !line.trim_start().starts_with("//") && !line.trim().is_empty()) {
        item += line;
        item.push('\n');
        if line.trim_end().ends_with(';') {
            items += "#[cfg(rust_analyzer)]\n";
            items += &std::mem::take(&mut item);
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::for_the_analyser;

    #[test]
    fn every_item_is_kept_once_and_hidden_from_the_compiler() {
        let lib = "//! Words; more words;\n\npub mod a;\npub use a::{\n    B,\n    C,\n};\n";
        let expected = "#[cfg(rust_analyzer)]\npub mod a;\n#[cfg(rust_analyzer)]\npub use a::{\n    B,\n    C,\n};\n";
        assert_eq!(for_the_analyser(lib), expected);
        let real = for_the_analyser(include_str!("../lib.rs"));
        assert_eq!(
            real.matches("#[cfg(rust_analyzer)]").count(),
            include_str!("../lib.rs").lines().filter(|l| l.ends_with(';') && !l.starts_with("//")).count()
        );
    }
}
