//! What a song's record is, and what every place that keeps them can do.

pub mod embedded;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::embedding::Embedding;
use crate::error::Result;

/// One stored song: the fields of the tutorial's document, and what tells whether its file has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Song {
    /// The file's path as it was indexed; the key.
    pub path: String,
    /// The file's name without its extension.
    pub title: String,
    /// One of the tutorial's genres, or `generic`.
    pub genre: String,
    /// What the model hears, best first, with its confidence in 0..1.
    pub tags: Vec<(String, f32)>,
    /// When it was stored.
    pub timestamp: Timestamp,
    /// The length of the audio in seconds.
    pub duration_seconds: f64,
    /// The SHA-256 of the file, in hexadecimal.
    pub content_hash: String,
    /// What it sounds like.
    pub embedding: Embedding,
}

/// Which model and front end filled a store, and how many dimensions its vectors have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The model's name, for example `musicnn-mtt`.
    pub model: String,
    /// The length of each embedding.
    pub dimensions: usize,
    /// Counts the changes of the front end that make old vectors incomparable.
    pub front_end_version: u32,
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} dimensions, front end {})", self.model, self.dimensions, self.front_end_version)
    }
}

/// A field that a filter can look at, by its name in Elasticsearch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `path`
    Path,
    /// `title`
    Title,
    /// `genre`
    Genre,
}

impl Field {
    /// Its name in a document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Title => "title",
            Self::Genre => "genre",
        }
    }
}

/// Which songs count. A field exists if it is not empty; `Is` compares exactly, case included.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Filter {
    /// Every song.
    #[default]
    All,
    /// Songs whose field is not empty.
    Exists(Field),
    /// Songs whose field has exactly this value.
    Is(Field, String),
    /// Songs that pass both.
    And(Box<Filter>, Box<Filter>),
    /// Songs that pass either.
    Or(Box<Filter>, Box<Filter>),
    /// Songs that do not pass.
    Not(Box<Filter>),
}

impl Filter {
    /// Keeps the songs of one genre.
    pub fn genre(genre: impl Into<String>) -> Self {
        Self::Is(Field::Genre, genre.into())
    }

    /// Keeps the songs that have a field.
    pub fn exists(field: Field) -> Self {
        Self::Exists(field)
    }

    /// Keeps the songs that pass this and another filter.
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// Keeps the songs that pass this or another filter.
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    /// Keeps the songs that this one leaves out.
    #[allow(clippy::should_implement_trait)] // reads as the query language's word
    pub fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// A k-nearest-neighbours search, with Elasticsearch's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// How many songs to find.
    pub k: usize,
    /// How many candidates to score exactly; at least `k`. More is slower and never worse.
    pub num_candidates: usize,
    /// How many of the `k` to return; all of them by default.
    pub size: usize,
    /// Which songs may be found.
    pub filter: Filter,
}

impl Default for Search {
    fn default() -> Self {
        Self { k: 5, num_candidates: 100, size: usize::MAX, filter: Filter::All }
    }
}

/// A song that was found, and how near it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// The song.
    pub song: Song,
    /// The cosine similarity, -1..1.
    pub score: f32,
}

/// A place that keeps songs and finds the nearest ones.
///
/// Every store gives the same answers to the same calls: one contract test runs over all of them. It is used behind a
/// `Box<dyn Store>`, so that a store made in one notebook cell keeps running the code of that cell, and its statics.
pub trait Store: Send + Sync {
    /// Tells which model filled it.
    fn stamp(&self) -> &Stamp;

    /// Describes where it is, for messages and tables.
    fn location(&self) -> String;

    /// Stores songs, replacing those of the same path; all of them or, on an error, none.
    ///
    /// # Errors
    /// [`Error::WrongDimensions`](crate::Error::WrongDimensions), [`Error::Silent`](crate::Error::Silent) for a zero
    /// vector, [`Error::BadArgument`](crate::Error::BadArgument) for a length or confidence that is not finite, and
    /// [`Error::Store`](crate::Error::Store) if it cannot be written.
    fn upsert(&mut self, songs: &[Song]) -> Result<()>;

    /// Removes a song; tells whether it was there.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) if it cannot be written.
    fn delete(&mut self, path: &str) -> Result<bool>;

    /// Gets a song by its path.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) if it cannot be read, as with every call below.
    fn get(&self, path: &str) -> Result<Option<Song>>;

    /// Counts the songs that pass a filter.
    fn count(&self, filter: &Filter) -> Result<usize>;

    /// Lists songs in the order of their paths (by code point): `size` of them after the first `from`.
    fn list(&self, filter: &Filter, from: usize, size: usize) -> Result<Vec<Song>>;

    /// Gets the content hash of every stored path.
    fn content_hashes(&self) -> Result<HashMap<String, String>>;

    /// Finds the nearest songs, best first; equal scores in the order of their paths.
    ///
    /// # Errors
    /// [`Error::WrongDimensions`](crate::Error::WrongDimensions), [`Error::Silent`](crate::Error::Silent) for a zero
    /// query, [`Error::BadArgument`](crate::Error::BadArgument) for `k` of 0 or `num_candidates` below `k`.
    fn nearest(&self, query: &Embedding, search: &Search) -> Result<Vec<Neighbour>>;
}
