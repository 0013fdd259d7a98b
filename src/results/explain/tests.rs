//! A request by hand.

use super::{Asked, Cause, Ran, explained};
use crate::units::Time;

const MS: u64 = 1_000_000_000;

fn asked() -> Asked {
    Asked {
        cell: Vec::new(),
        request: 7,
        tenant: "camera".into(),
        network: "net".into(),
        priority: "1".into(),
        qos: "M".into(),
        arrival: Time(10 * MS),
        deadline: Time(30 * MS),
        finish: Some(Time(36 * MS)),
        is_dropped: false,
        end: Time(36 * MS),
        loss: String::new(),
        isolated: Time(9 * MS),
        waiting: Time(14 * MS),
        running: Time(10 * MS),
        slowed: Time(2 * MS),
    }
}

/// A run of a layer of `request` on an accelerator, queued, started and ended at these milliseconds.
fn ran(request: u64, accelerator: &str, [queued, start, end, alone]: [u64; 4]) -> Ran {
    Ran {
        request,
        tenant: format!("tenant-{request}"),
        network: "other".into(),
        layer: "layer".into(),
        accelerator: accelerator.into(),
        ready: Time(queued * MS),
        decided: Time((queued - 1) * MS),
        assigned: Time(queued * MS),
        queued: Time(queued * MS),
        start: Time(start * MS),
        end: Time(end * MS),
        alone: Time(alone * MS),
        dram_bytes: 60.0,
    }
}

/// Arrives at 10, is queued on m0 at 12, runs there from 20 to 26 (alone 5), waits for m1 from 26 to 30, and runs to 36
/// (alone 5). Before it, 1 runs on m0 to 18 and 2 to 20; 3 runs on m1 from 15 to 30.
fn runs() -> Vec<Ran> {
    vec![
        ran(1, "m0", [5, 5, 18, 13]),
        ran(2, "m0", [11, 18, 20, 2]),
        ran(7, "m0", [12, 20, 26, 5]),
        ran(3, "m1", [15, 15, 30, 15]),
        ran(7, "m1", [26, 30, 36, 5]),
        ran(4, "m0", [26, 33, 39, 6]),
    ]
}

#[test]
fn waits_are_divided_into_decisions_and_queues_behind_others() {
    let explanation = explained(asked(), runs(), None);
    let times = |wait: &super::Wait| {
        [wait.from, wait.to, wait.unassigned, wait.deciding, wait.queue].map(|time| time.0 / MS)
    };
    let waits: Vec<_> = explanation.waits.iter().map(times).collect();
    assert_eq!(waits, [[10, 20, 1, 1, 8], [26, 30, 0, 0, 4]]);
    let uses =
        |of: &[super::Use]| -> Vec<(u64, u64)> { of.iter().map(|of| (of.request, of.time.0 / MS)).collect() };
    assert_eq!(uses(&explanation.waits[0].ahead), [(1, 6), (2, 2)]);
    // Until it was queued at 12 request 1 ran there, too; 3 ran on m1 from 15 on.
    let meanwhile = explanation.waits[0].meanwhile.iter().map(|of| (of.tenant.as_str(), of.time.0 / MS));
    assert_eq!(meanwhile.collect::<Vec<_>>(), [("tenant-3", 5), ("tenant-1", 2)]);
    assert_eq!(uses(&explanation.waits[1].ahead), [(3, 4)]);
    let behind = ("tenant-1".to_string(), "other".to_string(), Time(6 * MS));
    assert_eq!(explanation.cause, Cause::Queues(Time(12 * MS), Some(behind)));
}

#[test]
fn bytes_of_others_count_while_its_slowed_layers_ran() {
    let explanation = explained(asked(), runs(), None);
    // 3 moves 60 bytes in 15 ms, of which 6 beside the first layer; 4 moves 60 in 6 ms, of which 3 beside the second.
    let moved: Vec<(u64, f64)> = explanation.moved.iter().map(|of| (of.request, of.bytes.round())).collect();
    assert_eq!(moved, [(4, 30.0), (3, 24.0)]);
    assert_eq!(explanation.decisions.len(), 2);
}

#[test]
fn the_largest_part_is_the_cause() {
    let cause = |change: fn(&mut Asked)| {
        let mut asked = asked();
        change(&mut asked);
        explained(asked, runs(), None).cause
    };
    assert_eq!(cause(|asked| asked.isolated = Time(21 * MS)), Cause::Deadline);
    let by = Some(("tenant-4".to_string(), "other".to_string()));
    assert_eq!(cause(|asked| asked.slowed = Time(13 * MS)), Cause::Slowed(Time(13 * MS), by));
    let mut layers = runs();
    [layers[2].decided, layers[2].assigned, layers[2].queued] = [20, 20, 20].map(|at| Time(at * MS));
    let by = Some(("tenant-1".to_string(), "other".to_string()));
    assert_eq!(explained(asked(), layers, None).cause, Cause::Unassigned(Time(10 * MS), by));
    assert_eq!(cause(|asked| asked.running = Time(30 * MS)), Cause::Accelerators(Time(21 * MS)));
    // Dropped 5 ms after its last layer.
    let dropped = |waiting: u64| {
        let asked =
            Asked { waiting: Time(waiting * MS), end: Time((22 + waiting) * MS), finish: None, ..asked() };
        explained(asked, runs()[..5].to_vec(), None)
    };
    assert_eq!(dropped(19).waits[2].length(), Time(5 * MS));
    assert_eq!(dropped(29).cause, Cause::NeverStarted(Time(15 * MS)));
    let (waiting, slowed, end) = (Time(0), Time(0), Time(19 * MS));
    let alone = Asked { waiting, running: Time(9 * MS), slowed, end, ..asked() };
    assert_eq!(explained(alone, vec![ran(7, "m0", [10, 10, 19, 9])], None).cause, Cause::Nothing);
}

#[test]
fn a_layer_that_still_runs_at_the_end_is_not_waited_for() {
    // Of 42 ms, 14 + 3 are waits by the shares: the last 13 of the 16 after the second layer are those of a layer that ran on.
    let end = Time(52 * MS);
    let asked = Asked { waiting: Time(17 * MS), running: Time(23 * MS), end, finish: None, ..asked() };
    let last = explained(asked, runs(), None).waits.pop().expect("three waits");
    assert_eq!((last.from, last.to, last.before), (Time(36 * MS), Time(39 * MS), None));
}
