//! What all frontends see, in its order. Printed text is gathered for a moment, so that a thousand small prints are not
//! a thousand messages.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::JupyterMessage;
use jupyter_zmq_client::KernelIoPubConnection;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::wire::{Request, compose};
use crate::front::Stream;

/// How long printed text waits for more of it.
const GATHERING: Duration = Duration::from_millis(50);
/// How much of it, in bytes, is not kept waiting.
const MUCH: usize = 256 * 1024;
/// How many publications may wait before those who print have to.
const QUEUE: usize = 1024;

enum Publication {
    Message(Box<JupyterMessage>),
    Text { parent: Arc<Request>, stream: Stream, text: String },
    Status { parent: Arc<Request>, busy: bool },
    Flush(oneshot::Sender<()>),
}

/// Where publications are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Outlet(mpsc::Sender<Publication>);

impl Outlet {
    /// Publishes, from here on, on this socket.
    pub fn start(connection: KernelIoPubConnection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(publish(connection, receiver));
        Self(sender)
    }

    async fn put(&self, publication: Publication) {
        let _ = self.0.send(publication).await;
    }

    pub async fn message(&self, kind: &str, content: Value, parent: Option<&Request>) {
        self.put(Publication::Message(Box::new(compose(kind, content, parent.map(|p| &p.origin))))).await;
    }

    pub async fn status(&self, parent: &Arc<Request>, busy: bool) {
        self.put(Publication::Status { parent: Arc::clone(parent), busy }).await;
    }

    pub async fn text(&self, parent: &Arc<Request>, stream: Stream, text: &str) {
        self.put(Publication::Text { parent: Arc::clone(parent), stream, text: text.into() }).await;
    }

    /// Waits until all that was handed in before is sent.
    pub async fn flush(&self) {
        let (sender, sent) = oneshot::channel();
        self.put(Publication::Flush(sender)).await;
        let _ = sent.await;
    }
}

/// Printed text that waits for more.
struct Gathered {
    parent: Arc<Request>,
    stream: Stream,
    text: String,
    due: Instant,
}

async fn publish(mut connection: KernelIoPubConnection, mut queue: mpsc::Receiver<Publication>) {
    let mut gathered: Option<Gathered> = None;
    let mut running: Option<Arc<Request>> = None;
    loop {
        let next = match &gathered {
            None => queue.recv().await,
            Some(text) => match timeout_at(text.due, queue.recv()).await {
                Ok(next) => next,
                Err(_) => {
                    send_text(&mut connection, gathered.take()).await;
                    continue;
                }
            },
        };
        let Some(next) = next else { break };
        if let Publication::Text { parent, stream, text } = next {
            if gathered.as_ref().is_some_and(|g| g.stream != stream || !Arc::ptr_eq(&g.parent, &parent)) {
                send_text(&mut connection, gathered.take()).await;
            }
            let due = Instant::now() + GATHERING;
            let so_far = gathered.get_or_insert_with(|| Gathered { parent, stream, text: String::new(), due });
            so_far.text.push_str(&text);
            if so_far.text.len() > MUCH || Instant::now() >= so_far.due {
                send_text(&mut connection, gathered.take()).await;
            }
            continue;
        }
        send_text(&mut connection, gathered.take()).await;
        match next {
            Publication::Message(message) => send(&mut connection, *message).await,
            Publication::Status { parent, busy } => {
                send(&mut connection, status(&parent, busy)).await;
                if parent.kind == "execute_request" {
                    running = busy.then_some(parent);
                } else if let (false, Some(running)) = (busy, &running) {
                    // Frontends show the last status they heard, and the cell is not at its end.
                    send(&mut connection, status(running, true)).await;
                }
            }
            Publication::Flush(sent) => drop(sent.send(())),
            Publication::Text { .. } => {}
        }
    }
    send_text(&mut connection, gathered).await;
}

fn status(parent: &Request, busy: bool) -> JupyterMessage {
    compose("status", json!({ "execution_state": if busy { "busy" } else { "idle" } }), Some(&parent.origin))
}

async fn send_text(connection: &mut KernelIoPubConnection, gathered: Option<Gathered>) {
    let Some(Gathered { parent, stream, text, .. }) = gathered else { return };
    let name = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    send(connection, compose("stream", json!({ "name": name, "text": text }), Some(&parent.origin))).await;
}

async fn send(connection: &mut KernelIoPubConnection, mut message: JupyterMessage) {
    // The first frame of a publication is its topic, not an address.
    message.zmq_identities = vec![message.header.msg_type.clone().into()];
    if let Err(e) = connection.send(message).await {
        eprintln!("earworm-kernel: an output was not published: {e}");
    }
}
