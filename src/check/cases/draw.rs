//! Draws the parts of a random case, each from a stream of its own.

use std::sync::Arc;

use ndarray::Array2;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::Size;
use crate::cost::LayerCost;
use crate::hw::{Placement, Sharing};
use crate::rng;
use crate::sim::{
    AcceleratorModel, Buffer, DecisionCost, Distribution, DramPower, Drift, Estimates, Gating, Host,
    LateRules, LayerModel, Link, Memories, Memory, Platform, Preemption, Request, Residency, Rules, Spread,
    Switch, Tensors, Trace, Trigger, Unassigned, Variation,
};
use crate::units::{Bytes, Picojoules, Time};
use crate::workload::{Late, Qos};

const SHARINGS: [Sharing; 5] =
    [Sharing::MaxMin, Sharing::Proportional, Sharing::Fifo, Sharing::Score, Sharing::Knee];

/// The longest layer in units: the times of a case are from 1 to some 20,000 units.
const LONGEST_UNITS: u64 = 20_000;
/// Coarse cases count in steps of so many units, so that many events fall on the same instant.
const STEP_UNITS: u64 = 1_000;

/// The common figures of the parts of a case.
pub(super) struct Draw {
    seed: u64,
    size: Size,
    /// The unit of time: from 1 ps, where every rounding shows, to 100 ns, as in real layers.
    unit_ps: u64,
    coarse: bool,
    /// The delivered bandwidth, dram_efficiency x B. Demands lie on both sides of it, even if the case has infinite
    /// bandwidth.
    pub(super) bandwidth_bytes_per_ps: f64,
    infinite_bandwidth: bool,
    /// The model of each accelerator.
    models: Vec<usize>,
}

pub(super) fn size(seed: u64) -> Size {
    let rng = &mut rng::stream(seed, "case", "size");
    Size {
        accelerators: rng.random_range(1..=8),
        networks: rng.random_range(1..=4),
        layers: log_uniform(rng, 1.0, 41.0) as usize,
        requests: log_uniform(rng, 1.0, 301.0) as usize,
    }
}

pub(super) fn log_uniform(rng: &mut ChaCha8Rng, from: f64, to: f64) -> f64 {
    from * (to / from).powf(rng.random())
}

impl Draw {
    pub(super) fn new(seed: u64, size: Size) -> Self {
        let rng = &mut rng::stream(seed, "case", "scale");
        let unit_ps = 10u64.pow(rng.random_range(0..=5));
        let coarse = rng.random_bool(0.4);
        // Around the 0.032 bytes/ps of 32 GB/s. Coarse: the multiples that make a whole number of bytes of a step.
        let bandwidth_bytes_per_ps =
            if coarse { [0.008, 0.016, 0.032][rng.random_range(0..3)] } else { log_uniform(rng, 1e-3, 0.1) };
        let infinite_bandwidth = rng.random_bool(0.1);
        let models = rng.random_range(1..=size.accelerators);
        let models = (0..size.accelerators).map(|m| if m < models { m } else { m % models }).collect();
        Self { seed, size, unit_ps, coarse, bandwidth_bytes_per_ps, infinite_bandwidth, models }
    }

    pub(super) fn stream(&self, part: &str) -> ChaCha8Rng {
        rng::stream(self.seed, "case", part)
    }

    /// A time up to `longest` times that of the longest layer.
    pub(super) fn time(&self, rng: &mut ChaCha8Rng, longest: f64) -> Time {
        self.on_grid(rng.random::<f64>() * longest * LONGEST_UNITS as f64)
    }

    fn on_grid(&self, units: f64) -> Time {
        let steps = units * self.unit_ps as f64 / self.step().as_ps();
        Time(steps.round() as u64 * self.step().0)
    }

    /// The shortest time of a case.
    fn step(&self) -> Time {
        Time(if self.coarse { STEP_UNITS * self.unit_ps } else { self.unit_ps })
    }

    pub(super) fn platform(&self) -> Platform {
        let rng = &mut self.stream("platform");
        let accelerator = |(m, &model): (usize, &usize)| {
            AcceleratorModel::new(format!("m{m}"), model, rng.random::<f64>() * 1e-2)
        };
        let accelerators = self.models.iter().enumerate().map(accelerator).collect();
        let bandwidth_bytes_per_ps =
            if self.infinite_bandwidth { f64::INFINITY } else { self.bandwidth_bytes_per_ps };
        Platform::new(accelerators, bandwidth_bytes_per_ps, SHARINGS[rng.random_range(0..SHARINGS.len())])
    }

    /// Clock power, gating, and power of the DRAM, in some cases.
    pub(super) fn add_power(&self, platform: &mut Platform) {
        let rng = &mut self.stream("power");
        if rng.random_bool(0.5) {
            return;
        }
        for accelerator in &mut platform.accelerators {
            accelerator.clock_pj_per_ps = rng.random::<f64>() * 1e-2;
            let gating = Gating {
                after: self.time(rng, 1.0),
                residual: rng.random(),
                wake: Picojoules(rng.random::<f64>() * 1e3),
            };
            accelerator.gating = rng.random_bool(0.5).then_some(gating);
        }
        let mut watts = || rng.random::<f64>() * 1e-2;
        platform.dram_power = DramPower { background_pj_per_ps: watts(), refresh_pj_per_ps: watts() };
    }

    /// The ports of accelerators: from half of the bandwidth to four times as much, or unbounded.
    pub(super) fn ports(&self) -> Option<Vec<f64>> {
        let rng = &mut self.stream("ports");
        let port = |rng: &mut ChaCha8Rng| match rng.random_bool(0.1) {
            true => f64::INFINITY,
            false => self.bandwidth_bytes_per_ps * log_uniform(rng, 0.5, 4.0),
        };
        let ports = self.models.iter().map(|_| port(rng)).collect();
        rng.random_bool(0.25).then_some(ports)
    }

    /// Outputs and buffers of up to 100 words; that many are the bytes of a longest layer at the whole bandwidth.
    pub(super) fn forwarding(&self, networks: &[Vec<LayerModel>]) -> Option<(Vec<Vec<u64>>, Vec<Buffer>)> {
        let rng = &mut self.stream("forwarding");
        let longest_bytes = self.bandwidth_bytes_per_ps * (LONGEST_UNITS * self.unit_ps) as f64;
        let outputs: Vec<Vec<u64>> = networks
            .iter()
            .map(|layers| layers.iter().map(|_| rng.random_range(0..=100)).collect())
            .collect();
        let buffer = |_: &usize| Buffer {
            words: rng.random_range(0..=100),
            word_bytes: longest_bytes / 100.0,
            dram_pj: 1e-9,
        };
        let buffers = self.models.iter().map(buffer).collect();
        rng.random_bool(0.25).then_some((outputs, buffers))
    }

    /// Tensors of up to 100 units and memories of up to 400, equal for all accelerators of a model; reads of up to all that
    /// a layer moves.
    pub(super) fn residency(&self, networks: &[Vec<LayerModel>]) -> Option<Vec<Residency>> {
        let rng = &mut self.stream("residency");
        let models = self.models.iter().max().map_or(0, |last| last + 1);
        let memory =
            |rng: &mut ChaCha8Rng| Memory { bytes: rng.random_range(0..=400), dram_pj_per_byte: 1e-9 };
        let by_model: Vec<Memory> = (0..models).map(|_| memory(rng)).collect();
        let memories: Arc<[Memory]> = self.models.iter().map(|&model| by_model[model]).collect();
        let keeps = rng.random_range(0..3);
        let of = |layers: &Vec<LayerModel>| {
            let is_read = |layer: usize| layers.iter().any(|other| other.after.contains(&layer));
            let mut tensors = Array2::from_elem((layers.len(), models), Tensors::default());
            for (layer, model) in (0..layers.len()).flat_map(|layer| (0..models).map(move |m| (layer, m))) {
                let [weights, output] = [rng.random_range(0..=100), rng.random_range(0..=100)];
                let [first, second] = [rng.random::<f64>(), rng.random::<f64>()];
                let place = self.models.iter().position(|&other| other == model);
                let Some(cost) = place.and_then(|place| layers[layer].costs[place].as_ref()) else {
                    continue;
                };
                let all = cost.dram_bytes.0 as f64;
                let mut drawn = Tensors::default();
                if keeps != 0 {
                    drawn.weights = weights;
                    drawn.weight_reads = (all * first) as u64;
                }
                if keeps != 1 {
                    drawn.output = if is_read(layer) { output } else { 0 };
                    drawn.input_reads = (all * (1.0 - first) * second.min(1.0)) as u64;
                }
                tensors[[layer, model]] = drawn;
            }
            Residency {
                tensors: Array2::from_shape_fn((layers.len(), self.models.len()), |(layer, m)| {
                    tensors[[layer, self.models[m]]]
                }),
                outputs: layers.iter().map(|_| rng.random_range(0..=100)).collect(),
                pinned: rng.random_bool(0.2),
                memories: Arc::clone(&memories),
            }
        };
        let networks = networks.iter().map(of).collect();
        rng.random_bool(0.4).then_some(networks)
    }

    pub(super) fn network(&self, number: usize) -> Vec<LayerModel> {
        let rng = &mut self.stream(&format!("network {number}"));
        let layers = (rng.random::<f64>() * self.size.layers as f64).ceil().max(1.0) as usize;
        let shape = Shape::any(rng);
        let able = [0.6, 0.9, 1.0][rng.random_range(0..3)];
        let layer = |layer: usize| {
            let after = shape.predecessors(layer, rng);
            LayerModel { name: format!("layer {layer}"), after, costs: self.costs(rng, able) }
        };
        (0..layers).map(layer).collect()
    }

    /// The costs of a layer by accelerator, equal for all accelerators of a model. At least one model runs every layer.
    fn costs(&self, rng: &mut ChaCha8Rng, able: f64) -> Vec<Option<LayerCost>> {
        let models = self.models.iter().max().map_or(0, |last| last + 1);
        let always = rng.random_range(0..models);
        let by_model: Vec<Option<LayerCost>> = (0..models)
            .map(|model| {
                let cost = self.cost(rng);
                (rng.random_bool(able) || model == always).then_some(cost)
            })
            .collect();
        self.models.iter().map(|&model| by_model[model]).collect()
    }

    fn cost(&self, rng: &mut ChaCha8Rng) -> LayerCost {
        let latency = if self.coarse {
            Time(rng.random_range(1..=LONGEST_UNITS / STEP_UNITS) * STEP_UNITS * self.unit_ps)
        } else {
            Time((log_uniform(rng, 1.0, LONGEST_UNITS as f64) as u64).max(1) * self.unit_ps)
        };
        // b / B.
        let demand = match self.coarse {
            true => [0.0, 0.25, 0.5, 1.0, 2.0][rng.random_range(0..5)],
            false if rng.random_bool(0.2) => 0.0,
            false => log_uniform(rng, 0.01, 5.0),
        };
        LayerCost {
            latency,
            dram_bytes: Bytes((latency.as_ps() * self.bandwidth_bytes_per_ps * demand).round() as u64),
            weight_bytes: Bytes(0),
            input_bytes: Bytes(0),
            energy: Picojoules(f64::from(rng.random_range(0..10_000u32)) / 7.0),
            utilization: 0.5,
            tiles: rng.random_range(1..6),
            on_chip: None,
        }
    }

    pub(super) fn max_sub_job(&self) -> Option<Time> {
        let rng = &mut self.stream("sub-jobs");
        rng.random_bool(0.3).then(|| self.time(rng, 1.0))
    }

    /// The requests: with a load around the capacity of the accelerators, and deadlines around what requests can meet.
    pub(super) fn trace(&self) -> Trace {
        let rng = &mut self.stream("requests");
        let tenants = rng.random_range(1..=4);
        let at_once = [0.0, 0.3, 0.9][rng.random_range(0..3)];
        // The mean layer takes a tenth to a half of the longest one.
        let work = 0.2 * self.size.layers as f64;
        let gap = 2.0 * work / self.size.accelerators as f64 / log_uniform(rng, 0.1, 3.0);
        let slack = work * log_uniform(rng, 0.3, 30.0);
        let mut arrival = self.time(rng, gap);
        let requests: Vec<Request> = (0..self.size.requests)
            .map(|place| {
                let wait = self.time(rng, gap);
                arrival += if rng.random_bool(at_once) { Time::ZERO } else { wait };
                // The draws do not depend on the number of networks, so that smaller sizes draw alike.
                let network = (rng.random::<f64>() * self.size.networks as f64) as u32;
                let (tenant, priority) = (rng.random_range(0..tenants), rng.random_range(0..12));
                let (qos, deadline) = (Qos::ALL[place % 3], arrival + self.time(rng, slack));
                Request { tenant, network, priority, qos, arrival, deadline }
            })
            .collect();
        let first = rng.random_range(0..requests.len());
        let measured = first..rng.random_range(first..requests.len()) + 1;
        Trace { requests, measured, ..Trace::default() }
    }

    pub(super) fn rules(&self) -> Rules {
        let rng = &mut self.stream("rules");
        Rules {
            trigger: match rng.random_range(0..3) {
                0 => Trigger::Periodic(self.period(rng)),
                1 => Trigger::OnIdle,
                _ => Trigger::OnChange,
            },
            decision_cost: if rng.random_bool(0.5) { DecisionCost::Ideal } else { self.host(rng) },
            late: LateRules::all(if rng.random_bool(0.5) { Late::Finish } else { Late::Abort }),
            unassigned: if rng.random_bool(0.5) { Unassigned::Hold } else { Unassigned::Sticky },
            firm: Vec::new(),
            drift: Drift::NONE,
            variation: Variation::NONE,
        }
    }

    /// In a third of the seeds, how execution times vary: from hardly to wildly.
    pub(super) fn spread(&self) -> Spread {
        let rng = &mut self.stream("spread");
        let varies = rng.random_bool(1.0 / 3.0);
        let mut cv = || if varies && rng.random_bool(0.7) { log_uniform(rng, 0.01, 2.0) } else { 0.0 };
        let (cv, bias_cv) = (cv(), cv());
        let correlation = [0.0, rng.random(), 1.0][rng.random_range(0..3)];
        let distribution = if rng.random() { Distribution::Lognormal } else { Distribution::Gamma };
        Spread { distribution, cv, correlation, bias_cv }
    }

    /// What happens to layers that are interrupted.
    pub(super) fn preemption(&self) -> Preemption {
        use Preemption::{Checkpoint, Drain, Free, Kill};
        [Free, Checkpoint, Drain, Kill][self.stream("preemption").random_range(0..4)]
    }

    /// Half of the seeds learn what layers take.
    pub(super) fn estimates(&self) -> Estimates {
        [Estimates::Model, Estimates::Ewma][self.stream("estimates").random_range(0..2)]
    }

    /// In a third of the seeds, some accelerators take time, bytes or both to change the network.
    pub(super) fn switches(&self, platform: &mut Platform) {
        let rng = &mut self.stream("switches");
        if !rng.random_bool(1.0 / 3.0) {
            return;
        }
        for accelerator in &mut platform.accelerators {
            let latency_ps = if rng.random() { self.time(rng, 0.5).as_ps() } else { 0.0 };
            let dram_bytes = if rng.random() { f64::from(rng.random_range(1..10_000u32)) } else { 0.0 };
            accelerator.switch = Switch { latency_ps, dram_bytes, energy: Picojoules(4.0 * dram_bytes) };
        }
    }

    /// In a third of the seeds, several memories, joined by links unless all data stay local.
    pub(super) fn memories(&self, platform: &mut Platform) {
        let rng = &mut self.stream("memories");
        let several = rng.random_range(2..=4);
        let parts: Vec<f64> = (0..several).map(|_| log_uniform(rng, 0.2, 1.0)).collect();
        let one_by_one = matches!(platform.sharing, Sharing::Score | Sharing::Knee);
        let placements = [Placement::Local, Placement::Home, Placement::Interleaved];
        let placement = placements[if one_by_one { 0 } else { rng.random_range(0..3) }];
        // A chain, whose far ends are several links apart, and perhaps a link that closes the ring.
        let ring = if rng.random() { several } else { several - 1 };
        let link = |number: usize, rng: &mut ChaCha8Rng| Link {
            between: [number, (number + 1) % several],
            bytes_per_ps: match rng.random_bool(0.1) {
                true => f64::INFINITY,
                false => self.bandwidth_bytes_per_ps * log_uniform(rng, 0.1, 2.0),
            },
            pj_per_byte: rng.random(),
        };
        let memories = Memories {
            names: (0..several).map(|number| format!("memory{number}")).collect(),
            shares: parts.iter().map(|part| part / parts.iter().sum::<f64>()).collect(),
            of: platform.accelerators.iter().map(|_| rng.random_range(0..several)).collect(),
            links: (0..ring).map(|number| link(number, rng)).collect(),
            placement,
        };
        if rng.random_bool(1.0 / 3.0) {
            // Accelerators of a model differ in their costs, if their memories do.
            let kinds = platform.accelerators.iter().zip(&memories.of);
            let numbers: Vec<usize> = kinds.map(|(of, memory)| of.model * several + memory).collect();
            let place = |number: &usize| numbers.iter().position(|other| other == number).unwrap_or_default();
            let firsts: Vec<usize> = numbers.iter().map(place).collect();
            let rank = |first: &usize| (0..*first).filter(|earlier| firsts[*earlier] == *earlier).count();
            platform.accelerators.iter_mut().zip(&firsts).for_each(|(of, first)| of.model = rank(first));
            platform.memories = Arc::new(memories);
        }
    }

    /// A period from much shorter to longer than a layer, but not so short that a run is all ticks.
    fn period(&self, rng: &mut ChaCha8Rng) -> Time {
        let units = log_uniform(rng, 1e2, 1e5).max((self.size.requests * self.size.layers) as f64);
        self.on_grid(units).max(self.step())
    }

    /// A decision cost from free to slower than a layer.
    fn host(&self, rng: &mut ChaCha8Rng) -> DecisionCost {
        let base = if rng.random_bool(0.3) { Time::ZERO } else { self.time(rng, 0.3) };
        let unit_s = self.unit_ps as f64 * 1e-12;
        let macs_per_s = 1.0 / (unit_s * log_uniform(rng, 1e-3, 1e2));
        let comparisons_per_s = 1.0 / (unit_s * log_uniform(rng, 1e-3, 1e2));
        DecisionCost::Host(Host { base, macs_per_s, comparisons_per_s, pj_per_operation: 5.0 })
    }
}

/// The shape of the dependencies in a network.
enum Shape {
    Chain,
    /// Independent layers, and layers that follow one of those before.
    Wide,
    /// Blocks of so many branches, one after the other.
    ForkJoin(usize),
    /// Joins of up to three of the last so many layers.
    Mesh(usize),
}

impl Shape {
    fn any(rng: &mut ChaCha8Rng) -> Self {
        match rng.random_range(0..4) {
            0 => Self::Chain,
            1 => Self::Wide,
            2 => Self::ForkJoin(rng.random_range(1..8)),
            _ => Self::Mesh(rng.random_range(1..10)),
        }
    }

    fn predecessors(&self, layer: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
        match *self {
            Self::Chain => Vec::from_iter(layer.checked_sub(1)),
            Self::Wide if layer == 0 || rng.random_bool(0.5) => Vec::new(),
            Self::Wide => vec![rng.random_range(0..layer)],
            Self::ForkJoin(branches) => match layer % (branches + 1) {
                0 => (layer.saturating_sub(branches)..layer).collect(),
                branch => vec![layer - branch],
            },
            Self::Mesh(reach) => {
                let from = layer.saturating_sub(reach);
                let mut before: Vec<usize> =
                    (0..rng.random_range(0..=3)).filter_map(|_| random_in(rng, from..layer)).collect();
                before.sort_unstable();
                before.dedup();
                before
            }
        }
    }
}

fn random_in(rng: &mut ChaCha8Rng, range: std::ops::Range<usize>) -> Option<usize> {
    let offset = rng.random::<f64>() * range.len() as f64;
    (!range.is_empty()).then(|| range.start + offset as usize)
}
