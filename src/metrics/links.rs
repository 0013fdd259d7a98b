//! What crossed each link of a fleet within the measurement window: the rows of links.csv.
//!
//! The window is that of accelerators.csv. A message counts when it begins to cross, whether its request is measured or
//! not; one that is under way when the run ends counts as a whole.

use super::context::Window;
use super::{Column, Value};
use crate::serve::{FleetModel, Record, Recorder};
use crate::sim::{self, Origin, RequestId};
use crate::units::Time;

/// The columns of one direction of a link, in order.
pub const LINK_COLUMNS: &[Column<LinkTraffic>] = &[
    Column::undirected("messages", "Messages that began to cross in the window", |link: &LinkTraffic| {
        Value::Count(link.messages)
    }),
    Column::undirected("bytes", "Their bytes", |link| Value::Real(link.bytes)),
    Column::undirected(
        "utilization",
        "Bytes over what the bandwidth carries in the window; above 1 only where transfers do not share a link (`none`), \
         or more began than ended",
        |link| Value::per(link.bytes, link.bytes_per_ps * link.window.as_ps()),
    ),
];

/// The fold behind links.csv.
pub struct Links {
    window: Window,
    wires: Vec<LinkTraffic>,
}

/// The totals of one direction of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkTraffic {
    messages: u64,
    /// Bytes that began to cross in the window.
    pub bytes: f64,
    bytes_per_ps: f64,
    /// Length of the window; zero until the run ends.
    window: Time,
}

impl Links {
    /// An empty fold.
    pub fn new(model: &FleetModel) -> Self {
        let of = |bytes_per_ps| LinkTraffic { messages: 0, bytes: 0.0, bytes_per_ps, window: Time::ZERO };
        Self { window: Window::new(), wires: model.wires.iter().map(|wire| of(wire.bytes_per_ps)).collect() }
    }

    /// The totals of each wire of the fleet.
    pub fn into_wires(self) -> Vec<LinkTraffic> {
        self.wires
    }
}

impl Recorder for Links {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrived { request: RequestId(id), asked, .. } => {
                let job = sim::JobId(id);
                let arrival = sim::Record::Arrival { request: RequestId(id), job, asked, after: None };
                self.window.follow(&arrival, origin);
            }
            Record::Hop { time, wire, bytes, .. } if self.window.has_begun_by(time) => {
                let of = &mut self.wires[wire as usize];
                of.messages += 1;
                of.bytes += bytes;
            }
            Record::End { time } => {
                self.window.follow(&sim::Record::End { time }, origin);
                self.wires.iter_mut().for_each(|wire| wire.window = self.window.length());
            }
            _ => {}
        }
    }
}
