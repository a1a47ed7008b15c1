//! The shape of the spectrum: peaks over valleys, and its centre.

use std::ops::Range;

use ndarray::{Array2, Axis};

use super::decibel::{DbReference, power_to_db};
use super::spectrogram::Spectrogram;

/// Octaves above the lowest band, and where the first of them begins.
const OCTAVES: i32 = 6;
const LOWEST_HZ: f64 = 200.0;

/// The part of a band's bins that make up its peaks, and its valleys.
const QUANTILE: f64 = 0.02;

/// Some of the neighbouring bins of a spectrum.
struct Band {
    bins: Range<usize>,
    /// How many bins are peaks, and how many are valleys.
    extremes: usize,
}

/// Computes how far the peaks stand out over the valleys, in dB, from 0 to 200 Hz and in six octaves above:
/// `librosa.feature.spectral_contrast`. Octaves that begin above half the sample rate are left out. Bands x frames.
pub fn spectral_contrast(spectrogram: &Spectrogram) -> Array2<f32> {
    let bands = bands(spectrogram);
    let mut band_bits = Vec::new();
    // The first rows are the peaks and the rows after them the valleys.
    let extremes = spectrogram.map_frames(2 * bands.len(), |power, extremes| {
        let (peaks, valleys) = extremes.split_at_mut(bands.len());
        for ((band, peak), valley) in bands.iter().zip(peaks).zip(valleys) {
            band_bits.clear();
            // The bits of floats that are not negative are ordered like the floats, and faster to compare.
            band_bits.extend(power.get(band.bins.clone()).unwrap_or_default().iter().map(|power| power.to_bits()));
            (*valley, *peak) = mean_extremes(&mut band_bits, band.extremes);
        }
    });
    let (peaks, valleys) = extremes.view().split_at(Axis(0), bands.len());
    power_to_db(&peaks.to_owned(), DbReference::One) - power_to_db(&valleys.to_owned(), DbReference::One)
}

/// The mean magnitudes of the `count` least and of the `count` greatest powers, given as bits.
fn mean_extremes(band: &mut [u32], count: usize) -> (f32, f32) {
    let count = count.min(band.len());
    if count == 0 {
        return (0.0, 0.0);
    }
    let mean = |bits: &[u32]| {
        let sum: f64 = bits.iter().map(|&bits| f64::from(f32::from_bits(bits)).sqrt()).sum();
        (sum / count as f64) as f32
    };
    if count == 1 {
        let (least, greatest) = band.iter().fold((u32::MAX, 0), |(min, max), &x| (x.min(min), x.max(max)));
        return (mean(&[least]), mean(&[greatest]));
    }
    band.select_nth_unstable(count - 1);
    let valley = mean(&band[..count]);
    let greatest = band.len() - count;
    band.select_nth_unstable(greatest);
    (valley, mean(&band[greatest..]))
}

/// Which bins each band has. As in librosa a band has one bin below its lower edge and, but for the last one, lacks
/// the last bin up to its upper edge; the last one reaches to the end.
fn bands(spectrogram: &Spectrogram) -> Vec<Band> {
    let edge = |octave: i32| LOWEST_HZ * f64::from(octave).exp2();
    let nyquist_hz = f64::from(spectrogram.sample_rate()) / 2.0;
    let octaves = (0..OCTAVES).filter(|&octave| edge(octave) < nyquist_hz).count() as i32;
    let bins = spectrogram.bins();
    let bins_below = |hz: f64| (0..bins).take_while(|&bin| spectrogram.bin_hz(bin) < hz).count();
    let bins_up_to = |hz: f64| (0..bins).take_while(|&bin| spectrogram.bin_hz(bin) <= hz).count();
    let band = |row: i32| {
        let start = if row == 0 { 0 } else { bins_below(edge(row - 1)).saturating_sub(1) };
        let end = if row == octaves { bins } else { bins_up_to(edge(row)) };
        let count = end.saturating_sub(start);
        let extremes = (QUANTILE * count as f64).round_ties_even().max(1.0) as usize;
        let end = if row == octaves { end } else { end.saturating_sub(1) };
        Band { bins: start..end.max(start), extremes }
    };
    (0..=octaves).map(band).collect()
}

/// Computes the centre of each frame's magnitudes in hertz, 0 where it is silent: `librosa.feature.spectral_centroid`.
/// One value a frame.
pub fn spectral_centroid(spectrogram: &Spectrogram) -> Vec<f32> {
    let hz: Vec<f64> = (0..spectrogram.bins()).map(|bin| spectrogram.bin_hz(bin)).collect();
    let centroid = |power: &[f32]| {
        // Four sums side by side, which the compiler turns into vector instructions.
        let (mut sums, mut weighted) = ([0.0; 4], [0.0; 4]);
        let mut add = |power: &[f32], hz: &[f64]| {
            for (((sum, weighted), power), hz) in sums.iter_mut().zip(&mut weighted).zip(power).zip(hz) {
                let magnitude = f64::from(power.sqrt());
                *sum += magnitude;
                *weighted += magnitude * hz;
            }
        };
        let (power, power_rest) = power.as_chunks::<4>();
        let (hz, hz_rest) = hz.as_chunks::<4>();
        power.iter().zip(hz).for_each(|(power, hz)| add(power, hz));
        add(power_rest, hz_rest);
        let sum: f64 = sums.iter().sum();
        if sum < f64::from(f32::MIN_POSITIVE) { 0.0 } else { (weighted.iter().sum::<f64>() / sum) as f32 }
    };
    spectrogram.each_frame().map(centroid).collect()
}
