//! `Songs`: stored songs as a list.

use crate::store::Song;

/// Stored songs, in the order they were asked for; a slice of [`Song`] in every other respect.
#[derive(Clone, Debug)]
pub struct Songs(Vec<Song>);

impl From<Vec<Song>> for Songs {
    fn from(songs: Vec<Song>) -> Self {
        Self(songs)
    }
}

impl std::ops::Deref for Songs {
    type Target = [Song];

    fn deref(&self) -> &[Song] {
        &self.0
    }
}
