//! The hosts on which the dispatcher decides: one per node, for the requests that arrive there, and one per site, for its
//! queues. A host takes one decision at a time; what comes meanwhile waits for the next.

use std::collections::{BTreeSet, VecDeque};

use super::Dispatch;
use crate::sim::RequestId;

#[derive(Clone, Debug, Default)]
struct Host {
    /// The requests at a node about which nothing was asked yet.
    waiting: VecDeque<RequestId>,
    /// The decision that takes effect later.
    pending: Option<Dispatch>,
}

#[derive(Clone, Debug)]
pub(super) struct Hosts {
    hosts: Vec<Host>,
    /// The hosts with something to decide, in order.
    asking: BTreeSet<usize>,
}

impl Hosts {
    pub(super) fn new(nodes: usize, sites: usize) -> Self {
        Self { hosts: (0..nodes + sites).map(|_| Host::default()).collect(), asking: BTreeSet::new() }
    }

    /// A request waits for the decision where it goes.
    pub(super) fn wait(&mut self, node: usize, request: RequestId) {
        self.hosts[node].waiting.push_back(request);
        self.ask(node);
    }

    /// Something is to be decided at a host.
    pub(super) fn ask(&mut self, host: usize) {
        if self.hosts[host].pending.is_none() {
            self.asking.insert(host);
        }
    }

    /// Whether some host has something to decide.
    pub(super) fn are_asking(&self) -> bool {
        !self.asking.is_empty()
    }

    /// Takes the next host with something to decide.
    pub(super) fn next_asking(&mut self) -> Option<usize> {
        self.asking.pop_first()
    }

    pub(super) fn next_waiting(&mut self, node: usize) -> Option<RequestId> {
        self.hosts[node].waiting.pop_front()
    }

    pub(super) fn has_waiting(&self, node: usize) -> bool {
        !self.hosts[node].waiting.is_empty()
    }

    /// The decision of a host takes effect later; until then it takes no other.
    pub(super) fn defer(&mut self, host: usize, dispatch: Dispatch) {
        self.asking.remove(&host);
        self.hosts[host].pending = Some(dispatch);
    }

    pub(super) fn take_pending(&mut self, host: usize) -> Dispatch {
        let pending = self.hosts[host].pending.take();
        self.asking.insert(host);
        pending.expect("only deferred decisions take effect later")
    }
}
