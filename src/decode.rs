//! An audio file as a stream of mono samples, decoded by symphonia in bounded memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use crate::error::{Error, Result};

/// The file name extensions of the formats that can be decoded.
pub const EXTENSIONS: [&str; 8] = ["wav", "aiff", "aif", "flac", "mp3", "ogg", "m4a", "mp4"];

/// The sample rates in hertz that audio can have here; outside of them a header is taken to be broken.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// The containers whose headers state their length exactly, so that a missing end can be told.
const EXACT_LENGTH: [&str; 3] = ["wave", "aiff", "flac"];

/// A file being decoded, chunk by chunk.
pub(crate) struct Decoder {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    sample_rate: u32,
    promised_frames: Option<u64>,
    decoded_frames: u64,
    first_fault: Option<String>,
    interleaved: Vec<f32>,
}

impl Decoder {
    /// Opens a file and finds its first audio track.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::reading(path, e))?;
        let metadata = file.metadata().map_err(|e| Error::reading(path, e))?;
        if metadata.is_dir() {
            return Err(Error::NotAudio { path: path.to_owned(), reason: "it is a folder".into() });
        }
        if metadata.len() == 0 {
            return Err(Error::EmptyAudio { path: path.to_owned(), what: "0 bytes" });
        }
        let not_audio = |reason: String| Error::NotAudio { path: path.to_owned(), reason };

        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|e| not_audio(fault(&e)))?;
        let track = format.default_track(TrackType::Audio).ok_or_else(|| not_audio("it has no audio track".into()))?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|p| p.audio())
            .ok_or_else(|| not_audio("its audio track names no codec".into()))?;
        let sample_rate = parameters.sample_rate.ok_or_else(|| not_audio("it states no sample rate".into()))?;
        if !SAMPLE_RATES.contains(&sample_rate) {
            return Err(not_audio(format!("it states a sample rate of {sample_rate} Hz")));
        }
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|e| not_audio(fault(&e)))?;

        // A recorder that streams a wav cannot know its length and writes the largest one.
        let open_ended = u64::from(u32::MAX) / 16;
        let promised_frames =
            track.num_frames.filter(|&n| EXACT_LENGTH.contains(&format.format_info().short_name) && n < open_ended);
        let track_id = track.id;
        Ok(Self {
            path: path.to_owned(),
            format,
            decoder,
            track_id,
            sample_rate,
            promised_frames,
            decoded_frames: 0,
            first_fault: None,
            interleaved: Vec::new(),
        })
    }

    /// The file's sample rate in hertz.
    pub(crate) fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Appends the next packet's samples, mixed to mono by the mean of the channels; tells whether there was one.
    pub(crate) fn next_chunk(&mut self, mono: &mut Vec<f32>) -> Result<bool> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track_id => packet,
                Ok(Some(_)) => continue,
                Ok(None) | Err(SymphoniaError::ResetRequired) => return self.ended(),
                Err(SymphoniaError::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return self.ended();
                }
                Err(e) => {
                    self.first_fault.get_or_insert_with(|| fault(&e));
                    return self.ended();
                }
            };
            let buffer = match self.decoder.decode(&packet) {
                Ok(buffer) => buffer,
                // A damaged packet costs its own few milliseconds, as in any player.
                Err(e) => {
                    self.first_fault.get_or_insert_with(|| fault(&e));
                    continue;
                }
            };
            let (channels, rate) = (buffer.spec().channels().count(), buffer.spec().rate());
            if channels == 0 || rate != self.sample_rate {
                return Err(Error::NotAudio {
                    path: self.path.clone(),
                    reason: format!("it changes to {channels} channels at {rate} Hz midway"),
                });
            }
            if buffer.frames() == 0 {
                continue;
            }
            buffer.copy_to_vec_interleaved(&mut self.interleaved);
            let frames = self.interleaved.chunks_exact(channels);
            for (i, frame) in frames.enumerate() {
                let sample = frame.iter().sum::<f32>() / channels as f32;
                if !sample.is_finite() {
                    let at_seconds = (self.decoded_frames + i as u64) as f64 / f64::from(self.sample_rate);
                    return Err(Error::NotFinite { path: self.path.clone(), at_seconds });
                }
                mono.push(sample.clamp(-1.0, 1.0));
            }
            self.decoded_frames += (self.interleaved.len() / channels) as u64;
            return Ok(true);
        }
    }

    /// Says whether the end of the stream is the end that the header promised.
    fn ended(&self) -> Result<bool> {
        let seconds = |frames: u64| frames as f64 / f64::from(self.sample_rate);
        match (self.decoded_frames, self.promised_frames, &self.first_fault) {
            (0, _, Some(reason)) => Err(Error::NotAudio { path: self.path.clone(), reason: reason.clone() }),
            (0, None | Some(0), None) => {
                Err(Error::EmptyAudio { path: self.path.clone(), what: "a header without samples" })
            }
            (decoded, Some(promised), _) if decoded < promised => Err(Error::Truncated {
                path: self.path.clone(),
                promised_seconds: seconds(promised),
                decoded_seconds: seconds(decoded),
            }),
            _ => Ok(false),
        }
    }
}

/// Says what symphonia found wrong, in words that make sense without knowing it.
fn fault(error: &SymphoniaError) -> String {
    match error {
        SymphoniaError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "no known audio format in it, or it ends within its header".into()
        }
        SymphoniaError::Unsupported(what) => format!("it holds something unsupported ({what})"),
        other => other.to_string(),
    }
}
