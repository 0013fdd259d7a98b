//! Our numbers beside those of another tool: its mappings evaluated, and our best mappings for its layers.
//!
//! - [`compare`]: cycles, access counts and energy of a case's mapping. Cycles within one are exact, because Timeloop
//!   rounds doubles up; an access count is the reads, fills, updates and instances of one (level, tensor). Errors are
//!   relative to the other tool's number, or to 1 if that is smaller.
//! - [`ratio`]: the objective of the search, our best mapping over the case's, under the constraints of the same
//!   accelerator. Energy includes leakage, and only the accelerator's own port limits DRAM traffic.

use serde::Serialize;

use super::cases::{Case, ExpectedAccesses};
use super::evaluate::{Evaluation, evaluate};
use super::mapper::{self, Goal};
use crate::hw::{AccelSpec, Objective, Residuals};

/// How far our evaluation of one case is from the case's numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The id of the case.
    pub id: String,
    /// The accelerator of the case.
    pub arch: String,
    cycles_exact: bool,
    cycles_rel_err: f64,
    accesses_total: usize,
    accesses_exact: usize,
    accesses_max_rel_err: f64,
    energy_rel_err: f64,
}

impl Comparison {
    /// The largest error, where cycles within one have none.
    pub fn worst_rel_err(&self) -> f64 {
        let cycles = if self.cycles_exact { 0.0 } else { self.cycles_rel_err };
        cycles.max(self.accesses_max_rel_err).max(self.energy_rel_err)
    }
}

/// Many comparisons in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the module documentation and the names say it")]
pub struct Figures {
    pub cases: usize,
    pub cycles_exact: usize,
    pub cycles_max_rel_err: f64,
    pub accesses_total: usize,
    pub accesses_exact: usize,
    pub accesses_max_rel_err: f64,
    pub energy_median_rel_err: f64,
    pub energy_max_rel_err: f64,
}

impl Figures {
    /// Sums up the comparisons.
    pub fn of(comparisons: &[&Comparison]) -> Self {
        let sum = |of: fn(&Comparison) -> usize| comparisons.iter().map(|each| of(each)).sum();
        let sorted = |of: fn(&Comparison) -> f64| {
            let mut values: Vec<f64> = comparisons.iter().map(|each| of(each)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let max = |of: fn(&Comparison) -> f64| sorted(of).last().copied().unwrap_or(0.0);
        Self {
            cases: comparisons.len(),
            cycles_exact: sum(|each| usize::from(each.cycles_exact)),
            cycles_max_rel_err: max(|each| each.cycles_rel_err),
            accesses_total: sum(|each| each.accesses_total),
            accesses_exact: sum(|each| each.accesses_exact),
            accesses_max_rel_err: max(|each| each.accesses_max_rel_err),
            energy_median_rel_err: median(&sorted(|each| each.energy_rel_err)),
            energy_max_rel_err: max(|each| each.energy_rel_err),
        }
    }
}

/// The median of sorted values; 0 if there are none.
pub fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        n => (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
    }
}

/// Evaluates the mapping of a case, padded as the other tool does it.
pub fn compare(case: &Case, accel: &AccelSpec) -> Result<Comparison, String> {
    let accel = &AccelSpec { residuals: Residuals::Padded, ..accel.clone() };
    let mapping = case.mapping(accel)?;
    let ours = evaluate(accel, &case.nest(), &mapping)?;
    let errors = case.expected.accesses.iter().map(|expected| access_error(expected, accel, &ours));
    let errors = errors.collect::<Result<Vec<f64>, String>>()?;
    Ok(Comparison {
        id: case.id.clone(),
        arch: case.arch.clone(),
        cycles_exact: ours.cycles.0.abs_diff(case.expected.cycles) <= 1,
        cycles_rel_err: relative_error(ours.cycles.0 as f64, case.expected.cycles as f64),
        accesses_total: errors.len(),
        accesses_exact: errors.iter().filter(|&&error| error == 0.0).count(),
        accesses_max_rel_err: errors.into_iter().fold(0.0, f64::max),
        energy_rel_err: relative_error(ours.energy_pj(), case.expected.energy_pj),
    })
}

/// The largest error of one (level, tensor).
fn access_error(expected: &ExpectedAccesses, accel: &AccelSpec, ours: &Evaluation) -> Result<f64, String> {
    let level = accel.level_index(&expected.level)?;
    let words = &ours.accesses[level][expected.tensor as usize];
    let pairs = [
        (words.reads, expected.reads),
        (words.fills, expected.fills),
        (words.updates, expected.updates),
        (ours.instances[level], expected.instances),
    ];
    Ok(pairs.into_iter().map(|(ours, theirs)| relative_error(ours as f64, theirs as f64)).fold(0.0, f64::max))
}

fn relative_error(ours: f64, theirs: f64) -> f64 {
    (ours - theirs).abs() / theirs.abs().max(1.0)
}

/// The cost of our best mapping of a case's layer over the cost of the case's mapping.
pub fn ratio(case: &Case, accel: &AccelSpec, objective: Objective) -> Result<f64, String> {
    let nest = case.nest();
    let goal = Goal { objective, bandwidth_gbps: f64::INFINITY };
    let found = mapper::search(accel, &nest, goal)
        .ok_or_else(|| format!("no mapping is legal on `{}`", accel.name))?;
    let ours = evaluate(accel, &nest, &found.mapping)?;
    let cycles = ours.cycles.0 as f64 / (case.expected.cycles as f64).max(1.0);
    let energy = ours.energy_pj() / case.expected.energy_pj;
    Ok(match objective {
        Objective::Latency => cycles,
        Objective::Energy => energy,
        Objective::Edp => cycles * energy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(cycles_rel_err: f64, energy_rel_err: f64) -> Comparison {
        Comparison {
            id: "case".into(),
            arch: "arch".into(),
            cycles_exact: cycles_rel_err < 0.1,
            cycles_rel_err,
            accesses_total: 3,
            accesses_exact: 2,
            accesses_max_rel_err: 0.001,
            energy_rel_err,
        }
    }

    #[test]
    fn figures_sum_counts_and_keep_the_largest_error() {
        let all = [comparison(0.05, 0.01), comparison(0.5, 0.03), comparison(0.0, 0.04)];
        let figures = Figures::of(&all.iter().collect::<Vec<_>>());
        assert_eq!((figures.cases, figures.cycles_exact, figures.accesses_exact), (3, 2, 6));
        assert_eq!((figures.cycles_max_rel_err, figures.energy_max_rel_err), (0.5, 0.04));
        assert_eq!(figures.energy_median_rel_err, 0.03);
        assert_eq!(Figures::of(&[]), Figures::default());
    }

    #[test]
    fn cycles_within_one_are_no_error() {
        assert_eq!(comparison(0.05, 0.01).worst_rel_err(), 0.01);
        assert_eq!(comparison(0.5, 0.01).worst_rel_err(), 0.5);
    }

    #[test]
    fn what_should_be_zero_and_is_not_has_a_finite_error() {
        assert_eq!(
            (relative_error(3.0, 0.0), relative_error(0.0, 0.0), relative_error(9.0, 10.0)),
            (3.0, 0.0, 0.1)
        );
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
    }
}
