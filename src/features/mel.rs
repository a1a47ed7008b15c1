//! The mel scale, and filters along it.

use ndarray::Array2;

use super::spectrogram::Spectrogram;

/// A formula for pitch as it is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MelScale {
    /// Slaney's Auditory Toolbox: linear below 1000 Hz, logarithmic above. The default of librosa.
    #[default]
    Slaney,
    /// The HTK book: `2595 log10(1 + hz / 700)`.
    Htk,
}

/// Mels per hertz in the linear part of Slaney's scale, and where and how steeply its logarithmic part goes on.
const MELS_PER_HZ: f64 = 3.0 / 200.0;
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = BREAK_HZ * MELS_PER_HZ;
const MELS_PER_FACTOR_6_4: f64 = 27.0;

impl MelScale {
    /// Converts hertz to mels.
    pub fn hz_to_mel(self, hz: f64) -> f64 {
        match self {
            Self::Slaney if hz < BREAK_HZ => hz * MELS_PER_HZ,
            Self::Slaney => BREAK_MEL + (hz / BREAK_HZ).ln() / 6.4_f64.ln() * MELS_PER_FACTOR_6_4,
            Self::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
        }
    }

    /// Converts mels to hertz.
    pub fn mel_to_hz(self, mel: f64) -> f64 {
        match self {
            Self::Slaney if mel < BREAK_MEL => mel / MELS_PER_HZ,
            Self::Slaney => BREAK_HZ * 6.4_f64.powf((mel - BREAK_MEL) / MELS_PER_FACTOR_6_4),
            Self::Htk => 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0),
        }
    }
}

/// Converts hertz to mels on Slaney's scale.
pub fn hz_to_mel(hz: f64) -> f64 {
    MelScale::Slaney.hz_to_mel(hz)
}

/// Converts mels on Slaney's scale to hertz.
pub fn mel_to_hz(mel: f64) -> f64 {
    MelScale::Slaney.mel_to_hz(mel)
}

/// Triangular filters, evenly spaced on a mel scale and of equal area in hertz: `librosa.filters.mel`.
#[derive(Clone, Debug, PartialEq)]
pub struct MelFilterbank {
    filters: Vec<Filter>,
}

/// One triangle: the bins under it only.
#[derive(Clone, Debug, PartialEq)]
struct Filter {
    first_bin: usize,
    weights: Vec<f32>,
}

impl MelFilterbank {
    /// Makes `n_mels` filters between `fmin_hz` and `fmax_hz` for the spectrum of `n_fft` samples at `sample_rate`
    /// hertz. A filter narrower than a bin may be empty.
    pub fn new(sample_rate: u32, n_fft: usize, n_mels: usize, fmin_hz: f64, fmax_hz: f64, scale: MelScale) -> Self {
        let (n_fft, n_mels) = (n_fft.max(1), n_mels.max(1));
        let (low, high) = (scale.hz_to_mel(fmin_hz), scale.hz_to_mel(fmax_hz));
        let step = (high - low) / (n_mels + 1) as f64;
        let corners: Vec<f64> = (0..n_mels + 2).map(|i| scale.mel_to_hz(low + step * i as f64)).collect();
        let bin_hz = |bin: usize| bin as f64 * f64::from(sample_rate) / n_fft as f64;
        let filter = |corners: &[f64]| {
            let &[left, centre, right] = corners else { return Filter { first_bin: 0, weights: Vec::new() } };
            let weight = |bin| {
                let rising = (bin_hz(bin) - left) / (centre - left);
                let falling = (right - bin_hz(bin)) / (right - centre);
                (rising.min(falling) * 2.0 / (right - left)) as f32
            };
            let bins = n_fft / 2 + 1;
            let first_bin = (0..bins).find(|&bin| weight(bin) > 0.0).unwrap_or(bins);
            let weights = (first_bin..bins).map(weight).take_while(|&weight| weight > 0.0).collect();
            Filter { first_bin, weights }
        };
        Self { filters: corners.windows(3).map(filter).collect() }
    }

    /// How many filters there are.
    pub fn n_mels(&self) -> usize {
        self.filters.len()
    }

    /// Computes the mel power of one frame, given the power of its bins.
    pub fn apply(&self, power: &[f32], mel: &mut [f32]) {
        for (mel, filter) in mel.iter_mut().zip(&self.filters) {
            *mel = dot(power.get(filter.first_bin..).unwrap_or_default(), &filter.weights);
        }
    }
}

/// The inner product up to the end of the shorter one, in lanes that the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<8>();
    let (b, b_rest) = b[..len].as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Computes the power in `n_mels` bands from 0 Hz to half the sample rate: `librosa.feature.melspectrogram`.
/// Bands x frames.
pub fn mel_spectrogram(spectrogram: &Spectrogram, n_mels: usize) -> Array2<f32> {
    let sample_rate = spectrogram.sample_rate();
    let nyquist_hz = f64::from(sample_rate) / 2.0;
    let filters =
        MelFilterbank::new(sample_rate, spectrogram.framing().n_fft, n_mels, 0.0, nyquist_hz, MelScale::Slaney);
    spectrogram.map_frames(filters.n_mels(), |power, mel| filters.apply(power, mel))
}
