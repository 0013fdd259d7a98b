//! Scales of axes, and their ticks.

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
}
