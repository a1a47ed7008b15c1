//! The eighteen clips: which tune, which sound, which key, how fast, which file.

use crate::arrangement::Arrangement;
use crate::performance::{Manner, Performance};
use crate::{bands, styles};

/// Arranges a performance for an ensemble; equal seeds arrange equally.
pub type Style = fn(&Performance, u64) -> Arrangement;

/// What a clip is played or sung by.
#[derive(Clone, Copy)]
pub enum Sound {
    /// One person humming; the number scales the vocal tract (1.0 a man, 1.15 a woman).
    Hum(f32),
    /// An opera singer over a soft orchestra; the number scales the vocal tract.
    Opera(f32),
    /// Voices in four parts, unaccompanied.
    Choir,
    /// An ensemble from the soundfont.
    Ensemble(Style),
}

/// One clip to render.
#[derive(Clone, Copy)]
pub struct Clip {
    /// File name without its extension.
    pub name: &'static str,
    /// Extension, which also says how to encode it.
    pub extension: &'static str,
    /// Title of the tune in `melodies.abc`.
    pub tune: &'static str,
    /// Who plays it.
    pub sound: Sound,
    /// How it is played.
    pub manner: Manner,
}

impl Clip {
    /// Returns the file name.
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.extension)
    }

    /// Returns samples a second and channels of the clip.
    pub fn shape(&self) -> (u32, u16) {
        match self.extension {
            "wav" => (32_000, 1),
            "aiff" => (22_050, 1),
            _ => (44_100, 2),
        }
    }

    /// Returns the seed of everything random in the clip: its place in the list.
    pub fn seed(&self) -> u64 {
        1 + clips().iter().position(|clip| clip.name == self.name).unwrap_or(0) as u64
    }
}

const BELLA: &str = "Bella ciao";
const MOZART: &str = "Symphony No. 25, K. 183, first theme";
const GREENSLEEVES: &str = "Greensleeves";
const ODE: &str = "Ode to Joy";

fn manner(beats: f64, bpm: f64, transpose: i32) -> Manner {
    Manner { beats, bpm, transpose, swing: 0.5, looseness_seconds: 0.006 }
}

fn swung(beats: f64, bpm: f64, transpose: i32) -> Manner {
    Manner { swing: 0.6, looseness_seconds: 0.009, ..manner(beats, bpm, transpose) }
}

fn loose(beats: f64, bpm: f64, transpose: i32) -> Manner {
    Manner { looseness_seconds: 0.014, ..manner(beats, bpm, transpose) }
}

/// Lists the clips in the order of their seeds.
pub fn clips() -> Vec<Clip> {
    use Sound::{Choir, Ensemble, Hum, Opera};
    let clip = |name, extension, tune, sound, manner| Clip { name, extension, tune, sound, manner };
    // Phrases of Bella ciao end after 16, 24 and 33.5 quarter notes; the keys and tempi all differ on purpose.
    vec![
        clip("bella_ciao_humming", "wav", BELLA, Hum(1.14), loose(24.0, 150.0, -9)),
        clip("bella_ciao_opera-singer", "ogg", BELLA, Opera(1.0), manner(16.0, 100.0, -11)),
        clip(
            "bella_ciao_tribal-drums-and-flute",
            "ogg",
            BELLA,
            Ensemble(bands::tribal_drums_and_flute),
            manner(24.0, 158.0, 5),
        ),
        clip(
            "bella_ciao_electronic-synth-lead",
            "mp3",
            BELLA,
            Ensemble(bands::electronic_synth_lead),
            manner(24.0, 144.0, 2),
        ),
        clip("bella_ciao_guitar-solo", "ogg", BELLA, Ensemble(styles::steel_guitar_solo), loose(16.0, 97.0, -5)),
        clip("bella_ciao_piano-solo", "flac", BELLA, Ensemble(styles::piano_solo), loose(24.0, 153.0, 0)),
        clip("bella_ciao_string-quartet", "ogg", BELLA, Ensemble(styles::string_quartet), manner(16.0, 106.0, 3)),
        clip(
            "bella_ciao_jazz-with-saxophone",
            "m4a",
            BELLA,
            Ensemble(bands::jazz_with_saxophone),
            swung(33.5, 205.0, -4),
        ),
        clip("bella_ciao_a-cappella-chorus", "ogg", BELLA, Choir, manner(16.0, 103.0, 1)),
        clip("mozart_symphony25_prompt", "ogg", MOZART, Ensemble(styles::orchestra), manner(32.0, 198.0, 0)),
        clip("mozart_symphony25_humming", "wav", MOZART, Hum(1.0), loose(24.0, 146.0, -19)),
        clip("mozart_symphony25_piano-solo", "ogg", MOZART, Ensemble(styles::piano_solo), loose(24.0, 156.0, 2)),
        clip(
            "mozart_symphony25_string-quartet",
            "ogg",
            MOZART,
            Ensemble(styles::string_quartet),
            manner(32.0, 206.0, -3),
        ),
        clip(
            "mozart_symphony25_jazz-with-saxophone",
            "ogg",
            MOZART,
            Ensemble(bands::jazz_with_saxophone),
            swung(24.0, 149.0, -7),
        ),
        clip(
            "greensleeves_guitar-solo",
            "aiff",
            GREENSLEEVES,
            Ensemble(styles::nylon_guitar_solo),
            loose(12.0, 80.0, 0),
        ),
        clip("greensleeves_humming", "wav", GREENSLEEVES, Hum(1.1), loose(12.0, 74.0, -6)),
        clip("ode_to_joy_opera-singer", "ogg", ODE, Opera(1.17), manner(16.0, 102.0, 4)),
        clip(
            "ode_to_joy_electronic-synth-lead",
            "ogg",
            ODE,
            Ensemble(bands::electronic_synth_lead),
            manner(32.0, 202.0, -3),
        ),
    ]
}
