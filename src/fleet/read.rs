//! From TOML to a validated fleet.

use std::path::Path;

use schemars::Schema;

use super::distance::{delay, great_circle_km};
use super::raw::{RawFleet, RawLink, RawNode, RawScheduler, RawSite};
use super::{AccessSpec, Coordinates, FleetSpec, LinkSpec, MemorySpec, NodeSpec, SiteSpec};
use crate::files::{GigabitsPerSecond, InputError, NonNegative, Source, Spanned, did_you_mean, schema_of};
use crate::units::Time;

/// Our choice, because it is more than any network of the Internet Topology Zoo has (754), and the ways between all of
/// them stay small.
const MAX_NODES: usize = 1_000;

/// Bytes per second of a gigabit per second.
const BYTES_PER_GIGABIT: f64 = 1e9 / 8.0;

impl FleetSpec {
    /// The JSON Schema of a fleet file.
    pub fn schema() -> Schema {
        schema_of::<RawFleet>()
    }

    /// Reads and validates a fleet file. Systems, schedulers and models are names, which the experiment looks up.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        Self::parse(&Source::read(path)?)
    }

    /// Reads and validates the text of a fleet file.
    pub(super) fn parse(source: &Source) -> Result<Self, InputError> {
        let raw: RawFleet = source.parse()?;
        if raw.node.is_empty() || raw.node.len() > MAX_NODES {
            return Err(source.error_at_top(format!("a fleet has 1 to {MAX_NODES} nodes (`[[node]]`)")));
        }
        check_distinct(source, "nodes", raw.node.iter().map(|node| &node.name))?;
        check_distinct(source, "sites", raw.site.iter().map(|site| &site.name))?;
        let nodes = raw.node.iter().map(|node| read_node(source, node)).collect::<Result<Vec<_>, _>>()?;
        let reader = Reader { source, raw: &raw, nodes: &nodes };
        let links = raw.link.iter().map(|link| reader.link(link)).collect::<Result<Vec<_>, _>>()?;
        let sites = raw.site.iter().map(|site| reader.site(site)).collect::<Result<Vec<_>, _>>()?;
        let access = raw.access.as_ref().map(|access| AccessSpec {
            bytes_per_s: bytes_per_s(access.gbps),
            delay: Time::from_us(access.delay_us.0),
            pj_per_bit: pj_per_bit(&raw, access.pj_per_bit.as_ref()),
        });
        reader.check_ways(&links, &sites)?;
        let report = Time::from_us(raw.report_us.0);
        Ok(Self { name: raw.name, source: raw.source, report, nodes, sites, links, access })
    }
}

fn bytes_per_s(rate: GigabitsPerSecond) -> f64 {
    BYTES_PER_GIGABIT * rate.0
}

/// The energy of a bit on a link: its own, else the fleet's, else none.
fn pj_per_bit(fleet: &RawFleet, own: Option<&NonNegative>) -> f64 {
    own.or(fleet.pj_per_bit.as_ref()).map_or(0.0, |energy| energy.0)
}

fn check_distinct<'a>(
    source: &Source,
    what: &str,
    names: impl Iterator<Item = &'a Spanned<String>>,
) -> Result<(), InputError> {
    let mut earlier = std::collections::BTreeSet::new();
    for name in names {
        if !earlier.insert(name.get_ref()) {
            return Err(source.error(&name.span(), format!("two {what} are named `{}`", name.get_ref())));
        }
    }
    Ok(())
}

fn read_node(source: &Source, raw: &RawNode) -> Result<NodeSpec, InputError> {
    let place = match (&raw.latitude, &raw.longitude) {
        (Some(latitude), Some(longitude)) => {
            Some(Coordinates { latitude: latitude.get_ref().0, longitude: longitude.get_ref().0 })
        }
        (None, None) => None,
        (Some(one), None) => return Err(source.error(&one.span(), "`latitude` needs a `longitude`")),
        (None, Some(one)) => return Err(source.error(&one.span(), "`longitude` needs a `latitude`")),
    };
    Ok(NodeSpec { name: raw.name.get_ref().clone(), place })
}

struct Reader<'a> {
    source: &'a Source,
    raw: &'a RawFleet,
    nodes: &'a [NodeSpec],
}

impl Reader<'_> {
    fn node(&self, name: &Spanned<String>) -> Result<u32, InputError> {
        let wanted = name.get_ref();
        let place = self.nodes.iter().position(|node| node.name == *wanted);
        place.map(|place| place as u32).ok_or_else(|| {
            let known: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
            let hint = did_you_mean(wanted, &known);
            let message = format!("no node `{wanted}`{hint}: expected one of {}", known.join(", "));
            self.source.error(&name.span(), message)
        })
    }

    fn link(&self, raw: &RawLink) -> Result<LinkSpec, InputError> {
        let wrong = |message: String| Err(self.source.error(&raw.between.span(), message));
        let [one, other] = raw.between.get_ref().as_slice() else {
            return wrong(format!(
                "`between` lists {}: expected the two nodes of the link",
                raw.between.get_ref().len()
            ));
        };
        let between = [self.node(one)?, self.node(other)?];
        if between[0] == between[1] {
            return wrong(format!("the link joins `{}` with itself", one.get_ref()));
        }
        let delay = match &raw.delay_us {
            Some(delay_us) => Time::from_us(delay_us.0),
            None => {
                let places = between.map(|node| self.nodes[node as usize].place);
                let [Some(from), Some(to)] = places else {
                    let nowhere = if places[0].is_none() { one } else { other };
                    return wrong(format!(
                        "the link has no `delay_us`, and node `{}` no coordinates to compute it from",
                        nowhere.get_ref()
                    ));
                };
                delay(great_circle_km(from, to), self.raw.km_per_ms.0)
            }
        };
        Ok(LinkSpec {
            between,
            bytes_per_s: bytes_per_s(raw.gbps),
            delay,
            sharing: raw.sharing.unwrap_or(self.raw.sharing),
            pj_per_bit: pj_per_bit(self.raw, raw.pj_per_bit.as_ref()),
        })
    }

    fn site(&self, raw: &RawSite) -> Result<SiteSpec, InputError> {
        let scheduler = raw.scheduler.as_ref().map(|scheduler| match scheduler.get_ref() {
            RawScheduler::Name(name) => Ok(toml::Table::from_iter([("name".into(), name.clone().into())])),
            RawScheduler::Table(table) if matches!(table.get("name"), Some(toml::Value::String(_))) => {
                Ok(table.clone())
            }
            RawScheduler::Table(_) => {
                let message = "expected a scheduler's name, or a table with `name` and its parameters";
                Err(self.source.error(&scheduler.span(), message))
            }
        });
        if let Some(models) = raw.models.as_ref().filter(|models| models.get_ref().is_empty()) {
            let message = "`models` is empty: expected at least one, or no `models` for all";
            return Err(self.source.error(&models.span(), message));
        }
        Ok(SiteSpec {
            name: raw.name.get_ref().clone(),
            node: self.node(&raw.node)?,
            system: raw.system.clone(),
            scheduler: scheduler.transpose()?,
            // A limit of 2^32 - 1 is none.
            slots: raw.slots.map(|slots| slots.0 as u32),
            models: raw.models.as_ref().map(|models| models.get_ref().clone()),
            memory: self.memory(raw)?,
            cost_per_s: raw.cost_per_s.map(|cost| cost.0),
        })
    }

    fn memory(&self, raw: &RawSite) -> Result<Option<MemorySpec>, InputError> {
        let alone = |span, key: &str, other: &str| {
            Err(self.source.error(span, format!("`{key}` without `{other}`: expected both or none")))
        };
        match (&raw.memory_mb, &raw.load_bandwidth_gbps) {
            (None, None) => Ok(None),
            (Some(memory), None) => alone(&memory.span(), "memory_mb", "load_bandwidth_gbps"),
            (None, Some(load)) => alone(&load.span(), "load_bandwidth_gbps", "memory_mb"),
            (Some(memory), Some(load)) => Ok(Some(MemorySpec {
                bytes: memory.get_ref().0 * 1e6,
                load_bytes_per_s: load.get_ref().0 * 1e9,
            })),
        }
    }

    /// Checks that every node reaches some site, unless there is none yet.
    fn check_ways(&self, links: &[LinkSpec], sites: &[SiteSpec]) -> Result<(), InputError> {
        let mut reached = vec![sites.is_empty(); self.nodes.len()];
        let mut open: Vec<u32> = sites.iter().map(|site| site.node).collect();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node as usize], true) {
                let ends = links.iter().filter(|link| link.between.contains(&node));
                open.extend(ends.map(|link| link.other_end(node)));
            }
        }
        match reached.iter().position(|reached| !reached) {
            None => Ok(()),
            Some(node) => {
                let name = &self.raw.node[node].name;
                let message = format!("no site is reachable from node `{}`: add a link", name.get_ref());
                Err(self.source.error(&name.span(), message))
            }
        }
    }
}
