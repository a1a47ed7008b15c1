//! Figures: SVG drawn by plotters, readable on a light and on a dark page.

mod embedding;
mod map;
mod panels;
mod projection;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::RGBColor;

use crate::error::{Error, Result};
use crate::show::{Show, escape};

pub(crate) use embedding::strip;
pub(crate) use panels::waveform;

/// The colour of text and axes. JupyterLab shows inline SVG, which could take the page's colour, only in notebooks that
/// it trusts; a picture it always shows, so this grey has a contrast of 4.3 on white and 4.4 on JupyterLab's dark page.
const INK: RGBColor = RGBColor(122, 122, 122);

/// Okabe and Ito's palette, told apart by colour-blind readers too, without its black and yellow, which vanish on a
/// dark or a light page.
const PALETTE: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
];

/// The width of a figure in pixels.
const WIDTH: u32 = 760;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A drawing that a notebook shows, with a sentence that says what is on it.
#[derive(Clone)]
pub struct Figure {
    svg: String,
    alt: String,
}

/// A value that can be drawn.
pub trait Plot {
    /// Draws it.
    ///
    /// # Errors
    /// [`Error::Figure`] if it cannot be drawn, and what reading it may fail with.
    fn draw(&self) -> Result<Figure>;
}

/// Draws a value: audio as waveform, mel spectrogram and chroma; [`Features`](crate::Features) one panel each; an
/// embedding as a strip; an index as a map of its songs.
///
/// # Errors
/// [`Error::Figure`] if it cannot be drawn, [`Error::Store`] if an index cannot be read.
pub fn plot<T: Plot>(what: &T) -> Result<Figure> {
    what.draw()
}

impl Figure {
    /// Runs a drawing. `draw` returns SVG elements that plotters has no words for.
    fn new(
        height: u32,
        alt: String,
        draw: impl FnOnce(&Area<'_>) -> Result<String, Box<dyn std::error::Error>>,
    ) -> Result<Self> {
        let mut svg = String::new();
        let drawn = {
            let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
            draw(&area).and_then(|extra| {
                area.present()?;
                Ok(extra)
            })
        };
        let extra = drawn.map_err(|e| Error::Figure { source: e.to_string().into() })?;
        let svg = svg.replacen("</svg>", &format!("{extra}</svg>"), 1);
        Ok(Self { svg, alt })
    }

    /// The drawing as SVG, on a transparent ground.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// What is on it, in a sentence.
    pub fn alt(&self) -> &str {
        &self.alt
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[figure] {}", self.alt)
    }
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Figure({:?}, {} bytes of SVG)", self.alt, self.svg.len())
    }
}

impl Show for Figure {
    fn html(&self) -> String {
        format!(
            "<img alt=\"{}\" style=\"max-width:100%\" src=\"data:image/svg+xml;base64,{}\">",
            escape(&self.alt),
            STANDARD.encode(&self.svg)
        )
    }
}
