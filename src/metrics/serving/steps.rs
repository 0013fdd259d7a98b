//! The way of each measured request of a fleet: the rows of steps.csv.

use std::collections::BTreeMap;

use crate::serve::{Hop, Record, Recorder};
use crate::sim::{Origin, RequestId};
use crate::units::Time;

/// What a request did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It waited at its node for the decision where it goes.
    Dispatch,
    /// It crossed a direction of a link on its way to its site.
    There(Hop),
    /// It stood in the queue of its site.
    Queue,
    /// Its order was in service.
    Service,
    /// Its answer crossed a direction of a link on its way to the node.
    Back(Hop),
}

/// The order that serves a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderOf {
    /// Its number at its site.
    pub number: u32,
    /// The number of requests in it.
    pub requests: u32,
    /// The request to which its layers are booked, in layers.csv and everywhere else.
    pub booked_to: RequestId,
}

/// One step of a measured request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// The request's id.
    pub request: RequestId,
    /// What it did.
    pub step: Step,
    /// The site to which it goes, or where it is, by number; none until it is sent.
    pub site: Option<usize>,
    /// Its order, in service.
    pub order: Option<OrderOf>,
    /// When the step began.
    pub start: Time,
    /// When it ended; none if the request was given up in it, or the run ended.
    pub end: Option<Time>,
}

/// A measured request that has not ended.
struct Flight {
    /// The place of its last step.
    last: usize,
    site: Option<usize>,
    /// Whether its answer is on the way back.
    back: bool,
}

/// The fold, which keeps all steps.
#[derive(Default)]
pub struct Steps {
    rows: Vec<StepRow>,
    flights: BTreeMap<RequestId, Flight>,
    /// The order that was launched last.
    launched: Option<OrderOf>,
}

impl Steps {
    /// All steps: the requests in the order of arrival, the steps of each in the order of time.
    pub fn into_rows(mut self) -> Vec<StepRow> {
        self.rows.sort_by_key(|row| row.request);
        self.rows
    }

    /// Ends the step in which a request is, if it is in one.
    fn end(&mut self, request: RequestId, now: Time) {
        if let Some(flight) = self.flights.get(&request) {
            self.rows[flight.last].end.get_or_insert(now);
        }
    }

    fn begin(&mut self, request: RequestId, step: impl FnOnce(&Flight) -> Step, now: Time) {
        self.end(request, now);
        let last = self.rows.len();
        let Some(flight) = self.flights.get_mut(&request) else { return };
        let step = step(flight);
        let order = self.launched.filter(|_| step == Step::Service);
        self.rows.push(StepRow { request, step, site: flight.site, order, start: now, end: None });
        flight.last = last;
    }
}

impl Recorder for Steps {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrived { request, asked, .. } if origin.measured => {
                let flight = Flight { last: self.rows.len(), site: None, back: false };
                self.flights.insert(request, flight);
                self.rows.push(StepRow {
                    request,
                    step: Step::Dispatch,
                    site: None,
                    order: None,
                    start: asked.arrival,
                    end: None,
                });
            }
            Record::Sent { time, request, site } => {
                self.end(request, time);
                if let Some(flight) = self.flights.get_mut(&request) {
                    flight.site = Some(site);
                    self.rows[flight.last].site = Some(site);
                }
            }
            Record::Hop { time, request, wire, .. } => {
                self.begin(request, |of| if of.back { Step::Back(wire) } else { Step::There(wire) }, time);
            }
            Record::Queued { time, request, .. } => self.begin(request, |_| Step::Queue, time),
            Record::Launched { order, requests, .. } => {
                let booked_to = RequestId(origin.place);
                self.launched = Some(OrderOf { number: order.0, requests, booked_to });
            }
            Record::Member { time, request, .. } => self.begin(request, |_| Step::Service, time),
            Record::Served { time, request, .. } => {
                self.end(request, time);
                if let Some(flight) = self.flights.get_mut(&request) {
                    flight.back = true;
                }
            }
            Record::Answered { time, request, .. } => {
                self.end(request, time);
                self.flights.remove(&request);
            }
            Record::Lost { request, .. } => _ = self.flights.remove(&request),
            _ => {}
        }
    }
}
