//! `Index`: a store of songs and the model that fills it. Index a folder, query by sound.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::audio::{Audio, title_of, walk};
use crate::error::{Error, Result};
use crate::genre::genre_of;
use crate::hash::sha256;
use crate::hits::Hits;
use crate::interrupt::Interruptible;
use crate::model::Model;
use crate::progress::Progress;
use crate::songs::Songs;
use crate::store::embedded::EmbeddedStore;
use crate::store::{Filter, Search, Song, Store};

/// How many tags are stored with a song.
const STORED_TAGS: usize = 5;

/// A song is stored at the latest when so many others wait with it.
const BATCH: usize = 32;

/// A named collection of songs that can be searched by sound.
pub struct Index {
    name: String,
    existed: bool,
    store: Box<dyn Store>,
    model: Model,
}

impl Index {
    /// Opens the index in a folder, or creates it if it is not there, with the bundled model. No server is needed.
    ///
    /// # Errors
    /// [`Error::OtherModel`] if another model filled it, [`Error::Store`] if it cannot be opened, and those of
    /// [`Model::musicnn`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(folder, Model::bundled()?)
    }

    /// Opens or creates an index as [`Index::open`] does, with a model of your choice.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open_with(folder: impl AsRef<Path>, model: Model) -> Result<Self> {
        let folder = folder.as_ref();
        let existed = EmbeddedStore::exists(folder);
        let store = Box::new(EmbeddedStore::open(folder, model.stamp())?);
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, existed, store, model })
    }

    /// The index's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it was there before it was opened.
    pub fn existed(&self) -> bool {
        self.existed
    }

    /// The model that listens for it.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Counts its songs.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be read, as with the other readers below.
    pub fn count(&self) -> Result<usize> {
        self.store.count(&Filter::All)
    }

    /// Gets a song by the path it was indexed with.
    ///
    /// # Errors
    /// [`Error::NotIndexed`] if it is not there.
    pub fn get(&self, path: &str) -> Result<Song> {
        let missing = || Error::NotIndexed { path: path.into(), index: self.name.clone() };
        self.store.get(path)?.ok_or_else(missing)
    }

    /// Lists the songs that pass a filter, in the order of their paths.
    pub fn list(&self, filter: &Filter) -> Result<Songs> {
        Ok(self.store.list(filter, 0, usize::MAX)?.into())
    }

    /// Removes a song; tells whether it was there. The audio file stays.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be written.
    pub fn delete(&mut self, path: &str) -> Result<bool> {
        self.store.delete(path)
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({:?} at {}, {:?})", self.name, self.store.location(), self.model)
    }
}

/// What became of the files of a folder.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// The paths that were embedded and stored, new or changed.
    pub stored: Vec<String>,
    /// How many files were stored before and have not changed.
    pub unchanged: usize,
    /// The files that could not be stored, each with the reason.
    pub skipped: Vec<(PathBuf, String)>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What became of one file.
enum Outcome {
    Ready(Box<Song>),
    Unchanged,
    Skipped(PathBuf, String),
}

/// Embeds and stores the audio files of a folder and its subfolders, or one file.
///
/// A file that is stored already and has not changed is left alone; one that cannot be used is named in the answer and
/// the others are stored. Decoding runs on every core. Interrupted or killed midway, what was stored stays, and the same
/// call goes on from there.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Unreadable`] and [`Error::NoAudioFiles`] for the folder; [`Error::Store`] if the index
/// cannot be written; [`Error::Interrupted`].
pub fn index(songs: &mut Index, folder: impl AsRef<Path>) -> Result<Indexed> {
    let folder = folder.as_ref();
    let started = Instant::now();
    let (files, unreadable) = if folder.is_file() { (vec![folder.to_owned()], Vec::new()) } else { walk(folder)? };
    let known = songs.store.content_hashes()?;
    let skipped = unreadable.into_iter().map(|(path, error)| (path, error.to_string())).collect();
    let mut indexed = Indexed { stored: Vec::new(), unchanged: 0, skipped, elapsed: Duration::ZERO };
    let mut progress = Progress::new(files.len());
    let interrupt = Interruptible::begin();

    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let Index { store, model, .. } = songs;
    std::thread::scope(|scope| -> Result<()> {
        let (sender, outcomes) = mpsc::sync_channel(2 * workers);
        for _ in 0..workers {
            let (sender, files, known, next, model) = (sender.clone(), &files, &known, &next, &*model);
            let interrupt = &interrupt;
            scope.spawn(move || {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = study(file, known, model);
                    // A file that was stopped midway is neither stored nor skipped.
                    if interrupt.asked() || sender.send(outcome).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);

        let mut batch: Vec<Song> = Vec::new();
        let mut waiting = outcomes.recv().ok();
        while let Some(outcome) = waiting {
            match outcome {
                Outcome::Ready(song) => {
                    progress.advance(&song.title);
                    batch.push(*song);
                }
                Outcome::Unchanged => {
                    progress.advance("unchanged");
                    indexed.unchanged += 1;
                }
                Outcome::Skipped(path, reason) => {
                    progress.advance(&format!("skipped {}", path.display()));
                    indexed.skipped.push((path, reason));
                }
            }
            let more = outcomes.try_recv().ok();
            if batch.len() >= BATCH || (more.is_none() && !batch.is_empty()) {
                store.upsert(&batch)?;
                indexed.stored.extend(batch.drain(..).map(|song| song.path));
            }
            waiting = more.or_else(|| outcomes.recv().ok());
        }
        Ok(())
    })?;
    progress.finish();
    if interrupt.asked() {
        let done = indexed.stored.len() + indexed.unchanged + indexed.skipped.len();
        return Err(Error::Interrupted { done, files: files.len() });
    }
    indexed.stored.sort();
    indexed.skipped.sort();
    indexed.elapsed = started.elapsed();
    Ok(indexed)
}

/// Listens to one file, unless it is stored as it is.
fn study(file: &Path, known: &HashMap<String, String>, model: &Model) -> Outcome {
    let attempt = || -> Result<Option<Song>> {
        let path = file.to_str().ok_or_else(|| Error::BadArgument {
            argument: "file name",
            value: format!("{file:?}"),
            expected: "valid UTF-8; rename the file".into(),
        })?;
        let content_hash = sha256(file)?;
        if known.get(path) == Some(&content_hash) {
            return Ok(None);
        }
        let heard = model.listen_to_file(file)?;
        if heard.embedding.is_zero() {
            return Err(Error::Silent { what: path.into() });
        }
        let title = title_of(file);
        Ok(Some(Song {
            path: path.into(),
            genre: genre_of(&title).into(),
            title,
            tags: heard.tags.top(STORED_TAGS).to_vec(),
            timestamp: Timestamp::now(),
            duration_seconds: heard.duration_seconds,
            content_hash,
            embedding: heard.embedding,
        }))
    };
    // A decoder that panics on a malformed file must not cost the others.
    match catch_unwind(AssertUnwindSafe(attempt)) {
        Ok(Ok(Some(song))) => Outcome::Ready(Box::new(song)),
        Ok(Ok(None)) => Outcome::Unchanged,
        Ok(Err(e)) => Outcome::Skipped(file.to_owned(), e.to_string()),
        Err(_) => Outcome::Skipped(file.to_owned(), format!("{} broke its decoder.", file.display())),
    }
}

/// Finds the five songs that sound most like the audio.
///
/// # Errors
/// As [`query_with`].
pub fn query(songs: &Index, audio: &Audio) -> Result<Hits> {
    query_with(songs, audio, &Search::default())
}

/// Finds the songs that sound most like the audio, with the number of answers and a filter of your choice.
///
/// # Errors
/// [`Error::Silent`] for silent audio, [`Error::BadArgument`] for numbers that make no sense together, and those of
/// [`Model::listen`] and the store.
pub fn query_with(songs: &Index, audio: &Audio, search: &Search) -> Result<Hits> {
    let heard = songs.model.listen(audio)?;
    if heard.embedding.is_zero() {
        return Err(Error::Silent { what: audio.title().into() });
    }
    let neighbours = songs.store.nearest(&heard.embedding, search)?;
    Ok(Hits::new(songs.name.clone(), audio.title().into(), neighbours))
}
