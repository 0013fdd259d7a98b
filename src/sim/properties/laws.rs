//! Laws that relate two runs. Those on random schedulers hold to the bit; where a law changes how ends are rounded,
//! assignment and order are fixed (an adaptive scheduler may do better with less: Graham's anomalies) and sharing is
//! max-min, under which a picosecond here cannot become a thousand there.

use proptest::prelude::*;

use super::audit::time_of;
use crate::hw::Sharing;
use crate::sim::testing::random::{Case, any_case, any_sharing};
use crate::sim::testing::{
    ends_ns, layer, network_to_accelerator, plain_rules, platform, records, request, world,
};
use crate::sim::{
    Decision, DecisionCost, LayerModel, NetworkModel, Platform, Record, Request, Scheduler, Step, Trigger,
    View, World, run,
};
use crate::units::{Bytes, Time};

/// A record at another time: `map` goes over its times, start included.
fn retime(record: &Record, map: impl Fn(Time) -> Time) -> Record {
    let mut record = *record;
    match &mut record {
        Record::Finish { time, start, .. } => (*time, *start) = (map(*time), map(*start)),
        Record::Arrival { time, .. }
        | Record::Decision { time, .. }
        | Record::Applied { time, .. }
        | Record::Start { time, .. }
        | Record::Phase { time, .. }
        | Record::Bandwidth { time, .. }
        | Record::Done { time, .. }
        | Record::Drop { time, .. }
        | Record::End { time } => *time = map(*time),
    }
    record
}

fn retime_requests(case: &mut Case, map: impl Fn(Time) -> Time) {
    for request in &mut case.trace.requests {
        (request.arrival, request.deadline) = (map(request.arrival), map(request.deadline));
    }
}

proptest! {
    #[test]
    fn shifting_arrivals_by_whole_periods_shifts_everything(case in any_case(1..=4), periods in 1..1_000u64) {
        let shift = match case.rules.trigger {
            Trigger::Periodic(period) => Time(periods * period.0),
            Trigger::OnIdle | Trigger::OnChange | Trigger::Never => Time(periods),
        };
        let mut later = case.clone();
        retime_requests(&mut later, |time| time + shift);
        let expected: Vec<Record> = case.records().iter().map(|r| retime(r, |time| time + shift)).collect();
        prop_assert_eq!(later.records(), expected);
    }

    #[test]
    fn scaling_all_times_scales_everything(mut case in any_case(1..=4), factor in 2..1_000u64) {
        // Without contention and parts of layers there is nothing to round.
        case.platform.bandwidth_bytes_per_ps = f64::INFINITY;
        case.max_sub_job = None;
        case.rules.trigger = Trigger::OnChange;
        case.rules.decision_cost = DecisionCost::Ideal;
        let scale = |time: Time| Time(time.0 * factor);
        let mut slower = case.clone();
        retime_requests(&mut slower, scale);
        for cost in slower.networks.iter_mut().flatten().flat_map(|layer| layer.costs.iter_mut().flatten()) {
            (cost.latency, cost.dram_bytes) = (scale(cost.latency), Bytes(cost.dram_bytes.0 * factor));
        }
        let times = |case: &Case| case.records().iter().map(time_of).collect::<Vec<_>>();
        prop_assert_eq!(times(&slower), times(&case).into_iter().map(scale).collect::<Vec<_>>());
    }

    #[test]
    fn an_idle_tenant_changes_nothing(case in any_case(1..=4)) {
        let mut more = case.clone();
        more.networks.insert(0, case.networks[0].clone());
        for request in &mut more.trace.requests {
            request.network += 1;
            request.tenant += 1;
        }
        prop_assert_eq!(more.records(), case.records());
    }

    #[test]
    fn the_future_changes_nothing_in_the_past(case in any_case(1..=4)) {
        let mut short = case.clone();
        short.trace.requests.truncate(case.trace.counted.end);
        let next_arrival = case.trace.requests.get(case.trace.counted.end).map_or(Time::MAX, |r| r.arrival);
        let before = |case: &Case| {
            let records = case.records();
            records.into_iter().take_while(|record| time_of(record) < next_arrival).collect::<Vec<_>>()
        };
        prop_assert_eq!(before(&short), before(&case));
    }

    #[test]
    fn a_clone_continues_to_the_same_end(case in any_case(1..=4), decisions in 0..12usize) {
        let (mut engine, mut scheduler) = (case.engine(), case.scheduler());
        let (mut decision, mut first) = (Decision::default(), Vec::new());
        for _ in 0..decisions {
            if engine.run_to_decision(&mut first) != Step::Decide {
                return Ok(());
            }
            decision.clear();
            scheduler.decide(&engine.view(), &mut decision);
            engine.apply(&decision, &mut first).expect("the random scheduler is legal");
        }
        let rest = |engine, mut scheduler| {
            let mut records = first.clone();
            run(engine, &mut scheduler, &mut records).expect("the random scheduler never stalls");
            records
        };
        let straight = case.records();
        prop_assert_eq!(&rest(engine.clone(), scheduler.clone()), &straight);
        prop_assert_eq!(&rest(engine, scheduler), &straight);
    }
}

/// Chains of layers with (c in ns, b in bytes/ns), chain i for accelerator i, and requests for them. First come, first
/// served, nothing is left to decide.
#[derive(Clone, Debug)]
struct Chains {
    bandwidth: f64,
    chains: Vec<Vec<(f64, f64)>>,
    requests: Vec<Request>,
}

/// Far more than the ends of a few layers are rounded by, and far less than the shortest layer.
const ROUNDING_NS: f64 = 1.0;

fn any_chains(layers: std::ops::Range<usize>) -> impl Strategy<Value = Chains> {
    // Whole numbers: bytes are.
    let layer = (1_000..20_000u32, prop_oneof![1 => Just(0), 4 => 1..40u32])
        .prop_map(|(c_ns, demand)| (f64::from(c_ns), f64::from(demand)));
    let chains = prop::collection::vec(prop::collection::vec(layer, layers), 1..5);
    let gaps = prop::collection::vec((any::<prop::sample::Index>(), 0..20_000u32), 1..10);
    (5.0..40.0f64, chains, gaps).prop_map(|(bandwidth, chains, gaps)| {
        let mut arrival_ns = 0.0;
        let resolve = |(network, gap): (prop::sample::Index, u32)| {
            arrival_ns += f64::from(gap);
            request(network.index(chains.len()) as u32, arrival_ns)
        };
        let requests = gaps.into_iter().map(resolve).collect();
        Chains { bandwidth, chains, requests }
    })
}

impl Chains {
    fn platform(&self) -> Platform {
        platform(self.chains.len(), self.bandwidth)
    }

    fn world(&self, platform: Platform, max_sub_job: Option<Time>) -> World {
        let accelerators = self.chains.len();
        let chain = |chain: &Vec<(f64, f64)>| {
            let layers: Vec<LayerModel> = (0..chain.len())
                .map(|i| layer(&Vec::from_iter(i.checked_sub(1)), &vec![chain[i]; accelerators]))
                .collect();
            NetworkModel::new("chain", &layers, &platform, max_sub_job)
        };
        World { networks: self.chains.iter().map(chain).collect(), platform }
    }

    fn ends_ns(&self) -> Vec<f64> {
        self.ends_in(&self.world(self.platform(), None))
    }

    fn ends_in(&self, world: &World) -> Vec<f64> {
        ends_ns(&records(world, &self.requests, plain_rules(), network_to_accelerator))
    }
}

fn assert_near(actual: &[f64], expected: &[f64], tolerance_ns: f64) {
    assert_eq!(actual.len(), expected.len());
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance_ns;
    assert!(actual.iter().zip(expected).all(near), "{actual:?} ns, not {expected:?} ns");
}

proptest! {
    #[test]
    fn scaling_all_times_under_contention_scales_the_ends(chains in any_chains(1..4), factor in 2..100u32) {
        let factor = f64::from(factor);
        let mut slower = chains.clone();
        slower.chains.iter_mut().flatten().for_each(|(c_ns, _)| *c_ns *= factor);
        slower.requests =
            chains.requests.iter().map(|r| request(r.network, r.arrival.as_ps() / 1e3 * factor)).collect();
        let expected: Vec<f64> = chains.ends_ns().iter().map(|end| end * factor).collect();
        assert_near(&slower.ends_ns(), &expected, ROUNDING_NS * factor);
    }

    #[test]
    fn splitting_layers_into_equal_parts_changes_no_end(chains in any_chains(1..4), limit_ns in 1e3..2e4f64) {
        let parts = chains.world(chains.platform(), Some(Time::from_us(limit_ns / 1e3)));
        assert_near(&chains.ends_in(&parts), &chains.ends_ns(), ROUNDING_NS);
    }

    #[test]
    fn permuting_the_accelerators_changes_no_end(chains in any_chains(1..4)) {
        let last = chains.chains.len() - 1;
        let reversed = |view: &View, out: &mut Decision| {
            for sub in view.sub_jobs() {
                out.assign(sub.id, last - view.job_of(sub).network as usize, 0.0);
            }
        };
        let world = chains.world(chains.platform(), None);
        let ends = ends_ns(&records(&world, &chains.requests, plain_rules(), reversed));
        assert_near(&ends, &chains.ends_ns(), ROUNDING_NS);
    }

    /// One layer per accelerator, released at a fixed time.
    #[test]
    fn more_bandwidth_never_ends_an_independent_layer_later(
        mut chains in any_chains(1..2),
        sharing in any_sharing(),
        factor in 1.0..4.0f64,
    ) {
        chains.requests = (0..chains.chains.len() as u32)
            .zip(chains.requests.iter().cycle())
            .map(|(network, r)| request(network, r.arrival.as_ps() / 1e3))
            .collect();
        chains.requests.sort_by_key(|request| request.arrival);
        let ends = |bandwidth: f64| {
            let platform = Platform { sharing, ..platform(chains.chains.len(), bandwidth) };
            chains.ends_in(&chains.world(platform, None))
        };
        let (slow, fast) = (ends(chains.bandwidth), ends(chains.bandwidth * factor));
        prop_assert!(slow.iter().zip(&fast).all(|(slow, fast)| fast <= &(slow + ROUNDING_NS)), "{slow:?} {fast:?}");
    }
}

/// With successors the law above is false: with more bandwidth X ends before Z arrives, and Z meets the crowding Y.
#[test]
fn more_bandwidth_may_end_a_layer_later_where_there_are_successors() {
    let end_of_z_ns = |bandwidth: f64| {
        let platform = Platform { sharing: Sharing::Proportional, ..platform(2, bandwidth) };
        let (x, y) = (layer(&[], &[(5.0, 200.0); 2]), layer(&[0], &[(100.0, 2_000.0); 2]));
        let world = world(platform, &[&[x, y], &[layer(&[], &[(1.9, 10.0); 2])]]);
        let requests = [request(0, 0.0), request(1, 6.0)];
        ends_ns(&records(&world, &requests, plain_rules(), network_to_accelerator))[1]
    };
    // B = 100: X runs at rate 1/2, from 6 on beside Z at 1 / 2.1: Z ends at 6 + 1.9 x 2.1. B = 200: X ends at 5; Z
    // runs beside Y at 2 / 20.1 and ends at 6 + 1.9 x 20.1 / 2.
    assert_near(&[end_of_z_ns(100.0), end_of_z_ns(200.0)], &[9.99, 25.095], 1e-3);
}
