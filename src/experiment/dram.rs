//! The part of a setting that changes the world: the memory that all accelerators share, and the traffic of layers.

use super::keys::Setting;
use super::or_own::OrOwn;
use crate::files::Gbps;
use crate::hw::{Fusion, Objective, Placement, Residency, Sharing};
use crate::precision::Precision;
use crate::sim::Preemption;

/// The DRAM of a setting. Settings with the same DRAM share a world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dram {
    /// Peak bandwidth in GB/s, of all memories together.
    pub bandwidth_gbps: f64,
    /// The share of the peak that the DRAM delivers.
    pub efficiency: f64,
    /// The rule by which accelerators share it.
    pub sharing: Sharing,
    /// Whether outputs stay on chip for the layer that runs next.
    pub forwarding: bool,
    /// Which tensors stay on chip across layers and requests.
    pub residency: Residency,
    /// What of a network runs at the output of the layer before it.
    pub fusion: Fusion,
    /// The bits of elements where networks say nothing.
    pub precision: Precision,
    /// What the mapper minimises.
    pub objective: Objective,
    pub(crate) max_sub_job_us: f64,
    pub(crate) preemption: Preemption,
    pub(crate) phases: bool,
    pub(crate) switch_us: f64,
    pub(crate) switch_kib: f64,
    pub(crate) data_placement: OrOwn<Placement>,
    pub(crate) link_gbps: OrOwn<Gbps>,
}

impl Dram {
    /// The DRAM of a setting.
    pub(crate) fn of(setting: &Setting) -> Self {
        Self {
            bandwidth_gbps: setting.dram_bandwidth_gbps,
            efficiency: setting.dram_efficiency,
            sharing: setting.sharing,
            forwarding: setting.forwarding,
            residency: setting.residency,
            fusion: setting.fusion,
            precision: setting.precision,
            objective: setting.objective,
            max_sub_job_us: setting.max_sub_job_us,
            preemption: setting.preemption,
            phases: setting.phases,
            switch_us: setting.switch_us,
            switch_kib: setting.switch_kib,
            data_placement: setting.data_placement,
            link_gbps: setting.link_gbps,
        }
    }

    pub(crate) fn bytes_per_s(&self) -> f64 {
        self.efficiency * self.bandwidth_gbps * 1e9
    }
}
