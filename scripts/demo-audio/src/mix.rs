//! Balances sound: levels, a room, a limiter, fades and 16-bit samples.

use crate::rng::Rng;

/// Target level of a clip, root mean square against full scale, in decibels.
pub const TARGET_RMS_DB: f64 = -20.0;
/// Highest sample a clip may reach before encoding, in decibels against full scale.
pub const CEILING_DB: f64 = -2.0;

/// Two channels of sound.
#[derive(Debug, Clone)]
pub struct Stereo {
    /// Left samples.
    pub left: Vec<f32>,
    /// Right samples.
    pub right: Vec<f32>,
    /// Samples a second.
    pub sample_rate: u32,
}

/// Returns the root mean square of samples, in decibels against full scale.
pub fn rms_db(samples: impl Iterator<Item = f32>) -> f64 {
    let (energy, count) = samples
        .fold((0.0f64, 0usize), |(energy, count), sample| (energy + f64::from(sample) * f64::from(sample), count + 1));
    10.0 * (energy / count.max(1) as f64).max(1e-12).log10()
}

fn gain_of(decibels: f64) -> f32 {
    10f64.powf(decibels / 20.0) as f32
}

impl Stereo {
    /// Returns `count` samples of silence.
    pub fn silent(count: usize, sample_rate: u32) -> Self {
        Self { left: vec![0.0; count], right: vec![0.0; count], sample_rate }
    }

    /// Measures the level of both channels, in decibels against full scale.
    pub fn rms_db(&self) -> f64 {
        rms_db(self.left.iter().chain(&self.right).copied())
    }

    /// Multiplies every sample.
    pub fn scale(&mut self, gain: f32) {
        self.left.iter_mut().chain(&mut self.right).for_each(|sample| *sample *= gain);
    }

    /// Adds a single channel at a place from -1 (left) to 1 (right).
    pub fn add_mono(&mut self, samples: &[f32], gain: f32, pan: f32) {
        let angle = (pan.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
        let (right, left) = angle.sin_cos();
        for (index, sample) in samples.iter().enumerate().take(self.left.len()) {
            self.left[index] += sample * gain * left;
            self.right[index] += sample * gain * right;
        }
    }

    /// Adds an accompaniment so that it lies `below_db` under what is already here.
    pub fn add_below(&mut self, backing: &Stereo, below_db: f64) {
        let gain = gain_of(self.rms_db() - below_db - backing.rms_db());
        let add = |to: &mut Vec<f32>, from: &[f32]| to.iter_mut().zip(from).for_each(|(a, b)| *a += b * gain);
        add(&mut self.left, &backing.left);
        add(&mut self.right, &backing.right);
    }

    /// Adds a small hall's reverberation at `level`, 0 to 1.
    pub fn with_room(mut self, level: f32) -> Self {
        let source: Vec<f32> = self.left.iter().zip(&self.right).map(|(left, right)| 0.5 * (left + right)).collect();
        for (channel, offset) in [(&mut self.left, 0.0), (&mut self.right, 0.0006)] {
            let wet = reverberate(&source, offset, self.sample_rate);
            channel.iter_mut().zip(wet).for_each(|(sample, wet)| *sample += level * wet);
        }
        self
    }

    /// Brings the clip to [`TARGET_RMS_DB`] under [`CEILING_DB`], with short fades at its ends.
    pub fn master(&mut self) {
        self.fade(0.01, 0.3);
        for _ in 0..4 {
            let gain = gain_of(TARGET_RMS_DB - self.rms_db());
            self.scale(gain);
            self.limit(gain_of(CEILING_DB));
        }
    }

    fn fade(&mut self, in_seconds: f64, out_seconds: f64) {
        let steps = |seconds: f64| (seconds * f64::from(self.sample_rate)) as usize;
        let (rise, fall) = (steps(in_seconds), steps(out_seconds));
        for channel in [&mut self.left, &mut self.right] {
            let last = channel.len();
            for (index, sample) in channel.iter_mut().enumerate() {
                let from_start = index as f32 / rise.max(1) as f32;
                let from_end = (last - 1 - index) as f32 / fall.max(1) as f32;
                *sample *= from_start.min(1.0) * from_end.min(1.0);
            }
        }
    }

    /// Turns both channels down around each peak over `ceiling`, smoothly, so that nothing clips.
    fn limit(&mut self, ceiling: f32) {
        let reach = (0.004 * f64::from(self.sample_rate)) as usize;
        let need: Vec<f32> = self
            .left
            .iter()
            .zip(&self.right)
            .map(|(left, right)| (ceiling / left.abs().max(right.abs()).max(1e-9)).min(1.0))
            .collect();
        if need.iter().all(|gain| *gain >= 1.0) {
            return;
        }
        let window = |values: &[f32], index: usize| -> (usize, usize) {
            (index.saturating_sub(reach), (index + reach + 1).min(values.len()))
        };
        let lowest: Vec<f32> = (0..need.len())
            .map(|index| {
                let (from, to) = window(&need, index);
                need[from..to].iter().copied().fold(1.0, f32::min)
            })
            .collect();
        for index in 0..need.len() {
            let (from, to) = window(&lowest, index);
            let gain = lowest[from..to].iter().sum::<f32>() / (to - from) as f32;
            self.left[index] *= gain;
            self.right[index] *= gain;
        }
    }

    /// Returns the clip as interleaved 16-bit samples of one or two channels, dithered.
    pub fn samples(&self, channels: u16, seed: u64) -> Vec<i16> {
        let mut rng = Rng::new(seed);
        let mut quantize = |sample: f32| {
            let dither = 0.5 * (rng.signed() + rng.signed());
            (sample * 32767.0 + dither).round().clamp(-32768.0, 32767.0) as i16
        };
        if channels == 1 {
            return self.left.iter().map(|sample| quantize(*sample)).collect();
        }
        self.left.iter().zip(&self.right).flat_map(|(left, right)| [quantize(*left), quantize(*right)]).collect()
    }

    /// Folds both channels into one, kept on both.
    pub fn to_mono(&mut self) {
        for (left, right) in self.left.iter_mut().zip(&mut self.right) {
            *left = 0.5 * (*left + *right);
            *right = *left;
        }
    }
}

/// Returns the reverberation of a sound: parallel combs, darkened, then all-passes (after Schroeder and Moorer).
fn reverberate(source: &[f32], offset_seconds: f64, sample_rate: u32) -> Vec<f32> {
    let delay = |seconds: f64| ((seconds + offset_seconds) * f64::from(sample_rate)) as usize;
    let mut wet = vec![0.0f32; source.len()];
    for seconds in [0.0297, 0.0323, 0.0347, 0.0371, 0.0411, 0.0437] {
        let mut line = vec![0.0f32; delay(seconds)];
        let (mut at, mut dark) = (0, 0.0);
        for (sample, out) in source.iter().zip(&mut wet) {
            let echo = line[at];
            dark += 0.55 * (echo - dark);
            line[at] = sample + 0.83 * dark;
            at = (at + 1) % line.len();
            *out += 0.4 * echo;
        }
    }
    for seconds in [0.0051, 0.0127] {
        let mut line = vec![0.0f32; delay(seconds)];
        let mut at = 0;
        for out in &mut wet {
            let (input, echo) = (*out, line[at]);
            *out = echo - 0.5 * input;
            line[at] = input + 0.5 * *out;
            at = (at + 1) % line.len();
        }
    }
    wet
}
