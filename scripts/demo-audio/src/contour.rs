//! Turns played notes into the pitch contour a voice sings.

use crate::performance::TimedNote;

/// Where a singer lets go of the sound between notes.
#[derive(Debug, Clone, Copy)]
pub struct Articulation {
    /// Silence before a repeated pitch, in seconds: the onset of a new syllable.
    pub gap_seconds: f64,
    /// Notes at least this long, in seconds, end with a breath.
    pub breath_after_seconds: f64,
    /// How much a breath takes from the end of such a note, in seconds.
    pub breath_seconds: f64,
}

impl Articulation {
    /// Returns the articulation of an easy hum: short closures, breaths after held notes.
    pub fn humming() -> Self {
        Self { gap_seconds: 0.05, breath_after_seconds: 0.75, breath_seconds: 0.22 }
    }

    /// Returns the articulation of trained singing: long lines and quick breaths.
    pub fn singing() -> Self {
        Self { gap_seconds: 0.04, breath_after_seconds: 0.8, breath_seconds: 0.16 }
    }
}

/// Samples the pitch of `notes` every `hop_seconds` for `total_seconds`: MIDI pitches, `None` where no one sings.
pub fn contour(
    notes: &[TimedNote],
    articulation: Articulation,
    hop_seconds: f64,
    total_seconds: f64,
) -> Vec<Option<f32>> {
    let hops = (total_seconds / hop_seconds).ceil().max(0.0) as usize;
    let mut pitches = vec![None; hops];
    for (index, note) in notes.iter().enumerate() {
        let next = notes.get(index + 1);
        let joined = next.map_or(note.end_seconds(), |next| next.start_seconds.min(note.end_seconds() + 0.04));
        let cut = match next {
            _ if note.length_seconds >= articulation.breath_after_seconds => articulation.breath_seconds,
            Some(next) if next.midi == note.midi => articulation.gap_seconds,
            _ => 0.0,
        };
        let from = (note.start_seconds / hop_seconds).round() as usize;
        let to = ((joined - cut) / hop_seconds).round().max(0.0) as usize;
        for pitch in pitches.iter_mut().take(to).skip(from) {
            *pitch = Some(note.midi as f32);
        }
    }
    pitches
}
