//! Messages as they come from and go to the sockets. They are read as plain JSON: a request that lacks a field or has
//! one too many is still understood.

use anyhow::{Context, Result};
use jupyter_protocol::{Header, JupyterMessage, UnknownMessage};
use jupyter_zmq_client::{Connection, RawMessage, RouterRecvConnection, RouterSendConnection};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::Mutex;
use zeromq::{SocketRecv, ZmqMessage};

/// The socket on which a request came and its reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    Stdin,
}

/// A message of a frontend.
pub struct Request {
    pub channel: Channel,
    pub kind: String,
    pub content: Value,
    /// Identities and headers, for the answers.
    pub origin: JupyterMessage,
}

impl Request {
    pub fn text(&self, field: &str) -> &str {
        self.content[field].as_str().unwrap_or_default()
    }

    pub fn flag(&self, field: &str, otherwise: bool) -> bool {
        self.content[field].as_bool().unwrap_or(otherwise)
    }

    pub fn number(&self, field: &str) -> Option<i64> {
        self.content[field].as_i64()
    }

    #[cfg(test)]
    pub fn for_tests(kind: &str, content: Value) -> Self {
        let origin = compose(kind, content.clone(), None);
        Self { channel: Channel::Shell, kind: kind.into(), content, origin }
    }
}

/// A message of this kind and content, as an answer to another.
pub fn compose(kind: &str, content: Value, parent: Option<&JupyterMessage>) -> JupyterMessage {
    let mut message = JupyterMessage::new(UnknownMessage { msg_type: kind.into(), content }, parent);
    message.header.username = "kernel".into();
    message
}

/// Waits for the next message that can be understood.
pub async fn next_request(connection: &mut RouterRecvConnection, channel: Channel) -> Request {
    loop {
        let received = match connection.socket.recv().await {
            Ok(received) => received,
            Err(e) => {
                eprintln!("earworm-kernel: {e}");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        match read(received, connection) {
            Ok((origin, content)) => {
                return Request { channel, kind: origin.header.msg_type.clone(), content, origin };
            }
            Err(e) => eprintln!("earworm-kernel: a message was not understood: {e:#}"),
        }
    }
}

/// Checks the signature of a message, and takes it apart into all around its content, and its content.
pub fn read<S>(received: ZmqMessage, connection: &Connection<S>) -> Result<(JupyterMessage, Value)> {
    let raw = RawMessage::from_multipart(received, &connection.mac)?;
    let part = |index: usize| raw.jparts.get(index).map(AsRef::as_ref).unwrap_or_default();
    let header: Header = serde_json::from_slice(part(0)).context("in its header")?;
    let content: Value = serde_json::from_slice(part(3)).context("in its content")?;
    let origin = JupyterMessage {
        zmq_identities: raw.zmq_identities.clone(),
        parent_header: serde_json::from_slice(part(1)).ok(),
        metadata: json!({}),
        content: UnknownMessage { msg_type: header.msg_type.clone(), content: json!({}) }.into(),
        header,
        buffers: Vec::new(),
        channel: None,
    };
    Ok((origin, content))
}

/// The sockets on which answers to one frontend go.
pub struct Wire {
    pub shell: Mutex<RouterSendConnection>,
    pub control: Mutex<RouterSendConnection>,
    pub stdin: Mutex<RouterSendConnection>,
}

impl Wire {
    /// Answers a request, on its channel and with the kind that belongs to its own.
    pub async fn reply(&self, request: &Request, content: Value) {
        let kind = request.kind.replace("_request", "_reply");
        let reply = compose(&kind, content, Some(&request.origin));
        if let Err(e) = self.send(request.channel, reply).await {
            eprintln!("earworm-kernel: a reply was not sent: {e:#}");
        }
    }

    /// # Errors
    /// If the frontend to which the message is addressed is gone.
    pub async fn send(&self, channel: Channel, message: JupyterMessage) -> Result<()> {
        let socket = match channel {
            Channel::Shell => &self.shell,
            Channel::Control => &self.control,
            Channel::Stdin => &self.stdin,
        };
        Ok(socket.lock().await.send(message).await?)
    }
}
