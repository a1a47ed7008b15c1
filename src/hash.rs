//! SHA-256 of files, in hexadecimal: whether a song, a model or the source has changed.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Hashes a file's bytes.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let reading = |e| Error::reading(path, e);
    let mut file = std::fs::File::open(path).map_err(reading)?;
    sha256_of(&mut file).map_err(reading)
}

/// Hashes all that is left to read.
pub(crate) fn sha256_of(reader: &mut impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match reader.read(&mut block)? {
            0 => break,
            n => hasher.update(&block[..n]),
        }
    }
    Ok(hexadecimal(hasher))
}

/// Ends a hash.
pub(crate) fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
