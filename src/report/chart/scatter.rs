//! Points in a plane with intervals in both directions, and the line of those that no other beats in both: the Pareto
//! front.

use super::super::svg::{Canvas, Style};
use super::axis::{Axis, frame};
use super::{Entry, WIDTH};

pub(super) const HEIGHT: f64 = 320.0;
/// Margins for ticks and titles: left, right, top, bottom.
const MARGINS: [f64; 4] = [56.0, 14.0, 10.0, 44.0];

/// Points on two axes.
pub(in crate::report) struct Scatter {
    pub(in crate::report) x: Axis,
    pub(in crate::report) y: Axis,
    pub(in crate::report) dots: Vec<Dot>,
    /// Whether low values of x, and of y, are better.
    pub(in crate::report) is_low_better: [bool; 2],
}

/// One point.
pub(in crate::report) struct Dot {
    pub(in crate::report) label: String,
    pub(in crate::report) style: Style,
    /// The values of x and y.
    pub(in crate::report) at: [f64; 2],
    /// Their confidence intervals.
    pub(in crate::report) intervals: [Option<[f64; 2]>; 2],
    /// Whether it lies on the front.
    pub(in crate::report) is_on_front: bool,
}

impl Scatter {
    pub(super) fn legend(&self) -> Vec<Entry> {
        let entry = |dot: &Dot| Entry { style: dot.style, label: dot.label.clone(), is_line: true };
        self.dots.iter().map(entry).collect()
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let [left, right, above, below] = MARGINS;
        let at = [left, top + above, WIDTH - right, top + HEIGHT - below];
        frame(canvas, &self.x, &self.y, at);
        let x = |value: f64| at[0] + self.x.scale.share(value) * (at[2] - at[0]);
        let y = |value: f64| at[3] - self.y.scale.share(value) * (at[3] - at[1]);
        let front: Vec<(f64, f64)> = self.front().iter().map(|dot| (x(dot.at[0]), y(dot.at[1]))).collect();
        canvas.line(&self.steps(&front), Style::ASIDE, 0.5);
        for dot in &self.dots {
            let [across, upright] = dot.intervals;
            if let Some([low, high]) = across {
                canvas.rule([x(low), y(dot.at[1]), x(high), y(dot.at[1])], 0.5);
            }
            if let Some([low, high]) = upright {
                canvas.rule([x(dot.at[0]), y(low), x(dot.at[0]), y(high)], 0.5);
            }
        }
        for dot in &self.dots {
            let hint = format!("{}: {:.4}, {:.4}", dot.label, dot.at[0], dot.at[1]);
            canvas.marker(x(dot.at[0]), y(dot.at[1]), dot.style, 1.0, &hint);
        }
    }

    /// The points on the front by x.
    fn front(&self) -> Vec<&Dot> {
        let mut front: Vec<&Dot> = self.dots.iter().filter(|dot| dot.is_on_front).collect();
        front.sort_by(|a, b| a.at[0].total_cmp(&b.at[0]));
        front
    }

    /// The border of what the front dominates: between two points it goes through the corner that both beat.
    fn steps(&self, front: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = front.first().copied().into_iter().collect();
        for pair in front.windows(2) {
            let corner = if self.is_low_better[0] { (pair[1].0, pair[0].1) } else { (pair[0].0, pair[1].1) };
            points.extend([corner, pair[1]]);
        }
        points
    }
}
