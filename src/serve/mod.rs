//! Serving above the layers: requests arrive at nodes, travel over links to a site, wait in its queues, and are launched in
//! batches on the site's engine; the answer travels back.
//!
//! ```text
//! arrival at a node -> Dispatcher (Arrived) -> links -> queue (site, model) -> Dispatcher (Free, Wake)
//!   -> launch: a variant and k requests are ONE order -> sim::Engine of the site -> links back -> answer at the node
//! ```
//!
//! A [`Fleet`] steps one [`Engine`](crate::sim::Engine) per site under one clock, so that contention inside a site stays
//! what it is in a run of that site alone. A fleet of one site without links that sends every request on at once gives
//! the records of the plain run.
//!
//! Order of one instant: links change, and conditions at sites ([`crate::sim::Drift`]); sites complete layers (by site); messages arrive at the ends of their hops; requests arrive at
//! nodes; deadlines pass; decisions take effect and wake-ups ring; then the dispatcher is asked, first about arrivals (by
//! node), then about free sites (by site); last, every site goes on to the end of the instant with the decision of its
//! own scheduler. What happens without a delay happens in the same instant.

mod decide;
mod drift;
mod fleet;
mod fork;
mod hosts;
mod memory;
mod orders;
mod projection;
mod record;
mod requests;
mod site;
mod static_model;
mod steps;
mod tenant_view;
mod travel;
mod view;
mod wire;

pub use fleet::{Crew, Fleet, ServeError, run};
pub use fork::Fork;
pub use projection::{Projection, joint_world};
pub use record::{Loss, Record, Recorder};
pub use static_model::{
    Client, FleetModel, Hop, ServedModel, ServedVariant, ServiceTerms, Site, SiteMemory, Wire, WireChange,
    WireSharing,
};
pub use steps::Stepper;
pub use tenant_view::{OwnRequest, TenantView};
pub use view::{FleetView, QueuedView, RequestView, SiteView};

use crate::sim::{Operations, RequestId};
use crate::units::Time;

/// What the dispatcher is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A request has arrived at its node: it goes to a site, or is rejected. If neither is decided, it waits at the node for
    /// the next decision there.
    Arrived(RequestId),
    /// At this site requests are queued and slots are free, and one of both has grown.
    Free(usize),
    /// A wake-up at this site that the dispatcher has asked for.
    Wake(usize),
}

/// What a dispatcher may do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send a request that waits at its node to a site that has its model.
    Send {
        /// The request.
        request: RequestId,
        /// The site, by number.
        site: usize,
    },
    /// Give a request up that waits at its node or in a queue.
    Reject {
        /// The request.
        request: RequestId,
    },
    /// Launch the `count` requests of a queue that were delivered first as one order. If fewer are left when the
    /// decision takes effect, these.
    Launch {
        /// The site, by number.
        site: usize,
        /// The model, by number.
        model: usize,
        /// The variant, by number.
        variant: usize,
        /// The number of requests; at least one, at most the model's largest batch.
        count: usize,
    },
    /// Launch these requests of a queue as one order. Those that are lost when the decision takes effect are left out.
    LaunchOf {
        /// The site, by number.
        site: usize,
        /// The model, by number.
        model: usize,
        /// The variant, by number.
        variant: usize,
        /// The requests, each once; at least one, at most the model's largest batch.
        requests: Vec<RequestId>,
    },
    /// Ask again about this site at that time, which must lie in the future. A site has one wake-up; a new one replaces it.
    Wake {
        /// The site, by number.
        site: usize,
        /// When to ask again.
        at: Time,
    },
}

/// A dispatcher's actions, and the operations spent on finding them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispatch {
    /// The actions, applied in order.
    pub actions: Vec<Action>,
    /// The operations that the dispatcher counted.
    pub operations: Operations,
}

/// An online dispatcher: decides where requests go, and when which variant runs in which batch.
pub trait Dispatcher: Send {
    /// Decides: fills `out`, which is empty.
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch);

    /// Whether it can dispatch on a fleet; the error says why not. A run does not ask: whoever makes the dispatcher does.
    fn check(&self, _: &FleetModel) -> Result<(), String> {
        Ok(())
    }

    /// Receives every record of the level above the layers as it happens, for dispatchers that keep state.
    fn observe(&mut self, _: &Record) {}
}
