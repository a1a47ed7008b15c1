//! An embedding as a strip of colours: two that look alike sound alike.

use plotters::prelude::*;

use super::{Figure, Plot, WIDTH};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::show::Show;

const HEIGHT: u32 = 36;

/// A strip has at most so many cells; longer embeddings show the mean of neighbours.
const CELLS: usize = 256;

impl Plot for Embedding {
    fn draw(&self) -> Result<Figure> {
        let alt = format!("an embedding of {} numbers, blue below zero, orange above", self.dimensions());
        Figure::new(HEIGHT, alt, |area| {
            let numbers = self.as_slice();
            let cells = numbers.len().clamp(1, CELLS);
            let means: Vec<f32> = (0..cells)
                .map(|i| &numbers[i * numbers.len() / cells..(i + 1) * numbers.len() / cells])
                .map(|part| part.iter().sum::<f32>() / part.len().max(1) as f32)
                .collect();
            let largest = means.iter().fold(f32::MIN_POSITIVE, |m, x| m.max(x.abs()));
            let edge = |i: usize| (i * WIDTH as usize / cells) as i32;
            for (i, mean) in means.iter().enumerate() {
                let colour = if *mean < 0.0 { RGBColor(0, 114, 178) } else { RGBColor(230, 159, 0) };
                let style = colour.mix(f64::from((mean.abs() / largest).sqrt())).filled();
                area.draw(&Rectangle::new([(edge(i), 0), (edge(i + 1), HEIGHT as i32)], style))?;
            }
            Ok(String::new())
        })
    }
}

/// Draws the strip alone, as an HTML picture; nothing if it cannot be drawn.
pub(crate) fn strip(embedding: &Embedding) -> String {
    embedding.draw().map(|figure| figure.html()).unwrap_or_default()
}
