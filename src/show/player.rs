//! Audio that can be heard in a notebook: a player over its waveform.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Show, escape, plain};
use crate::audio::{Audio, load_clip};
use crate::plot::waveform;
use crate::store::Song;

/// The sample rate of embedded audio, in hertz: good enough to recognise a tune, small enough to save with a notebook.
const PLAYED_RATE: u32 = 16_000;
const PREVIEW_RATE: u32 = 12_000;

/// A player embeds at most this much audio; a longer one says so.
const PLAYED_SECONDS: f64 = 30.0;
const PREVIEW_SECONDS: f64 = 4.0;

/// A player over a waveform, to end a notebook cell with.
#[derive(Clone)]
pub struct Player {
    html: String,
    text: String,
}

/// Makes a player for audio: its first 30 s at 16 kHz, kept inside the notebook.
pub fn play(audio: &Audio) -> Player {
    let length = audio.duration_seconds();
    let cut = if length > PLAYED_SECONDS { format!(", the first {PLAYED_SECONDS:.0} s") } else { String::new() };
    let text = format!("{} ({length:.2} s, {} Hz{cut})", plain(audio.title()), audio.sample_rate());
    let html = format!(
        "<figure style=\"margin:0\">{}{}<figcaption>{}</figcaption></figure>",
        waveform(audio),
        element(audio, PLAYED_SECONDS, PLAYED_RATE),
        escape(&text)
    );
    Player { html, text: format!("[player] {text}") }
}

impl std::fmt::Display for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Show for Player {
    fn html(&self) -> String {
        self.html.clone()
    }
}

/// Makes a small player of a stored song's beginning, or says why there is none.
pub(super) fn preview(song: &Song) -> String {
    match load_clip(&song.path, 0.0, PREVIEW_SECONDS) {
        Ok(clip) => element(&clip, PREVIEW_SECONDS, PREVIEW_RATE),
        Err(e) => format!("<small>{}</small>", escape(&e.to_string())),
    }
}

fn element(audio: &Audio, seconds: f64, rate: u32) -> String {
    let rate = rate.min(audio.sample_rate());
    let wav = audio.clip(0.0, seconds).and_then(|clip| clip.resample(rate)).map(|clip| clip.to_wav());
    match wav {
        Ok(Ok(bytes)) => format!(
            "<audio controls preload=\"metadata\" style=\"height:32px;width:230px;vertical-align:middle\" title=\"{}\" src=\"data:audio/wav;base64,{}\"></audio>",
            escape(audio.title()),
            STANDARD.encode(bytes)
        ),
        _ => "<small>no player</small>".into(),
    }
}
