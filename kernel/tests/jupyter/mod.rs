//! A Jupyter frontend for tests, and an engine that does what its cells say in plain words.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use earworm_kernel::assistant::Assistant;
use earworm_kernel::front::{Completeness, Display, Failure, Front, Outcome, Stream};
use earworm_kernel::server::{Engine, Interrupt, serve};
use jupyter_protocol::{JupyterMessage, UnknownMessage};
use jupyter_zmq_client::{
    ClientControlConnection, ClientHeartbeatConnection, ClientIoPubConnection, ClientShellConnection,
    ClientStdinConnection, Connection, ConnectionInfo, RawMessage, create_client_control_connection,
    create_client_heartbeat_connection, create_client_iopub_connection, create_client_shell_connection_with_identity,
    create_client_stdin_connection_with_identity, peek_ports_with_listeners, peer_identity_for_session,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use zeromq::SocketRecv;

/// An engine whose cells are lines such as `print la`, `sleep 500` or `fail off key`.
#[derive(Default)]
pub struct Puppet {
    interrupted: Arc<AtomicBool>,
    names: Vec<String>,
}

impl Engine for Puppet {
    fn execute(&mut self, code: &str, count: u32, front: &dyn Front) -> Outcome {
        self.interrupted.store(false, Ordering::SeqCst);
        for line in code.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let shown =
                || json!({ "text/plain": rest, "image/png": "iVBORw0=" }).as_object().cloned().unwrap_or_default();
            let display = |id: Option<&str>, update| Display { data: shown(), id: id.map(Into::into), update };
            match word {
                "" => {}
                "print" => front.text(Stream::Stdout, &format!("{rest}\n")),
                "warn" => front.text(Stream::Stderr, &format!("{rest}\n")),
                "prints" => (0..rest.parse().unwrap()).for_each(|i| front.text(Stream::Stdout, &format!("{i}\n"))),
                "show" => front.display(display(None, false)),
                "begin" => front.display(display(Some("one"), false)),
                "update" => front.display(display(Some("one"), true)),
                "clear" => front.clear_output(rest == "later"),
                "count" => front.text(Stream::Stdout, &format!("{count}\n")),
                "name" => self.names.push(rest.into()),
                "value" => front.result(shown()),
                "ask" | "ask_secret" => match front.input(rest, word == "ask_secret") {
                    Some(answer) => front.text(Stream::Stdout, &format!("heard {answer}\n")),
                    None => return failed("NoInput", "nobody answered"),
                },
                "sleep" | "sleep_deeply" => {
                    let end = Instant::now() + Duration::from_millis(rest.parse().unwrap());
                    while Instant::now() < end {
                        if word == "sleep" && self.interrupted.load(Ordering::SeqCst) {
                            return failed("Interrupted", "the cell was interrupted");
                        }
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                "fail" => return failed("Failed", rest),
                "panic" => panic!("{rest}"),
                "quit" => return Outcome::Quit,
                _ => return failed("Unknown", line),
            }
        }
        Outcome::Done
    }

    fn interrupt(&self) -> Interrupt {
        let interrupted = Arc::clone(&self.interrupted);
        Arc::new(move || interrupted.store(true, Ordering::SeqCst))
    }

    fn kill(&self) -> Interrupt {
        self.interrupt()
    }

    fn context(&self) -> String {
        self.names.iter().map(|name| format!("let mut {name}: u8 = unimplemented!();\n")).collect()
    }

    fn completeness(code: &str) -> Completeness {
        match code.trim_end() {
            code if code.ends_with('{') => Completeness::Incomplete("    ".into()),
            code if code.starts_with(')') => Completeness::Invalid,
            _ => Completeness::Complete,
        }
    }
}

fn failed(name: &str, value: &str) -> Outcome {
    let traceback = vec![format!("\u{1b}[31m{name}\u{1b}[0m"), value.to_owned()];
    Outcome::Failed(Failure { name: name.into(), value: value.into(), traceback })
}

/// Sockets of a frontend, and the messages that it was not waiting for.
pub struct Notebook {
    pub shell: ClientShellConnection,
    pub control: ClientControlConnection,
    pub stdin: ClientStdinConnection,
    pub iopub: ClientIoPubConnection,
    pub heartbeat: ClientHeartbeatConnection,
    pub connection_file: PathBuf,
    pub served: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
    _folder: TempDir,
}

/// What came of a cell.
#[derive(Debug)]
pub struct Cell {
    pub reply: Value,
    /// Kinds, contents, and when they came.
    pub outputs: Vec<(String, Value, Instant)>,
}

impl Cell {
    pub fn kinds(&self) -> Vec<&str> {
        self.outputs.iter().map(|(kind, ..)| kind.as_str()).collect()
    }

    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.outputs.iter().filter(|(k, ..)| k == kind).map(|(_, content, _)| content).collect()
    }

    pub fn text(&self) -> String {
        self.of("stream").iter().filter_map(|content| content["text"].as_str()).collect()
    }
}

const SOON: Duration = Duration::from_secs(20);

/// A connection file with free ports.
pub async fn connection_file() -> (TempDir, PathBuf, ConnectionInfo) {
    let (ports, reserved) = peek_ports_with_listeners([127, 0, 0, 1].into(), 5).await.unwrap();
    let connection = json!({
        "ip": "127.0.0.1", "transport": "tcp", "key": "a key", "signature_scheme": "hmac-sha256", "kernel_name": "",
        "shell_port": ports[0], "iopub_port": ports[1], "stdin_port": ports[2], "control_port": ports[3],
        "hb_port": ports[4],
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connection.json");
    std::fs::write(&file, connection.to_string()).unwrap();
    drop(reserved);
    (folder, file, serde_json::from_value(connection).unwrap())
}

impl Notebook {
    /// Connects to a kernel that runs in this process.
    pub async fn open() -> Self {
        Self::with_engine(|| Ok(Puppet::default())).await
    }

    pub async fn with_engine<E: Engine>(start: impl FnOnce() -> Result<E, Failure> + Send + 'static) -> Self {
        Self::with_assistant(start, Assistant::new(None)).await
    }

    pub async fn with_assistant<E: Engine>(
        start: impl FnOnce() -> Result<E, Failure> + Send + 'static,
        assistant: Assistant,
    ) -> Self {
        let (folder, file, connection) = connection_file().await;
        let for_kernel = file.clone();
        let served = std::thread::spawn(move || serve(&for_kernel, start, assistant));
        let mut notebook = Self::connect(folder, file, &connection).await;
        notebook.served = Some(served);
        notebook
    }

    pub async fn connect(folder: TempDir, connection_file: PathBuf, connection: &ConnectionInfo) -> Self {
        let session = format!("{:?}", connection_file);
        let identity = peer_identity_for_session(&session[..session.len().min(200)]).unwrap();
        let mut notebook = Self {
            shell: create_client_shell_connection_with_identity(connection, &session, identity.clone()).await.unwrap(),
            control: create_client_control_connection(connection, &session).await.unwrap(),
            stdin: create_client_stdin_connection_with_identity(connection, &session, identity).await.unwrap(),
            iopub: create_client_iopub_connection(connection, "", &session).await.unwrap(),
            heartbeat: create_client_heartbeat_connection(connection).await.unwrap(),
            connection_file,
            served: None,
            _folder: folder,
        };
        // As jupyter_client does: asks until a publication arrives, so that none is missed later.
        for _ in 0..50 {
            let id = notebook.send("kernel_info_request", json!({})).await;
            notebook.reply(&id).await;
            while let Ok((_, parent, content)) = timeout(Duration::from_millis(100), notebook.publication()).await {
                if parent == id && content["execution_state"] == "idle" {
                    return notebook;
                }
            }
        }
        panic!("no publication arrives");
    }

    /// Sends a request on shell, and returns its id.
    pub async fn send(&mut self, kind: &str, content: Value) -> String {
        let request = message(kind, content);
        let id = request.header.msg_id.clone();
        self.shell.send(request).await.unwrap();
        id
    }

    pub async fn send_cell(&mut self, code: &str) -> String {
        self.send("execute_request", cell(code)).await
    }

    /// Waits for the reply on shell to a request.
    pub async fn reply(&mut self, id: &str) -> Value {
        timeout(SOON, async {
            loop {
                let received = self.shell.socket.recv().await.unwrap();
                let (_, parent, content) = take_apart(received, &self.shell);
                if parent == id {
                    return content;
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no reply"))
    }

    pub async fn ask(&mut self, kind: &str, content: Value) -> Value {
        let id = self.send(kind, content).await;
        self.reply(&id).await
    }

    /// Sends a request on control, and returns the content of its reply.
    pub async fn ask_on_control(&mut self, kind: &str, content: Value) -> Value {
        self.control.send(message(kind, content)).await.unwrap();
        let received =
            timeout(SOON, self.control.socket.recv()).await.unwrap_or_else(|_| panic!("no reply on control"));
        take_apart(received.unwrap(), &self.control).2
    }

    /// Kind, id of the parent, and content of the next publication.
    pub async fn publication(&mut self) -> (String, String, Value) {
        let received = self.iopub.socket.recv().await.unwrap();
        take_apart(received, &self.iopub)
    }

    /// Gathers what is published for a request until it is idle.
    pub async fn outputs(&mut self, id: &str) -> Vec<(String, Value, Instant)> {
        let mut outputs = Vec::new();
        timeout(SOON, async {
            loop {
                let (kind, parent, content) = self.publication().await;
                if parent == id {
                    let idle = kind == "status" && content["execution_state"] == "idle";
                    outputs.push((kind, content, Instant::now()));
                    if idle {
                        return;
                    }
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("not idle"));
        outputs
    }

    /// Waits until a cell has printed a text.
    pub async fn wait_for(&mut self, id: &str, text: &str) {
        timeout(SOON, async {
            loop {
                let (_, parent, content) = self.publication().await;
                if parent == id && content["text"].as_str().is_some_and(|printed| printed.contains(text)) {
                    return;
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{text} was not printed"));
    }

    pub async fn run(&mut self, code: &str) -> Cell {
        self.run_with(cell(code)).await
    }

    pub async fn run_with(&mut self, content: Value) -> Cell {
        let id = self.send("execute_request", content).await;
        self.finish(&id).await
    }

    pub async fn finish(&mut self, id: &str) -> Cell {
        let outputs = self.outputs(id).await;
        Cell { reply: self.reply(id).await, outputs }
    }

    /// Waits for the next question, and gives the message that asked it.
    pub async fn question(&mut self) -> (JupyterMessage, Value) {
        let received = timeout(SOON, self.stdin.socket.recv()).await.unwrap_or_else(|_| panic!("no question")).unwrap();
        let (kind, _, content) = take_apart(received.clone(), &self.stdin);
        assert_eq!(kind, "input_request");
        let raw = RawMessage::from_multipart(received, &self.stdin.mac).unwrap();
        let mut asked = message("input_request", content.clone());
        asked.header = serde_json::from_slice(&raw.jparts[0]).unwrap();
        (asked, content)
    }

    pub async fn answer(&mut self, question: Option<&JupyterMessage>, value: &str) {
        let content = UnknownMessage { msg_type: "input_reply".into(), content: json!({ "value": value }) };
        self.stdin.send(JupyterMessage::new(content, question)).await.unwrap();
    }
}

pub fn cell(code: &str) -> Value {
    json!({
        "code": code, "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": true,
        "stop_on_error": true,
    })
}

pub fn message(kind: &str, content: Value) -> JupyterMessage {
    UnknownMessage { msg_type: kind.into(), content }.into()
}

/// Kind, id of the parent, and content. Panics if the signature is wrong.
fn take_apart<S>(received: zeromq::ZmqMessage, connection: &Connection<S>) -> (String, String, Value) {
    let raw = RawMessage::from_multipart(received, &connection.mac).unwrap();
    let part = |index: usize| serde_json::from_slice::<Value>(&raw.jparts[index]).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&part(0)["msg_type"]), text(&part(1)["msg_id"]), part(3))
}
