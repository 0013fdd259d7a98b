//! A Gantt chart of layer runs: a row per accelerator.

use super::super::svg::{Anchor, Canvas, FONT, Style};
use super::axis::{Scale, label};
use super::{Entry, text_width};

pub(super) const WIDTH: f64 = 860.0;
const ROW: f64 = 26.0;
const ABOVE: f64 = 6.0;
const BELOW: f64 = 42.0;
/// The height of a lane of ticks.
const LANE: f64 = 16.0;

/// A Gantt chart.
pub(in crate::report) struct Gantt {
    pub(crate) rows: Vec<String>,
    /// Ticks above the rows.
    pub(in crate::report) lanes: Vec<Lane>,
    /// The time axis, in milliseconds.
    pub(in crate::report) x: Scale,
    pub(crate) runs: Vec<Run>,
    /// Instants that are marked over all rows.
    pub(in crate::report) marks: Vec<Mark>,
    pub(in crate::report) legend: Vec<Entry>,
}

/// The run of a layer.
pub(in crate::report) struct Run {
    pub(crate) row: usize,
    pub(in crate::report) start_ms: f64,
    pub(in crate::report) end_ms: f64,
    pub(in crate::report) style: Style,
    pub(in crate::report) hint: String,
    /// How strong it is drawn, from 0 to 1.
    pub(in crate::report) opacity: f64,
}

/// A thin row of ticks.
pub(in crate::report) struct Lane {
    pub(in crate::report) name: String,
    pub(in crate::report) ticks: Vec<Tick>,
}

/// An instant that is marked in a lane.
pub(in crate::report) struct Tick {
    pub(in crate::report) at_ms: f64,
    pub(in crate::report) style: Style,
    pub(in crate::report) hint: String,
    pub(in crate::report) is_strong: bool,
}

/// An instant with a name.
pub(in crate::report) struct Mark {
    pub(in crate::report) at_ms: f64,
    pub(in crate::report) label: String,
}

impl Gantt {
    pub(super) fn height(&self) -> f64 {
        self.above() + ROW * self.rows.len() as f64 + BELOW
    }

    /// The space above the rows: marks are named there, and then come the lanes.
    fn above(&self) -> f64 {
        let marks = if self.marks.is_empty() { ABOVE } else { ABOVE + 1.5 * FONT };
        marks + LANE * self.lanes.len() as f64
    }

    fn is_shown(&self, at_ms: f64) -> bool {
        (self.x.from..=self.x.to).contains(&at_ms)
    }

    /// Draws the lanes between `left` and `right`, the first at `top`.
    fn draw_lanes(&self, canvas: &mut Canvas, [left, right, top]: [f64; 3]) {
        for (place, lane) in self.lanes.iter().enumerate() {
            let y = top + LANE * place as f64;
            canvas.text(left - 6.0, y + 12.0, Anchor::End, &lane.name);
            for tick in lane.ticks.iter().filter(|tick| self.is_shown(tick.at_ms)) {
                let x = left + self.x.share(tick.at_ms) * (right - left);
                let (width, opacity) = if tick.is_strong { (3.0, 1.0) } else { (1.4, 0.7) };
                canvas.stroke(
                    [x, y + 3.0, x, y + LANE - 3.0],
                    width,
                    tick.style.colour(),
                    opacity,
                    &tick.hint,
                );
            }
        }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let names = self.rows.iter().chain(self.lanes.iter().map(|lane| &lane.name));
        let left = names.map(|name| text_width(name)).fold(40.0, f64::max) + 10.0;
        let right = canvas.width() - 16.0;
        let (above, below) = (top + self.above(), top + self.height() - BELOW);
        let x = |value: f64| left + self.x.share(value).clamp(0.0, 1.0) * (right - left);
        for tick in self.x.ticks(10) {
            canvas.rule([x(tick), above, x(tick), below], 0.15);
            canvas.text(x(tick), below + 2.0 + FONT, Anchor::Middle, &label(tick));
        }
        canvas.text((left + right) / 2.0, below + 34.0, Anchor::Middle, "time, ms");
        self.draw_lanes(canvas, [left, right, above - LANE * self.lanes.len() as f64]);
        for (place, row) in self.rows.iter().enumerate() {
            let y = above + ROW * place as f64;
            canvas.text(left - 6.0, y + 17.0, Anchor::End, row);
            canvas.rule([left, y + ROW, right, y + ROW], 0.15);
        }
        for run in &self.runs {
            let (from, to) = (x(run.start_ms), x(run.end_ms));
            // Leaves a thin gap between neighbours.
            let width = (to - from - 0.4).max(0.3);
            let shape = [from, above + ROW * run.row as f64 + 4.0, width, ROW - 7.0];
            canvas.bar(shape, run.style.colour(), run.opacity, &run.hint);
        }
        for mark in self.marks.iter().filter(|mark| self.is_shown(mark.at_ms)) {
            let at = x(mark.at_ms);
            canvas.rule([at, above - 4.0, at, below], 1.0);
            // Near the right edge the name would leave the picture.
            let anchor = if at > right - text_width(&mark.label) { Anchor::End } else { Anchor::Start };
            canvas.text(at, above - 7.0, anchor, &mark.label);
        }
    }
}
