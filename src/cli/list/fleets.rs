//! `mascot list fleets`: all fleets, or the ways within one.

use super::catalogue::Catalogue;
use crate::cli::table::Listing;
use crate::experiment::{DataRoot, Error, Kind};
use crate::fleet::{FleetSpec, SiteSpec};
use crate::results::number;

/// All fleets.
pub(super) fn all(data: &DataRoot) -> Result<Catalogue, Error> {
    let fleets = data.names(Kind::Fleet);
    let fleets = fleets.iter().map(|name| data.topology(name)).collect::<Result<Vec<FleetSpec>, Error>>()?;
    Ok(catalogue(&fleets))
}

/// An entry per fleet.
pub(super) fn catalogue(fleets: &[FleetSpec]) -> Catalogue {
    let listing = Listing {
        columns: &[
            ("fleet", "fleet"),
            ("nodes", "nodes"),
            ("links", "links"),
            ("sites", "sites"),
            ("source", "source"),
        ],
        numbers: 1..3,
        rows: fleets.iter().map(row).collect(),
    };
    Catalogue::new("fleet", listing, &[0, 1, 2, 3])
}

fn row(fleet: &FleetSpec) -> Vec<String> {
    let of_site = |site: &SiteSpec| {
        let node = &fleet.nodes[site.node as usize].name;
        let place = if *node == site.name { String::new() } else { format!(" at {node}") };
        format!("{}{place} ({})", site.name, site.system)
    };
    let sites: Vec<String> = fleet.sites.iter().map(of_site).collect();
    vec![
        fleet.name.clone(),
        fleet.nodes.len().to_string(),
        fleet.links.len().to_string(),
        sites.join(", "),
        fleet.source.clone(),
    ]
}

/// A row per node and site: the links between them, the delay of one way, and the bandwidth of the narrowest link.
pub(super) fn ways(fleet: &FleetSpec) -> Listing {
    let routes = fleet.routes();
    let way = |from: usize, to: u32| {
        let path = routes.path(from as u32, to)?;
        let narrowest = path.iter().map(|&link| fleet.links[link as usize].bytes_per_s);
        let gbps = narrowest.fold(f64::INFINITY, f64::min) * 8.0 / 1e9;
        let us = routes.delay(from as u32, to)?.as_us();
        let gbps = if gbps.is_finite() { gbps.to_string() } else { "inf".into() };
        Some([path.len().to_string(), number(Some(us), 1), gbps])
    };
    let none = || ["-"; 3].map(str::to_string);
    let rows = fleet.nodes.iter().enumerate().flat_map(|(from, node)| {
        fleet.sites.iter().map(move |site| {
            let [links, us, gbps] = way(from, site.node).unwrap_or_else(none);
            vec![node.name.clone(), site.name.clone(), site.system.clone(), links, us, gbps]
        })
    });
    Listing {
        columns: &[
            ("node", "node"),
            ("site", "site"),
            ("system", "system"),
            ("links", "links"),
            ("one way, us", "one_way_us"),
            ("narrowest, Gb/s", "narrowest_gigabits_per_s"),
        ],
        numbers: 3..6,
        rows: rows.collect(),
    }
}
