//! The exact search: a look at every vector in 8 bits, then the true cosine of all that can be among the nearest.

use rusqlite::{Connection, params_from_iter};

use super::connection::State;
use super::failure::Failure;
use super::rows;
use super::sql::Where;
use super::vectors::{Estimate, Vectors};
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::store::{Filter, Neighbour, Search};

/// Fewer candidates than this save nothing.
const FEWEST_CANDIDATES: usize = 100;

/// The vectors as they were at one version of the database.
pub(super) struct Cache {
    version: i64,
    pub(super) vectors: Vectors,
}

/// A song that was scored exactly.
struct Scored {
    score: f32,
    path: String,
    id: i64,
}

/// Checks the numbers of a search.
///
/// # Errors
/// [`Error::BadArgument`] for `k` of 0 or `num_candidates` below `k`.
pub(super) fn check(search: &Search) -> Result<()> {
    let Search { k, num_candidates, .. } = *search;
    if k == 0 {
        return Err(Error::BadArgument { argument: "k", value: "0".into(), expected: "at least 1".into() });
    }
    if num_candidates < k {
        let (value, expected) = (num_candidates.to_string(), format!("at least k, which is {k}"));
        return Err(Error::BadArgument { argument: "num_candidates", value, expected });
    }
    Ok(())
}

/// Finds the nearest songs of one moment: all it reads is in one transaction.
pub(super) fn find(
    state: &mut State,
    dimensions: usize,
    query: &Embedding,
    search: &Search,
    filter: &Where<'_>,
) -> Result<Vec<Neighbour>, Failure> {
    let transaction = state.connection.transaction()?;
    let vectors = current(&mut state.cache, &transaction, dimensions)?;
    let only = match search.filter {
        Filter::All => None,
        _ => Some(ids(&transaction, filter)?),
    };
    let estimates = vectors.estimate(query, only.as_deref());
    let mut scored = best(&transaction, dimensions, query, search, estimates)?;
    scored.truncate(search.k.min(search.size));

    let select = format!("SELECT {} FROM songs WHERE id = ?1", rows::COLUMNS);
    let mut statement = transaction.prepare_cached(&select)?;
    let read = |Scored { score, id, .. }: Scored| {
        let song = statement.query_row([id], |row| Ok(rows::song(row, dimensions)))??;
        Ok(Neighbour { song, score })
    };
    scored.into_iter().map(read).collect()
}

/// The vectors as this transaction sees them, read again if another connection has written.
fn current<'a>(
    cache: &'a mut Option<Cache>,
    transaction: &Connection,
    dimensions: usize,
) -> Result<&'a Vectors, Failure> {
    let version = transaction.pragma_query_value(None, "data_version", |row| row.get(0))?;
    let kept = cache.take().filter(|cache| cache.version == version);
    let fresh = match kept {
        Some(kept) => kept,
        None => Cache { version, vectors: load(transaction, dimensions)? },
    };
    Ok(&cache.insert(fresh).vectors)
}

fn load(transaction: &Connection, dimensions: usize) -> Result<Vectors, Failure> {
    let mut vectors = Vectors::new(dimensions);
    let mut statement = transaction.prepare_cached("SELECT id, path, embedding FROM songs ORDER BY id")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let path = rows::text(row, 1, "")?;
        vectors.put(row.get(0)?, &rows::embedding(row, 2, &path, dimensions)?);
    }
    Ok(vectors)
}

fn ids(transaction: &Connection, filter: &Where<'_>) -> Result<Vec<i64>, Failure> {
    let select = format!("SELECT id FROM songs WHERE {}", filter.condition);
    let mut statement = transaction.prepare_cached(&select)?;
    let found = statement.query_map(params_from_iter(&filter.values), |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Scores the best estimates exactly, and then all others that could still be among the best `k`; best first.
fn best(
    transaction: &Connection,
    dimensions: usize,
    query: &Embedding,
    search: &Search,
    mut estimates: Vec<Estimate>,
) -> Result<Vec<Scored>, Failure> {
    let mut statement = transaction.prepare_cached("SELECT path, embedding FROM songs WHERE id = ?1")?;
    let mut score = |estimate: &Estimate| -> Result<Scored, Failure> {
        let read = statement.query_row([estimate.id], |row| {
            let path = rows::text(row, 0, "");
            Ok(path.and_then(|path| Ok((rows::embedding(row, 1, &path, dimensions)?, path))))
        });
        let (embedding, path) = read??;
        Ok(Scored { score: query.cosine(&embedding)?, path, id: estimate.id })
    };
    let order = |a: &Scored, b: &Scored| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path));

    let candidates = search.num_candidates.max(FEWEST_CANDIDATES).min(estimates.len());
    if candidates < estimates.len() {
        estimates.select_nth_unstable_by(candidates, |a, b| b.score.total_cmp(&a.score));
    }
    let (first, rest) = estimates.split_at(candidates);
    let mut scored = first.iter().map(&mut score).collect::<Result<Vec<_>, _>>()?;
    scored.sort_unstable_by(order);
    // Without this the answer would depend on the rounding: near ties, such as copies of a song, can be many.
    if let Some(worst) = scored.get(search.k - 1).map(|scored| scored.score) {
        let rivals = rest.iter().filter(|estimate| estimate.score + estimate.margin >= worst);
        scored.extend(rivals.map(score).collect::<Result<Vec<_>, _>>()?);
        scored.sort_unstable_by(order);
    }
    Ok(scored)
}
