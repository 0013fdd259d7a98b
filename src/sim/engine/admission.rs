//! Requests enter the run.

use std::cmp::Reverse;

use super::super::arrivals::Arriving;
use super::super::{JobId, Origin, Record, Recorder, Request, RequestId};
use super::Engine;
use crate::workload::Late;

impl Engine {
    pub(super) fn admit_arrivals(&mut self, out: &mut dyn Recorder) {
        while let Some(Arriving { place, request, after }) = self.arrivals.take(&self.trace, self.now) {
            let id = self.arrivals.next_id();
            let origin = Origin { place, measured: self.trace.is_measured(RequestId(id), self.now) };
            self.insert(id, origin, request, after, out);
        }
    }

    pub(super) fn insert(
        &mut self,
        id: u32,
        origin: Origin,
        request: Request,
        after: Option<RequestId>,
        out: &mut dyn Recorder,
    ) {
        let known = self.corrections.as_ref().map_or(&self.world, |corrections| corrections.world());
        let network = &known.networks[request.network as usize];
        self.jobs.insert(JobId(id), origin, request, network);
        if let Some(draws) = &*self.rules.variation {
            let job = self.jobs.of(JobId(id));
            draws.extend(origin.place, job.subs.len(), &mut job.paces);
        }
        if self.rules.late.of(request.tenant) == Late::Abort {
            self.deadlines.push(Reverse((request.deadline, RequestId(id))));
        }
        self.changes.ready_grew = true;
        self.changes.arrival_or_completion = true;
        let arrival = Record::Arrival { request: RequestId(id), job: JobId(id), asked: request, after };
        out.record(&arrival, origin);
    }
}
