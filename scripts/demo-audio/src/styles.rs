//! Arrangements for instruments: soloists that accompany themselves, and strings.

use crate::arrangement::{Arrangement, Part, Player};
use crate::performance::Performance;

const PIANO: i32 = 0;
const NYLON_GUITAR: i32 = 24;
const STEEL_GUITAR: i32 = 25;
const VIOLIN: i32 = 40;
const VIOLA: i32 = 41;
const CELLO: i32 = 42;
const CONTRABASS: i32 = 43;
const HARP: i32 = 46;
const TIMPANI: i32 = 47;
const STRINGS: i32 = 48;
const SLOW_STRINGS: i32 = 49;
const HORN: i32 = 60;
const OBOE: i32 = 68;

/// Arranges for a pianist: melody in the right hand, bass and chords in the left.
pub fn piano_solo(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let step = player.pulse_beats();
    let mut left = Part::new(PIANO, 52);
    for (beats, place) in tune.grid(step) {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let strong = place < 1e-6 || (tune.beats_per_bar - 2.0 * place).abs() < 1e-6;
        if strong {
            let degree = if place < 1e-6 { 0 } else { 2 };
            left.notes.push(player.note(beats, step * 1.9, chord.tone_near(degree, 43), 58));
        } else {
            let low = tune.melody_at(beats).min(66) - 4;
            for pitch in chord.voicing(57.min(low)).into_iter().take(3) {
                left.notes.push(player.note(beats, step * 0.8, pitch, 44));
            }
        }
    }
    let lead = player.damped_melody(Part::new(PIANO, 72));
    Arrangement { lead, backing: vec![left], lead_over_backing_db: 12.0, room: 0.16 }
}

/// Arranges for a steel-string guitar that picks the melody over its own arpeggios.
pub fn steel_guitar_solo(tune: &Performance, seed: u64) -> Arrangement {
    guitar_solo(tune, seed, STEEL_GUITAR)
}

/// Arranges for a nylon-string guitar that picks the melody over its own arpeggios.
pub fn nylon_guitar_solo(tune: &Performance, seed: u64) -> Arrangement {
    guitar_solo(tune, seed, NYLON_GUITAR)
}

fn guitar_solo(tune: &Performance, seed: u64, program: i32) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let step = player.pulse_beats() / 2.0;
    let mut arpeggio = Part::new(program, 54);
    for (index, (beats, place)) in tune.grid(step).into_iter().enumerate() {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let (pitch, velocity) = match (place < 1e-6, index % 4) {
            (true, _) => (chord.tone_near(0, 43), 62),
            (_, 2) => (chord.tone_near(0, 54), 44),
            (_, 1) => (chord.tone_near(2, 50), 42),
            _ => (chord.tone_near(1, 55), 42),
        };
        arpeggio.notes.push(player.note(beats, step * 3.0, pitch, velocity));
    }
    let lead = player.damped_melody(Part::new(program, 68));
    Arrangement { lead, backing: vec![arpeggio], lead_over_backing_db: 13.0, room: 0.14 }
}

/// Arranges for two violins, viola and cello.
pub fn string_quartet(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let lead = player.damped_melody(Part::new(VIOLIN, 40).expressive());
    let mut second = Part::new(VIOLIN, 56).expressive();
    let mut viola = Part::new(VIOLA, 74).expressive();
    let mut cello = Part::new(CELLO, 92).expressive();
    let step = tune.beats_per_bar / 2.0;
    for (beats, place) in tune.grid(step) {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let lowest = (0..4).map(|part| tune.melody_at(beats + step * f64::from(part) / 4.0)).min().unwrap_or(72);
        let inner = chord.tone_below((lowest - 3).min(72), &[]);
        let middle = chord.tone_below((inner - 3).min(64), &[inner]);
        let degree = if place < 1e-6 { 0 } else { 2 };
        second.notes.push(player.note(beats, step * 0.97, inner, 62));
        viola.notes.push(player.note(beats, step * 0.97, middle.max(48), 62));
        cello.notes.push(player.note(beats, step * 0.95, chord.tone_near(degree, 43), 68));
    }
    Arrangement { lead, backing: vec![second, viola, cello], lead_over_backing_db: 10.0, room: 0.15 }
}

/// Arranges for an orchestra: violins and oboe on the theme, driving low strings, horns and timpani.
pub fn orchestra(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let mut lead = player.damped_melody(Part::new(STRINGS, 44));
    lead.extend(player.damped_melody(Part::new(VIOLIN, 36).expressive()));
    lead.push(player.melody(Part::new(OBOE, 66).expressive(), 0, 0.95));
    let mut low = Part::new(STRINGS, 86);
    let mut bass = Part::new(CONTRABASS, 96);
    let mut horns = Part::new(HORN, 58);
    let mut timpani = Part::new(TIMPANI, 64);
    for (beats, place) in tune.grid(1.0) {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let root = chord.tone_near(0, 44);
        low.notes.push(player.note(beats, 0.85, root + 12, 74));
        bass.notes.push(player.note(beats, 0.85, root, 70));
        if place < 1e-6 {
            for degree in 0..3 {
                horns.notes.push(player.note(beats, tune.beats_per_bar * 0.95, chord.tone_near(degree, 60), 60));
            }
            timpani.notes.push(player.note(beats, 1.5, root, 78));
        } else if (place - tune.beats_per_bar / 2.0).abs() < 1e-6 {
            timpani.notes.push(player.note(beats, 1.0, root, 60));
        }
    }
    Arrangement { lead, backing: vec![low, bass, horns, timpani], lead_over_backing_db: 7.0, room: 0.22 }
}

/// Arranges a soft bed of strings, harp and bass under a singer, who is added later.
pub fn opera_bed(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let mut strings = Part::new(SLOW_STRINGS, 64);
    let mut bass = Part::new(CONTRABASS, 80);
    let mut harp = Part::new(HARP, 44);
    for (beats, place) in tune.grid(tune.beats_per_bar / 2.0) {
        let Some(chord) = tune.chord_at(beats) else { continue };
        for pitch in chord.voicing(55).into_iter().take(3) {
            strings.notes.push(player.note(beats, tune.beats_per_bar / 2.0, pitch, 50));
        }
        bass.notes.push(player.note(beats, 1.0, chord.tone_near(0, 40), 56));
        if place < 1e-6 {
            for degree in 0..3 {
                let at = beats + 0.5 * degree as f64;
                harp.notes.push(player.note(at, 2.0, chord.tone_near(degree, 60), 52));
            }
        }
    }
    Arrangement { backing: vec![strings, bass, harp], lead_over_backing_db: 11.0, room: 0.3, ..Default::default() }
}
