//! The columns of serving.csv.

use super::{Column, ServingGroup, Value};

/// The columns of serving.csv after those that name the group.
pub const SERVING_COLUMNS: &[Column<ServingGroup>] = &[
    Column::undirected("requests", "Measured requests of the group", |group: &ServingGroup| {
        Value::Count(group.tally.requests)
    }),
    Column::undirected("answered", "Those that were answered, in time or late", |group: &ServingGroup| {
        Value::Count(group.tally.answered)
    }),
    Column::higher("quality", "Mean quality of the measured requests by the utility of their tenants; 0 without an answer", |group: &ServingGroup| {
        group.per_request(group.tally.quality)
    })
    .share(),
    Column::higher("served_rate", "Share of the measured requests that were answered in time and at least as accurately as asked (the reward of ASET, 2023)", |group: &ServingGroup| {
        group.per_request(group.tally.served)
    })
    .share(),
    Column::higher("hit_rate", "Share of the measured requests that were answered in time", |group: &ServingGroup| {
        group.per_request(group.tally.met)
    })
    .share(),
    Column::higher("quality_answered", "Mean quality of the answers", |group: &ServingGroup| {
        group.per_answer(group.tally.quality_answered)
    })
    .share(),
    Column::higher("accuracy", "Mean accuracy of the answers", |group: &ServingGroup| {
        group.per_answer(group.tally.accuracy)
    })
    .share(),
    Column::higher("accuracy_met", "Mean accuracy of the answers in time (effective accuracy; Model-Switching, HotCloud 2020)", |group: &ServingGroup| {
        Value::per(group.tally.accuracy_met, group.tally.met)
    })
    .share(),
    Column::undirected("share", "Share of all measured requests that are in the group", |group: &ServingGroup| {
        Value::per(group.tally.requests as f64, group.total)
    }),
    Column::undirected("batch_mean", "Mean size of the batch that an answer came from, with padding", |group: &ServingGroup| {
        group.per_answer(group.tally.batches.iter().map(|(&batch, &answers)| f64::from(batch) * answers as f64).sum())
    }),
    Column::undirected("batch_p95", "Its 95th percentile", |group: &ServingGroup| {
        let mut before = (group.tally.answered * 95).div_ceil(100);
        let reaches = |&(_, &answers): &(&u32, &u64)| {
            let is_here = answers >= before;
            before = before.saturating_sub(answers);
            is_here
        };
        group.tally.batches.iter().find(reaches).map_or(Value::NONE, |(&batch, _)| Value::Real(f64::from(batch)))
    }),
    Column::lower("dispatch_us", "Mean wait of answered requests at their node for the decision where they go", |group: &ServingGroup| group.part(0)),
    Column::lower("network_us", "Mean time of answered requests on links, there and back", |group: &ServingGroup| group.part(1)),
    Column::lower("queue_us", "Mean time of answered requests in the queue of their site", |group: &ServingGroup| group.part(2)),
    Column::lower("service_us", "Mean time of answered requests in service; with the three before, the mean latency", |group: &ServingGroup| group.part(3)),
    Column::higher("quality_jain", "Jain's index of the tenants' mean qualities, (sum x)^2 / (n sum x^2)", |group: &ServingGroup| {
        group.whole(|whole| {
            let (sum, squares) = (whole.qualities.iter().sum::<f64>(), whole.qualities.iter().map(|x| x * x).sum::<f64>());
            Value::per(sum * sum, squares * whole.qualities.len() as f64)
        })
    })
    .share(),
    Column::higher("quality_min_mean", "The smallest of the tenants' mean qualities over their mean; Jain's index hardly sees a single poor tenant", |group: &ServingGroup| {
        group.whole(|whole| {
            let sum = whole.qualities.iter().sum::<f64>();
            let least = whole.qualities.iter().copied().fold(f64::INFINITY, f64::min);
            Value::per(least * whole.qualities.len() as f64, sum)
        })
    })
    .share(),
    Column::higher("alpha_fair", "The quality that, were it every tenant's, would be as fair as theirs by alpha-fairness at alpha = 2, sum x^(1-a) / (1-a) (Mo and Walrand, 2000): their harmonic mean n / sum 1/x; 0 if a tenant has none", |group: &ServingGroup| {
        group.whole(|whole| {
            let inverse = whole.qualities.iter().map(|x| 1.0 / x).sum::<f64>();
            Value::per(whole.qualities.len() as f64, inverse)
        })
    })
    .share(),
    Column::higher("targets_reached", "Share of the tenants with a target that reach it", |group: &ServingGroup| {
        group.whole(|whole| {
            let reached = whole.reached.iter().filter(|reached| **reached).count();
            Value::per(reached as f64, whole.reached.len() as f64)
        })
    })
    .share(),
    Column::undirected("orders", "Launched orders", |group: &ServingGroup| group.whole(|whole| Value::Count(whole.orders))),
    Column::undirected("dispatch_decisions", "Decisions of the dispatcher", |group: &ServingGroup| {
        group.whole(|whole| Value::Count(whole.decisions))
    }),
    Column::lower("dispatch_decision_us", "Mean charged latency of a decision of the dispatcher", |group: &ServingGroup| {
        group.whole(|whole| Value::per(whole.deciding.as_us(), whole.decisions as f64))
    }),
    Column::lower("energy_dispatch_uj", "Charged energy of the decisions of the dispatcher", |group: &ServingGroup| {
        group.whole(|whole| Value::Real(whole.energy.0 / 1e6))
    }),
    Column::lower("energy_network_uj", "Energy of what crossed links since the first measured request arrived: bytes times `pj_per_bit` of each link; 0 if no link has it", |group: &ServingGroup| {
        group.whole(|whole| Value::Real(whole.aside.network.0 / 1e6))
    }),
    Column::higher("quality_bound", "The most mean quality that any dispatcher could reach at the rates of the case, delays and queues aside; empty if all requests come at once, with closed loops, and where conditions change. A run that draws fewer requests may exceed it a little", |group: &ServingGroup| {
        group.whole(|whole| Value::Real(whole.aside.quality_bound))
    })
    .share(),
];
