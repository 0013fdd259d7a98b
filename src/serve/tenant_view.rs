//! What a tenant's own agent may know: the seam for agents that decide at the clients.

use super::fleet::Fleet;
use super::record::Record;
use super::requests::Stage;
use super::static_model::{Client, FleetModel, ServedModel};
use super::view::FleetView;
use crate::sim::RequestId;
use crate::units::Time;

/// The knowledge of one tenant: its requests that wait at its node, the model that it asks for, and the ways from its node
/// as they were built. Nothing of the state of sites and links, and nothing of other tenants.
///
/// The past answers of the tenant are not kept here, because no fleet needs them: an agent keeps what it wants of the
/// records in [`Dispatcher::observe`](super::Dispatcher::observe) that [`Record::is_seen_by`] its tenant.
pub struct TenantView<'a> {
    fleet: &'a Fleet,
    tenant: usize,
}

/// A request of the tenant that waits at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRequest {
    /// When it arrived.
    pub arrival: Time,
    /// When its answer is due.
    pub deadline: Time,
}

impl<'a> FleetView<'a> {
    /// What an agent of this tenant may know now.
    pub fn for_tenant(&self, tenant: usize) -> TenantView<'a> {
        assert!(tenant < self.model().clients.len(), "there is no tenant {tenant}");
        TenantView { fleet: self.fleet, tenant }
    }
}

impl<'a> TenantView<'a> {
    /// The present time.
    pub fn now(&self) -> Time {
        self.fleet.now
    }

    /// The tenant: its terms, and the sizes of its requests and answers.
    pub fn client(&self) -> &'a Client {
        &self.model().clients[self.tenant]
    }

    /// The variants and batches of its model.
    pub fn served(&self) -> &'a ServedModel {
        &self.model().models[self.client().model]
    }

    /// The sites that serve it, ascending.
    pub fn sites(&self) -> impl Iterator<Item = usize> + 'a {
        let (model, client) = (self.model(), self.client());
        (0..model.sites.len()).filter(|&site| model.serves(site, client))
    }

    /// The times of a request to a site and of its answer back without any traffic; `None` if there is no way.
    pub fn ways(&self, site: usize) -> Option<[Time; 2]> {
        let (model, client) = (self.model(), self.client());
        let [there, back] = client.ways[site].as_ref()?;
        Some([model.travel(there, client.input_bytes), model.travel(back, client.output_bytes)])
    }

    /// Its requests that wait at its node, in the order of arrival.
    pub fn waiting(&self) -> impl Iterator<Item = OwnRequest> + '_ {
        self.own().map(|(_, request)| request)
    }

    /// The id of one of them, counted from 0, for an [`Action`](super::Action). Ids count the requests of all tenants: they
    /// are for whoever turns the agent's choice into an action, and must not reach the agent.
    pub fn id(&self, place: usize) -> Option<RequestId> {
        self.own().nth(place).map(|(id, _)| id)
    }

    fn own(&self) -> impl Iterator<Item = (RequestId, OwnRequest)> + '_ {
        let is_own = |asked_by: u32| asked_by as usize == self.tenant;
        let waits = self.fleet.requests.iter();
        let waits = waits.filter(move |(_, of)| of.stage == Stage::AtNode && is_own(of.asked.tenant));
        waits.map(|(id, of)| (id, OwnRequest { arrival: of.asked.arrival, deadline: of.asked.deadline }))
    }

    fn model(&self) -> &'a FleetModel {
        &self.fleet.model
    }
}

impl Record {
    /// Whether it tells a tenant what became of its own request: that it arrived, was answered, or was lost. Its ids count
    /// the requests of all tenants, so that an agent must not see them.
    pub fn is_seen_by(&self, tenant: usize) -> bool {
        match self {
            Self::Arrived { asked, .. } | Self::Answered { asked, .. } | Self::Lost { asked, .. } => {
                asked.tenant as usize == tenant
            }
            _ => false,
        }
    }
}
