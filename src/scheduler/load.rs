//! What the layers that run, and those that a decision has placed, ask of each memory domain, and what their requests bear.

use crate::sim::View;

/// The load of the memory domains; the buffers are kept between decisions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// For each accelerator, the largest demand of a layer that runs or is placed there, in bytes/ps.
    demands: Vec<f64>,
    /// For each accelerator, its domain and the bandwidth of that, in bytes/ps.
    domains: Vec<(usize, f64)>,
    /// For each domain, the sum of these demands.
    sums: Vec<f64>,
    /// For each domain, the least slowdown that a request with a placed layer in it bears.
    bearable: Vec<f64>,
}

impl Load {
    /// Begins a decision: only what runs now asks for anything.
    pub(crate) fn reset(&mut self, view: &View) {
        let Self { demands, domains, sums, bearable } = self;
        domains.clear();
        domains.extend((0..view.accelerators().len()).map(|m| (view.memory_of(m), view.bandwidth(m))));
        demands.clear();
        demands.extend(view.accelerators().iter().map(|lane| lane.demand_bytes_per_ps));
        sums.clear();
        sums.resize(view.domains(), 0.0);
        demands.iter().zip(domains).for_each(|(demand, (domain, _))| sums[*domain] += demand);
        bearable.clear();
        bearable.resize(view.domains(), f64::INFINITY);
    }

    /// The slowdown of the accelerator's domain if a layer of this demand is placed there: the sum of the demands over the
    /// bandwidth.
    #[inline]
    pub(crate) fn slowdown_with(&self, accelerator: usize, demand: f64) -> f64 {
        let (before, (domain, bandwidth)) = (self.demands[accelerator], self.domains[accelerator]);
        let most = if before > demand { before } else { demand };
        (self.sums[domain] - before + most) / bandwidth
    }

    /// The least slowdown that a request with a placed layer in the accelerator's domain bears; infinite without one.
    pub(crate) fn bearable(&self, accelerator: usize) -> f64 {
        self.bearable[self.domains[accelerator].0]
    }

    /// Places a layer of this demand, whose request bears so much slowdown.
    pub(crate) fn place(&mut self, accelerator: usize, demand: f64, bears: f64) {
        let (domain, before) = (self.domains[accelerator].0, self.demands[accelerator]);
        self.demands[accelerator] = before.max(demand);
        self.sums[domain] += self.demands[accelerator] - before;
        self.bearable[domain] = self.bearable[domain].min(bears);
    }
}
