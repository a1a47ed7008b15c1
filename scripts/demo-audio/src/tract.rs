//! The vocal tract of a voice: a cascade of formants, and the hollow the nose adds when the mouth is shut.

use std::f32::consts::{PI, TAU};

/// A resonance of the vocal tract.
#[derive(Debug, Clone, Copy)]
pub struct Formant {
    /// Center in hertz.
    pub hz: f32,
    /// Width in hertz.
    pub width_hz: f32,
}

/// Filters a glottal source through formants.
pub struct Tract {
    formants: Vec<Formant>,
    hollow: Option<Formant>,
    sample_rate: f32,
    poles: Vec<([f32; 3], [f32; 2])>,
    zero: ([f32; 3], [f32; 2]),
}

impl Tract {
    /// Builds a tract; `hollow` is the anti-resonance of a closed mouth.
    pub fn new(formants: &[Formant], hollow: Option<Formant>, sample_rate: u32) -> Self {
        let mut tract = Self {
            formants: formants.to_vec(),
            hollow,
            sample_rate: sample_rate as f32,
            poles: vec![([0.0; 3], [0.0; 2]); formants.len()],
            zero: ([1.0, 0.0, 0.0], [0.0; 2]),
        };
        tract.shape(1.0, 1.0);
        tract
    }

    /// Moves the mouth: scales the first formant by `first`, the others by `rest`.
    pub fn shape(&mut self, first: f32, rest: f32) {
        for (index, (formant, pole)) in self.formants.iter().zip(&mut self.poles).enumerate() {
            let scale = if index == 0 { first } else { rest };
            pole.0 = resonance(formant.hz * scale, formant.width_hz, self.sample_rate);
        }
        if let Some(hollow) = self.hollow {
            let [gain, one, two] = resonance(hollow.hz * rest, hollow.width_hz, self.sample_rate);
            self.zero.0 = [1.0 / gain, -one / gain, -two / gain];
        }
    }

    /// Filters one sample.
    pub fn advance(&mut self, source: f32) -> f32 {
        let mut sample = source;
        for ([gain, one, two], memory) in &mut self.poles {
            let output = *gain * sample + *one * memory[0] + *two * memory[1];
            *memory = [output, memory[0]];
            sample = output;
        }
        let ([now, one, two], memory) = &mut self.zero;
        let output = *now * sample + *one * memory[0] + *two * memory[1];
        *memory = [sample, memory[0]];
        output
    }
}

/// Returns the coefficients of a two-pole resonator with unit gain at 0 Hz.
fn resonance(hz: f32, width_hz: f32, sample_rate: f32) -> [f32; 3] {
    let radius = (-PI * width_hz / sample_rate).exp();
    let one = 2.0 * radius * (TAU * hz.min(0.47 * sample_rate) / sample_rate).cos();
    let two = -radius * radius;
    [1.0 - one - two, one, two]
}
