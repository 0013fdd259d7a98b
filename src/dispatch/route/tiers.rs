//! Edge and cloud, as the orchestrators of EdgeCloudSim tell them apart: the cloud is the site with the longest way there
//! and back, of equals the last; all others are the edge, whose site with the least reported backlog per accelerator is
//! used. EdgeCloudSim (Sonmez et al., 2018) knows the state of its network and of all servers; here a node knows what its
//! answers and the reports of the sites tell.

use std::collections::BTreeMap;

use super::ways::{accelerators, round_trip};
use crate::dispatch::{Route, parse};
use crate::files::Parameter;
use crate::serve::{FleetView, Record, RequestView};
use crate::sim::{Operations, RequestId};
use crate::units::Time;

/// From which rate to the cloud it is used.
pub(super) const ABOVE_MBPS: Parameter = Parameter {
    name: "above_mbps",
    default: "6.0",
    doc: "rate of a request on its way to the cloud above which the cloud is near enough, in Mb/s",
};

/// From which utilisation of the edge on the cloud is used.
pub(super) const ABOVE: Parameter = Parameter {
    name: "above",
    default: "0.8",
    doc: "utilisation of the edge above which it is full, from 0 to 1",
};

/// The thresholds of EdgeCloudSim's sample applications.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Thresholds {
    above_mbps: f64,
    above: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { above_mbps: 6.0, above: 0.8 }
    }
}

/// To the cloud where all thresholds are passed, else to the edge.
pub(super) struct Tiers {
    /// For the rate of a request on its way to the cloud.
    above_mbps: Option<f64>,
    /// For the utilisation of the edge.
    above: Option<f64>,
    uploads: Uploads,
}

impl Tiers {
    /// A rule that has some of the parameters.
    pub(super) fn build(parameters: &toml::Table, own: &[Parameter]) -> Result<Box<dyn Route>, String> {
        let has = |name: &str| own.iter().any(|of| of.name == name);
        if let Some(key) = parameters.keys().find(|key| !has(key)) {
            let known: Vec<String> = own.iter().map(|of| format!("`{}`", of.name)).collect();
            return Err(format!("unknown field `{key}`, expected {}", known.join(" or ")));
        }
        let Thresholds { above_mbps, above } = parse(parameters)?;
        if !(above_mbps >= 0.0 && above_mbps.is_finite()) {
            return Err(format!("`above_mbps` is {above_mbps}; it has to be at least 0"));
        }
        if !(0.0..=1.0).contains(&above) {
            return Err(format!("`above` is {above}; it has to be from 0 to 1"));
        }
        Ok(Box::new(Self {
            above_mbps: has(ABOVE_MBPS.name).then_some(above_mbps),
            above: has(ABOVE.name).then_some(above),
            uploads: Uploads::default(),
        }))
    }
}

impl Route for Tiers {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += 3 * sites.len() as u64 + 1;
        let farthest = sites.iter().copied().max_by_key(|&site| round_trip(view, request, site));
        let cloud = farthest.expect("some site serves the request");
        let edge = || sites.iter().copied().filter(|&site| site != cloud);
        let is_near = self.above_mbps.is_none_or(|above| self.uploads.mbps(view, request, cloud) > above);
        let is_full = self.above.is_none_or(|above| utilization(view, edge()) > above);
        let waiting = |site: &usize| view.site(*site).backlog.0 / accelerators(view, *site) as u64;
        let site = match is_near && is_full {
            true => cloud,
            false => edge().min_by_key(waiting).unwrap_or(cloud),
        };
        self.uploads.note(view, request, site);
        site
    }

    fn observe(&mut self, record: &Record) {
        self.uploads.observe(record);
    }
}

/// The mean share of the servers of sites that work, by the reports: orders in service over those that can run at once.
fn utilization(view: &FleetView, sites: impl Iterator<Item = usize>) -> f64 {
    let used = |site: usize| {
        let at_once = view.model().sites[site].at_once() as f64;
        (f64::from(view.site(site).in_service) / at_once).min(1.0)
    };
    let used: Vec<f64> = sites.map(used).collect();
    used.iter().sum::<f64>() / used.len().max(1) as f64
}

/// How long the rate of a message counts; then the way is taken to be free again, so that a cloud that was behind a full
/// link is tried again. Our choice: a second.
const MEMORY: Time = Time(1_000_000_000_000);

/// The rates at which requests reached their sites, known to a node from the answers that have come: they say when the
/// request was delivered.
#[derive(Default)]
struct Uploads {
    /// The requests under way: node, site and megabits, when they left and when they were there.
    under_way: BTreeMap<RequestId, (usize, usize, f64, [Time; 2])>,
    /// By node and site the rate in Mb/s, and when it was known.
    known: BTreeMap<(usize, usize), (Time, f64)>,
}

impl Uploads {
    /// The rate of a request to a site in Mb/s: that of the last answer, or without any other traffic. The delay counts.
    fn mbps(&self, view: &FleetView, request: &RequestView, site: usize) -> f64 {
        let client = &view.model().clients[request.tenant];
        let fresh = |&&(since, _): &&(Time, f64)| view.now().saturating_sub(since) <= MEMORY;
        if let Some((_, rate)) = self.known.get(&(client.node, site)).filter(fresh) {
            return *rate;
        }
        let way = view.way_there(request.tenant, site).unwrap_or(Time::MAX);
        rate(megabits(client.input_bytes), way)
    }

    /// Notes that a request goes to a site.
    fn note(&mut self, view: &FleetView, request: &RequestView, site: usize) {
        let client = &view.model().clients[request.tenant];
        let of = (client.node, site, megabits(client.input_bytes), [view.now(); 2]);
        self.under_way.insert(request.id, of);
    }

    fn observe(&mut self, record: &Record) {
        match *record {
            Record::Sent { time, request, .. } => {
                self.under_way.entry(request).and_modify(|of| of.3[0] = time);
            }
            Record::Queued { time, request, .. } => {
                self.under_way.entry(request).and_modify(|of| of.3[1] = time);
            }
            Record::Answered { time, request, .. } => {
                if let Some((node, site, size, [left, there])) = self.under_way.remove(&request) {
                    self.known.insert((node, site), (time, rate(size, there.saturating_sub(left))));
                }
            }
            Record::Lost { request, .. } => {
                self.under_way.remove(&request);
            }
            _ => {}
        }
    }
}

fn megabits(bytes: f64) -> f64 {
    bytes * 8.0 / 1e6
}

/// Mb/s; infinite for what has no size or takes no time.
fn rate(megabits: f64, way: Time) -> f64 {
    if megabits == 0.0 { f64::INFINITY } else { megabits / way.as_s() }
}
