//! Search by music from a notebook: one line loads a file, one embeds it, one indexes a folder, one finds what sounds
//! like it.
//!
//! | tutorial step | call | module |
//! | --- | --- | --- |
//! | 1 create the index | [`Index::open`] | [`mod@index`], [`store`] |
//! | 2.1 list and load audio files | [`list_audio`], [`load`] | [`audio`], [`decode`] |
//! | 2.2 features and embeddings | [`features`](fn@features), [`embed`], [`tags`](fn@tags) | [`mod@features`], [`model`], [`embedding`] |
//! | 2.3 store them | [`index()`] | [`mod@index`], [`genre`] |
//! | 2.4 look at what is stored | [`Index::list`], [`Index::get`] | [`songs`] |
//! | 3.1 play the query | [`play`] | [`show`] |
//! | 3.2 search by it | [`query`], [`query_with`] | [`hits`] |
//! | 3.3 draw all songs | [`plot`](fn@plot) | [`mod@plot`] |
//! | in a notebook that answers quickly | `earworm kernel install` | [`kernel`] |
//!
//! ```no_run
//! use earworm::prelude::*;
//!
//! let mut songs = Index::open("my-audio-index")?;
//! index(&mut songs, "audios")?;
//! let hits = query(&songs, &load("hum.wav")?)?;
//! println!("{hits}");
//! # Ok::<(), earworm::Error>(())
//! ```

pub mod audio;
pub mod decode;
pub mod device;
pub mod doctor;
pub mod embedding;
pub mod error;
pub mod features;
pub mod fetch;
mod folders;
pub mod genre;
mod hash;
pub mod hits;
pub mod index;
pub mod interrupt;
pub mod kernel;
pub mod model;
pub mod plot;
pub mod prelude;
mod progress;
pub mod pth;
mod resample;
mod runtime;
pub mod show;
pub mod songs;
pub mod store;
pub mod tags;

pub use audio::{Audio, list_audio, load, load_clip};
pub use device::Device;
pub use embedding::Embedding;
pub use error::{Error, Result};
pub use features::{Features, features};
pub use genre::genre_of;
pub use hits::Hits;
pub use index::{Index, Indexed, index, query, query_with};
pub use model::{Model, embed, tags};
pub use plot::{Figure, plot};
pub use show::{Player, play};
pub use songs::Songs;
pub use store::{Field, Filter, Search, Song, Store};
pub use tags::Tags;
