//! The kinds of charts: their contents and the frame around them. Each kind is drawn in a file of its own.

mod axis;
mod bars;
mod facets;
mod gantt;
mod lines;
mod map;
mod matrix;
mod scatter;

pub(super) use self::axis::{Axis, Scale};
pub(super) use self::bars::{Bar, Bars, Group, Segment};
pub(super) use self::facets::{Facets, NARROW};
pub(super) use self::gantt::{Gantt, Lane, Mark, Run, Tick};
pub(super) use self::lines::{Lines, Series};
pub(super) use self::map::{Map, MapLink, MapNode, MapSite};
pub(super) use self::matrix::Matrix;
pub(super) use self::scatter::{Dot, Scatter};
use super::svg::{Anchor, Canvas, FONT, Style};

/// The contents of a picture.
pub(super) enum Chart {
    Lines(Lines),
    Bars(Bars),
    Matrix(Matrix),
    Gantt(Gantt),
    Map(Map),
    Scatter(Scatter),
    Facets(Facets),
}

/// The width of pictures that stand beside others.
pub(super) const WIDTH: f64 = 420.0;

/// How confidence intervals along lines are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intervals {
    /// As a band behind the line.
    #[default]
    Bands,
    /// As an error bar at every point.
    ErrorBars,
}

/// An entry of a legend: the style of a series, and its name.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) style: Style,
    pub(super) label: String,
    /// Whether the series is drawn as a line with markers; else it is an area.
    pub(super) is_line: bool,
}

/// The approximate width of a text in the body font.
fn text_width(text: &str) -> f64 {
    0.56 * FONT * text.chars().count() as f64
}

impl Chart {
    /// The legend, which names the styles of the chart.
    pub(super) fn legend(&self) -> Vec<Entry> {
        match self {
            Self::Lines(lines) => lines.legend(),
            Self::Bars(bars) => bars.legend.clone(),
            Self::Matrix(_) | Self::Map(_) => Vec::new(),
            Self::Gantt(gantt) => gantt.legend.clone(),
            Self::Scatter(scatter) => scatter.legend(),
            Self::Facets(facets) => facets.legend(),
        }
    }

    fn size(&self) -> (f64, f64) {
        match self {
            Self::Lines(lines) => (lines.width, lines.height()),
            Self::Bars(bars) => (bars.width, bars.height()),
            Self::Matrix(matrix) => (matrix.width(), matrix.height()),
            Self::Gantt(gantt) => (gantt::WIDTH, gantt.height()),
            Self::Map(map) => (map::WIDTH, map.height()),
            Self::Scatter(_) => (WIDTH, scatter::HEIGHT),
            Self::Facets(facets) => facets.size(),
        }
    }

    fn draw(&self, canvas: &mut Canvas, top: f64) {
        match self {
            Self::Lines(lines) => lines.draw(canvas, top),
            Self::Bars(bars) => bars.draw(canvas, top),
            Self::Matrix(matrix) => matrix.draw(canvas, top),
            Self::Gantt(gantt) => gantt.draw(canvas, top),
            Self::Map(map) => map.draw(canvas, top),
            Self::Scatter(scatter) => scatter.draw(canvas, top),
            Self::Facets(facets) => facets.draw(canvas, top),
        }
    }

    /// Whether there is anything to see.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.series.iter().all(|series| series.points.is_empty()),
            Self::Bars(bars) => bars.groups.is_empty(),
            Self::Matrix(matrix) => matrix.values.is_empty(),
            Self::Gantt(gantt) => gantt.runs.is_empty(),
            Self::Map(map) => map.nodes.is_empty(),
            Self::Scatter(scatter) => scatter.dots.is_empty(),
            Self::Facets(facets) => facets.parts.iter().all(|(_, part)| part.is_empty()),
        }
    }

    /// Whether it needs a row of its own to be readable.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Self::Gantt(_) | Self::Map(_) | Self::Facets(_))
    }

    /// The SVG for the page, without title and legend, which the page shows itself.
    pub(super) fn inline(&self, title: &str) -> String {
        let (width, height) = self.size();
        let mut canvas = Canvas::new(width, height);
        self.draw(&mut canvas, 0.0);
        canvas.inline(title)
    }

    /// The SVG for a file, with a legend, and with its title above it unless that is left to a caption.
    pub(super) fn standalone(&self, title: &str, is_titled: bool) -> String {
        let (width, height) = self.size();
        let legend = self.legend();
        let widest = legend.iter().map(|entry| text_width(&entry.label)).fold(0.0, f64::max) + 44.0;
        let columns = ((width / widest) as usize).max(1);
        let rows = legend.len().div_ceil(columns);
        let top = if is_titled { 2.0 * FONT } else { 0.0 };
        let mut canvas = Canvas::new(width, top + height + 18.0 * rows as f64 + 6.0);
        if is_titled {
            canvas.sized_text(8.0, 1.4 * FONT, Anchor::Start, FONT + 1.0, title);
        }
        self.draw(&mut canvas, top);
        for (place, entry) in legend.iter().enumerate() {
            let x = 8.0 + (place % columns) as f64 * widest;
            let y = top + height + 12.0 + 18.0 * (place / columns) as f64;
            swatch(&mut canvas, x, y - 4.0, entry);
            canvas.text(x + 32.0, y, Anchor::Start, &entry.label);
        }
        canvas.standalone(title)
    }
}

/// Draws the sample of a series, 28 units wide.
fn swatch(canvas: &mut Canvas, x: f64, y: f64, entry: &Entry) {
    if entry.is_line {
        canvas.line(&[(x, y), (x + 28.0, y)], entry.style, 1.0);
        canvas.marker(x + 14.0, y, entry.style, 1.0, &entry.label);
    } else {
        canvas.bar([x + 8.0, y - 6.0, 16.0, 12.0], entry.style.colour(), 0.85, &entry.label);
    }
}

/// The sample of a series as SVG, for the legend of a page.
pub(super) fn inline_swatch(entry: &Entry) -> String {
    let mut canvas = Canvas::new(28.0, 14.0);
    swatch(&mut canvas, 0.0, 7.0, entry);
    canvas.inline(&entry.label)
}
