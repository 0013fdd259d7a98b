//! A recording as the arrivals of all tenants of a scenario.
//!
//! A row that names a network but no tenant is given to a tenant that runs the network, drawn by weight (tenant x
//! network); a row that names neither, to any tenant, by weight. Tenants without a weight have 1, including cascades,
//! whatever their probability. A network that a row does not name is drawn from its tenant's mix. Priorities that
//! the file does not give, and QoS levels, are drawn as for generated arrivals, from the same streams, so that a recording of what was generated gives
//! the same requests.

use std::sync::Arc;

use super::arrivals::Point;
use super::draw::Draw;
use super::scenario::Scenario;
use super::stream::{Arrival, Traits};
use super::tenant::Weighted;
use super::trace::{Recording, Row};
use crate::files::{InputError, did_you_mean};
use crate::rng;

/// A recording in which every row fits the scenario.
#[derive(Clone, Debug)]
pub struct RecordedArrivals {
    requests: Arc<[Request]>,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    tenant: Option<u32>,
    point: Point,
}

impl RecordedArrivals {
    /// Finds tenants and networks by name; one that the scenario does not have is an error with its line.
    pub fn new(trace: &Recording, scenario: &Scenario) -> Result<Self, InputError> {
        let request = |row: &Row| {
            let tenant =
                trace.labels.tenant(row).map(|name| tenant(trace, row, scenario, name)).transpose()?;
            let network =
                trace.labels.network(row).map(|label| network(trace, row, scenario, label)).transpose()?;
            if let (Some(tenant), Some(network)) = (tenant, network)
                && !runs(scenario, tenant, network)
            {
                let message = format!(
                    "tenant `{}` of scenario `{}` does not run `{}`",
                    scenario.tenants[tenant as usize].name,
                    scenario.name,
                    scenario.networks[network as usize].label()
                );
                return Err(trace.labels.error(row, message));
            }
            let point = Point { network, priority: row.priority, within: row.within, ..Point::at(row.time) };
            Ok(Request { tenant, point })
        };
        Ok(Self { requests: trace.rows.iter().map(request).collect::<Result<_, _>>()? })
    }

    /// Number of requests.
    pub fn total(&self) -> usize {
        self.requests.len()
    }

    /// The requests; what the file leaves open is drawn.
    pub fn arrivals(&self, scenario: &Scenario, seed: u64) -> impl Iterator<Item = Arrival> + use<> {
        let mut traits: Vec<Traits> =
            scenario.tenants.iter().map(|tenant| Traits::new(tenant, seed)).collect();
        let mut senders = Senders::new(scenario, seed);
        let requests = Arc::clone(&self.requests);
        (0..requests.len()).map(move |place| {
            let Request { tenant, point } = requests[place];
            let tenant = tenant.unwrap_or_else(|| senders.draw(point.network));
            traits[tenant as usize].arrival(tenant, point)
        })
    }
}

fn tenant(trace: &Recording, row: &Row, scenario: &Scenario, name: &str) -> Result<u32, InputError> {
    let place = scenario.tenants.iter().position(|tenant| tenant.name == name);
    place.map(|place| place as u32).ok_or_else(|| {
        let known: Vec<&str> = scenario.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
        unknown(trace, row, scenario, "tenant", name, &known)
    })
}

fn network(trace: &Recording, row: &Row, scenario: &Scenario, label: &str) -> Result<u32, InputError> {
    scenario.network(label).ok_or_else(|| {
        let known: Vec<String> = scenario.networks.iter().map(|network| network.label()).collect();
        unknown(trace, row, scenario, "network", label, &known)
    })
}

fn unknown<W: AsRef<str>>(
    trace: &Recording,
    row: &Row,
    scenario: &Scenario,
    what: &str,
    name: &str,
    known: &[W],
) -> InputError {
    let hint = did_you_mean(name, known);
    let known = known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    let message = format!(
        "scenario `{}` has no {what} `{name}`{hint}, only {known}: map the name to one of them",
        scenario.name
    );
    trace.labels.error(row, message)
}

fn runs(scenario: &Scenario, tenant: u32, network: u32) -> bool {
    scenario.tenants[tenant as usize].networks.iter().any(|choice| choice.value == network)
}

/// The tenants that send the requests which name none.
struct Senders {
    any: Draw,
    /// A draw among the tenants of each network; every network has one.
    of_network: Vec<Draw>,
}

impl Senders {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let among = |network: Option<u32>| {
            let tenants = scenario.tenants.iter().enumerate().filter_map(|(place, tenant)| {
                let share = match network {
                    Some(network) => tenant.mix().find(|&(of, _)| of == network)?.1,
                    None => 1.0,
                };
                Some(Weighted { value: place as u32, weight: tenant.weight * share })
            });
            let label = network.map_or(String::new(), |network| scenario.networks[network as usize].label());
            Draw::new(&tenants.collect::<Vec<_>>(), rng::stream(seed, "sender", &label))
        };
        let networks = 0..scenario.networks.len() as u32;
        Self { any: among(None), of_network: networks.map(|network| among(Some(network))).collect() }
    }

    fn draw(&mut self, network: Option<u32>) -> u32 {
        network.map_or(&mut self.any, |network| &mut self.of_network[network as usize]).next()
    }
}
