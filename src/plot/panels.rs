//! Panels over one time axis: a waveform, and heat maps of features.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ndarray::Array2;
use plotters::prelude::*;
use plotters::style::colors::colormaps::ViridisRGB;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Area, Figure, INK, PALETTE, Plot, WIDTH};
use crate::audio::Audio;
use crate::error::Result;
use crate::features::{Features, features, hz_to_mel};
use crate::show::{Show, plain};

const PANEL_HEIGHT: u32 = 170;
const WAVEFORM_HEIGHT: u32 = 90;

/// A heat map has at most so many columns; more are merged by their maximum, so that short sounds stay visible.
const COLUMNS: usize = 700;

type Drawn<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A feature over time: `values[[row, frame]]`, and which rows are labelled how at its left edge.
struct HeatMap<'a> {
    title: &'a str,
    values: &'a Array2<f32>,
    unit: &'a str,
    ticks: Vec<(f64, String)>,
}

impl Plot for Audio {
    fn draw(&self) -> Result<Figure> {
        let features = features(self);
        let alt = format!(
            "{}: waveform, mel spectrogram and chroma over {:.2} s",
            plain(self.title()),
            self.duration_seconds()
        );
        Figure::new(WAVEFORM_HEIGHT + 2 * PANEL_HEIGHT, alt, |area| {
            let (top, rest) = area.split_vertically(WAVEFORM_HEIGHT);
            envelope(&top, self)?;
            heat_maps(&rest, &[mel(&features), chroma(&features)], self.duration_seconds())
        })
    }
}

impl Plot for Features {
    fn draw(&self) -> Result<Figure> {
        let alt = format!("mel spectrogram, MFCC, chroma and spectral contrast over {:.2} s", self.duration_seconds());
        let mfcc =
            HeatMap { title: "MFCC", values: &self.mfcc, unit: "coefficient", ticks: every(5, self.mfcc.nrows()) };
        let contrast = HeatMap {
            title: "spectral contrast (dB)",
            values: &self.spectral_contrast,
            unit: "octave band",
            ticks: every(1, self.spectral_contrast.nrows()),
        };
        Figure::new(4 * PANEL_HEIGHT, alt, |area| {
            heat_maps(area, &[mel(self), mfcc, chroma(self), contrast], self.duration_seconds())
        })
    }
}

fn mel(features: &Features) -> HeatMap<'_> {
    let top_hz = f64::from(features.sample_rate) / 2.0;
    let row = |hz: f64| hz_to_mel(hz) / hz_to_mel(top_hz) * (features.mel_db.nrows() as f64 + 1.0) - 1.0;
    let octaves = [256.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0];
    HeatMap {
        title: "mel spectrogram (dB below the loudest)",
        values: &features.mel_db,
        unit: "Hz",
        ticks: octaves.iter().filter(|&&hz| hz < top_hz).map(|&hz| (row(hz), hz.to_string())).collect(),
    }
}

fn chroma(features: &Features) -> HeatMap<'_> {
    const NAMES: [&str; 12] = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
    HeatMap {
        title: "chroma",
        values: &features.chroma,
        unit: "pitch class",
        ticks: NAMES.iter().enumerate().map(|(row, name)| (row as f64, name.to_string())).collect(),
    }
}

/// Labels every so many rows with their number.
fn every(step: usize, rows: usize) -> Vec<(f64, String)> {
    (0..rows).step_by(step).map(|row| (row as f64, row.to_string())).collect()
}

/// Draws heat maps below each other; returns their pictures as SVG elements.
fn heat_maps(area: &Area<'_>, maps: &[HeatMap<'_>], seconds: f64) -> Drawn<String> {
    let mut pictures = String::new();
    for (i, (map, panel)) in maps.iter().zip(area.split_evenly((maps.len(), 1))).enumerate() {
        pictures += &heat_map(&panel, map, seconds, i + 1 == maps.len())?;
    }
    Ok(pictures)
}

fn heat_map(area: &Area<'_>, map: &HeatMap<'_>, seconds: f64, last: bool) -> Drawn<String> {
    let rows = map.values.nrows().max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(map.title, ("sans-serif", 14).into_font().color(&INK))
        .margin_right(12)
        .set_label_area_size(LabelAreaPosition::Left, 64)
        .set_label_area_size(LabelAreaPosition::Bottom, 34)
        .build_cartesian_2d(0.0..seconds, -0.5..rows - 0.5)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_mesh().axis_style(INK).label_style(("sans-serif", 11).into_font().color(&INK));
    if last {
        mesh.x_desc("time (s)");
    }
    mesh.y_desc(map.unit).y_labels(0).x_labels(10).draw()?;
    let style = ("sans-serif", 11).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
    let origin = area.get_base_pixel();
    for (row, name) in &map.ticks {
        let (left, middle) = chart.backend_coord(&(0.0, *row));
        area.draw(&Text::new(name.clone(), (left - 6 - origin.0, middle - origin.1), style.clone()))?;
    }
    let (x, y) = chart.plotting_area().get_pixel_range();
    let png = STANDARD.encode(picture(map.values)?);
    Ok(format!(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,{png}\"/>",
        x.start,
        y.start,
        x.end - x.start,
        y.end - y.start,
    ))
}

/// Paints values as a PNG, lowest row at the bottom, from the smallest value (dark) to the largest (bright).
fn picture(values: &Array2<f32>) -> Drawn<Vec<u8>> {
    let (rows, frames) = values.dim();
    let columns = frames.clamp(1, COLUMNS);
    let span =
        |column: usize| column * frames / columns..((column + 1) * frames / columns).max(column * frames / columns + 1);
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
    let mut pixels = Vec::with_capacity(rows.max(1) * columns);
    for row in (0..rows).rev() {
        for column in 0..columns {
            let loudest = span(column).filter_map(|frame| values.get((row, frame))).copied().fold(low, f32::max);
            pixels.push(((loudest - low) * scale).round() as u8);
        }
    }
    if pixels.is_empty() {
        pixels.resize(columns, 0);
    }
    let palette: Vec<u8> = (0..=255_u8)
        .flat_map(|i| {
            let RGBColor(r, g, b) = ViridisRGB::get_color(f32::from(i) / 255.0);
            [r, g, b]
        })
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, columns as u32, rows.max(1) as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}

/// Draws how loud the audio is over time, as an HTML picture for a player; nothing if it cannot be drawn.
pub(crate) fn waveform(audio: &Audio) -> String {
    let alt = format!("waveform of {}", plain(audio.title()));
    let figure = Figure::new(WAVEFORM_HEIGHT, alt, |area| envelope(area, audio).map(|()| String::new()));
    figure.map(|figure| figure.html()).unwrap_or_default()
}

fn envelope(area: &Area<'_>, audio: &Audio) -> Drawn<()> {
    let samples = audio.samples();
    let columns = samples.len().min(WIDTH as usize);
    let peak = samples.iter().fold(1e-6_f32, |peak, x| peak.max(x.abs()));
    let seconds = audio.duration_seconds();
    let mut chart = ChartBuilder::on(area)
        .margin_right(12)
        .margin_top(6)
        .set_label_area_size(LabelAreaPosition::Left, 64)
        .set_label_area_size(LabelAreaPosition::Bottom, 20)
        .build_cartesian_2d(0.0..seconds, -f64::from(peak)..f64::from(peak))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(INK)
        .label_style(("sans-serif", 11).into_font().color(&INK))
        .y_labels(3)
        .x_labels(10)
        .draw()?;
    let span = |i: usize| &samples[i * samples.len() / columns..((i + 1) * samples.len() / columns).max(1)];
    let edge = |i: usize, pick: fn(f32, f32) -> f32| {
        let value = span(i).iter().copied().fold(0.0, pick);
        (seconds * (i as f64 + 0.5) / columns as f64, f64::from(value))
    };
    let upper = (0..columns).map(|i| edge(i, f32::max));
    let lower = (0..columns).rev().map(|i| edge(i, f32::min));
    chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), PALETTE[0].filled())])?;
    Ok(())
}
