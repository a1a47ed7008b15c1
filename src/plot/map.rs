//! The map of an index: every song as a point, near what sounds like it.

use std::collections::BTreeMap;

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::projection::principal_components;
use super::{Area, Figure, INK, PALETTE, Plot, WIDTH};
use crate::error::Result;
use crate::index::Index;
use crate::show::plain;
use crate::songs::Songs;
use crate::store::Filter;

const HEIGHT: u32 = 560;
const LEGEND_WIDTH: u32 = 110;
const LABEL_SIZE: i32 = 11;

/// With more songs than this, labels would hide the points.
const LABELLED: usize = 60;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl Plot for Index {
    fn draw(&self) -> Result<Figure> {
        self.list(&Filter::All)?.draw()
    }
}

impl Plot for Songs {
    fn draw(&self) -> Result<Figure> {
        let vectors: Vec<&[f32]> = self.iter().map(|song| song.embedding.as_slice()).collect();
        let (points, (across, up)) = principal_components(&vectors);
        let mut genres: BTreeMap<&str, usize> = self.iter().map(|song| (song.genre.as_str(), 0)).collect();
        genres.values_mut().enumerate().for_each(|(i, number)| *number = i);
        let names: Vec<&str> = genres.keys().copied().collect();
        let alt = format!(
            "map of {} songs by their embeddings (principal components, {:.0} % and {:.0} % of the variance), coloured by genre: {}",
            self.len(),
            across * 100.0,
            up * 100.0,
            plain(&names.join(", "))
        );
        Figure::new(HEIGHT, alt, |area| {
            let (map, legend) = area.split_horizontally(WIDTH - LEGEND_WIDTH);
            let (x, y) = (range(points.iter().map(|p| p.0)), range(points.iter().map(|p| p.1)));
            let mut chart = ChartBuilder::on(&map)
                .margin(8)
                .set_label_area_size(LabelAreaPosition::Left, 56)
                .set_label_area_size(LabelAreaPosition::Bottom, 38)
                .build_cartesian_2d(x, y)?;
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(INK.mix(0.12))
                .axis_style(INK)
                .label_style(("sans-serif", LABEL_SIZE).into_font().color(&INK))
                .x_desc(format!("first component ({:.0} % of the variance)", across * 100.0))
                .y_desc(format!("second component ({:.0} %)", up * 100.0))
                .draw()?;
            let pixels: Vec<(i32, i32)> = points.iter().map(|&p| chart.backend_coord(&p)).collect();
            for (song, &at) in self.iter().zip(&pixels) {
                mark(area, genres.get(song.genre.as_str()).copied().unwrap_or(0), at)?;
            }
            if self.len() <= LABELLED {
                label(area, &chart, self, &pixels)?;
            }
            for (name, &number) in &genres {
                let at = (12, 24 + 20 * number as i32);
                mark(&legend, number, at)?;
                legend.draw(&Text::new(
                    plain(name),
                    (at.0 + 12, at.1 - 6),
                    ("sans-serif", 12).into_font().color(&INK),
                ))?;
            }
            Ok(String::new())
        })
    }
}

/// Draws a genre's mark: the palette's colours as dots, then again as triangles.
fn mark(area: &Area<'_>, genre: usize, at: (i32, i32)) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let style = PALETTE[genre % PALETTE.len()].filled();
    if (genre / PALETTE.len()).is_multiple_of(2) {
        area.draw(&Circle::new(at, 5, style))?;
    } else {
        area.draw(&TriangleMarker::new(at, 7, style))?;
    }
    Ok(())
}

/// Writes each song's title beside its point, where no other title or point is in the way.
fn label(
    area: &Area<'_>,
    chart: &Chart<'_, '_>,
    songs: &Songs,
    points: &[(i32, i32)],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (plot_x, plot_y) = chart.plotting_area().get_pixel_range();
    let mut taken: Vec<[i32; 4]> = points.iter().map(|&(x, y)| [x - 5, y - 5, x + 5, y + 5]).collect();
    let overlap = |a: &[i32; 4], b: &[i32; 4]| {
        let width = a[2].min(b[2]) - a[0].max(b[0]);
        let height = a[3].min(b[3]) - a[1].max(b[1]);
        width.max(0) * height.max(0)
    };
    for (song, &(x, y)) in songs.iter().zip(points) {
        let title = plain(&song.title);
        let width = (title.chars().count() as f64 * f64::from(LABEL_SIZE) * 0.47) as i32;
        let rows = [0, -11, 11, -22, 22, -33, 33];
        let places = rows.into_iter().flat_map(|dy| [(8, dy, HPos::Left), (-8, dy, HPos::Right)]);
        let boxes = places.map(|(dx, dy, anchor)| {
            let left = if matches!(anchor, HPos::Left) { x + dx } else { x + dx - width };
            (anchor, (x + dx, y + dy), [left, y + dy - LABEL_SIZE / 2, left + width, y + dy + LABEL_SIZE / 2])
        });
        let outside = |b: &[i32; 4]| {
            let over = (plot_x.start - b[0]).max(0) + (b[2] - plot_x.end).max(0);
            (over + (plot_y.start - b[1]).max(0) + (b[3] - plot_y.end).max(0)) * 100
        };
        let cost = |b: &[i32; 4]| taken.iter().map(|t| overlap(t, b)).sum::<i32>() + outside(b);
        let Some((anchor, at, covered)) = boxes.min_by_key(|(_, _, b)| cost(b)) else { continue };
        taken.push(covered);
        let style = ("sans-serif", LABEL_SIZE).into_font().color(&INK).pos(Pos::new(anchor, VPos::Center));
        area.draw(&Text::new(title, at, style))?;
    }
    Ok(())
}

/// The range of an axis: all values and a little air, never empty.
fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if low > high {
        return -1.0..1.0;
    }
    let air = ((high - low) * 0.12).max(1e-3);
    low - air..high + air
}
