//! `etf`, earliest task first, also called min-min: of all open sub-jobs the one with the smallest earliest finish is
//! placed on that accelerator, and so on with the rest. Requests past their deadline come after all others.
//!
//! Its sibling `max_min` places the one whose earliest finish is the latest ([`Rounds`] serves both).

use super::placing::{Placing, is_late, missed};
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "etf",
    doc: "repeatedly the sub-job with the smallest earliest finish, on that accelerator (min-min)",
    source: "Hwang et al., SIAM J. Computing 1989; min-min of Braun et al., JPDC 2001; in DS3",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Etf::default()))
    },
};

#[derive(Default)]
struct Etf {
    rounds: Rounds,
}

impl Scheduler for Etf {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rounds.place(view, out, |finish| finish);
    }
}

/// Places one sub-job after the other. The buffers are kept between decisions.
#[derive(Default)]
pub(super) struct Rounds {
    placing: Placing,
    waiting: Vec<Waiting>,
}

struct Waiting {
    sub: usize,
    /// The deadline, if it has passed.
    late: Option<Time>,
    accelerator: usize,
    finish: Time,
}

impl Rounds {
    /// Places the sub-job with the smallest `key` of its earliest finish, until all are placed. Late sub-jobs come
    /// after the others, by deadline; ties are in the order of the view. Counts its comparisons.
    pub(super) fn place<K: Ord>(&mut self, view: &View, out: &mut Decision, key: impl Fn(Time) -> K) {
        let Self { placing, waiting } = self;
        let (subs, accelerators) = (view.sub_jobs(), view.accelerators().len() as u64);
        placing.reset(view);
        let mut rank = 0;
        for late in [false, true] {
            waiting.clear();
            for (i, sub) in subs.iter().enumerate().filter(|(_, sub)| is_late(view, sub) == late) {
                if late && placing.is_full(view) {
                    placing.postpone(view, out, sub, subs.len());
                } else {
                    let (accelerator, finish) = placing.earliest_finish(view, sub);
                    waiting.push(Waiting { sub: i, late: missed(view, sub), accelerator, finish });
                    out.operations.comparisons += accelerators;
                }
            }
            while let Some(first) = (0..waiting.len()).min_by_key(|&i| {
                let Waiting { sub, late, finish, .. } = waiting[i];
                (late, key(finish), sub)
            }) {
                out.operations.comparisons += waiting.len() as u64;
                if late && placing.is_full(view) {
                    waiting.iter().for_each(|left| placing.postpone(view, out, &subs[left.sub], rank));
                    break;
                }
                let Waiting { sub, accelerator, .. } = waiting.swap_remove(first);
                placing.put(view, out, &subs[sub], accelerator, rank);
                rank += 1;
                // Only sub-jobs that would have gone to this accelerator can have another earliest finish now.
                for waiting in waiting.iter_mut().filter(|waiting| waiting.accelerator == accelerator) {
                    (waiting.accelerator, waiting.finish) = placing.earliest_finish(view, &subs[waiting.sub]);
                    out.operations.comparisons += accelerators;
                }
            }
        }
    }
}
