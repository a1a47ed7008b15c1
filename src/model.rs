//! Models that turn audio into embeddings and tags: what each one is, where its file is, and how it listens.

mod cnn14;
mod file;
mod listen;
mod musicnn;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use crate::audio::Audio;
use crate::decode::Decoder;
use crate::device::Device;
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::features::MelSpec;
use crate::interrupt::Interruptible;
use crate::pth;
use crate::runtime::{Inference, Weight, load_session, load_weighted_session, uses_cuda};
use crate::store::Stamp;
use crate::tags::Tags;
pub(crate) use file::{search_folders, user_folder};
use listen::Listener;

/// What is known of a model: its file, its front end, and what comes out of it.
pub(crate) struct Record {
    pub name: &'static str,
    pub file: &'static str,
    pub sha256: &'static str,
    /// Where the file comes from, if it is not in the repository.
    pub source: Option<Source>,
    /// The network without its weights, if the file has only those.
    pub graph: Option<&'static [u8]>,
    pub mel: MelSpec,
    /// What the model was trained on instead of mel power.
    pub scale: fn(f32) -> f32,
    pub hearing: Hearing,
    pub dimensions: usize,
    pub embedding_output: &'static str,
    pub tags_output: &'static str,
    pub labels: LazyLock<Vec<&'static str>>,
    /// Counts the changes of all that comes before the model: vectors of two versions do not compare.
    pub front_end_version: u32,
}

/// Where a model's file was published.
pub(crate) struct Source {
    pub url: &'static str,
    pub bytes: u64,
}

/// How much a model hears at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hearing {
    /// Patches of so many mel frames; what it says of a recording is the mean over them.
    Patches { frames: usize },
    /// The whole recording, within bounds; of a longer one, the mean over its parts.
    Whole { least_frames: usize, most_frames: usize },
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
        // So small a network gains nothing from a GPU.
        Self::load(&musicnn::MTT, Device::Cpu)
    }

    /// Loads PANNs Cnn14, trained on AudioSet: 2048 dimensions, 527 tags, 32 kHz. `earworm fetch panns` gets its file; the
    /// environment variable `EARWORM_PANNS` names another checkpoint to take instead.
    ///
    /// Kong et al., *PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition*, 2020. CC BY 4.0.
    ///
    /// # Errors
    /// As [`Model::musicnn`]; [`Error::Checkpoint`] if the file cannot be read.
    pub fn panns() -> Result<Self> {
        Self::panns_on(Device::Best)
    }

    /// Loads PANNs Cnn14 as [`Model::panns`] does, to run on a device of your choice.
    ///
    /// # Errors
    /// As [`Model::panns`]; [`Error::NoCuda`] if CUDA is asked for and cannot be had.
    pub fn panns_on(device: Device) -> Result<Self> {
        match std::env::var_os("EARWORM_PANNS").filter(|value| !value.is_empty()) {
            Some(checkpoint) => Self::panns_from(Path::new(&checkpoint), device),
            None => Self::load(&cnn14::AUDIOSET, device),
        }
    }

    /// Loads a checkpoint of Cnn14 as PyTorch writes it, for example one of your own training.
    ///
    /// # Errors
    /// As [`Model::panns_on`].
    pub fn panns_from(checkpoint: impl AsRef<Path>, device: Device) -> Result<Self> {
        Self::load_file(&cnn14::AUDIOSET, checkpoint.as_ref(), device)
    }

    /// Fetches the file of PANNs Cnn14 (327 MB), or takes it from a file that is there; returns where it is kept. A broken
    /// download goes on where it stopped. It shows a progress bar and can be interrupted.
    ///
    /// # Errors
    /// [`Error::Fetch`] if the file cannot be had, [`Error::ModelChanged`] if `from` is another file, and those of
    /// reading and writing.
    pub fn fetch_panns(from: Option<&Path>) -> Result<PathBuf> {
        file::fetch(&cnn14::AUDIOSET, from)
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

    fn load(record: &'static Record, device: Device) -> Result<Self> {
        Self::load_file(record, &file::find(record)?, device)
    }

    fn load_file(record: &'static Record, file: &Path, device: Device) -> Result<Self> {
        // Before weights are read in vain.
        uses_cuda(device)?;
        let inference = match record.graph {
            Some(graph) => load_weighted_session(record.name, graph, weights(file)?, device)?,
            None => load_session(record.name, file, device)?,
        };
        Ok(Self { record, inference: Arc::from(inference) })
    }

    /// Embeds audio: numbers of unit length, or zero for silence.
    ///
    /// # Errors
    /// As [`Model::listen`].
    pub fn embed(&self, audio: &Audio) -> Result<Embedding> {
        Ok(self.listen(audio)?.embedding)
    }

    /// Names what it hears in audio, best first, each with its confidence in 0..1.
    ///
    /// # Errors
    /// As [`Model::listen`].
    pub fn tags(&self, audio: &Audio) -> Result<Tags> {
        Ok(self.listen(audio)?.tags)
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
    /// The audio is converted to the model's sample rate. musicnn hears it in patches of 3 s (shorter audio is repeated to
    /// fill one), Cnn14 as a whole up to a minute; the embedding and the tags are the means over what was heard.
    ///
    /// # Errors
    /// [`Error::Inference`] if the model fails.
    pub fn listen(&self, audio: &Audio) -> Result<Heard> {
        let interrupt = Interruptible::begin();
        let mut listener = Listener::new(self, audio.sample_rate())?;
        for chunk in audio.samples().chunks(1 << 16) {
            if interrupt.asked() {
                return Err(Error::Stopped { what: audio.title().into() });
            }
            listener.push(chunk)?;
        }
        listener.finish()
    }

    /// Listens to a file as [`Model::listen`] does, in memory that does not grow with its length.
    ///
    /// # Errors
    /// As [`load`](crate::load) and [`Model::listen`].
    pub fn listen_to_file(&self, path: impl AsRef<Path>) -> Result<Heard> {
        let path = path.as_ref();
        let interrupt = Interruptible::begin();
        let mut decoder = Decoder::open(path)?;
        let mut listener = Listener::new(self, decoder.sample_rate())?;
        let mut chunk = Vec::new();
        while decoder.next_chunk(&mut chunk)? {
            if interrupt.asked() {
                return Err(Error::Stopped { what: path.display().to_string() });
            }
            listener.push(&chunk)?;
            chunk.clear();
        }
        listener.finish()
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Record { name, dimensions, ref labels, ref mel, .. } = *self.record;
        write!(f, "Model({name}: {dimensions} dimensions, {} tags, {} Hz)", labels.len(), mel.sample_rate)
    }
}

/// Embeds audio with the bundled model: 200 numbers of unit length.
///
/// # Errors
/// As [`Model::musicnn`] and [`Model::listen`].
pub fn embed(audio: &Audio) -> Result<Embedding> {
    Model::bundled()?.embed(audio)
}

/// Names what the bundled model hears in audio, best first, each with its confidence in 0..1.
///
/// # Errors
/// As [`Model::musicnn`] and [`Model::listen`].
pub fn tags(audio: &Audio) -> Result<Tags> {
    Model::bundled()?.tags(audio)
}

/// Reads the weights of a checkpoint that the network takes: all but those of the front end, and PyTorch's counters.
fn weights(file: &Path) -> Result<Vec<Weight>> {
    let checkpoint = pth::open(file)?;
    let wanted = |name: &str| {
        !["spectrogram_extractor.", "logmel_extractor."].iter().any(|part| name.starts_with(part))
            && !name.ends_with("num_batches_tracked")
    };
    checkpoint
        .tensors()
        .filter(|tensor| wanted(tensor.name()))
        .map(|tensor| {
            Ok(Weight {
                name: tensor.name().into(),
                shape: tensor.shape().to_vec(),
                values: tensor.f32()?.into_owned(),
            })
        })
        .collect()
}

/// Checks that the bundled model's file is there and whole, without loading it.
pub(crate) fn bundled_file() -> Result<PathBuf> {
    file::find(&musicnn::MTT)
}
