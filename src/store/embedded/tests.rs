//! What only shows from inside: failures of SQLite, and a cache that lives and dies.

use std::time::Duration;

use super::*;

fn stamp() -> Stamp {
    Stamp { model: "test".into(), dimensions: 2, front_end_version: 1 }
}

fn song(path: &str, x: f32, y: f32) -> Song {
    Song {
        path: path.into(),
        title: "x".repeat(2000),
        genre: String::new(),
        tags: vec![("rock".into(), 0.5)],
        timestamp: "2026-01-02T03:04:05Z".parse().unwrap(),
        duration_seconds: 1.5,
        content_hash: String::new(),
        embedding: Embedding::new(vec![x, y]).unwrap(),
    }
}

fn nearest_path(store: &EmbeddedStore) -> String {
    let query = Embedding::new(vec![1.0, 0.0]).unwrap();
    let search = Search { k: 1, ..Search::default() };
    store.nearest(&query, &search).unwrap().swap_remove(0).song.path
}

#[test]
fn commits_reach_the_disk_and_do_not_block_readers() {
    let folder = tempfile::tempdir().unwrap();
    for _made_then_opened in 0..2 {
        let store = EmbeddedStore::open(folder.path(), stamp()).unwrap();
        let connection = &store.lock().connection;
        let full = 2_i64;
        assert_eq!(connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap(), full);
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}

#[test]
fn the_cache_follows_own_and_foreign_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut ours = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    let mut theirs = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    ours.upsert(&[song("a", 1.0, 1.0)]).unwrap();
    assert_eq!(nearest_path(&ours), "a");
    ours.upsert(&[song("b", 1.0, 0.5), song("c", 0.0, 1.0)]).unwrap();
    assert!(ours.lock().cache.is_some(), "own writes keep the cache");
    assert_eq!(nearest_path(&ours), "b");
    theirs.upsert(&[song("c", 1.0, 0.1)]).unwrap();
    ours.upsert(&[song("d", 0.0, 1.0)]).unwrap(); // after a write that its cache has not seen
    assert_eq!(nearest_path(&ours), "c");
    assert!(ours.delete("c").unwrap());
    assert_eq!(nearest_path(&ours), "b");
    assert!(theirs.delete("b").unwrap());
    assert_eq!(nearest_path(&ours), "a");
}

#[test]
fn a_panic_in_another_thread_costs_only_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    store.upsert(&[song("a", 1.0, 0.0)]).unwrap();
    assert_eq!(nearest_path(&store), "a");
    let panicked = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let mut state = store.lock();
            state.cache.as_mut().unwrap().vectors.remove(1);
            panic!("on purpose, with the lock held");
        });
        holder.join()
    });
    assert!(panicked.is_err() && store.state.is_poisoned());
    assert_eq!(nearest_path(&store), "a");
}

#[test]
fn a_full_disk_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    store.upsert(&[song("a", 1.0, 0.0)]).unwrap();
    assert_eq!(nearest_path(&store), "a");
    store.lock().connection.pragma_update(None, "max_page_count", 20).unwrap();
    let many: Vec<Song> = (0..100).map(|i| song(&format!("b{i}"), 1.0, 0.0)).collect();
    let error = store.upsert(&many).unwrap_err().to_string();
    assert!(error.contains("the disk is full"), "{error}");
    assert_eq!(store.count(&Filter::All).unwrap(), 1, "all or none");
    assert_eq!(nearest_path(&store), "a");
    store.lock().connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    store.upsert(&many).unwrap();
    assert_eq!(store.count(&Filter::All).unwrap(), 101);
}

#[test]
fn a_locked_store_is_an_error_after_the_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut ours = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    let theirs = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    ours.lock().connection.busy_timeout(Duration::from_millis(50)).unwrap();
    theirs.lock().connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = ours.upsert(&[song("a", 1.0, 0.0)]).unwrap_err().to_string();
    assert!(error.contains("has it locked"), "{error}");
    assert_eq!(ours.count(&Filter::All).unwrap(), 0, "reading goes on");
    theirs.lock().connection.execute_batch("ROLLBACK").unwrap();
    ours.upsert(&[song("a", 1.0, 0.0)]).unwrap();
}

#[test]
fn a_damaged_record_names_its_path_and_can_be_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    store.upsert(&[song("a", 1.0, 0.0), song("it's b", 1.0, 1.0)]).unwrap();
    let damage = "UPDATE songs SET embedding = x'00' WHERE path = 'it''s b'";
    store.lock().connection.execute_batch(damage).unwrap();
    let query = Embedding::new(vec![1.0, 0.0]).unwrap();
    for error in [store.nearest(&query, &Search::default()).unwrap_err(), store.get("it's b").unwrap_err()] {
        assert!(
            error.to_string().contains("the record of it's b is damaged (embedding: 1 bytes instead of 8)"),
            "{error}"
        );
    }
    assert!(store.delete("it's b").unwrap());
    assert_eq!(nearest_path(&store), "a");
}

#[test]
fn a_search_sees_one_moment_while_another_store_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let ours = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    let mut theirs = EmbeddedStore::open(folder.path(), stamp()).unwrap();
    let songs: Vec<Song> = (0..50).map(|i| song(&format!("{i:02}"), 1.0, 0.0)).collect();
    theirs.upsert(&songs).unwrap();
    let query = Embedding::new(vec![1.0, 0.0]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for song in songs.iter().cycle().take(300) {
                theirs.delete(&song.path).unwrap();
                theirs.upsert(std::slice::from_ref(song)).unwrap();
            }
        });
        while !writer.is_finished() {
            let found = ours.nearest(&query, &Search { k: 60, ..Search::default() }).unwrap().len();
            assert!(found == 49 || found == 50, "{found}");
        }
    });
}
