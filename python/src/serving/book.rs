//! What an environment remembers of the records: rewards, recent arrivals, outcomes and service times.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use mascot::serve::{FleetModel, Record};
use mascot::sim::{Origin, Request, RequestId};
use mascot::units::Time;

/// The windows in which arrivals are counted, in units. Our choice, a decade apart.
pub(super) const WINDOWS: [u64; 3] = [1, 10, 100];
/// The number of outcomes that are kept of each tenant. Our choice, because a few tell a trend.
pub(super) const OUTCOMES: usize = 8;
/// The number of service times that are kept.
pub(super) const SERVICES: usize = 4;
/// The weight of an outcome in the means by site, as in the estimates of the dispatchers.
const WEIGHT: f64 = 0.1;

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) delay: Time,
    pub(super) quality: f64,
    /// Where it was sent.
    pub(super) site: Option<usize>,
}

/// What an environment remembers.
pub(super) struct Book {
    model: Arc<FleetModel>,
    unit: Time,
    is_loss: bool,
    /// The time of the last record.
    pub(super) now: Time,
    /// By tenant, since they were paid last.
    pub(super) rewards: Vec<f64>,
    /// By tenant: the measured requests in flight.
    open: Vec<u32>,
    /// By tenant: recent arrivals.
    arrivals: Vec<VecDeque<Time>>,
    /// By tenant, the latest last.
    pub(super) outcomes: Vec<VecDeque<Outcome>>,
    /// By site: means of delay, in units, and quality.
    pub(super) sites: Vec<[f64; 2]>,
    /// The last observed service times, relative to what the tables say.
    pub(super) services: VecDeque<f64>,
    /// Where requests in flight were sent.
    sent: BTreeMap<RequestId, usize>,
    /// The order that was launched last, and when those in service were launched, with their times in the tables.
    launched: (Time, Time),
    in_service: BTreeMap<RequestId, (Time, Time)>,
    /// By rule: requests that ended while it decided last, and the sum of their qualities.
    pub(super) windows: BTreeMap<usize, [f64; 2]>,
    leader: usize,
}

impl Book {
    pub(super) fn new(model: Arc<FleetModel>, unit: Time, is_loss: bool) -> Self {
        let tenants = model.clients.len();
        Self {
            unit,
            is_loss,
            now: Time::ZERO,
            rewards: vec![0.0; tenants],
            open: vec![0; tenants],
            arrivals: vec![VecDeque::new(); tenants],
            outcomes: vec![VecDeque::new(); tenants],
            sites: vec![[0.0; 2]; model.sites.len()],
            services: VecDeque::new(),
            sent: BTreeMap::new(),
            launched: (Time::ZERO, Time::ZERO),
            in_service: BTreeMap::new(),
            windows: BTreeMap::new(),
            leader: 0,
            model,
        }
    }

    /// Pays the rewards since the last time: to each tenant its own, or all to one agent.
    pub(super) fn pay(&mut self, out: &mut [f64]) {
        match out {
            [all] => *all += self.rewards.iter().sum::<f64>(),
            each => each.iter_mut().zip(&self.rewards).for_each(|(out, own)| *out += own),
        }
        self.rewards.fill(0.0);
    }

    /// A rule decides from now on.
    pub(super) fn begin_window(&mut self, leader: usize) {
        self.leader = leader;
        self.windows.insert(leader, [0.0; 2]);
    }

    /// The number of requests of some tenants in each of [`WINDOWS`] up to now.
    pub(super) fn arrived(&self, now: Time, is_one: impl Fn(usize) -> bool) -> [usize; 3] {
        WINDOWS.map(|units| {
            let begin = now.saturating_sub(Time(self.unit.0.saturating_mul(units)));
            let own = self.arrivals.iter().enumerate().filter(|(tenant, _)| is_one(*tenant));
            own.map(|(_, times)| times.len() - times.partition_point(|&time| time <= begin)).sum()
        })
    }

    pub(super) fn record(&mut self, record: &Record, origin: Origin) {
        self.now = record.time();
        match *record {
            Record::Arrived { asked, .. } => {
                let tenant = asked.tenant as usize;
                self.open[tenant] += u32::from(origin.measured);
                let times = &mut self.arrivals[tenant];
                times.push_back(asked.arrival);
                let oldest = asked.arrival.saturating_sub(Time(self.unit.0.saturating_mul(WINDOWS[2])));
                while times.front().is_some_and(|&time| time < oldest) {
                    times.pop_front();
                }
            }
            Record::Sent { request, site, .. } => {
                self.sent.insert(request, site);
            }
            Record::Launched { time, site, model, variant, requests, .. } => {
                self.launched = (time, self.model.service(site, model, variant, requests as usize));
            }
            Record::Member { request, .. } => {
                self.in_service.insert(request, self.launched);
            }
            Record::Served { time, request, .. } => {
                if let Some((since, told)) = self.in_service.remove(&request) {
                    push(&mut self.services, (time - since).as_ps() / told.as_ps().max(1.0), SERVICES);
                }
            }
            Record::Answered { time, request, asked, accuracy, .. } => {
                let terms = &self.model.clients[asked.tenant as usize].terms;
                let quality = terms.quality([asked.arrival, asked.deadline], time, accuracy);
                self.ended(request, &asked, time, quality, origin.measured);
            }
            Record::Lost { time, request, asked, .. } => {
                self.in_service.remove(&request);
                self.ended(request, &asked, time, 0.0, origin.measured);
            }
            // What is not answered by the end of the run is lost.
            Record::End { .. } if self.is_loss => {
                let open = self.open.iter().zip(&mut self.rewards);
                open.for_each(|(&open, reward)| *reward -= f64::from(open));
            }
            _ => {}
        }
    }

    fn ended(&mut self, id: RequestId, asked: &Request, time: Time, quality: f64, measured: bool) {
        let tenant = asked.tenant as usize;
        if measured {
            self.open[tenant] -= 1;
            self.rewards[tenant] += quality - f64::from(u8::from(self.is_loss));
        }
        let (delay, site) = (time - asked.arrival, self.sent.remove(&id));
        push(&mut self.outcomes[tenant], Outcome { delay, quality, site }, OUTCOMES);
        if let Some(site) = site {
            let now = [delay.as_ps() / self.unit.as_ps(), quality];
            self.sites[site].iter_mut().zip(now).for_each(|(mean, now)| *mean += WEIGHT * (now - *mean));
        }
        let [ended, worth] = self.windows.entry(self.leader).or_default();
        *ended += 1.0;
        *worth += quality;
    }
}

/// Adds to the newest; the oldest makes room.
fn push<T>(kept: &mut VecDeque<T>, new: T, most: usize) {
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(new);
}
