//! The requests in flight.

use std::collections::VecDeque;

use crate::sim::{JobId, Origin, Request, RequestId};
use crate::units::Time;

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// At its node, before the decision where it goes.
    AtNode,
    /// On its way to its site.
    There,
    /// In the queue of its site.
    Queued,
    /// In an order.
    InService(JobId),
    /// On its way back.
    Back,
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    pub(super) asked: Request,
    pub(super) origin: Origin,
    pub(super) stage: Stage,
    /// Its site, once it was sent.
    pub(super) site: usize,
    /// The number of hops behind it on its present way.
    pub(super) hop: usize,
    /// When it was queued.
    pub(super) queued_at: Time,
    /// When it is through the present hop, if messages do not share that.
    pub(super) through: Time,
    /// The variant and the batch that served it.
    pub(super) served: (usize, u32),
}

/// The requests in flight by id: a window that moves with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    window: VecDeque<Option<InFlight>>,
    first: u32,
    open: usize,
}

impl Requests {
    pub(super) fn push(&mut self, request: InFlight) -> RequestId {
        self.window.push_back(Some(request));
        self.open += 1;
        RequestId(self.first + self.window.len() as u32 - 1)
    }

    pub(super) fn get(&self, id: RequestId) -> Option<&InFlight> {
        self.window.get(id.0.checked_sub(self.first)? as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: RequestId) -> Option<&mut InFlight> {
        self.window.get_mut(id.0.checked_sub(self.first)? as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, id: RequestId) -> Option<InFlight> {
        let request = self.window.get_mut(id.0.checked_sub(self.first)? as usize)?.take()?;
        self.open -= 1;
        while self.window.front().is_some_and(Option::is_none) {
            self.window.pop_front();
            self.first += 1;
        }
        Some(request)
    }

    /// Those that are kept, under the same ids.
    pub(super) fn filter_map(&self, keep: impl Fn(&InFlight) -> Option<InFlight>) -> Self {
        let window: VecDeque<_> = self.window.iter().map(|of| of.as_ref().and_then(&keep)).collect();
        let open = window.iter().flatten().count();
        Self { window, first: self.first, open }
    }

    /// All requests in flight, in the order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RequestId, &InFlight)> {
        let ids = (self.first..).map(RequestId);
        ids.zip(&self.window).filter_map(|(id, request)| Some((id, request.as_ref()?)))
    }

    /// The number of requests in flight.
    pub(super) fn len(&self) -> usize {
        self.open
    }
}
