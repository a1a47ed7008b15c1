//! The bundled model says what it says behind librosa's front end; `golden/musicnn.py` made the figures.

use earworm::prelude::*;
use serde_json::Value;

const CLIP: &str = "notebooks/audios/bella_ciao_humming.wav";

fn golden(case: &str, what: &str) -> Vec<f32> {
    let document: Value = serde_json::from_str(include_str!("golden/musicnn.json")).unwrap();
    document[case][what].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

/// How far the tags are from the golden ones at most, whatever their order.
fn tag_error(tags: &Tags, golden: &[f32]) -> f32 {
    let mut ours: Vec<f32> = tags.top(golden.len()).iter().map(|(_, score)| *score).collect();
    let mut theirs = golden.to_vec();
    ours.sort_by(f32::total_cmp);
    theirs.sort_by(f32::total_cmp);
    ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn front_end_and_model_agree_with_librosa_and_onnxruntime() {
    let clip = load(CLIP).unwrap();
    let audio = Audio::new("as 16 kHz", clip.samples().to_vec(), 16_000).unwrap();
    let heard = Model::musicnn().unwrap().listen(&audio).unwrap();
    let reference = golden("unresampled", "embedding");
    let worst = heard.embedding.as_slice().iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("embedding off by {worst:.1e}, tags by {:.1e}", tag_error(&heard.tags, &golden("unresampled", "tags")));
    assert!(worst < 1e-4, "embedding off by {worst}");
    assert!(tag_error(&heard.tags, &golden("unresampled", "tags")) < 1e-4);
}

#[test]
fn resampling_costs_next_to_nothing() {
    let heard = Model::musicnn().unwrap().listen_to_file(CLIP).unwrap();
    let reference = Embedding::new(golden("resampled", "embedding")).unwrap();
    let cosine = heard.embedding.cosine(&reference).unwrap();
    println!("cosine {cosine:.6}, tags off by {:.1e}", tag_error(&heard.tags, &golden("resampled", "tags")));
    assert!(cosine > 0.9999, "cosine {cosine}");
    assert!(tag_error(&heard.tags, &golden("resampled", "tags")) < 0.01);
}

#[test]
fn a_file_and_its_samples_sound_the_same() {
    let model = Model::musicnn().unwrap();
    let streamed = model.listen_to_file(CLIP).unwrap();
    let loaded = model.listen(&load(CLIP).unwrap()).unwrap();
    assert!(streamed.embedding.cosine(&loaded.embedding).unwrap() > 0.999_999);
    assert!((streamed.duration_seconds - loaded.duration_seconds).abs() < 1e-9);
}
