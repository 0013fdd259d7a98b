//! Measures how well the contention model predicts measured co-runs: each is simulated under every sharing rule, and
//! the durations of its layers are compared.
//!
//! Each layer of a co-run becomes a network of one layer on an accelerator of its own, which arrives at the measured
//! start. c is the latency measured without co-runners, so it includes the stalls on DRAM of the layer alone. The
//! engine expects a c without these stalls and slows a layer that demands more than `dram_efficiency` x B once more.
//! The models `.._alone` correct for this: they bound a layer's demand by `dram_efficiency` x B, that is, they use the
//! efficiency that the DRAM reached for the layer alone.

mod corun;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use self::corun::{CoRun, CoRuns, Layer};
use crate::cost::LayerCost;
use crate::hw::Sharing;
use crate::sim::{
    AcceleratorModel, Decision, DecisionCost, Drift, Engine, LateRules, LayerModel, NetworkModel, Origin,
    Platform, Record, Recorder, Request, Rules, Scheduler, Trace, Trigger, Unassigned, Variation, View,
    World, run,
};
use crate::units::{Bytes, Picojoules, Time};
use crate::workload::{Late, Qos};

/// A way to predict a co-run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name in the table.
    pub name: &'static str,
    sharing: Sharing,
    /// Whether demands are bounded by the bandwidth that the layer got alone.
    alone: bool,
}

/// All models, in the order of the table.
pub const MODELS: [Model; 6] = [
    Model { name: "proportional", sharing: Sharing::Proportional, alone: false },
    Model { name: "fifo", sharing: Sharing::Fifo, alone: false },
    Model { name: "max_min", sharing: Sharing::MaxMin, alone: false },
    Model { name: "max_min_alone", sharing: Sharing::MaxMin, alone: true },
    Model { name: "knee", sharing: Sharing::Knee, alone: false },
    Model { name: "knee_alone", sharing: Sharing::Knee, alone: true },
];

/// Errors of layer durations, |predicted - measured| / measured, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// The mean over all layers of all co-runs.
    pub mean: f64,
    /// The median over the same layers; with an even number, the mean of the middle two.
    pub median: f64,
    /// The largest error.
    pub max: f64,
}

/// Errors by memory system and model.
pub type Report = BTreeMap<String, BTreeMap<&'static str, Errors>>;

/// Simulates all co-runs under all models; `fifo` only where the file has bytes per tile. `efficiency` is
/// `dram_efficiency` by memory system.
pub fn verify(coruns: &CoRuns, efficiency: impl Fn(&str) -> f64) -> Report {
    let mut report = Report::new();
    for (config, coruns) in coruns.by_config() {
        let efficiency = efficiency(config);
        let has_tiles = coruns.iter().all(|corun| corun.layers.iter().all(|l| l.bytes_per_tile.is_some()));
        let models = MODELS.iter().filter(|model| has_tiles || model.sharing != Sharing::Fifo);
        let errors = models.map(|model| {
            let errors = coruns.iter().flat_map(|corun| errors_percent(corun, *model, efficiency)).collect();
            (model.name, summary(errors))
        });
        report.insert(config.to_string(), errors.collect());
    }
    report
}

fn summary(mut errors: Vec<f64>) -> Errors {
    errors.sort_unstable_by(f64::total_cmp);
    let n = errors.len();
    Errors {
        mean: errors.iter().sum::<f64>() / n as f64,
        median: (errors[(n - 1) / 2] + errors[n / 2]) / 2.0,
        max: errors[n - 1],
    }
}

fn errors_percent(corun: &CoRun, model: Model, efficiency: f64) -> Vec<f64> {
    let predicted = durations_cycles(corun, model, efficiency);
    let error = |(layer, predicted): (&Layer, f64)| {
        let measured = (layer.end_cycle - layer.start_cycle) as f64;
        100.0 * (predicted - measured).abs() / measured
    };
    corun.layers.iter().zip(predicted).map(error).collect()
}

/// One cycle at 1 GHz; no result depends on this frequency.
const CYCLE: Time = Time(1_000);

/// The duration of each layer under a model, in cycles, in the order of the layers.
pub fn durations_cycles(corun: &CoRun, model: Model, efficiency: f64) -> Vec<f64> {
    let capacity_bytes_per_cycle = efficiency * corun.bandwidth_bytes_per_cycle;
    let accelerator = |i: usize| AcceleratorModel::new(format!("core{i}"), i, 0.0);
    let accelerators = (0..corun.layers.len()).map(accelerator).collect();
    let platform = Platform::new(accelerators, capacity_bytes_per_cycle / CYCLE.as_ps(), model.sharing);
    let bound = if model.alone { capacity_bytes_per_cycle } else { f64::INFINITY };
    let networks = corun.layers.iter().map(|layer| {
        let costs = vec![Some(cost(layer, bound)); corun.layers.len()];
        let layers = [LayerModel { name: layer.name.clone(), after: Vec::new(), costs }];
        NetworkModel::new(&layer.name, &layers, &platform, None)
    });
    let world = World { networks: networks.collect(), platform };
    let mut by_start: Vec<usize> = (0..corun.layers.len()).collect();
    by_start.sort_by_key(|&i| corun.layers[i].start_cycle);
    let requests = by_start.iter().map(|&i| {
        let arrival = Time(corun.layers[i].start_cycle * CYCLE.0);
        Request { tenant: 0, network: i as u32, priority: 0, qos: Qos::M, arrival, deadline: Time::MAX }
    });
    let requests: Vec<Request> = requests.collect();
    let measured = 0..requests.len();
    let engine =
        Engine::new(Arc::new(world), Arc::new(Trace { requests, measured, ..Trace::default() }), RULES);
    let mut durations = Durations(vec![f64::NAN; corun.layers.len()]);
    run(engine, &mut OwnCore, &mut durations).expect("every layer runs on every core");
    durations.0
}

fn cost(layer: &Layer, bound_bytes_per_cycle: f64) -> LayerCost {
    let bytes = (layer.dram_bytes as f64).min(bound_bytes_per_cycle * layer.alone_cycles as f64);
    let tiles = layer.bytes_per_tile.map_or(1.0, |per_tile| layer.dram_bytes as f64 / per_tile);
    LayerCost {
        latency: Time(layer.alone_cycles * CYCLE.0),
        dram_bytes: Bytes(bytes.round() as u64),
        weight_bytes: Bytes(0),
        input_bytes: Bytes(0),
        energy: Picojoules(0.0),
        utilization: 0.0,
        tiles: (tiles.round() as u64).max(1),
        on_chip: None,
    }
}

/// The rules under which layers start when they arrive and run to their end.
const RULES: Rules = Rules {
    trigger: Trigger::OnChange,
    decision_cost: DecisionCost::Ideal,
    late: LateRules::all(Late::Finish),
    unassigned: Unassigned::Hold,
    firm: Vec::new(),
    drift: Drift::NONE,
    variation: Variation::NONE,
};

/// A scheduler that runs network i on accelerator i.
struct OwnCore;

impl Scheduler for OwnCore {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        for sub in view.sub_jobs() {
            out.assign(sub.id, view.job_of(sub).network as usize, 0.0);
        }
    }
}

/// Cycles from start to end by accelerator.
struct Durations(Vec<f64>);

impl Recorder for Durations {
    fn record(&mut self, record: &Record, _: Origin) {
        if let Record::Finish { time, start, accelerator, .. } = *record {
            self.0[accelerator] = (time - start).as_ps() / CYCLE.as_ps();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(alone_cycles: u64, dram_bytes: u64, start_cycle: u64) -> Layer {
        let (name, bytes_per_tile) = ("layer".to_string(), Some(100.0));
        Layer { name, alone_cycles, dram_bytes, bytes_per_tile, start_cycle, end_cycle: start_cycle + 1 }
    }

    fn predict(name: &str, layers: Vec<Layer>, efficiency: f64) -> Vec<f64> {
        let model = MODELS.into_iter().find(|model| model.name == name).expect("a model of the table");
        let corun = CoRun { experiment: "e".into(), bandwidth_bytes_per_cycle: 10.0, layers };
        durations_cycles(&corun, model, efficiency)
    }

    #[test]
    fn a_simulated_co_run_is_the_engines_water_filling() {
        // G2 and G3 of the micro-cases, in cycles; rows need not be in the order of their starts.
        let g2 = || vec![layer(1000, 10_000, 1), layer(1000, 5_000, 1)];
        assert_eq!(predict("max_min", g2(), 1.0), [1500.0, 1000.0]);
        assert_eq!(predict("proportional", g2(), 1.0), [1500.0, 1500.0]);
        let g3 = vec![layer(1000, 10_000, 501), layer(1000, 10_000, 1)];
        assert_eq!(predict("max_min", g3, 1.0), [1500.0, 1500.0]);
    }

    #[test]
    fn stalls_alone_count_once_where_alone_is_asked_for() {
        // Alone, the layer gets 8 of 10 bytes per cycle, but the given efficiency lets the DRAM deliver 5.
        let alone = || vec![layer(1000, 8_000, 1)];
        assert_eq!(predict("max_min", alone(), 0.5), [1600.0]);
        assert_eq!(predict("max_min_alone", alone(), 0.5), [1000.0]);
        assert_eq!(predict("knee_alone", alone(), 0.5), [1000.0]);
    }

    #[test]
    fn mean_median_and_largest_error() {
        assert_eq!(summary(vec![4.0, 1.0, 0.0, 3.0]), Errors { mean: 2.0, median: 2.0, max: 4.0 });
        assert_eq!(summary(vec![7.0, 1.0, 4.0]), Errors { mean: 4.0, median: 4.0, max: 7.0 });
    }
}
