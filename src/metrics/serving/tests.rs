//! Two requests of one order, by hand.

use super::{MemberShares, OrderOf, Step, Steps};
use crate::metrics::Shares;
use crate::serve::{Loss, Record, Recorder};
use crate::sim::{self, JobId, Origin, Request, RequestId, SubJobId};
use crate::units::{Picojoules, Time};
use crate::workload::Qos;

const NS: u64 = 1000;

fn ns(time: u64) -> Time {
    Time(time * NS)
}

fn arrived(request: u32, at: u64) -> Record {
    let asked =
        Request { tenant: 0, network: 0, priority: 1, qos: Qos::M, arrival: ns(at), deadline: ns(at + 50) };
    Record::Arrived { request: RequestId(request), asked, after: None }
}

fn start(at: u64, accelerator: usize, alone: u64) -> Record {
    let sub_job = SubJobId { job: JobId(3), layer: accelerator as u32 };
    let (time, ready) = (ns(at), ns(at));
    let record = sim::Record::Start {
        time,
        sub_job,
        network: 0,
        accelerator,
        weight: 1.0,
        ready,
        assigned: ready,
        alone: ns(alone),
    };
    Record::Site { site: 1, record }
}

fn finish(at: u64, accelerator: usize, start: u64) -> Record {
    let record = sim::Record::Finish {
        time: ns(at),
        start: ns(start),
        sub_job: SubJobId { job: JobId(3), layer: accelerator as u32 },
        network: 0,
        accelerator,
        dram_bytes: 0.0,
        forwarded_bytes: 0.0,
        resident_weight_bytes: 0.0,
        energy: Picojoules(0.0),
        uncontended_ps: 1.0,
        repeated: 0,
    };
    Record::Site { site: 1, record }
}

/// 0 arrives at 0 and 1 at 2; 0 takes wire 4 from 1 to 4, and both are in the queue of site 1 until their order starts at
/// 6. There a layer with a c1 of 4 runs from 7 to 12, and one of 2 from 8 to 10. 1 is given up at 9; the answer of 0 takes
/// wire 5 from 12 to 15.
fn story() -> Vec<Record> {
    let (site, order) = (1, JobId(3));
    let id = RequestId;
    let asked = |of: Record| match of {
        Record::Arrived { asked, .. } => asked,
        other => unreachable!("{other:?}"),
    };
    let member = |request| Record::Member { time: ns(6), request: id(request), site, order };
    let (model, variant, batch) = (0, 0, 2);
    let requests = 2;
    vec![
        arrived(0, 0),
        Record::Sent { time: ns(1), request: id(0), site },
        Record::Hop { time: ns(1), request: id(0), wire: 4, bytes: 8.0 },
        arrived(1, 2),
        Record::Sent { time: ns(3), request: id(1), site },
        Record::Queued { time: ns(3), request: id(1), site },
        Record::Queued { time: ns(4), request: id(0), site },
        Record::Launched { time: ns(6), site, order, model, variant, batch, requests, picked: false },
        member(0),
        member(1),
        start(7, 0, 4),
        start(8, 1, 2),
        Record::Lost {
            time: ns(9),
            request: id(1),
            asked: asked(arrived(1, 2)),
            reason: Loss::Late,
            begun: true,
        },
        finish(10, 1, 8),
        finish(12, 0, 7),
        Record::Served { time: ns(12), request: id(0), site },
        Record::Hop { time: ns(12), request: id(0), wire: 5, bytes: 8.0 },
        Record::Answered {
            time: ns(15),
            request: id(0),
            asked: asked(arrived(0, 0)),
            site,
            variant,
            batch,
            accuracy: 1.0,
        },
        Record::End { time: ns(15) },
    ]
}

fn record(out: &mut dyn Recorder) {
    story().iter().for_each(|record| out.record(record, Origin { place: 0, measured: true }));
}

#[test]
fn a_request_of_an_order_has_its_layers_in_its_account() {
    let mut shares = MemberShares::default();
    record(&mut shares);
    // 0 waits for 7 + 3 and is busy for 5; its layers take 5 + 2, of which 1 is beyond c1: 5000 / 7 ps.
    let busy = Shares { waiting: ns(10), running: Time(5 * NS - 714), slowed: Time(714) };
    assert_eq!(shares.of(RequestId(0)), busy);
    // 1 waits for 5, and layers ran for 2 of what is left.
    assert_eq!(shares.of(RequestId(1)), Shares { waiting: ns(5), running: ns(2), ..Shares::default() });
}

#[test]
fn steps_follow_one_another() {
    let mut steps = Steps::default();
    record(&mut steps);
    let order = Some(OrderOf { number: 3, requests: 2, booked_to: RequestId(0) });
    let told: Vec<_> = steps
        .into_rows()
        .into_iter()
        .map(|row| (row.request.0, row.step, row.start.0 / NS, row.end.map(|end| end.0 / NS), row.order))
        .collect();
    let wanted = [
        (0, Step::Dispatch, 0, Some(1), None),
        (0, Step::There(4), 1, Some(4), None),
        (0, Step::Queue, 4, Some(6), None),
        (0, Step::Service, 6, Some(12), order),
        (0, Step::Back(5), 12, Some(15), None),
        (1, Step::Dispatch, 2, Some(3), None),
        (1, Step::Queue, 3, Some(6), None),
        (1, Step::Service, 6, None, order),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn requests_that_are_not_measured_leave_no_steps() {
    let mut steps = Steps::default();
    story().iter().for_each(|record| steps.record(record, Origin { place: 0, measured: false }));
    assert!(steps.into_rows().is_empty());
}
