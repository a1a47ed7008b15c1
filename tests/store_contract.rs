//! What every store must do; a store passes by running [`contract`].

use std::collections::HashMap;

use earworm::store::embedded::EmbeddedStore;
use earworm::store::{Field, Filter, Neighbour, Search, Song, Stamp, Store};
use earworm::{Embedding, Error};

fn stamp(dimensions: usize) -> Stamp {
    Stamp { model: "contract".into(), dimensions, front_end_version: 1 }
}

fn song(path: &str, genre: &str, vector: &[f32]) -> Song {
    Song {
        path: path.into(),
        title: path.trim_end_matches(".wav").into(),
        genre: genre.into(),
        tags: vec![("rock".into(), 0.75), ("\"guitar\", ünplugged".into(), 0.1)],
        timestamp: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        duration_seconds: 12.34,
        content_hash: format!("hash of {path}"),
        embedding: Embedding::new(vector.to_vec()).unwrap(),
    }
}

/// Numbers in -1..1 that are the same on every run (splitmix64).
fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    })
}

fn paths(songs: &[Song]) -> Vec<&str> {
    songs.iter().map(|song| song.path.as_str()).collect()
}

fn found(neighbours: &[Neighbour]) -> Vec<&str> {
    neighbours.iter().map(|neighbour| neighbour.song.path.as_str()).collect()
}

fn search(k: usize, num_candidates: usize, filter: Filter) -> Search {
    Search { k, num_candidates, filter, ..Search::default() }
}

type Make<'a> = &'a mut dyn FnMut(Stamp) -> Box<dyn Store>;

fn contract(make: Make) {
    records(make);
    filters(make);
    edges(make);
    ties(make);
    ten_thousand(make);
}

fn records(make: Make) {
    let mut store = make(stamp(200));
    assert_eq!(*store.stamp(), stamp(200));
    assert!(!store.location().is_empty());
    let odd = [
        "it's \"quoted\".wav",
        "Þórr/日本語 🎵.wav",
        "a%_b; DROP TABLE songs.wav",
        "",
        "nul\0after.wav",
        "A.wav",
        "a.wav",
    ];
    let mut songs: Vec<Song> = odd
        .iter()
        .zip(1..)
        .map(|(path, seed)| song(path, "rock", &noise(seed).take(200).collect::<Vec<_>>()))
        .collect();
    store.upsert(&songs).unwrap();
    store.upsert(&[]).unwrap();
    for song in &songs {
        assert_eq!(store.get(&song.path).unwrap().as_ref(), Some(song));
        let nearest = store.nearest(&song.embedding, &search(1, 1, Filter::All)).unwrap();
        assert_eq!((nearest[0].song == *song, nearest[0].score > 0.9999), (true, true), "{}", song.path);
    }
    assert_eq!(store.get("b.wav").unwrap(), None);

    songs[0].genre = "jazz".into();
    songs[0].embedding = Embedding::new(noise(99).take(200).collect()).unwrap();
    store.upsert(&songs[..1]).unwrap();
    assert_eq!(store.get(&songs[0].path).unwrap().as_ref(), Some(&songs[0]), "replaced");
    assert_eq!(store.count(&Filter::All).unwrap(), songs.len());
    let nearest = store.nearest(&songs[0].embedding, &search(1, 1, Filter::All)).unwrap();
    assert_eq!(nearest[0].song, songs[0], "the new vector counts");

    let twice = [song("twice", "old", &[1.0; 200]), song("twice", "new", &[2.0; 200])];
    store.upsert(&twice).unwrap();
    assert_eq!(store.get("twice").unwrap().unwrap().genre, "new", "the last of a batch stays");
    assert_eq!((store.delete("twice").unwrap(), store.delete("twice").unwrap()), (true, false));

    let hashes: HashMap<String, String> =
        songs.iter().map(|song| (song.path.clone(), song.content_hash.clone())).collect();
    assert_eq!(store.content_hashes().unwrap(), hashes);

    songs.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(store.list(&Filter::All, 0, usize::MAX).unwrap(), songs);
    for (from, size) in [(0, 2), (2, 2), (6, 5), (7, 1), (usize::MAX, 1), (0, 0)] {
        let expected: Vec<&str> = paths(&songs).into_iter().skip(from).take(size).collect();
        assert_eq!(paths(&store.list(&Filter::All, from, size).unwrap()), expected, "{size} from {from}");
    }
}

fn filters(make: Make) {
    let mut store = make(stamp(2));
    let mut songs = vec![
        song("a.wav", "rock", &[1.0, 0.0]),
        song("b.wav", "jazz", &[1.0, 0.2]),
        song("c.wav", "", &[1.0, 0.4]),
        song("d.wav", "Rock", &[1.0, 0.6]),
        song("e.wav", "it's", &[1.0, 0.8]),
    ];
    songs[1].title = String::new();
    store.upsert(&songs).unwrap();
    let genre = |name: &str| Filter::genre(name);
    let cases = [
        (Filter::All, "a b c d e"),
        (Filter::All.not(), ""),
        (Filter::exists(Field::Genre), "a b d e"),
        (Filter::exists(Field::Title), "a c d e"),
        (Filter::exists(Field::Path).not(), ""),
        (genre("rock"), "a"),
        (genre(""), "c"),
        (genre("it's"), "e"),
        (genre("' OR 1=1 --"), ""),
        (genre("rock").not(), "b c d e"),
        (Filter::Is(Field::Title, "d".into()), "d"),
        (Filter::Is(Field::Path, "d".into()), ""),
        (Filter::Is(Field::Path, "d.wav".into()), "d"),
        (genre("rock").or(genre("jazz")), "a b"),
        (genre("rock").and(genre("jazz")), ""),
        (genre("rock").or(genre("jazz")).and(Filter::exists(Field::Title)), "a"),
        (genre("rock").or(genre("jazz").and(Filter::exists(Field::Title))), "a"),
        (genre("rock").or(genre("jazz")).not().and(Filter::exists(Field::Genre)), "d e"),
        (genre("rock").not().or(genre("rock")).and(genre("it's").not()), "a b c d"),
    ];
    for (filter, letters) in cases {
        let expected: Vec<String> = letters.split_whitespace().map(|letter| format!("{letter}.wav")).collect();
        assert_eq!(store.count(&filter).unwrap(), expected.len(), "{filter:?}");
        assert_eq!(paths(&store.list(&filter, 0, 10).unwrap()), expected, "{filter:?}");
        let query = Embedding::new(vec![1.0, 0.0]).unwrap();
        let nearest = store.nearest(&query, &search(10, 10, filter.clone())).unwrap();
        assert_eq!(found(&nearest), expected, "{filter:?}: also the order of their distance");
    }
}

fn edges(make: Make) {
    let mut store = make(stamp(3));
    let query = Embedding::new(vec![1.0, 0.0, 0.0]).unwrap();
    assert_eq!(store.nearest(&query, &Search::default()).unwrap(), []);
    assert_eq!((store.count(&Filter::All).unwrap(), store.list(&Filter::All, 0, 10).unwrap()), (0, vec![]));
    assert_eq!((store.get("a").unwrap(), store.delete("a").unwrap()), (None, false));
    assert!(store.content_hashes().unwrap().is_empty());

    let good = song("good", "", &[1.0, 0.0, 0.0]);
    let outcome = store.upsert(&[good.clone(), song("short", "", &[1.0, 0.0])]);
    assert!(matches!(outcome, Err(Error::WrongDimensions { got: 2, expected: 3, .. })), "{outcome:?}");
    let outcome = store.upsert(&[good.clone(), song("silent", "", &[0.0; 3])]);
    assert!(matches!(&outcome, Err(Error::Silent { what }) if what == "silent"), "{outcome:?}");
    let outcome = store.upsert(&[good.clone(), Song { duration_seconds: f64::NAN, ..good.clone() }]);
    assert!(matches!(outcome, Err(Error::BadArgument { argument: "duration_seconds", .. })), "{outcome:?}");
    let outcome = store.upsert(&[good.clone(), Song { tags: vec![("rock".into(), f32::NAN)], ..good.clone() }]);
    assert!(matches!(outcome, Err(Error::BadArgument { argument: "tags", .. })), "{outcome:?}");
    assert_eq!(store.count(&Filter::All).unwrap(), 0, "all or none");

    store.upsert(&[good, song("other", "", &[-1.0, 0.0, 0.0])]).unwrap();
    for k in [2, 3, 1000] {
        let nearest = store.nearest(&query, &search(k, k.max(100), Filter::All)).unwrap();
        assert_eq!(found(&nearest), ["good", "other"], "k of {k}");
        assert!((nearest[0].score - 1.0).abs() < 1e-5 && (nearest[1].score + 1.0).abs() < 1e-5);
    }
    assert_eq!(found(&store.nearest(&query, &search(1, 1, Filter::All)).unwrap()), ["good"]);
    for (size, expected) in [(0, &[][..]), (1, &["good"]), (2, &["good", "other"])] {
        let nearest = store.nearest(&query, &Search { size, ..Search::default() }).unwrap();
        assert_eq!(found(&nearest), expected, "size of {size}");
    }
    let outcome = store.nearest(&query, &search(0, 10, Filter::All));
    assert!(matches!(outcome, Err(Error::BadArgument { argument: "k", .. })), "{outcome:?}");
    let outcome = store.nearest(&query, &search(11, 10, Filter::All));
    assert!(matches!(outcome, Err(Error::BadArgument { argument: "num_candidates", .. })), "{outcome:?}");
    let outcome = store.nearest(&Embedding::zero(3), &Search::default());
    assert!(matches!(outcome, Err(Error::Silent { .. })), "{outcome:?}");
    let outcome = store.nearest(&Embedding::zero(4), &Search::default());
    assert!(matches!(outcome, Err(Error::WrongDimensions { got: 4, expected: 3, .. })), "{outcome:?}");
}

/// More copies of a song than candidates: which are found must not depend on the order they were stored in.
fn ties(make: Make) {
    let mut store = make(stamp(8));
    let copies: Vec<Song> =
        (0..300).rev().map(|i| song(&format!("{i:03}"), "", &[0.3, 0.1, 0.2, 0.7, 0.1, 0.5, 0.9, 0.4])).collect();
    store.upsert(&copies).unwrap();
    let nearest = store.nearest(&copies[0].embedding, &search(3, 100, Filter::All)).unwrap();
    assert_eq!(found(&nearest), ["000", "001", "002"]);
}

fn ten_thousand(make: Make) {
    let mut store = make(stamp(200));
    let songs: Vec<Song> = (0..10_000)
        .map(|i| song(&format!("{i:05}"), ["rock", "jazz"][i % 2], &noise(i as u64).take(200).collect::<Vec<_>>()))
        .collect();
    for batch in songs.chunks(1000) {
        store.upsert(batch).unwrap();
    }
    assert_eq!(store.count(&Filter::genre("jazz")).unwrap(), 5_000);
    assert_eq!(store.list(&Filter::All, 9_990, 20).unwrap(), songs[9_990..]);
    for seed in 0..20 {
        let query = Embedding::new(noise(1_000_000 + seed).take(200).collect()).unwrap();
        for (filter, step) in [(Filter::All, 1), (Filter::genre("rock"), 2)] {
            let nearest = store.nearest(&query, &search(10, 10, filter)).unwrap();
            assert_eq!(found(&nearest), brute(&query, songs.iter().step_by(step), 10));
        }
    }
}

fn brute<'a>(query: &Embedding, songs: impl Iterator<Item = &'a Song>, k: usize) -> Vec<&'a str> {
    let mut all: Vec<(f32, &str)> =
        songs.map(|song| (query.cosine(&song.embedding).unwrap(), song.path.as_str())).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    all.into_iter().take(k).map(|(_, path)| path).collect()
}

/// Makes a store in a new folder each time; the folders last as long as the closure.
fn embedded() -> impl FnMut(Stamp) -> Box<dyn Store> {
    let mut folders = Vec::new();
    move |stamp| {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path(), stamp).unwrap();
        folders.push(folder);
        Box::new(store)
    }
}

#[test]
fn the_embedded_store_keeps_the_contract() {
    contract(&mut embedded());
}
