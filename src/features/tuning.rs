//! How far music is off A = 440 Hz.

use super::spectrogram::Spectrogram;

const MIN_HZ: f64 = 150.0;
const MAX_HZ: f64 = 4000.0;

/// A peak is at least this part of the greatest power in its frame.
const PEAK_THRESHOLD: f32 = 0.1;

/// Tunings are told apart in hundredths of a semitone.
const CENTS: usize = 100;

/// A local maximum of a spectrum, interpolated between bins.
struct Peak {
    hz: f32,
    height: f32,
}

/// Estimates the tuning in semitones above A = 440 Hz, -0.5..0.5 in steps of 0.01: the most frequent deviation among
/// the stronger half of all spectral peaks, `librosa.estimate_tuning` of the power spectrogram. It is 0 where there
/// are no peaks.
pub fn estimate_tuning(spectrogram: &Spectrogram) -> f64 {
    let peaks = peaks(spectrogram);
    let threshold = median(peaks.iter().map(|peak| peak.height).collect());
    let mut counts = [0_usize; CENTS];
    for peak in peaks.iter().filter(|peak| peak.height >= threshold) {
        let semitones = 12.0 * (peak.hz / (440.0 / 16.0)).log2();
        let above = semitones.rem_euclid(1.0);
        let deviation = if above >= 0.5 { above - 1.0 } else { above };
        let cent = (0..CENTS).rev().find(|&cent| f64::from(deviation) >= edge(cent));
        counts[cent.unwrap_or(0)] += 1;
    }
    let Some(&most) = counts.iter().max().filter(|&&most| most > 0) else { return 0.0 };
    counts.iter().position(|&count| count == most).map_or(0.0, edge)
}

/// The least deviation that counts as a cent.
fn edge(cent: usize) -> f64 {
    -0.5 + cent as f64 * 0.01
}

/// Finds the peaks of all frames, by parabolic interpolation of power: `librosa.piptrack`.
fn peaks(spectrogram: &Spectrogram) -> Vec<Peak> {
    let max_hz = MAX_HZ.min(f64::from(spectrogram.sample_rate()) / 2.0);
    let bins: Vec<usize> = (1..spectrogram.bins().saturating_sub(1))
        .filter(|&bin| (MIN_HZ..max_hz).contains(&spectrogram.bin_hz(bin)))
        .collect();
    let (Some(&first), Some(&last)) = (bins.first(), bins.last()) else { return Vec::new() };
    let bin_hz = spectrogram.bin_hz(1);
    let mut peaks = Vec::new();
    for power in spectrogram.each_frame() {
        let threshold = PEAK_THRESHOLD * power.iter().copied().fold(0.0, f32::max);
        for (bin, around) in (first..=last).zip(power[first - 1..=last + 1].windows(3)) {
            let &[before, here, after] = around else { continue };
            // A neighbour below the threshold counts as silent, which `here` is above either way.
            if here <= threshold || here <= before || here < after {
                continue;
            }
            let curvature = after + before - 2.0 * here;
            let slope = (after - before) / 2.0;
            let shift = if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature };
            let hz = (bin as f64 + f64::from(shift)) * bin_hz;
            peaks.push(Peak { hz: hz as f32, height: here + 0.5 * slope * shift });
        }
    }
    peaks
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    if odd { upper } else { (below.iter().copied().fold(f32::MIN, f32::max) + upper) / 2.0 }
}
