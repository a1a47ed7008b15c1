//! Downloads that fail, and what they say and leave behind.

mod fetching;

use std::io::Write;
use std::net::TcpListener;

use earworm::Error;
use earworm::fetch::Fault;
use fetching::server::{Server, respond, serve};
use fetching::{Client, LENGTH, TAG, broken, file, good, sha256};

#[test]
fn a_bad_file_stays_until_there_is_a_good_one() {
    let server = Server::start(|_, _, stream| respond(stream, "404 Not Found", &[], b""));
    let mut client = Client::new();
    client.write("model.pth", b"old");
    assert_eq!(client.fault(&server.url("a")), Fault::Gone { status: 404 });
    assert_eq!(client.names(), ["model.pth"]);
}

#[test]
fn refuses_another_range_than_asked_for() {
    let server = Server::start(|_, _, stream| {
        let range = format!("Content-Range: bytes 5-{}/{LENGTH}", LENGTH - 1);
        respond(stream, "206 Partial Content", &[&range], &file()[5..]);
    });
    let mut client = Client::new();
    client.write("model.pth.part", &file()[..1000]);
    assert_eq!(broken(client.fault(&server.url("a"))), 1000);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn says_why_a_server_does_not_give_it() {
    for (status, expected) in [
        ("404 Not Found", Fault::Gone { status: 404 }),
        ("410 Gone", Fault::Gone { status: 410 }),
        ("403 Forbidden", Fault::Refused { status: 403 }),
        ("401 Unauthorized", Fault::Refused { status: 401 }),
        ("204 No Content", Fault::Refused { status: 204 }),
    ] {
        let server = Server::start(move |_, _, stream| respond(stream, status, &[], b""));
        let mut client = Client::new();
        assert_eq!(client.fault(&server.url("a")), expected);
        assert!(client.names().is_empty(), "{:?}", client.names());
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn refuses_web_pages() {
    let typed = Server::start(|_, _, stream| respond(stream, "200 OK", &["Content-Type: text/html; a=b"], b"hello"));
    assert_eq!(Client::new().fault(&typed.url("a")), Fault::WebPage);
    let page = [&b"\n<!DocType HTML>"[..], &vec![b' '; LENGTH - 16]].concat();
    let untyped = Server::start(move |_, _, stream| respond(stream, "200 OK", &[], &page));
    let mut client = Client::new();
    assert_eq!(client.fault(&untyped.url("a")), Fault::WebPage);
    assert!(client.names().is_empty());
}

#[test]
fn refuses_another_file() {
    let other = Server::start(|_, request, stream| serve(request, stream, &[5; LENGTH], TAG, usize::MAX));
    let mut client = Client::new();
    let Fault::WrongHash { expected, found } = client.fault(&other.url("a")) else { panic!() };
    assert_eq!((expected, found), (sha256(&file()), sha256(&[5; LENGTH])));
    assert!(client.names().is_empty());

    let longer = Server::start(|_, request, stream| serve(request, stream, &[5; LENGTH + 1], TAG, usize::MAX));
    let wrong = Fault::WrongSize { expected: LENGTH as u64, found: LENGTH as u64 + 1 };
    assert_eq!(client.fault(&longer.url("a")), wrong);
    client.write("model.pth.part", &[5; 1000]);
    assert_eq!(client.fault(&longer.url("a")), wrong);
    assert!(client.names().is_empty());

    // Without a length it is not known beforehand.
    let endless = Server::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[5; 10_000]).is_ok() {}
    });
    assert_eq!(client.fault(&endless.url("a")), Fault::TooLong { expected: LENGTH as u64 });
    assert!(client.names().is_empty());
}

#[test]
fn says_what_the_network_lacks() {
    let mut client = Client::new();
    assert_eq!(client.fault("http://nowhere.invalid/a"), Fault::NoHost);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(broken(client.fault(&format!("http://{closed}/a"))), 0);
    for address in ["", "not an address", "ftp://127.0.0.1/a", "http://"] {
        assert!(matches!(client.fault(address), Fault::Address { .. }), "{address}");
    }
    assert!(client.names().is_empty());
    // A server that does not speak TLS.
    let plain = Server::start(|_, _, stream| respond(stream, "200 OK", &[], b""));
    let fault = client.fault(&plain.url("a").replace("http:", "https:"));
    assert!(matches!(fault, Fault::Untrusted { .. } | Fault::Broken { .. }), "{fault}");
}

#[test]
fn lets_one_process_fetch_at_a_time() {
    let (server, mut client) = (good(), Client::new());
    let other = std::fs::File::create(client.path("model.pth.part")).unwrap();
    other.lock().unwrap();
    assert_eq!(client.fault(&server.url("a")), Fault::Busy);
    other.unlock().unwrap();
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
}

#[test]
#[cfg(target_os = "linux")]
fn says_when_the_disk_is_full() {
    let (server, mut client) = (good(), Client::new());
    std::os::unix::fs::symlink("/dev/full", client.path("model.pth.part")).unwrap();
    let of = LENGTH as u64;
    assert_eq!(client.fault(&server.url("a")), Fault::DiskFull { missing: of, have: 0, of });
}

#[test]
fn says_where_it_cannot_write() {
    let (server, mut client) = (good(), Client::new());
    std::fs::create_dir(client.path("model.pth")).unwrap();
    let error = client.fetch(&server.url("a")).unwrap_err();
    assert!(matches!(&error, Error::Unwritable { path, .. } if path == &client.path("model.pth")), "{error}");
    std::fs::remove_dir(client.path("model.pth")).unwrap();
    std::fs::create_dir(client.path("model.pth.part")).unwrap();
    assert!(matches!(client.fetch(&server.url("a")), Err(Error::Unwritable { .. })));
}
