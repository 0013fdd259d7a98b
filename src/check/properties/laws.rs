//! Laws that relate two runs under a scheduler of random legal actions. They hold to the bit.

use proptest::prelude::*;

use super::slow_down;
use crate::check::cases::Case;
use crate::check::testing::{any_case, any_case_with_everything, chaos_records};
use crate::sim::{Decision, DecisionCost, Record, Request, Scheduler, Span, Step, Trigger, run};
use crate::units::Time;

/// A record at another time: `map` is applied to all its times, the start included.
fn retime(record: &Record, map: impl Fn(Time) -> Time) -> Record {
    let mut record = *record;
    let delay =
        |asked: &Request| Request { arrival: map(asked.arrival), deadline: map(asked.deadline), ..*asked };
    match &mut record {
        Record::Finish { time, start, .. } => (*time, *start) = (map(*time), map(*start)),
        Record::Start { time, ready, assigned, .. } => {
            (*time, *ready, *assigned) = (map(*time), map(*ready), map(*assigned));
        }
        Record::Arrival { asked, .. } => *asked = delay(asked),
        Record::Done { time, asked, .. } | Record::Drop { time, asked, .. } => {
            (*time, *asked) = (map(*time), delay(asked));
        }
        Record::Decision { time, .. }
        | Record::Applied { time, .. }
        | Record::Phase { time, .. }
        | Record::Pace { time, .. }
        | Record::Corrected { time, .. }
        | Record::Bandwidth { time, .. }
        | Record::Drift { time, .. }
        | Record::End { time } => *time = map(*time),
    }
    record
}

/// The records of a case, with its tenants and networks numbered in another way.
fn renumbered(case: &Case, tenant: impl Fn(u32) -> u32, network: impl Fn(u32) -> u32) -> Vec<Record> {
    let mut records = chaos_records(case);
    for record in &mut records {
        match record {
            Record::Arrival { asked, .. } | Record::Done { asked, .. } | Record::Drop { asked, .. } => {
                (asked.tenant, asked.network) = (tenant(asked.tenant), network(asked.network));
            }
            Record::Start { network: own, .. }
            | Record::Finish { network: own, .. }
            | Record::Corrected { network: own, .. } => *own = network(*own),
            _ => {}
        }
    }
    records
}

proptest! {
    #[test]
    fn shifting_arrivals_by_whole_periods_shifts_everything(case in any_case(1..=4), periods in 1..1_000u64) {
        let shift = match case.rules.trigger {
            Trigger::Periodic(period) => Time(periods * period.0),
            Trigger::OnIdle | Trigger::OnChange | Trigger::Never => Time(periods),
        };
        let mut later = case.clone();
        for request in &mut later.trace.requests {
            (request.arrival, request.deadline) = (request.arrival + shift, request.deadline + shift);
        }
        let expected: Vec<Record> =
            chaos_records(&case).iter().map(|r| retime(r, |time| time + shift)).collect();
        prop_assert_eq!(chaos_records(&later), expected);
    }

    #[test]
    fn scaling_all_times_scales_everything(mut case in any_case(1..=4), factor in 2..100u64) {
        // Without contention and split layers, and below a second, there is nothing to round.
        case.platform.bandwidth_bytes_per_ps = f64::INFINITY;
        case.max_sub_job = None;
        case.rules.trigger = Trigger::OnChange;
        case.rules.decision_cost = DecisionCost::Ideal;
        let mut slower = case.clone();
        slow_down(&mut slower, factor);
        let times = |case: &Case| chaos_records(case).iter().map(Record::time).collect::<Vec<_>>();
        let expected: Vec<Time> = times(&case).into_iter().map(|time| Time(time.0 * factor)).collect();
        prop_assert_eq!(times(&slower), expected);
    }

    #[test]
    fn an_idle_tenant_changes_nothing(case in any_case(1..=4)) {
        let mut more = case.clone();
        more.networks.insert(0, case.networks[0].clone());
        for request in &mut more.trace.requests {
            request.network += 1;
            request.tenant += 1;
        }
        prop_assert_eq!(chaos_records(&more), renumbered(&case, |tenant| tenant + 1, |network| network + 1));
    }

    #[test]
    fn permuting_tenants_and_their_networks_changes_nothing(
        (case, order) in any_case(1..=4).prop_flat_map(|case| {
            let order = Just(Vec::from_iter(0..case.networks.len())).prop_shuffle();
            (Just(case), order)
        }),
    ) {
        let mut permuted = case.clone();
        permuted.networks = order.iter().map(|&network| case.networks[network].clone()).collect();
        let place = |network: u32| {
            let place = order.iter().position(|&other| other == network as usize);
            place.expect("every network has its place") as u32
        };
        for request in &mut permuted.trace.requests {
            (request.tenant, request.network) = (3 - request.tenant, place(request.network));
        }
        prop_assert_eq!(chaos_records(&permuted), renumbered(&case, |tenant| 3 - tenant, place));
    }

    #[test]
    fn the_future_changes_nothing_in_the_past(case in any_case(1..=4)) {
        let mut short = case.clone();
        short.trace.requests.truncate(case.trace.measured.end);
        let next_arrival = case.trace.requests.get(case.trace.measured.end).map_or(Time::MAX, |r| r.arrival);
        let before = |case: &Case| {
            let records = chaos_records(case);
            records.into_iter().take_while(|record| record.time() < next_arrival).collect::<Vec<_>>()
        };
        prop_assert_eq!(before(&short), before(&case));
    }

    #[test]
    fn an_end_in_time_changes_nothing_before_it(mut case in any_case_with_everything(), share in 0.0..1.0) {
        case.trace.span = Span::default();
        let whole = chaos_records(&case);
        let end = Time(whole.last().map_or(Time::ZERO, Record::time).scale(share).0 + 1);
        case.trace.span.end = end;
        let cut = chaos_records(&case);
        let before = |records: Vec<Record>| records.into_iter().take_while(|r| r.time() < end).collect::<Vec<_>>();
        let is_over = |record: &Record| *record == Record::End { time: end };
        prop_assert!(cut.last().is_some_and(is_over));
        // Measured requests that end with the run may end it before.
        if whole.last().is_some_and(|last| last.time() >= end) {
            prop_assert_eq!(before(cut), before(whole));
        }
    }

    #[test]
    fn a_clone_continues_to_the_same_end(
        case in any_case_with_everything(),
        other in any_case_with_everything(),
        decisions in 0..40usize,
    ) {
        let (mut engine, mut scheduler, mut first) = (case.engine(), case.chaos(), Vec::new());
        if !decide(&mut engine, &mut scheduler, decisions, &mut first) {
            return Ok(());
        }
        // The other engine is in the middle of a run of its own, which it forgets.
        let mut overwritten = other.engine();
        decide(&mut overwritten, &mut other.chaos(), decisions / 2, &mut Vec::new());
        overwritten.clone_from(&engine);
        let rest = |engine, mut scheduler| {
            let mut records = first.clone();
            run(engine, &mut scheduler, &mut records).expect("chaos is legal and never stalls");
            records
        };
        // A random number generator cannot be cloned.
        let as_far = || {
            let mut chaos = case.chaos();
            decide(&mut case.engine(), &mut chaos, decisions, &mut Vec::new());
            chaos
        };
        let straight = chaos_records(&case);
        prop_assert_eq!(&rest(engine.clone(), as_far()), &straight);
        prop_assert_eq!(&rest(overwritten, as_far()), &straight);
        prop_assert_eq!(&rest(engine, scheduler), &straight);
    }
}

/// Takes so many decisions; returns whether the run goes on.
fn decide(
    engine: &mut crate::sim::Engine,
    scheduler: &mut dyn Scheduler,
    decisions: usize,
    out: &mut Vec<Record>,
) -> bool {
    let mut decision = Decision::default();
    (0..decisions).all(|_| {
        let asked = engine.run_to_decision(out) == Step::Decide;
        if asked {
            decision.clear();
            scheduler.decide(&engine.view(), &mut decision);
            engine.apply(&decision, out).expect("chaos is legal");
        }
        asked
    })
}
