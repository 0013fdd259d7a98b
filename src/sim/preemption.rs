//! What it takes to interrupt a layer between its parts (`max_sub_job_us`), as in PREMA (Choi and Rhu, HPCA 2020). Free by
//! default: parts of a layer follow each other at no cost, whatever ran in between and wherever.
//!
//! | rule | what happens to a layer that another one interrupts |
//! |---|---|
//! | checkpoint | its activations on chip are written to DRAM before the other layer starts, which waits for that, and read back before it goes on |
//! | drain | it is not interrupted: layers have no parts, and run to their end |
//! | kill | its progress is lost: when it comes back, it begins with its first part |
//!
//! The activations on chip are those of one tile, all its bytes but the weights, which are dropped and loaded again with the
//! next tile: our choice, because layers are divided at the borders of tiles. They move at the full bandwidth of the DRAM,
//! while nothing computes, and contend for it. Under `kill` the part that comes back takes the time, the bytes and the energy
//! of all parts up to it, in one run, which nothing interrupts. A part that goes on on another accelerator is interrupted as
//! well: its activations are written and read, or its progress is lost.
//!
//! Costs in views, isolated latencies, deadlines and lambda* are without it. Roll-outs pay.

use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LayerModel, NetworkModel, PairCost, Switch, Way};
use crate::units::Picojoules;

/// What happens to a layer that is interrupted between its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preemption {
    /// It goes on at no cost.
    Free,
    /// Its activations are written to DRAM, and read back.
    Checkpoint,
    /// It is not interrupted, because layers have no parts.
    Drain,
    /// It begins again.
    Kill,
}

impl Preemption {
    /// Whether an interruption costs anything.
    pub fn costs(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Kill)
    }
}

/// What it takes to interrupt the layers of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruption {
    /// [`Preemption::Checkpoint`] or [`Preemption::Kill`].
    pub rule: Preemption,
    /// The bytes that are written, and later read, of each part on each accelerator.
    pub context_bytes: Array2<f64>,
    /// Energy of moving a byte to or from DRAM, by accelerator.
    pub dram_pj_per_byte: Vec<f64>,
}

/// What a sub-job finds when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interrupted {
    /// Bytes that it writes for the layer that it interrupts.
    pub saved_bytes: f64,
    /// Bytes that it reads, as its own layer was interrupted.
    pub restored_bytes: f64,
    /// Parts of its own layer that it does again.
    pub repeated: u32,
}

impl PairCost {
    /// The cost of so many runs one after the other.
    fn repeated(self, times: u32, way: &Way) -> Self {
        let latency_ps = self.latency_ps * f64::from(times);
        let energy = self.energy * f64::from(times);
        Self { latency_ps, energy, ..self }.alone_behind(way.bandwidth_bytes_per_ps)
    }
}

impl NetworkModel {
    /// The same network, whose layers are as given, with what it takes to interrupt them.
    pub fn interrupted(
        mut self,
        rule: Preemption,
        layers: &[LayerModel],
        dram_pj_per_byte: Vec<f64>,
    ) -> Self {
        let mut starts = (0..self.layers.len()).filter(|&layer| self.places[layer] == 0).collect::<Vec<_>>();
        starts.push(self.layers.len());
        let mut context_bytes = Array2::zeros(self.costs.raw_dim());
        for (layer, bounds) in layers.iter().zip(starts.windows(2)) {
            for (m, cost) in layer.costs.iter().enumerate() {
                let of_tile = cost.as_ref().map_or(0.0, |cost| {
                    cost.dram_bytes.0.saturating_sub(cost.weight_bytes.0) as f64 / cost.tiles.max(1) as f64
                });
                (bounds[0]..bounds[1]).for_each(|part| context_bytes[[part, m]] = of_tile);
            }
        }
        self.interruption = Some(Interruption { rule, context_bytes, dram_pj_per_byte });
        self
    }

    /// What has to be written if a layer is interrupted after this part of it.
    pub fn context(&self, layer: u32, accelerator: usize) -> f64 {
        match &self.interruption {
            Some(of) if of.rule == Preemption::Checkpoint && self.goes_on(layer) => {
                of.context_bytes[[layer as usize, accelerator]]
            }
            _ => 0.0,
        }
    }

    /// Whether another part of the same layer comes after this one.
    pub fn goes_on(&self, layer: u32) -> bool {
        self.places.get(layer as usize + 1).is_some_and(|&next| next > 0)
    }

    /// What a part finds that starts on an accelerator where its layer does not go on: nothing if it is the first.
    pub fn resumed(&self, layer: u32, accelerator: usize) -> Interrupted {
        let place = self.places[layer as usize];
        match &self.interruption {
            Some(of) if place > 0 && of.rule == Preemption::Kill => {
                Interrupted { repeated: place, ..Interrupted::default() }
            }
            Some(_) if place > 0 => {
                Interrupted { restored_bytes: self.context(layer - 1, accelerator), ..Interrupted::default() }
            }
            _ => Interrupted::default(),
        }
    }

    /// The cost of a sub-job on an accelerator with what it finds there.
    pub fn cost_interrupted(&self, cost: PairCost, accelerator: usize, found: Interrupted) -> PairCost {
        let (Some(of), way) = (&self.interruption, &self.ways[accelerator]) else { return cost };
        let cost = if found.repeated > 0 { cost.repeated(1 + found.repeated, way) } else { cost };
        let dram_bytes = found.saved_bytes + found.restored_bytes;
        if dram_bytes == 0.0 {
            return cost;
        }
        let latency_ps = dram_bytes / way.bandwidth_bytes_per_ps;
        let energy = Picojoules(dram_bytes * of.dram_pj_per_byte[accelerator]);
        Switch { latency_ps, dram_bytes, energy }.before(cost, way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, plain_rules, platform, records, request};
    use crate::sim::{LateRules, Record, Request, Rules, View, World};
    use crate::units::{Bytes, Time};
    use crate::workload::Late;

    /// Accelerators behind 10 bytes/ns, and two networks of one layer: c 40 ns and 160 bytes in 4 tiles, of which 80 are weights,
    /// in parts of 10 ns; and c 5 ns. A byte of DRAM costs 2 pJ.
    fn two(rule: Preemption, accelerators: usize) -> World {
        let platform = platform(accelerators, 10.0);
        let mut long = layer(&[], &vec![(40.0, 4.0); accelerators]);
        for cost in long.costs.iter_mut().flatten() {
            (cost.tiles, cost.weight_bytes) = (4, Bytes(80));
        }
        let short = layer(&[], &vec![(5.0, 0.0); accelerators]);
        let limit = Some(Time(10_000)).filter(|_| rule != Preemption::Drain);
        let network = |(number, layer): (usize, LayerModel)| {
            let layers = [layer];
            let network = NetworkModel::numbered(number, "network", &layers, &platform, limit);
            match rule.costs() {
                true => network.interrupted(rule, &layers, vec![2.0; accelerators]),
                false => network,
            }
        };
        let networks = [long, short].into_iter().enumerate().map(network).collect();
        World { platform, networks }
    }

    /// Job, layer, start and end in ns, DRAM bytes, and energy in pJ of each sub-job, the more urgent network 1 first, on the
    /// accelerator of a place in a list by layer.
    fn ends(
        world: &World,
        requests: &[Request],
        rules: Rules,
        on: [usize; 4],
    ) -> Vec<(u32, u32, f64, f64, f64, f64)> {
        let decide = |view: &View, out: &mut crate::sim::Decision| {
            for sub in view.sub_jobs() {
                let network = view.job_of(sub).network;
                out.assign(sub.id, on[sub.id.layer as usize], f64::from(network));
            }
        };
        let of = |record: &Record| match *record {
            Record::Finish { time, start, sub_job, dram_bytes, energy, .. } => {
                let (start, end) = (start.as_ps() / 1e3, time.as_ps() / 1e3);
                Some((sub_job.job.0, sub_job.layer, start, end, dram_bytes.round(), energy.0))
            }
            _ => None,
        };
        records(world, requests, rules, decide).iter().filter_map(of).collect()
    }

    /// The long layer from 0, and the short one, which comes at 12 ns, all on accelerator 0.
    fn interrupted(rule: Preemption) -> Vec<(u32, u32, f64, f64, f64, f64)> {
        ends(&two(rule, 1), &[request(0, 0.0), request(1, 12.0)], plain_rules(), [0; 4])
    }

    #[test]
    fn each_rule_by_hand() {
        let e = two(Preemption::Drain, 1).networks[0].cost(0, 0).expect("it runs").energy.0;
        let short = two(Preemption::Drain, 1).networks[1].cost(0, 0).expect("it runs").energy.0;
        let q = e / 4.0;
        let both = [(0, 0, 0.0, 10.0, 40.0, q), (0, 1, 10.0, 20.0, 40.0, q)];
        let free = [(1, 0, 20.0, 25.0, 0.0, short), (0, 2, 25.0, 35.0, 40.0, q), (0, 3, 35.0, 45.0, 40.0, q)];
        assert_eq!(interrupted(Preemption::Free), [&both[..], &free].concat());
        // A tile without its weights is 20 bytes: 2 ns and 40 pJ to write it, and again to read it.
        let checkpoint = [
            (1, 0, 20.0, 27.0, 20.0, short + 40.0),
            (0, 2, 27.0, 39.0, 60.0, q + 40.0),
            (0, 3, 39.0, 49.0, 40.0, q),
        ];
        assert_eq!(interrupted(Preemption::Checkpoint), [&both[..], &checkpoint].concat());
        // Two parts are lost: the third one takes three times as long, bytes and energy as well.
        let kill =
            [(1, 0, 20.0, 25.0, 0.0, short), (0, 2, 25.0, 55.0, 120.0, 3.0 * q), (0, 3, 55.0, 65.0, 40.0, q)];
        assert_eq!(interrupted(Preemption::Kill), [&both[..], &kill].concat());
        let drain = [(0, 0, 0.0, 40.0, 160.0, e), (1, 0, 40.0, 45.0, 0.0, short)];
        assert_eq!(interrupted(Preemption::Drain), drain);
    }

    #[test]
    fn a_part_that_moves_takes_its_activations_along_or_begins_again() {
        let times = |rule: Preemption| -> Vec<(f64, f64, f64)> {
            let all = ends(&two(rule, 2), &[request(0, 0.0)], plain_rules(), [0, 1, 1, 0]);
            all.iter().map(|end| (end.2, end.3, end.4)).collect()
        };
        let free = [(0.0, 10.0, 40.0), (10.0, 20.0, 40.0), (20.0, 30.0, 40.0), (30.0, 40.0, 40.0)];
        assert_eq!(times(Preemption::Free), free);
        // 20 bytes are written and read at each move.
        let moved = [(0.0, 10.0, 40.0), (10.0, 24.0, 80.0), (24.0, 34.0, 40.0), (34.0, 48.0, 80.0)];
        assert_eq!(times(Preemption::Checkpoint), moved);
        let again = [(0.0, 10.0, 40.0), (10.0, 30.0, 80.0), (30.0, 40.0, 40.0), (40.0, 80.0, 160.0)];
        assert_eq!(times(Preemption::Kill), again);
    }

    #[test]
    fn nothing_is_saved_of_a_request_that_is_given_up() {
        let mut requests = [request(0, 0.0), request(1, 12.0)];
        requests[0].deadline = Time(15_000);
        let rules = Rules { late: LateRules::all(Late::Abort), ..plain_rules() };
        let all = ends(&two(Preemption::Checkpoint, 1), &requests, rules, [0; 4]);
        let last = all.last().expect("the short layer ran");
        assert_eq!((all.len(), last.2, last.3, last.4), (3, 20.0, 25.0, 0.0));
    }
}
