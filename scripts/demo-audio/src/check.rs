//! Measures the finished clips against the written notes.

use crate::clips::{Clip, Sound};
use crate::contour::Articulation;
use crate::listen::{pitches, ranked_pitch_classes};
use crate::mix::{TARGET_RMS_DB, rms_db};
use crate::performance::{Performance, TimedNote};
use crate::singers;
use crate::voice::Voice;
use std::error::Error;
use std::path::Path;
use std::process::Command;

const LISTEN_HZ: u32 = 16_000;

/// What a clip measures.
#[derive(Debug)]
pub struct Report {
    /// Length in seconds.
    pub seconds: f64,
    /// Level over all channels, in decibels against full scale.
    pub rms_db: f64,
    /// Highest sample, in decibels against full scale.
    pub peak_db: f64,
    /// Share of voiced frames within 50 cents of the written melody (hums and opera singers only).
    pub in_tune: Option<f64>,
    /// Share of written notes whose pitch class is the strongest heard, and among the three strongest.
    pub heard: (f64, f64),
}

impl Report {
    /// Measures one encoded clip, decoded by `ffmpeg`.
    pub fn measure(file: &Path, clip: &Clip, played: &Performance) -> Result<Self, Box<dyn Error>> {
        let (sample_rate, channels) = clip.shape();
        let full = decode(file, sample_rate, channels)?;
        let peak = full.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let mono = decode(file, LISTEN_HZ, 1)?;
        // An orchestra under the voice misleads YIN, so the opera singers are sung again without it.
        let in_tune = match clip.sound {
            Sound::Hum(_) => Some(share_in_tune(&mono, &played.notes)),
            Sound::Opera(size) => {
                let (voice, articulation) = (Voice::opera(size), Articulation::singing());
                let sung = singers::solo(played, &voice, articulation, LISTEN_HZ, clip.seed());
                Some(share_in_tune(&sung, &played.notes))
            }
            Sound::Choir | Sound::Ensemble(_) => None,
        };
        Ok(Self {
            seconds: full.len() as f64 / f64::from(sample_rate) / f64::from(channels),
            rms_db: rms_db(full.iter().copied()),
            peak_db: 20.0 * f64::from(peak.max(1e-9)).log10(),
            in_tune,
            heard: share_heard(&mono, &played.notes),
        })
    }

    /// Lists what is out of bounds.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |good: bool, what: String| {
            if !good {
                faults.push(what);
            }
        };
        expect((9.0..=11.0).contains(&self.seconds), format!("lasts {:.2} s, not 9 to 11", self.seconds));
        expect((self.rms_db - TARGET_RMS_DB).abs() <= 2.0, format!("level {:.1} dB, not {TARGET_RMS_DB}", self.rms_db));
        expect(self.peak_db <= -1.0, format!("peak {:.2} dB, over -1", self.peak_db));
        if let Some(share) = self.in_tune {
            expect(share >= 0.95, format!("{:.1} % of frames in tune, under 95", 100.0 * share));
        }
        expect(
            self.heard.1 >= 0.9,
            format!("melody among the three strongest in {:.0} %, under 90", 100.0 * self.heard.1),
        );
        faults
    }
}

/// Decodes a file to samples from -1 to 1.
fn decode(file: &Path, sample_rate: u32, channels: u16) -> Result<Vec<f32>, Box<dyn Error>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-f", "f32le", "-ac", &channels.to_string(), "-ar", &sample_rate.to_string(), "-"])
        .output()
        .map_err(|error| format!("ffmpeg: {error}"))?;
    if !output.status.success() {
        return Err(format!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(output
        .stdout
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect())
}

/// Returns the share of voiced frames within 50 cents of the notes written there.
///
/// During a slide the voice is between two notes, so a frame within 75 ms of a change may lie anywhere between them.
fn share_in_tune(samples: &[f32], notes: &[TimedNote]) -> f64 {
    const SLIDE_SECONDS: f64 = 0.075;
    let heard = pitches(samples, LISTEN_HZ, 70.0, 1000.0);
    let good = heard.iter().filter(|frame| {
        let near = notes.iter().filter(|note| {
            note.start_seconds - SLIDE_SECONDS <= frame.seconds && frame.seconds <= note.end_seconds() + SLIDE_SECONDS
        });
        let (low, high) = near.fold((f64::MAX, f64::MIN), |(low, high), note| {
            (low.min(f64::from(note.midi)), high.max(f64::from(note.midi)))
        });
        low - 0.5 <= frame.midi && frame.midi <= high + 0.5
    });
    good.count() as f64 / heard.len().max(1) as f64
}

/// Returns the shares of notes whose pitch class is the strongest, and among the three strongest, while they sound.
fn share_heard(samples: &[f32], notes: &[TimedNote]) -> (f64, f64) {
    let at = |seconds: f64| (seconds * f64::from(LISTEN_HZ)) as usize;
    let (mut first, mut third, mut count) = (0, 0, 0);
    // Stretches of less than 0.14 s cannot tell semitones apart, so the shortest notes are left out.
    for note in notes.iter().filter(|note| note.length_seconds >= 0.12) {
        let length = note.length_seconds.clamp(0.14, 0.4);
        let from = note.start_seconds + 0.02;
        let Some(stretch) = samples.get(at(from)..at(from + length)) else { continue };
        let ranked = ranked_pitch_classes(stretch, LISTEN_HZ);
        let place = ranked.iter().position(|class| *class == note.midi.rem_euclid(12)).unwrap_or(12);
        first += usize::from(place == 0);
        third += usize::from(place < 3);
        count += 1;
    }
    let share = |hits: usize| hits as f64 / f64::from(count.max(1));
    (share(first), share(third))
}
