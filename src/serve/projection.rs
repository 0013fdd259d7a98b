//! A fleet's run as the metrics of a plain run see it: one system with the accelerators of all sites, whose requests arrive
//! at their nodes and are done when their answers are there.
//!
//! Layers of a batch are booked to its first measured request; if it has none, to its first.

use std::collections::VecDeque;

use super::record::{Loss, Record, Recorder};
use super::static_model::FleetModel;
use crate::sim::{self, AcceleratorModel, DropReason, JobId, Origin, Platform, RequestId, SubJobId, World};

/// The platform of all sites together, with the networks as they are on the first site: isolated latencies are its.
pub fn joint_world(model: &FleetModel) -> World {
    let first = &model.sites[0].world;
    let mut accelerators = Vec::new();
    for site in &model.sites {
        let several = model.sites.len() > 1;
        accelerators.extend(site.world.platform.accelerators.iter().map(|accelerator| AcceleratorModel {
            name: if several {
                format!("{}/{}", site.name, accelerator.name)
            } else {
                accelerator.name.clone()
            },
            ..accelerator.clone()
        }));
    }
    let bandwidth = model.sites.iter().map(|site| site.world.platform.bandwidth_bytes_per_ps).sum();
    let platform =
        Platform { accelerators, bandwidth_bytes_per_ps: bandwidth, sharing: first.platform.sharing };
    World { platform, networks: first.networks.clone() }
}

/// Translates the records of a fleet for a recorder of plain runs.
pub struct Projection<'a> {
    out: &'a mut dyn sim::Recorder,
    /// The number of the first accelerator of each site.
    offsets: Vec<usize>,
    /// The granted bandwidth of each site.
    granted: Vec<f64>,
    /// The request of each order to which its layers are booked, by site and number.
    first: Vec<Window>,
}

/// What belongs to the orders of a site from a number on.
#[derive(Default)]
struct Window {
    start: u32,
    firsts: VecDeque<First>,
}

/// The request of an order to which its layers are booked.
struct First {
    request: RequestId,
    measured: bool,
}

/// The number of orders whose first request is kept. Our choice, because it is far beyond the slots of any site.
const KEPT_ORDERS: usize = 1 << 16;

impl<'a> Projection<'a> {
    /// A translation for a fleet.
    pub fn new(model: &FleetModel, out: &'a mut dyn sim::Recorder) -> Self {
        let mut offsets = vec![0];
        for site in &model.sites {
            offsets.push(offsets[offsets.len() - 1] + site.world.platform.accelerators.len());
        }
        let first = model.sites.iter().map(|_| Window::default()).collect();
        Self { out, offsets, granted: vec![0.0; model.sites.len()], first }
    }

    fn layer(&self, site: usize, sub_job: SubJobId) -> SubJobId {
        let window = &self.first[site];
        let place = (sub_job.job.0 - window.start) as usize;
        SubJobId { job: JobId(window.firsts[place].request.0), ..sub_job }
    }

    fn site(&mut self, site: usize, record: sim::Record, origin: Origin) {
        use sim::Record as R;
        let offset = self.offsets[site];
        let projected = match record {
            // The records about orders follow from those about requests.
            R::Arrival { .. } | R::Done { .. } | R::Drop { .. } | R::End { .. } => return,
            R::Decision { .. } | R::Applied { .. } => record,
            R::Bandwidth { time, granted_bytes_per_ps } => {
                self.granted[site] = granted_bytes_per_ps;
                R::Bandwidth { time, granted_bytes_per_ps: self.granted.iter().sum() }
            }
            R::Start { time, sub_job, network, accelerator, weight } => {
                let sub_job = self.layer(site, sub_job);
                R::Start { time, sub_job, network, accelerator: accelerator + offset, weight }
            }
            R::Phase { time, sub_job, accelerator, phase } => {
                let sub_job = self.layer(site, sub_job);
                R::Phase { time, sub_job, accelerator: accelerator + offset, phase }
            }
            R::Finish {
                time,
                start,
                sub_job,
                network,
                accelerator,
                dram_bytes,
                forwarded_bytes,
                resident_weight_bytes,
                energy,
                uncontended_ps,
            } => R::Finish {
                time,
                start,
                sub_job: self.layer(site, sub_job),
                network,
                accelerator: accelerator + offset,
                dram_bytes,
                forwarded_bytes,
                resident_weight_bytes,
                energy,
                uncontended_ps,
            },
        };
        self.out.record(&projected, origin);
    }
}

impl Recorder for Projection<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        let job = |request: RequestId| JobId(request.0);
        let projected = match *record {
            Record::Arrived { request, asked } => {
                sim::Record::Arrival { request, job: job(request), asked, after: None }
            }
            Record::Answered { time, request, asked, .. } => {
                sim::Record::Done { time, request, job: job(request), asked }
            }
            Record::Lost { time, request, asked, reason } => {
                let reason = match reason {
                    Loss::Late => DropReason::Late,
                    Loss::Dispatcher | Loss::Scheduler => DropReason::Scheduler,
                };
                sim::Record::Drop { time, request, asked, reason }
            }
            Record::End { time } => sim::Record::End { time },
            Record::Member { request, site, order, .. } => {
                let window = &mut self.first[site];
                let place = (order.0 - window.start) as usize;
                if let Some(first) = window.firsts.get_mut(place) {
                    if origin.measured && !first.measured {
                        *first = First { request, measured: true };
                    }
                } else {
                    window.firsts.push_back(First { request, measured: origin.measured });
                    if window.firsts.len() > KEPT_ORDERS {
                        window.firsts.pop_front();
                        window.start += 1;
                    }
                }
                return;
            }
            Record::Site { site, record } => return self.site(site, record, origin),
            // Decisions of a plain run are those of a scheduler.
            Record::Decided { .. }
            | Record::Sent { .. }
            | Record::Queued { .. }
            | Record::Launched { .. }
            | Record::Served { .. } => return,
        };
        self.out.record(&projected, origin);
    }
}
