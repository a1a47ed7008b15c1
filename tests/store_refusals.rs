//! Files and folders that the embedded store refuses to open or to go on with, and what it says then.

use std::path::Path;

use earworm::Error;
use earworm::store::embedded::EmbeddedStore;
use earworm::store::{Filter, Stamp, Store};

fn stamp() -> Stamp {
    Stamp { model: "musicnn-mtt".into(), dimensions: 200, front_end_version: 1 }
}

fn open(folder: &Path) -> Result<EmbeddedStore, Error> {
    EmbeddedStore::open(folder, stamp())
}

/// The message of a store that cannot be opened.
fn refusal(folder: &Path) -> String {
    let error = open(folder).err().expect("it was opened");
    assert!(matches!(error, Error::Store { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("the index {} cannot be opened: ", folder.display())), "{message}");
    message
}

/// Runs SQL on the file of a store, as another program would.
fn change(folder: &Path, sql: &str) {
    rusqlite::Connection::open(folder.join("songs.sqlite")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn it_exists_once_it_was_opened() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a new/folder");
    assert!(!EmbeddedStore::exists(&folder));
    open(&folder).unwrap();
    assert!(EmbeddedStore::exists(&folder));
}

#[test]
fn other_stamps_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    let others = [
        Stamp { model: "effnet".into(), ..stamp() },
        Stamp { dimensions: 2048, ..stamp() },
        Stamp { front_end_version: 2, ..stamp() },
    ];
    for other in others {
        let told = other.to_string();
        match EmbeddedStore::open(folder.path(), other).err() {
            Some(Error::OtherModel { index, index_stamp, model_stamp }) => {
                assert_eq!((index.as_path(), index_stamp, model_stamp), (folder.path(), stamp().to_string(), told));
            }
            outcome => panic!("{outcome:?}"),
        }
    }
    open(folder.path()).unwrap();
}

#[test]
fn a_file_that_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["short", &"These are notes about songs.\n".repeat(500)] {
        std::fs::write(folder.path().join("songs.sqlite"), text).unwrap();
        assert!(refusal(folder.path()).contains("is not a SQLite database. Move the folder away"));
    }
}

#[test]
fn a_database_of_something_else() {
    let folder = tempfile::tempdir().unwrap();
    change(folder.path(), "CREATE TABLE songs (lyrics)");
    assert!(refusal(folder.path()).contains("a database of something else"));
    change(folder.path(), "INSERT INTO songs VALUES ('untouched')");
}

#[test]
fn a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    change(folder.path(), "PRAGMA user_version = 2");
    assert!(refusal(folder.path()).contains("newer earworm (its schema is 2, this one knows 1). Update earworm"));
}

#[test]
fn a_store_without_its_stamp() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    change(folder.path(), "DELETE FROM meta");
    assert!(refusal(folder.path()).contains("which model made it"));
}

#[test]
fn a_folder_that_is_a_file() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(&file).err().unwrap();
    assert!(matches!(&error, Error::Unwritable { path, .. } if *path == file), "{error:?}");
}

#[test]
fn a_folder_that_was_removed_or_replaced() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("index");
    let mut store = open(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let refused = |outcome: Result<bool, Error>| {
        let message = outcome.unwrap_err().to_string();
        assert!(message.contains("moved, deleted or replaced since it was opened"), "{message}");
    };
    refused(store.delete("a"));
    let fresh = open(&folder).unwrap();
    refused(store.delete("a"));
    assert_eq!(fresh.count(&Filter::All).unwrap(), 0);
}
