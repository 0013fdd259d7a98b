//! A link at work: which messages are on it, and when the next is through.
//!
//! Under processor sharing all messages progress at the same rate, so a message is through when the progress of the link
//! since it came, in bytes per message, has reached its size. The message with the smallest target is the next; others
//! that come or go move the time, never the order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::static_model::{Wire, WireSharing};
use crate::sim::RequestId;
use crate::units::Time;

/// Messages closer to their targets than this many bytes are through: ends are rounded up to a picosecond, and sums of
/// shares round.
const TOLERANCE_BYTES: f64 = 1e-3;

/// The state of a link.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    /// Progress per message in bytes since the link was last empty.
    progress: f64,
    /// When that progress was reached.
    at: Time,
    /// The targets of the messages on the link, as bits of non-negative numbers, which order like them.
    under_way: BinaryHeap<Reverse<(u64, RequestId)>>,
    /// When the last message is through, under `fifo`.
    pub(super) busy_until: Time,
}

impl Traffic {
    /// Puts a message on the link. Returns when it is through, unless that depends on what comes: then
    /// [`Self::next_end`] changes.
    pub(super) fn send(&mut self, wire: &Wire, request: RequestId, bytes: f64, now: Time) -> Option<Time> {
        match wire.sharing {
            _ if wire.bytes_per_ps.is_infinite() || bytes == 0.0 => Some(now),
            WireSharing::None => Some(now + wire.sending(bytes)),
            WireSharing::Fifo => {
                self.busy_until = self.busy_until.max(now) + wire.sending(bytes);
                Some(self.busy_until)
            }
            WireSharing::Ps => {
                self.advance(wire, now);
                self.under_way.push(Reverse(((self.progress + bytes).to_bits(), request)));
                None
            }
        }
    }

    /// When the next message is through if nothing comes; [`Time::MAX`] if none is under way.
    pub(super) fn next_end(&self, wire: &Wire) -> Time {
        let Some(&Reverse((target, _))) = self.under_way.peek() else { return Time::MAX };
        let left = (f64::from_bits(target) - self.progress).max(0.0);
        let ps = left * self.under_way.len() as f64 / wire.bytes_per_ps;
        Time(self.at.0 + ps.ceil() as u64)
    }

    /// Takes a message that is through now.
    pub(super) fn take(&mut self, wire: &Wire, now: Time) -> Option<RequestId> {
        self.advance(wire, now);
        let &Reverse((target, request)) = self.under_way.peek()?;
        if f64::from_bits(target) > self.progress + TOLERANCE_BYTES.max(wire.bytes_per_ps) {
            return None;
        }
        self.under_way.pop();
        if self.under_way.is_empty() {
            self.progress = 0.0;
        }
        Some(request)
    }

    /// Brings the progress up to date, at the rate of the wire until now.
    pub(super) fn advance(&mut self, wire: &Wire, now: Time) {
        if !self.under_way.is_empty() {
            let share = wire.bytes_per_ps / self.under_way.len() as f64;
            self.progress += (now - self.at).as_ps() * share;
        }
        self.at = now;
    }
}
