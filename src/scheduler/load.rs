//! What the layers that run, and those that a decision has placed, ask of each memory domain, and what their requests bear.

use crate::sim::View;

/// The load of the memory domains; the buffers are kept between decisions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// For each accelerator, the largest demand of a layer that runs or is placed there, in bytes/ps.
    demands: Vec<f64>,
    /// For each domain, the sum of these demands.
    sums: Vec<f64>,
    /// For each domain, the least slowdown that a request with a placed layer in it bears.
    bearable: Vec<f64>,
}

impl Load {
    /// Begins a decision: only what runs now asks for anything.
    pub(crate) fn reset(&mut self, view: &View) {
        let Self { demands, sums, bearable } = self;
        demands.clear();
        demands.extend(view.accelerators().iter().map(|lane| lane.demand_bytes_per_ps));
        sums.clear();
        sums.resize(view.domains(), 0.0);
        demands.iter().enumerate().for_each(|(m, demand)| sums[view.memory_of(m)] += demand);
        bearable.clear();
        bearable.resize(view.domains(), f64::INFINITY);
    }

    /// The slowdown of the accelerator's domain if a layer of this demand is placed there: the sum of the demands over the
    /// bandwidth.
    pub(crate) fn slowdown_with(&self, view: &View, accelerator: usize, demand: f64) -> f64 {
        let before = self.demands[accelerator];
        let sum = self.sums[view.memory_of(accelerator)] - before + before.max(demand);
        sum / view.bandwidth(accelerator)
    }

    /// The least slowdown that a request with a placed layer in the accelerator's domain bears; infinite without one.
    pub(crate) fn bearable(&self, view: &View, accelerator: usize) -> f64 {
        self.bearable[view.memory_of(accelerator)]
    }

    /// Places a layer of this demand, whose request bears so much slowdown.
    pub(crate) fn place(&mut self, view: &View, accelerator: usize, demand: f64, bears: f64) {
        let (domain, before) = (view.memory_of(accelerator), self.demands[accelerator]);
        self.demands[accelerator] = before.max(demand);
        self.sums[domain] += self.demands[accelerator] - before;
        self.bearable[domain] = self.bearable[domain].min(bears);
    }
}
