//! All ways to serve the tenants of a fleet, site x variant x batch, and what each takes: what lambda* is computed from.

use crate::experiment::Dram;
use crate::limits::{Way, seconds_per_request};
use crate::serve::{Client, FleetModel, ServiceTerms};
use crate::sim::World;
use crate::units::Time;

/// The numbers of the resources: the accelerator models and the DRAM of each site, then the wires.
pub(super) struct Resources {
    /// The first resource of each site, and then that of the wires.
    offsets: Vec<usize>,
}

/// A way to serve a tenant's requests.
pub(super) struct Served {
    pub(super) way: Way,
    /// Whether it is the most accurate variant at batch 1.
    pub(super) is_best: bool,
}

impl Resources {
    pub(super) fn of(model: &FleetModel) -> Self {
        let of_site = |world: &World| {
            let models = world.platform.accelerators.iter().map(|accelerator| accelerator.model + 1);
            models.max().unwrap_or(0) + world.platform.memories.resources().len()
        };
        let mut offsets = vec![0];
        for site in &model.sites {
            offsets.push(offsets[offsets.len() - 1] + of_site(&site.world));
        }
        Self { offsets }
    }

    /// All ways; `drams` are those of the sites.
    pub(super) fn ways(&self, model: &FleetModel, drams: &[Dram]) -> Result<Vec<Served>, String> {
        let mut all = Vec::new();
        for (place, site) in model.sites.iter().enumerate() {
            for (m, served) in model.models.iter().enumerate().filter(|&(m, _)| site.deployed[m]) {
                for (v, variant) in served.variants.iter().enumerate() {
                    for (&batch, &network) in served.batches.iter().zip(&variant.networks) {
                        let dram = drams[place].bytes_per_s();
                        let seconds = seconds_per_request(&site.world, network as usize, dram)
                            .map_err(|e| format!("site `{}`, network `{}`: {e}", site.name, variant.name))?;
                        let used = seconds.iter().map(|seconds| seconds / f64::from(batch));
                        let used: Vec<(usize, f64)> = (self.offsets[place]..).zip(used).collect();
                        let is_best = v == served.best() && batch == 1;
                        for (client, of) in model.clients.iter().enumerate().filter(|(_, of)| of.model == m) {
                            let Some(on_links) = self.on_links(model, of, place) else { continue };
                            let uses = used.iter().copied().chain(on_links);
                            let uses = uses.filter(|&(_, seconds)| seconds > 0.0).collect();
                            let value = worth(&of.terms, variant.accuracy);
                            all.push(Served { way: Way { client, value, uses }, is_best });
                        }
                    }
                }
            }
        }
        Ok(all)
    }

    /// What a request and its answer take of the wires; `None` if the site cannot be reached.
    fn on_links(&self, model: &FleetModel, client: &Client, site: usize) -> Option<Vec<(usize, f64)>> {
        let [there, back] = client.ways[site].as_ref()?;
        let wires = self.offsets[model.sites.len()];
        let on = |hop: &u32, bytes: f64| {
            (wires + *hop as usize, bytes / (model.wires[*hop as usize].bytes_per_ps * 1e12))
        };
        let there = there.iter().map(|hop| on(hop, client.input_bytes));
        Some(there.chain(back.iter().map(|hop| on(hop, client.output_bytes))).collect())
    }
}

/// The quality of an answer that takes no time.
fn worth(terms: &ServiceTerms, accuracy: f64) -> f64 {
    terms.utility.quality(Time::ZERO, Time::MAX, accuracy, terms.accuracies)
}
