//! A fleet's run as the metrics of a plain run see it: one system with the accelerators of all sites, whose requests arrive
//! at their nodes and are done when their answers are there.
//!
//! Layers of a batch are booked to its first measured request; if it has none, to its first.

use super::record::{Loss, Record, Recorder};
use super::static_model::FleetModel;
use crate::sim::{self, AcceleratorModel, DropReason, JobId, Origin, Platform, RequestId, World};

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
    let dram_power = model.sites.iter().map(|site| site.world.platform.dram_power).sum();
    let platform = Platform { dram_power, ..Platform::new(accelerators, bandwidth, first.platform.sharing) };
    let mut networks = first.networks.clone();
    for (n, network) in networks.iter_mut().enumerate() {
        let of_sites = model.sites.iter().flat_map(|site| site.world.networks[n].on_chip.iter().cloned());
        network.on_chip = of_sites.collect();
        network.ways =
            model.sites.iter().flat_map(|site| site.world.networks[n].ways.iter().cloned()).collect();
    }
    World { platform, networks }
}

/// Translates the records of a fleet for a recorder of plain runs.
pub struct Projection<'a> {
    out: &'a mut dyn sim::Recorder,
    /// The number of the first accelerator of each site.
    offsets: Vec<usize>,
    /// The granted bandwidth of each site.
    granted: Vec<f64>,
}

impl<'a> Projection<'a> {
    /// A translation for a fleet.
    pub fn new(model: &FleetModel, out: &'a mut dyn sim::Recorder) -> Self {
        let mut offsets = vec![0];
        for site in &model.sites {
            offsets.push(offsets[offsets.len() - 1] + site.world.platform.accelerators.len());
        }
        Self { out, offsets, granted: vec![0.0; model.sites.len()] }
    }

    /// What happened inside a site.
    fn site(&mut self, site: usize, mut record: sim::Record, origin: Origin) {
        use sim::Record as R;
        match &mut record {
            // The records about orders follow from those about requests, and conditions are those of one site.
            R::Arrival { .. } | R::Done { .. } | R::Drop { .. } | R::Drift { .. } | R::End { .. } => return,
            R::Decision { .. } | R::Applied { .. } => {}
            R::Bandwidth { granted_bytes_per_ps, .. } => {
                self.granted[site] = *granted_bytes_per_ps;
                *granted_bytes_per_ps = self.granted.iter().sum();
            }
            R::Corrected { accelerator, .. } => *accelerator += self.offsets[site],
            R::Start { sub_job, accelerator, .. }
            | R::Pace { sub_job, accelerator, .. }
            | R::Phase { sub_job, accelerator, .. }
            | R::Finish { sub_job, accelerator, .. } => {
                sub_job.job = JobId(origin.place);
                *accelerator += self.offsets[site];
            }
        }
        self.out.record(&record, origin);
    }
}

impl Recorder for Projection<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        let job = |request: RequestId| JobId(request.0);
        let projected = match *record {
            Record::Arrived { request, asked, after } => {
                sim::Record::Arrival { request, job: job(request), asked, after }
            }
            Record::Answered { time, request, asked, .. } => {
                sim::Record::Done { time, request, job: job(request), asked }
            }
            Record::Lost { time, request, asked, reason, begun } => {
                let reason = match reason {
                    Loss::Late => DropReason::Late,
                    Loss::Dispatcher | Loss::Scheduler => DropReason::Scheduler,
                };
                sim::Record::Drop { time, request, asked, reason, begun }
            }
            Record::End { time } => sim::Record::End { time },
            Record::Site { site, record } => return self.site(site, record, origin),
            // Decisions of a plain run are those of a scheduler.
            Record::Decided { .. }
            | Record::Sent { .. }
            | Record::Queued { .. }
            | Record::Launched { .. }
            | Record::Member { .. }
            | Record::Weights { .. }
            | Record::Served { .. }
            | Record::Hop { .. }
            | Record::Drift { .. } => return,
        };
        self.out.record(&projected, origin);
    }
}
