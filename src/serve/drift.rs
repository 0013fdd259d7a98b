//! Links that change during a run: the first event of an instant.

use std::cmp::Reverse;

use super::Recorder;
use super::fleet::{Event, Fleet};
use super::record::Record;
use super::requests::Stage;
use super::static_model::{Hop, Wire, WireSharing};
use crate::sim::{Origin, RequestId};
use crate::units::Time;

impl Fleet {
    /// When the next link changes; [`Time::MAX`] if none does.
    pub(super) fn next_change(&self) -> Time {
        self.model.changes.get(self.changed).map_or(Time::MAX, |change| change.at)
    }

    /// Makes the changes of links that are due now.
    pub(super) fn change_wires(&mut self, out: &mut dyn Recorder) {
        while self.next_change() == self.now {
            let change = self.model.changes[self.changed];
            self.changed += 1;
            let wire = change.of(self.wires[change.wire as usize]);
            self.change_wire(change.wire, wire);
            let Wire { bytes_per_ps, delay, .. } = wire;
            let told = Record::Drift { time: self.now, wire: change.wire, bytes_per_ps, delay };
            out.record(&told, Origin::NONE);
        }
    }

    /// What is left of the messages on a wire is sent at its new rate.
    fn change_wire(&mut self, hop: Hop, new: Wire) {
        let old = std::mem::replace(&mut self.wires[hop as usize], new);
        let traffic = &mut self.traffic[hop as usize];
        if old.sharing == WireSharing::Ps {
            traffic.advance(&old, self.now);
            return self.announce_through(hop);
        }
        // Messages that do not share have their ends already: what is left stretches by the ratio of the rates.
        let (now, ratio) = (self.now, old.bytes_per_ps / new.bytes_per_ps);
        traffic.busy_until = stretched(traffic.busy_until, now, ratio);
        for Reverse((time, event, number)) in std::mem::take(&mut self.events).into_vec() {
            let sent = match event {
                Event::Hop { request } => self.being_sent(request, hop).map(|end| stretched(end, now, ratio)),
                _ => None,
            };
            if let (Event::Hop { request }, Some(through)) = (event, sent) {
                self.requests.get_mut(request).expect("it is being sent").through = through;
            }
            self.events.push(Reverse((sent.map_or(time, |through| through + new.delay), event, number)));
        }
    }

    /// When a message is through a wire, if it is still being sent there.
    fn being_sent(&self, id: RequestId, hop: Hop) -> Option<Time> {
        let message = self.requests.get(id)?;
        let [there, back] = self.model.clients[message.asked.tenant as usize].ways[message.site].as_ref()?;
        let way = match message.stage {
            Stage::There => there,
            Stage::Back => back,
            Stage::AtNode | Stage::Queued | Stage::InService(_) => return None,
        };
        (way.get(message.hop) == Some(&hop) && message.through >= self.now).then_some(message.through)
    }
}

/// An end of sending, of which what is left from now on takes another time.
fn stretched(end: Time, now: Time, ratio: f64) -> Time {
    match end > now {
        true => now + Time::from_ps_ceil((end - now).as_ps() * ratio),
        false => end,
    }
}
