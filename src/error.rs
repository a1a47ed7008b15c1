//! What can go wrong, said so that the reader knows what, where, why and what to type next.

use std::path::{Path, PathBuf};

/// The error behind a third-party failure, kept as `source()`.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, named by fact.
///
/// A notebook cell that ends in `?` prints only this type's `Display`, so each message carries the path or field it is
/// about, the reason, and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{} does not exist (the working folder is {}). Check the spelling, or list a folder with list_audio(\".\")?.", path.display(), working_folder.display())]
    NotFound { path: PathBuf, working_folder: PathBuf },

    #[error("{} cannot be read: {source}. Check its permissions, for example with `ls -l`.", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },

    #[error("{} cannot be written: {source}. Check the free space and the permissions of its folder.", path.display())]
    Unwritable { path: PathBuf, source: std::io::Error },

    #[error("{} holds no audio files ({}). Give a folder that has some, or add one.", folder.display(), crate::decode::EXTENSIONS.join(", "))]
    NoAudioFiles { folder: PathBuf },

    #[error("{} is empty ({what}). Record or copy it again.", path.display())]
    EmptyAudio { path: PathBuf, what: &'static str },

    #[error("{} is not audio that can be decoded: {reason}. Supported: {}; convert others with `ffmpeg -i INPUT OUTPUT.wav`.", path.display(), crate::decode::EXTENSIONS.join(", "))]
    NotAudio { path: PathBuf, reason: String },

    #[error("{} is truncated: its header promises {promised_seconds:.2} s, {decoded_seconds:.2} s could be decoded. Copy it again, or take what is there: load_clip(path, 0.0, {decoded_seconds:.2})?.", path.display())]
    Truncated { path: PathBuf, promised_seconds: f64, decoded_seconds: f64 },

    #[error("{} holds a sample that is not a number, at {at_seconds:.3} s. Export it again as 16-bit PCM: `ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav`.", path.display())]
    NotFinite { path: PathBuf, at_seconds: f64 },

    #[error("{what} is silent, so it sounds like nothing else and has no embedding. Check the recording's level.")]
    Silent { what: String },

    #[error(
        "the clip from {start_seconds} s for {duration_seconds} s lies outside of the audio, which lasts {audio_seconds:.2} s."
    )]
    OutsideAudio { start_seconds: f64, duration_seconds: f64, audio_seconds: f64 },

    #[error("{argument} is {value}, but must be {expected}.")]
    BadArgument { argument: &'static str, value: String, expected: String },

    #[error(
        "the embedding has {got} dimensions, {wanted_by} wants {expected}. Embed with the same model as the index: query with songs.model()."
    )]
    WrongDimensions { got: usize, expected: usize, wanted_by: String },

    #[error("the embedding holds a value that is not a finite number; cosine similarity is not defined for it.")]
    NotFiniteEmbedding,

    #[error("the model {name} is missing: no file {}. {remedy}.", file.display())]
    ModelMissing { name: &'static str, file: PathBuf, remedy: &'static str },

    #[error("the model file {} is not the one that was published: its sha256 is {found}, not {expected}. Delete it and fetch it again (see models/README.md).", file.display())]
    ModelChanged { file: PathBuf, found: String, expected: &'static str },

    #[error("the PyTorch checkpoint {} cannot be used: {fault}", file.display())]
    Checkpoint { file: PathBuf, fault: crate::pth::Fault },

    #[error("{url} cannot be fetched to {}: {fault}", to.display())]
    Fetch { url: String, to: PathBuf, fault: crate::fetch::Fault },

    #[error(
        "ONNX Runtime cannot be loaded: {reason}. Install it with `pip install onnxruntime`, or set ORT_DYLIB_PATH to the file {library}; `earworm doctor` shows where it was looked for."
    )]
    RuntimeMissing { reason: String, library: &'static str },

    #[error(
        "CUDA cannot be had: {reason}. `pip install onnxruntime-gpu` in the environment of the notebook (in the place of onnxruntime) brings it for NVIDIA GPUs; Device::Cpu and Device::Best do without."
    )]
    NoCuda { reason: String },

    #[error("listening to {what} was interrupted. What was stored before stays.")]
    Stopped { what: String },

    #[error("the model {model} failed: {source}. `earworm doctor` checks the installation.")]
    Inference { model: String, source: Cause },

    #[error("the index {} was made with {index_stamp}, this is {model_stamp}. Open another index name, or the same one with the model that made it.", index.display())]
    OtherModel { index: PathBuf, index_stamp: String, model_stamp: String },

    #[error("{path} is not in the index {index}. See what is: songs.list(&Filter::All)?.")]
    NotIndexed { path: String, index: String },

    #[error("interrupted after {done} of {files} files, which are kept. Run the same call again to go on from there.")]
    Interrupted { done: usize, files: usize },

    #[error("{what}. Next: {remedy}.")]
    Kernel { what: String, remedy: String },

    #[error("the figure could not be drawn: {source}.")]
    Figure { source: Cause },

    #[error("the index {} cannot be {action}: {reason}", index.display())]
    Store { index: PathBuf, action: &'static str, reason: String, source: Option<Cause> },
}

impl Error {
    /// Tells a missing file from an unreadable one.
    pub(crate) fn reading(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            Self::NotFound { path: path.to_owned(), working_folder: std::env::current_dir().unwrap_or_default() }
        } else {
            Self::Unreadable { path: path.to_owned(), source }
        }
    }

    /// Names the path of a failed write.
    pub(crate) fn writing(path: &Path, source: std::io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }
}
