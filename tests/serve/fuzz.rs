//! Random fleets under a dispatcher that takes random legal actions, and an account of their records that finds what is
//! doctored.

use std::sync::Arc;

use mascot::check::{Counts, FleetCase, FleetChaos, FleetsPassed, Serving, fuzz_fleets};
use mascot::experiment::Silent;
use mascot::serve::{self, FleetModel, Loss, Record, Recorder, ServeError};
use mascot::sim::{Drift, JobId, Origin, Request, RequestId};
use mascot::units::Time;

use super::common::Log;

/// The run of a seed.
fn play(seed: u64) -> (FleetCase, Log, Result<(), ServeError>) {
    let case = FleetCase::new(seed);
    let mut log = Log::default();
    let (model, trace) = (Arc::new(case.model.clone()), Arc::new(case.trace.clone()));
    let result = serve::run(model, trace, case.schedulers(), &mut FleetChaos::new(&case), &mut log.0);
    (case, log, result)
}

/// A case whose times are in picoseconds, like the parameters of rules in tests.
pub(crate) fn opaque_case(seed: u64) -> FleetCase {
    let seeds = seed * 1_000..;
    seeds.map(FleetCase::new).find(|case| case.unit == Time(1)).expect("half are")
}

pub(crate) fn verdict(model: &FleetModel, records: &[(Record, Origin)]) -> Result<Counts, String> {
    let mut account = Serving::new(model);
    for (record, origin) in records {
        account.record(record, *origin);
    }
    account.verdict()
}

#[test]
fn ten_thousand_random_fleets_tell_possible_stories() {
    let report = fuzz_fleets(1..10_001, &Silent);
    report.verdict().expect("no violation");
    let FleetsPassed { stalled, requests, answered, lost, sites, layers, .. } = report.passed;
    assert!(answered > 25_000 && lost > 10_000 && stalled < 9_500, "{:?}", report.passed);
    assert!(requests > 100_000 && sites > 5_000 && layers > 25_000, "{:?}", report.passed);
}

#[test]
fn cases_have_everything() {
    let cases: Vec<FleetCase> = (0..200).map(FleetCase::new).collect();
    let share = |has: fn(&FleetCase) -> bool| cases.iter().filter(|case| has(case)).count();
    assert!(share(|case| !case.trace.followers.is_empty()) > 30);
    assert!(share(|case| case.trace.has_end()) > 10);
    assert!(share(|case| !case.model.changes.is_empty()) > 30);
    assert!(share(|case| case.model.sites.iter().any(|site| site.rules.drift != Drift::NONE)) > 30);
    assert!(share(|case| case.model.sites.len() > 2) > 50);
    assert!(share(|case| case.model.sites.iter().any(|site| site.memory.is_some())) > 50);
}

#[test]
fn a_run_is_the_same_every_time() {
    for seed in 0..50 {
        assert!(play(seed).1 == play(seed).1, "seed {seed}");
    }
}

type Records = Vec<(Record, Origin)>;

/// Changes a record if it can be doctored.
fn change(records: &mut Records, doctor: impl Fn(&mut Record) -> bool) -> bool {
    records.iter_mut().any(|(record, _)| doctor(record))
}

/// Leaves out the first record of a kind.
fn leave_out(records: &mut Records, is: impl Fn(&Record) -> bool) -> bool {
    let place = records.iter().position(|(record, _)| is(record));
    place.map(|place| records.remove(place)).is_some()
}

/// Repeats the first record of a kind.
fn repeat(records: &mut Records, is: impl Fn(&Record) -> bool) -> bool {
    let place = records.iter().position(|(record, _)| is(record));
    place.map(|place| records.insert(place, records[place])).is_some()
}

macro_rules! set {
    ($kind:ident { $field:ident } = $value:expr) => {
        |records: &mut Records| {
            change(records, |record| match record {
                Record::$kind { $field, .. } => {
                    *$field = $value(*$field);
                    true
                }
                _ => false,
            })
        }
    };
}

macro_rules! without {
    ($kind:ident) => {
        |records: &mut Records| leave_out(records, |record| matches!(record, Record::$kind { .. }))
    };
}

macro_rules! twice {
    ($kind:ident) => {
        |records: &mut Records| repeat(records, |record| matches!(record, Record::$kind { .. }))
    };
}

/// The places of the first two members of an order that the dispatcher has not picked.
fn two_members(records: &Records) -> Option<usize> {
    let is_launch =
        |record: &Record| matches!(record, Record::Launched { picked: false, requests, .. } if *requests > 1);
    records.iter().position(|(record, _)| is_launch(record)).map(|place| place + 1)
}

/// The places of two arrivals with nothing in between.
fn two_arrivals(records: &Records) -> Option<usize> {
    let arrives = |record: &Record| matches!(record, Record::Arrived { .. });
    records.windows(2).position(|pair| arrives(&pair[0].0) && arrives(&pair[1].0))
}

/// Later than anything.
const FAR: Time = Time(1 << 60);

type Doctor = fn(&mut Records) -> bool;

const DOCTORED: &[(&str, Doctor)] = &[
    ("an arrival is missing", without!(Arrived)),
    ("a request arrives twice", twice!(Arrived)),
    ("a request follows one that is still open", |records| {
        let Some(place) = two_arrivals(records) else { return false };
        let [(Record::Arrived { request: leader, .. }, _), (Record::Arrived { after, .. }, _)] =
            &mut records[place..place + 2]
        else {
            return false;
        };
        *after = Some(*leader);
        true
    }),
    ("a request was not sent", without!(Sent)),
    ("a request is sent twice", twice!(Sent)),
    ("a request is sent elsewhere", set!(Sent { site } = |site| site + 1)),
    ("a delivery is missing", without!(Queued)),
    ("a delivery happens twice", twice!(Queued)),
    ("a delivery is elsewhere", set!(Queued { site } = |site| site + 1)),
    ("time goes back after a delivery", set!(Queued { time } = |time: Time| time + FAR)),
    ("an order without launch", without!(Launched)),
    ("an order is launched twice", twice!(Launched)),
    ("an order has a request too many", set!(Launched { requests } = |requests| requests + 1)),
    ("an order has no such batch", set!(Launched { batch } = |batch| batch + 1)),
    ("an order has no such variant", set!(Launched { variant } = |variant| variant + 9)),
    ("an order has no such model", set!(Launched { model } = |model| model + 9)),
    ("an order has another number", set!(Launched { order } = |order: JobId| JobId(order.0 + 1))),
    ("a member is missing", without!(Member)),
    ("a member is another request", set!(Member { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("members are in another order", |records| {
        let Some(place) = two_members(records) else { return false };
        records.swap(place, place + 1);
        true
    }),
    ("a request is not served", without!(Served)),
    ("a request is answered twice", twice!(Answered)),
    ("an answer has another accuracy", set!(Answered { accuracy } = |accuracy| accuracy + 0.5)),
    (
        "a loss has another reason",
        set!(
            Lost { reason } = |reason| match reason {
                Loss::Late => Loss::Scheduler,
                Loss::Dispatcher | Loss::Scheduler => Loss::Late,
            }
        ),
    ),
    ("something follows the end", |records| {
        let Some(end) = records.iter().position(|(record, _)| matches!(record, Record::End { .. })) else {
            return false;
        };
        let first = records[0];
        records.insert(end + 1, first);
        true
    }),
    ("a request has another number", set!(Arrived { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("a request is of no tenant", set!(Arrived { asked } = |asked| Request { tenant: 99, ..asked })),
    ("another request is sent", set!(Sent { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("time goes back after a request is sent", set!(Sent { time } = |time: Time| time + FAR)),
    ("another request is delivered", set!(Queued { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("an order is at no site", set!(Launched { site } = |site| site + 9)),
    ("an order has no request", set!(Launched { requests } = |_| 0)),
    ("time goes back after a launch", set!(Launched { time } = |time: Time| time + FAR)),
    ("a member is named twice", twice!(Member)),
    ("a member is at another site", set!(Member { site } = |site| site + 1)),
    ("a member is of another order", set!(Member { order } = |order: JobId| JobId(order.0 + 1))),
    ("a request is served twice", twice!(Served)),
    ("a request is served elsewhere", set!(Served { site } = |site| site + 1)),
    ("another request is served", set!(Served { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("time goes back after a service", set!(Served { time } = |time: Time| time + FAR)),
    ("an answer goes to another request", set!(Answered { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("an answer is from another site", set!(Answered { site } = |site| site + 1)),
    ("an answer is by another variant", set!(Answered { variant } = |variant| variant + 1)),
    ("an answer is of another batch", set!(Answered { batch } = |batch| batch + 1)),
    (
        "an answer is to another question",
        set!(Answered { asked } = |asked: Request| Request { deadline: asked.deadline + Time(1), ..asked }),
    ),
    ("the run ends in the past", set!(End { time } = |_| Time::ZERO)),
    ("a link does not change", without!(Drift)),
    ("a link changes twice", twice!(Drift)),
    ("another link changes", set!(Drift { wire } = |wire| wire + 1)),
    ("a link becomes another", set!(Drift { delay } = |delay: Time| delay + Time(1))),
    ("a loss happens twice", twice!(Lost)),
    ("a loss is of another request", set!(Lost { request } = |of: RequestId| RequestId(of.0 + 1))),
    (
        "a loss is of another question",
        set!(Lost { asked } = |asked: Request| Request { deadline: asked.deadline + Time(1), ..asked }),
    ),
];

#[test]
fn doctored_records_are_found() {
    let count = |log: &Log, is: fn(&Record) -> bool| log.0.iter().filter(|(record, _)| is(record)).count();
    let is_lost = |log: &Log| {
        let answered = count(log, |record| matches!(record, Record::Answered { .. }));
        answered < count(log, |record| matches!(record, Record::Arrived { .. }))
    };
    let runs = (0..4_000).map(play).filter(|(case, _, result)| result.is_ok() && !case.trace.has_end());
    // What is not answered may have been anywhere.
    let (some_lost, all_answered): (Vec<_>, Vec<_>) = runs.partition(|(_, log, _)| is_lost(log));
    for &(what, doctor) in DOCTORED {
        // A request that is late may be given up by either while it is in service.
        let may_pass = what.starts_with("a loss");
        let mut doctored = 0;
        for (case, log, _) in if may_pass { &some_lost[..50] } else { &all_answered[..] } {
            let mut log = log.clone();
            if doctor(&mut log.0) {
                let found = verdict(&case.model, &log.0);
                assert!(found.is_err() || may_pass, "{what}: {case}");
                doctored += usize::from(found.is_err());
            }
        }
        assert!(doctored >= 10, "{what}: {doctored} are few");
    }
}

/// The first requests of a queue are due unless the dispatcher has picked others.
#[test]
fn others_than_the_first_of_a_queue_are_found() {
    let mut found = 0;
    for (case, mut log, _) in (0..200).map(play) {
        for (record, _) in &mut log.0 {
            if let Record::Launched { picked, .. } = record {
                *picked = false;
            }
        }
        found += usize::from(verdict(&case.model, &log.0).is_err());
    }
    assert!(found > 50, "{found} are few");
}

#[test]
fn early_ends_are_found() {
    let mut found = 0;
    for seed in 0..200 {
        let (case, log, _) = play(seed);
        if case.unit > Time(1) {
            // Tensors on chip may make any layer faster.
            continue;
        }
        for place in 0..log.0.len() {
            let mut records = log.0.clone();
            // An answer or a service at the time of its own beginning.
            let since = match records[place].0 {
                Record::Served { site, request, .. } => {
                    records[..place].iter().find_map(|(of, _)| match *of {
                        Record::Member { time, request: of, site: at, .. } if of == request && at == site => {
                            Some(time)
                        }
                        _ => None,
                    })
                }
                _ => None,
            };
            let Some(since) = since else { continue };
            // Everything between is moved before it, so that time does not go back.
            let (mut record, origin) = records.remove(place);
            if let Record::Served { time, .. } = &mut record {
                *time = since;
            }
            let after = records
                .iter()
                .rposition(|(of, _)| matches!(of, Record::Member { time, .. } if *time == since));
            records.insert(after.expect("it was launched then") + 1, (record, origin));
            assert!(verdict(&case.model, &records).is_err(), "seed {seed}: {record:?}");
            found += 1;
            break;
        }
    }
    assert!(found > 50, "{found} are few");
}
