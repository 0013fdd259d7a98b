//! Lines over a numeric axis, with confidence intervals as bands or error bars.

use super::super::svg::{Canvas, Style};
use super::axis::{Axis, frame, label};
use super::{Entry, Intervals};

/// Margins for ticks and titles: left, right, top, bottom.
const MARGINS: [f64; 4] = [52.0, 14.0, 10.0, 44.0];

/// Lines that share axes.
pub(in crate::report) struct Lines {
    pub(in crate::report) x: Axis,
    pub(in crate::report) y: Axis,
    pub(in crate::report) series: Vec<Series>,
    pub(in crate::report) intervals: Intervals,
    /// The width of the picture; [`super::WIDTH`] unless it shares its row.
    pub(in crate::report) width: f64,
}

/// One line of the chart.
pub(in crate::report) struct Series {
    pub(in crate::report) style: Style,
    pub(in crate::report) label: String,
    /// Whether the line is in the background: thinner, and without a band.
    pub(in crate::report) is_faint: bool,
    /// The points: x, y and the interval of y.
    pub(in crate::report) points: Vec<(f64, f64, Option<[f64; 2]>)>,
    /// Whether points are measurements, which get a marker.
    pub(in crate::report) has_markers: bool,
}

impl Lines {
    /// The legend; a single line needs none, as the title describes it.
    pub(super) fn legend(&self) -> Vec<Entry> {
        let entry =
            |series: &Series| Entry { style: series.style, label: series.label.clone(), is_line: true };
        let all = self.series.iter().map(entry);
        all.filter(|_| self.series.len() > 1).collect()
    }

    /// The height: 300 at the usual width.
    pub(super) fn height(&self) -> f64 {
        0.6 * self.width + 48.0
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let [left, right, above, below] = MARGINS;
        let place =
            Place([left, top + above, self.width - right, top + self.height() - below], &self.x, &self.y);
        frame(canvas, &self.x, &self.y, place.0);
        for series in self.series.iter().filter(|series| !series.is_faint) {
            match self.intervals {
                Intervals::Bands => series.draw_band(canvas, &place),
                Intervals::ErrorBars => series.draw_error_bars(canvas, &place),
            }
        }
        // The first series is the best, and is drawn on top.
        self.series.iter().rev().for_each(|series| series.draw(canvas, &place));
    }
}

/// Where values are in the picture: the frame from left, top to right, bottom, and its axes.
struct Place<'a>([f64; 4], &'a Axis, &'a Axis);

impl Place<'_> {
    fn x(&self, value: f64) -> f64 {
        let Self([left, _, right, _], axis, _) = *self;
        left + axis.scale.share(value) * (right - left)
    }

    fn y(&self, value: f64) -> f64 {
        let Self([_, top, _, bottom], _, axis) = *self;
        bottom - axis.scale.share(value).clamp(0.0, 1.0) * (bottom - top)
    }
}

impl Series {
    fn draw_band(&self, canvas: &mut Canvas, place: &Place) {
        let end = |p: &(f64, f64, Option<[f64; 2]>), end: usize| p.2.map_or(p.1, |ends| ends[end]);
        let upper = self.points.iter().map(|p| (place.x(p.0), place.y(end(p, 1))));
        let lower = self.points.iter().rev().map(|p| (place.x(p.0), place.y(end(p, 0))));
        if self.points.iter().any(|p| p.2.is_some()) {
            canvas.area(&upper.chain(lower).collect::<Vec<_>>(), self.style);
        }
    }

    fn draw_error_bars(&self, canvas: &mut Canvas, place: &Place) {
        for (x, _, interval) in &self.points {
            let Some([low, high]) = *interval else { continue };
            canvas.error_bar(place.x(*x), place.y(low), place.y(high), self.style);
        }
    }

    fn draw(&self, canvas: &mut Canvas, place: &Place) {
        let opacity = if self.is_faint { 0.45 } else { 1.0 };
        let points: Vec<(f64, f64)> = self.points.iter().map(|p| (place.x(p.0), place.y(p.1))).collect();
        canvas.line(&points, self.style, opacity);
        for (p, at) in self.points.iter().zip(points).filter(|_| self.has_markers) {
            let interval = p.2.map_or(String::new(), |[low, high]| format!(" ({low:.4} to {high:.4})"));
            let hint = format!("{}: {:.4}{interval} at {}", self.label, p.1, label(p.0));
            canvas.marker(at.0, at.1, self.style, opacity, &hint);
        }
    }
}
