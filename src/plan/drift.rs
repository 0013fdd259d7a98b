//! The drift of a cell (`experiment::drift`) for what it changes: engines, links and arrivals. Names are checked here, where
//! systems, fleets and tenants are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::experiment::{CellDrift, Dram, DriftEntry, Error};
use crate::files::{InputError, Source, did_you_mean};
use crate::fleet::FleetSpec;
use crate::hw::SystemSpec;
use crate::serve::WireChange;
use crate::sim::{Change, Drift, Losing, World};
use crate::units::Time;
use crate::workload::{RateChanges, Scenario};

/// The entries that apply to a cell, with the file that has them.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a> {
    pub(super) drift: &'a CellDrift,
    pub(super) source: &'a Source,
}

impl<'a> Entries<'a> {
    fn wrong(&self, entry: &DriftEntry, key: &str, message: String) -> InputError {
        self.source.error_in("drift", entry.place, &[key, "at_s"], message)
    }

    fn iter(&self) -> impl Iterator<Item = &'a DriftEntry> + use<'a> {
        self.drift.entries.iter()
    }

    /// The changes of the engine of a system or, if `site` names one, of a site.
    pub(super) fn of_engine(
        &self,
        site: Option<&str>,
        system: &SystemSpec,
        world: &World,
        dram: &Dram,
    ) -> Result<Drift, Error> {
        let is_here = |entry: &&DriftEntry| match (&entry.site, site) {
            (Some(named), Some(here)) => named == here,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let mut by_time: BTreeMap<Time, (Change, Vec<usize>)> = BTreeMap::new();
        let mut lost_in: BTreeMap<Time, &DriftEntry> = BTreeMap::new();
        for entry in self.iter().filter(|entry| entry.is_of_sites()).filter(is_here) {
            let at = entry.at;
            let nothing = Change { at, speed: None, bandwidth_bytes_per_ps: None, loss: None };
            let (change, lost) = by_time.entry(at).or_insert((nothing, Vec::new()));
            change.speed = entry.speed.or(change.speed);
            let delivered = |bandwidth_gbps| Dram { bandwidth_gbps, ..*dram }.bytes_per_s() / 1e12;
            change.bandwidth_bytes_per_ps =
                entry.dram_bandwidth_gbps.map(delivered).or(change.bandwidth_bytes_per_ps);
            for name in &entry.lost {
                lost.extend(self.accelerators(entry, name, system)?);
                lost_in.insert(at, entry);
            }
        }
        let (mut changes, mut left) = (Vec::new(), None);
        let mut all: Vec<usize> = Vec::new();
        for (at, (mut change, mut lost)) in by_time {
            lost.sort_unstable();
            lost.dedup();
            lost.retain(|accelerator| !all.contains(accelerator));
            if !lost.is_empty() {
                all.extend(&lost);
                let without = left.as_ref().unwrap_or(world).without(&lost).map_err(|unable| {
                    let entry = lost_in[&at];
                    let place = site.map_or(format!("`{}`", system.name), |site| format!("site `{site}`"));
                    let message = format!(
                        "`accelerators_lost` leaves {place} without an accelerator for its requests: {unable}; expected \
                         another accelerator to be left for every layer"
                    );
                    self.wrong(entry, "accelerators_lost", message)
                })?;
                change.loss = Some(Losing { accelerators: lost, world: Arc::new(without.clone()) });
                left = Some(without);
            }
            changes.push(change);
        }
        Ok(Drift::new(changes))
    }

    /// The accelerators of a name: of a model, or one.
    fn accelerators(
        &self,
        entry: &DriftEntry,
        name: &str,
        system: &SystemSpec,
    ) -> Result<Vec<usize>, InputError> {
        let is_meant = |place: &usize| {
            let accelerator = &system.accelerators[*place];
            accelerator.name == name || system.models[accelerator.model].name == name
        };
        let found: Vec<usize> = (0..system.accelerators.len()).filter(is_meant).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let models = system.models.iter().map(|model| model.name.as_str());
        let known: Vec<&str> = models.chain(system.accelerators.iter().map(|of| of.name.as_str())).collect();
        let hint = did_you_mean(name, &known);
        let message = format!(
            "`accelerators_lost`: `{}` has no accelerator `{name}`{hint}: expected one of {}",
            system.name,
            known.join(", ")
        );
        Err(self.wrong(entry, "accelerators_lost", message))
    }

    /// Checks that the sites of a fleet have the names that entries give.
    pub(super) fn check_sites(&self, fleet: &FleetSpec) -> Result<(), Error> {
        let names: Vec<&str> = fleet.sites.iter().map(|site| site.name.as_str()).collect();
        for entry in self.iter() {
            if let Some(site) = entry.site.as_ref().filter(|site| !names.contains(&site.as_str())) {
                let (hint, known) = (did_you_mean(site, &names), names.join(", "));
                let message =
                    format!("fleet `{}` has no site `{site}`{hint}: expected one of {known}", fleet.name);
                return Err(self.wrong(entry, "site", message).into());
            }
        }
        Ok(())
    }

    /// The changes of the links of a fleet, whose wires are two for each link.
    pub(super) fn of_links(&self, fleet: &FleetSpec) -> Result<Vec<WireChange>, Error> {
        let mut changes = Vec::new();
        for entry in self.iter() {
            let Some([a, b]) = &entry.link else { continue };
            let node = |name: &str| {
                fleet.node(name).ok_or_else(|| {
                    let names: Vec<&str> = fleet.nodes.iter().map(|node| node.name.as_str()).collect();
                    let (hint, known) = (did_you_mean(name, &names), names.join(", "));
                    let message =
                        format!("fleet `{}` has no node `{name}`{hint}: expected one of {known}", fleet.name);
                    self.wrong(entry, "link", message)
                })
            };
            let ends = [node(a)?, node(b)?];
            let meant = fleet
                .links
                .iter()
                .enumerate()
                .filter(|(_, link)| link.between == ends || link.between == [ends[1], ends[0]]);
            let before = changes.len();
            for (link, _) in meant {
                changes.extend([2 * link, 2 * link + 1].map(|wire| WireChange {
                    at: entry.at,
                    wire: wire as u32,
                    bytes_per_ps: entry.gbps.map(|gbps| gbps / 8e3),
                    delay: entry.delay,
                }));
            }
            if changes.len() == before {
                let name = |node: u32| fleet.nodes[node as usize].name.as_str();
                let pair = |of: &crate::fleet::LinkSpec| {
                    format!("{} - {}", name(of.between[0]), name(of.between[1]))
                };
                let known: Vec<String> = fleet.links.iter().map(pair).collect();
                let message = format!(
                    "fleet `{}` has no link between `{a}` and `{b}`: expected one of {}",
                    fleet.name,
                    known.join(", ")
                );
                return Err(self.wrong(entry, "link", message).into());
            }
        }
        changes.sort_by_key(|change| change.at);
        Ok(changes)
    }

    /// The changes of the tenants' arrival rates.
    pub(super) fn of_arrivals(&self, scenario: &Scenario, is_recorded: bool) -> Result<RateChanges, Error> {
        let mut rates = RateChanges::default();
        let mut entries: Vec<&DriftEntry> = self.iter().filter(|entry| entry.rate.is_some()).collect();
        entries.sort_by_key(|entry| entry.at);
        for entry in entries {
            if is_recorded {
                let message =
                    "`rate` cannot change the times of a `trace`: leave it out, or set `speedup` in `trace`";
                return Err(self.wrong(entry, "rate", message.into()).into());
            }
            let sends = |place: &usize| {
                let arrivals = &scenario.tenants[*place].arrivals;
                arrivals.closed_loop().is_none() && arrivals.cascade().is_none()
            };
            let all = 0..scenario.tenants.len();
            let meant: Vec<usize> = match &entry.tenant {
                None => all.filter(sends).collect(),
                Some(name) => {
                    let names: Vec<&str> =
                        scenario.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
                    let Some(place) = names.iter().position(|known| known == name) else {
                        let (hint, known) = (did_you_mean(name, &names), names.join(", "));
                        let message = format!(
                            "scenario `{}` has no tenant `{name}`{hint}: expected one of {known}",
                            scenario.name
                        );
                        return Err(self.wrong(entry, "tenant", message).into());
                    };
                    Some(place).filter(sends).into_iter().collect()
                }
            };
            if meant.is_empty() {
                let message = format!(
                    "`rate`: closed loops and cascades of scenario `{}` send as they are served, and have no rate of their \
                     own; expected a tenant with other arrivals",
                    scenario.name
                );
                return Err(self.wrong(entry, "rate", message).into());
            }
            let factor = entry.rate.expect("it is filtered by its rate");
            meant.into_iter().for_each(|tenant| rates.change(tenant, entry.at, factor));
        }
        Ok(rates)
    }
}
