//! Arrangements for bands with drums.

use crate::arrangement::{Arrangement, Part, Player};
use crate::performance::Performance;

const PIANO: i32 = 0;
const ACOUSTIC_BASS: i32 = 32;
const SYNTH_BASS: i32 = 38;
const ALTO_SAX: i32 = 65;
const FLUTE: i32 = 73;
const SAW_LEAD: i32 = 81;
const WARM_PAD: i32 = 89;
const KALIMBA: i32 = 108;
const TAIKO: i32 = 116;
const ELECTRONIC_KIT: i32 = 24;
const BRUSH_KIT: i32 = 40;

/// Keys of the drum channel.
mod drum {
    pub const KICK: i32 = 36;
    pub const SNARE: i32 = 38;
    pub const CLAP: i32 = 39;
    pub const CLOSED_HAT: i32 = 42;
    pub const PEDAL_HAT: i32 = 44;
    pub const OPEN_HAT: i32 = 46;
    pub const LOW_TOM: i32 = 41;
    pub const HIGH_TOM: i32 = 45;
    pub const RIDE: i32 = 51;
    pub const HIGH_BONGO: i32 = 60;
    pub const LOW_BONGO: i32 = 61;
    pub const OPEN_CONGA: i32 = 63;
    pub const LOW_CONGA: i32 = 64;
    pub const MARACAS: i32 = 70;
}

/// Arranges for a saxophone with brushes, walking bass and piano chords.
pub fn jazz_with_saxophone(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let sax = player.melody(Part::new(ALTO_SAX, 64).expressive(), 0, 0.94);
    let mut bass = Part::new(ACOUSTIC_BASS, 58);
    let mut piano = Part::new(PIANO, 86);
    let mut brushes = Part::kit(BRUSH_KIT);
    for (beats, place) in tune.grid(1.0) {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let ahead = tune.chord_at(beats + 1.0).unwrap_or(chord);
        // The walk: root, third, fifth, then a half step into the next root.
        let pitch = match place as usize {
            0 => chord.tone_near(0, 41),
            1 => chord.tone_near(1, 42),
            2 => chord.tone_near(2, 43),
            _ => ahead.tone_near(0, 41) + 1,
        };
        bass.notes.push(player.note(beats, 0.9, pitch, 82));
        let back_beat = place as usize % 2 == 1;
        brushes.notes.push(player.note(beats, 0.4, drum::RIDE, 50));
        brushes.notes.push(player.note(beats, 0.3, drum::SNARE, if back_beat { 42 } else { 24 }));
        if back_beat {
            brushes.notes.push(player.note(beats, 0.2, drum::PEDAL_HAT, 52));
            brushes.notes.push(player.note(beats + 0.5, 0.3, drum::RIDE, 38));
        }
        if place as usize == 1 {
            let low = (tune.melody_at(beats) - 5).min(60);
            for pitch in chord.voicing(low) {
                piano.notes.push(player.note(beats + 0.5, 0.6, pitch, 50));
            }
        }
    }
    Arrangement { lead: vec![sax], backing: vec![bass, piano, brushes], lead_over_backing_db: 5.5, room: 0.15 }
}

/// Arranges for a flute over hand drums, taiko and a kalimba.
pub fn tribal_drums_and_flute(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let flute = player.melody(Part::new(FLUTE, 64).expressive(), 0, 0.96);
    let mut taiko = Part::new(TAIKO, 64);
    let mut kalimba = Part::new(KALIMBA, 92);
    let mut hands = Part::kit(0);
    let figure = [
        drum::LOW_CONGA,
        drum::HIGH_BONGO,
        drum::OPEN_CONGA,
        drum::LOW_BONGO,
        drum::LOW_TOM,
        drum::HIGH_BONGO,
        drum::OPEN_CONGA,
        drum::HIGH_TOM,
    ];
    for (index, (beats, place)) in tune.grid(0.5).into_iter().enumerate() {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let accent = if matches!(index % 8, 0 | 3 | 6) { 88 } else { 58 };
        hands.notes.push(player.note(beats, 0.4, figure[index % figure.len()], accent));
        hands.notes.push(player.note(beats, 0.2, drum::MARACAS, if index % 2 == 0 { 34 } else { 46 }));
        if place < 1e-6 || (place - 1.5).abs() < 1e-6 {
            taiko.notes.push(player.note(beats, 1.0, 40, 84));
        }
        if place < 1e-6 || (place - 2.0).abs() < 1e-6 {
            kalimba.notes.push(player.note(beats, 1.5, chord.tone_near(0, 57), 48));
            kalimba.notes.push(player.note(beats + 0.5, 1.0, chord.tone_near(2, 57), 42));
        }
    }
    Arrangement { lead: vec![flute], backing: vec![taiko, kalimba, hands], lead_over_backing_db: 3.5, room: 0.24 }
}

/// Arranges for a synth lead over electronic drums, bass and pad.
pub fn electronic_synth_lead(tune: &Performance, seed: u64) -> Arrangement {
    let mut player = Player::new(tune, seed);
    let lead = player.melody(Part::new(SAW_LEAD, 64), 0, 0.93);
    let mut bass = Part::new(SYNTH_BASS, 64);
    let mut pad = Part::new(WARM_PAD, 64);
    let mut kit = Part::kit(ELECTRONIC_KIT);
    let pulse = player.pulse_beats();
    for (index, (beats, place)) in tune.grid(pulse / 2.0).into_iter().enumerate() {
        let Some(chord) = tune.chord_at(beats) else { continue };
        let octave = if index % 2 == 0 { 0 } else { 12 };
        bass.notes.push(player.note(beats, pulse * 0.4, chord.tone_near(0, 38) + octave, 78));
        if index % 2 == 0 {
            kit.notes.push(player.note(beats, 0.3, drum::KICK, 96));
            kit.notes.push(player.note(beats, 0.2, drum::CLOSED_HAT, 44));
        } else {
            kit.notes.push(player.note(beats, 0.2, drum::OPEN_HAT, 54));
        }
        if index % 4 == 2 {
            kit.notes.push(player.note(beats, 0.3, drum::CLAP, 78));
            kit.notes.push(player.note(beats, 0.3, drum::SNARE, 60));
        }
        if place < 1e-6 {
            for pitch in chord.voicing(57) {
                pad.notes.push(player.note(beats, tune.beats_per_bar, pitch, 44));
            }
        }
    }
    Arrangement { lead: vec![lead], backing: vec![bass, pad, kit], lead_over_backing_db: 3.0, room: 0.14 }
}
