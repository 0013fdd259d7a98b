//! The requests of a run: the arrivals and followers of the scenario, with deadlines for the system of the case.

use super::case::Case;
use crate::experiment::{Wanted, Window};
use crate::sim::{Follower, Record, Request, Trace};
use crate::units::Time;
use crate::workload::{Arrival, Extent, Qos, Sla, rate_per_s};

/// The requests of a run that measures `measured` of them; fewer if arrivals end earlier. Panics if `measured` exceeds
/// [`MAX_REQUESTS`](crate::workload::MAX_REQUESTS).
pub fn trace(case: &Case, measured: usize, seed: u64) -> Trace {
    requests(case, &window(case, measured), seed)
}

/// The requests of a run of the case's own experiment.
pub fn of_run(case: &Case, seed: u64) -> Trace {
    requests(case, &case.window, seed)
}

/// The window of a run that measures a number of requests other than its experiment's; panics as [`trace`] does.
pub(crate) fn window(case: &Case, measured: usize) -> Window {
    let wanted = Wanted { requests: Some(measured), duration: None, ..case.wanted };
    Window::of(wanted, case.setting.late, None)
        .expect("at most MAX_REQUESTS are measured, of arrivals without an end")
}

pub(crate) fn requests(case: &Case, window: &Window, seed: u64) -> Trace {
    let offer = case.workload.offer(&case.site.world, case.requests_per_s(), seed, window.extent());
    // In the place of the arrivals, because both together would be most of the memory of a long run.
    let mut requests: Vec<Request> = offer.own.into_iter().map(|arrival| request(case, &arrival)).collect();
    requests.shrink_to_fit();
    let mut followers = Vec::with_capacity(offer.followers.len());
    for follower in &offer.followers {
        let (request, within) = following(case, &follower.arrival);
        let place = requests.len() as u32;
        followers.push(Follower { after: follower.after, request: place, delay: follower.delay, within });
        requests.push(request);
    }
    // The sort is stable: followers that wait for the same event keep their order.
    followers.sort_by_key(|follower| follower.after);
    let measured = window.measured(requests.len(), case.workload.total().is_some());
    Trace { requests, measured, followers, span: window.span() }
}

/// Whether two seeds bring a case the same requests. Most that differ do so in the first request.
pub(super) fn has_same_requests(case: &Case, one: u64, other: u64) -> bool {
    let (workload, world, extent) = (&case.workload, &case.site.world, case.window.extent());
    let requests_per_s = case.requests_per_s();
    let own = |seed| {
        let arrivals = workload.arrivals(world, requests_per_s, seed);
        let (most, end) = match extent {
            Extent::Requests(requests) => (requests, Time::MAX),
            Extent::Until(end) | Extent::Sample(end) => (usize::MAX, end),
        };
        arrivals.take_while(move |arrival| arrival.time < end).take(most)
    };
    let all = |seed| workload.offer(world, requests_per_s, seed, extent);
    own(one).eq(own(other)) && (!workload.has_followers() || all(one) == all(other))
}

fn qos(case: &Case, arrival: &Arrival) -> Qos {
    arrival.qos.unwrap_or(case.qos)
}

fn sla(case: &Case, arrival: &Arrival) -> Sla {
    if let Some(target) = arrival.within {
        return Sla::Absolute { target };
    }
    let tenant = &case.workload.scenario.tenants[arrival.tenant as usize];
    let terms = tenant.terms(arrival.network);
    terms.sla(case.setting.sla, case.setting.deadline_factor).expect("targets are checked in the plan")
}

/// The latency of a request alone.
fn isolated(case: &Case, arrival: &Arrival) -> Time {
    match &case.fleet {
        Some(fleet) => fleet.alone[arrival.tenant as usize].latency(),
        None => case.reference[arrival.network as usize],
    }
}

/// A request with its deadline, from the latencies of the system of the case or of its reference.
pub(crate) fn request(case: &Case, arrival: &Arrival) -> Request {
    let &Arrival { time, tenant, network, priority, .. } = arrival;
    let qos = qos(case, arrival);
    let deadline = sla(case, arrival).deadline(arrival, qos, isolated(case, arrival));
    Request { tenant, network, priority, qos, arrival: time, deadline }
}

/// A request that follows another, and the time from its arrival to its deadline. The next frame does not wait for it.
fn following(case: &Case, arrival: &Arrival) -> (Request, Time) {
    let request = Request { arrival: Time::MAX, ..request(case, arrival) };
    match sla(case, arrival).within(request.qos, isolated(case, arrival)) {
        Some(within) => (Request { deadline: Time::MAX, ..request }, within),
        None => (request, Time::MAX),
    }
}

/// Counts the requests of a run as they arrive, with the times of the first and the last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    requests: u64,
    first: Time,
    last: Time,
}

impl Came {
    /// Takes a record of the run.
    pub(crate) fn record(&mut self, record: &Record) {
        if let Record::Arrival { asked, .. } = *record {
            self.first = if self.requests == 0 { asked.arrival } else { self.first };
            self.last = asked.arrival;
            self.requests += 1;
        }
    }

    fn rate_per_s(self) -> f64 {
        let span_s = (self.last - self.first).as_s();
        if span_s > 0.0 { (self.requests - 1) as f64 / span_s } else { f64::NAN }
    }
}

/// The `offered_load` of a run. With closed loops, which send as fast as they are served, it counts the requests that
/// came.
pub(crate) fn offered_load(case: &Case, trace: &Trace, came: Came) -> f64 {
    if case.workload.has_loops() {
        return came.rate_per_s() / case.site.saturation.requests_per_s;
    }
    let own = trace.requests.len() - trace.followers.len();
    let times: Vec<Time> = trace.requests[..own].iter().map(|request| request.arrival).collect();
    let stages = trace.requests.len() as f64 / own as f64;
    let rate_per_s = rate_per_s(&times).map_or(f64::NAN, |rate_per_s| rate_per_s * stages);
    rate_per_s / case.site.saturation.requests_per_s
}
