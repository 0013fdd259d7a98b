//! Lines over a numeric axis, with confidence bands.

use super::super::svg::{Anchor, Canvas, FONT, Style};
use super::Entry;
use super::axis::{Scale, label};

pub(super) const WIDTH: f64 = 420.0;
pub(super) const HEIGHT: f64 = 300.0;
/// Margins for ticks and titles: left, right, top, bottom.
const MARGINS: [f64; 4] = [52.0, 14.0, 10.0, 44.0];

/// Lines that share axes.
pub(in crate::report) struct Lines {
    pub(in crate::report) x: Scale,
    pub(in crate::report) x_title: String,
    pub(in crate::report) y: Scale,
    pub(in crate::report) y_title: String,
    pub(in crate::report) series: Vec<Series>,
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

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let [left, right, above, below] = MARGINS;
        let frame = [left, top + above, WIDTH - right, top + HEIGHT - below];
        self.draw_frame(canvas, frame);
        let x = |value| frame[0] + self.x.share(value) * (frame[2] - frame[0]);
        let y = |value: f64| frame[3] - self.y.share(value).clamp(0.0, 1.0) * (frame[3] - frame[1]);
        for series in self.series.iter().filter(|series| !series.is_faint) {
            let end = |p: &(f64, f64, Option<[f64; 2]>), end: usize| p.2.map_or(p.1, |ends| ends[end]);
            let upper = series.points.iter().map(|p| (x(p.0), y(end(p, 1))));
            let lower = series.points.iter().rev().map(|p| (x(p.0), y(end(p, 0))));
            if series.points.iter().any(|p| p.2.is_some()) {
                canvas.area(&upper.chain(lower).collect::<Vec<_>>(), series.style);
            }
        }
        // The first series is the best, and is drawn on top.
        for series in self.series.iter().rev() {
            let opacity = if series.is_faint { 0.45 } else { 1.0 };
            let points: Vec<(f64, f64)> = series.points.iter().map(|p| (x(p.0), y(p.1))).collect();
            canvas.line(&points, series.style, opacity);
            for (p, at) in series.points.iter().zip(points).filter(|_| series.has_markers) {
                let interval = p.2.map_or(String::new(), |[low, high]| format!(" ({low:.4} to {high:.4})"));
                let hint = format!("{}: {:.4}{interval} at {}", series.label, p.1, label(p.0));
                canvas.marker(at.0, at.1, series.style, opacity, &hint);
            }
        }
    }

    fn draw_frame(&self, canvas: &mut Canvas, [left, top, right, bottom]: [f64; 4]) {
        for tick in self.y.ticks(5) {
            let y = bottom - self.y.share(tick) * (bottom - top);
            canvas.rule([left, y, right, y], 0.15);
            canvas.text(left - 6.0, y + 4.0, Anchor::End, &label(tick));
        }
        for tick in self.x.ticks(6) {
            let x = left + self.x.share(tick) * (right - left);
            canvas.rule([x, bottom, x, bottom + 4.0], 0.6);
            canvas.text(x, bottom + 5.0 + FONT, Anchor::Middle, &label(tick));
        }
        canvas.rule([left, bottom, right, bottom], 0.6);
        canvas.text((left + right) / 2.0, bottom + 36.0, Anchor::Middle, &self.x_title);
        canvas.upright_text(14.0, (top + bottom) / 2.0, &self.y_title);
    }
}
