//! Hears the pitch of a sound: YIN for one voice, harmonic salience for a mixture.

/// Pitch of one frame of a single voice.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// Middle of the frame, in seconds.
    pub seconds: f64,
    /// MIDI pitch, with its fraction.
    pub midi: f64,
}

/// Hears one voice every 10 ms (YIN, de Cheveigne and Kawahara 2002); frames without a pitch are left out.
pub fn pitches(samples: &[f32], sample_rate: u32, lowest_hz: f64, highest_hz: f64) -> Vec<Heard> {
    const CLEAR: f32 = 0.15;
    let rate = f64::from(sample_rate);
    let (shortest, longest) = ((rate / highest_hz) as usize, (rate / lowest_hz) as usize);
    let window = (0.03 * rate) as usize;
    let hop = (0.01 * rate) as usize;
    let loudest = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let mut heard = Vec::new();
    for start in (0..samples.len().saturating_sub(window + longest + 1)).step_by(hop) {
        let frame = &samples[start..start + window + longest + 1];
        let level = (frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len() as f32).sqrt();
        if level < 0.03 * loudest {
            continue;
        }
        let mut total = 0.0f32;
        let mut curve = vec![1.0f32; longest + 1];
        for lag in 1..=longest {
            let difference: f32 = frame[..window].iter().zip(&frame[lag..]).map(|(a, b)| (a - b) * (a - b)).sum();
            total += difference;
            curve[lag] = difference * lag as f32 / total.max(1e-12);
        }
        let Some(mut lag) = (shortest.max(1)..longest).find(|lag| curve[*lag] < CLEAR) else { continue };
        while lag + 1 < longest && curve[lag + 1] < curve[lag] {
            lag += 1;
        }
        let (before, here, after) = (curve[lag - 1], curve[lag], curve[lag + 1]);
        let bend = before - 2.0 * here + after;
        let shift = if bend.abs() > 1e-9 { 0.5 * (before - after) / bend } else { 0.0 };
        let hz = rate / (lag as f64 + f64::from(shift));
        let seconds = (start as f64 + (window + lag) as f64 / 2.0) / rate;
        heard.push(Heard { seconds, midi: 69.0 + 12.0 * (hz / 440.0).log2() });
    }
    heard
}

const LOWEST_MIDI: i32 = 45;
const CANDIDATES: usize = 49;
const BINS_PER_SEMITONE: usize = 4;

/// Ranks the twelve pitch classes of a stretch of sound by their strongest harmonic series, strongest first.
pub fn ranked_pitch_classes(samples: &[f32], sample_rate: u32) -> Vec<i32> {
    let bins: Vec<f32> = (0..(CANDIDATES + 37) * BINS_PER_SEMITONE)
        .map(|bin| {
            let midi = f64::from(LOWEST_MIDI) - 0.5 + bin as f64 / BINS_PER_SEMITONE as f64;
            amplitude(samples, 440.0 * ((midi - 69.0) / 12.0).exp2() / f64::from(sample_rate))
        })
        .collect();
    let around = |semitone: f64| {
        let middle = ((semitone + 0.5) * BINS_PER_SEMITONE as f64).round() as usize;
        bins.get(middle - 1..=middle + 1).map_or(0.0, |near| near.iter().copied().fold(0.0, f32::max))
    };
    let mut classes: Vec<(i32, f32)> = (0..12).map(|class| (class, 0.0)).collect();
    for candidate in 0..CANDIDATES {
        let salience: f32 = (1..=8u8)
            .map(|harmonic| {
                let above = 12.0 * f64::from(harmonic).log2();
                0.8f32.powi(i32::from(harmonic) - 1) * around(candidate as f64 + above)
            })
            .sum();
        let class = (LOWEST_MIDI + candidate as i32).rem_euclid(12) as usize;
        classes[class].1 = classes[class].1.max(salience);
    }
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    classes.into_iter().map(|(class, _)| class).collect()
}

/// Returns the amplitude of one frequency, in cycles a sample, under a Hann window (Goertzel's recurrence).
fn amplitude(samples: &[f32], cycles: f64) -> f32 {
    if cycles >= 0.5 {
        return 0.0;
    }
    let angle = std::f64::consts::TAU * cycles;
    let turn = 2.0 * angle.cos();
    let (mut one, mut two) = (0.0f64, 0.0f64);
    let count = samples.len().max(2) as f64;
    for (index, sample) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * index as f64 / (count - 1.0)).cos();
        let next = f64::from(*sample) * window + turn * one - two;
        (two, one) = (one, next);
    }
    ((one * one + two * two - turn * one * two).max(0.0).sqrt() / count) as f32
}
