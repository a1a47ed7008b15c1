//! `Hits`: the ranked answers to a query.

use crate::store::Neighbour;

/// The songs that were found, best first.
#[derive(Clone, Debug)]
pub struct Hits {
    index: String,
    query: String,
    neighbours: Vec<Neighbour>,
}

impl Hits {
    pub(crate) fn new(index: String, query: String, neighbours: Vec<Neighbour>) -> Self {
        Self { index, query, neighbours }
    }

    /// The title of what was asked.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The name of the index that was asked.
    pub fn index(&self) -> &str {
        &self.index
    }

    /// The songs with their scores, best first.
    pub fn neighbours(&self) -> &[Neighbour] {
        &self.neighbours
    }

    /// The titles, best first.
    pub fn titles(&self) -> Vec<&str> {
        self.neighbours.iter().map(|n| n.song.title.as_str()).collect()
    }

    /// The cosine similarities in -1..1, best first.
    pub fn scores(&self) -> Vec<f32> {
        self.neighbours.iter().map(|n| n.score).collect()
    }
}
