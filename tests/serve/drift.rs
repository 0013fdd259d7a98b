//! Links and sites that change while requests are under way: exact round trips, and who knows of it.

use std::sync::Arc;

use mascot::check::Serving;
use mascot::serve::{Record, Recorder, Wire, WireChange, WireSharing};
use mascot::sim::{self, Change, Drift, Losing, Origin};
use mascot::units::Time;

use super::common::{CLIENT, ClientPlan, ModelPlan, NO_LINK, Plan, SitePlan, composed, requests};

type Records = Vec<(Record, Origin)>;

/// A site that answers after a picosecond behind a link of 1 byte/ps and a delay of 50 ps, for messages of 100 bytes.
fn plan(sharing: WireSharing, changes: Vec<WireChange>) -> Plan {
    let link = Wire { bytes_per_ps: 1.0, delay: Time(50), sharing };
    let site = SitePlan {
        accelerators: 2,
        slots: u32::MAX,
        links: [vec![link], vec![NO_LINK]],
        ..SitePlan::behind(NO_LINK)
    };
    let client = ClientPlan { bytes: [100.0, 0.0], ..CLIENT };
    let model = ModelPlan::new(&[1], &[("only", 1.0, &[1])]);
    Plan { clients: vec![client], changes, ..Plan::new(vec![site], model) }
}

fn change(at: u64, bytes_per_ps: Option<f64>, delay: Option<u64>) -> WireChange {
    WireChange { at: Time(at), wire: 0, bytes_per_ps, delay: delay.map(Time) }
}

/// When each request is answered, in the order of the requests.
fn answers(plan: &Plan, arrivals: &[u64]) -> Vec<u64> {
    let trace = requests(arrivals.iter().map(|&at| (0, at, u64::MAX)));
    let log = plan.run(trace, &mut composed("closest", "best", "single", 1));
    let mut answers = vec![0; arrivals.len()];
    for (record, _) in &log.0 {
        if let Record::Answered { time, request, .. } = record {
            answers[request.0 as usize] = time.0;
        }
    }
    answers
}

const ALL: [WireSharing; 3] = [WireSharing::Ps, WireSharing::Fifo, WireSharing::None];

#[test]
fn one_message_takes_the_rate_and_the_delay_of_its_time() {
    for sharing in ALL {
        let answer = |changes| answers(&plan(sharing, changes), &[0])[0];
        assert_eq!(answer(vec![]), 151, "{sharing:?}: 100 sent, 50 of delay, 1 of service");
        assert_eq!(answer(vec![change(0, Some(0.5), None)]), 251, "{sharing:?}");
        // 60 bytes are left at 40 ps.
        assert_eq!(answer(vec![change(40, Some(0.5), None)]), 40 + 120 + 51, "{sharing:?}");
        assert_eq!(answer(vec![change(40, Some(2.0), None)]), 40 + 30 + 51, "{sharing:?}");
        let there_and_back = vec![change(40, Some(0.5), None), change(60, Some(1.0), None)];
        assert_eq!(answer(there_and_back), 40 + 20 + 50 + 51, "{sharing:?}");
        // What is not through yet takes the new delay; what propagates has left.
        assert_eq!(answer(vec![change(40, None, Some(70))]), 171, "{sharing:?}");
        assert_eq!(answer(vec![change(100, None, Some(70))]), 171, "{sharing:?}");
        assert_eq!(answer(vec![change(101, None, Some(70))]), 151, "{sharing:?}");
        assert_eq!(answer(vec![change(101, None, Some(70)), change(102, None, Some(9))]), 151, "{sharing:?}");
    }
}

#[test]
fn messages_share_what_the_link_has_become() {
    let at = |sharing, change| answers(&plan(sharing, vec![change]), &[0, 0]);
    // Shared: each has 80 bytes left at 40 ps, and 0.25 bytes/ps.
    assert_eq!(at(WireSharing::Ps, change(40, Some(0.5), None)), [40 + 320 + 51; 2]);
    // One after the other: 60 bytes at half the rate, then 100.
    assert_eq!(at(WireSharing::Fifo, change(40, Some(0.5), None)), [40 + 120 + 51, 40 + 320 + 51]);
    assert_eq!(at(WireSharing::None, change(40, Some(0.5), None)), [40 + 120 + 51; 2]);
    // A message after the change queues behind what is left.
    let later = answers(&plan(WireSharing::Fifo, vec![change(40, Some(0.5), None)]), &[0, 50]);
    assert_eq!(later, [40 + 120 + 51, 160 + 200 + 51]);
}

#[test]
fn a_link_between_sites_delays_the_answer_as_it_does_the_request() {
    let mut both = plan(WireSharing::Ps, vec![]);
    both.sites[0].links[1] = vec![Wire { bytes_per_ps: 1.0, delay: Time(50), sharing: WireSharing::Ps }];
    both.clients[0].bytes = [100.0, 100.0];
    assert_eq!(answers(&both, &[0]), [301]);
    // Three times the delay there and back for what is sent after the change.
    both.changes = vec![change(400, None, Some(150)), WireChange { wire: 1, ..change(400, None, Some(150)) }];
    assert_eq!(answers(&both, &[0, 1_000]), [301, 1_000 + 501]);
}

#[test]
fn a_slower_site_serves_what_is_left_slower_and_a_lost_accelerator_takes_nothing() {
    let mut slow = plan(WireSharing::Ps, vec![]);
    slow.models = vec![ModelPlan::new(&[1], &[("only", 1.0, &[100])])];
    slow.clients[0].bytes = [0.0, 0.0];
    slow.sites[0].links = [vec![NO_LINK], vec![NO_LINK]];
    let speed =
        |at, speed| Change { at: Time(at), speed: Some(speed), bandwidth_bytes_per_ps: None, loss: None };
    slow.drifts = vec![Drift::new(vec![speed(40, 0.5)])];
    assert_eq!(answers(&slow, &[0]), [40 + 120]);
    let world = Arc::clone(&slow.model().sites[0].world);
    let losing = Losing { accelerators: vec![0], world: Arc::new(world.without(&[0]).expect("one is left")) };
    let loss = Change { at: Time(10), speed: None, bandwidth_bytes_per_ps: None, loss: Some(losing) };
    slow.drifts = vec![Drift::new(vec![loss])];
    // Both run to their ends; the two that come later have one accelerator.
    assert_eq!(answers(&slow, &[0, 0, 20, 20]), [100, 100, 200, 300]);
}

#[test]
fn changes_are_told_to_recorders_alone() {
    let mut plan = plan(WireSharing::Ps, vec![change(40, Some(0.5), Some(70))]);
    plan.drifts = vec![Drift::new(vec![Change {
        at: Time(60),
        speed: Some(0.5),
        bandwidth_bytes_per_ps: None,
        loss: None,
    }])];
    let log = plan.run(requests([(0, 0, u64::MAX)]), &mut composed("closest", "best", "single", 1));
    let told: Vec<Record> = log.0.iter().map(|(record, _)| *record).filter(is_drift).collect();
    let bandwidth_bytes_per_ps = f64::INFINITY;
    let of_site = sim::Record::Drift { time: Time(60), speed: 0.5, bandwidth_bytes_per_ps, lost: 0 };
    let of_link = Record::Drift { time: Time(40), wire: 0, bytes_per_ps: 0.5, delay: Time(70) };
    assert_eq!(told, [of_link, Record::Site { site: 0, record: of_site }]);
    let model = plan.model();
    assert_eq!(model.wire_at(0, Time(39)), model.wires[0]);
    assert_eq!(model.wire_at(0, Time(40)).delay, Time(70));
}

fn is_drift(record: &Record) -> bool {
    matches!(record, Record::Drift { .. } | Record::Site { record: sim::Record::Drift { .. }, .. })
}

/// The first violation that an independent account finds in the records.
fn violation(plan: &Plan, records: &[(Record, Origin)]) -> String {
    let model = plan.model();
    let mut account = Serving::new(&model);
    records.iter().for_each(|(record, origin)| account.record(record, *origin));
    account.verdict().err().unwrap_or_default()
}

#[test]
fn changes_that_are_told_wrongly_or_not_obeyed_are_found() {
    let plan = plan(WireSharing::Ps, vec![change(40, Some(0.5), Some(70))]);
    let log = plan
        .run(requests([(0, 0, u64::MAX), (0, 500, u64::MAX)]), &mut composed("closest", "best", "single", 1));
    assert_eq!(violation(&plan, &log.0), "");
    let tampered = |tamper: &dyn Fn(&mut Records)| {
        let mut records = log.0.clone();
        tamper(&mut records);
        violation(&plan, &records)
    };
    let place = log.0.iter().position(|(record, _)| is_drift(record)).expect("a link changes");
    let without = tampered(&|records| {
        records.remove(place);
    });
    assert!(without.contains("a link changes at 40 ps"), "{without}");
    let twice = tampered(&|records| records.insert(place, records[place]));
    assert!(twice.contains("the next change of a link is due at 18446744073709551615 ps"), "{twice}");
    let other = tampered(&|records| {
        if let Record::Drift { delay, .. } = &mut records[place].0 {
            *delay = Time(71);
        }
    });
    assert!(other.contains("it becomes Wire"), "{other}");
    // Nothing can be faster than the link has ever been: 100 ps to send and 50 of delay, less a picosecond.
    let early = tampered(&|records| {
        for (record, _) in records.iter_mut().skip(place) {
            match record {
                Record::Queued { time, request, .. } if request.0 == 1 => *time = Time(648),
                _ => {}
            }
        }
    });
    assert!(early.contains("the way takes 149 ps at least, not 148"), "{early}");
}
