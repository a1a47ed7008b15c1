//! The part of a file that has come so far: `NAME.part`, and beside it `NAME.part.tag` with what marks its version.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::hash::sha256_of;

/// A file that grows. One process at a time has it.
pub(super) struct Part {
    pub path: PathBuf,
    tag: PathBuf,
    file: File,
    have: u64,
}

impl Part {
    /// Opens the part of a file, made anew if there is none; `None` if another process has it.
    pub(super) fn open(to: &Path) -> Result<Option<Self>> {
        let beside = |extension: &str| {
            let mut name = to.as_os_str().to_owned();
            name.push(extension);
            PathBuf::from(name)
        };
        let (path, tag) = (beside(".part"), beside(".part.tag"));
        let writing = |e| Error::writing(&path, e);
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| Error::writing(folder, e))?;
        }
        let file = File::options().read(true).append(true).create(true).open(&path).map_err(writing)?;
        // Some network file systems have no locks; what comes is checked in the end all the same.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Ok(None);
        }
        let have = file.metadata().map_err(writing)?.len();
        Ok(Some(Self { path, tag, file, have }))
    }

    /// How many bytes there are.
    pub(super) fn have(&self) -> u64 {
        self.have
    }

    /// What the server called this version of the file: an `ETag` or a date, as `If-Range` wants it.
    pub(super) fn tag(&self) -> Option<String> {
        let tag = std::fs::read_to_string(&self.tag).ok()?;
        Some(tag.trim().to_owned()).filter(|tag| !tag.is_empty())
    }

    /// Empties it, for a version that the server calls `tag`.
    pub(super) fn restart(&mut self, tag: Option<&str>) -> Result<()> {
        let emptied = if self.have == 0 { Ok(()) } else { self.file.set_len(0) };
        emptied.map_err(|e| Error::writing(&self.path, e))?;
        self.have = 0;
        match tag {
            Some(tag) => std::fs::write(&self.tag, tag).map_err(|e| Error::writing(&self.tag, e)),
            None => {
                self.forget_tag();
                Ok(())
            }
        }
    }

    /// Adds bytes at the end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let written = self.file.write_all(bytes);
        // What a full disk took of them counts too.
        self.have = if written.is_ok() { self.have + bytes.len() as u64 } else { self.file.metadata()?.len() };
        written
    }

    /// Hashes all of it, once it is on the disk.
    pub(super) fn sha256(&mut self) -> Result<String> {
        let mut hash = || {
            self.file.sync_all()?;
            self.file.rewind()?;
            sha256_of(&mut self.file)
        };
        hash().map_err(|e| Error::reading(&self.path, e))
    }

    /// Deletes it.
    pub(super) fn discard(self) -> Result<()> {
        self.forget_tag();
        match std::fs::remove_file(&self.path) {
            // Whoever had it before may have given it its name meanwhile.
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::writing(&self.path, e)),
            _ => Ok(()),
        }
    }

    /// Gives it the file's name, in one step.
    pub(super) fn publish(self, to: &Path) -> Result<()> {
        self.forget_tag();
        std::fs::rename(&self.path, to).map_err(|e| Error::writing(to, e))
    }

    fn forget_tag(&self) {
        // Where there is none there is nothing to forget.
        let _ = std::fs::remove_file(&self.tag);
    }
}
