//! Seats our own voices: one singer, or a choir in four parts.

use crate::contour::{Articulation, contour};
use crate::mix::Stereo;
use crate::performance::{Performance, TimedNote};
use crate::rng::Rng;
use crate::voice::Voice;

const HOP_SECONDS: f64 = 0.005;

/// Sings the melody with one voice.
pub fn solo(tune: &Performance, voice: &Voice, articulation: Articulation, sample_rate: u32, seed: u64) -> Vec<f32> {
    let pitches = contour(&tune.notes, articulation, HOP_SECONDS, tune.total_seconds);
    voice.sing(&pitches, HOP_SECONDS, sample_rate, seed)
}

/// Sings the melody with a choir: sopranos on top, altos, tenors and basses on the chords.
pub fn choir(tune: &Performance, sample_rate: u32, seed: u64) -> Stereo {
    let mut rng = Rng::new(seed);
    let count = (tune.total_seconds * f64::from(sample_rate)).round() as usize;
    let mut mixed = Stereo::silent(count, sample_rate);
    // Size of the tract, level against the sopranos and number of voices of each part.
    let sections = [(1.18, 1.0, 3), (1.1, 0.28, 2), (1.0, 0.25, 2), (0.92, 0.22, 2)];
    for (section, (size, level, voices)) in sections.into_iter().enumerate() {
        let notes = harmony(tune, section);
        for singer in 0..voices {
            let late = f64::from(rng.bell()) * 0.012;
            let detune = rng.bell() * 0.07;
            let placed: Vec<TimedNote> = notes
                .iter()
                .map(|note| TimedNote { start_seconds: (note.start_seconds + late).max(0.01), ..*note })
                .collect();
            let pitches = contour(&placed, Articulation::singing(), HOP_SECONDS, tune.total_seconds);
            let detuned: Vec<_> = pitches.iter().map(|pitch| pitch.map(|midi| midi + detune)).collect();
            let mut voice = Voice::chorister(size * (1.0 + 0.02 * rng.bell()));
            voice.vibrato_hz += 0.3 * rng.bell();
            let sung = voice.sing(&detuned, HOP_SECONDS, sample_rate, seed ^ ((section as u64) << 8 | singer as u64));
            let pan = (section as f32 - 1.5) * 0.28 + rng.signed() * 0.15;
            mixed.add_mono(&sung, level, pan);
        }
    }
    mixed
}

/// Returns the notes of one part of the choir: 0 the melody, 1 to 3 downwards, moving with the melody's notes.
fn harmony(tune: &Performance, section: usize) -> Vec<TimedNote> {
    let beat_of = |seconds: f64| (seconds - tune.seconds_at(0.0)) * tune.manner.bpm / 60.0;
    let mut notes: Vec<TimedNote> = Vec::new();
    for note in &tune.notes {
        let midi = match (section, tune.chord_at(beat_of(note.start_seconds + 0.03))) {
            (0, _) | (_, None) => note.midi,
            (3, Some(chord)) => chord.tone_near(0, 46),
            (_, Some(chord)) => {
                let alto = chord.tone_below(note.midi - 3, &[]);
                if section == 1 { alto } else { chord.tone_below((alto - 3).min(59), &[]) }
            }
        };
        notes.push(TimedNote { midi, ..*note });
    }
    notes
}
