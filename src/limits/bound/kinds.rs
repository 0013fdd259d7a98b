//! The needs of requests: layers with equal costs are merged, and requests with the same layers are of one kind.

use std::collections::BTreeMap;

use crate::sim::{NetworkModel, World};
use crate::units::Time;

/// All layers of a request; layers with equal costs are summed up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) layers: Vec<Vec<Choice>>,
}

/// The time that equal layers take together if they run on one model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) model: usize,
    /// Their total c1, in picoseconds.
    pub(super) busy_ps: f64,
    /// The time that the whole DRAM bandwidth takes for their bytes.
    pub(super) dram_ps: f64,
}

impl Kind {
    /// The most time of one resource that a request can use.
    pub(super) fn most_ps(&self) -> f64 {
        let slowest = |choices: &Vec<Choice>| choices.iter().map(|choice| choice.busy_ps).fold(0.0, f64::max);
        self.layers.iter().map(slowest).sum()
    }
}

/// The engine's arithmetic conserves work within a relative 1e-9, so a layer may take that much less time than it
/// should.
const KEPT: f64 = 1.0 - 1e-9;

/// The kinds met so far.
pub(super) struct Kinds<'a> {
    world: &'a World,
    /// For each model, one of its accelerators and the number of them.
    models: Vec<(usize, u32)>,
    networks: Vec<Option<Paths>>,
    /// The kind by network and time from arrival to deadline; `None` if that time is too short.
    known: BTreeMap<(u32, Time), Option<usize>>,
    kinds: Vec<Kind>,
}

/// For each layer, its costs by model and the shortest times before and after it.
struct Paths {
    choices: Vec<Vec<Choice>>,
    before_ps: Vec<f64>,
    after_ps: Vec<f64>,
}

impl<'a> Kinds<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let mut models: BTreeMap<usize, (usize, u32)> = BTreeMap::new();
        for (place, accelerator) in world.platform.accelerators.iter().enumerate() {
            models.entry(accelerator.model).or_insert((place, 0)).1 += 1;
        }
        Self {
            models: models.into_values().collect(),
            networks: world.networks.iter().map(|_| None).collect(),
            known: BTreeMap::new(),
            kinds: Vec::new(),
            world,
        }
    }

    /// The kind of a request for a network; `None` if no schedule can meet it.
    pub(super) fn of(&mut self, network: u32, time: Time) -> Option<usize> {
        if let Some(&kind) = self.known.get(&(network, time)) {
            return kind;
        }
        let paths = self.networks[network as usize].get_or_insert_with(|| {
            Paths::new(
                &self.world.networks[network as usize],
                &self.models,
                self.world.platform.bandwidth_bytes_per_ps,
            )
        });
        let kind = paths.kind_within(time.as_ps()).map(|kind| {
            self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                self.kinds.push(kind);
                self.kinds.len() - 1
            })
        });
        self.known.insert((network, time), kind);
        kind
    }

    pub(super) fn instances(&self) -> Vec<f64> {
        self.models.iter().map(|&(_, count)| f64::from(count)).collect()
    }

    pub(super) fn finish(self) -> Vec<Kind> {
        self.kinds
    }
}

impl Paths {
    fn new(network: &NetworkModel, models: &[(usize, u32)], bandwidth_bytes_per_ps: f64) -> Self {
        let choices_of = |layer: u32| -> Vec<Choice> {
            let choice = |(model, &(accelerator, _)): (usize, &(usize, u32))| {
                let cost = network.least_cost(layer, accelerator)?;
                let dram_ps = KEPT * cost.dram_bytes() / bandwidth_bytes_per_ps;
                Some(Choice { model, busy_ps: dram_ps.max(KEPT * cost.latency_ps), dram_ps })
            };
            models.iter().enumerate().filter_map(choice).collect()
        };
        let choices: Vec<_> = (0..network.layers.len() as u32).map(choices_of).collect();
        let best_ps: Vec<f64> = choices
            .iter()
            .map(|choices| choices.iter().map(|choice| choice.busy_ps).fold(f64::INFINITY, f64::min))
            .collect();
        let latest = |ends: &[f64], layers: &[u32]| {
            layers.iter().map(|&l| ends[l as usize] + best_ps[l as usize]).fold(0.0, f64::max)
        };
        let (mut before_ps, mut after_ps) = (vec![0.0; choices.len()], vec![0.0; choices.len()]);
        for layer in 0..choices.len() {
            before_ps[layer] = latest(&before_ps, &network.predecessors[layer]);
        }
        for layer in (0..choices.len()).rev() {
            after_ps[layer] = latest(&after_ps, &network.successors[layer]);
        }
        Self { choices, before_ps, after_ps }
    }

    /// The layers with the choices that fit; `None` if a layer has none.
    fn kind_within(&self, time_ps: f64) -> Option<Kind> {
        let mut equal: BTreeMap<Vec<(usize, u64, u64)>, f64> = BTreeMap::new();
        for ((choices, before_ps), after_ps) in self.choices.iter().zip(&self.before_ps).zip(&self.after_ps) {
            // The paths are sums, whose rounding is a small part of what KEPT allows.
            let fits = |choice: &&Choice| before_ps + choice.busy_ps + after_ps <= time_ps;
            let bits = |choice: &Choice| (choice.model, choice.busy_ps.to_bits(), choice.dram_ps.to_bits());
            let fitting: Vec<_> = choices.iter().filter(fits).map(bits).collect();
            if fitting.is_empty() {
                return None;
            }
            *equal.entry(fitting).or_default() += 1.0;
        }
        let layers = equal.into_iter().map(|(choices, count)| {
            let times = |(model, busy, dram)| Choice {
                model,
                busy_ps: count * f64::from_bits(busy),
                dram_ps: count * f64::from_bits(dram),
            };
            choices.into_iter().map(times).collect()
        });
        Some(Kind { layers: layers.collect() })
    }
}
