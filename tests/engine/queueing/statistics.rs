//! Batch means.

/// A mean and half of its 95 % confidence interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) half_width: f64,
}

pub(crate) const BATCHES: usize = 50;

/// Student's t at 97.5 % with 49 degrees of freedom.
const T_49: f64 = 2.0096;

impl Estimate {
    /// From samples in the order of time: neighbours are alike, the means of long batches nearly independent.
    pub(crate) fn of(samples: &[f64]) -> Self {
        let batch = samples.len() / BATCHES;
        assert!(batch >= 100, "batches of {batch} are too short");
        let means = samples.chunks_exact(batch).take(BATCHES);
        Self::of_batches(
            &means.map(|batch| batch.iter().sum::<f64>() / batch.len() as f64).collect::<Vec<_>>(),
        )
    }

    /// From one mean per batch.
    pub(crate) fn of_batches(means: &[f64]) -> Self {
        assert_eq!(means.len(), BATCHES);
        let count = means.len() as f64;
        let mean = means.iter().sum::<f64>() / count;
        let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, half_width: T_49 * (variance / count).sqrt() }
    }

    /// Whether a formula lies within three half-widths.
    pub(crate) fn agrees(&self, formula: f64) -> bool {
        (self.mean - formula).abs() <= 3.0 * self.half_width
    }

    /// Asserts that the formula agrees and that the interval is narrow enough for that to mean something.
    #[expect(clippy::print_stdout, reason = "what was measured, for whoever runs the test with --nocapture")]
    pub(crate) fn check(&self, what: &str, formula: f64, widest: f64) {
        let Self { mean, half_width } = self;
        println!("{what}: {mean:.4} +- {half_width:.4}, formula {formula:.4}");
        assert!(self.agrees(formula), "{what}: {mean} +- {half_width}, not {formula}");
        assert!(*half_width <= widest * formula, "{what}: {mean} +- {half_width} says too little");
    }
}

#[test]
fn fifty_batches_of_a_known_spread() {
    // Batch means -1 and 1 in turn: standard deviation (50 / 49)^(1/2), half-width T_49 / 7.
    let samples: Vec<f64> = (0..BATCHES * 100).map(|i| if i / 100 % 2 == 0 { -1.0 } else { 1.0 }).collect();
    let estimate = Estimate::of(&samples);
    assert!(estimate.mean.abs() < 1e-12 && (estimate.half_width - T_49 / 7.0).abs() < 1e-12);
    assert!(estimate.agrees(0.86) && !estimate.agrees(0.87));
}
