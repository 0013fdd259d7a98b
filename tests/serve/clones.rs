//! A fleet that is copied in the middle of a run goes on as the original.

use std::sync::Arc;

use mascot::serve::{Crew, Fleet};
use mascot::sim::Scheduler;

use crate::common::{FirstIdle, Log, composed};
use crate::fuzz::opaque_case;

/// Goes on by so many instants at most; returns what happened. Those who decide keep no state.
fn go_on(fleet: &mut Fleet, sites: usize, instants: usize) -> Log {
    let (mut dispatcher, mut log) = (composed("closest", "fits", "greedy", 1), Log::default());
    let mut schedulers: Vec<Box<dyn Scheduler>> = (0..sites).map(|_| Box::new(FirstIdle) as _).collect();
    let crew = &mut Crew { dispatcher: &mut dispatcher, schedulers: &mut schedulers, out: &mut log.0 };
    let mut left = instants;
    while left > 0 && fleet.step(crew).unwrap_or(false) {
        left -= 1;
    }
    log
}

#[test]
fn a_clone_goes_on_with_the_same_records() {
    let mut compared = 0;
    for seed in 0..300 {
        let case = opaque_case(seed);
        let sites = case.model.sites.len();
        let mut fleet = Fleet::new(Arc::new(case.model), Arc::new(case.trace));
        go_on(&mut fleet, sites, 20 + seed as usize % 50);
        let mut clone = fleet.clone();
        let rest = go_on(&mut fleet, sites, usize::MAX);
        assert!(go_on(&mut clone, sites, usize::MAX) == rest, "seed {seed}");
        compared += rest.0.len();
    }
    assert!(compared > 20_000, "{compared} records are few");
}
