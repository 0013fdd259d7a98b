//! Properties of every run: random systems, networks, requests and rules under a scheduler that does anything it may.
//!
//! The audit follows each run and checks every record; [`laws`] compares two runs that must agree, [`fixed`] two in
//! which every layer runs where and in the order in which it ran before.

mod fixed;
mod laws;

use proptest::prelude::*;

use super::audit::{Audit, Audited};
use super::cases::Case;
use super::testing::{any_case, chaos_records};
use super::{Record, run};
use crate::units::{Bytes, Time};

/// (c1, c, actual) of every layer run, in picoseconds.
fn durations(case: &Case) -> Vec<(Time, f64, Time)> {
    let world = case.world();
    let duration = |record: &Record| match *record {
        Record::Finish { time, start, sub_job, accelerator, uncontended_ps, .. } => {
            let network = case.trace.requests[sub_job.job.0 as usize].network as usize;
            let cost = world.networks[network].cost(sub_job.layer, accelerator).expect("it ran there");
            Some((cost.alone, uncontended_ps, time - start))
        }
        _ => None,
    };
    chaos_records(case).iter().filter_map(duration).collect()
}

/// Slows a case down: all times and bytes grow, demands stay. Periods and hosts stay, too.
fn slow_down(case: &mut Case, factor: u64) {
    let scale = |time: Time| Time(time.0 * factor);
    for request in &mut case.trace.requests {
        (request.arrival, request.deadline) = (scale(request.arrival), scale(request.deadline));
    }
    for cost in case.networks.iter_mut().flatten().flat_map(|layer| layer.costs.iter_mut().flatten()) {
        (cost.latency, cost.dram_bytes) = (scale(cost.latency), Bytes(cost.dram_bytes.0 * factor));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_record_is_legal_and_all_work_is_accounted_for(case in any_case(1..=4)) {
        let (world, mut chaos) = (case.world(), case.chaos());
        let mut audited = Audited::new(Audit::new(&world, &case.trace, &case.rules), &mut chaos);
        run(case.engine(), &mut audited, &mut ()).expect("legal, and never idle with everything held");
        if let Err(violation) = audited.close() {
            prop_assert!(false, "{violation}\n{case}");
        }
    }
}

proptest! {
    #[test]
    fn one_accelerator_means_no_contention(case in any_case(1..=1)) {
        for (alone, _, actual) in durations(&case) {
            prop_assert_eq!(actual, alone.max(Time(1)));
        }
    }

    #[test]
    fn infinite_bandwidth_means_no_stretch(mut case in any_case(1..=4)) {
        case.platform.bandwidth_bytes_per_ps = f64::INFINITY;
        for (_, uncontended_ps, actual) in durations(&case) {
            prop_assert_eq!(actual, Time::from_ps_ceil(uncontended_ps).max(Time(1)));
        }
    }
}
