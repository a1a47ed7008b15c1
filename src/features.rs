//! Audio features, numerically equal to those of librosa 0.11: spectrograms, mel bands, MFCC, chroma, contrast.
//!
//! ```
//! use earworm::features::{Framing, Spectrogram, mel_spectrogram, mfcc, power_to_db, DbReference};
//!
//! let a4: Vec<f32> = (0..22_050).map(|i| (i as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
//! let spectrogram = Spectrogram::new(&a4, 22_050, Framing::default());
//! let mel = mel_spectrogram(&spectrogram, 128);
//! let coefficients = mfcc(&power_to_db(&mel, DbReference::One), 20);
//! assert_eq!(coefficients.dim(), (20, 44));
//! ```
//!
//! Arrays are rows x frames, as in librosa. Frame `t` is centred on sample `t * hop_length`; where `n_fft` is even,
//! `len` samples make `1 + len / hop_length` frames, so that no samples at all make one silent frame. Samples are
//! expected to be finite, and the sample rate above 0. A size of 0 counts as 1.

mod chroma;
mod contrast;
mod decibel;
mod framing;
mod front_end;
mod mel;
mod mfcc;
mod onset;
mod spectrogram;
mod tuning;

use ndarray::Array2;

pub use chroma::{chroma_stft, chroma_stft_tuned};
pub use contrast::{spectral_centroid, spectral_contrast};
pub use decibel::{DbReference, power_to_db};
pub use framing::{Framing, Padding};
pub use front_end::{MelFrontEnd, MelSpec};
pub use mel::{MelFilterbank, MelScale, hz_to_mel, mel_spectrogram, mel_to_hz};
pub use mfcc::mfcc;
pub use onset::onset_strength;
pub use spectrogram::Spectrogram;
pub use tuning::estimate_tuning;

/// What a piece of audio is like from moment to moment, with librosa's default settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Samples per second of the audio.
    pub sample_rate: u32,
    /// Samples from one frame to the next: 512.
    pub hop_length: usize,
    /// Samples of audio that were analysed.
    pub samples: usize,
    /// Energy in 128 mel bands from 0 Hz to half the sample rate, in dB below the loudest: -80..0. Bands x frames.
    pub mel_db: Array2<f32>,
    /// The first 20 mel-frequency cepstral coefficients. Coefficients x frames.
    pub mfcc: Array2<f32>,
    /// Energy of the 12 pitch classes from C to B, where the strongest of each frame is 1. Pitch classes x frames.
    pub chroma: Array2<f32>,
    /// Peaks over valleys in dB, below 200 Hz and in the octaves above: 7 bands, fewer at 12800 Hz and less.
    /// Bands x frames.
    pub spectral_contrast: Array2<f32>,
}

impl Features {
    /// Computes all features of mono samples at `sample_rate` hertz from one spectrogram, which takes 8 times the
    /// memory of the samples.
    pub fn new(samples: &[f32], sample_rate: u32) -> Self {
        let framing = Framing::default();
        let spectrogram = Spectrogram::new(samples, sample_rate, framing);
        let mel_db = power_to_db(&mel_spectrogram(&spectrogram, 128), DbReference::One);
        let loudest = mel_db.iter().copied().fold(f32::MIN, f32::max);
        Self {
            sample_rate,
            hop_length: framing.hop_length,
            samples: samples.len(),
            mfcc: mfcc(&mel_db, 20),
            mel_db: mel_db - loudest,
            chroma: chroma_stft(&spectrogram),
            spectral_contrast: spectral_contrast(&spectrogram),
        }
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.mel_db.ncols()
    }

    /// The length of the audio in seconds.
    pub fn duration_seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.sample_rate)
    }
}

/// Computes the tutorial's features of audio, with librosa's defaults at the audio's own sample rate.
pub fn features(audio: &crate::Audio) -> Features {
    Features::new(audio.samples(), audio.sample_rate())
}
