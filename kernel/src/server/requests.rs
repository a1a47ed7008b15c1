//! The requests that are answered at once, whether or not a cell runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use super::Kernel;
use super::position::{byte_of, code_points_before};
use super::wire::{Channel, Request};
use crate::front::Completeness;
use crate::interrupter::lock;

/// How long a `kernel_info_request` waits for the compiler to tell its version.
const VERSION_PATIENCE: Duration = Duration::from_millis(500);

/// Answers a request, or hands it to the executor.
pub async fn take(kernel: Arc<Kernel>, request: Arc<Request>) {
    if request.kind == "execute_request" {
        let executor = lock(&kernel.executor).clone();
        if let Some(executor) = executor {
            let _ = executor.send(request);
        }
        return;
    }
    if request.channel == Channel::Stdin {
        if request.kind == "input_reply" {
            kernel.running.answer(&request);
        }
        return;
    }
    tokio::spawn(async move {
        kernel.outlet.status(&request, true).await;
        if let Some(content) = answer(&kernel, &request).await {
            kernel.wire.reply(&request, content).await;
        }
        kernel.outlet.status(&request, false).await;
        if request.kind == "shutdown_request" {
            kernel.outlet.flush().await;
            kernel.end.notify_one();
        }
    });
}

/// Content of the reply, if there is one.
async fn answer(kernel: &Arc<Kernel>, request: &Request) -> Option<Value> {
    match request.kind.as_str() {
        "kernel_info_request" => Some(kernel_info(kernel).await),
        "complete_request" => Some(complete(kernel, request).await),
        "inspect_request" => Some(inspect(kernel, request).await),
        "is_complete_request" => Some(match (kernel.completeness)(request.text("code")) {
            Completeness::Complete => json!({ "status": "complete" }),
            Completeness::Incomplete(indent) => json!({ "status": "incomplete", "indent": indent }),
            Completeness::Invalid => json!({ "status": "invalid" }),
        }),
        "history_request" => Some(lock(&kernel.history).answer(request)),
        "comm_info_request" => Some(json!({ "status": "ok", "comms": {} })),
        "comm_open" => {
            let closed = json!({ "comm_id": request.content["comm_id"], "data": {} });
            kernel.outlet.message("comm_close", closed, Some(request)).await;
            None
        }
        "connect_request" => Some(json!({
            "status": "ok",
            "shell_port": kernel.ports.shell_port,
            "iopub_port": kernel.ports.iopub_port,
            "stdin_port": kernel.ports.stdin_port,
            "control_port": kernel.ports.control_port,
            "hb_port": kernel.ports.hb_port,
        })),
        "interrupt_request" => {
            kernel.interrupt().await;
            Some(json!({ "status": "ok" }))
        }
        "shutdown_request" => {
            let content = json!({ "status": "ok", "restart": request.flag("restart", false) });
            kernel.outlet.message("shutdown_reply", content.clone(), Some(request)).await;
            Some(content)
        }
        _ => None,
    }
}

async fn kernel_info(kernel: &Kernel) -> Value {
    let version = tokio::time::timeout(VERSION_PATIENCE, compiler_version(kernel)).await.unwrap_or_default();
    let banner = format!("earworm {}: Rust, compiled cell by cell", env!("CARGO_PKG_VERSION"));
    json!({
        "status": "ok",
        "protocol_version": "5.3",
        "implementation": "earworm",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": version,
            "mimetype": "text/rust",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
        },
        "banner": banner,
        "help_links": [
            { "text": "The Rust Programming Language", "url": "https://doc.rust-lang.org/stable/book/" },
            { "text": "Rust standard library", "url": "https://doc.rust-lang.org/stable/std/" },
        ],
    })
}

/// As `rustc --version` says it; empty if it cannot be asked.
pub async fn compiler_version(kernel: &Kernel) -> String {
    let ask = async {
        let output = Command::new("rustc").arg("--version").kill_on_drop(true).output().await;
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        text.split_whitespace().nth(1).unwrap_or_default().to_owned()
    };
    kernel.compiler_version.get_or_init(|| ask).await.clone()
}

/// The code of a request and its cursor, as a byte in it.
fn code_and_cursor(request: &Request) -> (&str, usize) {
    let code = request.text("code");
    let cursor = request.number("cursor_pos").map(|position| usize::try_from(position).unwrap_or(0));
    (code, cursor.map_or(code.len(), |position| byte_of(code, position)))
}

async fn complete(kernel: &Arc<Kernel>, request: &Request) -> Value {
    let (code, cursor) = code_and_cursor(request);
    let found = kernel.assistant.complete(&kernel.context(), code, cursor).await;
    let (start, end) = (code_points_before(code, found.start), code_points_before(code, found.end));
    let matches: Vec<&str> = found.items.iter().map(|item| item.text.as_str()).collect();
    let described =
        |item: &crate::assistant::Item| json!({ "text": item.text, "type": item.kind, "start": start, "end": end });
    let types: Vec<Value> = found.items.iter().map(described).collect();
    json!({
        "status": "ok",
        "matches": matches,
        "cursor_start": start,
        "cursor_end": end,
        "metadata": { "_jupyter_types_experimental": types },
    })
}

async fn inspect(kernel: &Arc<Kernel>, request: &Request) -> Value {
    let (code, cursor) = code_and_cursor(request);
    let found = kernel.assistant.inspect(&kernel.context(), code, cursor).await;
    json!({ "status": "ok", "found": found.is_some(), "data": found.unwrap_or_default(), "metadata": {} })
}
