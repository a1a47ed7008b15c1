//! The short-time Fourier transform.

use std::sync::Arc;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::framing::{Framer, Framing};

/// The power of a signal at each moment and frequency: `|STFT|²` under a periodic Hann window, as `librosa.stft`.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrogram {
    sample_rate: u32,
    framing: Framing,
    /// Frames x bins: each frame lies in one piece.
    power: Array2<f32>,
}

impl Spectrogram {
    /// Computes the spectrogram of mono samples at `sample_rate` hertz.
    pub fn new(samples: &[f32], sample_rate: u32, framing: Framing) -> Self {
        let framing = framing.at_least_one();
        let mut stft = Stft::new(framing.n_fft);
        let mut power = Array2::zeros((framing.frames(samples.len()), stft.bins()));
        let mut rows = power.outer_iter_mut();
        let mut analyse = |frame: &[f32]| {
            if let Some(row) = rows.next().and_then(|row| row.into_slice()) {
                stft.power(frame, row);
            }
        };
        let mut framer = Framer::new(framing);
        framer.push(samples, &mut analyse);
        framer.finish(&mut analyse);
        Self { sample_rate, framing, power }
    }

    /// Samples per second of the signal.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// How the signal was cut into frames.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Power, `|STFT|²`. Bins x frames.
    pub fn power(&self) -> ArrayView2<'_, f32> {
        self.power.t()
    }

    /// Magnitude, `|STFT|`. Bins x frames.
    pub fn magnitude(&self) -> Array2<f32> {
        self.power().map(|power| power.sqrt())
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.power.nrows()
    }

    /// The centre frequency of a bin in hertz.
    pub fn bin_hz(&self, bin: usize) -> f64 {
        bin as f64 * f64::from(self.sample_rate) / self.framing.n_fft as f64
    }

    /// How many frequency bins there are: from 0 Hz to half the sample rate.
    pub fn bins(&self) -> usize {
        self.power.ncols()
    }

    /// The power of each bin, frame by frame.
    pub(super) fn each_frame(&self) -> impl Iterator<Item = &[f32]> {
        self.power.axis_iter(Axis(0)).filter_map(|frame: ArrayView1<'_, f32>| frame.to_slice())
    }

    /// Computes `rows` values for each frame. Returns rows x frames, row by row in memory.
    pub(super) fn map_frames(&self, rows: usize, mut f: impl FnMut(&[f32], &mut [f32])) -> Array2<f32> {
        let mut values = Array2::zeros((rows, self.frames()));
        let mut column = vec![0.0; rows];
        for (frame, mut target) in self.each_frame().zip(values.axis_iter_mut(Axis(1))) {
            f(frame, &mut column);
            target.iter_mut().zip(&column).for_each(|(to, &from)| *to = from);
        }
        values
    }
}

/// Transforms one frame after another with the same plan and buffers. In f64, like librosa: quiet bins beside loud
/// ones would drown in the rounding of f32.
pub(super) struct Stft {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    windowed: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Stft {
    /// Plans transforms of `n_fft` samples, at least 1.
    pub(super) fn new(n_fft: usize) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(n_fft.max(1));
        let turn = std::f64::consts::TAU / fft.len() as f64;
        Self {
            window: (0..fft.len()).map(|i| 0.5 - 0.5 * (turn * i as f64).cos()).collect(),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// How many bins a frame has.
    pub(super) fn bins(&self) -> usize {
        self.spectrum.len()
    }

    /// Computes the power of each bin of one frame.
    pub(super) fn power(&mut self, frame: &[f32], power: &mut [f32]) {
        for ((windowed, &sample), window) in self.windowed.iter_mut().zip(frame).zip(&self.window) {
            *windowed = f64::from(sample) * window;
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
            .expect("the buffers are the plan's own");
        for (power, bin) in power.iter_mut().zip(&self.spectrum) {
            *power = bin.norm_sqr() as f32;
        }
    }
}
