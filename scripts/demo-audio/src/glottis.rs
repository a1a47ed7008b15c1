//! The source of a voice: pulses of air through the vocal folds, and the hiss between them.

use crate::rng::Rng;

const OVERSAMPLING: usize = 4;
const TAPS: usize = 48;

/// Pulses (a Rosenberg-type flow, differentiated) with jitter, shimmer and aspiration noise.
pub struct Glottis {
    rng: Rng,
    phase: f32,
    period_scale: f32,
    period_gain: f32,
    history: [f32; TAPS],
    filter: [f32; TAPS],
    last_noise: f32,
    /// Part of each period the folds stand open, 0 to 1.
    pub open_quotient: f32,
    /// Spread of the period from one pulse to the next, as a fraction.
    pub jitter: f32,
    /// Spread of the strength from one pulse to the next, as a fraction.
    pub shimmer: f32,
    /// Level of the aspiration noise against the pulses.
    pub breath: f32,
}

impl Glottis {
    /// Starts a source with its folds closed.
    pub fn new(seed: u64, open_quotient: f32, jitter: f32, shimmer: f32, breath: f32) -> Self {
        Self {
            rng: Rng::new(seed),
            phase: 0.0,
            period_scale: 1.0,
            period_gain: 1.0,
            history: [0.0; TAPS],
            filter: low_pass(),
            last_noise: 0.0,
            open_quotient,
            jitter,
            shimmer,
            breath,
        }
    }

    /// Advances by one sample of `sample_rate` at `pitch_hz`.
    pub fn advance(&mut self, pitch_hz: f32, sample_rate: u32) -> f32 {
        // The pulse ends in a step, so it is drawn finer than the output and low-passed on the way down.
        let step = pitch_hz / (sample_rate as f32 * OVERSAMPLING as f32);
        for _ in 0..OVERSAMPLING {
            self.phase += step * self.period_scale;
            if self.phase >= 1.0 {
                self.phase -= 1.0;
                self.period_scale = 1.0 + self.jitter * self.rng.bell();
                self.period_gain = 1.0 + self.shimmer * self.rng.bell();
            }
            let pulse = self.pulse();
            self.history.rotate_left(1);
            self.history[TAPS - 1] = pulse;
        }
        self.history.iter().zip(&self.filter).map(|(sample, tap)| sample * tap).sum()
    }

    fn pulse(&mut self) -> f32 {
        let white = self.rng.signed();
        let hiss = white - 0.6 * self.last_noise;
        self.last_noise = white;
        let open = self.phase / self.open_quotient;
        let (flow, slope) =
            if open < 1.0 { (6.75 * open * open * (1.0 - open), open * (2.0 - 3.0 * open)) } else { (0.0, 0.0) };
        self.period_gain * slope + self.breath * hiss * (0.25 + flow)
    }
}

fn low_pass() -> [f32; TAPS] {
    let mut taps = [0.0; TAPS];
    let cutoff = 0.9 / OVERSAMPLING as f32;
    for (index, tap) in taps.iter_mut().enumerate() {
        let from_middle = index as f32 - (TAPS - 1) as f32 / 2.0;
        let angle = std::f32::consts::PI * cutoff * from_middle;
        let window = 0.5 - 0.5 * (std::f32::consts::TAU * (index as f32 + 0.5) / TAPS as f32).cos();
        *tap = cutoff * window * angle.sin() / angle;
    }
    taps
}
