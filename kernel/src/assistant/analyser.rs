//! A stock evcxr kernel, which has rust-analyzer inside: started at low priority beside this one, and asked in Jupyter's
//! protocol what only an analyser knows.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jupyter_zmq_client::{
    ClientShellConnection, ConnectionInfo, create_client_shell_connection_with_identity, peek_ports_with_listeners,
    peer_identity_for_session,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use zeromq::SocketRecv;

use super::AssistantOptions;
use crate::server::wire::{compose, read};

/// How long it may take to start, and to answer.
const START_PATIENCE: Duration = Duration::from_secs(180);
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// Starts evcxr so that it ends with this process, whatever ends this one: then the pipe closes that a second shell reads
/// from, and that shell kills evcxr (whose process is the first shell's, hence `$$`) and removes its folder.
const WRAPPER: &str = r#"
trap '' INT
exec 3<&0
(read -r _ <&3; kill -9 $$; rm -rf "$0") >/dev/null 2>&1 &
exec nice -n 10 "$@" </dev/null >/dev/null 2>&1 3<&-
"#;

struct Job {
    kind: &'static str,
    content: Value,
    answer: oneshot::Sender<Value>,
}

/// The way to a process that may be starting still.
#[derive(Clone)]
pub struct Analyser(mpsc::UnboundedSender<Job>);

impl Analyser {
    /// Starts the process in the background, and has it complete at the end of this code first.
    pub fn start(options: AssistantOptions, code: String) -> Self {
        let (sender, jobs) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            if let Err(e) = run(&options, &code, jobs).await {
                eprintln!("earworm-kernel: no completion from the analyser: {e:#}");
            }
        });
        Self(sender)
    }

    /// Whether its process has ended.
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }

    /// Content of the answer to a request. It is none if the process ends; whoever waits no longer has it skipped.
    pub async fn ask(&self, kind: &'static str, content: Value) -> Option<Value> {
        let (sender, answer) = oneshot::channel();
        self.0.send(Job { kind, content, answer: sender }).ok()?;
        answer.await.ok()
    }
}

async fn run(options: &AssistantOptions, code: &str, mut jobs: mpsc::UnboundedReceiver<Job>) -> Result<()> {
    let mut evcxr = timeout(START_PATIENCE, Evcxr::start(options)).await.context("it did not start in time")??;
    let cursor = super::graphemes_before(code, code.len());
    evcxr.ask("complete_request", json!({ "code": code, "cursor_pos": cursor })).await?;
    while let Some(job) = tokio::select! {
        job = jobs.recv() => job,
        status = evcxr.process.wait() => bail!("evcxr ended ({})", status?),
    } {
        if !job.answer.is_closed() {
            let _ = job.answer.send(evcxr.ask(job.kind, job.content).await?);
        }
    }
    Ok(())
}

struct Evcxr {
    shell: ClientShellConnection,
    process: Child,
    /// Closes when this process ends.
    _pipe: ChildStdin,
    _folder: TempDir,
}

impl Evcxr {
    /// Starts the process, and waits until it has read its configuration.
    async fn start(options: &AssistantOptions) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("earworm-assistant-").tempdir()?;
        let file = folder.path().join("connection.json");
        let key = uuid::Uuid::new_v4().to_string();
        let (ports, reserved) = peek_ports_with_listeners([127, 0, 0, 1].into(), 5).await?;
        let [shell, iopub, stdin, control, hb] = ports[..] else { bail!("there are no free ports") };
        let connection = json!({
            "ip": "127.0.0.1", "transport": "tcp", "key": key, "signature_scheme": "hmac-sha256",
            "shell_port": shell, "iopub_port": iopub, "stdin_port": stdin, "control_port": control, "hb_port": hb,
        });
        std::fs::write(&file, serde_json::to_vec(&connection)?)?;
        drop(reserved);
        let mut process = launch(options, folder.path(), &file)?;
        let pipe = process.stdin.take().context("it has no standard input")?;
        let connection: ConnectionInfo = serde_json::from_value(connection)?;
        let identity = peer_identity_for_session(&key)?;
        let shell = tokio::select! {
            shell = create_client_shell_connection_with_identity(&connection, &key, identity) => shell?,
            status = process.wait() => bail!("evcxr ended ({})", status?),
        };
        let mut evcxr = Self { shell, process, _pipe: pipe, _folder: folder };
        evcxr.ask_patiently("kernel_info_request", json!({})).await?;
        Ok(evcxr)
    }

    async fn ask(&mut self, kind: &str, content: Value) -> Result<Value> {
        timeout(ANSWER_PATIENCE, self.ask_patiently(kind, content)).await.context("it did not answer in time")?
    }

    async fn ask_patiently(&mut self, kind: &str, content: Value) -> Result<Value> {
        let request = compose(kind, content, None);
        let id = request.header.msg_id.clone();
        self.shell.send(request).await?;
        loop {
            let received = tokio::select! {
                received = self.shell.socket.recv() => received?,
                status = self.process.wait() => bail!("evcxr ended ({})", status?),
            };
            let (origin, content) = read(received, &self.shell)?;
            if origin.parent_header.is_some_and(|parent| parent.msg_id == id) {
                return Ok(content);
            }
        }
    }
}

fn launch(options: &AssistantOptions, folder: &Path, connection_file: &Path) -> Result<Child> {
    Command::new("sh")
        .args(["-c", WRAPPER])
        .arg(folder)
        .arg(&options.evcxr)
        .arg("--control_file")
        .arg(connection_file)
        .envs(options.environment.iter().map(|(name, value)| (name, value)))
        .env("EVCXR_CONFIG_DIR", &options.config_dir)
        .env("EVCXR_TMPDIR", folder)
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} does not start", options.evcxr.display()))
}
