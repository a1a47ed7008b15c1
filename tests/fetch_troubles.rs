//! Downloads from servers that close, stall, reset or ask for another try, and downloads that are interrupted.

mod fetching;

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use earworm::fetch::{Expected, Fault, fetch};
use fetching::server::{Request, Server, read, respond, respond_partly, serve};
use fetching::{Client, LENGTH, TAG, broken, fault, file, sha256};

#[test]
fn resumes_within_a_call_when_the_server_closes_midway() {
    let server = Server::start(|_, request, stream| serve(request, stream, &file(), TAG, 120_000));
    let mut client = Client::new();
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    let starts: Vec<_> = server.requests().iter().map(Request::from).collect();
    assert_eq!(starts, [None, Some(120_000), Some(240_000)]);
    assert!(server.requests()[1..].iter().all(|request| request.header("if-range") == Some(TAG)));
}

#[test]
fn keeps_the_part_for_the_next_call() {
    let server = Server::start(|number, request, stream| match number {
        0 => serve(request, stream, &file(), TAG, 50_000),
        1..3 => drop(stream.shutdown(std::net::Shutdown::Both)),
        _ => serve(request, stream, &file(), TAG, usize::MAX),
    });
    let mut client = Client::new();
    assert_eq!(broken(client.fault(&server.url("a"))), 50_000);
    assert_eq!(client.names(), ["model.pth.part", "model.pth.part.tag"]);
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    assert_eq!(server.requests()[3].from(), Some(50_000));
}

#[test]
fn waits_for_a_slow_server_but_not_for_a_dead_one() {
    let slow = Server::start(|_, _, stream| {
        respond_partly(stream, "200 OK", &[], LENGTH, b"");
        for piece in file().chunks(50_000) {
            std::thread::sleep(Duration::from_millis(50));
            let _ = stream.write_all(piece);
        }
    });
    let mut client = Client::new();
    client.fetch(&slow.url("a")).unwrap();
    client.assert_whole();
    assert_eq!(slow.requests().len(), 1);

    let dead = Server::start(|_, request, stream| {
        serve(request, stream, &file(), TAG, 1000);
        std::thread::sleep(Duration::from_secs(20));
    });
    let (mut client, start) = (Client::new(), Instant::now());
    assert_eq!(broken(client.fault(&dead.url("a"))), 3000);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let silent = Server::start(|_, _, _| std::thread::sleep(Duration::from_secs(20)));
    assert_eq!(broken(Client::new().fault(&silent.url("a"))), 0);
}

#[test]
fn ends_soon_after_an_interrupt() {
    let dead = Server::start(|_, request, stream| {
        serve(request, stream, &file(), TAG, 1000);
        std::thread::sleep(Duration::from_secs(20));
    });
    let (client, start) = (Client::new(), Instant::now());
    let hash = sha256(&file());
    let expected = Expected { bytes: LENGTH as u64, sha256: &hash };
    let interrupted = || start.elapsed() > Duration::from_millis(300);
    // The patience of 30 s for the next bytes is not waited out.
    let result = fetch(&dead.url("a"), &client.path("model.pth"), &expected, &mut |_| (), &interrupted);
    assert_eq!(fault(result), Fault::Interrupted { have: 1000, of: LENGTH as u64 });
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(client.names(), ["model.pth.part", "model.pth.part.tag"]);
}

#[test]
fn is_interrupted_while_it_waits_for_the_next_try() {
    let server = Server::start(|_, _, stream| respond(stream, "503 Service Unavailable", &["Retry-After: 25"], b""));
    let (mut client, start) = (Client::new(), Instant::now());
    let result = client.fetch_until(&server.url("a"), &|| start.elapsed() > Duration::from_millis(200));
    assert_eq!(fault(result), Fault::Interrupted { have: 0, of: LENGTH as u64 });
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(client.names().is_empty());
}

#[test]
fn tries_again_when_the_server_is_in_trouble() {
    let server = Server::start(|number, request, stream| match number {
        0 => respond(stream, "503 Service Unavailable", &["Content-Type: text/html"], b"<html>later"),
        1 => respond(stream, "429 Too Many Requests", &["Retry-After: 0"], b""),
        _ => serve(request, stream, &file(), TAG, usize::MAX),
    });
    let mut client = Client::new();
    client.fetch(&server.url("a")).unwrap();
    client.assert_whole();
    let server = Server::start(|_, _, stream| respond(stream, "500 Internal Server Error", &[], b""));
    let fault = client_fault(&server, &[1; 10]);
    assert_eq!(fault, Fault::ServerTrouble { status: 500, have: 10, of: LENGTH as u64 });
    assert_eq!(server.requests().len(), 3);
}

fn client_fault(server: &Server, part: &[u8]) -> Fault {
    let mut client = Client::new();
    client.write("model.pth.part", part);
    client.fault(&server.url("a"))
}

#[test]
fn a_reset_connection_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Closing with a request that was never read resets the connection.
        stream.peek(&mut [0]).unwrap();
        respond_partly(&mut stream, "200 OK", &[&format!("ETag: {TAG}")], LENGTH, &file()[..4096]);
        std::thread::sleep(Duration::from_millis(50));
        drop(stream);
        let (mut stream, _) = listener.accept().unwrap();
        let request = read(&mut stream).unwrap();
        serve(&request, &mut stream, &file(), TAG, usize::MAX);
        request.from()
    });
    let mut client = Client::new();
    client.fetch(&url).unwrap();
    client.assert_whole();
    // What had come before the reset may be lost with it.
    assert!(matches!(server.join().unwrap(), None | Some(4096)));
}
