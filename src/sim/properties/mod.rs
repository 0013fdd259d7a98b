//! Properties of every run: random systems, networks, requests and rules under a scheduler that does anything it may.
//!
//! [`audit`] rebuilds the state of the run from its records and checks each one (conservation, safety, durations);
//! [`laws`] compares two runs that must agree.

mod audit;
mod laws;

use proptest::prelude::*;

use self::audit::Audit;
use super::Record;
use super::testing::random::{Case, any_case};
use crate::units::Time;

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
    case.records().iter().filter_map(duration).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_record_is_legal_and_all_work_is_accounted_for(case in any_case(1..=4)) {
        let world = case.world();
        let mut audit = Audit::new(&world, &case.trace, &case.rules);
        case.run(&mut audit);
        audit.close();
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
