//! The costs that a simulation looks up, for all its networks at once: each distinct (layer, model) pair is mapped once.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use super::cache::{Cache, Entries};
use super::user_table::UserTable;
use super::{LayerCost, layer_cost, mapper::Goal};
use crate::files::InputError;
use crate::hw::{AccelSpec, SystemSpec};
use crate::workload::{Network, Work};

/// The costs of one network at one batch size: a row per layer, a column per accelerator model of the system.
/// `None`: the model does not run this layer.
#[derive(Clone, Debug, PartialEq)]
pub struct CostTable {
    /// The costs, layers x models.
    pub costs: Array2<Option<LayerCost>>,
}

/// Number of layers that are mapped before the cache is written; a crash loses at most these.
const CHUNK: usize = 64;

/// The tables of (network, batch) jobs on a system, from the cache where it has them. Runs on rayon's current pool; the
/// result does not depend on the number of threads. `progress(done, total)` counts layers still to map.
pub fn tables(
    system: &SystemSpec,
    jobs: &[(&Network, u64)],
    cache: &Cache,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<CostTable>, InputError> {
    let tables = match &system.cost {
        Some(path) => given_tables(system, jobs, path)?,
        None => modelled_tables(system, jobs, cache, progress),
    };
    for (table, (network, _)) in tables.iter().zip(jobs) {
        check_runnable(system, network, table)?;
    }
    Ok(tables)
}

fn given_tables(
    system: &SystemSpec,
    jobs: &[(&Network, u64)],
    path: &Path,
) -> Result<Vec<CostTable>, InputError> {
    let given = UserTable::read(path)?;
    let table = |&(network, batch): &(&Network, u64)| {
        let cells = network.layers.iter().flat_map(|layer| system.models.iter().map(move |m| (layer, m)));
        let costs = cells.map(|(layer, model)| given.cost(network, layer, model, batch));
        Ok(CostTable { costs: shaped(network, system, costs.collect::<Result<_, InputError>>()?) })
    };
    jobs.iter().map(table).collect()
}

fn modelled_tables(
    system: &SystemSpec,
    jobs: &[(&Network, u64)],
    cache: &Cache,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<CostTable> {
    let goal = Goal { objective: system.objective, bandwidth_gbps: system.mapping_bandwidth_gbps };
    let mut works: Vec<Work> = jobs
        .iter()
        .flat_map(|(network, batch)| network.layers.iter().map(|layer| layer.work(*batch)))
        .collect();
    works.sort_unstable();
    works.dedup();
    let known = complete(&system.models, &works, goal, cache, progress);
    let table = |&(network, batch): &(&Network, u64)| {
        let cells = network.layers.iter().flat_map(|layer| {
            let work = layer.work(batch);
            known.iter().zip(&system.models).map(move |(entries, model)| entries[&seen_by(model, &work)])
        });
        CostTable { costs: shaped(network, system, cells.collect()) }
    };
    jobs.iter().map(table).collect()
}

/// The work as far as the costs on a model depend on it: padding is like any input where it is read.
fn seen_by(model: &AccelSpec, work: &Work) -> Work {
    let mut seen = work.clone();
    if let (true, Some(nest)) = (model.lowering.reads_padding, seen.op.nest_mut()) {
        nest.padding = [0; 2];
    }
    seen
}

/// The costs of all `works` on every model, mapping those that the cache lacks.
fn complete(
    models: &[AccelSpec],
    works: &[Work],
    goal: Goal,
    cache: &Cache,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Entries> {
    let mut known: Vec<Entries> = models.iter().map(|model| cache.load(model, goal)).collect();
    let mut missing: Vec<(Work, usize)> = works
        .iter()
        .flat_map(|work| models.iter().enumerate().map(|(index, model)| (seen_by(model, work), index)))
        .filter(|(work, model)| !known[*model].contains_key(work))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let done = AtomicUsize::new(0);
    for chunk in missing.chunks(CHUNK) {
        let costs: Vec<Option<LayerCost>> = chunk
            .par_iter()
            .map(|(work, model)| {
                let cost = layer_cost(&models[*model], work, goal);
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, missing.len());
                cost
            })
            .collect();
        let mut fresh = vec![Entries::new(); models.len()];
        for ((work, model), cost) in chunk.iter().zip(costs) {
            fresh[*model].insert(work.clone(), cost);
        }
        for ((model, fresh), known) in models.iter().zip(fresh).zip(&mut known) {
            if !fresh.is_empty() {
                cache.store(model, goal, &fresh);
                known.extend(fresh);
            }
        }
    }
    known
}

fn shaped(
    network: &Network,
    system: &SystemSpec,
    costs: Vec<Option<LayerCost>>,
) -> Array2<Option<LayerCost>> {
    Array2::from_shape_vec((network.layers.len(), system.models.len()), costs)
        .expect("one cost per layer and model")
}

/// Checks that some accelerator runs every layer; any other layer would wait forever.
fn check_runnable(system: &SystemSpec, network: &Network, table: &CostTable) -> Result<(), InputError> {
    for (layer, costs) in network.layers.iter().zip(table.costs.rows()) {
        if costs.iter().all(Option::is_none) {
            let place = format!("system `{}`", system.name);
            let message = format!(
                "no accelerator runs the {} layer `{}` of network `{}`: either none lists its kind in \
                 `kinds`, or it fits no accelerator's buffers (`mascot cost table` shows which layers fit)",
                layer.op.kind().name(),
                layer.name,
                network.name
            );
            return Err(InputError::file(Path::new(&place), message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::testing;
    use crate::workload::{LoopNest, Op};

    #[test]
    fn padding_is_seen_only_where_it_is_not_read() {
        let nest =
            LoopNest { bounds: [1, 1, 4, 4, 8, 8, 3, 3], stride: [1; 2], dilation: [1; 2], padding: [2; 2] };
        let [plain, padded] =
            [[0; 2], [2; 2]].map(|padding| Work::from(Op::Conv(LoopNest { padding, ..nest })));
        let mut model = testing::accel("reads", Vec::new());
        assert_eq!(seen_by(&model, &padded), plain);
        model.lowering.reads_padding = false;
        assert_eq!(seen_by(&model, &padded), padded);
    }
}
