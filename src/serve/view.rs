//! What a dispatcher may know.

use super::fleet::Fleet;
use super::requests::Stage;
use super::site::Report;
use super::static_model::FleetModel;
use crate::sim::RequestId;
use crate::units::Time;

/// Where the dispatcher decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a node, about a request of this tenant.
    Node { tenant: usize },
    /// At a site.
    Site(usize),
}

/// The knowledge of a dispatcher at one moment: what is at its own place, and of sites elsewhere their latest report
/// that can have come by now.
pub struct FleetView<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) place: Place,
}

/// A request that waits for the decision where it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestView {
    /// Its id.
    pub id: RequestId,
    /// Its tenant: an index into [`FleetModel::clients`].
    pub tenant: usize,
    /// The model that it asks for.
    pub model: usize,
    /// When it arrived at its node.
    pub arrival: Time,
    /// When its answer is due at its node.
    pub deadline: Time,
}

/// A request in the queue of a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueuedView {
    /// Its id.
    pub id: RequestId,
    /// Its tenant: an index into [`FleetModel::clients`].
    pub tenant: usize,
    /// When it arrived at its node.
    pub arrival: Time,
    /// When it was delivered to the site.
    pub queued_at: Time,
    /// When its answer is due at its node.
    pub deadline: Time,
    /// When its answer has to leave the site for that, if no link is shared; [`Time::MAX`] if it has no deadline.
    pub due: Time,
}

/// The state of a site as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteView {
    /// The number of requests in its queues.
    pub queued: u32,
    /// The number of orders in service.
    pub in_service: u32,
    /// Queued and remaining work, as if everything ran alone at batch 1 with the most accurate variants, one after the
    /// other.
    pub backlog: Time,
    /// How old the knowledge is.
    pub age: Time,
}

impl<'a> FleetView<'a> {
    /// The present time.
    pub fn now(&self) -> Time {
        self.fleet.now
    }

    /// What does not change in a run.
    pub fn model(&self) -> &'a FleetModel {
        &self.fleet.model
    }

    /// A request that waits at the node where the dispatcher decides; `None` if it has gone.
    pub fn request(&self, id: RequestId) -> Option<RequestView> {
        let request = self.fleet.requests.get(id).filter(|request| request.stage == Stage::AtNode)?;
        let tenant = request.asked.tenant as usize;
        let client = &self.model().clients[tenant];
        let here = match self.place {
            Place::Node { tenant } => self.model().clients[tenant].node == client.node,
            Place::Site(_) => false,
        };
        let (arrival, deadline) = (request.asked.arrival, request.asked.deadline);
        here.then_some(RequestView { id, tenant, model: client.model, arrival, deadline })
    }

    /// A site: as it is if the dispatcher decides there or reports come at once, else by its latest report.
    pub fn site(&self, site: usize) -> SiteView {
        let state = &self.fleet.sites[site];
        let Place::Node { tenant } = self.place else { return self.live(site) };
        if self.model().report == Time::ZERO {
            return self.live(site);
        }
        let Some([_, back]) = &self.model().clients[tenant].ways[site] else { return self.live(site) };
        let model = self.model();
        let delay_at =
            |time: Time| back.iter().fold(Time::ZERO, |sum, &hop| sum + model.wire_at(hop, time).delay);
        let has_come = |report: &&Report| report.time + delay_at(report.time) <= self.now();
        let known = state.reports.iter().rev().find(has_come);
        match known {
            Some(report) => SiteView {
                queued: report.queued.iter().sum(),
                in_service: report.in_service,
                backlog: report.backlog,
                age: self.now() - report.time,
            },
            None => SiteView { queued: 0, in_service: 0, backlog: Time::ZERO, age: self.now() },
        }
    }

    fn live(&self, site: usize) -> SiteView {
        let report = self.fleet.sites[site].report(self.now());
        let queued = report.queued.iter().sum();
        SiteView { queued, in_service: report.in_service, backlog: report.backlog, age: Time::ZERO }
    }

    /// The number of orders that the site where the dispatcher decides can take; 0 elsewhere.
    pub fn free_slots(&self) -> u32 {
        match self.place {
            Place::Site(site) => self.fleet.sites[site].free_slots(&self.model().sites[site]),
            Place::Node { .. } => 0,
        }
    }

    /// The queue of a model at the site where the dispatcher decides, in the order of delivery; empty elsewhere.
    pub fn queue(&self, model: usize) -> impl Iterator<Item = QueuedView> + '_ {
        let site = match self.place {
            Place::Site(site) => Some(site),
            Place::Node { .. } => None,
        };
        let ids = site.map(|site| &self.fleet.sites[site].queues[model]);
        ids.into_iter().flatten().map(move |&id| {
            let request = self.fleet.requests.get(id).expect("queued requests are in flight");
            let tenant = request.asked.tenant as usize;
            let client = &self.model().clients[tenant];
            let [_, back] = client.ways[request.site].as_ref().expect("it came this way");
            let (arrival, deadline) = (request.asked.arrival, request.asked.deadline);
            let due = match deadline {
                Time::MAX => Time::MAX,
                _ => deadline.saturating_sub(self.model().travel(back, client.output_bytes)),
            };
            QueuedView { id, tenant, arrival, queued_at: request.queued_at, deadline, due }
        })
    }

    /// The length of that queue.
    pub fn queue_len(&self, model: usize) -> usize {
        match self.place {
            Place::Site(site) => self.fleet.sites[site].queues[model].len(),
            Place::Node { .. } => 0,
        }
    }

    /// The time until the weights of a variant are at the site where the dispatcher decides, if nothing else is loaded
    /// before them; zero if they are there.
    pub fn loading(&self, model: usize, variant: usize) -> Time {
        let Place::Site(site) = self.place else { return Time::ZERO };
        let bytes = self.model().models[model].variants[variant].weight_bytes;
        let memory = self.fleet.sites[site].memory.as_ref();
        memory.map_or(Time::ZERO, |memory| memory.until_there((model, variant), bytes, self.now()))
    }

    /// The time of a request to a site without any other traffic.
    pub fn way_there(&self, tenant: usize, site: usize) -> Option<Time> {
        let client = &self.model().clients[tenant];
        let [there, _] = client.ways[site].as_ref()?;
        Some(self.model().travel(there, client.input_bytes))
    }

    /// The time of an answer from a site without any other traffic.
    pub fn way_back(&self, tenant: usize, site: usize) -> Option<Time> {
        let client = &self.model().clients[tenant];
        let [_, back] = client.ways[site].as_ref()?;
        Some(self.model().travel(back, client.output_bytes))
    }
}
