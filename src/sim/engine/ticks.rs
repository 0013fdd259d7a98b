//! The instants of periodic decisions: the multiples of T_s.

use super::super::Trigger;
use crate::units::Time;

/// Periodic ticks. The next one is kept, so that most events cost a comparison and no division.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// The period; zero if decisions follow events.
    period: Time,
    next: Time,
}

impl Ticks {
    pub(super) fn new(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Periodic(period) => Self { period, next: Time::ZERO },
            Trigger::OnIdle | Trigger::OnChange | Trigger::Never => {
                Self { period: Time::ZERO, next: Time::MAX }
            }
        }
    }

    /// The first tick after the last time given to [`Ticks::pass`]; [`Time::MAX`] if there are none.
    pub(super) fn next(self) -> Time {
        self.next
    }

    /// Advances to `now`; returns whether that is a tick.
    pub(super) fn pass(&mut self, now: Time) -> bool {
        if now < self.next {
            return false;
        }
        if now > self.next {
            self.next = Time(now.0 / self.period.0 * self.period.0);
        }
        let ticks = now == self.next;
        self.next += self.period;
        ticks
    }
}

#[test]
fn ticks_are_the_multiples_of_the_period() {
    let mut ticks = Ticks::new(Trigger::Periodic(Time(10)));
    let passed = [0, 3, 10, 11, 20, 30, 55, 59, 60].map(|now| (ticks.pass(Time(now)), ticks.next().0));
    let fires = [true, false, true, false, true, true, false, false, true];
    let next = [10, 10, 20, 20, 30, 40, 60, 60, 70];
    assert_eq!(passed.to_vec(), fires.into_iter().zip(next).collect::<Vec<_>>());
    assert!(!Ticks::new(Trigger::OnIdle).pass(Time(5)));
}
