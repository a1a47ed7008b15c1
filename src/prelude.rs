//! What a notebook imports: `use earworm::prelude::*;`.

pub use crate::{
    Audio, Device, Embedding, Error, Features, Field, Figure, Filter, Hits, Index, Indexed, Model, Player, Search,
    Song, Songs, Tags, embed, features, genre_of, index, list_audio, load, load_clip, play, plot, query, query_with,
    tags,
};
