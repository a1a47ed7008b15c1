//! What tests of downloads share: a folder to fetch to, and a server on this machine.
#![allow(dead_code)]

pub mod server;

use std::path::PathBuf;
use std::time::Duration;

use earworm::Error;
use earworm::fetch::{Expected, Fault, Patience, fetch_patiently};
use server::{Server, serve};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub const LENGTH: usize = 300_000;
pub const TAG: &str = "\"v1\"";

pub fn file() -> Vec<u8> {
    (0..LENGTH as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder to fetch to, and what was told while fetching.
pub struct Client {
    folder: TempDir,
    pub sizes: Vec<u64>,
}

impl Client {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), sizes: Vec::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Fetches `model.pth`, expecting the file of this test.
    pub fn fetch(&mut self, url: &str) -> Result<(), Error> {
        self.fetch_until(url, &|| false)
    }

    pub fn fetch_until(&mut self, url: &str, interrupted: &(dyn Fn() -> bool + Sync)) -> Result<(), Error> {
        let patience = Patience {
            connect: Duration::from_secs(5),
            stall: Duration::from_millis(500),
            tries: 3,
            first_wait: Duration::from_millis(10),
        };
        let (path, hash) = (self.path("model.pth"), sha256(&file()));
        let expected = Expected { bytes: LENGTH as u64, sha256: &hash };
        self.sizes.clear();
        let result = fetch_patiently(url, &path, &expected, &patience, &mut |have| self.sizes.push(have), interrupted);
        if let Err(error) = &result {
            println!("{error}");
        }
        result
    }

    pub fn fault(&mut self, url: &str) -> Fault {
        fault(self.fetch(url))
    }

    pub fn assert_whole(&self) {
        assert_eq!(self.names(), ["model.pth"]);
        assert!(std::fs::read(self.path("model.pth")).unwrap() == file());
    }
}

pub fn fault(result: Result<(), Error>) -> Fault {
    match result.unwrap_err() {
        Error::Fetch { fault, .. } => fault,
        error => panic!("{error}"),
    }
}

/// A server of the whole file.
pub fn good() -> Server {
    Server::start(|_, request, stream| serve(request, stream, &file(), TAG, usize::MAX))
}

pub fn broken(fault: Fault) -> u64 {
    let Fault::Broken { have, of, .. } = fault else { panic!("{fault}") };
    assert_eq!(of, LENGTH as u64);
    have
}
