//! The teacher that `relmas` imitates before it learns from rewards: earliest deadline first, each sub-job on the
//! accelerator where it finishes first, and requests that cannot meet their deadline wait. Its actions have the form of
//! the policy's.

use super::observation::{Observation, outputs};
use crate::scheduler::Placing;
use crate::sim::View;
use crate::units::Time;

/// The teacher, with buffers that it keeps between actions.
#[derive(Debug, Default)]
pub(crate) struct Teacher {
    placing: Placing,
    /// Rows and sub-jobs; those without hope come last.
    order: Vec<(bool, usize, usize)>,
}

impl Teacher {
    /// The action to a view, as [`decode`](super::observation::decode) takes it.
    pub(crate) fn act(&mut self, view: &View, observation: &Observation, out: &mut Vec<f32>) {
        let (subs, now) = (view.sub_jobs(), view.now());
        let wide = outputs(view.accelerators().len());
        out.clear();
        out.resize(subs.len() * wide, -LARGEST);
        self.placing.reset(view);
        // Rows are in the order of deadlines.
        self.order.clear();
        self.order.extend(observation.sub_jobs().enumerate().map(|(row, sub)| {
            let job = view.job_of(&subs[sub]);
            (now.saturating_add(job.shortest_left) > job.deadline, row, sub)
        }));
        self.order.sort_unstable();
        for &(is_hopeless, row, sub) in &self.order {
            let (sub, row) = (&subs[sub], &mut out[row * wide..][..wide]);
            if is_hopeless {
                row[wide - 1] = LARGEST;
            } else {
                row[0] = LARGEST * urgency(view.job_of(sub).deadline - now);
            }
            let (best, earliest) = self.placing.earliest_finish(view, sub);
            let alone = view.alone_on_each(sub);
            let scores = row[1..wide - 1].iter_mut().enumerate();
            for (m, score) in scores.filter(|(m, _)| alone[*m] < Time::MAX) {
                let later = self.placing.start(view, sub, m) + alone[m] - earliest;
                *score = LARGEST * (1.0 - 2.0 * (later.as_ps() / alone[best].as_ps()) as f32).max(-1.0);
            }
            if !is_hopeless {
                self.placing.occupy(best, earliest);
            }
        }
    }
}

/// The largest number of its actions: what a tanh reaches with its slope alive. Our choice.
const LARGEST: f32 = 0.8;

/// The urgency for a remaining time: from 1 at 10 us to -0.9 at 100 ms, linear in the logarithm of the time.
fn urgency(left: Time) -> f32 {
    let decades = (left.as_ps() as f32 / 1e7).max(1.0).log10();
    1.0 - 1.9 * (decades / 4.0).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::records;
    use crate::policy::relmas::decode;
    use crate::policy::tiny;
    use crate::sim::Action;

    #[test]
    fn it_sends_what_is_urgent_to_where_it_ends_first() {
        let setup = tiny(3);
        let (mut teacher, mut action) = (Teacher::default(), Vec::new());
        let mut observation = Observation::new(&setup.world);
        let made = records(&setup.world, &setup.trace.requests, setup.rules, |view, out| {
            observation.observe(view);
            teacher.act(view, &observation, &mut action);
            for row in action.chunks(4) {
                // 10 ns on one accelerator, 80 on the other; 50 ns are left, and 10 us count as no time.
                assert_eq!(row, [0.8, 0.8, -0.8, -0.8]);
            }
            decode(view, &observation, &action, out);
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
