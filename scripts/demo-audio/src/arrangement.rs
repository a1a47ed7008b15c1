//! What an ensemble plays: parts of timed notes, split into the melody and what accompanies it.

use crate::performance::{Performance, TimedNote};
use crate::rng::Rng;

/// One instrument's notes.
#[derive(Debug, Clone)]
pub struct Part {
    /// General MIDI program, from 0; the kit for drums.
    pub program: i32,
    /// Whether it plays the drum channel.
    pub drums: bool,
    /// Place between the loudspeakers: 0 left, 64 middle, 127 right.
    pub pan: i32,
    /// Whether held notes swell and gain vibrato, as bowed and blown ones do.
    pub expressive: bool,
    /// Whether a note is silenced when it ends, as a finger damps a string, not left to ring into the next.
    pub damped: bool,
    /// The notes, in any order.
    pub notes: Vec<TimedNote>,
}

impl Part {
    /// Starts an empty part for a General MIDI program at a place between the loudspeakers.
    pub fn new(program: i32, pan: i32) -> Self {
        Self { program, drums: false, pan, expressive: false, damped: false, notes: Vec::new() }
    }

    /// Starts an empty part for a drum kit.
    pub fn kit(program: i32) -> Self {
        Self { drums: true, ..Self::new(program, 64) }
    }

    /// Makes held notes swell and gain vibrato.
    pub fn expressive(self) -> Self {
        Self { expressive: true, ..self }
    }
}

/// An ensemble's parts and their balance.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// Parts that carry the melody.
    pub lead: Vec<Part>,
    /// Parts that accompany it.
    pub backing: Vec<Part>,
    /// Level of the melody above the accompaniment, in decibels.
    pub lead_over_backing_db: f64,
    /// Level of the room's reverberation, 0 to 1.
    pub room: f32,
}

/// Writes notes at beats, with a player's small imprecision.
pub struct Player<'a> {
    /// The performance that the ensemble follows.
    pub tune: &'a Performance,
    rng: Rng,
}

impl<'a> Player<'a> {
    /// Seats a player; equal seeds play equally.
    pub fn new(tune: &'a Performance, seed: u64) -> Self {
        Self { tune, rng: Rng::new(seed) }
    }

    /// Writes a note that starts at a beat and lasts `length_beats`.
    pub fn note(&mut self, beats: f64, length_beats: f64, midi: i32, velocity: i32) -> TimedNote {
        let end_beats = (beats + length_beats).min(self.tune.manner.beats + 0.25);
        let loose = f64::from(self.rng.bell()) * self.tune.manner.looseness_seconds;
        let start = (self.tune.seconds_at(beats) + loose).max(0.0);
        TimedNote {
            start_seconds: start,
            length_seconds: (self.tune.seconds_at(end_beats) - start).max(0.04),
            midi: midi.clamp(21, 108),
            velocity: (velocity + (self.rng.bell() * 4.0) as i32).clamp(1, 127),
        }
    }

    /// Gives the melody, `octaves` up or down, to a part; `legato` is the share of each note that sounds.
    pub fn melody(&mut self, part: Part, octaves: i32, legato: f64) -> Part {
        let mut part = part;
        part.notes.extend(self.tune.notes.iter().map(|note| TimedNote {
            midi: note.midi + 12 * octaves,
            length_seconds: note.length_seconds * legato,
            ..*note
        }));
        part
    }

    /// Gives the melody to two strings in turn, so that each is damped while the other one sounds.
    pub fn damped_melody(&mut self, part: Part) -> Vec<Part> {
        let whole = self.melody(Part { damped: true, ..part }, 0, 1.0);
        let string =
            |odd: usize| Part { notes: whole.notes.iter().skip(odd).step_by(2).copied().collect(), ..whole.clone() };
        vec![string(0), string(1)]
    }

    /// Returns the beat that the accompaniment moves in: a half note in a fast tune, else a quarter.
    pub fn pulse_beats(&self) -> f64 {
        if self.tune.manner.bpm > 175.0 && self.tune.beats_per_bar >= 4.0 { 2.0 } else { 1.0 }
    }
}
