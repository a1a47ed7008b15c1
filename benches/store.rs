//! How fast the embedded store is. `cargo bench --bench store`
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use earworm::Embedding;
use earworm::store::embedded::EmbeddedStore;
use earworm::store::{Filter, Search, Song, Stamp, Store};

/// A random unit vector, the same on every run: normal numbers point evenly in all directions.
fn direction(seed: u64, dimensions: usize) -> Embedding {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut normal = || (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
    Embedding::new((0..dimensions).map(|_| normal()).collect()).unwrap()
}

fn song(i: usize, dimensions: usize) -> Song {
    Song {
        path: format!("music/{i:06}.mp3"),
        title: format!("{i:06}"),
        genre: ["rock", "jazz", "pop", "folk"][i % 4].into(),
        tags: ["guitar", "rock", "drums", "fast", "male"].map(|tag| (tag.to_owned(), 0.25)).into(),
        timestamp: "2026-01-02T03:04:05Z".parse().unwrap(),
        duration_seconds: 30.0,
        content_hash: format!("{i:064x}"),
        embedding: direction(i as u64, dimensions),
    }
}

fn open(folder: &std::path::Path, dimensions: usize) -> EmbeddedStore {
    let stamp = Stamp { model: "bench".into(), dimensions, front_end_version: 1 };
    EmbeddedStore::open(folder, stamp).unwrap()
}

fn recall_at_10(store: &EmbeddedStore, songs: &[Song], dimensions: usize) -> f64 {
    let queries = 100;
    let hits: usize = (0..queries)
        .map(|seed| {
            let query = direction(1_000_000_007 + seed, dimensions);
            let mut all: Vec<(f32, &str)> =
                songs.iter().map(|song| (query.cosine(&song.embedding).unwrap(), song.path.as_str())).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
            let found = store.nearest(&query, &Search { k: 10, ..Search::default() }).unwrap();
            found.iter().filter(|hit| all[..10].iter().any(|(_, path)| *path == hit.song.path)).count()
        })
        .sum();
    hits as f64 / (10 * queries) as f64
}

fn nearest(criterion: &mut Criterion) {
    for (count, dimensions) in [(10_000, 200), (100_000, 200), (10_000, 2048)] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), dimensions);
        let songs: Vec<Song> = (0..count).map(|i| song(i, dimensions)).collect();
        songs.chunks(1000).for_each(|batch| store.upsert(batch).unwrap());
        let name = format!("nearest in {count} x {dimensions}");
        println!("{name}: recall@10 {:.4}", recall_at_10(&store, &songs, dimensions));
        let mut seed = 0;
        let mut next = || {
            seed += 1;
            direction(2_000_000_011 + seed, dimensions)
        };
        for (label, filter) in [("", Filter::All), (", one genre of four", Filter::genre("jazz"))] {
            let search = Search { k: 10, filter, ..Search::default() };
            criterion.bench_function(&format!("{name}{label}"), |bencher| {
                let run = |query| black_box(store.nearest(&query, &search).unwrap());
                bencher.iter_batched(&mut next, run, BatchSize::SmallInput);
            });
        }
    }
}

fn insertion(criterion: &mut Criterion) {
    let songs: Vec<Song> = (0..10_000).map(|i| song(i, 200)).collect();
    criterion.bench_function("insert 10000 x 200 in batches of 100", |bencher| {
        let fresh = || {
            let folder = tempfile::tempdir().unwrap();
            (open(folder.path(), 200), folder)
        };
        let run = |(mut store, folder): (EmbeddedStore, tempfile::TempDir)| {
            songs.chunks(100).for_each(|batch| store.upsert(batch).unwrap());
            (store, folder)
        };
        bencher.iter_batched(fresh, run, BatchSize::PerIteration);
    });
}

criterion_group! {
    name = store;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(4)).without_plots();
    targets = nearest, insertion
}
criterion_main!(store);
