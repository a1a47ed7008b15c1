//! The nearest songs of the embedded store, against a plain loop over all of them, for any songs and filters.

use std::collections::HashMap;

use earworm::Embedding;
use earworm::store::embedded::EmbeddedStore;
use earworm::store::{Field, Filter, Neighbour, Search, Song, Stamp, Store};
use proptest::prelude::*;

fn song(path: String, title: String, genre: String, vector: Vec<f32>) -> Song {
    Song {
        path,
        title,
        genre,
        tags: vec![],
        timestamp: "2026-01-02T03:04:05Z".parse().unwrap(),
        duration_seconds: 12.34,
        content_hash: String::new(),
        embedding: Embedding::new(vector).unwrap(),
    }
}

fn passes(filter: &Filter, song: &Song) -> bool {
    let value = |field: &Field| match field {
        Field::Path => &song.path,
        Field::Title => &song.title,
        Field::Genre => &song.genre,
    };
    match filter {
        Filter::All => true,
        Filter::Exists(field) => !value(field).is_empty(),
        Filter::Is(field, wanted) => value(field) == wanted,
        Filter::And(a, b) => passes(a, song) && passes(b, song),
        Filter::Or(a, b) => passes(a, song) || passes(b, song),
        Filter::Not(inner) => !passes(inner, song),
    }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let field = prop::sample::select(vec![Field::Path, Field::Title, Field::Genre]);
    let leaf = prop_oneof![
        Just(Filter::All),
        field.clone().prop_map(Filter::Exists),
        (field, "[ab']?").prop_map(|(field, value)| Filter::Is(field, value)),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.or(b)),
            inner.prop_map(Filter::not),
        ]
    })
}

fn any_songs() -> impl Strategy<Value = Vec<Song>> {
    // Small whole numbers, so that many songs are copies or near ties.
    let vector = prop::collection::vec((-2_i8..=2).prop_map(f32::from), 5)
        .prop_filter("zero", |vector| vector.iter().any(|&x| x != 0.0));
    let one = ("[ab']{0,2}", "[ab']?", "[ab']?", vector)
        .prop_map(|(path, title, genre, vector)| song(path, title, genre, vector));
    prop::collection::vec(one, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nearest_is_brute_force(
        songs in any_songs(), more in any_songs(), filter in any_filter(), query in any_songs(), k in 1_usize..40
    ) {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp { model: "property".into(), dimensions: 5, front_end_version: 1 };
        let mut store = EmbeddedStore::open(folder.path(), stamp).unwrap();
        // Mostly unique paths; the others replace songs of the same batch or of the first one.
        let numbered = |songs: Vec<Song>| -> Vec<Song> {
            let path = |i: usize, path: String| if i.is_multiple_of(7) { path } else { format!("{path}{i}") };
            songs.into_iter().enumerate().map(|(i, song)| Song { path: path(i, song.path), ..song }).collect()
        };
        let query = query.first().map_or_else(|| Embedding::new(vec![1.0; 5]).unwrap(), |song| song.embedding.clone());
        let mut truth: HashMap<String, Song> = HashMap::new();
        for batch in [numbered(songs), numbered(more)] {
            store.upsert(&batch).unwrap();
            truth.extend(batch.into_iter().map(|song| (song.path.clone(), song)));
            let search = Search { k, num_candidates: k, filter: filter.clone(), ..Search::default() };
            let nearest = store.nearest(&query, &search).unwrap();
            let kept: Vec<&Song> = truth.values().filter(|song| passes(&filter, song)).collect();
            prop_assert_eq!(store.count(&filter).unwrap(), kept.len());
            // Few dimensions: reading may change the last bit of a vector, so ties are compared by score.
            let mut scores: Vec<f32> = kept.iter().map(|song| query.cosine(&song.embedding).unwrap()).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            prop_assert_eq!(nearest.len(), k.min(kept.len()));
            for (neighbour, score) in nearest.iter().zip(scores) {
                prop_assert!((neighbour.score - score).abs() < 1e-6);
                prop_assert!(passes(&filter, &neighbour.song));
                let true_song = &truth[&neighbour.song.path];
                prop_assert!((query.cosine(&true_song.embedding).unwrap() - score).abs() < 1e-6);
            }
            let ordered = |a: &Neighbour, b: &Neighbour| (b.score, &a.song.path) < (a.score, &b.song.path);
            prop_assert!(nearest.is_sorted_by(ordered));
        }
    }
}
