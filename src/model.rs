//! Models that turn audio into embeddings and tags: what each one is, where its file is, and how it listens.

mod listen;
mod musicnn;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::audio::Audio;
use crate::decode::Decoder;
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::features::MelSpec;
use crate::folders::user_data;
use crate::hash::sha256;
use crate::runtime::{Inference, load_session};
use crate::store::Stamp;
use crate::tags::Tags;
use listen::Listener;

/// What is known of a model: its file, its front end, and what comes out of it.
pub(crate) struct Record {
    pub name: &'static str,
    pub file: &'static str,
    pub sha256: &'static str,
    pub mel: MelSpec,
    /// What the model was trained on instead of mel power.
    pub scale: fn(f32) -> f32,
    /// Mel frames in one input of the model.
    pub patch_frames: usize,
    pub dimensions: usize,
    pub embedding_output: &'static str,
    pub tags_output: &'static str,
    pub labels: &'static [&'static str],
    /// Counts the changes of all that comes before the model: vectors of two versions do not compare.
    pub front_end_version: u32,
}

/// A loaded model. Cloning shares it.
#[derive(Clone)]
pub struct Model {
    record: &'static Record,
    inference: Arc<dyn Inference>,
}

/// What a model hears in a piece of audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// What it sounds like.
    pub embedding: Embedding,
    /// What it is, in words.
    pub tags: Tags,
    /// How long it lasts.
    pub duration_seconds: f64,
}

impl Model {
    /// Loads the bundled model: musicnn trained on MagnaTagATune, 200 dimensions, 50 tags, 16 kHz.
    ///
    /// Pons and Serra, *musicnn: pre-trained convolutional neural networks for music audio tagging*, 2019. ISC licence.
    ///
    /// # Errors
    /// [`Error::ModelMissing`], [`Error::ModelChanged`], [`Error::RuntimeMissing`], or [`Error::Inference`] if ONNX
    /// Runtime does not take the file.
    pub fn musicnn() -> Result<Self> {
        Self::load(&musicnn::MTT)
    }

    /// Gets the bundled model, loaded once and then shared.
    pub(crate) fn bundled() -> Result<Self> {
        static LOADED: OnceLock<Model> = OnceLock::new();
        if let Some(model) = LOADED.get() {
            return Ok(model.clone());
        }
        let model = Self::musicnn()?;
        Ok(LOADED.get_or_init(|| model).clone())
    }

    fn load(record: &'static Record) -> Result<Self> {
        let file = find(record)?;
        let inference = Arc::from(load_session(record.name, &file)?);
        Ok(Self { record, inference })
    }

    /// Its name, for example `musicnn-mtt`.
    pub fn name(&self) -> &'static str {
        self.record.name
    }

    /// How many numbers its embeddings have.
    pub fn dimensions(&self) -> usize {
        self.record.dimensions
    }

    /// What marks the vectors that it makes.
    pub fn stamp(&self) -> Stamp {
        let Record { name, dimensions, front_end_version, .. } = *self.record;
        Stamp { model: name.into(), dimensions, front_end_version }
    }

    /// Listens to audio: its embedding, of unit length, and its tags. Silence has the zero embedding.
    ///
    /// The audio is converted to the model's sample rate and cut into patches of 3 s (shorter audio is repeated to fill
    /// one); the embedding and the tags are the means over the patches.
    ///
    /// # Errors
    /// [`Error::Inference`] if the model fails.
    pub fn listen(&self, audio: &Audio) -> Result<Heard> {
        let mut listener = Listener::new(self, audio.sample_rate())?;
        for chunk in audio.samples().chunks(1 << 16) {
            listener.push(chunk)?;
        }
        listener.finish()
    }

    /// Listens to a file as [`Model::listen`] does, in memory that does not grow with its length.
    ///
    /// # Errors
    /// As [`load`](crate::load) and [`Model::listen`].
    pub fn listen_to_file(&self, path: impl AsRef<Path>) -> Result<Heard> {
        let mut decoder = Decoder::open(path.as_ref())?;
        let mut listener = Listener::new(self, decoder.sample_rate())?;
        let mut chunk = Vec::new();
        while decoder.next_chunk(&mut chunk)? {
            listener.push(&chunk)?;
            chunk.clear();
        }
        listener.finish()
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Record { name, dimensions, labels, ref mel, .. } = *self.record;
        write!(f, "Model({name}: {dimensions} dimensions, {} tags, {} Hz)", labels.len(), mel.sample_rate)
    }
}

/// Embeds audio with the bundled model: 200 numbers of unit length.
///
/// # Errors
/// As [`Model::musicnn`] and [`Model::listen`].
pub fn embed(audio: &Audio) -> Result<Embedding> {
    Ok(Model::bundled()?.listen(audio)?.embedding)
}

/// Names what the bundled model hears in audio, best first, each with its confidence in 0..1.
///
/// # Errors
/// As [`Model::musicnn`] and [`Model::listen`].
pub fn tags(audio: &Audio) -> Result<Tags> {
    Ok(Model::bundled()?.listen(audio)?.tags)
}

/// The folders in which model files are looked for, in order.
pub(crate) fn search_folders() -> Vec<PathBuf> {
    let given = std::env::var_os("EARWORM_MODELS").filter(|v| !v.is_empty()).map(PathBuf::from);
    given.into_iter().chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("models"), user_folder()]).collect()
}

/// Where a user's own model files are.
pub(crate) fn user_folder() -> PathBuf {
    user_data().join("earworm/models")
}

/// Finds a model's file and checks that it is the one that was published.
fn find(record: &Record) -> Result<PathBuf> {
    let folders = search_folders();
    let candidates: Vec<PathBuf> = folders.iter().map(|folder| folder.join(record.file)).collect();
    let Some(file) = candidates.iter().find(|file| file.is_file()).cloned() else {
        let file = candidates.into_iter().next().unwrap_or_else(|| record.file.into());
        return Err(Error::ModelMissing { name: record.name, file });
    };
    let found = sha256(&file)?;
    if found != record.sha256 {
        return Err(Error::ModelChanged { file, found, expected: record.sha256 });
    }
    Ok(file)
}

/// Checks that the bundled model's file is there and whole, without loading it.
pub(crate) fn bundled_file() -> Result<PathBuf> {
    find(&musicnn::MTT)
}
