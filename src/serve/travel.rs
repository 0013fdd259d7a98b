//! Messages on links: requests on their way to a site, and answers on their way back, hop by hop.

use std::cmp::Reverse;

use super::Recorder;
use super::fleet::{Event, Fleet};
use super::record::Record;
use super::requests::{InFlight, Stage};
use super::static_model::Hop;
use crate::sim::RequestId;
use crate::units::Time;

impl Fleet {
    /// Messages that are at the end of a hop now go on.
    pub(super) fn pass_hops(&mut self, out: &mut dyn Recorder) {
        while let Some(&Reverse((time, event, _))) = self.events.peek() {
            if time > self.now || !event.is_on_the_way() {
                return;
            }
            self.events.pop();
            match event {
                Event::Through { wire } => {
                    let of = self.wires[wire as usize];
                    while let Some(request) = self.traffic[wire as usize].take(&of, self.now) {
                        self.announce(self.now + of.delay, Event::Hop { request });
                    }
                    self.announce_through(wire);
                }
                Event::Hop { request } => {
                    if let Some(message) = self.requests.get_mut(request) {
                        message.hop += 1;
                        self.travel(request, out);
                    }
                }
                Event::Decided { .. } | Event::Loaded { .. } | Event::Wake { .. } => {
                    unreachable!("they are not on the way")
                }
            }
        }
    }

    pub(super) fn announce_through(&mut self, wire: Hop) {
        let end = self.traffic[wire as usize].next_end(&self.wires[wire as usize]);
        if end < Time::MAX {
            self.announce(end, Event::Through { wire });
        }
    }

    /// Sends a message on to its next hop, or takes it at the end of its way.
    pub(super) fn travel(&mut self, id: RequestId, out: &mut dyn Recorder) {
        let message = self.requests.get(id).expect("only requests in flight travel");
        let client = &self.model.clients[message.asked.tenant as usize];
        let [there, back] = client.ways[message.site].as_ref().expect("requests go where there is a way");
        let (way, bytes) = match message.stage {
            Stage::There => (there, client.input_bytes),
            _ => (back, client.output_bytes),
        };
        let Some(&wire) = way.get(message.hop) else {
            return match message.stage {
                Stage::There => self.deliver(id, out),
                _ => self.answer(id, out),
            };
        };
        let of = self.wires[wire as usize];
        let crossed = Record::Hop { time: self.now, request: id, wire, bytes };
        out.record(&crossed, message.origin);
        match self.traffic[wire as usize].send(&of, id, bytes, self.now) {
            Some(through) => {
                self.requests.get_mut(id).expect("it is in flight").through = through;
                self.announce(through + of.delay, Event::Hop { request: id });
            }
            None => self.announce_through(wire),
        }
    }

    /// A request is at its site.
    fn deliver(&mut self, id: RequestId, out: &mut dyn Recorder) {
        let request = self.requests.get_mut(id).expect("only requests in flight travel");
        (request.stage, request.queued_at) = (Stage::Queued, self.now);
        let (site, origin) = (request.site, request.origin);
        let model = self.model.clients[request.asked.tenant as usize].model;
        out.record(&Record::Queued { time: self.now, request: id, site }, origin);
        self.sites[site].enqueue(model, id);
        self.hosts.ask(self.model.nodes + site);
    }

    /// An answer is at its node.
    fn answer(&mut self, id: RequestId, out: &mut dyn Recorder) {
        let request = self.requests.remove(id).expect("only requests in flight travel");
        let (InFlight { asked, site, served: (variant, batch), .. }, origin) = (request, request.origin);
        let model = self.model.clients[asked.tenant as usize].model;
        let accuracy = self.model.models[model].variants[variant].accuracy;
        let time = self.now;
        let answered = Record::Answered { time, request: id, asked, site, variant, batch, accuracy };
        out.record(&answered, origin);
        self.end(id, origin, asked.tenant, true);
    }
}
