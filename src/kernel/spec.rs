//! What Jupyter and evcxr read: the kernel's specification, and evcxr's start-up configuration.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{toml_path, write};
use crate::error::Result;
use crate::folders::{home, user_data};

/// The folder in which Jupyter looks for a user's own kernels.
pub(super) fn user_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("JUPYTER_DATA_DIR").filter(|v| !v.is_empty()) {
        return folder.into();
    }
    if cfg!(target_os = "macos") { home().join("Library/Jupyter") } else { user_data().join("jupyter") }
}

/// Starts evcxr so that an interrupt passes it by and reaches the process that runs the cells, and with the library on
/// the loader's search path (set here because macOS takes such variables from a shell that it starts).
const START: &str = "trap '' INT; export LOADER_PATH=\"$0\"; exec \"$1\" --control_file \"$2\"";

/// Registers the kernel.
pub(super) fn write_spec(folder: &Path, evcxr: &Path, root: &Path) -> Result<()> {
    let loader_path = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    let mut environment = json!({"EVCXR_CONFIG_DIR": root.join("config")});
    // So that the ONNX Runtime of the environment it was installed from is found, whatever Jupyter runs in.
    if let Some(venv) = std::env::var_os("VIRTUAL_ENV") {
        environment["VIRTUAL_ENV"] = json!(Path::new(&venv));
    }
    let start = START.replace("LOADER_PATH", loader_path);
    let spec = json!({
        "argv": ["sh", "-c", start, root.join("kit"), evcxr, "{connection_file}"],
        "display_name": "Rust (earworm)",
        "language": "rust",
        "interrupt_mode": "signal",
        "env": environment,
    });
    write(&folder.join("kernel.json"), &format!("{spec:#}\n"))
}

/// Writes evcxr's configuration: the stub as dependency, the prelude in scope, cells compiled without optimisation
/// (what computes is in the library).
pub(super) fn write_evcxr_config(folder: &Path, stub: &Path) -> Result<()> {
    let stub = toml_path(stub);
    let text = format!(
        "[evcxr]\nopt_level = \"0\"\nprelude = \"use earworm::prelude::*; earworm::interrupt::heed_interrupts();\"\n\n[dependencies]\nearworm = {{ path = \"{stub}\" }}\n"
    );
    write(&folder.join("evcxr.toml"), &text)
}
