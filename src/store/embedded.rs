//! The store that needs no server: one SQLite file in a folder, searched exactly.
//!
//! SQLite is the only truth. What speeds a search up, the vectors in 8 bits, lives in memory and can be thrown away.

mod connection;
mod failure;
mod nearest;
mod rows;
mod sql;
#[cfg(test)]
mod tests;
mod vectors;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{OptionalExtension, TransactionBehavior, params_from_iter};

use self::connection::State;
use self::failure::Failure;
use self::sql::Where;
use super::{Filter, Neighbour, Search, Song, Stamp, Store};
use crate::embedding::Embedding;
use crate::error::{Error, Result};

/// A store in a folder of this machine.
///
/// Several of them, in one process or in many, can have the same folder open: each sees what the others have committed,
/// and a writer waits up to 10 seconds for another one. What `upsert` has acknowledged survives a crash.
///
/// ```
/// # use earworm::store::{Filter, Stamp, Store, embedded::EmbeddedStore};
/// # let folder = std::env::temp_dir().join(format!("earworm-doc-{}", std::process::id()));
/// let stamp = Stamp { model: "musicnn-mtt".into(), dimensions: 200, front_end_version: 1 };
/// let store = EmbeddedStore::open(&folder, stamp)?;
/// assert_eq!(store.count(&Filter::All)?, 0);
/// # std::fs::remove_dir_all(folder).ok();
/// # Ok::<(), earworm::Error>(())
/// ```
pub struct EmbeddedStore {
    folder: PathBuf,
    stamp: Stamp,
    state: Mutex<State>,
}

impl EmbeddedStore {
    /// Opens the store in `folder`, or makes one there.
    ///
    /// In a folder that may only be read, an existing store opens for reading. If its files can't be locked there, it
    /// is read as it was when opened.
    ///
    /// # Errors
    /// [`Error::OtherModel`] if it was filled with another stamp; [`Error::Store`] if it is damaged, not a store, from
    /// a newer version, or cannot be opened; [`Error::Unwritable`] if the folder cannot be made.
    pub fn open(folder: &Path, stamp: Stamp) -> Result<Self> {
        let (state, found) = connection::open(folder, &stamp)?;
        if found != stamp {
            let (index_stamp, model_stamp) = (found.to_string(), stamp.to_string());
            return Err(Error::OtherModel { index: folder.to_owned(), index_stamp, model_stamp });
        }
        Ok(Self { folder: folder.to_owned(), stamp, state: Mutex::new(state) })
    }

    /// Tells whether a store was made in `folder`; not whether it is sound.
    pub fn exists(folder: &Path) -> bool {
        // A file that was created, but nothing committed to, is empty.
        connection::file_in(folder).metadata().is_ok_and(|file| file.is_file() && file.len() > 0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            self.state.clear_poison();
            let mut state = poisoned.into_inner();
            state.cache = None;
            state
        })
    }

    fn run<T>(&self, action: &'static str, call: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T> {
        let mut state = self.lock();
        let outcome = if state.is_unmoved() { call(&mut state) } else { Err(Failure::Moved) };
        outcome.map_err(|failure| failure.at(&self.folder, action))
    }

    fn check_dimensions(&self, embedding: &Embedding) -> Result<()> {
        let (got, expected) = (embedding.dimensions(), self.stamp.dimensions);
        if got != expected {
            return Err(Error::WrongDimensions { got, expected, wanted_by: format!("the index {}", self.location()) });
        }
        Ok(())
    }

    fn check_song(&self, song: &Song) -> Result<()> {
        self.check_dimensions(&song.embedding)?;
        if song.embedding.is_zero() {
            return Err(Error::Silent { what: song.path.clone() });
        }
        // SQLite and JSON know no NaN: it would be stored as NULL and make the row unreadable.
        let numbers = [("duration_seconds", song.duration_seconds)];
        let confidences = song.tags.iter().map(|(_, confidence)| ("tags", f64::from(*confidence)));
        match numbers.into_iter().chain(confidences).find(|(_, number)| !number.is_finite()) {
            Some((argument, number)) => Err(Error::BadArgument {
                argument,
                value: format!("{number} for {}", song.path),
                expected: "finite numbers".into(),
            }),
            None => Ok(()),
        }
    }
}

impl Store for EmbeddedStore {
    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    fn location(&self) -> String {
        self.folder.display().to_string()
    }

    fn upsert(&mut self, songs: &[Song]) -> Result<()> {
        songs.iter().try_for_each(|song| self.check_song(song))?;
        if songs.is_empty() {
            return Ok(());
        }
        self.run("written to", |state| {
            let transaction = state.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let ids = rows::upsert(&transaction, songs)?;
            transaction.commit()?;
            if let Some(cache) = &mut state.cache {
                let kept = ids.into_iter().zip(songs).all(|(id, song)| cache.vectors.put(id, &song.embedding));
                if !kept {
                    state.cache = None;
                }
            }
            Ok(())
        })
    }

    fn delete(&mut self, path: &str) -> Result<bool> {
        self.run("written to", |state| {
            let delete = "DELETE FROM songs WHERE path = ?1 RETURNING id";
            // In a transaction of its own, because a statement that stops at its first row reports no failed commit.
            let transaction = state.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let id = transaction.prepare_cached(delete)?.query_row([path], |row| row.get(0)).optional()?;
            transaction.commit()?;
            if let (Some(id), Some(cache)) = (id, &mut state.cache) {
                cache.vectors.remove(id);
            }
            Ok(id.is_some())
        })
    }

    fn get(&self, path: &str) -> Result<Option<Song>> {
        self.run("read", |state| {
            let select = format!("SELECT {} FROM songs WHERE path = ?1", rows::COLUMNS);
            let mut statement = state.connection.prepare_cached(&select)?;
            let mut found = statement.query([path])?;
            found.next()?.map(|row| rows::song(row, self.stamp.dimensions)).transpose()
        })
    }

    fn count(&self, filter: &Filter) -> Result<usize> {
        let Where { condition, values } = Where::of(filter)?;
        self.run("read", |state| {
            let select = format!("SELECT count(*) FROM songs WHERE {condition}");
            let mut statement = state.connection.prepare_cached(&select)?;
            let count = statement.query_row(params_from_iter(values), |row| row.get::<_, isize>(0))?;
            Ok(count.unsigned_abs())
        })
    }

    fn list(&self, filter: &Filter, from: usize, size: usize) -> Result<Vec<Song>> {
        let Where { condition, values } = Where::of(filter)?;
        let [from, size] = [from, size].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        self.run("read", |state| {
            let columns = rows::COLUMNS;
            // The two numbers are no text of the caller's.
            let select =
                format!("SELECT {columns} FROM songs WHERE {condition} ORDER BY path LIMIT {size} OFFSET {from}");
            let mut statement = state.connection.prepare(&select)?;
            let mut found = statement.query(params_from_iter(values))?;
            let mut songs = Vec::new();
            while let Some(row) = found.next()? {
                songs.push(rows::song(row, self.stamp.dimensions)?);
            }
            Ok(songs)
        })
    }

    fn content_hashes(&self) -> Result<HashMap<String, String>> {
        self.run("read", |state| {
            let mut statement = state.connection.prepare_cached("SELECT path, content_hash FROM songs")?;
            let mut found = statement.query([])?;
            let mut hashes = HashMap::new();
            while let Some(row) = found.next()? {
                let (path, hash) = rows::path_and_hash(row)?;
                hashes.insert(path, hash);
            }
            Ok(hashes)
        })
    }

    fn nearest(&self, query: &Embedding, search: &Search) -> Result<Vec<Neighbour>> {
        nearest::check(search)?;
        self.check_dimensions(query)?;
        if query.is_zero() {
            return Err(Error::Silent { what: "the query".into() });
        }
        let filter = Where::of(&search.filter)?;
        self.run("searched", |state| nearest::find(state, self.stamp.dimensions, query, search, &filter))
    }
}
