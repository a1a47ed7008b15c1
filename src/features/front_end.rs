//! Mel frames of audio that arrives in pieces, as neural models take them.

use super::framing::{Framer, Framing, Padding};
use super::mel::{MelFilterbank, MelScale};
use super::spectrogram::Stft;

/// What mel frames a model takes.
#[derive(Clone, Debug, PartialEq)]
pub struct MelSpec {
    /// Samples per second.
    pub sample_rate: u32,
    /// Samples in a frame.
    pub n_fft: usize,
    /// Samples from one frame to the next.
    pub hop_length: usize,
    /// Mel bands, on Slaney's scale.
    pub n_mels: usize,
    /// Where the lowest band begins, in hertz.
    pub fmin_hz: f64,
    /// Where the highest band ends, in hertz.
    pub fmax_hz: f64,
    /// What stands beyond both ends of the audio.
    pub padding: Padding,
}

/// Turns audio that arrives in pieces into mel frames. The frames do not depend on how the audio is cut into pieces,
/// and equal `librosa.feature.melspectrogram`.
///
/// ```
/// use earworm::features::{MelFrontEnd, MelSpec, Padding};
///
/// let mut front_end = MelFrontEnd::new(MelSpec {
///     sample_rate: 16_000,
///     n_fft: 512,
///     hop_length: 256,
///     n_mels: 96,
///     fmin_hz: 0.0,
///     fmax_hz: 8_000.0,
///     padding: Padding::Constant,
/// });
/// let mut frames = Vec::new();
/// front_end.push(&[0.5; 700], &mut frames);
/// front_end.push(&[0.5; 324], &mut frames);
/// front_end.finish(&mut frames);
/// assert_eq!(frames.len(), (1 + 1024 / 256) * 96);
/// ```
pub struct MelFrontEnd {
    framer: Framer,
    stft: Stft,
    power: Vec<f32>,
    filters: MelFilterbank,
}

impl MelFrontEnd {
    /// Plans the transform and makes the filters.
    pub fn new(spec: MelSpec) -> Self {
        let MelSpec { sample_rate, n_fft, hop_length, n_mels, fmin_hz, fmax_hz, padding } = spec;
        let stft = Stft::new(n_fft);
        Self {
            framer: Framer::new(Framing { n_fft, hop_length, padding }),
            power: vec![0.0; stft.bins()],
            stft,
            filters: MelFilterbank::new(sample_rate, n_fft, n_mels, fmin_hz, fmax_hz, MelScale::Slaney),
        }
    }

    /// Takes in more audio and appends the frames that are complete: `n_mels` powers each, frame by frame.
    pub fn push(&mut self, samples: &[f32], frames: &mut Vec<f32>) {
        let Self { framer, stft, power, filters } = self;
        framer.push(samples, |frame| append(stft, power, filters, frame, frames));
    }

    /// Ends the audio, appends the remaining frames and gets ready for other audio.
    pub fn finish(&mut self, frames: &mut Vec<f32>) {
        let Self { framer, stft, power, filters } = self;
        framer.finish(|frame| append(stft, power, filters, frame, frames));
    }
}

fn append(stft: &mut Stft, power: &mut [f32], filters: &MelFilterbank, frame: &[f32], frames: &mut Vec<f32>) {
    stft.power(frame, power);
    let start = frames.len();
    frames.resize(start + filters.n_mels(), 0.0);
    filters.apply(power, &mut frames[start..]);
}
