//! Axes: their scales, ticks and titles, and the frame that two of them make.

use super::super::svg::{Anchor, Canvas, FONT};

/// An axis of a chart.
pub(in crate::report) struct Axis {
    pub(in crate::report) scale: Scale,
    pub(in crate::report) title: String,
    /// The values that have ticks; round ones if there are none.
    ticks: Vec<f64>,
}

/// The most values of a sweep that have a tick each. Our choice, because the texts of more run into each other.
const MOST_TICKS: usize = 9;

impl Axis {
    /// An axis with round ticks.
    pub(in crate::report) fn new(scale: Scale, title: impl Into<String>) -> Self {
        Self { scale, title: title.into(), ticks: Vec::new() }
    }

    /// An axis of a swept key: ticks are at its values, and it is logarithmic if these are spaced like that.
    pub(in crate::report) fn of_sweep(values: impl Iterator<Item = f64>, title: impl Into<String>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let scale = match is_geometric(&values) {
            true => Scale::around_ratio(&values),
            false => Scale::around(values.iter().copied()),
        };
        let title = title.into();
        if !scale.log && values.len() > MOST_TICKS {
            values.clear();
        }
        Self { scale, title, ticks: values }
    }

    fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.ticks.is_empty() { self.scale.ticks(wanted) } else { self.ticks.clone() }
    }
}

/// Whether ascending values are spaced by ratios rather than differences: at least three, above zero, over at least a
/// factor of four, with ratios that vary by less than 1.3. Our choice, because then 16, 32, 64 and 1, 2, 5, 10 are; loads from 0.6 to 1.2 are not.
fn is_geometric(values: &[f64]) -> bool {
    let [first, .., last] = values else { return false };
    let ratios = values.windows(2).map(|pair| pair[1] / pair[0]);
    let (low, high) = extent(ratios);
    values.len() > 2 && *first > 0.0 && last / first >= 4.0 && high / low < 1.3
}

/// Draws the frame of a chart, from left, top to right, bottom: ticks, grid and titles.
pub(super) fn frame(canvas: &mut Canvas, x: &Axis, y: &Axis, [left, top, right, bottom]: [f64; 4]) {
    for tick in y.ticks(5) {
        let at = bottom - y.scale.share(tick) * (bottom - top);
        canvas.rule([left, at, right, at], 0.15);
        canvas.text(left - 6.0, at + 4.0, Anchor::End, &label(tick));
    }
    let mut free = f64::NEG_INFINITY;
    for tick in x.ticks(6) {
        let at = left + x.scale.share(tick) * (right - left);
        canvas.rule([at, bottom, at, bottom + 4.0], 0.6);
        let half = super::text_width(&label(tick)) / 2.0;
        if at - half >= free {
            canvas.text(at, bottom + 5.0 + FONT, Anchor::Middle, &label(tick));
            free = at + half + 4.0;
        }
    }
    canvas.rule([left, bottom, right, bottom], 0.6);
    canvas.text((left + right) / 2.0, bottom + 36.0, Anchor::Middle, &x.title);
    canvas.upright_text(14.0, (top + bottom) / 2.0, &y.title);
}

/// Maps values to positions on an axis.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Scale {
    pub(crate) from: f64,
    pub(in crate::report) to: f64,
    pub(in crate::report) log: bool,
}

impl Scale {
    /// A linear scale that covers the values and zero.
    pub(in crate::report) fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        let (from, to) = extent(values.chain([0.0]));
        Self { from, to: if to > from { to } else { from + 1.0 }, log: false }
    }

    /// A linear scale a little wider than the range of the values.
    pub(in crate::report) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (from, to) = extent(values);
        let margin = if to > from { 0.04 * (to - from) } else { 0.5 };
        Self { from: from - margin, to: to + margin, log: false }
    }

    /// A logarithmic scale from a power of ten to another, around values above zero.
    pub(in crate::report) fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (from, to) = extent(values.filter(|v| *v > 0.0));
        Self { from, to: if to > from { to } else { 10.0 * from }, log: true }
    }

    /// A logarithmic scale a little wider than ascending values above zero.
    fn around_ratio(values: &[f64]) -> Self {
        let (from, to) = extent(values.iter().copied());
        let margin = (to / from).powf(0.04);
        Self { from: from / margin, to: to * margin, log: true }
    }

    /// The position of a value on the axis, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        match self.log {
            true => (value / self.from).ln() / (self.to / self.from).ln(),
            false => (value - self.from) / (self.to - self.from),
        }
    }

    /// Round values for ticks: at least two, and about as many as `wanted`.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.log {
            return self.log_ticks(wanted);
        }
        let raw = (self.to - self.from) / wanted as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= raw);
        let step = step.unwrap_or(10.0 * power);
        let (first, last) = ((self.from / step - 1e-9).ceil() as i64, (self.to / step + 1e-9).floor() as i64);
        (first..=last).map(|i| i as f64 * step).collect()
    }

    fn log_ticks(&self, wanted: usize) -> Vec<f64> {
        let decades = (self.to / self.from).log10();
        let steps: &[f64] = if decades > wanted as f64 / 2.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let powers = self.from.log10().floor() as i32..=self.to.log10().ceil() as i32;
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
        all.filter(|v| (self.from..=self.to).contains(v)).collect()
    }
}

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite());
    let (from, to) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if from <= to { (from, to) } else { (0.0, 1.0) }
}

/// The text of a tick, without rounding noise.
pub(super) fn label(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    match rounded.abs() {
        0.0 => "0".to_string(),
        1e6.. => format!("{}M", rounded / 1e6),
        1e4.. => format!("{}k", rounded / 1e3),
        _ => rounded.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale { from: -3.0, to: 53.0, log: false };
        assert_eq!(scale.ticks(5), [0.0, 20.0, 40.0]);
        assert_eq!(Scale { from: 0.0, to: 1.0, log: false }.ticks(5).len(), 6);
        let log = Scale::logarithmic([0.3, 40.0].into_iter());
        let expected = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0];
        assert!(log.ticks(6).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!((log.share(0.3), log.share(40.0)), (0.0, 1.0));
        assert_eq!([label(0.30000000000000004), label(20_000.0), label(-0.0)], ["0.3", "20k", "0"]);
    }

    #[test]
    fn a_sweep_by_ratios_is_logarithmic_with_its_values_as_ticks() {
        let log = |values: &[f64]| Axis::of_sweep(values.iter().copied(), "").scale.log;
        assert!(log(&[64.0, 16.0, 32.0]) && log(&[1.0, 2.0, 5.0, 10.0]));
        assert!(
            !log(&[0.6, 0.8, 0.9, 1.0, 1.2]) && !log(&[16.0, 64.0]) && !log(&[0.0, 1.0, 10.0]) && !log(&[])
        );
        assert_eq!(Axis::of_sweep([2.0, 7.0, 4.0, 2.0].into_iter(), "").ticks(6), [2.0, 4.0, 7.0]);
        let many = Axis::of_sweep((0..30).map(f64::from), "");
        assert_eq!(many.ticks(5), [0.0, 10.0, 20.0, 30.0]);
    }
}
