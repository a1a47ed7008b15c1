//! Songs as rows of a table, and back.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::failure::Failure;
use crate::embedding::Embedding;
use crate::store::Song;

/// The columns of a song, in the order that [`song`] reads them. The embedding is last: it is the longest, and what
/// needs only the others does not read it.
pub(super) const COLUMNS: &str = "path, title, genre, tags, timestamp, duration_seconds, content_hash, embedding";

/// Inserts or replaces songs; gives the id of each. Commits nothing.
pub(super) fn upsert(connection: &Connection, songs: &[Song]) -> Result<Vec<i64>, Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO songs (path, title, genre, tags, timestamp, duration_seconds, content_hash, embedding)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (path) DO UPDATE SET title = excluded.title, genre = excluded.genre, tags = excluded.tags,
             timestamp = excluded.timestamp, duration_seconds = excluded.duration_seconds,
             content_hash = excluded.content_hash, embedding = excluded.embedding
         RETURNING id",
    )?;
    let mut ids = Vec::with_capacity(songs.len());
    for song in songs {
        let tags = serde_json::to_string(&song.tags).map_err(|error| damaged(&song.path, "tags", error))?;
        let values = params![
            song.path,
            song.title,
            song.genre,
            tags,
            song.timestamp.to_string(),
            song.duration_seconds,
            song.content_hash,
            bytes(&song.embedding),
        ];
        ids.push(statement.query_row(values, |row| row.get(0))?);
    }
    Ok(ids)
}

/// Reads a row of [`COLUMNS`].
pub(super) fn song(row: &Row<'_>, dimensions: usize) -> Result<Song, Failure> {
    let path = text(row, 0, "")?;
    let tags = text(row, 3, &path)?;
    let timestamp = text(row, 4, &path)?;
    Ok(Song {
        title: text(row, 1, &path)?,
        genre: text(row, 2, &path)?,
        tags: serde_json::from_str(&tags).map_err(|error| damaged(&path, "tags", error))?,
        timestamp: timestamp.parse::<Timestamp>().map_err(|error| damaged(&path, "timestamp", error))?,
        duration_seconds: row.get(5).map_err(|error| unread(error, &path, "duration_seconds"))?,
        content_hash: text(row, 6, &path)?,
        embedding: embedding(row, 7, &path, dimensions)?,
        path,
    })
}

/// Reads a row of a path and its content hash.
pub(super) fn path_and_hash(row: &Row<'_>) -> Result<(String, String), Failure> {
    let path = text(row, 0, "")?;
    let hash = text(row, 1, &path)?;
    Ok((path, hash))
}

/// Reads a column that holds text; `path` is for the message.
pub(super) fn text(row: &Row<'_>, column: usize, path: &str) -> Result<String, Failure> {
    let bytes = row.get_ref(column)?.as_bytes().map_err(|error| damaged(path, &name(row, column), error))?;
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) if path.is_empty() => Err(damaged(&String::from_utf8_lossy(bytes), &name(row, column), error)),
        Err(error) => Err(damaged(path, &name(row, column), error)),
    }
}

/// Reads a column that holds an embedding; `path` is for the message.
pub(super) fn embedding(row: &Row<'_>, column: usize, path: &str, dimensions: usize) -> Result<Embedding, Failure> {
    let blob = row.get_ref(column)?.as_blob().map_err(|error| damaged(path, "embedding", error))?;
    let (numbers, rest) = blob.as_chunks::<4>();
    if numbers.len() != dimensions || !rest.is_empty() {
        let wrong = format!("{} bytes instead of {}", blob.len(), 4 * dimensions);
        return Err(damaged(path, "embedding", wrong));
    }
    let numbers = numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    match Embedding::new(numbers) {
        Ok(embedding) if !embedding.is_zero() => Ok(embedding),
        Ok(_) => Err(damaged(path, "embedding", "all zero")),
        Err(error) => Err(damaged(path, "embedding", error)),
    }
}

fn bytes(embedding: &Embedding) -> Vec<u8> {
    embedding.as_slice().iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn name(row: &Row<'_>, column: usize) -> String {
    row.as_ref().column_name(column).unwrap_or("column").to_owned()
}

fn damaged(path: &str, column: &str, what: impl std::fmt::Display) -> Failure {
    Failure::Damaged { path: path.to_owned(), what: format!("{column}: {what}") }
}

/// A value of another type is damage; anything else is SQLite's own failure.
fn unread(error: rusqlite::Error, path: &str, column: &str) -> Failure {
    match error {
        rusqlite::Error::InvalidColumnType(..) => damaged(path, column, error),
        _ => Failure::Sqlite(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Reads one row whose embedding, tags and timestamp are these SQL literals.
    fn read(embedding: &str, tags: &str, timestamp: &str) -> Result<Song, Failure> {
        let connection = Connection::open_in_memory().unwrap();
        let select = format!("SELECT 'p', 't', 'g', {tags} AS tags, {timestamp} AS timestamp, 1.5, 'h', {embedding}");
        connection.query_row(&select, [], |row| Ok(song(row, 2))).unwrap()
    }

    const ONE: &str = "x'0000803f00000000'";
    const TAGS: &str = r#"'[["rock",0.5]]'"#;
    const TIME: &str = "'2026-01-02T03:04:05.678Z'";

    #[test]
    fn a_whole_row_is_a_song() {
        let song = read(ONE, TAGS, TIME).unwrap();
        assert_eq!(song.embedding.as_slice(), &[1.0, 0.0]);
        assert_eq!(song.tags, [("rock".to_owned(), 0.5)]);
        assert_eq!(song.timestamp.to_string(), "2026-01-02T03:04:05.678Z");
    }

    #[test]
    fn damage_names_the_path_and_the_column() {
        let cases = [
            ("embedding", read("x'0000803f'", TAGS, TIME)),
            ("embedding", read("x'0000803f0000000000'", TAGS, TIME)),
            ("embedding", read("x'0000c07f00000000'", TAGS, TIME)), // NaN
            ("embedding", read("x'0000000000000000'", TAGS, TIME)),
            ("embedding", read("NULL", TAGS, TIME)),
            ("tags", read(ONE, "'[[1'", TIME)),
            ("tags", read(ONE, "7", TIME)),
            ("timestamp", read(ONE, TAGS, "'yesterday'")),
            ("timestamp", read(ONE, TAGS, "CAST(x'ff' AS TEXT)")),
        ];
        for (column, outcome) in cases {
            let message = outcome.unwrap_err().at(Path::new("i"), "read").to_string();
            assert!(message.contains(&format!("the record of p is damaged ({column}: ")), "{message}");
        }
    }
}
