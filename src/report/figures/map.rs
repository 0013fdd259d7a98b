//! A map of each fleet with the use of its links and accelerators under one dispatcher, from the manifest, links.csv and
//! accelerators.csv.

use std::f64::consts::PI;

use serde::Deserialize;

use super::utilization::Utilization;
use super::{Data, MOST_CASES, Picture, Section, best_first, cell};
use crate::experiment::{Error, KEYS, LOAD, SCENARIO, SCHEDULER, SEED, SYSTEM};
use crate::files::did_you_mean;
use crate::report::chart::{Chart, Map, MapLink, MapNode, MapSite};
use crate::results::{Case, Results, is_same};

const TEXT: &str = "Nodes where they are (on a circle if the fleet's file gives no coordinates), and links as wide as the \
                    logarithm of their bandwidth. The number at a link, and its colour, are the use of its busier direction; \
                    tenants have that of their access in brackets. Below the node of a site stands a bar per accelerator, \
                    filled by the share of the measurement window in which it is busy. Means over seeds; hover for names \
                    and both directions.";

const NONE: &str =
    "There is no links.csv or accelerators.csv beside the summary, or the manifest names no fleets.";

/// A fleet with the tenants of a scenario, as in the manifest.
#[derive(Deserialize)]
struct Topology {
    name: String,
    scenario: String,
    nodes: Vec<Node>,
    links: Vec<Link>,
    sites: Vec<Site>,
    tenants: Vec<Tenant>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Deserialize)]
struct Link {
    between: [String; 2],
    gbps: Option<f64>,
}

#[derive(Deserialize)]
struct Site {
    name: String,
    node: String,
    accelerators: Vec<String>,
}

#[derive(Deserialize)]
struct Tenant {
    name: String,
    node: String,
}

pub(super) fn section(results: &Results, wanted: &[(String, String)]) -> Result<Section, Error> {
    let (name, title) = ("map", "Map");
    let wanted = check(results, wanted)?;
    let fleets: Vec<Topology> =
        serde_json::from_value(results.manifest["fleets"].clone()).unwrap_or_default();
    let links = Utilization::read(results, "links.csv", &["from", "to"])?;
    let accelerators = Utilization::read(results, "accelerators.csv", &["accelerator"])?;
    let (Some(links), Some(accelerators), false) = (links, accelerators, fleets.is_empty()) else {
        return Ok(Section::without(name, title, NONE));
    };
    let mut pictures = Vec::new();
    for panel in 0..results.panels.len().min(MOST_CASES) {
        let cases = results.cases_of_panel(panel);
        let Some((case, scheduler)) = shown(results, &cases, &wanted) else { continue };
        let is_its = |of: &&Topology| of.name == case.keys[SYSTEM] && of.scenario == case.keys[SCENARIO];
        let Some(fleet) = fleets.iter().find(is_its) else { continue };
        let used = |of: &Utilization, name: &str| of.mean(results, case, scheduler, name);
        let (chart, data) = picture(fleet, &|link| used(&links, link), &|lane| used(&accelerators, lane));
        let case = format!("{}, {}", case.title, results.schedulers[scheduler]);
        pictures.push(Picture::new(name, &case, title, chart, data));
    }
    let chosen = match wanted.is_empty() {
        true => {
            " Each shows the best dispatcher at the highest load up to lambda*, else at the lowest; `mascot report \
                 --cell KEY=VALUE` chooses another cell."
        }
        false => " Each shows the cell that `--cell` chose.",
    };
    Ok(Section { name: name.into(), title: title.into(), text: format!("{TEXT}{chosen}"), pictures })
}

/// The places in [`KEYS`] of the wanted keys, with their values; an error if no row has one of them.
fn check(results: &Results, wanted: &[(String, String)]) -> Result<Vec<(usize, String)>, Error> {
    let of = |(key, value): &(String, String)| {
        let known: Vec<&str> = KEYS.iter().copied().filter(|known| *known != KEYS[SEED]).collect();
        let place = KEYS.iter().position(|known| known == key && *known != KEYS[SEED]).ok_or_else(|| {
            let hint = did_you_mean(key, &known);
            Error::Usage(format!("--cell: no key `{key}`{hint}; known: {}", known.join(", ")))
        })?;
        let mut values: Vec<&str> = match place {
            SCHEDULER => results.schedulers.iter().map(String::as_str).collect(),
            _ => results.cases.iter().map(|case| case.keys[place].as_str()).collect(),
        };
        match values.iter().find(|known| is_same(known, value)) {
            Some(found) => Ok((place, (*found).to_string())),
            None => {
                values.sort_unstable();
                values.dedup();
                Err(Error::Usage(format!("--cell: no row has {key}={value}; it has {}", values.join(", "))))
            }
        }
    };
    wanted.iter().map(of).collect()
}

/// The case and the dispatcher that the map of a panel shows.
fn shown<'a>(results: &Results, cases: &[&'a Case], wanted: &[(usize, String)]) -> Option<(&'a Case, usize)> {
    let has = |case: &&&Case| {
        wanted.iter().all(|(place, value)| *place == SCHEDULER || case.keys[*place] == *value)
    };
    let cases: Vec<&Case> = cases.iter().filter(has).copied().collect();
    let carried =
        cases.iter().rev().find(|case| results.axis == LOAD && case.load.is_some_and(|load| load <= 1.0));
    let case = carried.or(cases.first())?;
    let named = wanted.iter().find(|(place, _)| *place == SCHEDULER);
    let scheduler = match named {
        Some((_, label)) => results.scheduler(label).filter(|&s| !case.samples[s].is_empty()),
        None => best_first(results, case).first().copied(),
    };
    Some((case, scheduler?))
}

fn picture(
    fleet: &Topology,
    of_link: &dyn Fn(&str) -> Option<f64>,
    of_lane: &dyn Fn(&str) -> Option<f64>,
) -> (Chart, Data) {
    let mut data = Data::new(&["what", "from", "to", "utilization"]);
    let places = layout(&fleet.nodes);
    let node = |(node, &at): (&Node, &(f64, f64))| {
        let tenants = fleet.tenants.iter().filter(|tenant| tenant.node == node.name);
        let sites = fleet.sites.iter().filter(|site| site.node == node.name);
        let used = |site: &Site| site.accelerators.iter().map(|name| (name.clone(), of_lane(name))).collect();
        MapNode {
            name: node.name.clone(),
            at,
            tenants: tenants.map(|tenant| told(tenant, of_link)).collect(),
            sites: sites.map(|site| MapSite { name: site.name.clone(), used: used(site) }).collect(),
        }
    };
    let nodes: Vec<MapNode> = fleet.nodes.iter().zip(&places).map(node).collect();
    let mut links = Vec::new();
    for link in &fleet.links {
        let [one, other] = &link.between;
        let at = |name: &String| fleet.nodes.iter().position(|node| node.name == *name);
        let (Some(a), Some(b)) = (at(one), at(other)) else { continue };
        let used = [[one, other], [other, one]].map(|[from, to]| {
            let used = of_link(&Utilization::name([from.as_str(), to.as_str()]));
            data.rows.push(vec!["link".into(), from.clone(), to.clone(), cell(used)]);
            used
        });
        links.push(MapLink { ends: [a, b], gbps: link.gbps, used });
    }
    for site in nodes.iter().flat_map(|node| &node.sites) {
        let row = |(name, used): &(String, Option<f64>)| {
            vec!["accelerator".into(), site.name.clone(), name.clone(), cell(*used)]
        };
        data.rows.extend(site.used.iter().map(row));
    }
    (Chart::Map(Map { nodes, links }), data)
}

/// A tenant with the use of the busier direction of its own link to its node, if it has one.
fn told(tenant: &Tenant, of_link: &dyn Fn(&str) -> Option<f64>) -> String {
    let ends = [&*tenant.name, &*tenant.node];
    let ways = [ends, [ends[1], ends[0]]].map(|way| of_link(&Utilization::name(way)));
    let most = ways.into_iter().flatten().max_by(f64::total_cmp);
    most.map_or(tenant.name.clone(), |used| format!("{} (access {:.0} %)", tenant.name, 100.0 * used))
}

/// Where the nodes are, to the right and downwards: an equirectangular map, true to scale at the latitude in its middle,
/// or a circle if some node has no coordinates.
fn layout(nodes: &[Node]) -> Vec<(f64, f64)> {
    let known: Option<Vec<(f64, f64)>> = nodes.iter().map(|node| node.longitude.zip(node.latitude)).collect();
    let Some(known) = known else {
        let angle = |place: usize| 2.0 * PI * (place as f64 / nodes.len() as f64) - PI / 2.0;
        return (0..nodes.len()).map(angle).map(|angle| (2.0 * angle.cos(), angle.sin())).collect();
    };
    let ends = known.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &(_, latitude)| {
        [low.min(latitude), high.max(latitude)]
    });
    let shrunk = ((ends[0] + ends[1]) / 2.0 * PI / 180.0).cos();
    known.iter().map(|&(longitude, latitude)| (longitude * shrunk, -latitude)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(place: Option<(f64, f64)>) -> Node {
        let (latitude, longitude) = place.unzip();
        Node { name: String::new(), latitude, longitude }
    }

    #[test]
    fn a_degree_of_longitude_is_half_one_of_latitude_at_sixty_degrees() {
        let places = layout(&[(50.0, 10.0), (70.0, 10.0), (60.0, 20.0)].map(|place| node(Some(place))));
        let near = |a: (f64, f64), b: (f64, f64)| {
            assert!((a.0 - b.0).abs() + (a.1 - b.1).abs() < 1e-9, "{a:?} {b:?}")
        };
        near(places[0], (5.0, -50.0));
        near(places[1], (5.0, -70.0));
        near(places[2], (10.0, -60.0));
    }

    #[test]
    fn without_all_coordinates_nodes_are_on_a_circle() {
        let places = layout(&[node(Some((1.0, 2.0))), node(None), node(None), node(None)]);
        let near = |a: (f64, f64), b: (f64, f64)| {
            assert!((a.0 - b.0).abs() + (a.1 - b.1).abs() < 1e-9, "{a:?} {b:?}")
        };
        near(places[0], (0.0, -1.0));
        near(places[1], (2.0, 0.0));
        near(places[3], (-2.0, 0.0));
    }
}
