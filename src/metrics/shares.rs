//! Where the time of a request goes: waiting, running, slowed. The three add up to it exactly, in picoseconds.
//!
//! The time of a request lasts from its arrival to its end: until it is done or dropped, or until the run ends with it
//! open.
//!
//! | share | meaning |
//! |---|---|
//! | waiting | no layer of it runs: its layers wait for a decision, for the end of a decision's latency, or in the queue of a busy accelerator |
//! | slowed | what its layers take longer than c1, alone on the system: others use the DRAM, conditions drift, or execution times vary |
//! | running | the rest of the time in which a layer of it runs |
//!
//! Where its layers run one after another, the slowed time is the sum over them of time - c1, or 0 where that is negative.
//! Layers that run side by side share the time in which any of them runs: it is divided as the sum of their times is,
//! and the slowed part is rounded down. A layer that still runs at the end counts with its time so far, of which the first
//! c1 is not slowed.

use crate::units::Time;

/// The parts of a request's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// The time in which no layer of it ran.
    pub waiting: Time,
    /// The time in which layers of it ran, without `slowed`.
    pub running: Time,
    /// The part of the time in which layers of it ran by which they exceeded c1.
    pub slowed: Time,
}

/// The account of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// When the number of running layers changed last.
    since: Time,
    running: u32,
    waiting: Time,
    busy: Time,
    /// The sum of the times of its layers, and of what exceeds c1.
    layers: Time,
    excess: Time,
    is_closed: bool,
}

impl Account {
    /// The account of a request that arrives.
    pub(super) fn new(arrival: Time) -> Self {
        let [waiting, busy, layers, excess] = [Time::ZERO; 4];
        Self { since: arrival, running: 0, waiting, busy, layers, excess, is_closed: false }
    }

    /// Whether the request has not ended.
    pub(super) fn is_open(&self) -> bool {
        !self.is_closed
    }

    fn advance(&mut self, now: Time) {
        let part = if self.running > 0 { &mut self.busy } else { &mut self.waiting };
        *part += now - self.since;
        self.since = now;
    }

    /// A layer of it starts.
    pub(super) fn start(&mut self, now: Time) {
        self.advance(now);
        self.running += 1;
    }

    /// A layer of it ends, or is cut off by the end of the request, after a time in place of c1.
    pub(super) fn finish(&mut self, now: Time, took: Time, alone: Time) {
        self.advance(now);
        self.running -= 1;
        self.layers += took;
        self.excess += took.saturating_sub(alone);
    }

    /// The request ends; its layers have ended or are cut off.
    pub(super) fn close(&mut self, now: Time) -> Shares {
        self.advance(now);
        self.is_closed = true;
        let of_all = u128::from(self.layers.0.max(1));
        let slowed = u128::from(self.busy.0) * u128::from(self.excess.0) / of_all;
        let slowed = Time(u64::try_from(slowed).expect("the excess is a part of the layers' times"));
        Shares { waiting: self.waiting, running: self.busy - slowed, slowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_side_by_side_divide_their_time_as_the_sum_of_their_times() {
        // Two layers of c1 8 run from 5 to 15 and from 10 to 23; the request arrives at 2 and ends at 30.
        let mut account = Account::new(Time(2));
        account.start(Time(5));
        account.start(Time(10));
        account.finish(Time(15), Time(10), Time(8));
        account.finish(Time(23), Time(13), Time(8));
        // Busy for 18 of 28; of 10 + 13 they exceed c1 by 2 + 5: 18 x 7 / 23 = 5.48.
        let shares = Shares { waiting: Time(10), running: Time(13), slowed: Time(5) };
        assert_eq!(account.close(Time(30)), shares);
        assert!(!account.is_open());
    }

    #[test]
    fn a_request_of_which_nothing_ran_only_waited() {
        let shares = Account::new(Time(2)).close(Time(9));
        assert_eq!(shares, Shares { waiting: Time(7), ..Shares::default() });
    }

    #[test]
    fn what_is_faster_than_alone_is_not_slowed() {
        let mut account = Account::new(Time(0));
        account.start(Time(0));
        account.finish(Time(4), Time(4), Time(8));
        assert_eq!(account.close(Time(4)), Shares { running: Time(4), ..Shares::default() });
    }
}
