//! A small HTTP server on this machine, which answers as a test tells it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a client asked for, header names in lower case.
#[derive(Clone, Debug)]
pub struct Request {
    pub target: String,
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first byte that it wants.
    pub fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts it. `answer` is given the number of the request, the request, and where to write the answer; then the
    /// connection is closed.
    pub fn start(answer: impl Fn(usize, &Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, seen, answer) = (stream.unwrap(), Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    while let Some(request) = read(&mut stream) {
                        let number = {
                            let mut seen = seen.lock().unwrap();
                            seen.push(request.clone());
                            seen.len() - 1
                        };
                        answer(number, &request, &mut stream);
                        // A tunnel stays open for the request that comes through it.
                        if !request.target.contains(':') || request.target.contains("//") {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads a request; `None` if the client has hung up.
pub fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let target = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    Some(Request { target, headers })
}

/// Writes an answer with a length; a client that has hung up is no concern of the server.
pub fn respond(stream: &mut TcpStream, status: &str, headers: &[&str], body: &[u8]) {
    respond_partly(stream, status, headers, body.len(), body);
}

/// Writes an answer that promises `length` bytes.
pub fn respond_partly(stream: &mut TcpStream, status: &str, headers: &[&str], length: usize, body: &[u8]) {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Serves a file with ranges and an `ETag`, as ordinary servers do, but at most `most` bytes of it at a time.
pub fn serve(request: &Request, stream: &mut TcpStream, file: &[u8], tag: &str, most: usize) {
    let same = request.header("if-range").is_none_or(|wanted| wanted == tag);
    let etag = format!("ETag: {tag}");
    match request.from().filter(|_| same) {
        Some(from) if from >= file.len() => respond(stream, "416 Range Not Satisfiable", &[], b""),
        Some(from) => {
            let range = format!("Content-Range: bytes {from}-{}/{}", file.len() - 1, file.len());
            let rest = &file[from..];
            respond_partly(stream, "206 Partial Content", &[&etag, &range], rest.len(), &rest[..most.min(rest.len())]);
        }
        None => respond_partly(stream, "200 OK", &[&etag], file.len(), &file[..most.min(file.len())]),
    }
}
