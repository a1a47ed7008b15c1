//! A singing voice of our own: a glottal source through formants, driven by a pitch contour.

use crate::glottis::Glottis;
use crate::habits::{Level, PitchLine, breath_track};
use crate::rng::{Drift, Rng};
use crate::tract::{Formant, Tract};
use std::f32::consts::TAU;

/// A singer: the shape of the mouth and throat and the habits of the performance.
///
/// Every field may be changed before singing, for example to drive the voice with a contour that brings its own
/// vibrato and slides: `Voice { vibrato_cents: 0.0, glide_seconds: 0.01, ..Voice::humming(1.0) }`.
#[derive(Debug, Clone)]
pub struct Voice {
    /// Resonances of the tract, lowest first.
    pub formants: Vec<Formant>,
    /// Anti-resonance of a closed mouth, if it is closed.
    pub hollow: Option<Formant>,
    /// Part of a period the vocal folds stand open, 0 to 1: larger is softer.
    pub open_quotient: f32,
    /// Frequency above which the source darkens, in hertz.
    pub tilt_hz: f32,
    /// Spread of successive periods, as a fraction.
    pub jitter: f32,
    /// Spread of successive pulse strengths, as a fraction.
    pub shimmer: f32,
    /// Level of aspiration noise against the pulses.
    pub breath: f32,
    /// Vibrato rate in hertz.
    pub vibrato_hz: f32,
    /// Vibrato depth either side of the note, in cents.
    pub vibrato_cents: f32,
    /// How long a note lasts before its vibrato starts, in seconds.
    pub vibrato_onset_seconds: f32,
    /// Spread of slow intonation drift, in cents.
    pub drift_cents: f32,
    /// Time a slide between notes takes, in seconds.
    pub glide_seconds: f32,
    /// How far below a note its first onset is approached, in semitones.
    pub scoop_semitones: f32,
    /// Time for the sound to rise, in seconds.
    pub attack_seconds: f32,
    /// Time for the sound to fall, in seconds.
    pub release_seconds: f32,
}

fn formants(pairs: &[(f32, f32)], size: f32) -> Vec<Formant> {
    pairs.iter().map(|(hz, width_hz)| Formant { hz: hz * size, width_hz: *width_hz }).collect()
}

impl Voice {
    /// Returns an untrained person humming with closed lips; `size` scales the formants (1.0 a man, 1.15 a woman).
    pub fn humming(size: f32) -> Self {
        Self {
            formants: formants(&[(290.0, 140.0), (1000.0, 150.0), (2150.0, 200.0), (3000.0, 300.0)], size),
            hollow: Some(Formant { hz: 860.0 * size, width_hz: 360.0 }),
            open_quotient: 0.68,
            tilt_hz: 2400.0,
            jitter: 0.004,
            shimmer: 0.03,
            breath: 0.05,
            vibrato_hz: 5.1,
            vibrato_cents: 20.0,
            vibrato_onset_seconds: 0.28,
            drift_cents: 9.0,
            glide_seconds: 0.075,
            scoop_semitones: 0.7,
            attack_seconds: 0.045,
            release_seconds: 0.06,
        }
    }

    /// Returns an opera singer on "ah", with the clustered upper formants that carry over an orchestra.
    pub fn opera(size: f32) -> Self {
        Self {
            formants: formants(
                &[
                    (640.0 - 700.0 * (size - 1.0).max(0.0), 90.0),
                    (1080.0, 100.0),
                    (2500.0, 150.0),
                    (2800.0, 160.0),
                    (3250.0, 220.0),
                ],
                size,
            ),
            hollow: None,
            // Higher voices sing with a wider glottis; without it "ah" would drown a soprano's fundamental.
            open_quotient: 0.52 + 0.9 * (size - 1.0).max(0.0),
            tilt_hz: 3200.0,
            jitter: 0.003,
            shimmer: 0.02,
            breath: 0.008,
            vibrato_hz: 5.6,
            vibrato_cents: 35.0,
            vibrato_onset_seconds: 0.18,
            drift_cents: 5.0,
            glide_seconds: 0.075,
            scoop_semitones: 0.35,
            attack_seconds: 0.05,
            release_seconds: 0.09,
        }
    }

    /// Returns one voice of a choir on a rounded "oh"; `size` scales the formants (0.95 a bass, 1.2 a soprano).
    pub fn chorister(size: f32) -> Self {
        Self {
            formants: formants(
                &[(510.0, 80.0), (940.0, 100.0), (2450.0, 170.0), (2950.0, 200.0), (3500.0, 300.0)],
                size,
            ),
            open_quotient: 0.6,
            tilt_hz: 2200.0,
            breath: 0.015,
            vibrato_cents: 18.0,
            vibrato_onset_seconds: 0.25,
            ..Self::opera(size)
        }
    }

    /// Sings a pitch contour: one MIDI pitch every `hop_seconds`, `None` where the singer is silent.
    ///
    /// Gaps up to a tenth of a second become the closures between syllables, longer ones breaths. The result has
    /// `pitches_midi.len() * hop_seconds` seconds at `sample_rate` and a level of 0.1 (root mean square) where it
    /// sounds; equal seeds sing equally.
    pub fn sing(&self, pitches_midi: &[Option<f32>], hop_seconds: f64, sample_rate: u32, seed: u64) -> Vec<f32> {
        let rate = f64::from(sample_rate);
        let count = (pitches_midi.len() as f64 * hop_seconds * rate).round() as usize;
        let hop_at = |sample: usize, ahead_seconds: f32| {
            let hop = ((sample as f64 / rate + f64::from(ahead_seconds)) / hop_seconds) as usize;
            pitches_midi.get(hop).copied().flatten()
        };
        let breaths = breath_track(pitches_midi, hop_seconds, count, rate);
        let mut glottis = Glottis::new(seed, self.open_quotient, self.jitter, self.shimmer, self.breath);
        let mut tract = Tract::new(&self.formants, self.hollow, sample_rate);
        let mut line = PitchLine::new(self, sample_rate, seed);
        let mut level = Level::new(self, sample_rate, seed);
        let mut mouth = Drift::new(seed ^ 0x51, 1.3, sample_rate / 64);
        let mut noise = Rng::new(seed ^ 0x77);
        let mut dark = [0.0f32; 2];
        let mut rumble = 0.0;
        let settle = 1.0 - (-TAU * 70.0 / sample_rate as f32).exp();
        let darken = 1.0 - (-TAU * self.tilt_hz / sample_rate as f32).exp();
        let mut sung = Vec::with_capacity(count);
        let mut voiced_energy = (0.0f64, 0usize);
        for (sample, in_breath) in breaths.iter().enumerate() {
            // The slide and the rise are centered on the contour's own change, so both look ahead.
            let pitch = line.advance(hop_at(sample, self.glide_seconds * 0.5));
            let loud = level.advance(hop_at(sample, self.attack_seconds * 0.4).is_some(), line.note_age_seconds);
            if sample % 64 == 0 {
                let closing = 0.25 * level.syllable(line.note_age_seconds);
                let wander = mouth.advance();
                tract.shape(1.0 - closing + 0.02 * wander, 1.0 + 0.012 * wander);
            }
            let pitch_hz = 440.0 * ((pitch - 69.0) / 12.0).exp2();
            let source = glottis.advance(pitch_hz, sample_rate) * loud + in_breath * noise.signed();
            dark[0] += darken * (source - dark[0]);
            dark[1] += (0.5 + 0.5 * darken) * (dark[0] - dark[1]);
            let raw = tract.advance(dark[1]);
            // Lips and nose pass no steady pressure.
            rumble += settle * (raw - rumble);
            let output = raw - rumble;
            if loud > 0.5 {
                voiced_energy.0 += f64::from(output * output);
                voiced_energy.1 += 1;
            }
            sung.push(output);
        }
        let rms = (voiced_energy.0 / voiced_energy.1.max(1) as f64).sqrt().max(1e-9);
        sung.iter_mut().for_each(|sample| *sample *= (0.1 / rms) as f32);
        sung
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::pitches;

    fn held(midi: f32) -> Vec<Option<f32>> {
        (0..200).map(|hop| (hop > 10 && hop < 190).then_some(midi)).collect()
    }

    #[test]
    fn sings_the_pitch_it_is_given() {
        let sung = Voice::humming(1.0).sing(&held(57.0), 0.01, 16_000, 7);
        let heard = pitches(&sung, 16_000, 70.0, 1000.0);
        assert!(heard.len() > 150);
        let near = heard.iter().filter(|frame| (frame.midi - 57.0).abs() < 0.5).count();
        assert!(near as f64 >= 0.95 * heard.len() as f64);
    }

    #[test]
    fn sings_equally_for_equal_seeds_only() {
        let sing = |seed| Voice::opera(1.0).sing(&held(60.0), 0.01, 16_000, seed);
        assert_eq!(sing(1), sing(1));
        assert_ne!(sing(1), sing(2));
    }

    #[test]
    fn is_silent_where_the_contour_is() {
        let sung = Voice::humming(1.0).sing(&[None; 50], 0.01, 16_000, 1);
        assert_eq!(sung.len(), 8_000);
        assert!(sung.iter().all(|sample| sample.abs() < 1e-3));
    }
}
