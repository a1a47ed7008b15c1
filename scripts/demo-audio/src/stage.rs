//! Plays parts on a soundfont.

use crate::arrangement::Part;
use crate::mix::Stereo;
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const NOTE_OFF: i32 = 0x80;
const NOTE_ON: i32 = 0x90;
const CONTROL: i32 = 0xb0;
const PROGRAM: i32 = 0xc0;
const VIBRATO: i32 = 1;
const PAN: i32 = 10;
const EXPRESSION: i32 = 11;
const DRUM_CHANNEL: i32 = 9;

/// The instruments of a soundfont.
pub struct Stage {
    font: Arc<SoundFont>,
}

/// A MIDI message at a second; `order` puts endings before beginnings that fall together.
struct Message {
    seconds: f64,
    order: u8,
    channel: i32,
    command: i32,
    data: (i32, i32),
}

impl Stage {
    /// Opens a soundfont file.
    pub fn open(soundfont: &Path) -> Result<Self, Box<dyn Error>> {
        let mut file = File::open(soundfont).map_err(|error| format!("{}: {error}", soundfont.display()))?;
        Ok(Self { font: Arc::new(SoundFont::new(&mut file)?) })
    }

    /// Plays parts together for `total_seconds`, without a room: [`Stereo::with_room`] adds that.
    pub fn play(&self, parts: &[Part], total_seconds: f64, sample_rate: u32) -> Result<Stereo, Box<dyn Error>> {
        let mut settings = SynthesizerSettings::new(i32::try_from(sample_rate)?);
        settings.enable_reverb_and_chorus = false;
        settings.maximum_polyphony = 128;
        let mut synth = Synthesizer::new(&self.font, &settings)?;
        let mut messages = messages(parts);
        messages.sort_by(|a, b| a.seconds.total_cmp(&b.seconds).then(a.order.cmp(&b.order)));
        let count = (total_seconds * f64::from(sample_rate)).round() as usize;
        let mut played = Stereo::silent(count, sample_rate);
        let mut now = 0;
        for message in &messages {
            let at = ((message.seconds * f64::from(sample_rate)) as usize).clamp(now, count);
            synth.render(&mut played.left[now..at], &mut played.right[now..at]);
            now = at;
            synth.process_midi_message(message.channel, message.command, message.data.0, message.data.1);
        }
        synth.render(&mut played.left[now..], &mut played.right[now..]);
        Ok(played)
    }
}

fn messages(parts: &[Part]) -> Vec<Message> {
    let mut messages = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let free = index as i32 + i32::from(index as i32 >= DRUM_CHANNEL);
        let channel = if part.drums { DRUM_CHANNEL } else { free };
        let mut send = |seconds: f64, order, command, data| {
            messages.push(Message { seconds: seconds.max(0.0), order, channel, command, data });
        };
        send(0.0, 0, PROGRAM, (part.program, 0));
        send(0.0, 0, CONTROL, (PAN, part.pan));
        for note in &part.notes {
            let (start, end) = (note.start_seconds, note.end_seconds());
            send(start, 2, NOTE_ON, (note.midi, note.velocity));
            send(end, 1, NOTE_OFF, (note.midi, 0));
            if part.expressive {
                // A bow or a breath: lean in, then add vibrato to what is held.
                send(start, 0, CONTROL, (VIBRATO, 0));
                send(start, 0, CONTROL, (EXPRESSION, 100));
                let swells = (note.length_seconds / 0.05) as i32;
                for step in 1..swells {
                    let age = f64::from(step) * 0.05;
                    let depth = ((age - 0.25) * 120.0).clamp(0.0, 42.0) as i32;
                    let lean = (100.0 + 27.0 * (std::f64::consts::PI * age / note.length_seconds).sin()) as i32;
                    send(start + age, 0, CONTROL, (VIBRATO, depth));
                    send(start + age, 0, CONTROL, (EXPRESSION, lean.clamp(0, 127)));
                }
            }
            if part.damped {
                send(start, 0, CONTROL, (EXPRESSION, if part.expressive { 100 } else { 127 }));
                for (step, level) in [96, 68, 44, 24, 10, 0].into_iter().enumerate() {
                    send(end + 0.012 * (step + 1) as f64, 0, CONTROL, (EXPRESSION, level));
                }
            }
        }
    }
    messages
}
