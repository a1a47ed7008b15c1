//! Energy of the twelve pitch classes.

use ndarray::Array2;

use super::spectrogram::Spectrogram;
use super::tuning::estimate_tuning;

const PITCH_CLASSES: usize = 12;

/// The octave that counts most, where octave 0 begins at 27.5 Hz, and how wide the bell around it is.
const CENTRE_OCTAVE: f64 = 5.0;
const OCTAVE_WIDTH: f64 = 2.0;

/// Computes the energy of the pitch classes from C to B, tuned to the music, where the strongest of each frame is 1:
/// `librosa.feature.chroma_stft`. Pitch classes x frames.
pub fn chroma_stft(spectrogram: &Spectrogram) -> Array2<f32> {
    chroma_stft_tuned(spectrogram, estimate_tuning(spectrogram))
}

/// Computes chroma for a tuning in semitones above A = 440 Hz.
pub fn chroma_stft_tuned(spectrogram: &Spectrogram, tuning_semitones: f64) -> Array2<f32> {
    let weights = filters(spectrogram, tuning_semitones);
    spectrogram.map_frames(PITCH_CLASSES, |power, chroma| {
        let mut sums = [0.0; PITCH_CLASSES];
        for (&power, weights) in power.iter().zip(&weights) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += power * weight;
            }
        }
        let greatest = sums.iter().copied().fold(0.0, f32::max);
        let scale = if greatest < f32::MIN_POSITIVE { 1.0 } else { greatest };
        chroma.iter_mut().zip(sums).for_each(|(chroma, sum)| *chroma = sum / scale);
    })
}

/// How much each bin adds to each pitch class: a bell around each note, of length 1 over all notes, times a bell over
/// the octaves. `librosa.filters.chroma`; after Ellis, `fft2chromamx`.
fn filters(spectrogram: &Spectrogram, tuning_semitones: f64) -> Vec<[f32; PITCH_CLASSES]> {
    let classes = PITCH_CLASSES as f64;
    let a0_hz = 440.0 * (tuning_semitones / classes).exp2() / 16.0;
    let semitone = |bin: usize| classes * (spectrogram.bin_hz(bin) / a0_hz).log2();
    // 0 Hz has no pitch: it is taken to be an octave and a half below the first bin.
    let semitone = |bin: usize| if bin == 0 { semitone(1) - 1.5 * classes } else { semitone(bin) };
    let bell = |x: f64| (-0.5 * x * x).exp();
    let filter = |bin: usize| {
        let here = semitone(bin);
        let width = (semitone(bin + 1) - here).max(1.0);
        // Semitones count from A, pitch classes from C, three semitones above.
        let notes: [f64; PITCH_CLASSES] = std::array::from_fn(|class| {
            let note = ((class + 3) % PITCH_CLASSES) as f64;
            let distance = (here - note + classes / 2.0).rem_euclid(classes) - classes / 2.0;
            bell(2.0 * distance / width)
        });
        let length = notes.iter().map(|note| note * note).sum::<f64>().sqrt();
        let octave = bell((here / classes - CENTRE_OCTAVE) / OCTAVE_WIDTH);
        notes.map(|note| normal((note / length * octave) as f32))
    };
    (0..spectrogram.bins()).map(filter).collect()
}

/// Takes weights that change nothing to be 0: arithmetic on the tiniest floats is slow.
fn normal(weight: f32) -> f32 {
    if weight < 1e-20 { 0.0 } else { weight }
}
