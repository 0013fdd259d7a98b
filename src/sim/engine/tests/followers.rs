//! Requests that follow others, late rules per tenant and runs that end at a time, worked out by hand.

use super::*;
use crate::check::Script;
use crate::workload::Qos;

/// One accelerator, one layer of 10 ns; the scheduler starts whatever there is.
fn station() -> World {
    world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]])
}

fn all_records(world: &World, trace: Trace, rules: Rules) -> Vec<Record> {
    let mut records = Vec::new();
    record_all(world, trace, rules, &mut records);
    records
}

fn record_all(world: &World, trace: Trace, rules: Rules, out: &mut dyn Recorder) {
    let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace), rules);
    let mut to_first = Script(|view: &View, out: &mut Decision| {
        view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, sub.id.layer as usize, 0.0));
    });
    run(engine, &mut to_first, out).expect("the script is legal and leaves nothing waiting");
}

/// Arrivals in nanoseconds, with the request whose end brought them.
fn arrivals(records: &[Record]) -> Vec<(f64, Option<u32>)> {
    let arrival = |record: &Record| match *record {
        Record::Arrival { asked, after, .. } => {
            Some((asked.arrival.as_ps() / 1e3, after.map(|leader| leader.0)))
        }
        _ => None,
    };
    records.iter().filter_map(arrival).collect()
}

/// A request that follows others, due within a second.
fn follower(tenant: u32) -> Request {
    Request { tenant, network: 0, priority: 1, qos: Qos::M, arrival: Time::MAX, deadline: Time::MAX }
}

/// So many requests of tenant 0 in flight, and as many more as there are ends to follow.
fn closed_loop(in_flight: usize, further: u32, think_ns: u64) -> Trace {
    let mut requests = vec![request(0, 0.0); in_flight];
    let first = in_flight as u32;
    let followers = (first..first + further).map(|request| Follower {
        after: After::Ended(0),
        request,
        delay: Time(think_ns * 1_000),
        within: Time::from_s(1.0),
    });
    requests.extend((0..further).map(|_| follower(0)));
    Trace { measured: 0..requests.len(), requests, followers: followers.collect(), span: Span::default() }
}

#[test]
fn a_loop_of_one_alternates_service_and_think_time() {
    let records = all_records(&station(), closed_loop(1, 3, 5), plain_rules());
    assert_eq!(arrivals(&records), [(0.0, None), (15.0, Some(0)), (30.0, Some(1)), (45.0, Some(2))]);
    assert_eq!(ends_ns(&records), [10.0, 25.0, 40.0, 55.0]);
}

#[test]
fn two_in_flight_keep_the_accelerator_busy_if_they_think_less_than_they_are_served() {
    // The first thinks from 10 to 15 and waits for the second, which ends at 20; and so on.
    let records = all_records(&station(), closed_loop(2, 4, 5), plain_rules());
    assert_eq!(ends_ns(&records), [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    // Thinking 20, each comes back when the accelerator is free: cycles of 30 with 20 of service.
    let records = all_records(&station(), closed_loop(2, 4, 20), plain_rules());
    assert_eq!(ends_ns(&records), [10.0, 20.0, 40.0, 50.0, 70.0, 80.0]);
}

#[test]
fn a_dropped_request_is_followed_a_picosecond_later_at_the_earliest() {
    let mut trace = closed_loop(1, 2, 0);
    trace.requests[0].deadline = Time(4_000);
    trace.followers[0].within = Time(1_000);
    let rules = Rules { late: LateRules::all(Late::Abort), ..plain_rules() };
    let records = all_records(&station(), trace, rules);
    // Its layer goes on until 10: the second is dropped before it can start, the third waits.
    let expected = [(0.0, None), (4.001, Some(0)), (5.002, Some(1))];
    assert_eq!(arrivals(&records), expected);
    assert_eq!(ends_ns(&records)[2], 20.0);
}

/// A leader of tenant 0, due at `due_ns`, and what follows it.
fn cascade(due_ns: u64, stages: &[Follower]) -> Trace {
    let leader = Request { deadline: Time(due_ns * 1_000), ..request(0, 0.0) };
    let mut requests = vec![leader];
    requests.extend(stages.iter().map(|_| follower(1)));
    Trace { measured: 0..requests.len(), requests, followers: stages.to_vec(), span: Span::default() }
}

fn stage(after: u32, request: u32) -> Follower {
    Follower { after: After::Done(after), request, delay: Time::ZERO, within: Time(30_000) }
}

fn deadlines(records: &[Record]) -> Vec<u64> {
    let deadline = |record: &Record| match *record {
        Record::Arrival { asked, .. } => Some(asked.deadline.0 / 1_000),
        _ => None,
    };
    records.iter().filter_map(deadline).collect()
}

#[test]
fn a_stage_comes_when_its_leader_is_done_and_is_due_from_then_on_or_at_its_frame() {
    let records = all_records(&station(), cascade(100, &[stage(0, 1), stage(1, 2)]), plain_rules());
    assert_eq!(arrivals(&records), [(0.0, None), (10.0, Some(0)), (20.0, Some(1))]);
    assert_eq!((ends_ns(&records), deadlines(&records)), (vec![10.0, 20.0, 30.0], vec![100, 40, 50]));
    // By frame: both at 16, which the second stage only arrives after.
    let framed = |after, request| Follower { within: Time::MAX, ..stage(after, request) };
    let mut trace = cascade(100, &[framed(0, 1), framed(1, 2)]);
    trace.requests[1].deadline = Time(16_000);
    trace.requests[2].deadline = Time(16_000);
    let records = all_records(&station(), trace, plain_rules());
    assert_eq!(deadlines(&records), [100, 16, 20]);
}

#[test]
fn without_stages_or_with_a_dropped_leader_nothing_comes_and_the_run_ends() {
    assert_eq!(arrivals(&all_records(&station(), cascade(100, &[]), plain_rules())).len(), 1);
    let rules = Rules { late: LateRules::all(Late::Abort), ..plain_rules() };
    let records = all_records(&station(), cascade(4, &[stage(0, 1), stage(1, 2)]), rules);
    assert_eq!(arrivals(&records), [(0.0, None)]);
    assert_eq!(records.last(), Some(&Record::End { time: Time(4_000) }));
}

#[test]
fn ids_are_in_the_order_of_arrival_and_tell_nothing_of_what_is_to_come() {
    // The stage of the first comes at 10, before the second that comes by itself.
    let mut trace = trace(&[request(0, 0.0), request(0, 12.0), follower(1)]);
    trace.followers = vec![stage(0, 2)];
    let mut records: Vec<(Record, Origin)> = Vec::new();
    record_all(&station(), trace, plain_rules(), &mut records);
    let places = |(record, origin): &(Record, Origin)| match *record {
        Record::Arrival { request, job, .. } => Some((request.0, job.0, origin.place)),
        _ => None,
    };
    assert_eq!(records.iter().filter_map(places).collect::<Vec<_>>(), [(0, 0, 0), (1, 1, 2), (2, 2, 1)]);
}

#[test]
fn the_late_rule_is_that_of_the_tenant() {
    let mut requests = [request(0, 0.0), request(0, 0.0), request(0, 0.0)];
    for (tenant, request) in (0..).zip(&mut requests) {
        (request.tenant, request.deadline) = (tenant, Time(5_000));
    }
    let late = LateRules { rule: Late::Abort, own: vec![None, Some(Late::Finish), Some(Late::Abort)] };
    let records = all_records(&station(), trace(&requests), Rules { late, ..plain_rules() });
    let dropped = |record: &Record| match *record {
        Record::Drop { request, .. } => Some(request.0),
        _ => None,
    };
    assert_eq!(records.iter().filter_map(dropped).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(ends_ns(&records)[1], 20.0);
}

#[test]
fn a_run_ends_at_its_time_and_only_completions_happen_then() {
    let until = |end_ns: u64| {
        let span = Span { warmup: Time::ZERO, end: Time(end_ns * 1_000) };
        let requests = [request(0, 0.0), request(0, 1.0), request(0, 20.0)];
        all_records(&station(), Trace { span, ..trace(&requests) }, plain_rules())
    };
    let kinds = |records: &[Record], from_ns: u64| {
        let late = records.iter().filter(|record| record.time() >= Time(from_ns * 1_000));
        late.map(|r| format!("{r:?}").split(' ').next().unwrap_or_default().to_string()).collect::<Vec<_>>()
    };
    // In the middle of the second layer; at the end of it, when the third request arrives; long after all has ended.
    assert_eq!(kinds(&until(14), 11), ["End"]);
    assert_eq!(kinds(&until(20), 11), ["Finish", "Done", "End"]);
    let long = until(1_000);
    assert_eq!(ends_ns(&long), [10.0, 20.0, 30.0]);
    assert_eq!(long.last(), Some(&Record::End { time: Time(1_000_000) }));
}

/// What a view shows, and what a fork of it does, says nothing of followers.
#[test]
fn a_scheduler_sees_a_follower_when_it_arrives() {
    let seen = |stages: &[Follower]| {
        let mut seen = Vec::new();
        let engine = Engine::new(Arc::new(station()), Arc::new(cascade(100, stages)), plain_rules());
        let mut script = Script(|view: &View, out: &mut Decision| {
            seen.push((view.jobs().len(), format!("{view:?}")));
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, 0.0));
        });
        run(engine, &mut script, &mut ()).expect("the script is legal");
        seen
    };
    let (without, with) = (seen(&[]), seen(&[stage(0, 1)]));
    assert_eq!((without.len(), with.len()), (1, 2));
    // The fork says which requests count: those in flight.
    assert_eq!(without[0], with[0]);
    assert_eq!(with[1].0, 1);
}
