//! The SQLite file behind a store: opening it, making it, and what to do where it may only be read.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::failure::Failure;
use super::nearest::Cache;
use crate::error::{Error, Result};
use crate::store::Stamp;

const SCHEMA_VERSION: i64 = 1;
const PATIENCE: Duration = Duration::from_secs(10);

// `id` is spelled out because an implicit rowid may change, and the cache goes by it.
const SCHEMA: &str = "
    CREATE TABLE meta (model TEXT NOT NULL, dimensions INTEGER NOT NULL, front_end_version INTEGER NOT NULL) STRICT;
    CREATE TABLE songs (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        genre TEXT NOT NULL,
        tags TEXT NOT NULL,
        timestamp TEXT NOT NULL,
        duration_seconds REAL NOT NULL,
        content_hash TEXT NOT NULL,
        embedding BLOB NOT NULL
    ) STRICT;
    CREATE INDEX songs_by_genre ON songs (genre);";

/// What one store has open.
pub(super) struct State {
    pub(super) connection: Connection,
    pub(super) cache: Option<Cache>,
    file: PathBuf,
    identity: Option<(u64, u64)>,
}

impl State {
    /// Whether the file is still the one that was opened: SQLite itself goes on writing into a deleted one.
    pub(super) fn is_unmoved(&self) -> bool {
        identity(&self.file) == self.identity
    }
}

/// The database of the store in a folder.
pub(super) fn file_in(folder: &Path) -> PathBuf {
    folder.join("songs.sqlite")
}

/// Opens the store in `folder`, or makes one with this stamp; gives the stamp that it has.
pub(super) fn open(folder: &Path, stamp: &Stamp) -> Result<(State, Stamp)> {
    std::fs::create_dir_all(folder).map_err(|error| Error::writing(folder, error))?;
    // Absolute, so that a later change of the working folder does not matter, nor a folder named `file:`.
    let file = std::path::absolute(file_in(folder)).map_err(|error| Error::reading(folder, error))?;
    let opened = connect(&file).and_then(|connection| {
        let found = prepare(&connection, stamp)?;
        Ok((connection, found))
    });
    let (connection, found) = opened.map_err(|failure| failure.at(folder, "opened"))?;
    let identity = identity(&file);
    Ok((State { connection, cache: None, file, identity }, found))
}

/// Connects for reading and writing, or for reading where the file or its folder allows no more.
fn connect(file: &Path) -> Result<Connection, Failure> {
    // Without write permission SQLite opens it for reading by itself.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match Connection::open_with_flags(file, flags).map_err(Failure::from).and_then(settled) {
        Err(failure) if failure.is(ErrorCode::CannotOpen) || failure.is(ErrorCode::ReadOnly) => {
            // Reading a write-ahead log needs a lock file beside it, which cannot be made here. If the log is empty,
            // the database itself is complete and can be read as a file that nobody changes.
            let log = file.with_extension("sqlite-wal");
            if !file.is_file() || log.metadata().is_ok_and(|log| log.len() > 0) {
                return Err(failure);
            }
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
            settled(Connection::open_with_flags(immutable_uri(file), flags)?)
        }
        outcome => outcome,
    }
}

/// Sets a connection up, and reads once: opening alone reads nothing.
fn settled(connection: Connection) -> Result<Connection, Failure> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn immutable_uri(file: &Path) -> String {
    let escaped: String = file.as_os_str().as_encoded_bytes().iter().map(|byte| format!("%{byte:02x}")).collect();
    // An escaped slash is a slash, but the first one tells a path from the name of a host.
    format!("file:///{escaped}?immutable=1")
}

/// Makes the tables if there are none; gives the stamp.
fn prepare(connection: &Connection, stamp: &Stamp) -> Result<Stamp, Failure> {
    if schema_version(connection)? == 0 {
        create(connection, stamp)?;
    }
    let version = schema_version(connection)?;
    if version != SCHEMA_VERSION {
        return Err(Failure::Unusable(format!(
            "it was made by a newer earworm (its schema is {version}, this one knows {SCHEMA_VERSION}). Update earworm, or open another index name."
        )));
    }
    let columns = "SELECT model, dimensions, front_end_version FROM meta";
    let stamp = connection.query_row(columns, [], |row| {
        let dimensions = row.get::<_, isize>(1)?.unsigned_abs();
        Ok(Stamp { model: row.get(0)?, dimensions, front_end_version: row.get(2)? })
    });
    stamp.optional()?.ok_or_else(|| {
        let what =
            "it does not say which model made it. Move the folder away and index again; the audio files are untouched.";
        Failure::Unusable(what.into())
    })
}

fn create(connection: &Connection, stamp: &Stamp) -> Result<(), Failure> {
    refuse_foreign(connection)?;
    enter_wal(connection)?;
    let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another process may have made it while this one waited.
    if schema_version(&transaction)? == 0 {
        refuse_foreign(&transaction)?;
        transaction.execute_batch(SCHEMA)?;
        let meta = params![stamp.model, stamp.dimensions as i64, stamp.front_end_version];
        transaction.execute("INSERT INTO meta VALUES (?1, ?2, ?3)", meta)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    Ok(transaction.commit()?)
}

/// Refuses a database that has tables, but not this crate's version of them.
fn refuse_foreign(connection: &Connection) -> Result<(), Failure> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && schema_version(connection)? == 0 {
        let what = "its file songs.sqlite is a database of something else. Open another folder.";
        return Err(Failure::Unusable(what.into()));
    }
    Ok(())
}

/// Turns the write-ahead log on, which lets others read during a write. SQLite does not wait for the lock this needs.
fn enter_wal(connection: &Connection) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        let outcome = connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(Failure::from);
        match outcome {
            Err(failure) if failure.is(ErrorCode::DatabaseBusy) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(unix)]
fn identity(file: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(file: &Path) -> Option<(u64, u64)> {
    file.is_file().then_some((0, 0))
}
