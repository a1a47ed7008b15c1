//! What goes wrong below the store, told so that the reader knows the cause and the next step.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::Error;

/// A failure before the store has named its folder and what it was doing.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite reported it.
    Sqlite(rusqlite::Error),
    /// A row does not hold what was stored.
    Damaged { path: String, what: String },
    /// The file is a database, but not one that this version can use.
    Unusable(String),
    /// The file is no longer where it was opened.
    Moved,
    /// It needs nothing added.
    Complete(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Complete(error)
    }
}

impl Failure {
    /// Whether SQLite gave this code.
    pub(super) fn is(&self, code: ErrorCode) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(code))
    }

    /// Turns it into the error of an index: what could not be done (`read`, `written to`), why, and what to do.
    pub(super) fn at(self, index: &Path, action: &'static str) -> Error {
        let (reason, source) = match self {
            Self::Complete(error) => return error,
            Self::Sqlite(error) => (reason(&error), Some(error.into())),
            Self::Damaged { path, what } => (
                format!(
                    "the record of {path} is damaged ({what}). Delete this path from the index, then index the file again; the audio file is untouched."
                ),
                None,
            ),
            Self::Unusable(reason) => (reason, None),
            Self::Moved => {
                ("its file was moved, deleted or replaced since it was opened. Open the index again.".into(), None)
            }
        };
        Error::Store { index: index.to_owned(), action, reason, source }
    }
}

fn reason(error: &rusqlite::Error) -> String {
    let told = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            "another notebook or program has it locked and did not finish within 10 seconds. Wait for it or stop it, then run the call again."
        }
        Some(ErrorCode::DiskFull) => {
            "the disk is full. Free some space, then run the call again; what was stored before is kept."
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "its folder or file is read-only. Check the permissions with `ls -l`, or copy the folder to a place where you may write and open it there."
        }
        Some(ErrorCode::CannotOpen) => {
            "its file cannot be opened. Check that the folder exists and its permissions, with `ls -l`."
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            "its file songs.sqlite is damaged. Move the folder away and index again; the audio files are untouched."
        }
        Some(ErrorCode::NotADatabase) => {
            "its file songs.sqlite is not a SQLite database. Move the folder away and index again; the audio files are untouched."
        }
        Some(ErrorCode::SystemIoFailure) => {
            return format!(
                "the disk failed ({error}). Check the disk; an index needs a local one, not a network share. Then run the call again."
            );
        }
        Some(ErrorCode::OutOfMemory) => "there is not enough memory. Close other programs, then run the call again.",
        _ => {
            return format!(
                "{error}. Run the call again; if that does not help, move the folder away and index again; the audio files are untouched."
            );
        }
    };
    told.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_its_own_and_ends_with_what_to_do() {
        use rusqlite::ffi;
        let codes = [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_FULL,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_CONSTRAINT,
        ];
        let told = codes.map(|code| reason(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)));
        for (i, one) in told.iter().enumerate() {
            assert!(one.contains(". ") && one.ends_with('.'), "{one}");
            assert!(!told[..i].contains(one), "{one}");
        }
    }

    #[test]
    fn the_source_is_kept() {
        let cause = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        let error = Failure::from(cause).at(Path::new("songs"), "written to");
        assert!(error.to_string().starts_with("the index songs cannot be written to: the disk is full."), "{error}");
        assert!(matches!(error, Error::Store { source: Some(_), .. }));
    }
}
