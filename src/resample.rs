//! Mono samples at one sample rate to another, through rubato, as a stream.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use crate::error::{Error, Result};

/// Input frames per step, at least: about 20-90 ms, so that memory stays small and the anti-aliasing filter sharp.
const STEP: usize = 4096;

/// A running conversion from one sample rate to another.
pub(crate) struct Resampler {
    engine: Option<Fft<f32>>,
    from: u64,
    to: u64,
    pending: Vec<f32>,
    scratch: Vec<f32>,
    skip: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// Prepares a conversion; equal rates pass samples through untouched.
    pub(crate) fn new(from_rate: u32, to_rate: u32) -> Result<Self> {
        let engine = if from_rate == to_rate {
            None
        } else {
            let (from, to) = (from_rate as usize, to_rate as usize);
            // The filter delays by half a step. An even number of the smallest steps makes that whole samples out.
            let smallest = from / gcd(from, to).max(1);
            let step = smallest.max(1) * (STEP / smallest.max(1)).max(1).next_multiple_of(2);
            let fft = Fft::new_custom(from, to, step, 1, 1, WindowFunction::BlackmanHarris2, FixedSync::Input);
            Some(fft.map_err(|e| Error::BadArgument {
                argument: "sample rate",
                value: format!("{from_rate} to {to_rate} Hz"),
                expected: format!("two rates that can be converted ({e})"),
            })?)
        };
        let skip = engine.as_ref().map_or(0, |e| e.output_delay());
        let (from, to) = (u64::from(from_rate), u64::from(to_rate));
        Ok(Self { engine, from, to, pending: Vec::new(), scratch: Vec::new(), skip, taken: 0, given: 0 })
    }

    /// Takes samples in chunks of any size and appends what is ready.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<()> {
        self.taken += samples.len() as u64;
        if self.engine.is_none() {
            out.extend_from_slice(samples);
            return Ok(());
        }
        self.pending.extend_from_slice(samples);
        let mut used = 0;
        while let Some(step) = self.engine.as_ref().map(|e| e.input_frames_next())
            && self.pending.len() - used >= step
        {
            self.step(used, step, out)?;
            used += step;
        }
        self.pending.drain(..used);
        Ok(())
    }

    /// Appends the rest: in all, `ceil(samples * to / from)` come out, aligned in time with what went in.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        if self.engine.is_none() {
            return Ok(());
        }
        let wanted = (self.taken * self.to).div_ceil(self.from);
        while self.given < wanted {
            let Some(step) = self.engine.as_ref().map(|e| e.input_frames_next()) else { break };
            self.pending.resize(step, 0.0);
            let before = out.len();
            self.step(0, step, out)?;
            let surplus = self.given.saturating_sub(wanted) as usize;
            out.truncate((out.len() - surplus).max(before));
            self.pending.clear();
        }
        Ok(())
    }

    /// Converts `step` pending samples from `start` on, leaving out the filter's delay at the very beginning.
    fn step(&mut self, start: usize, step: usize, out: &mut Vec<f32>) -> Result<()> {
        let Some(engine) = self.engine.as_mut() else { return Ok(()) };
        let failed = |e: String| Error::BadArgument {
            argument: "audio",
            value: format!("{step} samples"),
            expected: format!("what can be resampled ({e})"),
        };
        self.scratch.resize(engine.output_frames_max(), 0.0);
        let frames = self.scratch.len();
        let input =
            SequentialSlice::new(&self.pending[start..start + step], 1, step).map_err(|e| failed(e.to_string()))?;
        let mut output = SequentialSlice::new_mut(&mut self.scratch, 1, frames).map_err(|e| failed(e.to_string()))?;
        let (_, made) =
            engine.process_into_buffer(&input, &mut output, None::<&Indexing>).map_err(|e| failed(e.to_string()))?;
        let dropped = self.skip.min(made);
        self.skip -= dropped;
        out.extend_from_slice(&self.scratch[dropped..made]);
        self.given += (made - dropped) as u64;
        Ok(())
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Converts a whole signal at once.
pub(crate) fn resample(samples: &[f32], from_rate: u32, to_rate: u32) -> Result<Vec<f32>> {
    let mut resampler = Resampler::new(from_rate, to_rate)?;
    let mut out = Vec::new();
    resampler.push(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sine(hertz: f64, rate: u32, seconds: f64) -> Vec<f32> {
        let n = (f64::from(rate) * seconds) as usize;
        (0..n).map(|i| (0.5 * (TAU * hertz * i as f64 / f64::from(rate)).sin()) as f32).collect()
    }

    #[test]
    fn a_tone_stays_the_same_tone_in_time_and_level() {
        for (from, to) in [(44_100, 16_000), (48_000, 16_000), (8_000, 32_000), (96_000, 16_000), (22_051, 16_000)] {
            let out = resample(&sine(440.0, from, 1.0), from, to).unwrap();
            assert_eq!(out.len(), to as usize, "{from} -> {to}");
            let wanted = sine(440.0, to, 1.0);
            let inner = to as usize / 10..to as usize * 9 / 10;
            let worst = out[inner.clone()].iter().zip(&wanted[inner]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-3, "{from} -> {to}: off by {worst}");
        }
    }

    #[test]
    fn what_the_new_rate_cannot_hold_is_filtered_out() {
        let out = resample(&sine(12_000.0, 44_100, 0.5), 44_100, 16_000).unwrap();
        let level = out[2000..6000].iter().map(|x| x.abs()).fold(0.0, f32::max);
        assert!(level < 1e-3, "aliased at {level}");
    }

    #[test]
    fn chunks_of_any_size_give_the_same_samples() {
        let input = sine(1_000.0, 44_100, 0.7);
        let whole = resample(&input, 44_100, 16_000).unwrap();
        for size in [1, 100, 5_000] {
            let mut resampler = Resampler::new(44_100, 16_000).unwrap();
            let mut out = Vec::new();
            for chunk in input.chunks(size) {
                resampler.push(chunk, &mut out).unwrap();
            }
            resampler.finish(&mut out).unwrap();
            assert_eq!(out, whole, "chunks of {size}");
        }
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(resample(&[], 44_100, 16_000).unwrap().is_empty());
        assert_eq!(resample(&[0.5], 44_100, 16_000).unwrap().len(), 1);
        assert_eq!(resample(&[0.25, -0.5], 16_000, 16_000).unwrap(), [0.25, -0.5]);
    }
}
