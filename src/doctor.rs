//! What this installation has, what it lacks, and what to type about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use crate::kernel::Kernel;
use crate::model;
use crate::runtime;
use crate::show::plain;

/// One thing that was looked for.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked for.
    pub what: &'static str,
    /// Whether it is there and works.
    pub ok: bool,
    /// Where it is and which version, or why it does not work.
    pub detail: String,
    /// What to type if it is missing, be it needed or only of use.
    pub remedy: Option<String>,
}

/// Looks at all that earworm needs: the model, ONNX Runtime, the Rust toolchain, the kernel, JupyterLab.
pub fn doctor() -> Vec<Finding> {
    let mut findings = vec![bundled_model(), onnx_runtime(), model_runs()];
    findings.push(program("cargo", &["--version"], "install Rust from https://rustup.rs"));
    findings.push(kernel());
    findings.push(program("jupyter-lab", &["--version"], "./scripts/run installs it into the clone"));
    findings
}

/// Renders findings as lines of text.
pub fn report(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let mark = match (finding.ok, &finding.remedy) {
            (true, None) => "ok     ",
            (true, Some(_)) => "absent ",
            (false, _) => "MISSING",
        };
        let remedy = finding.remedy.as_ref().map(|remedy| format!("\n          -> {remedy}")).unwrap_or_default();
        format!("{mark} {:<14} {}{remedy}", finding.what, plain(&finding.detail))
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Words what was found, with the remedy only where it is needed.
pub(crate) fn finding(what: &'static str, outcome: Result<String, String>, remedy: &str) -> Finding {
    let ok = outcome.is_ok();
    let detail = outcome.unwrap_or_else(|reason| reason);
    Finding { what, ok, detail, remedy: (!ok).then(|| remedy.to_string()) }
}

/// Words what was found of something that is of use but not needed.
pub(crate) fn optional(what: &'static str, outcome: Result<String, String>, remedy: &str) -> Finding {
    Finding { ok: true, ..finding(what, outcome, remedy) }
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn bundled_model() -> Finding {
    let outcome = model::bundled_file().map(|file| file.display().to_string()).map_err(|e| e.to_string());
    let remedy =
        format!("put models/musicnn_mtt.onnx of the repository into one of {}", list(&model::search_folders()));
    finding("model", outcome, &remedy)
}

fn onnx_runtime() -> Finding {
    let outcome = runtime::library().map(|library| library.display().to_string()).map_err(|e| e.to_string());
    let remedy = format!(
        "pip install onnxruntime, in the environment of JupyterLab; looked in {}",
        list(&runtime::search_folders())
    );
    finding("onnxruntime", outcome, &remedy)
}

fn model_runs() -> Finding {
    let outcome = model::Model::musicnn().map(|model| format!("{model:?}")).map_err(|e| e.to_string());
    finding("inference", outcome, "mend what is missing above")
}

/// Looks for the Rust kernel's specification where JupyterLab would: in the clone's environment and the user's folder.
fn kernel() -> Finding {
    let in_clone = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv");
    let specs = [Some(in_clone.as_path()), None].map(|prefix| Kernel::at(prefix).spec_file());
    let found = specs.iter().find(|spec| spec.is_file()).map(|spec| spec.display().to_string());
    finding("kernel", found.ok_or_else(|| format!("none of {}", list(&specs))), "./scripts/run installs it")
}

fn program(name: &'static str, arguments: &[&str], remedy: &str) -> Finding {
    let in_clone = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin").join(name);
    let outcome = run(name, arguments)
        .or_else(|e| if in_clone.is_file() { run(&in_clone.to_string_lossy(), arguments) } else { Err(e) });
    finding(name, outcome, remedy)
}

fn run(name: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(name).args(arguments).output().map_err(|e| format!("{name}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
    if output.status.success() { Ok(text) } else { Err(format!("{name} failed: {}", output.status)) }
}
