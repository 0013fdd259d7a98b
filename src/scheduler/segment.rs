//! The earliest finish of a *request*, not of a layer. Until the next decision the layers of a request stay on the
//! accelerator that it is given (they are sticky); after it they may run at their best. With a segment S of layers from
//! the sub-job on, until the next decision: finish(m) = start(m) + sum over S of c1\[m\] + R_best outside S.

use super::placing::Placing;
use crate::sim::{SubJobView, View};
use crate::units::Time;

/// Where a sub-job shall run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Choice {
    /// When the request is done.
    pub(crate) finish: Time,
    /// Where.
    pub(crate) accelerator: usize,
    /// When the accelerator has done the segment.
    pub(crate) busy_until: Time,
}

/// The accelerator with the earliest finish of the request, and how many (layer, accelerator) pairs it took.
pub(super) fn earliest_request_finish(placing: &Placing, view: &View, sub: &SubJobView) -> (Choice, u64) {
    let mut visited = 0;
    let options = request_finishes(placing, view, sub).map(|(choice, layers)| {
        visited += layers;
        choice
    });
    (options.min().expect("some accelerator runs every layer"), visited)
}

/// Every accelerator that can run the sub-job, and how many layers would run there.
pub(crate) fn request_finishes(
    placing: &Placing,
    view: &View,
    sub: &SubJobView,
) -> impl Iterator<Item = (Choice, u64)> {
    (0..view.accelerators().len()).filter_map(move |accelerator| {
        let start = placing.start(view, sub, accelerator);
        let segment = Segment::of(view, sub, accelerator, start)?;
        let rest = view.job_of(sub).unstarted_best.saturating_sub(segment.best);
        let finish = segment.end + rest;
        Some((Choice { finish, accelerator, busy_until: segment.end }, segment.layers))
    })
}

/// The layers that would run on one accelerator before the next decision.
struct Segment {
    layers: u64,
    /// When the last of them ends.
    end: Time,
    /// The sum of their smallest c1.
    best: Time,
}

impl Segment {
    /// Follows the first successor from the sub-job on while the accelerator can run it and the next decision has not
    /// been reached; at least the sub-job itself. `None` where that cannot run.
    fn of(view: &View, sub: &SubJobView, accelerator: usize, start: Time) -> Option<Self> {
        let network = view.network_of(view.job_of(sub));
        let mut layer = sub.id.layer;
        let mut segment = Self { layers: 0, end: start, best: Time::ZERO };
        while let Some(cost) = network.cost(layer, accelerator) {
            segment.layers += 1;
            segment.end += cost.alone;
            segment.best += network.best_alone[layer as usize];
            let next = network.successors[layer as usize].first();
            match (next, view.next_decision()) {
                (Some(&next), Some(tick)) if segment.end < tick => layer = next,
                _ => break,
            }
        }
        (segment.layers > 0).then_some(segment)
    }
}
