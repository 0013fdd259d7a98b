//! Does it match the formula: the engine as a queue whose mean times and numbers have closed forms.
//!
//! One-layer networks make every request a job of one size, and a station of accelerators and DRAM serves them: the
//! accelerators are servers with a queue in front, the DRAM is a processor that its users share. Rates and sizes are
//! in units of the mean job, alone, at the whole bandwidth.
//!
//! Each formula has to lie within three half-widths of a 95 % confidence interval from 50 batch means, and the
//! half-width has to be small, so that the next best formula would not. `make test-long` takes more jobs.

mod formula;
mod station;
mod statistics;

use mascot::hw::Sharing;

use self::formula::{Erlang, Repairman, discriminatory};
use self::station::{COMPUTE, Class, Demand, LINK, Law, Log, Station};
use self::statistics::Estimate;

/// How long a case runs and how wide, relative to the mean, its intervals may be.
#[derive(Clone, Copy)]
struct Effort {
    jobs: usize,
    widest: f64,
}

const SHORT: Effort = Effort { jobs: 120_000, widest: 0.05 };
const LONG: Effort = Effort { jobs: 1_200_000, widest: 0.02 };

/// High enough for queues to matter, low enough for them to mix in a few thousand jobs.
const RHO: f64 = 0.6;

/// So many jobs share the DRAM at load [`RHO`] with probability 0.6^48, 2e-11: nobody waits for an accelerator, and
/// sharing is pure.
const PLENTY: usize = 48;

/// One law of size and one demand at the given rate.
fn station(accelerators: usize, sharing: Sharing, law: Law, demand: Demand, rate: f64) -> Station {
    let class = Class { law, mean: 1.0, demand, rate, tile: 1 };
    Station { accelerators, bandwidth: 1.0, sharing, classes: vec![class] }
}

/// The mean time in the system, and by Little's law the number in it.
fn check_time(case: &str, log: &Log, rate: f64, time: f64, effort: Effort) {
    Estimate::of(&log.times(0)).check(&format!("{case}, T"), time, effort.widest);
    log.number().check(&format!("{case}, N"), rate * time, effort.widest);
    little(case, log, rate * time, effort);
}

/// L = lambda T both ways: the number in the system over time, from the records, is rate times time; and arrivals,
/// which in a Poisson stream see time averages, find as many in the scheduler's view.
fn little(case: &str, log: &Log, number: f64, effort: Effort) {
    let (counted, implied) = (log.number().mean, log.rate() * log.mean_time());
    // They differ by the jobs at both ends of the window, a few in tens of thousands.
    assert!((counted / implied - 1.0).abs() < 5e-3, "{case}: L = {counted}, lambda T = {implied}");
    Estimate::of(&log.seen()).check(&format!("{case}, N seen by arrivals"), number, effort.widest);
}

fn one_server_waits_by_pollaczek_and_khinchine(law: Law, case: &str, effort: Effort) -> Estimate {
    let log = station(1, Sharing::MaxMin, law, COMPUTE, RHO).run(effort.jobs);
    check_time(case, &log, RHO, 1.0 + RHO * law.second_moment() / (2.0 * (1.0 - RHO)), effort);
    Estimate::of(&log.times(0))
}

fn m_m_1(effort: Effort) {
    let time = one_server_waits_by_pollaczek_and_khinchine(Law::Exponential, "M/M/1", effort);
    // The same as 1 / (mu - lambda), and not what equal jobs of the same load take.
    time.check("M/M/1, 1 / (mu - lambda)", 1.0 / (1.0 - RHO), effort.widest);
    assert!(!time.agrees(1.0 + RHO / (2.0 * (1.0 - RHO))));
}

fn m_d_1(effort: Effort) {
    let time = one_server_waits_by_pollaczek_and_khinchine(Law::Deterministic, "M/D/1", effort);
    time.check("M/D/1, 1 + rho / 2 (1 - rho)", 1.0 + RHO / (2.0 * (1.0 - RHO)), effort.widest);
    assert!(!time.agrees(1.0 / (1.0 - RHO)));
}

/// Layers that each demand all of B share it equally, and the mean time forgets the law of size. A job that had to
/// wait for an accelerator would break that.
fn shared_dram(law: Law, effort: Effort) {
    for sharing in [Sharing::MaxMin, Sharing::Proportional, Sharing::Knee] {
        let log = station(PLENTY, sharing, law, LINK, RHO).run(effort.jobs);
        assert!(log.waits().iter().all(|&wait| wait == 0.0), "somebody waits for an accelerator");
        check_time(&format!("M/G/1-PS, {law:?}, {sharing:?}"), &log, RHO, 1.0 / (1.0 - RHO), effort);
        let queue = 1.0 + RHO * law.second_moment() / (2.0 * (1.0 - RHO));
        let as_a_queue = Estimate::of(&log.times(0)).agrees(queue);
        assert_eq!(as_a_queue, law == Law::Exponential, "only exponential queues take as long as sharing");
    }
}

fn shared_dram_exponential(effort: Effort) {
    shared_dram(Law::Exponential, effort);
}

fn shared_dram_deterministic(effort: Effort) {
    shared_dram(Law::Deterministic, effort);
}

fn shared_dram_hyperexponential(effort: Effort) {
    shared_dram(Law::Hyperexponential, effort);
}

/// Layers that demand B / k each: k at full rate, more share the link. Exponential volumes leave at the rate
/// min(n, k) B / k whoever waits where, so k + 1 accelerators give the numbers and mean times of M/M/k as plenty do
/// (with k there would be no contention to test, and with less another queue). Other laws do not forget where they waited.
fn capped_link(effort: Effort) {
    const K: u64 = 3;
    let erlang = Erlang { servers: K as usize, arrivals: RHO, services: 1.0 / K as f64 };
    for accelerators in [K as usize + 1, PLENTY] {
        let demand = Demand { bytes: 1, ps: K };
        let log = station(accelerators, Sharing::MaxMin, Law::Exponential, demand, RHO).run(effort.jobs);
        let case = format!("M/M/3 by a capped link, {accelerators} accelerators");
        check_time(&case, &log, RHO, erlang.time(), effort);
        let waits = log.waits().iter().any(|&wait| wait > 0.0);
        assert_eq!(waits, accelerators < PLENTY, "jobs wait for few accelerators only");
    }
}

/// k accelerators and all the bandwidth there can be: Erlang's delay formula.
fn erlang_c(effort: Effort) {
    let erlang = Erlang { servers: 3, arrivals: 3.0 * RHO, services: 1.0 };
    let one = station(3, Sharing::MaxMin, Law::Exponential, LINK, erlang.arrivals);
    let log = Station { bandwidth: f64::INFINITY, ..one }.run(effort.jobs);
    check_time("M/M/3 by accelerators", &log, erlang.arrivals, erlang.time(), effort);
    let waits = log.waits();
    // Both are rarer events than a job: their intervals are wider.
    let widest = 3.0 * effort.widest;
    let waiting: Vec<f64> = waits.iter().map(|&wait| f64::from(u8::from(wait > 0.0))).collect();
    Estimate::of(&waiting).check("M/M/3 by accelerators, P(wait)", erlang.waits(), widest);
    Estimate::of(&waits).check(
        "M/M/3 by accelerators, W",
        erlang.time() - 1.0 / erlang.services,
        2.0 * widest,
    );
}

/// A closed loop with exponential think times on one accelerator. Who arrives sees what an outsider would see without
/// him: the arrival theorem (Lavenberg and Reiser, Journal of Applied Probability 17(4), 1980).
fn closed_loop(effort: Effort) {
    for (customers, think) in [(4, 3.0), (10, 5.0)] {
        let case = format!("M/M/1//{customers}");
        let log = station(1, Sharing::MaxMin, Law::Exponential, COMPUTE, 1.0).run_closed(
            effort.jobs,
            customers,
            think,
        );
        let formula = Repairman { customers, think };
        Estimate::of(&log.times(0)).check(&format!("{case}, T"), formula.time(), effort.widest);
        log.number().check(&format!("{case}, N"), formula.number(), effort.widest);
        let others = Repairman { customers: customers - 1, think };
        Estimate::of(&log.seen()).check(
            &format!("{case}, N seen by arrivals"),
            others.number(),
            effort.widest,
        );
        assert!(
            (log.rate() / formula.throughput() - 1.0).abs() < 3.0 * effort.widest,
            "{case}: {}",
            log.rate()
        );
    }
}

/// Two classes of the same load: the one with a quarter of the weight has half the mean size.
fn two_classes(sharing: Sharing, demands: [Demand; 2], tiles: [u64; 2], effort: Effort) -> [Estimate; 2] {
    let class = |i: usize, mean: f64| Class {
        law: Law::Exponential,
        mean,
        demand: demands[i],
        rate: RHO / 2.0 / mean,
        tile: tiles[i],
    };
    let station = Station {
        accelerators: PLENTY,
        bandwidth: 1.0,
        sharing,
        classes: vec![class(0, 0.5), class(1, 1.0)],
    };
    let log = station.run(effort.jobs);
    assert!(log.waits().iter().all(|&wait| wait == 0.0), "somebody waits for an accelerator");
    [Estimate::of(&log.times(0)), Estimate::of(&log.times(1))]
}

/// Demands b_i >= B. Under `proportional` their ratio is the ratio of the shares (discriminatory sharing), under `fifo`
/// that of the tiles is; under `max_min` and `knee` everybody has the same share. The answers are far apart, so that
/// no rule can pass for another.
fn two_weights(effort: Effort) {
    let demands = [LINK, Demand { bytes: 4, ps: 1 }];
    let weighted = discriminatory([RHO / 2.0; 2], [2.0, 1.0], [1.0, 4.0]);
    let egalitarian = [0.5 / (1.0 - RHO), 1.0 / (1.0 - RHO)];
    for (sharing, demands, tiles, time, other) in [
        (Sharing::Proportional, demands, [1, 1], weighted, egalitarian),
        (Sharing::Fifo, [LINK; 2], [1, 4], weighted, egalitarian),
        (Sharing::MaxMin, demands, [1, 4], egalitarian, weighted),
        (Sharing::Knee, demands, [1, 4], egalitarian, weighted),
    ] {
        let estimates = two_classes(sharing, demands, tiles, effort);
        for (i, estimate) in estimates.iter().enumerate() {
            estimate.check(&format!("two weights, {sharing:?}, T{}", i + 1), time[i], effort.widest);
            assert!(!estimate.agrees(other[i]), "{sharing:?} passes for another rule: {estimate:?}");
        }
    }
}

macro_rules! both_lengths {
    ($($case:ident),*) => {
        mod short {
            $(#[test] fn $case() { super::$case(super::SHORT); })*
        }
        mod long {
            $(#[test]
            #[ignore = "ten times as many jobs for narrower intervals: make test-long"]
            fn $case() { super::$case(super::LONG); })*
        }
    };
}
both_lengths!(
    m_m_1,
    m_d_1,
    shared_dram_exponential,
    shared_dram_deterministic,
    shared_dram_hyperexponential,
    capped_link,
    closed_loop,
    erlang_c,
    two_weights
);
