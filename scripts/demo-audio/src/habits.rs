//! What a singer does with a pitch contour: slides, vibrato and drift, syllables and breaths.

use crate::rng::Drift;
use crate::voice::Voice;
use std::f32::consts::{PI, TAU};

/// Follows the contour with slides, vibrato and drift.
pub(crate) struct PitchLine {
    glide: f32,
    sample_seconds: f32,
    scoop: f32,
    vibrato: (f32, f32, f32),
    drift_semitones: f32,
    slid: Option<[f32; 2]>,
    goal: f32,
    gap_seconds: f32,
    /// Seconds since the note began.
    pub(crate) note_age_seconds: f32,
    vibrato_phase: f32,
    drift: Drift,
    pace: Drift,
}

impl PitchLine {
    pub(crate) fn new(voice: &Voice, sample_rate: u32, seed: u64) -> Self {
        let sample_seconds = 1.0 / sample_rate as f32;
        Self {
            glide: 1.0 - (-sample_seconds * 4.0 / voice.glide_seconds.max(1e-3)).exp(),
            sample_seconds,
            scoop: voice.scoop_semitones,
            vibrato: (voice.vibrato_hz, voice.vibrato_cents / 100.0, voice.vibrato_onset_seconds),
            drift_semitones: voice.drift_cents / 100.0,
            slid: None,
            goal: 60.0,
            gap_seconds: 1.0,
            note_age_seconds: 0.0,
            vibrato_phase: 0.0,
            drift: Drift::new(seed ^ 0x11, 1.7, sample_rate),
            pace: Drift::new(seed ^ 0x22, 2.5, sample_rate),
        }
    }

    pub(crate) fn advance(&mut self, target: Option<f32>) -> f32 {
        self.note_age_seconds += self.sample_seconds;
        match target {
            Some(target) => {
                if (target - self.goal).abs() > 0.6 || self.gap_seconds > 0.02 {
                    self.goal = target;
                    self.note_age_seconds = 0.0;
                }
                if self.gap_seconds > 0.12 || self.slid.is_none() {
                    self.slid = Some([target - self.scoop; 2]);
                }
                self.gap_seconds = 0.0;
                if let Some([first, second]) = &mut self.slid {
                    *first += self.glide * (target - *first);
                    *second += self.glide * (*first - *second);
                }
            }
            None => self.gap_seconds += self.sample_seconds,
        }
        let (rate_hz, depth, onset_seconds) = self.vibrato;
        let swell = ((self.note_age_seconds - onset_seconds) / 0.25).clamp(0.0, 1.0);
        self.vibrato_phase += self.sample_seconds * rate_hz * (1.0 + 0.04 * self.pace.advance());
        let wobble = depth * swell * (TAU * self.vibrato_phase).sin();
        self.slid.map_or(self.goal, |slid| slid[1]) + wobble + self.drift_semitones * 0.6 * self.drift.advance()
    }
}

/// Follows the loudness: rises, falls, syllables and the wavering of a held note.
pub(crate) struct Level {
    rise: f32,
    fall: f32,
    value: f32,
    waver: Drift,
}

impl Level {
    pub(crate) fn new(voice: &Voice, sample_rate: u32, seed: u64) -> Self {
        let speed = |seconds: f32| 1.0 - (-2.5 / (seconds.max(1e-3) * sample_rate as f32)).exp();
        Self {
            rise: speed(voice.attack_seconds),
            fall: speed(voice.release_seconds),
            value: 0.0,
            waver: Drift::new(seed ^ 0x33, 2.2, sample_rate),
        }
    }

    /// Returns how far the consonant that starts a note has closed the mouth, 0 to 1: in and out within 80 ms.
    pub(crate) fn syllable(&self, note_age_seconds: f32) -> f32 {
        let place = (note_age_seconds / 0.08).clamp(0.0, 1.0);
        (PI * place).sin().powi(2)
    }

    pub(crate) fn advance(&mut self, sounding: bool, note_age_seconds: f32) -> f32 {
        // A new syllable starts a little softer, a held note fades a little.
        let onset = 1.0 - 0.45 * self.syllable(note_age_seconds);
        let goal = if sounding { onset * (0.85 + 0.15 * (-note_age_seconds / 0.8).exp()) } else { 0.0 };
        let speed = if goal > self.value { self.rise } else { self.fall };
        self.value += speed * (goal - self.value);
        self.value * (1.0 + 0.09 * self.waver.advance())
    }
}

/// Returns the level of the in-breath at every sample: in long gaps, just before the voice comes in again.
pub(crate) fn breath_track(pitches: &[Option<f32>], hop_seconds: f64, count: usize, rate: f64) -> Vec<f32> {
    let mut track = vec![0.0; count];
    let mut gap_start = None;
    for (hop, pitch) in pitches.iter().enumerate() {
        match (pitch, gap_start) {
            (None, None) => gap_start = Some(hop),
            (Some(_), Some(start)) => {
                gap_start = None;
                let gap_seconds = (hop - start) as f64 * hop_seconds;
                if gap_seconds < 0.12 || start == 0 {
                    continue;
                }
                let length = ((gap_seconds * 0.8).min(0.35) * rate) as usize;
                let end = ((hop as f64 * hop_seconds - 0.03).max(0.0) * rate) as usize;
                for step in 0..length.min(end) {
                    let place = step as f32 / length as f32;
                    if let Some(level) = track.get_mut(end - length.min(end) + step) {
                        *level = 0.03 * (PI * place).sin().powi(2);
                    }
                }
            }
            _ => {}
        }
    }
    track
}
