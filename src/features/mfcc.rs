//! Mel-frequency cepstral coefficients.

use std::f64::consts::{PI, SQRT_2};

use ndarray::Array2;

/// Computes the first `n_mfcc` coefficients, at most as many as there are bands, of a mel spectrogram in decibels
/// (bands x frames): the orthonormal DCT-II of each frame, `librosa.feature.mfcc`. Coefficients x frames.
pub fn mfcc(mel_db: &Array2<f32>, n_mfcc: usize) -> Array2<f32> {
    let n_mels = mel_db.nrows();
    let scale = (2.0 / n_mels.max(1) as f64).sqrt();
    let cosines = Array2::from_shape_fn((n_mfcc.min(n_mels), n_mels), |(k, band)| {
        let cosine = (PI * k as f64 * (band as f64 + 0.5) / n_mels as f64).cos();
        (if k == 0 { scale / SQRT_2 } else { scale } * cosine) as f32
    });
    cosines.dot(mel_db)
}
