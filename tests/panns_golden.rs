//! Cnn14 says what `panns_inference` says, given the same weights; `golden/panns.py` made the figures.

mod checkpoint;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Instant;

use earworm::model::Heard;
use earworm::prelude::*;
use earworm::pth::Fault;

const DIMENSIONS: usize = 2048;

/// The model with the weights of the recipe, from a file that is gone once it is loaded.
fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Cnn14.pth");
        let start = Instant::now();
        checkpoint::write(&file, &checkpoint::tensors()).unwrap();
        let written = start.elapsed();
        let model = Model::panns_from(&file, Device::Cpu).unwrap();
        println!("written in {written:.1?}, loaded in {:.1?}", start.elapsed() - written);
        model
    })
}

fn labels() -> Vec<&'static str> {
    include_str!("../models/audioset_labels.txt").lines().collect()
}

/// Gets a row of a golden file: an .npy file of f32 in rows.
fn golden(file: &[u8], row: usize, len: usize) -> Vec<f32> {
    let start = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let values = file[start..].as_chunks().0;
    assert!(values.len().is_multiple_of(len));
    values[row * len..][..len].iter().map(|&x| f32::from_le_bytes(x)).collect()
}

/// Makes the signal of a number as `golden/panns.py` does.
fn signal(seconds: f64, number: u32) -> Audio {
    let low = 55.0 * f64::from(1 << number);
    let turn = std::f64::consts::TAU;
    let samples = checkpoint::uniform(number.into()).take((seconds * 32_000.0).round() as usize).enumerate();
    let samples = samples.map(|(i, noise)| {
        let t = i as f64 / 32_000.0;
        let sweep = (turn * low * (t + 1.5 * t * t / seconds)).sin() * (0.5 + 0.5 * (2.0 * turn * t).sin());
        let noise = 2.0 * f64::from(noise) - 1.0;
        if t >= 0.5 * seconds && t < 0.6 * seconds {
            return 0.0;
        }
        (((0.4 * sweep + 0.05 * noise) * 32_768.0).round_ties_even() / 32_768.0) as f32
    });
    Audio::new("sweep", samples.collect(), 32_000).unwrap()
}

fn worst(ours: impl IntoIterator<Item = f32>, theirs: &[f32]) -> f32 {
    ours.into_iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The confidence in each label, in the order of the labels.
fn by_label(tags: &Tags) -> Vec<f32> {
    let scores: HashMap<&str, f32> = tags.top(usize::MAX).iter().map(|(tag, score)| (tag.as_str(), *score)).collect();
    labels().iter().map(|label| scores[label]).collect()
}

/// Finds how long the embedding was before it was scaled to unit length, by the logits: the last layer is linear.
fn length(heard: &Heard) -> f64 {
    let tensors = checkpoint::tensors();
    let weights_of = |name| tensors.iter().find(|tensor| tensor.name == name).unwrap().weights();
    let (weight, bias) = (weights_of("fc_audioset.weight"), weights_of("fc_audioset.bias"));
    let (mut along, mut square) = (0.0, 0.0);
    for ((row, bias), score) in weight.chunks_exact(DIMENSIONS).zip(bias).zip(by_label(&heard.tags)) {
        let score = f64::from(score);
        let logit = (score / (1.0 - score)).ln() - f64::from(bias);
        let unit: f64 = row.iter().zip(heard.embedding.as_slice()).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        along += logit * unit;
        square += unit * unit;
    }
    along / square
}

/// How far from the golden row: the embeddings' angle, their numbers before and after scaling, and the tags'.
struct Distance {
    cosine: f32,
    unit: f32,
    raw: f32,
    tags: f32,
}

fn compare(heard: &Heard, row: usize) -> Distance {
    let raw = golden(include_bytes!("golden/panns/embedding.npy"), row, DIMENSIONS);
    let clipwise = golden(include_bytes!("golden/panns/clipwise.npy"), row, labels().len());
    let unit = Embedding::new(raw.clone()).unwrap();
    let ours = heard.embedding.as_slice();
    let length = length(heard) as f32;
    let distance = Distance {
        cosine: heard.embedding.cosine(&unit).unwrap(),
        unit: worst(ours.iter().copied(), unit.as_slice()),
        raw: worst(ours.iter().map(|x| x * length), &raw),
        tags: worst(by_label(&heard.tags), &clipwise),
    };
    let Distance { cosine, unit, raw, tags } = distance;
    let seconds = heard.duration_seconds;
    println!("{seconds:.2} s: cosine {cosine:.8}, off by {unit:.1e}, {raw:.1e} unscaled, tags by {tags:.1e}");
    distance
}

fn assert_parity(seconds: f64, number: u32) {
    let heard = model().listen(&signal(seconds, number)).unwrap();
    let Distance { cosine, unit, raw, tags } = compare(&heard, number as usize);
    assert!(cosine >= 0.99999, "cosine {cosine}");
    assert!(unit <= 1e-4 && raw <= 1e-4, "embedding off by {unit}, {raw} before it was scaled");
    assert!(tags <= 1e-4, "tags off by {tags}");

    // The same tags come first, in the same order, but for those that rounding alone sets apart.
    let clipwise = golden(include_bytes!("golden/panns/clipwise.npy"), number as usize, labels().len());
    let theirs: HashMap<&str, f32> = labels().into_iter().zip(clipwise.iter().copied()).collect();
    let mut ranked = clipwise;
    ranked.sort_by(|a, b| b.total_cmp(a));
    for ((tag, score), expected) in heard.tags.top(20).iter().zip(ranked) {
        assert!(
            (theirs[tag.as_str()] - expected).abs() <= 1e-5,
            "{tag} has {score}, and {expected} was due in its place"
        );
    }
}

#[test]
fn one_second_sounds_as_to_panns_inference() {
    assert_parity(1.0, 0);
}

#[test]
fn three_seconds_sound_as_to_panns_inference() {
    assert_parity(3.05, 1);
}

#[test]
fn ten_seconds_sound_as_to_panns_inference() {
    assert_parity(10.0, 2);
}

#[test]
fn a_minute_sounds_as_to_panns_inference() {
    assert_parity(60.0, 3);
}

/// Compares with the clip as librosa loads and resamples it.
fn distance_of_clip(clip: &str, row: usize) -> Distance {
    let path = format!("notebooks/audios/{clip}");
    let streamed = model().listen_to_file(&path).unwrap();
    let loaded = model().listen(&load(&path).unwrap()).unwrap();
    assert!(streamed.embedding.cosine(&loaded.embedding).unwrap() > 0.999_999);
    compare(&streamed, row)
}

#[test]
fn a_stereo_file_of_44_khz_sounds_as_to_librosa_and_panns_inference() {
    let Distance { cosine, tags, .. } = distance_of_clip("bella_ciao_piano-solo.flac", 4);
    assert!(cosine >= 0.9999, "cosine {cosine}");
    assert!(tags <= 1e-3, "tags off by {tags}");
}

/// The model hears up to 14 kHz and this file ends at 11: just above, it hears what a resampler fails to keep out, so
/// faint that no ear would, but on a scale of decibels. There no two resamplers agree.
#[test]
fn a_file_of_22_khz_sounds_nearly_as_to_librosa_and_panns_inference() {
    let Distance { cosine, tags, .. } = distance_of_clip("greensleeves_guitar-solo.aiff", 5);
    assert!(cosine >= 0.998, "cosine {cosine}");
    assert!(tags <= 0.05, "tags off by {tags}");
}

/// What is said of a file with the given contents.
fn refusal(contents: &[u8]) -> (Fault, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Cnn14_mAP=0.431.pth");
    std::fs::write(&path, contents).unwrap();
    let error = Model::panns_from(&path, Device::Cpu).unwrap_err();
    let message = error.to_string();
    println!("{message}");
    assert!(message.contains(&path.display().to_string()), "{message}");
    let Error::Checkpoint { fault, .. } = error else { panic!("{message}") };
    (fault, message)
}

#[test]
fn a_truncated_checkpoint_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    checkpoint::write(file.path(), &checkpoint::tensors()[..20]).unwrap();
    let whole = std::fs::read(file.path()).unwrap();
    for len in [1, 20, 1000, whole.len() / 2, whole.len() - 1] {
        let (fault, message) = refusal(&whole[..len]);
        assert!(matches!(fault, Fault::Truncated { .. }), "{len} bytes: {message}");
        assert!(message.ends_with("Fetch it again."), "{message}");
    }
}

#[test]
fn a_web_page_is_refused() {
    let (fault, message) = refusal(b"<!DOCTYPE html>\n<html><head><title>Too Many Requests</title></head></html>\n");
    assert_eq!(fault, Fault::WebPage);
    assert!(message.contains("it is a web page. Download the file itself"), "{message}");
}

#[test]
fn an_empty_file_is_refused() {
    let (fault, message) = refusal(b"");
    assert_eq!(fault, Fault::Empty);
    assert!(message.contains("it is empty"), "{message}");
}

/// `EARWORM_PANNS` names the published weights, `Cnn14_mAP=0.431.pth`.
#[test]
fn the_published_weights_hear_the_demo_clips() {
    let Some(file) = std::env::var_os("EARWORM_PANNS") else { return };
    let model = Model::panns_from(file, Device::Cpu).unwrap();
    for clip in list_audio("notebooks/audios").unwrap() {
        let heard = model.listen_to_file(&clip).unwrap();
        println!("{}: {}", clip.display(), heard.tags);
        assert_eq!(heard.embedding.dimensions(), DIMENSIONS);
        assert!(heard.embedding.as_slice().iter().all(|x| x.is_finite()));
        assert!(!heard.embedding.is_zero());
        assert!(by_label(&heard.tags).iter().all(|score| (0.0..=1.0).contains(score)));
    }
}
