//! Horizontal bars by name: one or more per name, each of one or more segments, with intervals and a number at the end.

use super::super::svg::{Anchor, Canvas, FONT, Style};
use super::axis::{Scale, label};
use super::{Entry, text_width};

const BAR: f64 = 11.0;
const GAP: f64 = 6.0;
const ABOVE: f64 = 6.0;
const BELOW: f64 = 42.0;
/// The height of a name that stands above its bars.
const NAME: f64 = 16.0;
/// The widest names that stand beside their bars, as a share of the width. Our choice, because bars need half of it.
const WIDEST: f64 = 0.5;

/// Groups of bars on a common axis.
pub(in crate::report) struct Bars {
    pub(in crate::report) x_title: String,
    pub(crate) groups: Vec<Group>,
    pub(in crate::report) legend: Vec<Entry>,
    /// The width of the picture; [`super::WIDTH`] unless it shares its row.
    pub(in crate::report) width: f64,
}

/// The bars that share a name.
pub(in crate::report) struct Group {
    pub(in crate::report) label: String,
    pub(in crate::report) bars: Vec<Bar>,
}

/// A bar of one or more segments.
pub(in crate::report) struct Bar {
    pub(in crate::report) segments: Vec<Segment>,
    /// The confidence interval of its end.
    pub(crate) interval: Option<[f64; 2]>,
    /// The text after the bar.
    pub(in crate::report) note: String,
}

/// A part of a bar, in a style of its own.
pub(in crate::report) struct Segment {
    pub(in crate::report) length: f64,
    pub(in crate::report) style: Style,
    pub(in crate::report) hint: String,
}

impl Bar {
    fn end(&self) -> f64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }
}

impl Bars {
    pub(super) fn height(&self) -> f64 {
        let above = if self.has_names_beside() { 0.0 } else { NAME };
        let of = |group: &Group| above + BAR * group.bars.len() as f64 + GAP;
        ABOVE + self.groups.iter().map(of).sum::<f64>() + BELOW
    }

    fn widest_name(&self) -> f64 {
        self.groups.iter().map(|group| text_width(&group.label)).fold(40.0, f64::max)
    }

    /// Whether names stand beside their bars; long ones stand above them.
    fn has_names_beside(&self) -> bool {
        self.widest_name() <= WIDEST * self.width
    }

    fn scale(&self) -> Scale {
        let ends = self
            .groups
            .iter()
            .flat_map(|group| &group.bars)
            .flat_map(|bar| bar.interval.unwrap_or([bar.end(); 2]));
        Scale::from_zero(ends)
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        let is_beside = self.has_names_beside();
        let names = if is_beside { self.widest_name() } else { 0.0 };
        let notes = self.groups.iter().flat_map(|group| &group.bars).map(|bar| text_width(&bar.note));
        let left = names + 12.0;
        let right = self.width - 10.0 - notes.fold(0.0, f64::max);
        let (above, below) = (top + ABOVE, top + self.height() - BELOW);
        let scale = self.scale();
        let x = |value: f64| left + scale.share(value) * (right - left);
        for tick in scale.ticks(5) {
            canvas.rule([x(tick), above, x(tick), below], if tick == 0.0 { 0.6 } else { 0.15 });
            canvas.text(x(tick), below + 2.0 + FONT, Anchor::Middle, &label(tick));
        }
        canvas.text((left + right) / 2.0, below + 34.0, Anchor::Middle, &self.x_title);
        let mut y = above + GAP / 2.0;
        for group in &self.groups {
            let height = BAR * group.bars.len() as f64;
            if is_beside {
                canvas.text(left - 6.0, y + height / 2.0 + 4.0, Anchor::End, &group.label);
            } else {
                canvas.text(left, y + NAME - 4.0, Anchor::Start, &group.label);
                y += NAME;
            }
            for bar in &group.bars {
                let mut from = 0.0;
                for segment in &bar.segments {
                    let to = from + segment.length;
                    let shape = [x(from.min(to)), y, x(from.max(to)) - x(from.min(to)), BAR - 1.0];
                    canvas.bar(shape, segment.style.colour(), 0.85, &segment.hint);
                    from = to;
                }
                let [low, high] = bar.interval.unwrap_or([from; 2]);
                if low < high {
                    canvas.whisker(x(low), x(high), y + BAR / 2.0);
                }
                canvas.text(x(high.max(0.0)) + 4.0, y + BAR - 1.5, Anchor::Start, &bar.note);
                y += BAR;
            }
            y += GAP;
        }
    }
}
