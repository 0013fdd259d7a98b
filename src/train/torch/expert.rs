//! The expert that `relmas` imitates before it learns from rewards: earliest deadline first, requests that cannot meet
//! theirs last, each sub-job on the accelerator where it finishes first. Its actions have the form of the policy's, so
//! that its decisions fill the same replay buffer.

use crate::policy::outputs;
use crate::scheduler::Placing;
use crate::sim::View;
use crate::units::Time;

/// The expert, with buffers that it keeps between actions.
#[derive(Debug, Default)]
pub(super) struct Expert {
    placing: Placing,
    /// Sub-jobs by urgency.
    order: Vec<(bool, Time, usize)>,
}

impl Expert {
    /// The action to a view, as [`decode`](crate::policy::decode) takes it.
    pub(super) fn act(&mut self, view: &View, out: &mut Vec<f32>) {
        let (subs, now) = (view.sub_jobs(), view.now());
        let wide = outputs(view.accelerators().len());
        out.clear();
        out.resize(subs.len() * wide, -1.0);
        self.placing.reset(view);
        self.order.clear();
        self.order.extend(subs.iter().enumerate().map(|(i, sub)| {
            let job = view.job_of(sub);
            (now.saturating_add(job.shortest_left) > job.deadline, job.deadline, i)
        }));
        self.order.sort_unstable();
        for &(hopeless, deadline, i) in &self.order {
            let (sub, row) = (&subs[i], &mut out[i * wide..][..wide]);
            if !hopeless {
                row[0] = urgency(deadline - now);
            }
            let (best, earliest) = self.placing.earliest_finish(view, sub);
            let alone = view.alone_on_each(sub);
            for (m, score) in row[1..].iter_mut().enumerate().filter(|(m, _)| alone[*m] < Time::MAX) {
                let later = self.placing.start(view, sub, m) + alone[m] - earliest;
                *score = (1.0 - 2.0 * (later.as_ps() / alone[best].as_ps()) as f32).max(-1.0);
            }
            self.placing.occupy(best, earliest);
        }
    }
}

/// The urgency for a remaining time: from 1 at 10 us to -0.9 at 100 ms, linear in the logarithm of the time.
fn urgency(left: Time) -> f32 {
    let decades = (left.as_ps() as f32 / 1e7).max(1.0).log10();
    1.0 - 1.9 * (decades / 4.0).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::records;
    use crate::policy::{decode, tiny};
    use crate::sim::Action;

    #[test]
    fn it_sends_what_is_urgent_to_where_it_ends_first() {
        let setup = tiny(3);
        let (mut expert, mut action) = (Expert::default(), Vec::new());
        let made = records(&setup.world, &setup.trace.requests, setup.rules, |view, out| {
            expert.act(view, &mut action);
            for row in action.chunks(3) {
                // 10 ns on one accelerator, 80 on the other; 50 ns are left, and 10 us count as no time.
                assert_eq!(row, [1.0, 1.0, -1.0]);
            }
            decode(view, &action, out);
            assert!(out.actions.iter().all(|action| matches!(action, Action::Assign { accelerator: 0, .. })));
        });
        assert_eq!(made.iter().filter(|record| record.met() == Some(true)).count(), 3);
    }

    #[test]
    fn urgency_falls_from_one() {
        assert_eq!([Time(0), Time(10_000_000)].map(urgency), [1.0, 1.0]);
        assert!((urgency(Time(1_000_000_000)) - 0.05).abs() < 1e-6);
        assert!((urgency(Time::MAX) + 0.9).abs() < 1e-6);
    }
}
