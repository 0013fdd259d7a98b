//! The fleets of a plan as the manifest tells them, so that a report can draw a map of each.

use serde_json::{Value, json};

use crate::experiment::distinct;
use crate::plan::{Case, Fleet, Plan};

/// Each fleet with the tenants of each scenario: where nodes, links and sites are, and who sends from where. Empty if the
/// plan is on systems.
pub(super) fn topologies(plan: &Plan) -> Vec<Value> {
    let on_fleets = plan.cases.iter().filter_map(|case| Some((case, case.fleet.as_ref()?)));
    distinct(on_fleets.map(|(case, fleet)| topology(case, fleet)))
}

fn topology(case: &Case, fleet: &Fleet) -> Value {
    let spec = &fleet.spec;
    let node = |place: u32| &spec.nodes[place as usize].name;
    let nodes = spec.nodes.iter().map(|node| {
        let place = node.place.as_ref();
        json!({
            "name": node.name,
            "latitude": place.map(|place| place.latitude),
            "longitude": place.map(|place| place.longitude),
        })
    });
    // No bandwidth stands for no limit.
    let finite = |number: f64| Some(number).filter(|number| number.is_finite());
    let links = spec.links.iter().map(|link| {
        let gbps = finite(link.bytes_per_s * 8.0 / 1e9);
        json!({ "between": link.between.map(node), "gbps": gbps, "delay_us": link.delay.as_us() })
    });
    let mut accelerators = fleet.joint.platform.accelerators.iter();
    let sites = spec.sites.iter().zip(&fleet.model.sites).map(|(site, served)| {
        let own = accelerators.by_ref().take(served.world.platform.accelerators.len());
        let names: Vec<&String> = own.map(|accelerator| &accelerator.name).collect();
        json!({ "name": site.name, "node": node(site.node), "accelerators": names })
    });
    let (sites, clients) = (sites.collect::<Vec<_>>(), &fleet.model.clients);
    let tenants = case.workload.scenario.tenants.iter().zip(clients);
    let tenants =
        tenants.map(|(tenant, client)| json!({ "name": tenant.name, "node": node(client.node as u32) }));
    json!({
        "name": case.system,
        "scenario": case.workload.scenario.name,
        "nodes": nodes.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "sites": sites,
        "tenants": tenants.collect::<Vec<_>>(),
    })
}
