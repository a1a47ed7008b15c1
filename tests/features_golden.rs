//! Features against librosa 0.11: `tests/golden/features.py` makes the files.
//!
//! An error is the greatest absolute difference over the greatest absolute value of the whole array.

use std::path::Path;

use earworm::features::*;
use ndarray::Array2;

const SAMPLE_RATE: u32 = 22_050;
const TOLERANCE: f32 = 1e-5;

const MUSICNN: MelSpec = MelSpec {
    sample_rate: 16_000,
    n_fft: 512,
    hop_length: 256,
    n_mels: 96,
    fmin_hz: 0.0,
    fmax_hz: 8_000.0,
    padding: Padding::Constant,
};

const PANNS: MelSpec = MelSpec {
    sample_rate: 32_000,
    n_fft: 1024,
    hop_length: 320,
    n_mels: 64,
    fmin_hz: 50.0,
    fmax_hz: 14_000.0,
    padding: Padding::Reflect,
};

/// Reads an .npy file in C order of one or two dimensions; i2 is scaled to -1..1.
fn npy(name: &str) -> Array2<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/features/{name}.npy"));
    let bytes = std::fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    let (_, shape) = header.split_once("'shape': (").unwrap();
    let (shape, _) = shape.split_once(')').unwrap();
    let shape: Vec<usize> = shape.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    let values: Vec<f32> = if header.contains("'<i2'") {
        bytes[start..].as_chunks().0.iter().map(|&x| f32::from(i16::from_le_bytes(x)) / 32768.0).collect()
    } else {
        bytes[start..].as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect()
    };
    let rows = if shape.len() == 2 { shape[0] } else { 1 };
    Array2::from_shape_vec((rows, values.len() / rows), values).unwrap()
}

fn audio() -> Vec<f32> {
    npy("audio").into_raw_vec_and_offset().0
}

fn spectrogram() -> Spectrogram {
    Spectrogram::new(&audio(), SAMPLE_RATE, Framing::default())
}

fn mel_frames<'a>(spec: MelSpec, pieces: impl IntoIterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut front_end = MelFrontEnd::new(spec);
    let mut frames = Vec::new();
    pieces.into_iter().for_each(|piece| front_end.push(piece, &mut frames));
    front_end.finish(&mut frames);
    frames
}

/// Asserts that values are those of a golden file, in their order in memory and all of them.
#[track_caller]
fn assert_golden(name: &str, values: &Array2<f32>) {
    let golden = npy(name);
    assert_eq!(values.dim(), golden.dim(), "{name}");
    let greatest = golden.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
    let error = values.iter().zip(&golden).fold(0.0_f32, |max, (x, y)| max.max((x - y).abs())) / greatest;
    println!("{name}: {error:.1e}");
    assert!(error <= TOLERANCE, "{name} is off by {error:.1e}");
}

fn row(values: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec((1, values.len()), values).unwrap()
}

fn frames(values: Vec<f32>, n_mels: usize) -> Array2<f32> {
    Array2::from_shape_vec((values.len() / n_mels, n_mels), values).unwrap()
}

#[test]
fn mel_spectrogram_is_that_of_librosa() {
    assert_golden("mel", &mel_spectrogram(&spectrogram(), 128));
}

#[test]
fn features_are_those_of_librosa() {
    let features = Features::new(&audio(), SAMPLE_RATE);
    assert_golden("mel_db", &features.mel_db);
    assert_eq!(features.mel_db, power_to_db(&mel_spectrogram(&spectrogram(), 128), DbReference::Max));
    assert_golden("mfcc", &features.mfcc);
    assert_golden("chroma", &features.chroma);
    assert_golden("spectral_contrast", &features.spectral_contrast);
    assert_eq!((features.frames(), features.hop_length), (87, 512));
    assert_eq!(features.duration_seconds(), 2.0);
}

#[test]
fn tuning_is_that_of_librosa() {
    assert_golden("tuning", &row(vec![estimate_tuning(&spectrogram()) as f32]));
}

#[test]
fn spectral_centroid_is_that_of_librosa() {
    assert_golden("spectral_centroid", &row(spectral_centroid(&spectrogram())));
}

#[test]
fn onset_strength_is_that_of_librosa() {
    let mel_db = power_to_db(&mel_spectrogram(&spectrogram(), 128), DbReference::One);
    assert_golden("onset_strength", &row(onset_strength(&mel_db, Framing::default())));
}

#[test]
fn front_end_of_musicnn_is_that_of_librosa() {
    let mel = mel_frames(MUSICNN, [&audio()[..SAMPLE_RATE as usize]]);
    let log = mel.iter().map(|mel| (10_000.0 * mel + 1.0).log10()).collect();
    assert_golden("musicnn", &frames(log, MUSICNN.n_mels));
}

#[test]
fn front_end_of_panns_is_that_of_librosa() {
    let audio = audio();
    let mel = mel_frames(PANNS, [&audio[..SAMPLE_RATE as usize]]);
    let log = mel.iter().map(|mel| 10.0 * mel.max(1e-10).log10()).collect();
    assert_golden("panns", &frames(log, PANNS.n_mels));
    assert_golden("panns_short", &frames(mel_frames(PANNS, [&audio[4000..4100]]), PANNS.n_mels));
}

#[test]
fn filters_on_the_htk_scale_are_those_of_librosa() {
    let power: Vec<f32> = (0..257).map(|bin| bin as f32 / 256.0).collect();
    let mut mel = vec![0.0; 26];
    MelFilterbank::new(16_000, 512, 26, 300.0, 7_000.0, MelScale::Htk).apply(&power, &mut mel);
    assert_golden("htk_mel", &row(mel));
}

#[test]
fn mel_scales_go_both_ways() {
    for scale in [MelScale::Slaney, MelScale::Htk] {
        for hz in [0.0, 440.0, 999.9, 1000.0, 8000.0] {
            assert!((scale.mel_to_hz(scale.hz_to_mel(hz)) - hz).abs() < 1e-9);
        }
    }
    assert_eq!((hz_to_mel(200.0), mel_to_hz(15.0)), (3.0, 1000.0));
}

#[test]
fn frames_do_not_depend_on_the_pieces() {
    let audio = audio();
    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for round in 0..60 {
        let padding = [Padding::Constant, Padding::Reflect][round % 2];
        let hop_length = [64, 160, 320, 700, 1024, 1500][round % 6];
        let spec = MelSpec { n_fft: [1024, 511][round / 30], hop_length, padding, ..PANNS };
        let len = random([600, 5_000, 30_000][round % 3]);
        let whole = mel_frames(spec.clone(), [&audio[..len]]);
        let mut pieces = Vec::new();
        let mut rest = &audio[..len];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random([5, 400, 9_000][round / 2 % 3]).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(mel_frames(spec.clone(), pieces), whole, "{len} samples, {spec:?}");
        let odd = spec.n_fft % 2;
        assert_eq!(whole.len(), (1 + len.saturating_sub(odd) / spec.hop_length) * 64, "{len} samples, {spec:?}");
    }
}

#[test]
fn front_end_starts_anew_after_the_end() {
    let audio = audio();
    let mut front_end = MelFrontEnd::new(PANNS);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    front_end.push(&audio[..7_000], &mut first);
    front_end.finish(&mut first);
    front_end.push(&audio[..7_000], &mut second);
    front_end.finish(&mut second);
    assert_eq!(first, second);
}

#[test]
fn any_length_has_features() {
    let audio = audio();
    for len in [0, 1, 2, 511, 512, 513, 1023, 1024, 2047, 2049, 5000] {
        for sample_rate in [1, 200, 8_000, 12_800, 16_000, 48_000, 192_000, 1_000_000] {
            let features = Features::new(&audio[..len], sample_rate);
            let Features { mel_db, mfcc, chroma, spectral_contrast, .. } = &features;
            let count = 1 + len / 512;
            assert_eq!((mel_db.dim(), mfcc.dim(), chroma.dim()), ((128, count), (20, count), (12, count)));
            assert_eq!(spectral_contrast.ncols(), count);
            for values in [mel_db, mfcc, chroma, spectral_contrast] {
                assert!(values.iter().all(|x| x.is_finite()), "{len} samples at {sample_rate} Hz");
            }
            mel_frames(PANNS, [&audio[..len]]);
        }
    }
}

#[test]
fn silence_is_flat() {
    let features = Features::new(&[0.0; 4096], SAMPLE_RATE);
    assert!(features.mel_db.iter().all(|&x| x == 0.0));
    assert!(features.chroma.iter().all(|&x| x == 0.0));
    assert!(features.spectral_contrast.iter().all(|&x| x == 0.0));
    assert_eq!(features.mfcc.row(0)[0].round(), (-100.0 * 128_f32.sqrt()).round());
    let silence = Spectrogram::new(&[0.0; 4096], SAMPLE_RATE, Framing::default());
    assert_eq!(spectral_centroid(&silence), [0.0; 9]);
    assert_eq!(estimate_tuning(&silence), 0.0);
}

#[test]
fn sizes_of_0_count_as_1() {
    let nothing = Framing { n_fft: 0, hop_length: 0, padding: Padding::Reflect };
    let spectrogram = Spectrogram::new(&[0.5; 8], SAMPLE_RATE, nothing);
    assert_eq!(spectrogram.power().dim(), (1, 8));
    assert_eq!(mel_spectrogram(&spectrogram, 0).dim(), (1, 8));
    assert_eq!(mfcc(&mel_spectrogram(&spectrogram, 0), 0).dim(), (0, 8));
    assert_eq!(spectral_contrast(&spectrogram).ncols(), 8);
    assert_eq!(chroma_stft(&spectrogram).dim(), (12, 8));
    assert_eq!(Spectrogram::new(&[], SAMPLE_RATE, nothing).frames(), 0);
    let spec = MelSpec { n_fft: 0, hop_length: 0, n_mels: 0, ..MUSICNN };
    assert_eq!(mel_frames(spec, [&[0.5; 8][..]]).len(), 8);
}
