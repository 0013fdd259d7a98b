//! Random runs: systems, networks, requests and rules from a seed, for `mascot fuzz` and for property tests.
//!
//! A case holds everything that a run depends on in public fields: a test of a law changes a field and compares. Its
//! [`Size`] gives the number of everything. A smaller size leaves the remaining networks and requests alike, except for
//! the times of arrivals, so that a test that shrinks sizes shrinks cases. [`Chaos`] is a scheduler that takes random
//! legal actions.
//!
//! Cases aim at corner cases rather than realism: instants with many events (ties of arrivals, ends, deadlines and
//! ticks), layers of a picosecond beside layers of milliseconds, demands on both sides of the bandwidth, accelerators
//! that cannot run a layer, queues that grow. What they leave out: processes of arrivals with a rate
//! (`workload::arrivals`) and costs of real layers.

mod chaos;
mod draw;
mod drift;
mod fleet_chaos;
mod fleets;
mod followers;

use std::fmt;
use std::sync::Arc;

use ndarray::Array2;

pub use self::chaos::Chaos;
use self::draw::Draw;
pub use self::fleet_chaos::FleetChaos;
pub use self::fleets::FleetCase;
use crate::sim::{
    Buffer, DecisionCost, Engine, Forwarding, LayerModel, NetworkModel, Platform, Preemption, Residency,
    Rules, Switch, Trace, Trigger, Variation, World,
};
use crate::units::Time;

/// The numbers of everything in a case; all at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Accelerators.
    pub accelerators: usize,
    /// Networks.
    pub networks: usize,
    /// The largest number of layers of a network.
    pub layers: usize,
    /// Requests.
    pub requests: usize,
}

impl Size {
    /// The size that `mascot fuzz` gives a seed: up to 8 accelerators, 4 networks of up to 40 layers and 300 requests,
    /// and mostly much smaller.
    pub fn of(seed: u64) -> Self {
        draw::size(seed)
    }
}

/// Everything that a run depends on, except the scheduler.
#[derive(Clone, Debug)]
pub struct Case {
    /// The seed from which it was drawn; it also seeds the scheduler.
    pub seed: u64,
    /// The hardware.
    pub platform: Platform,
    /// Layers by network.
    pub networks: Vec<Vec<LayerModel>>,
    /// Layers longer than this are split.
    pub max_sub_job: Option<Time>,
    /// What happens to layers that are interrupted between their parts.
    pub preemption: Preemption,
    /// If outputs are forwarded: the elements of each layer's output by network, and the buffers that may hold them.
    pub forwarding: Option<(Vec<Vec<u64>>, Vec<Buffer>)>,
    /// If tensors stay on chip: the data of each network.
    pub residency: Option<Vec<Residency>>,
    /// If layers have phases: the DRAM ports of the accelerators in bytes per picosecond.
    pub ports: Option<Vec<f64>>,
    /// The requests.
    pub trace: Trace,
    /// The rules.
    pub rules: Rules,
}

impl Case {
    /// The case of a seed and a size.
    pub fn new(seed: u64, size: Size) -> Self {
        let draw = Draw::new(seed, size);
        Self {
            seed,
            platform: draw.platform(),
            networks: (0..size.networks).map(|network| draw.network(network)).collect(),
            max_sub_job: draw.max_sub_job(),
            preemption: Preemption::Free,
            forwarding: None,
            residency: None,
            ports: None,
            trace: draw.trace(),
            rules: draw.rules(),
        }
    }

    /// The case of a seed and a size. Some have phases inside layers or tensors that stay on chip, accelerators that are
    /// switched off while they are idle, requests that follow others, late rules per tenant, or an end at a time.
    pub fn with_everything(seed: u64, size: Size) -> Self {
        let draw = Draw::new(seed, size);
        let mut case = Self::new(seed, size);
        draw.add_power(&mut case.platform);
        case.ports = draw.ports();
        if case.ports.is_none() && case.max_sub_job.is_none() {
            case.forwarding = draw.forwarding(&case.networks);
            if case.forwarding.is_none() {
                case.residency = draw.residency(&case.networks);
            }
        }
        case.trace = draw.with_followers(case.trace);
        case.trace.span = draw.span(&case.trace);
        case.rules.late = draw.late_rules(case.rules.late);
        case
    }

    /// Like [`Self::with_everything`]; in some, there are several memories, conditions change while they run, execution
    /// times vary, or a change of network takes time.
    pub fn with_drift(seed: u64, size: Size) -> Self {
        let mut case = Self::with_everything(seed, size);
        let draw = Draw::new(seed, size);
        draw.memories(&mut case.platform);
        if case.ports.is_none() {
            draw.switches(&mut case.platform);
            case.preemption = draw.preemption();
        }
        let world = case.world();
        case.rules.drift = draw.drift(&world, &case.trace);
        case.rules.variation = Variation::new(draw.spread(), seed, &world);
        if case.ports.is_none() {
            case.rules.variation = case.rules.variation.estimated_by(draw.estimates());
        }
        case
    }

    /// The world: the platform and the networks, resolved.
    pub fn world(&self) -> World {
        let resolve = |(number, layers): (usize, &Vec<LayerModel>)| {
            let limit = self.max_sub_job.filter(|_| self.preemption != Preemption::Drain);
            let mut network = NetworkModel::numbered(number, "network", layers, &self.platform, limit);
            if limit.is_some() && self.preemption.costs() {
                let energies = vec![1e-3; self.platform.accelerators.len()];
                network = network.interrupted(self.preemption, layers, energies);
            }
            network.forwarding = self.forwarding.as_ref().map(|(outputs, buffers)| Forwarding {
                outputs: Array2::from_shape_fn((layers.len(), buffers.len()), |(l, _)| outputs[number][l]),
                buffers: buffers.clone(),
            });
            network.residency = self.residency.as_ref().map(|networks| networks[number].clone());
            match &self.ports {
                Some(ports) => network.in_phases(ports),
                None => network,
            }
        };
        let networks = self.networks.iter().enumerate().map(resolve).collect();
        World { platform: self.platform.clone(), networks }
    }

    /// An engine at time zero.
    pub fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.world()), Arc::new(self.trace.clone()), self.rules.clone())
    }

    /// The scheduler of random legal actions, with the seed of the case.
    pub fn chaos(&self) -> Chaos {
        Chaos::new(self.seed)
    }
}

/// The case in one line, for reports.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Platform { accelerators, bandwidth_bytes_per_ps, sharing, .. } = &self.platform;
        let layers: Vec<String> = self.networks.iter().map(|layers| layers.len().to_string()).collect();
        write!(
            f,
            "{} accelerators, {sharing:?} of {bandwidth_bytes_per_ps} bytes/ps, networks of {} layers, {} requests, ",
            accelerators.len(),
            layers.join(" + "),
            self.trace.requests.len(),
        )?;
        match self.rules.trigger {
            Trigger::Periodic(period) => write!(f, "every {} ps", period.0)?,
            trigger => write!(f, "{trigger:?}")?,
        }
        let cost = match self.rules.decision_cost {
            DecisionCost::Ideal => "Ideal",
            DecisionCost::Host(_) => "Host",
        };
        write!(f, ", {cost}, {:?}, {:?}", self.rules.late.rule, self.rules.unassigned)?;
        let own = self.rules.late.own.iter().flatten().count();
        if own > 0 {
            write!(f, ", {own} tenants with a late rule of their own")?;
        }
        let followers = self.trace.followers.len();
        if followers > 0 {
            write!(f, ", {followers} follow others")?;
        }
        if self.trace.has_end() {
            write!(f, ", for {} ps", self.trace.span.end.0)?;
        }
        if let Some(limit) = self.max_sub_job {
            write!(f, ", sub-jobs up to {} ps, preemption {:?}", limit.0, self.preemption)?;
        }
        if self.ports.is_some() {
            write!(f, ", layers in phases")?;
        }
        if self.forwarding.is_some() {
            write!(f, ", outputs forwarded")?;
        }
        if !self.rules.drift.is_empty() {
            write!(f, ", {} changes of conditions", self.rules.drift.len())?;
        }
        let gated = self.platform.accelerators.iter().filter(|a| a.gating.is_some()).count();
        if gated > 0 {
            write!(f, ", {gated} accelerators switched off while idle")?;
        }
        if self.residency.is_some() {
            write!(f, ", tensors stay on chip")?;
        }
        let memories = &self.platform.memories;
        if !memories.is_one() {
            write!(f, ", {:?} data in {} memories", memories.placement, memories.shares.len())?;
        }
        if self.platform.accelerators.iter().any(|accelerator| accelerator.switch != Switch::FREE) {
            write!(f, ", a change of network costs")?;
        }
        if self.rules.variation.is_some() {
            let learnt = if self.rules.variation.is_learnt() { ", which estimates learn" } else { "" };
            write!(f, ", execution times vary{learnt}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_size_leaves_what_remains_alike() {
        let size = Size { accelerators: 3, networks: 3, layers: 12, requests: 20 };
        for seed in 0..50 {
            let whole = Case::new(seed, size);
            let part = Case::new(seed, Size { networks: 2, layers: 6, requests: 7, ..size });
            assert_eq!(part.trace.requests.len(), 7);
            for (part, whole) in part.trace.requests.iter().zip(&whole.trace.requests) {
                assert_eq!((part.tenant, part.priority), (whole.tenant, whole.priority));
            }
            for (part, whole) in part.networks.iter().zip(&whole.networks) {
                assert!(part.len() <= whole.len() && part.len() <= 6, "{} {}", part.len(), whole.len());
                assert_eq!(format!("{part:?}"), format!("{:?}", &whole[..part.len()]));
            }
        }
    }

    #[test]
    fn sizes_stay_within_what_is_promised_and_reach_it() {
        let sizes: Vec<Size> = (0..5_000).map(Size::of).collect();
        let range = |of: fn(&Size) -> usize| {
            let all = || sizes.iter().map(of);
            (all().min().unwrap_or(0), all().max().unwrap_or(0))
        };
        assert_eq!(range(|size| size.accelerators), (1, 8));
        assert_eq!(range(|size| size.networks), (1, 4));
        assert_eq!(range(|size| size.layers), (1, 40));
        assert_eq!(range(|size| size.requests), (1, 300));
    }
}
