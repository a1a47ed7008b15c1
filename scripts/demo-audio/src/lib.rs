//! Renders the demo clips of earworm's notebooks: public-domain tunes for a soundfont and a voice of our own.
//!
//! [`melody`] reads the tunes, [`performance`] plays them in a key and tempo, [`styles`] and [`bands`] arrange them,
//! [`stage`] and [`voice`] make them sound, [`mix`] balances them, and [`check`] measures the clips against the written
//! notes.

pub mod arrangement;
pub mod bands;
pub mod check;
pub mod chord;
pub mod clips;
pub mod contour;
pub mod glottis;
mod habits;
pub mod listen;
pub mod melody;
pub mod mix;
pub mod performance;
pub mod rng;
pub mod singers;
pub mod stage;
pub mod styles;
pub mod tract;
pub mod voice;
