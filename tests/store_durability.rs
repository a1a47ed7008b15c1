//! What a store on disk survives: kills, several processes, damage, and folders that may only be read.
//!
//! Other processes are this test binary again, running only [`child`], with what to do in the environment.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use earworm::store::embedded::EmbeddedStore;
use earworm::store::{Field, Filter, Search, Song, Stamp, Store};
use earworm::{Embedding, Error};

const BATCH: usize = 3;
const DIMENSIONS: usize = 200;

fn stamp() -> Stamp {
    Stamp { model: "durability".into(), dimensions: DIMENSIONS, front_end_version: 1 }
}

/// The one song that belongs to a path, so that any process can tell whether a record is whole.
fn song(path: &str) -> Song {
    let mut state = path
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    Song {
        path: path.into(),
        title: format!("title of {path}"),
        genre: "rock".into(),
        tags: vec![("rock".into(), 0.5)],
        timestamp: "2026-01-02T03:04:05Z".parse().unwrap(),
        duration_seconds: 1.5,
        content_hash: "0123456789abcdef".into(),
        embedding: Embedding::new((0..DIMENSIONS).map(|_| number()).collect()).unwrap(),
    }
}

fn open(folder: &Path) -> Result<EmbeddedStore, Error> {
    EmbeddedStore::open(folder, stamp())
}

/// A store of `count` songs, closed.
fn filled(folder: &Path, count: usize) -> Vec<Song> {
    let songs: Vec<Song> = (0..count).map(|i| song(&format!("{i:04}"))).collect();
    open(folder).unwrap().upsert(&songs).unwrap();
    songs
}

/// Starts this binary as a child that does `role`; its reports come one by one.
fn start(folder: &Path, role: &str, change: impl FnOnce(&mut Command)) -> std::io::Result<(Child, Receiver<String>)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("EARWORM_TEST_ROLE", role).env("EARWORM_TEST_FOLDER", folder).stdout(Stdio::piped());
    change(&mut command);
    let mut child = command.spawn()?;
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (sender, reports) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        // A line without its end was cut off by the kill, so it was not reported.
        while output.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            line.trim_end().strip_prefix("report ").map(|report| sender.send(report.to_owned()));
            line.clear();
        }
    });
    Ok((child, reports))
}

#[test]
#[ignore = "the other tests run it, as another process"]
fn child() {
    let Ok(role) = std::env::var("EARWORM_TEST_ROLE") else { return };
    let folder = std::env::var_os("EARWORM_TEST_FOLDER").unwrap();
    let report = |text: &str| println!("report {text}"); // flushes at the end of the line
    println!(); // after the test's name
    let store = open(Path::new(&folder));
    if role == "read" {
        match store {
            Ok(mut store) => {
                let query = song("0001");
                assert_eq!(store.get("0001").unwrap().as_ref(), Some(&query));
                assert_eq!(store.nearest(&query.embedding, &Search::default()).unwrap()[0].song, query);
                report(&format!("{} songs", store.count(&Filter::All).unwrap()));
                report(&store.upsert(&[query]).unwrap_err().to_string());
            }
            Err(error) => report(&error.to_string()),
        }
        return;
    }
    let (name, batches) = role.split_once(' ').unwrap();
    let mut store = store.unwrap();
    for batch in 0..batches.parse().unwrap() {
        let songs: Vec<Song> = (0..BATCH).map(|i| song(&format!("{name}/{batch:05}/{i}"))).collect();
        store.upsert(&songs).unwrap();
        songs.iter().for_each(|song| report(&song.path));
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for run in 0..10 {
        let (mut child, reports) = start(folder.path(), &format!("run{run} 1000000"), |_| ()).unwrap();
        acknowledged.push(reports.recv_timeout(Duration::from_secs(30)).unwrap());
        let nanoseconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
        std::thread::sleep(Duration::from_micros(u64::from(nanoseconds / 1000 % 200_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(reports);
        let store = open(folder.path()).unwrap();
        for path in &acknowledged {
            assert_eq!(store.get(path).unwrap(), Some(song(path)), "run {run}: {path} was lost or changed");
        }
        let count = store.count(&Filter::All).unwrap();
        assert!(count >= acknowledged.len() && count.is_multiple_of(BATCH), "{count}: a part of a batch");
    }
    let store = open(folder.path()).unwrap();
    for path in &acknowledged {
        let nearest = store.nearest(&song(path).embedding, &Search { k: 1, ..Search::default() }).unwrap();
        assert_eq!(nearest[0].song.path, *path);
    }
    println!("10 kills: all {} acknowledged songs are there, whole and found", acknowledged.len());
}

#[test]
fn two_processes_write_while_one_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let writers = ["one 60", "two 60"].map(|role| start(folder.path(), role, |_| ()).unwrap());
    let (total, start) = (2 * 60 * BATCH, Instant::now());
    let mut counts = vec![0];
    while counts.last() != Some(&total) {
        assert!(start.elapsed() < Duration::from_secs(120), "the writers do not finish: {counts:?}");
        let count = store.count(&Filter::All).unwrap();
        assert!(count.is_multiple_of(BATCH) && Some(&count) >= counts.last(), "{count} after {counts:?}");
        let found = store.nearest(&song("any").embedding, &Search { k: 500, num_candidates: 500, ..Search::default() });
        let found = found.unwrap().len();
        assert!(found.is_multiple_of(BATCH) && found >= count, "{found} of {count} found");
        counts.push(count);
    }
    counts.dedup();
    assert!(counts.len() > 5, "the reader saw no writing: {counts:?}");
    for (mut child, reports) in writers {
        assert!(child.wait().unwrap().success());
        for path in reports {
            assert_eq!(store.get(&path).unwrap(), Some(song(&path)));
        }
    }
}

#[test]
fn many_can_make_the_same_store_at_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let make = |i: usize| open(folder.path()).and_then(|mut store| store.upsert(&[song(&i.to_string())]));
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || make(i))).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
        });
        assert_eq!(open(folder.path()).unwrap().count(&Filter::All).unwrap(), 8);
    }
}

#[test]
fn damaged_pages_are_errors_and_no_panics() {
    let folder = tempfile::tempdir().unwrap();
    let songs = filled(folder.path(), 300);
    let file = folder.path().join("songs.sqlite");
    let (sound, page) = (std::fs::read(&file).unwrap(), 4096);
    let mut refused = 0;
    for start in (0..sound.len()).step_by(page) {
        let mut damaged = sound.clone();
        // The first page keeps its header, which is another test's.
        damaged[start.max(100)..start + page].fill(0xa5);
        std::fs::write(&file, damaged).unwrap();
        let used = open(folder.path()).and_then(|mut store| {
            store.count(&Filter::exists(Field::Title))?;
            store.content_hashes()?;
            store.nearest(&songs[0].embedding, &Search::default())?;
            store.list(&Filter::All, 0, 1000)?;
            songs.iter().try_for_each(|song| store.get(&song.path).map(drop))?;
            store.upsert(&songs)
        });
        if let Err(error) = used {
            let message = error.to_string();
            assert!(matches!(error, Error::Store { .. }), "{error:?}");
            assert!(message.contains("damaged") && message.contains("untouched"), "page {}: {message}", start / page);
            refused += 1;
        }
        for end in ["wal", "shm"] {
            std::fs::remove_file(folder.path().join(format!("songs.sqlite-{end}"))).ok();
        }
    }
    println!("{refused} of {} damaged pages were noticed", sound.len() / page);
    assert!(refused * page * 10 > sound.len() * 9, "{refused}");
}

#[test]
#[cfg(unix)]
fn a_read_only_folder_can_be_read() {
    use std::os::unix::{fs::MetadataExt, fs::PermissionsExt, process::CommandExt};
    let parent = tempfile::tempdir().unwrap();
    let permit = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    permit(parent.path(), 0o755);
    let [closed, live, cut] = ["closed: 100% #1?", "live", "cut"].map(|name| parent.path().join(name));
    filled(&closed, 10);
    filled(&live, 10);
    let mut writer = open(&live).unwrap();
    writer.upsert(&[song("in the log")]).unwrap();
    std::fs::create_dir(&cut).unwrap();
    for name in ["songs.sqlite", "songs.sqlite-wal"] {
        std::fs::copy(live.join(name), cut.join(name)).unwrap();
    }
    let is_root = parent.path().metadata().unwrap().uid() == 0;
    let read = |folder: &Path| -> Option<Vec<String>> {
        permit(folder, 0o555);
        // Permissions do not bind root, so its child is somebody else.
        let started =
            start(folder, "read", |command| _ = if is_root { command.uid(65534).gid(65534) } else { command });
        permit(folder, 0o555);
        match started {
            Ok((mut child, reports)) => {
                let reports = reports.into_iter().collect();
                assert!(child.wait().unwrap().success(), "{reports:?}");
                permit(folder, 0o755);
                Some(reports)
            }
            Err(error) => {
                println!("SKIPPED: running as root, and another user cannot run this binary: {error}");
                None
            }
        }
    };
    let Some(reports) = read(&closed) else { return };
    assert_eq!(reports[0], "10 songs");
    assert!(reports[1].contains("cannot be written to: its folder or file is read-only."), "{reports:?}");
    if is_root {
        // Otherwise the child owns the files and SQLite may write to them, though not add any.
        assert_eq!(read(&live).unwrap()[0], "11 songs", "what is only in the log counts");
    }
    // The log holds songs but its lock file cannot be made: an error is better than ten songs of eleven.
    let reports = read(&cut).unwrap();
    assert!(reports[0].contains("cannot be opened: "), "{reports:?}");
}
