//! `least_impedance`: the site with the smallest moving average of the delays that were observed from this node, from
//! sending to the answer; sites that were never tried come first. A policy of ServerlessOnEdge.
//!
//! A request that is lost counts with the time until its deadline, so that a site that answers nothing is not taken for
//! a fast one: our choice. A site whose first answer is still to come counts as slower than those that have answered.

use std::collections::BTreeMap;

use crate::dispatch::{Route, RuleEntry, check_weight, parse};
use crate::files::Parameter;
use crate::serve::{FleetView, Record, RequestView};
use crate::sim::{Operations, RequestId};
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Route> = RuleEntry {
    name: "least_impedance",
    doc: "the site with the smallest moving average of observed delays from this node, untried ones first",
    source: "ServerlessOnEdge (Cicconetti et al., TNSM 2021), the weight from memory",
    parameters: &[Parameter {
        name: "weight",
        default: "0.1",
        doc: "weight of a new delay in the moving average, above 0, at most 1",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { weight } = parse(parameters)?;
        let weight = check_weight(weight)?;
        Ok(Box::new(LeastImpedance { weight, tried: BTreeMap::new(), under_way: BTreeMap::new() }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    weight: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { weight: 0.1 }
    }
}

struct LeastImpedance {
    weight: f64,
    /// For each node and site that was tried the moving average in picoseconds; infinite before the first answer.
    tried: BTreeMap<(usize, usize), f64>,
    /// The requests under way: node and site, and when they were sent.
    under_way: BTreeMap<RequestId, ((usize, usize), Time)>,
}

impl Route for LeastImpedance {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += sites.len() as u64;
        let node = view.model().clients[request.tenant].node;
        // Untried sites come before all delays.
        let delay = |site: usize| self.tried.get(&(node, site)).copied().unwrap_or(-1.0);
        let least = sites.iter().copied().min_by(|&a, &b| delay(a).total_cmp(&delay(b)));
        let site = least.expect("some site serves the request");
        self.tried.entry((node, site)).or_insert(f64::INFINITY);
        self.under_way.insert(request.id, ((node, site), view.now()));
        site
    }

    fn observe(&mut self, record: &Record) {
        let (request, until) = match *record {
            Record::Sent { time, request, .. } => {
                if let Some((_, sent)) = self.under_way.get_mut(&request) {
                    *sent = time;
                }
                return;
            }
            Record::Answered { time, request, .. } => (request, time),
            Record::Lost { time, request, asked, .. } => (request, asked.deadline.max(time)),
            _ => return,
        };
        let Some((way, sent)) = self.under_way.remove(&request) else { return };
        let (observed, tried) = ((until - sent).as_ps(), self.tried.entry(way).or_insert(f64::INFINITY));
        *tried = if tried.is_finite() { *tried + self.weight * (observed - *tried) } else { observed };
    }
}
