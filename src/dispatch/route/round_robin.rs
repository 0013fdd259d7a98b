//! `round_robin`: the sites in turn, each node with its own turn.

use std::collections::BTreeMap;

use crate::dispatch::{Route, RuleEntry, no_parameters};
use crate::serve::{FleetView, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "round_robin",
    doc: "the sites in turn, each node with its own turn",
    source: "textbook; a policy of ServerlessOnEdge (Cicconetti et al., TNSM 2021)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(RoundRobin::default()))
    },
};

#[derive(Default)]
struct RoundRobin {
    /// The site that each node has chosen last.
    last: BTreeMap<usize, usize>,
}

impl Route for RoundRobin {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += sites.len() as u64;
        let node = view.model().clients[request.tenant].node;
        let next = match self.last.get(&node) {
            Some(last) => sites.iter().find(|&site| site > last).unwrap_or(&sites[0]),
            None => &sites[0],
        };
        self.last.insert(node, *next);
        *next
    }
}
