//! A model's file: where it is, and whether it is the one that was published.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Record;
use crate::error::{Error, Result};
use crate::fetch::{self, Expected};
use crate::folders::{home, user_data};
use crate::hash::sha256;
use crate::interrupt::Interruptible;
use crate::progress::Progress;

/// Files that are larger, in bytes, are hashed once and then known by their size and time.
const QUICK_TO_HASH: u64 = 32 << 20;

/// The folders in which model files are looked for, in order.
pub(crate) fn search_folders() -> Vec<PathBuf> {
    let given = std::env::var_os("EARWORM_MODELS").filter(|v| !v.is_empty()).map(PathBuf::from);
    let own = [Path::new(env!("CARGO_MANIFEST_DIR")).join("models"), user_folder()];
    // The last is where panns_inference keeps its files.
    given.into_iter().chain(own).chain([home().join("panns_data")]).collect()
}

/// Where a user's own model files are.
pub(crate) fn user_folder() -> PathBuf {
    user_data().join("earworm/models")
}

/// Finds a model's file and checks that it is the one that was published.
pub(super) fn find(record: &Record) -> Result<PathBuf> {
    let folders = search_folders();
    let candidates: Vec<PathBuf> = folders.iter().map(|folder| folder.join(record.file)).collect();
    let Some(file) = candidates.iter().find(|file| file.is_file()).cloned() else {
        let file = candidates.into_iter().next().unwrap_or_else(|| record.file.into());
        let remedy = match record.source {
            Some(_) => {
                "Get it with `earworm fetch panns` (327 MB), or name a checkpoint of your own with EARWORM_PANNS"
            }
            None => "`earworm doctor` says where it is looked for; EARWORM_MODELS may name the folder that has it",
        };
        return Err(Error::ModelMissing { name: record.name, file, remedy });
    };
    let seen = seen(&file)?;
    let note = user_folder().join(format!("{}.verified", record.file));
    if seen.0 > QUICK_TO_HASH && std::fs::read_to_string(&note).is_ok_and(|text| text == words(&file, seen, record)) {
        return Ok(file);
    }
    let found = sha256(&file)?;
    if found != record.sha256 {
        return Err(Error::ModelChanged { file, found, expected: record.sha256 });
    }
    if seen.0 > QUICK_TO_HASH {
        // Without the note it is hashed again next time, and nothing else.
        let _ = std::fs::create_dir_all(user_folder()).and_then(|()| std::fs::write(&note, words(&file, seen, record)));
    }
    Ok(file)
}

/// Fetches a model's file into the user's folder, or copies it there; an interrupted or refused one leaves no trace but
/// the part of a download, with which the next goes on.
pub(super) fn fetch(record: &Record, from: Option<&Path>) -> Result<PathBuf> {
    let to = user_folder().join(record.file);
    std::fs::create_dir_all(user_folder()).map_err(|e| Error::writing(&user_folder(), e))?;
    let interrupt = Interruptible::begin();
    match (from, &record.source) {
        (Some(from), _) => {
            let found = sha256(from)?;
            if found != record.sha256 {
                return Err(Error::ModelChanged { file: from.into(), found, expected: record.sha256 });
            }
            let copy = to.with_extension("copy");
            let copied = std::fs::copy(from, &copy).and_then(|_| std::fs::rename(&copy, &to));
            if copied.is_err() {
                let _ = std::fs::remove_file(&copy);
            }
            copied.map_err(|e| Error::writing(&to, e))?;
        }
        (None, Some(source)) => {
            let megabytes = |bytes: u64| (bytes / 1_000_000) as usize;
            let mut progress = Progress::new(megabytes(source.bytes));
            let expected = Expected { bytes: source.bytes, sha256: record.sha256 };
            let mut told = |bytes| progress.reach(megabytes(bytes), "MB");
            let fetched = fetch::fetch(source.url, &to, &expected, &mut told, &|| interrupt.asked());
            progress.finish();
            fetched?;
        }
        (None, None) => {}
    }
    find(record)
}

/// A file's size in bytes and time of change in nanoseconds.
fn seen(file: &Path) -> Result<(u64, u128)> {
    let data = std::fs::metadata(file).map_err(|e| Error::reading(file, e))?;
    let changed = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok((data.len(), changed.map_or(0, |time| time.as_nanos())))
}

fn words(file: &Path, (bytes, changed): (u64, u128), record: &Record) -> String {
    format!("{} {bytes} {changed} {}\n", file.display(), record.sha256)
}
