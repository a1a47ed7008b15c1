//! `Audio`: mono samples with their sample rate and title, from a file or from numbers.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::decode::{Decoder, EXTENSIONS};
use crate::error::{Error, Result};
use crate::resample::resample;

/// A piece of audio: mono samples in -1..1.
#[derive(Clone, PartialEq)]
pub struct Audio {
    samples: Vec<f32>,
    sample_rate: u32,
    title: String,
    path: Option<PathBuf>,
}

impl Audio {
    /// Makes audio from mono samples in -1..1 at `sample_rate` hertz.
    ///
    /// ```
    /// # use earworm::Audio;
    /// let tone = (0..16_000).map(|i| (i as f32 * 440.0 * std::f32::consts::TAU / 16_000.0).sin()).collect();
    /// let a4 = Audio::new("A4", tone, 16_000)?;
    /// assert_eq!(a4.duration_seconds(), 1.0);
    /// # Ok::<(), earworm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::BadArgument`] if there are no samples, one is not finite, or the rate is 0.
    pub fn new(title: impl Into<String>, samples: Vec<f32>, sample_rate: u32) -> Result<Self> {
        let bad = |argument, value: String, expected: &str| {
            Err(Error::BadArgument { argument, value, expected: expected.into() })
        };
        if sample_rate == 0 {
            return bad("sample_rate", "0".into(), "above 0 hertz");
        }
        if samples.is_empty() {
            return bad("samples", "empty".into(), "at least one sample");
        }
        if let Some(i) = samples.iter().position(|x| !x.is_finite()) {
            return bad("samples", format!("{} at position {i}", samples[i]), "finite numbers");
        }
        Ok(Self { samples, sample_rate, title: title.into(), path: None })
    }

    /// The mono samples, -1..1.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples per second.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The file's name without its extension, or the title it was made with.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The file it was loaded from, if any.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The length in seconds.
    pub fn duration_seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate)
    }

    /// Cuts out a part; what reaches past the end is left out.
    ///
    /// # Errors
    /// [`Error::OutsideAudio`] if no sample lies in it.
    pub fn clip(&self, start_seconds: f64, duration_seconds: f64) -> Result<Self> {
        let rate = f64::from(self.sample_rate);
        let start = (start_seconds * rate).round();
        let end = (start + (duration_seconds * rate).round()).min(self.samples.len() as f64);
        if !(start >= 0.0 && end > start) {
            return Err(Error::OutsideAudio {
                start_seconds,
                duration_seconds,
                audio_seconds: self.duration_seconds(),
            });
        }
        Ok(Self { samples: self.samples[start as usize..end as usize].to_vec(), ..self.without_samples() })
    }

    /// Converts to another sample rate in hertz.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if the rate is 0.
    pub fn resample(&self, sample_rate: u32) -> Result<Self> {
        let samples = resample(&self.samples, self.sample_rate, sample_rate)?;
        Ok(Self { samples, sample_rate, ..self.without_samples() })
    }

    /// Writes a mono 16-bit wav file.
    ///
    /// # Errors
    /// [`Error::Unwritable`] if it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed = |e: hound::Error| match e {
            hound::Error::IoError(e) => Error::writing(path, e),
            other => Error::writing(path, std::io::Error::other(other)),
        };
        let bytes = self.to_wav().map_err(failed)?;
        std::fs::write(path, bytes).map_err(|e| Error::writing(path, e))
    }

    /// Encodes as a mono 16-bit wav file in memory.
    pub(crate) fn to_wav(&self) -> Result<Vec<u8>, hound::Error> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: self.sample_rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = std::io::Cursor::new(Vec::with_capacity(44 + 2 * self.samples.len()));
        let mut writer = hound::WavWriter::new(&mut bytes, spec)?;
        for &sample in &self.samples {
            writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16)?;
        }
        writer.finalize()?;
        Ok(bytes.into_inner())
    }

    fn without_samples(&self) -> Self {
        Self { samples: Vec::new(), sample_rate: self.sample_rate, title: self.title.clone(), path: self.path.clone() }
    }
}

impl std::fmt::Debug for Audio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Audio({:?}: {:.2} s, mono, {} Hz)", self.title, self.duration_seconds(), self.sample_rate)
    }
}

/// Loads a whole audio file: any supported format, channels mixed to mono by their mean, at the file's own sample rate.
///
/// Memory: 4 bytes a sample, 630 MB an hour at 44.1 kHz; [`load_clip`] takes a part, and indexing a folder streams.
///
/// # Errors
/// The file is missing, unreadable, empty, truncated, not audio, or holds numbers that are not finite: each has its
/// own [`Error`] that names it.
pub fn load(path: impl AsRef<Path>) -> Result<Audio> {
    let path = path.as_ref();
    let mut decoder = Decoder::open(path)?;
    let mut samples = Vec::new();
    while decoder.next_chunk(&mut samples)? {}
    finish(path, samples, decoder.sample_rate())
}

/// Loads a part of an audio file without keeping the rest in memory; what reaches past the end is left out.
///
/// # Errors
/// As [`load`], and [`Error::OutsideAudio`] if the file ends before `start_seconds`.
pub fn load_clip(path: impl AsRef<Path>, start_seconds: f64, duration_seconds: f64) -> Result<Audio> {
    let path = path.as_ref();
    let mut decoder = Decoder::open(path)?;
    let rate = f64::from(decoder.sample_rate());
    let (start, length) = ((start_seconds * rate).round(), (duration_seconds * rate).round());
    let outside =
        |seen: u64| Error::OutsideAudio { start_seconds, duration_seconds, audio_seconds: seen as f64 / rate };
    if !(start >= 0.0 && length >= 1.0) {
        return Err(outside(0));
    }
    let (start, length) = (start as u64, length as usize);
    let (mut seen, mut chunk, mut samples) = (0_u64, Vec::new(), Vec::new());
    while samples.len() < length && decoder.next_chunk(&mut chunk)? {
        let skip = start.saturating_sub(seen).min(chunk.len() as u64) as usize;
        let take = (chunk.len() - skip).min(length - samples.len());
        samples.extend_from_slice(&chunk[skip..skip + take]);
        seen += chunk.len() as u64;
        chunk.clear();
    }
    if samples.is_empty() {
        return Err(outside(seen));
    }
    finish(path, samples, decoder.sample_rate())
}

fn finish(path: &Path, samples: Vec<f32>, sample_rate: u32) -> Result<Audio> {
    Ok(Audio { samples, sample_rate, title: title_of(path), path: Some(path.to_owned()) })
}

/// Gets a file's name without its extension.
pub(crate) fn title_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Lists the audio files of a folder and its subfolders, in the order of their paths; hidden ones are left out.
///
/// # Errors
/// [`Error::NotFound`] or [`Error::Unreadable`] for the folder or one in it, [`Error::NoAudioFiles`] if there are none.
pub fn list_audio(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let (files, unreadable) = walk(folder.as_ref())?;
    unreadable.into_iter().next().map_or(Ok(files), |(_, error)| Err(error))
}

/// Folders that could not be read, each with the reason.
pub(crate) type Unreadable = Vec<(PathBuf, Error)>;

/// Lists the audio files as [`list_audio`], and beside them the subfolders that could not be read.
pub(crate) fn walk(folder: &Path) -> Result<(Vec<PathBuf>, Unreadable)> {
    std::fs::read_dir(folder).map_err(|e| Error::reading(folder, e))?;
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let entries = WalkDir::new(folder).into_iter();
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for entry in entries.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name())) {
        match entry {
            Ok(entry) if !entry.file_type().is_dir() && is_audio(entry.path()) => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                let cause = error.into_io_error().unwrap_or_else(|| std::io::Error::other("it contains itself"));
                unreadable.push((path.clone(), Error::reading(&path, cause)));
            }
        }
    }
    files.sort();
    if files.is_empty() && unreadable.is_empty() {
        return Err(Error::NoAudioFiles { folder: folder.to_owned() });
    }
    Ok((files, unreadable))
}

fn is_audio(path: &Path) -> bool {
    path.extension().is_some_and(|e| EXTENSIONS.contains(&e.to_string_lossy().to_lowercase().as_str()))
}
