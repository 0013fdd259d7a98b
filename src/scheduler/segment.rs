//! The earliest finish of a *request*, not of a layer. Until the next decision the layers of a request stay on the
//! accelerator that it is given (they are sticky); after it they may run at their best. With a segment S of layers from
//! the sub-job on, until the next decision: finish(m) = start(m) + sum over S of c1\[m\] + R_best outside S.

use super::placing::Placing;
use crate::sim::{SubJobView, View};
use crate::units::Time;

/// The accelerator chosen for a sub-job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Choice {
    /// When the request would be done.
    pub(super) finish: Time,
    /// The accelerator, by number.
    pub(crate) accelerator: usize,
    /// When the accelerator would have finished the segment.
    pub(crate) busy_until: Time,
}

/// The accelerator with the earliest finish of the request, and the number of (layer, accelerator) pairs visited. A
/// segment is not followed if its first layer already rules it out: every further layer adds c1\[m\] - its best c1 >=
/// 0.
pub(super) fn earliest_request_finish(placing: &Placing, view: &View, sub: &SubJobView) -> (Choice, u64) {
    let job = view.job_of(sub);
    let after = job.unstarted_best - view.network_of(job).best_alone[sub.id.layer as usize];
    let (mut earliest, mut visited) = (None::<Choice>, 0);
    for (accelerator, &alone) in view.alone_on_each(sub).iter().enumerate() {
        visited += 1;
        let start = placing.start(view, sub, accelerator);
        let least = start.saturating_add(alone).saturating_add(after);
        if earliest.is_some_and(|earliest| least > earliest.finish) {
            continue;
        }
        if let Some((choice, layers)) = request_finish(view, sub, accelerator, start) {
            visited += layers - 1;
            earliest = earliest.map_or(Some(choice), |earliest| Some(earliest.min(choice)));
        }
    }
    (earliest.expect("some accelerator runs every layer"), visited)
}

/// The accelerator with the least product of a factor and the time from now until the request would be done there, less the
/// best-case work after the sub-job, ties to the lower number; and the number of (layer, accelerator) pairs visited. With
/// factors of 1 it is the earliest finish of the request.
pub(crate) fn least_cost(
    placing: &Placing,
    view: &View,
    sub: &SubJobView,
    factor: impl Fn(usize) -> f64,
) -> (Choice, u64) {
    let job = view.job_of(sub);
    let after = job.unstarted_best - view.network_of(job).best_alone[sub.id.layer as usize];
    let (mut least, mut visited) = (None::<(f64, Choice)>, 0);
    for accelerator in 0..view.accelerators().len() {
        let start = placing.start(view, sub, accelerator);
        let Some((choice, layers)) = request_finish(view, sub, accelerator, start) else { continue };
        visited += layers;
        let cost = (choice.finish - view.now() - after).as_ps() * factor(accelerator);
        if least.is_none_or(|(least, _)| cost < least) {
            least = Some((cost, choice));
        }
    }
    (least.expect("some accelerator runs every layer").1, visited)
}

/// The finish with the sub-job on an accelerator, and how many layers would run there; `None` where it cannot run.
fn request_finish(view: &View, sub: &SubJobView, accelerator: usize, start: Time) -> Option<(Choice, u64)> {
    let segment = Segment::of(view, sub, accelerator, start)?;
    let rest = view.job_of(sub).unstarted_best.saturating_sub(segment.best);
    let finish = segment.end + rest;
    Some((Choice { finish, accelerator, busy_until: segment.end }, segment.layers))
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
        // Without periodic decisions a segment is the sub-job alone.
        let tick = view.next_decision().unwrap_or(Time::ZERO);
        let mut layer = sub.id.layer;
        let mut segment = Self { layers: 0, end: start, best: Time::ZERO };
        loop {
            let alone = network.alone(layer)[accelerator];
            if alone == Time::MAX {
                break;
            }
            segment.layers += 1;
            segment.end += alone;
            segment.best += network.best_alone[layer as usize];
            if segment.end >= tick {
                break;
            }
            match network.successors[layer as usize].first() {
                Some(&next) => layer = next,
                None => break,
            }
        }
        (segment.layers > 0).then_some(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Case, Script, Size};
    use crate::sim::{Decision, Scheduler, run};

    /// The slow twin follows every segment.
    #[test]
    fn the_earliest_finish_is_the_least_of_all() {
        let mut chosen = 0;
        for seed in 0..60 {
            let case = Case::new(seed, Size { accelerators: 5, networks: 3, layers: 12, requests: 30 });
            let (mut placing, mut chaos) = (Placing::default(), case.chaos());
            let mut scheduler = Script(|view: &View, out: &mut Decision| {
                placing.reset(view);
                for sub in view.sub_jobs() {
                    let (choice, _) = earliest_request_finish(&placing, view, sub);
                    let all = (0..5).filter_map(|accelerator| {
                        request_finish(view, sub, accelerator, placing.start(view, sub, accelerator))
                    });
                    assert_eq!(Some(choice), all.map(|(choice, _)| choice).min(), "seed {seed}");
                    placing.occupy(choice.accelerator, choice.busy_until);
                    chosen += 1;
                }
                chaos.decide(view, out);
            });
            run(case.engine(), &mut scheduler, &mut ()).expect("chaos is legal");
        }
        assert!(chosen > 10_000, "{chosen}");
    }
}
