//! Downloads that go well, from the beginning or from where one stopped, from a server on this machine.

mod fetching;

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use earworm::fetch::{Expected, Fault, fetch};
use fetching::server::{Server, respond, serve};
use fetching::{Client, LENGTH, TAG, file, good, sha256};

#[test]
fn fetches_a_file() {
    let (server, mut client) = (good(), Client::new());
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    assert_eq!((client.sizes.first(), client.sizes.last()), (Some(&0), Some(&(LENGTH as u64))));
    assert!(client.sizes.is_sorted());
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
    assert!(server.requests()[0].header("user-agent").unwrap().starts_with("earworm/"));
}

#[test]
fn makes_the_folders_it_needs() {
    let (server, client) = (good(), Client::new());
    let (path, hash) = (client.path("deep/er/model.pth"), sha256(&file()));
    let expected = Expected { bytes: LENGTH as u64, sha256: &hash };
    fetch(&server.url("a"), &path, &expected, &mut |_| (), &|| false).unwrap();
    assert!(path.is_file());
}

#[test]
fn keeps_a_good_file_and_replaces_a_bad_one() {
    let (server, mut client) = (good(), Client::new());
    client.write("model.pth", &file());
    client.fetch("http://nowhere.invalid/").unwrap();
    assert_eq!(client.sizes, [LENGTH as u64]);
    client.write("model.pth", &vec![7; LENGTH]);
    assert!(client.fetch(&server.url("a")).is_ok());
    client.assert_whole();
    client.write("model.pth", b"short");
    assert!(client.fetch(&server.url("a")).is_ok());
    client.assert_whole();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn resumes_a_part_of_the_same_version() {
    let (server, mut client) = (good(), Client::new());
    client.write("model.pth.part", &file()[..100_000]);
    client.write("model.pth.part.tag", TAG.as_bytes());
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    assert_eq!(client.sizes[0], 100_000);
    let requests = server.requests();
    assert_eq!(requests[0].header("range"), Some("bytes=100000-"));
    assert_eq!(requests[0].header("if-range"), Some(TAG));
}

#[test]
fn starts_afresh_if_the_version_changed() {
    let (server, mut client) = (good(), Client::new());
    client.write("model.pth.part", &[9; 100_000]);
    client.write("model.pth.part.tag", b"\"v0\"");
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn starts_afresh_without_ranges() {
    let server = Server::start(|_, _, stream| respond(stream, "200 OK", &[], &file()));
    let mut client = Client::new();
    client.write("model.pth.part", &file()[..100_000]);
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
}

#[test]
fn starts_afresh_after_too_long_a_part() {
    let (server, mut client) = (good(), Client::new());
    client.write("model.pth.part", &[file(), vec![1]].concat());
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    assert_eq!(server.requests()[0].header("range"), None);
}

#[test]
fn starts_afresh_if_there_is_nothing_from_there_on() {
    let server = Server::start(|number, request, stream| match number {
        0 => respond(stream, "416 Range Not Satisfiable", &[], b""),
        _ => serve(request, stream, &file(), TAG, usize::MAX),
    });
    let mut client = Client::new();
    client.write("model.pth.part", &[3; 1000]);
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
}

#[test]
fn takes_a_whole_part_without_asking() {
    let mut client = Client::new();
    client.write("model.pth.part", &file());
    client.fetch("http://nowhere.invalid/").unwrap();
    client.assert_whole();
}

#[test]
fn follows_redirects_and_keeps_the_range() {
    let server = Server::start(|_, request, stream| match request.target.as_str() {
        "/a" => respond(stream, "302 Found", &["Location: /b"], b""),
        "/b" => respond(stream, "307 Temporary Redirect", &["Location: /c"], b""),
        "/loop" => respond(stream, "302 Found", &["Location: /loop"], b""),
        _ => serve(request, stream, &file(), TAG, usize::MAX),
    });
    let mut client = Client::new();
    client.write("model.pth.part", &file()[..100_000]);
    client.write("model.pth.part.tag", TAG.as_bytes());
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    let last = server.requests().pop().unwrap();
    assert_eq!((last.target.as_str(), last.from(), last.header("if-range")), ("/c", Some(100_000), Some(TAG)));
    assert!(matches!(Client::new().fault(&server.url("loop")), Fault::Address { .. }));
}

#[test]
fn takes_chunks_without_a_length() {
    let server = Server::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in file().chunks(7777) {
            let _ = stream.write_all(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        }
        let _ = stream.write_all(b"0\r\n\r\n");
    });
    let mut client = Client::new();
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
}

/// Does the work of the next test, in a process that has its environment.
#[test]
#[ignore = "run by takes_the_proxy_of_the_environment"]
fn child_of_a_proxy() {
    let mut client = Client::new();
    client.fetch("http://models.invalid/a").unwrap();
    client.assert_whole();
}

#[test]
fn takes_the_proxy_of_the_environment() {
    static TUNNELLED: AtomicBool = AtomicBool::new(false);
    let proxy = Server::start(|_, request, stream| {
        if request.target == "models.invalid:80" {
            TUNNELLED.store(true, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        } else {
            serve(request, stream, &file(), TAG, usize::MAX);
        }
    });
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "child_of_a_proxy"])
        .env("HTTP_PROXY", format!("http://{}", proxy.address))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    assert!(TUNNELLED.load(Ordering::SeqCst) || Path::new(&proxy.requests()[0].target).starts_with("http:"));
}
