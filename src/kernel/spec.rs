//! What Jupyter reads, the kernel's specification, and what the analyser behind completion reads.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{kit, toml_path, write};
use crate::error::Result;
use crate::folders::{home, user_data};

/// The folder in which Jupyter looks for a user's own kernels.
pub(super) fn user_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("JUPYTER_DATA_DIR").filter(|v| !v.is_empty()) {
        return folder.into();
    }
    if cfg!(target_os = "macos") { home().join("Library/Jupyter") } else { user_data().join("jupyter") }
}

/// What every notebook begins with.
const PRELUDE: &str = "use earworm::prelude::*;";

/// Registers the kernel. `analyser` is the evcxr_jupyter that completes names, if there is one.
pub(super) fn write_spec(folder: &Path, root: &Path, built_by: &str, analyser: Option<&Path>) -> Result<()> {
    let library = format!("earworm={}", root.join("kit").join(kit::file_name()).display());
    let mut argv = vec![json!(root.join("bin/earworm-kernel")), json!("--extern"), json!(library)];
    argv.extend([json!("--search"), json!(root.join("kit/deps")), json!("--prelude"), json!(PRELUDE)]);
    argv.extend([json!("--built-by"), json!(built_by)]);
    if let Some(analyser) = analyser {
        argv.extend([json!("--evcxr"), json!(analyser), json!("--evcxr-config"), json!(root.join("config"))]);
    }
    argv.push(json!("{connection_file}"));
    let mut environment = json!({});
    // So that the ONNX Runtime of the environment it was installed from is found, whatever Jupyter runs in.
    if let Some(venv) = std::env::var_os("VIRTUAL_ENV") {
        environment["VIRTUAL_ENV"] = json!(Path::new(&venv));
    }
    let spec = json!({
        "argv": argv,
        "display_name": "Rust (earworm)",
        "language": "rust",
        "interrupt_mode": "message",
        "env": environment,
    });
    write(&folder.join("kernel.json"), &format!("{spec:#}\n"))
}

/// Writes the configuration of the evcxr that completes names: the stub as dependency, the prelude in scope.
pub(super) fn write_evcxr_config(folder: &Path, stub: &Path) -> Result<()> {
    let stub = toml_path(stub);
    let text = format!(
        "[evcxr]\nopt_level = \"0\"\nprelude = \"{PRELUDE}\"\n\n[dependencies]\nearworm = {{ path = \"{stub}\" }}\n"
    );
    write(&folder.join("evcxr.toml"), &text)
}
