//! The saturation rate lambda*: the largest arrival rate of a mix that the system could carry in the fluid limit.
//!
//! Layers may be split between accelerators in any fractions, without order and without queues. The only constraints
//! are that no accelerator is busy for more than 100 % of the time (in c1), and that DRAM, or each of several memories and
//! links, moves no more bytes than it can. No schedule can carry more, and contention keeps real schedules below. Loads are given relative to lambda*, so
//! that they mean the same on every system.
//!
//! The linear program works on one request of the mix: choose for every distinct layer the fraction of its executions
//! on each accelerator model, so that the seconds of the busiest resource are least; lambda* is one over them.
//! Fractions keep the program well-conditioned: every variable is in [0, 1], however different the layers are.

mod mix;

use std::collections::BTreeMap;

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOptions, Variable};

pub use self::mix::mix_saturation;
use crate::units::{Bytes, Time};

/// The resources that a layer takes when it runs alone on one accelerator model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AloneCost {
    /// The latency c1 alone, which is at least the bytes over the DRAM bandwidth.
    pub c1: Time,
    /// Bytes read from and written to DRAM.
    pub dram_bytes: Bytes,
    /// How they come: an index into [`Supply::ways`].
    pub way: usize,
}

/// The memory of a system: one DRAM, or several memories and the links between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply {
    /// Bytes per second of each memory and link; may be infinite.
    pub bytes_per_s: Vec<f64>,
    /// For each way that bytes come, the part of them that each memory and link carries.
    pub ways: Vec<Vec<f64>>,
}

impl Supply {
    /// One DRAM.
    pub fn one(bytes_per_s: f64) -> Self {
        Self { bytes_per_s: vec![bytes_per_s], ways: vec![vec![1.0]] }
    }
}

/// One layer of the mix.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerLoad {
    /// Executions per request, averaged over the mix: the network's share times how often the layer occurs in it.
    pub per_request: f64,
    /// Cost on each accelerator model; `None` where the model cannot run the layer.
    pub costs: Vec<Option<AloneCost>>,
}

/// A resource that can limit the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// All instances of the accelerator model with this index.
    Model(usize),
    /// The bandwidth of the DRAM, or of the memory or link with this index in [`Supply::bytes_per_s`].
    Dram(usize),
}

/// lambda*, and the utilisation of the resources at that rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Saturation {
    /// lambda*: requests per second of the mix.
    pub requests_per_s: f64,
    /// The busy fraction of the instances of each model.
    pub model_utilization: Vec<f64>,
    /// The used fraction of the bandwidth of each memory and link.
    pub dram_utilization: Vec<f64>,
    /// The resources that are fully used, models first. If several splits reach lambda*, others may use less of one of
    /// these.
    pub binding: Vec<Resource>,
}

/// Why lambda* cannot be computed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SaturationError {
    /// No layer of the mix takes any time.
    #[error("the mix has no work, so that its arrival rate has no bound")]
    NoWork,
    /// No accelerator of the system runs one of the layers.
    #[error("no accelerator runs layer {layer} of the mix")]
    Unrunnable {
        /// Index of that layer in the mix.
        layer: usize,
    },
    /// The solver failed.
    #[error("the linear program of the saturation rate failed: {0}")]
    Solver(String),
}

/// Below this distance from 1 a resource counts as fully used: far above the solver's tolerance, and below what a
/// percentage shows.
const BINDING_TOLERANCE: f64 = 1e-6;

/// The tightest tolerance that microlp accepts, on fractions and on utilisations relative to the greedy split.
const SOLVER_TOLERANCE: f64 = 1e-10;

/// Finds lambda* of a mix on a system with `instances[m]` accelerators of model m and a memory.
pub fn saturation(
    layers: &[LayerLoad],
    instances: &[u32],
    dram: &Supply,
) -> Result<Saturation, SaturationError> {
    assert!(instances.iter().all(|&count| count > 0), "a model without instances: {instances:?}");
    assert!(dram.bytes_per_s.iter().all(|&bandwidth| bandwidth > 0.0), "DRAM bandwidth {dram:?}");
    let resources = instances.len() + dram.bytes_per_s.len();
    let classes = classes(layers, instances, dram)?;
    let greedy: Vec<Vec<f64>> = classes.iter().map(|class| class.all_on_the_fastest()).collect();
    let scale_s = peak(&seconds_per_request(&classes, &greedy, resources));
    if scale_s == 0.0 {
        return Err(SaturationError::NoWork);
    }
    let split = best_split(&classes, resources, scale_s)?;
    let mut utilization = seconds_per_request(&classes, &split, resources);
    let peak_s = peak(&utilization);
    utilization.iter_mut().for_each(|seconds| *seconds /= peak_s);
    let of_dram = (0..dram.bytes_per_s.len()).map(Resource::Dram);
    let resources = (0..instances.len()).map(Resource::Model).chain(of_dram);
    let binding = resources.zip(&utilization).filter(|&(_, &used)| used > 1.0 - BINDING_TOLERANCE);
    Ok(Saturation {
        requests_per_s: 1.0 / peak_s,
        binding: binding.map(|(resource, _)| resource).collect(),
        dram_utilization: utilization.split_off(instances.len()),
        model_utilization: utilization,
    })
}

/// All layers with the same costs.
#[derive(Debug)]
struct Class {
    choices: Vec<Choice>,
}

/// The time that a class would take, per request of the mix, if it ran on one model only.
#[derive(Debug)]
struct Choice {
    model: usize,
    /// Seconds of all instances of the model together.
    busy_s: f64,
    /// Seconds of the whole bandwidth of each memory and link: the number of the resource, after the models, and those.
    dram_s: Vec<(usize, f64)>,
}

impl Class {
    fn all_on_the_fastest(&self) -> Vec<f64> {
        let times = self.choices.iter().map(|choice| choice.busy_s);
        let fastest = times.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i);
        (0..self.choices.len()).map(|i| if Some(i) == fastest { 1.0 } else { 0.0 }).collect()
    }
}

/// Merges layers with the same costs. Their rates are summed in sorted order, so that the order of layers and
/// tenants has no influence, down to the last bit.
fn classes(layers: &[LayerLoad], instances: &[u32], dram: &Supply) -> Result<Vec<Class>, SaturationError> {
    let mut rates: BTreeMap<&[Option<AloneCost>], Vec<f64>> = BTreeMap::new();
    for (i, LayerLoad { per_request, costs }) in layers.iter().enumerate() {
        assert_eq!(costs.len(), instances.len(), "one cost per model");
        assert!(per_request.is_finite() && *per_request >= 0.0, "layer {i} runs {per_request} times");
        if *per_request == 0.0 {
            continue;
        }
        if costs.iter().all(Option::is_none) {
            return Err(SaturationError::Unrunnable { layer: i });
        }
        rates.entry(costs).or_default().push(*per_request);
    }
    let class = |(costs, mut rates): (&[Option<AloneCost>], Vec<f64>)| {
        rates.sort_by(f64::total_cmp);
        let rate: f64 = rates.iter().sum();
        let choice = |(model, cost): (usize, &Option<AloneCost>)| {
            let cost = cost.as_ref()?;
            let parts = dram.ways[cost.way].iter().zip(&dram.bytes_per_s);
            let dram_s =
                |(part, bytes_per_s): (&f64, &f64)| rate * cost.dram_bytes.0 as f64 * part / bytes_per_s;
            let busy_s = rate * cost.c1.as_s() / f64::from(instances[model]);
            Some(Choice { model, busy_s, dram_s: (instances.len()..).zip(parts.map(dram_s)).collect() })
        };
        Class { choices: costs.iter().enumerate().filter_map(choice).collect() }
    };
    Ok(rates.into_iter().map(class).collect())
}

/// The seconds that one request takes from each model and, after them, from each memory and link.
fn seconds_per_request(classes: &[Class], split: &[Vec<f64>], resources: usize) -> Vec<f64> {
    let mut seconds = vec![0.0; resources];
    for (class, fractions) in classes.iter().zip(split) {
        for (choice, fraction) in class.choices.iter().zip(fractions) {
            seconds[choice.model] += fraction * choice.busy_s;
            choice.dram_s.iter().for_each(|(resource, dram_s)| seconds[*resource] += fraction * dram_s);
        }
    }
    seconds
}

fn peak(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(0.0, f64::max)
}

/// Per class, the fractions of its choices for which the busiest resource is busy least. `scale_s` is the order of
/// magnitude of those seconds.
fn best_split(classes: &[Class], resources: usize, scale_s: f64) -> Result<Vec<Vec<f64>>, SaturationError> {
    let mut program = Problem::new(OptimizationDirection::Minimize);
    let busiest = program.add_var(1.0, (0.0, f64::INFINITY));
    let mut loads: Vec<Vec<(Variable, f64)>> = vec![vec![(busiest, -1.0)]; resources];
    let mut fractions = Vec::with_capacity(classes.len());
    for class in classes {
        let variables: Vec<Variable> =
            class.choices.iter().map(|_| program.add_var(0.0, (0.0, f64::INFINITY))).collect();
        program.add_constraint(variables.iter().map(|&v| (v, 1.0)), ComparisonOp::Eq, 1.0);
        for (choice, &variable) in class.choices.iter().zip(&variables) {
            loads[choice.model].push((variable, choice.busy_s / scale_s));
            for (resource, dram_s) in &choice.dram_s {
                loads[*resource].push((variable, dram_s / scale_s));
            }
        }
        fractions.push(variables);
    }
    for load in loads {
        program.add_constraint(load, ComparisonOp::Le, 0.0);
    }
    let mut options = SolveOptions::default();
    options.tolerances.feasibility = SOLVER_TOLERANCE;
    let failed = |e: microlp::Error| SaturationError::Solver(e.to_string());
    let solution = program.solve_with(options).map_err(failed)?;
    let solution = solution.into_solution().expect("a solve without limits is not interrupted");
    Ok(fractions.iter().map(|class| exact(class.iter().map(|&v| solution.var_value(v)).collect())).collect())
}

/// Corrects fractions that are a split only within the solver's tolerance: not negative, with a sum of 1.
fn exact(mut fractions: Vec<f64>) -> Vec<f64> {
    fractions.iter_mut().for_each(|fraction| *fraction = fraction.max(0.0));
    let total: f64 = fractions.iter().sum();
    fractions.iter_mut().for_each(|fraction| *fraction /= total);
    fractions
}

#[cfg(test)]
mod tests;
