//! From a stream of samples to one embedding: resampling, mel frames, patches, the model, the mean.

use super::{Heard, Hearing, Model};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::features::MelFrontEnd;
use crate::resample::Resampler;
use crate::tags::Tags;

/// Patches that the model takes at once: enough to keep the cores busy; with 16, ONNX Runtime holds 600 MB more.
const BATCH: usize = 4;

/// Below this peak (-100 dBFS) audio is taken to be silent.
const SILENCE: f32 = 1e-5;

/// A model that is listening.
pub(super) struct Listener<'m> {
    model: &'m Model,
    sample_rate: u32,
    resampler: Resampler,
    front_end: MelFrontEnd,
    resampled: Vec<f32>,
    frames: Vec<f32>,
    tail: Vec<f32>,
    /// How much was heard: patches, or frames.
    weight: f64,
    embedding: Vec<f64>,
    tags: Vec<f64>,
    samples: u64,
    peak: f32,
}

impl<'m> Listener<'m> {
    pub(super) fn new(model: &'m Model, sample_rate: u32) -> Result<Self> {
        let record = model.record;
        Ok(Self {
            model,
            sample_rate,
            resampler: Resampler::new(sample_rate, record.mel.sample_rate)?,
            front_end: MelFrontEnd::new(record.mel.clone()),
            resampled: Vec::new(),
            frames: Vec::new(),
            tail: Vec::new(),
            weight: 0.0,
            embedding: vec![0.0; record.dimensions],
            tags: vec![0.0; record.labels.len()],
            samples: 0,
            peak: 0.0,
        })
    }

    pub(super) fn push(&mut self, samples: &[f32]) -> Result<()> {
        self.samples += samples.len() as u64;
        self.peak = samples.iter().fold(self.peak, |peak, x| peak.max(x.abs()));
        self.resampled.clear();
        self.resampler.push(samples, &mut self.resampled)?;
        self.front_end.push(&self.resampled, &mut self.frames);
        let most = match self.model.record.hearing {
            Hearing::Patches { frames } => BATCH * frames,
            Hearing::Whole { most_frames, .. } => most_frames,
        } * self.model.record.mel.n_mels;
        while self.frames.len() >= most {
            let rest = self.frames.split_off(most);
            let frames = std::mem::replace(&mut self.frames, rest);
            self.hear(frames)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Heard> {
        self.resampled.clear();
        self.resampler.finish(&mut self.resampled)?;
        self.front_end.push(&self.resampled, &mut self.frames);
        self.front_end.finish(&mut self.frames);
        let duration_seconds = self.samples as f64 / f64::from(self.sample_rate);
        if self.peak < SILENCE {
            let embedding = Embedding::zero(self.embedding.len());
            return Ok(Heard { embedding, tags: Tags::default(), duration_seconds });
        }
        let frames = self.last_frames();
        if !frames.is_empty() {
            self.hear(frames)?;
        }
        let mean = |sums: &[f64]| sums.iter().map(|&x| (x / self.weight) as f32).collect::<Vec<_>>();
        let embedding = Embedding::new(mean(&self.embedding))?;
        let tags = Tags::ranked(self.model.record.labels.iter().copied().zip(mean(&self.tags)));
        Ok(Heard { embedding, tags, duration_seconds })
    }

    /// Completes what is heard last: too short an end reaches back into what came before, and audio that is too short as
    /// a whole is repeated.
    fn last_frames(&mut self) -> Vec<f32> {
        let record = self.model.record;
        let mut frames = std::mem::take(&mut self.frames);
        let (least, rest) = match record.hearing {
            Hearing::Patches { frames: patch } => {
                (patch * record.mel.n_mels, frames.len() % (patch * record.mel.n_mels))
            }
            Hearing::Whole { least_frames, .. } => (least_frames * record.mel.n_mels, frames.len()),
        };
        let is_enough = matches!(record.hearing, Hearing::Whole { .. }) && rest >= least;
        if rest == 0 || is_enough {
            return frames;
        }
        let mut heard = std::mem::take(&mut self.tail);
        heard.extend_from_slice(&frames);
        frames.truncate(frames.len() - rest);
        if heard.len() >= least {
            frames.extend_from_slice(&heard[heard.len() - least..]);
        } else {
            frames.extend(heard.iter().cycle().take(least));
        }
        frames
    }

    /// Runs the model on frames and adds up what it says: of each patch, or of all in proportion to their number.
    fn hear(&mut self, mut frames: Vec<f32>) -> Result<()> {
        let record = self.model.record;
        let n_mels = record.mel.n_mels;
        let count = frames.len() / n_mels;
        let (shape, weight, remembered) = match record.hearing {
            Hearing::Patches { frames: patch } => (vec![count / patch, patch, n_mels], 1.0, patch),
            Hearing::Whole { least_frames, .. } => (vec![1, 1, count, n_mels], count as f64, least_frames.min(count)),
        };
        self.tail = frames[frames.len() - remembered * n_mels..].to_vec();
        frames.iter_mut().for_each(|x| *x = (record.scale)(*x));
        let rows = shape[0];
        let outputs = self.model.inference.run(frames, &shape, &[record.embedding_output, record.tags_output])?;
        for (sums, output) in [&mut self.embedding, &mut self.tags].into_iter().zip(&outputs) {
            for row in output.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += weight * f64::from(x));
            }
        }
        self.weight += weight * rows as f64;
        Ok(())
    }
}
