//! The policy before training is `gated`, and its nets have a say.

use std::sync::Arc;

use super::*;
use crate::scheduler;
use crate::sim::cases::{Case, Size};
use crate::sim::{Engine, run};

fn records(case: &Case, scheduler: &mut dyn Scheduler) -> Vec<Record> {
    let engine = Engine::new(Arc::new(case.world()), Arc::new(case.trace.clone()), case.rules.clone());
    let mut records = Vec::new();
    // Rules that hold may leave requests waiting for ever in random systems.
    let _ = run(engine, scheduler, &mut records);
    records
}

/// Decisions but for what they are charged.
fn starts(records: &[Record]) -> Vec<String> {
    let start = |record: &&Record| matches!(record, Record::Start { .. } | Record::Drop { .. });
    records.iter().filter(start).map(|record| format!("{record:?}")).collect()
}

#[test]
fn untrained_it_is_gated_and_trained_it_is_not() {
    let (mut compared, mut different) = (0, 0);
    for seed in 0..60 {
        let mut case =
            Case::with_everything(seed, Size { accelerators: 5, networks: 3, layers: 12, requests: 40 });
        // What decisions are charged differs.
        case.rules.decision_cost = crate::sim::DecisionCost::Ideal;
        let mut gated = (scheduler::find("gated").unwrap().build)(&toml::Table::new(), 1).unwrap();
        let expected = starts(&records(&case, gated.as_mut()));
        let mut weights = untrained(seed);
        assert_eq!(starts(&records(&case, &mut Mascot::new(&weights))), expected, "seed {seed}: {case}");
        compared += expected.len();
        let mut rng = rng::stream(seed, "test", "weights");
        weights.iter_mut().for_each(|weight| *weight += rng.random_range(-0.5..0.5));
        different += usize::from(starts(&records(&case, &mut Mascot::new(&weights))) != expected);
    }
    assert!(compared > 1_000 && different > 20, "{compared} {different}");
}
