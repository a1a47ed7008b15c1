//! One request to a server, and which of its failures are worth another try.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body};

use super::Patience;
use super::fault::Fault;

/// What went wrong with a request.
pub(super) enum Failure {
    /// It may go well the next time, after the wait that the server asks for.
    Passing {
        reason: Reason,
        wait: Option<Duration>,
    },
    Lasting(Fault),
}

/// Why a passing failure came about.
pub(super) enum Reason {
    Connection(String),
    Status(u16),
}

impl Failure {
    pub(super) fn connection(reason: impl std::fmt::Display) -> Self {
        Self::Passing { reason: Reason::Connection(reason.to_string()), wait: None }
    }
}

impl Reason {
    /// Says it once no more tries are made.
    pub(super) fn fault(self, have: u64, of: u64) -> Fault {
        match self {
            Self::Connection(reason) => Fault::Broken { reason, have, of },
            Self::Status(status) => Fault::ServerTrouble { status, have, of },
        }
    }
}

/// A body that comes, and where in the file it begins.
pub(super) struct Answer {
    pub body: Body,
    /// How many bytes of the file come before it.
    pub from: u64,
    /// What marks this version of the file.
    pub tag: Option<String>,
}

/// Makes the client; proxies are those of the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
pub(super) fn agent(url: &str, patience: &Patience) -> Agent {
    Agent::config_builder()
        // Who asked for a safe connection is not redirected to an unsafe one.
        .https_only(url.starts_with("https://"))
        .http_status_as_error(false)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.stall))
        .timeout_per_read(Some(patience.stall))
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Asks for a file of `bytes`, from the byte `from` if it is still the version of `tag`.
pub(super) fn get(agent: &Agent, url: &str, from: u64, tag: Option<&str>, bytes: u64) -> Result<Answer, Failure> {
    let mut request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
        if let Some(tag) = tag {
            request = request.header(header::IF_RANGE, tag);
        }
    }
    let response = request.call().map_err(failure)?;
    let is_page = response.body().mime_type().is_some_and(|kind| kind == "text/html");
    let headers = response.headers();
    let from = match response.status() {
        status if status.is_success() && is_page => return Err(Failure::Lasting(Fault::WebPage)),
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if from > 0 => {
            let (start, total) = content_range(headers).unwrap_or_default();
            if start != from {
                return Err(Failure::connection("the server sent another range than the one asked for"));
            }
            if let Some(found) = total.filter(|&total| total != bytes) {
                return Err(Failure::Lasting(Fault::WrongSize { expected: bytes, found }));
            }
            from
        }
        status => return Err(refusal(status, &response)),
    };
    // A body that is encoded in spite of what was asked has a length of its own.
    let plain = !headers.contains_key(header::CONTENT_ENCODING);
    let length = response.body().content_length().filter(|_| plain && from == 0);
    if let Some(found) = length.filter(|&length| length != bytes) {
        return Err(Failure::Lasting(Fault::WrongSize { expected: bytes, found }));
    }
    let tag = version(headers);
    Ok(Answer { body: response.into_body(), from, tag })
}

/// Reads `bytes START-END/TOTAL`, in which the total may be left open.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes")?;
    let (range, total) = range.trim().split_once('/')?;
    let (start, _end) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Finds what `If-Range` may compare: an exact `ETag`, or else a date (RFC 9110, 13.1.5).
fn version(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    text(header::ETAG).filter(|tag| tag.starts_with('"')).or_else(|| text(header::LAST_MODIFIED))
}

fn refusal(status: StatusCode, response: &Response<Body>) -> Failure {
    let code = status.as_u16();
    match code {
        // That there is nothing from there on means that the server's file is shorter than what is here.
        408 | 416 | 425 | 429 | 500..=599 => {
            let wait = response.headers().get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
            Failure::Passing { reason: Reason::Status(code), wait: wait.map(Duration::from_secs) }
        }
        404 | 410 => Failure::Lasting(Fault::Gone { status: code }),
        _ => Failure::Lasting(Fault::Refused { status: code }),
    }
}

fn failure(error: ureq::Error) -> Failure {
    let untrusted = |reason: String| Failure::Lasting(Fault::Untrusted { reason });
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::Lasting(Fault::Address { reason: error.to_string() }),
        ureq::Error::HostNotFound => Failure::Lasting(Fault::NoHost),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => untrusted(error.to_string()),
        ureq::Error::RequireHttpsOnly(_) => untrusted("the server redirects to an address without https".into()),
        ureq::Error::TooManyRedirects => Failure::Lasting(Fault::Address { reason: error.to_string() }),
        // A certificate that is not trusted comes as this kind; it stays what it is.
        ureq::Error::Io(e) if e.kind() == ErrorKind::InvalidData => untrusted(e.to_string()),
        ureq::Error::Io(e) if is_lookup(&e) => Failure::Lasting(Fault::NoHost),
        ureq::Error::Io(e) => Failure::connection(e),
        other => Failure::connection(other),
    }
}

/// Tells a failed look-up of a host, which the standard library has no kind for: by its text, or Windows' number.
fn is_lookup(error: &std::io::Error) -> bool {
    const HOST_NOT_FOUND: i32 = 11001;
    error.raw_os_error() == Some(HOST_NOT_FOUND) || error.to_string().starts_with("failed to lookup address")
}
