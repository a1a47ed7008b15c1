//! From a stream of samples to one embedding: resampling, mel frames, patches, the model, the mean.

use super::{Heard, Model};
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
    patches: usize,
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
            patches: 0,
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
        let batch = BATCH * self.patch_len();
        while self.frames.len() >= batch {
            let rest = self.frames.split_off(batch);
            let patches = std::mem::replace(&mut self.frames, rest);
            self.hear(patches)?;
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
        let patches = self.last_patches();
        if !patches.is_empty() {
            self.hear(patches)?;
        }
        let mean = |sums: &[f64]| sums.iter().map(|&x| (x / self.patches as f64) as f32).collect::<Vec<_>>();
        let embedding = Embedding::new(mean(&self.embedding))?;
        let tags = Tags::ranked(self.model.record.labels.iter().copied().zip(mean(&self.tags)));
        Ok(Heard { embedding, tags, duration_seconds })
    }

    /// Completes the last patches: the end of the audio is heard in a patch that reaches back into what came before,
    /// and audio shorter than one patch is repeated to fill it.
    fn last_patches(&mut self) -> Vec<f32> {
        let len = self.patch_len();
        let mut frames = std::mem::take(&mut self.frames);
        let rest = frames.len() % len;
        if rest == 0 {
            return frames;
        }
        let mut heard = std::mem::take(&mut self.tail);
        heard.extend_from_slice(&frames);
        frames.truncate(frames.len() - rest);
        if heard.len() >= len {
            frames.extend_from_slice(&heard[heard.len() - len..]);
        } else {
            frames.extend(heard.iter().cycle().take(len));
        }
        frames
    }

    /// Runs the model on whole patches and adds up what it says.
    fn hear(&mut self, mut patches: Vec<f32>) -> Result<()> {
        let record = self.model.record;
        let len = self.patch_len();
        self.tail = patches[patches.len() - len..].to_vec();
        patches.iter_mut().for_each(|x| *x = (record.scale)(*x));
        let count = patches.len() / len;
        let shape = [count, record.patch_frames, record.mel.n_mels];
        let outputs = self.model.inference.run(patches, &shape, &[record.embedding_output, record.tags_output])?;
        for (sums, output) in [&mut self.embedding, &mut self.tags].into_iter().zip(&outputs) {
            for row in output.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
            }
        }
        self.patches += count;
        Ok(())
    }

    fn patch_len(&self) -> usize {
        self.model.record.patch_frames * self.model.record.mel.n_mels
    }
}
