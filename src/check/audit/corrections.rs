//! Checks what estimates learn from layers that end, and that views show it, where they learn (`estimates = "ewma"`).

use super::jobs::Job;
use super::{Audit, Check, ensure};
use crate::sim::{PairCost, Rules, View, World};
use crate::units::Time;

/// What layers of each network have taken on each accelerator, relative to the cost tables: 7/8 of what it was before a
/// layer has ended on one of its model, and 1/8 of what that took.
pub(super) struct Corrections {
    /// Empty where estimates do not learn.
    ratios: Vec<Vec<f64>>,
    /// The network, accelerator and ratio that have to be recorded next.
    due: Option<(u32, usize, f64)>,
}

impl Corrections {
    pub(super) fn new(world: &World, rules: &Rules) -> Self {
        let networks = if rules.variation.is_learnt() { world.networks.len() } else { 0 };
        Self { ratios: vec![vec![1.0; world.platform.accelerators.len()]; networks], due: None }
    }

    pub(super) fn ratio(&self, network: u32, accelerator: usize) -> f64 {
        self.ratios.get(network as usize).map_or(1.0, |ratios| ratios[accelerator])
    }

    fn learns(&self) -> bool {
        !self.ratios.is_empty()
    }
}

impl Audit<'_> {
    /// A layer has ended at this pace.
    pub(super) fn learn(&mut self, network: u32, accelerator: usize, pace: f64) {
        if self.corrections.learns() {
            let before = self.corrections.ratio(network, accelerator);
            let ratio = before + (1.0 / pace - before) / 8.0;
            self.corrections.due = (ratio != before).then_some((network, accelerator, ratio));
        }
    }

    pub(super) fn correct(&mut self, network: u32, accelerator: usize, ratio: f64) -> Check {
        let due = self.corrections.due.take();
        let told = (network, accelerator, ratio);
        ensure!(due == Some(told), "the correction is (network, accelerator, ratio) {told:?}, not {due:?}");
        let accelerators = &self.conditions.world.platform.accelerators;
        for (other, ratio_of) in accelerators.iter().zip(&mut self.corrections.ratios[network as usize]) {
            if other.model == accelerators[accelerator].model {
                *ratio_of = ratio;
            }
        }
        Ok(())
    }

    /// Checks that no correction is left out.
    pub(super) fn check_corrected(&self) -> Check {
        let due = self.corrections.due;
        ensure!(due.is_none(), "estimates lack the correction (network, accelerator, ratio) {due:?}");
        Ok(())
    }

    /// The cost of a layer that schedulers know; `None` where it cannot run.
    fn expected(&self, job: &Job, layer: u32, accelerator: usize) -> Option<PairCost> {
        let cost = *job.known.cost(layer, accelerator)?;
        let ratio = self.corrections.ratio(job.request.network, accelerator);
        Some(cost.expected(ratio, &job.known.ways[accelerator]))
    }

    /// The smallest c1 of a layer, and its bytes there, as schedulers know them.
    pub(super) fn best(&self, job: &Job, layer: usize) -> (Time, u64) {
        if !self.corrections.learns() {
            return (job.known.best_alone[layer], job.known.best_bytes[layer]);
        }
        let accelerators = 0..job.known.costs.ncols();
        let best = accelerators
            .filter_map(|m| self.expected(job, layer as u32, m))
            .min_by_key(|cost| cost.alone)
            .expect("some accelerator runs every layer");
        (best.alone, best.dram_bytes().round() as u64)
    }

    /// Checks the costs in a view of the layers that may be assigned.
    pub(super) fn check_expected(&self, view: &View) -> Check {
        for shown in view.sub_jobs().iter().filter(|_| self.corrections.learns()) {
            let job = self.job(shown.id.job)?;
            for (m, alone) in view.alone_on_each(shown).iter().enumerate() {
                let known = self.expected(job, shown.id.layer, m).map_or(Time::MAX, |cost| cost.alone);
                ensure!(
                    *alone == known,
                    "c1 of {:?} on {m} is shown as {} ps, not {} ps",
                    shown.id,
                    alone.0,
                    known.0
                );
            }
        }
        Ok(())
    }
}
