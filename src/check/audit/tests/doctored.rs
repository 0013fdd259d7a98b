//! A run that is tampered with in every way that an invariant forbids: the audit finds each for the right reason.

use super::*;

type Tamper = fn(&mut Example);

fn sub_job(job: u32, layer: u32) -> SubJobId {
    SubJobId { job: JobId(job), layer }
}

/// The index of the first record that matches a pattern.
macro_rules! place {
    ($example:ident, $pattern:pat) => {
        $example
            .events
            .iter()
            .position(|event| matches!(event, Event::Record($pattern, _)))
            .expect("the run has such a record")
    };
}

/// Changes the first record that matches a pattern, or its origin.
macro_rules! change {
    ($pattern:pat => $change:expr) => {
        change!($pattern, _ => $change)
    };
    ($pattern:pat, $origin:pat => $change:expr) => {
        |example: &mut Example| {
            let changed = example.events.iter_mut().any(|event| match event {
                Event::Record($pattern, $origin) => {
                    $change;
                    true
                }
                _ => false,
            });
            assert!(changed, "the run has such a record");
        }
    };
}

/// Removes the first record that matches a pattern.
macro_rules! remove {
    ($pattern:pat) => {
        |example: &mut Example| {
            let place = place!(example, $pattern);
            example.events.remove(place);
        }
    };
}

/// Repeats the first record that matches a pattern.
macro_rules! repeat {
    ($pattern:pat, $times:expr) => {
        |example: &mut Example| {
            let place = place!(example, $pattern);
            let events = vec![example.events[place].clone(); $times];
            example.events.splice(place..place, events);
        }
    };
}

/// Inserts an event before the first record that matches a pattern.
macro_rules! insert {
    ($event:expr, before $pattern:pat) => {
        |example: &mut Example| {
            let place = place!(example, $pattern);
            example.events.insert(place, $event);
        }
    };
}

/// Changes the view at a time.
macro_rules! change_view {
    ($time:expr, $view:ident => $change:expr) => {
        |example: &mut Example| {
            let views = example.events.iter_mut();
            let mut views =
                views.filter_map(|e| if let Event::View(view, _) = e { Some(view) } else { None });
            let $view = views.find(|view| view.now == Time($time)).expect("there is a view at that time");
            $change;
        }
    };
}

fn check(tampers: &[(&str, Tamper)]) {
    for (expected, tamper) in tampers {
        let mut example = Example::new();
        tamper(&mut example);
        let violation = example.verdict().expect_err(expected).to_string();
        assert!(violation.contains(expected), "`{violation}` is not `{expected}`");
    }
}

#[test]
fn starts() {
    check(&[
        ("there is no accelerator 7", change!(Record::Start { accelerator, .. } => *accelerator = 7)),
        (
            "on accelerator 0 beside Some(SubJobId { job: JobId(0), layer: 0 })",
            change!(Record::Start { time: Time(7_000), accelerator, .. } => *accelerator = 0),
        ),
        (
            "accelerator 1 cannot run SubJobId { job: JobId(1)",
            change!(Record::Start { time: Time(7_000), sub_job: sub, .. } => *sub = sub_job(1, 0)),
        ),
        (
            "starts twice",
            change!(Record::Start { time: Time(36_000), sub_job: sub, .. } => *sub = sub_job(1, 0)),
        ),
        (
            "starts before its predecessors end",
            change!(Record::Start { time: Time(7_000), sub_job: sub, .. } => *sub = sub_job(0, 1)),
        ),
        (
            "request 5 has not arrived",
            change!(Record::Start { time: Time(7_000), sub_job: sub, .. } => *sub = sub_job(5, 0)),
        ),
        (
            "layer: 9 } is not in its network",
            change!(Record::Start { time: Time(7_000), sub_job: sub, .. } => *sub = sub_job(2, 9)),
        ),
        (
            "its request is Dropped",
            change!(Record::Start { time: Time(48_000), sub_job: sub, .. } => *sub = sub_job(3, 0)),
        ),
        (
            "its job is held",
            change!(Record::Start { time: Time(11_800), sub_job: sub, .. } => *sub = sub_job(4, 0)),
        ),
        // A layer starts before a more urgent one.
        (
            "starts on accelerator 0, but next there is Some((SubJobId { job: JobId(1), layer: 0 }",
            change!(Record::Start { time: Time(11_800), sub_job: sub, .. } => *sub = sub_job(0, 1)),
        ),
        // A layer starts elsewhere than assigned, and before it is assigned.
        (
            "starts on accelerator 1, but next there is None",
            change!(Record::Start { time: Time(1_000), accelerator, .. } => *accelerator = 1),
        ),
        (
            "with None starts on accelerator 0, but next there is None",
            insert!(
                Event::Record(
                    Record::Start {
                        time: Time(500),
                        sub_job: sub_job(0, 0),
                        network: 0,
                        accelerator: 0,
                        weight: 1.0,
                        ready: Time(0),
                        assigned: Time(500),
                        alone: Time(10_000),
                    },
                    Origin::NONE
                ),
                before Record::Applied { time: Time(1_000), .. }
            ),
        ),
        ("weight of its share: 2, not 1", change!(Record::Start { weight, .. } => *weight = 2.0)),
        ("ready: 7 ps, not ", change!(Record::Start { ready, .. } => *ready = Time(7))),
        ("assigned: 7 ps, not 1000 ps", change!(Record::Start { assigned, .. } => *assigned = Time(7))),
        ("c1 of the layer: 7 ps, not ", change!(Record::Start { alone, .. } => *alone = Time(7))),
        ("accelerator 0 idles, but Some((", remove!(Record::Start { time: Time(35_667), .. })),
    ]);
}

#[test]
fn ends_of_layers() {
    check(&[
        (
            "ends with 833.3",
            change!(Record::Finish { time: time @ Time(48_000), .. } => *time = Time(47_000)),
        ),
        ("works 99", change!(Record::Finish { time: time @ Time(59_301), .. } => *time = Time(59_400))),
        ("started at 1000 ps, not 900 ps", change!(Record::Finish { start, .. } => *start = Time(900))),
        ("energy of the layer in pJ: 2, not 1", change!(Record::Finish { energy, .. } => energy.0 = 2.0)),
        (
            "DRAM bytes of the layer: 61, not 60",
            change!(Record::Finish { dram_bytes, .. } => *dram_bytes = 61.0),
        ),
        (
            "bytes of weights on chip: 1, not 0",
            change!(Record::Finish { resident_weight_bytes, .. } => *resident_weight_bytes = 1.0),
        ),
        (
            "c of the layer in ps: 9999, not 10000",
            change!(Record::Finish { uncontended_ps, .. } => *uncontended_ps = 9999.0),
        ),
        ("but does not run there", change!(Record::Finish { accelerator, .. } => *accelerator = 1)),
        ("but does not run there", change!(Record::Finish { sub_job: sub, .. } => *sub = sub_job(1, 0))),
        ("but does not run there", repeat!(Record::Finish { .. }, 1)),
    ]);
}

#[test]
fn bandwidth() {
    check(&[
        (
            "recorded bandwidth in bytes/ps: 0.011, not 0.01",
            change!(Record::Bandwidth { time: Time(7_000), granted_bytes_per_ps } => *granted_bytes_per_ps = 0.011),
        ),
        (
            "recorded bandwidth in bytes/ps: 0.006, not 0.01",
            remove!(Record::Bandwidth { time: Time(7_000), .. }),
        ),
        ("the bandwidth changes 3 times", repeat!(Record::Bandwidth { .. }, 2)),
    ]);
}

#[test]
fn requests() {
    check(&[
        (
            "no request arrives at 5000 ps, but one is expected",
            change!(Record::Arrival { asked: Request { arrival: time @ Time(5_000), .. }, .. } => *time = Time(5_500)),
        ),
        ("request 0 arrives with job 0, but request 1 is next", repeat!(Record::Arrival { .. }, 1)),
        (
            "request 1 arrives with job 2",
            change!(Record::Arrival { asked: Request { arrival: Time(5_000), .. }, job, .. } => *job = JobId(2)),
        ),
        (
            "the view shows jobs [0, 1], open are [0]",
            remove!(Record::Arrival { asked: Request { arrival: Time(5_000), .. }, .. }),
        ),
        ("request 4 is done without its layer Some(1)", remove!(Record::Finish { time: Time(59_301), .. })),
        ("request 4 is done after its last layer", |example| {
            let done = place!(example, Record::Done { time: Time(59_301), .. });
            example.events.swap(done, done + 1);
            let Event::Record(Record::Done { time, .. }, _) = &mut example.events[done + 1] else { return };
            *time = Time(59_500);
        }),
        ("request 4 is done by job 5", {
            change!(Record::Done { request: RequestId(4), job, .. } => *job = JobId(5))
        }),
        ("request 4 is Done, but was Done before", repeat!(Record::Done { request: RequestId(4), .. }, 1)),
        ("request 1 is done late under abort", |example| {
            example.trace.requests[1].deadline = Time(35_600);
            for event in &mut example.events {
                match event {
                    Event::View(view, _) => {
                        let mine = view.jobs.iter_mut().find(|job| job.id == JobId(1));
                        mine.into_iter().for_each(|job| job.deadline = Time(35_600));
                    }
                    Event::Record(
                        Record::Arrival { request: RequestId(1), asked, .. }
                        | Record::Done { request: RequestId(1), asked, .. },
                        _,
                    ) => asked.deadline = Time(35_600),
                    _ => {}
                }
            }
        }),
        (
            "request 0 is dropped as late, but its deadline is",
            change!(Record::Drop { reason: DropReason::Late, request, .. }, origin => (request.0, origin.place) = (0, 0)),
        ),
        (
            "Some(2) is open at its deadline under abort",
            remove!(Record::Drop { reason: DropReason::Late, .. }),
        ),
        (
            "request 2 is Dropped, but was Dropped before",
            repeat!(Record::Drop { reason: DropReason::Late, .. }, 1),
        ),
        (
            "request 4 is dropped without a decision",
            insert!(
                Event::Record(
                    Record::Drop {
                        time: Time(12_000),
                        request: RequestId(4),
                        asked: request(0, 11.0),
                        reason: DropReason::Scheduler,
                        begun: false,
                    },
                    Origin { place: 4, measured: true }
                ),
                before Record::Applied { time: Time(12_800), .. }
            ),
        ),
        (
            "request 2 is dropped without an order",
            change!(Record::Drop { reason: reason @ DropReason::Late, .. } => *reason = DropReason::Scheduler),
        ),
        ("request 2 is dropped, begun: false, not true", {
            change!(Record::Drop { reason: DropReason::Late, begun, .. } => *begun = false)
        }),
        ("request 3 is not dropped as ordered", remove!(Record::Drop { reason: DropReason::Scheduler, .. })),
    ]);
}

/// A further request that waits for an event of the run.
fn waits_for(example: &mut Example, after: After) {
    let request = example.trace.requests.len() as u32;
    example.trace.requests.push(Request { arrival: Time::MAX, ..example.trace.requests[0] });
    example.trace.followers.push(Follower { after, request, delay: Time(1_000), within: Time(5_000) });
}

#[test]
fn followers_and_ends() {
    check(&[
        ("no request arrives at 36667 ps, but one is expected", |example| waits_for(example, After::Done(1))),
        // A drop releases the next request of a loop; the later end of its running layer does not.
        ("no request arrives at 9000 ps, but one is expected", |example| waits_for(example, After::Ended(0))),
        (
            "request 2 follows Some(RequestId(1)), not None",
            change!(Record::Arrival { asked: Request { arrival: Time(6_000), .. }, after, .. } => *after = Some(RequestId(1))),
        ),
        (
            "request 2 is due at 1 ps, not 20000 ps",
            change!(Record::Arrival { asked: Request { arrival: Time(6_000), deadline, .. }, .. } => *deadline = Time(1)),
        ),
        (
            "request 2 is from place 1, not 2",
            change!(Record::Arrival { asked: Request { arrival: Time(6_000), .. }, .. }, origin => origin.place = 1),
        ),
        (
            "request 2: measured is false",
            change!(Record::Arrival { asked: Request { arrival: Time(6_000), .. }, .. }, origin => origin.measured = false),
        ),
        (
            "request 1 ends with other data",
            change!(Record::Done { request: RequestId(1), asked, .. } => asked.arrival = Time(4_000)),
        ),
        (
            "request 2 is dropped with other data",
            change!(Record::Drop { request: RequestId(2), .. }, origin => origin.place = 3),
        ),
        (
            "request 2 asks for Request { tenant: 7",
            change!(Record::Arrival { asked: Request { arrival: Time(6_000), tenant, .. }, .. } => *tenant = 7),
        ),
        (
            "request 2 is dropped as one for Request { tenant: 7",
            change!(Record::Drop { request: RequestId(2), asked, .. } => asked.tenant = 7),
        ),
        (
            "layer: 0 } is recorded for network 9, not 0",
            change!(Record::Start { network, .. } => *network = 9),
        ),
        (
            "layer: 0 } is recorded for network 9, not 0",
            change!(Record::Finish { network, .. } => *network = 9),
        ),
        (
            "layer: 0 } ends with other data",
            change!(Record::Finish { time: Time(11_800), .. }, origin => origin.measured = false),
        ),
        ("after the time of the run", |example| example.trace.span.end = Time(100_000)),
        ("the run ends, but its time is 300000 ps", |example| example.trace.span.end = Time(300_000)),
    ]);
}

/// A record of a decision that no trigger asks for.
fn taken(time_ps: u64) -> Event {
    let (time, latency, energy) = (Time(time_ps), Time(1_000), Picojoules(0.0));
    let operations = Operations::default();
    Event::Record(Record::Decision { time, latency, energy, operations, ready: 0, open: 0 }, Origin::NONE)
}

#[test]
fn decisions() {
    check(&[
        ("the trigger asks for a decision, but none is taken", |example| {
            let place = place!(example, Record::Decision { time: Time(35_000), .. });
            example.events.drain(place - 2..=place);
        }),
        ("a decision that the trigger does not ask for", |example| {
            let place = place!(example, Record::Applied { time: Time(9_000), .. });
            example.events.insert(place + 1, taken(9_000));
        }),
        ("a decision while another is in flight", |example| {
            let place = place!(example, Record::Applied { time: Time(6_000), .. });
            example.events.insert(place, taken(6_000));
        }),
        ("a decision that no scheduler took", |example| {
            example.events.retain(|event| !matches!(event, Event::Decision(_)));
        }),
        ("the decision takes 999 ps, not 1000 ps", {
            change!(Record::Decision { latency, .. } => *latency = Time(999))
        }),
        (
            "energy of the decision in pJ: 6, not 5",
            change!(Record::Decision { energy, .. } => energy.0 = 6.0),
        ),
        (
            "the decision is charged for Operations { comparisons: 1, macs: 7 }, not Operations { comparisons: 1, macs: 0 }",
            change!(Record::Decision { operations, .. } => operations.macs = 7),
        ),
        (
            "2 of 2 sub-jobs are ready, not (ready, open) (1, 2)",
            change!(Record::Decision { time: Time(5_000), ready, .. } => *ready = 2),
        ),
        (
            "1 of 3 sub-jobs are ready, not (ready, open) (1, 2)",
            change!(Record::Decision { time: Time(5_000), open, .. } => *open = 3),
        ),
        ("the decision in flight is due at Some(Time(37000))", {
            remove!(Record::Applied { time: Time(37_000), .. })
        }),
        (
            "a decision takes effect, but is due at Some(Time(36000))",
            change!(Record::Applied { time: time @ Time(36_000), .. } => *time = Time(35_700)),
        ),
        ("a decision takes effect, but is due at None", repeat!(Record::Applied { .. }, 1)),
        ("1 actions are skipped, not 0", change!(Record::Applied { skipped, .. } => *skipped = 1)),
    ]);
}

#[test]
fn the_course_of_time() {
    check(&[
        ("lies in the past", change!(Record::Done { time: time @ Time(35_667), .. } => *time = Time(35_666))),
        ("the measured request 4 is open", |example| {
            let place = place!(example, Record::Done { time: Time(51_468), .. });
            example.events.insert(place + 1, Event::Record(Record::End { time: Time(51_468) }, Origin::NONE));
        }),
        ("after the end of the run", repeat!(Record::End { .. }, 1)),
        ("the records stop before the end", remove!(Record::End { .. })),
        ("request 1 takes 30667 ps, but 90000 ps on the idle system", |example| {
            example.world.networks[1].isolated = Time(90_000);
        }),
        ("work / capacity is", |example| example.world.networks[0].total_best = Time(900_000)),
        ("request 4 ends, but a view promised not before 59305 ps", {
            change_view!(36_000, view => view.jobs[1].shortest_left = Time(23_305))
        }),
    ]);
}

#[test]
fn views() {
    check(&[
        ("the view is of 4000 ps", change_view!(5_000, view => view.now = Time(4_000))),
        ("the next tick is", change_view!(5_000, view => view.next_decision = Some(Time(6_000)))),
        ("the view shows jobs [1], open are [0, 1]", {
            change_view!(5_000, view => view.jobs.retain(|job| job.id == JobId(1)))
        }),
        ("layers_left: 7", change_view!(5_000, view => view.jobs[0].layers_left = 7)),
        ("held: true", change_view!(5_000, view => view.jobs[0].held = true)),
        ("running: false", change_view!(5_000, view => view.jobs[0].running = false)),
        ("remaining_best: Time(16001)", {
            change_view!(5_000, view => view.jobs[0].remaining_best = Time(16_001))
        }),
        ("unstarted_best: Time(9999)", {
            change_view!(5_000, view => view.jobs[0].unstarted_best = Time(9_999))
        }),
        ("unstarted_bytes: 7,", change_view!(5_000, view => view.jobs[0].unstarted_bytes = 7)),
        ("demands 0.5 bytes/ps", {
            change_view!(5_000, view => view.accelerators[0].demand_bytes_per_ps = 0.5)
        }),
        ("ready: true", change_view!(5_000, view => view.sub_jobs[0].ready = true)),
        ("release: Time(5001)", change_view!(5_000, view => view.sub_jobs[1].release = Time(5_001))),
        ("assigned: Some(1)", change_view!(5_000, view => view.sub_jobs[1].assigned = Some(1))),
        ("the view shows None, not", change_view!(5_000, view => view.sub_jobs.truncate(1))),
        ("which may not be assigned", { change_view!(5_000, view => view.sub_jobs.push(view.sub_jobs[1])) }),
        ("the view shows None on accelerator 0", {
            change_view!(5_000, view => view.accelerators[0].running = None)
        }),
        ("accelerator 0 is free at 11002 ps, not 11000 ps", {
            change_view!(5_000, view => view.accelerators[0].free_at = Time(11_002))
        }),
        ("the view shows 1 of 2 accelerators", change_view!(5_000, view => view.accelerators.truncate(1))),
    ]);
}
