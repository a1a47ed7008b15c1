//! Where notes begin.

use ndarray::{Array2, Axis};

use super::framing::Framing;

/// Computes how strongly notes begin in each frame, from a mel spectrogram in decibels (bands x frames): the mean rise
/// over all bands since the frame before, shifted to where the frame is centred. `librosa.onset.onset_strength`; after
/// Böck and Widmer 2013. One value a frame.
pub fn onset_strength(mel_db: &Array2<f32>, framing: Framing) -> Vec<f32> {
    let Framing { n_fft, hop_length, .. } = framing.at_least_one();
    let frames = mel_db.ncols();
    let mut rises = vec![0.0_f64; frames.saturating_sub(1)];
    for band in mel_db.axis_iter(Axis(0)) {
        for (rise, (before, now)) in rises.iter_mut().zip(band.iter().zip(band.iter().skip(1))) {
            *rise += f64::from((now - before).max(0.0));
        }
    }
    let bands = mel_db.nrows() as f64;
    let delay = 1 + n_fft / (2 * hop_length);
    std::iter::repeat_n(0.0, delay).chain(rises.iter().map(|rise| (rise / bands) as f32)).take(frames).collect()
}
