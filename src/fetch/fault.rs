//! What can go wrong with a download, and what to do about it.

/// The reason why a file was not fetched. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("it is not an address that can be fetched ({reason}). Check its spelling; it begins with https://.")]
    Address { reason: String },

    #[error(
        "the host is not found. Check the network connection, and HTTPS_PROXY if there is a proxy; then run it again."
    )]
    NoHost,

    #[error("the connection failed ({reason}); {}", kept(have, of))]
    Broken { reason: String, have: u64, of: u64 },

    #[error("no trusted connection comes about ({reason}). Check the clock and the proxy of this machine.")]
    Untrusted { reason: String },

    #[error("the server has no such file (status {status}). Check the address, or look for where the file went.")]
    Gone { status: u16 },

    #[error(
        "the server does not give it out (status {status}). Fetch it with a browser and put it in its place, or run it again later."
    )]
    Refused { status: u16 },

    #[error("the server is in trouble (status {status}); {}", kept(have, of))]
    ServerTrouble { status: u16, have: u64, of: u64 },

    #[error(
        "what came is a web page. Open the address in a browser: the file has moved, or the network wants you to log in."
    )]
    WebPage,

    #[error("the server's file has {found} bytes instead of {expected}, so it is another one. Nothing of it is kept.")]
    WrongSize { expected: u64, found: u64 },

    #[error("the server sent more than the {expected} bytes of the file, so it is another one. Nothing of it is kept.")]
    TooLong { expected: u64 },

    #[error(
        "what came is not the file: its sha256 is {found}, not {expected}. It was deleted. Run it again; if that does not help, the file on the server has changed."
    )]
    WrongHash { expected: String, found: String },

    #[error(
        "the disk is full: {missing} more bytes are needed, {have} of {of} are kept. Free some space and run it again to resume."
    )]
    DiskFull { missing: u64, have: u64, of: u64 },

    #[error("another process is fetching it. Wait for that one to end.")]
    Busy,

    #[error("interrupted; {}", kept(have, of))]
    Interrupted { have: u64, of: u64 },
}

/// Says how to go on after what is no fault of the file.
fn kept(have: &u64, of: &u64) -> String {
    match have {
        0 => "nothing has come yet. Run it again later.".into(),
        _ => format!("{have} of {of} bytes are kept. Run it again to resume."),
    }
}
