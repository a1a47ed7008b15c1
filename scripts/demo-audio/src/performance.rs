//! Turns a written tune into notes in seconds: key, tempo, swing and a player's small imprecision.

use crate::chord::Chord;
use crate::melody::Tune;
use crate::rng::Rng;

/// A played note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedNote {
    /// Seconds from the start of the clip.
    pub start_seconds: f64,
    /// Seconds it sounds.
    pub length_seconds: f64,
    /// MIDI pitch.
    pub midi: i32,
    /// MIDI velocity, 1 to 127.
    pub velocity: i32,
}

impl TimedNote {
    /// Returns when the note ends, in seconds.
    pub fn end_seconds(&self) -> f64 {
        self.start_seconds + self.length_seconds
    }
}

/// How a tune is played: how much of it, how fast, how high, how straight.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Quarter notes of the tune to play.
    pub beats: f64,
    /// Quarter notes a minute.
    pub bpm: f64,
    /// Semitones above the written key.
    pub transpose: i32,
    /// Where an off-beat eighth falls within its quarter note: 0.5 straight, 0.66 full swing.
    pub swing: f64,
    /// Spread of a note's start about the beat, in seconds.
    pub looseness_seconds: f64,
}

/// A tune in seconds, with what an accompaniment needs to follow it.
#[derive(Debug, Clone)]
pub struct Performance {
    /// The melody as played.
    pub notes: Vec<TimedNote>,
    /// Chords in the played key, with the beat from which each holds.
    pub chords: Vec<(f64, Chord)>,
    /// Quarter notes in a bar.
    pub beats_per_bar: f64,
    /// Quarter notes before the first full bar.
    pub pickup_beats: f64,
    /// How it was played.
    pub manner: Manner,
    /// Seconds of the clip, tail included.
    pub total_seconds: f64,
}

/// Silence before the first note and room for the last one to ring, in seconds.
pub const LEAD_IN_SECONDS: f64 = 0.12;
const TAIL_SECONDS: f64 = 0.55;

impl Performance {
    /// Plays `tune` in the given manner; equal seeds play it equally.
    pub fn new(tune: &Tune, manner: Manner, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut played = Self {
            notes: Vec::new(),
            chords: tune.chords.iter().map(|(beat, chord)| (*beat, chord.transposed(manner.transpose))).collect(),
            beats_per_bar: tune.beats_per_bar,
            pickup_beats: tune.pickup_beats,
            manner,
            total_seconds: LEAD_IN_SECONDS + manner.beats * 60.0 / manner.bpm + TAIL_SECONDS,
        };
        for note in tune.notes.iter().filter(|note| note.start_beats < manner.beats - 1e-6) {
            let end_beats = (note.start_beats + note.length_beats).min(manner.beats);
            let loose = f64::from(rng.bell()) * manner.looseness_seconds;
            let start = (played.seconds_at(note.start_beats) + loose).max(0.01);
            let on_bar = (note.start_beats - tune.pickup_beats).rem_euclid(tune.beats_per_bar) < 1e-6;
            let accent = if on_bar { 8 } else { 0 };
            played.notes.push(TimedNote {
                start_seconds: start,
                length_seconds: (played.seconds_at(end_beats) - start).max(0.05),
                midi: note.midi + manner.transpose,
                velocity: (92 + accent + (rng.bell() * 5.0) as i32).clamp(1, 127),
            });
        }
        played
    }

    /// Returns the second at which a beat falls, swing included.
    pub fn seconds_at(&self, beats: f64) -> f64 {
        let (whole, part) = (beats.floor(), beats - beats.floor());
        let swing = self.manner.swing;
        let swung = if part <= 0.5 { part * 2.0 * swing } else { swing + (part - 0.5) * 2.0 * (1.0 - swing) };
        LEAD_IN_SECONDS + (whole + swung) * 60.0 / self.manner.bpm
    }

    /// Returns the chord that holds at a beat; before the first, that first one.
    pub fn chord_at(&self, beats: f64) -> Option<&Chord> {
        let held = self.chords.iter().rev().find(|(from, _)| *from <= beats + 1e-6);
        held.or(self.chords.first()).map(|(_, chord)| chord)
    }

    /// Returns the melody's pitch at a beat, or that of the last note before it.
    pub fn melody_at(&self, beats: f64) -> i32 {
        let seconds = self.seconds_at(beats) + 0.03;
        let before = self.notes.iter().rev().find(|note| note.start_seconds <= seconds);
        before.or(self.notes.first()).map_or(72, |note| note.midi)
    }

    /// Lists the beats from the first full bar to the end, `step_beats` apart, each with its place in the bar.
    pub fn grid(&self, step_beats: f64) -> Vec<(f64, f64)> {
        let count = ((self.manner.beats - self.pickup_beats) / step_beats - 1e-6).ceil().max(0.0) as usize;
        let places = (0..count).map(|index| index as f64 * step_beats);
        places.map(|beats| (self.pickup_beats + beats, beats.rem_euclid(self.beats_per_bar))).collect()
    }
}
