//! Properties of every run: random systems, networks, requests and rules under a scheduler of random legal actions.
//!
//! The audit follows each run and checks every record; [`laws`] compares two runs that must agree, [`fixed`] two runs
//! in which every accelerator runs the same layers in the same order, [`memories`] what several memories have to do with
//! one.

mod fixed;
mod laws;
mod memories;

use proptest::prelude::*;

use super::audit::{self, Audit};
use super::cases::Case;
use super::testing::{any_case, any_case_with_everything, chaos_records};
use crate::limits::mix_saturation;
use crate::sim::Record;
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

fn passes_the_audit(case: &Case) -> Result<(), TestCaseError> {
    let (world, mut chaos) = (case.world(), case.chaos());
    let audit = Audit::new(&world, &case.trace, &case.rules);
    let (end, verdict) = audit::run(audit, case.engine(), &mut chaos, &mut ());
    end.expect("legal, and never idle with everything held");
    verdict.map(drop).map_err(|violation| TestCaseError::fail(format!("{violation}\n{case}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_record_is_legal_and_all_work_is_accounted_for(case in any_case(1..=4)) {
        passes_the_audit(&case)?;
    }

    #[test]
    fn so_they_are_with_followers_late_rules_and_ends(case in any_case_with_everything()) {
        passes_the_audit(&case)?;
    }
}

/// lambda* of the requests that were done, taken as a mix, in requests per second.
fn saturation_per_s(case: &Case, done: &[usize]) -> f64 {
    let share = |number| {
        let asks = |&&r: &&usize| case.trace.requests[r].network as usize == number;
        done.iter().filter(asks).count() as f64 / done.len() as f64
    };
    let shares: Vec<f64> = (0..case.networks.len()).map(share).collect();
    let bytes_per_s = case.platform.bandwidth_bytes_per_ps * 1e12;
    mix_saturation(&case.world(), &shares, bytes_per_s)
        .expect("every layer takes time somewhere")
        .requests_per_s
}

/// Checks that a run carries no more than lambda*, however its layers are split over the accelerators.
fn carries_no_more_than_lambda(case: &Case) -> Result<(), TestCaseError> {
    let records = chaos_records(case);
    let done = |record: &Record| match *record {
        Record::Done { time, request, .. } => Some((request.0 as usize, time)),
        _ => None,
    };
    let (done, ends): (Vec<usize>, Vec<Time>) = records.iter().filter_map(done).unzip();
    let Some(&first) = done.iter().min() else { return Ok(()) };
    let last_end = ends.into_iter().max().expect("some request is done");
    let makespan_s = (last_end - case.trace.requests[first].arrival).as_s();
    let least_s = done.len() as f64 / saturation_per_s(case, &done);
    // Every c1 is rounded up by less than a picosecond, and the bytes of a layer to whole ones.
    let layers: usize = case.networks.iter().map(Vec::len).max().unwrap_or(0) * done.len();
    let ways = case.world().networks.into_iter().flat_map(|network| network.ways);
    let slowest = ways.map(|way| way.bandwidth_bytes_per_ps).fold(f64::INFINITY, f64::min);
    let rounding_s = layers as f64 * (1.0 + 0.5 / slowest) * 1e-12;
    prop_assert!(makespan_s >= least_s * (1.0 - 1e-9) - rounding_s, "{makespan_s} s, at least {least_s} s");
    Ok(())
}

proptest! {
    #[test]
    fn no_run_is_faster_than_the_saturation_rate(mut case in any_case(1..=4)) {
        case.max_sub_job = None;
        carries_no_more_than_lambda(&case)?;
    }

    #[test]
    fn one_accelerator_means_no_contention(case in any_case(1..=1)) {
        for (alone, _, actual) in durations(&case) {
            prop_assert_eq!(actual, alone.max(Time(1)));
        }
    }

    #[test]
    fn infinite_bandwidth_means_no_slowdown(mut case in any_case(1..=4)) {
        case.platform.bandwidth_bytes_per_ps = f64::INFINITY;
        for (_, uncontended_ps, actual) in durations(&case) {
            prop_assert_eq!(actual, Time::from_ps_ceil(uncontended_ps).max(Time(1)));
        }
    }
}
