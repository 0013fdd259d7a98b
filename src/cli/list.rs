//! `mascot list`: lists everything that experiments can name.

mod catalogue;
mod dispatchers;
mod fleets;

use clap::{Args, ValueEnum};

use self::catalogue::Catalogue;
use super::table::Listing;
use super::wrap::output_width;
use crate::experiment::{BOUND, DataRoot, Entry, Error, Kind, Registry, SweptKey, swept_keys};
use crate::files::Parameter;
use crate::metrics::{ACCELERATOR_COLUMNS, BATCH_COLUMNS, Groups, METRICS, SERVING_COLUMNS, Scope};
use crate::policy::{POLICIES, Policy, PolicyEntry};
use crate::results::number;
use crate::sweep::{BOUND_COLUMNS, OFFERED_COLUMNS};
use crate::workload::{ARRIVALS, Rate, Scenario, Tenant};

#[derive(Args)]
pub(super) struct Options {
    /// What to list
    what: What,
    /// Tell everything about the entries of this name; of a fleet also the way from each of its nodes to each of its sites
    name: Option<String>,
    /// Print [{column: value}, ...]
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Accelerators,
    Systems,
    Networks,
    Models,
    Scenarios,
    Fleets,
    Arrivals,
    Keys,
    Schedulers,
    Dispatchers,
    Policies,
    Parts,
    Metrics,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let data = DataRoot::find(None)?;
    if let (What::Fleets, Some(name)) = (options.what, &options.name) {
        return fleet(&data, name, options.json);
    }
    let all = catalogue(options.what, &data)?;
    let kind = options.what.to_possible_value().expect("no kind is skipped");
    let (text, listing) = match &options.name {
        None => (all.text(kind.get_name(), output_width()), all.listing),
        Some(name) => {
            let named = all.only(name)?;
            (named.pages(output_width()), named.listing)
        }
    };
    if options.json { super::print_json(&listing.json()) } else { super::print(&text) }
}

/// A fleet: the page on it, and the ways between its nodes and its sites; as JSON the ways alone.
fn fleet(data: &DataRoot, name: &str, json: bool) -> Result<(), Error> {
    let spec = data.topology(name)?;
    let ways = fleets::ways(&spec);
    match json {
        true => super::print_json(&ways.json()),
        false => {
            super::print(&format!("{}\n{}", fleets::catalogue(&[spec]).pages(output_width()), ways.text()))
        }
    }
}

fn catalogue(what: What, data: &DataRoot) -> Result<Catalogue, Error> {
    Ok(match what {
        What::Accelerators => Catalogue::new("accelerator", accelerators(data)?, &[0, 1, 2, 3, 5]),
        What::Systems => Catalogue::new("system", systems(data)?, &[0, 1, 2, 3]),
        What::Networks => Catalogue::new("network", networks(data)?, &[0, 1, 2, 3, 4, 5, 6]),
        What::Models => Catalogue::new("model", models(data)?, &[0, 1, 2, 3, 4, 5]),
        What::Scenarios => Catalogue::new("scenario", scenarios(data)?, &[0, 1, 2]),
        What::Fleets => fleets::all(data)?,
        What::Arrivals => arrivals(),
        What::Keys => Catalogue::new("key", keys(), &[0, 1, 2]),
        What::Schedulers => schedulers(data.registry()),
        What::Dispatchers => dispatchers::all(),
        What::Policies => Catalogue::new("policy", policies(data)?, &[0, 1, 2, 3, 4, 5]),
        What::Parts => Catalogue { names: &[0, 1], ..Catalogue::new("part", parts(), &[0, 1, 2]) },
        What::Metrics => Catalogue { names: &[0, 2], ..Catalogue::new("metric", metrics(), &[1, 2, 3, 5]) },
    })
}

/// A table with a row per data file of a kind.
fn per_file(
    data: &DataRoot,
    kind: Kind,
    row: impl Fn(&str) -> Result<Vec<String>, Error>,
) -> Result<Vec<Vec<String>>, Error> {
    data.names(kind).iter().map(|name| row(name)).collect()
}

fn accelerators(data: &DataRoot) -> Result<Listing, Error> {
    let rows = per_file(data, Kind::Accelerator, |name| {
        let spec = data.accelerator(name)?;
        let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.name()).collect();
        let clock_mhz = (spec.clock_hz / 1e6).to_string();
        let technology = spec.technology.map(|of| format!("{} from {}", of.node, of.scale_from));
        Ok(vec![
            spec.name.clone(),
            spec.macs_per_cycle().to_string(),
            clock_mhz,
            technology.unwrap_or("-".into()),
            kinds.join(" "),
            spec.source,
        ])
    })?;
    Ok(Listing {
        columns: &[
            ("accelerator", "accelerator"),
            ("MACs", "macs"),
            ("MHz", "clock_mhz"),
            ("technology", "technology"),
            ("kinds", "kinds"),
            ("source", "source"),
        ],
        numbers: 1..3,
        rows,
    })
}

fn systems(data: &DataRoot) -> Result<Listing, Error> {
    let rows = per_file(data, Kind::System, |name| {
        let system = data.system(name)?;
        let count = |m: usize| system.accelerators.iter().filter(|a| a.model == m).count();
        let parts =
            system.models.iter().enumerate().map(|(m, model)| format!("{} x {}", count(m), model.name));
        Ok(vec![
            system.name.clone(),
            system.macs_per_cycle().to_string(),
            system.dram_bandwidth_gbps.to_string(),
            parts.collect::<Vec<_>>().join(", "),
        ])
    })?;
    Ok(Listing {
        columns: &[
            ("system", "system"),
            ("MACs", "macs"),
            ("DRAM GB/s", "dram_bandwidth_gbps"),
            ("accelerators", "accelerators"),
        ],
        numbers: 1..3,
        rows,
    })
}

fn millions(count: u64, decimals: usize) -> String {
    number(Some(count as f64 / 1e6), decimals)
}

/// Counts bytes as `workload/network/counts.rs` does: one per element, and every layer moves its operands once.
fn networks(data: &DataRoot) -> Result<Listing, Error> {
    let rows = per_file(data, Kind::Network, |name| {
        let network = data.network(name)?;
        Ok(vec![
            network.name.clone(),
            millions(network.macs().0, 1),
            millions(network.parameters(), 2),
            network.layers.len().to_string(),
            network.mac_layers().to_string(),
            network.depth().to_string(),
            number(Some(network.macs_per_byte()), 1),
        ])
    })?;
    Ok(Listing {
        columns: &[
            ("network", "network"),
            ("M MACs", "million_macs"),
            ("M parameters", "million_parameters"),
            ("layers", "layers"),
            ("MAC layers", "mac_layers"),
            ("depth", "depth"),
            ("MACs/byte", "macs_per_byte"),
        ],
        numbers: 1..7,
        rows,
    })
}

/// A row per variant.
fn models(data: &DataRoot) -> Result<Listing, Error> {
    let mut rows = Vec::new();
    for name in data.names(Kind::Model) {
        let model = data.model(&name)?;
        for variant in &model.variants {
            let network = data.network(&variant.network)?;
            rows.push(vec![
                model.name.clone(),
                variant.network.clone(),
                number(Some(variant.accuracy), 5),
                millions(network.macs().0, 1),
                millions(network.parameters(), 2),
                model.metric.clone(),
            ]);
        }
    }
    Ok(Listing {
        columns: &[
            ("model", "model"),
            ("network", "network"),
            ("accuracy", "accuracy"),
            ("M MACs", "million_macs"),
            ("M parameters", "million_parameters"),
            ("metric", "metric"),
        ],
        numbers: 2..5,
        rows,
    })
}

fn scenarios(data: &DataRoot) -> Result<Listing, Error> {
    let rows = per_file(data, Kind::Scenario, |name| {
        let scenario = data.scenario(name)?;
        let pace = if scenario.has_own_pace() { "its own" } else { "load" };
        let shared = scenario.tenants.iter().zip(scenario.tenant_shares());
        let tenants: Vec<String> =
            shared.map(|(tenant, share)| tenant_row(&scenario, tenant, share)).collect();
        // The first sentence names the source; the rest, which lists our changes, is left to the file.
        let source = scenario.source.split(". ").next().unwrap_or_default();
        Ok(vec![scenario.name.clone(), pace.to_string(), tenants.join(", "), source.to_string()])
    })?;
    Ok(Listing {
        columns: &[("scenario", "scenario"), ("pace", "pace"), ("tenants", "tenants"), ("source", "source")],
        numbers: 0..0,
        rows,
    })
}

/// Describes a tenant: its network, unless its name says it, and its share of the load, its rate, or its arrival
/// process.
fn tenant_row(scenario: &Scenario, tenant: &Tenant, share: f64) -> String {
    let labels = tenant.networks.iter().map(|choice| scenario.networks[choice.value as usize].label());
    let networks = labels.collect::<Vec<_>>().join(" + ");
    let what = if networks == tenant.name { networks } else { format!("{} ({networks})", tenant.name) };
    let arrivals = &tenant.arrivals;
    match (arrivals.rate_per_s(), arrivals.cascade()) {
        (_, Some(cascade)) => format!("{what} {} x {}", cascade.probability(), cascade.after),
        (Some(rate_per_s), None) => format!("{what} {rate_per_s}/s"),
        (None, None) if arrivals.has_own_pace() => format!("{what} {}", arrivals.kind().name),
        (None, None) => format!("{what} {:.0} %", 100.0 * share),
    }
}

fn arrivals() -> Catalogue {
    let rows = ARRIVALS.iter().map(|kind| {
        let rate = match kind.rate {
            Rate::Given => "load, or rate_per_s",
            Rate::Own => "its own",
        };
        [kind.name, kind.doc, rate, &parameters(kind.parameters).join(", "), kind.source]
            .map(str::to_string)
            .to_vec()
    });
    let listing = Listing {
        columns: &[
            ("arrivals", "arrivals"),
            ("law", "law"),
            ("rate", "rate"),
            ("parameters", "parameters"),
            ("source", "source"),
        ],
        numbers: 0..0,
        rows: rows.collect(),
    };
    let parameters = ARRIVALS.iter().map(|kind| parameters(kind.parameters)).collect();
    Catalogue { parameters: Some((3, parameters)), ..Catalogue::new("arrivals", listing, &[0, 2, 1]) }
}

/// The parameters with defaults and meanings; one without a default must be given.
fn parameters(parameters: &[Parameter]) -> Vec<String> {
    let told = parameters.iter().map(|p| match p.default {
        "" => format!("{} ({})", p.name, p.doc),
        default => format!("{} = {default} ({})", p.name, p.doc),
    });
    told.collect()
}

fn schedulers(registry: &Registry) -> Catalogue {
    let row = |Entry { name, doc, parameters: keys, source, .. }: &Entry| {
        [name, doc, &parameters(keys).join(", "), source].map(String::clone).to_vec()
    };
    let listing = Listing {
        columns: &[
            ("scheduler", "scheduler"),
            ("rule", "rule"),
            ("parameters", "parameters"),
            ("source", "source"),
        ],
        numbers: 0..0,
        rows: registry.entries().map(row).collect(),
    };
    let parameters = registry.entries().map(|entry| parameters(entry.parameters)).collect();
    Catalogue { parameters: Some((2, parameters)), ..Catalogue::new("scheduler", listing, &[0, 1]) }
}

fn policies(data: &DataRoot) -> Result<Listing, Error> {
    let rows = per_file(data, Kind::Policy, |name| {
        let manifest = Policy::read_manifest(&data.path(Kind::Policy, name)?)?;
        Ok(vec![
            name.to_string(),
            number(manifest.validation_sla_rate.map(|rate| 100.0 * rate), 1),
            manifest.generations.map_or("-".into(), |steps| steps.to_string()),
            manifest.kind,
            manifest.system,
            manifest.commit.map_or("-".into(), |commit| commit.chars().take(7).collect()),
        ])
    })?;
    Ok(Listing {
        columns: &[
            ("policy", "policy"),
            ("validation SLA, %", "validation_sla_percent"),
            ("steps", "steps"),
            ("scheduler", "scheduler"),
            ("system", "system"),
            ("commit", "commit"),
        ],
        numbers: 1..3,
        rows,
    })
}

/// The keys of an experiment that take a list of values, each a column of the results.
fn keys() -> Listing {
    let row = |key: SweptKey| {
        let default = key.default.unwrap_or("the system's own".into());
        [key.name, &default, key.doc].map(str::to_string).to_vec()
    };
    Listing {
        columns: &[("key", "key"), ("default", "default"), ("meaning", "meaning")],
        numbers: 0..0,
        rows: swept_keys().into_iter().map(row).collect(),
    }
}

/// The parts of learned policies that can be switched off.
fn parts() -> Listing {
    let of = |entry: &'static PolicyEntry| {
        entry.parts.iter().map(|part| [entry.name, part.name, part.doc].map(str::to_string).to_vec())
    };
    Listing {
        columns: &[("scheduler", "scheduler"), ("part", "part"), ("meaning", "meaning")],
        numbers: 0..0,
        rows: POLICIES.iter().flat_map(of).collect(),
    }
}

fn metrics() -> Listing {
    let of_metrics = METRICS.iter().flat_map(|entry| {
        entry.headings(Scope::Run).into_iter().map(|heading| ("summary.csv", entry.name(), heading))
    });
    let of_bounds = BOUND_COLUMNS.iter().map(|column| ("summary.csv", BOUND, &column.heading));
    let of_offers = OFFERED_COLUMNS.iter().map(|column| ("summary.csv", "offered", &column.heading));
    let of_batches = BATCH_COLUMNS.iter().map(|column| ("summary.csv", "batches", &column.heading));
    let of_groups = Groups::columns().into_iter().map(|heading| ("groups.csv", "groups", heading));
    let of_accelerators =
        ACCELERATOR_COLUMNS.iter().map(|column| ("accelerators.csv", "accelerators", &column.heading));
    let of_serving = SERVING_COLUMNS.iter().map(|column| ("serving.csv", "serving", &column.heading));
    let of_cells = of_metrics.chain(of_bounds).chain(of_offers).chain(of_batches);
    let rows =
        of_cells.chain(of_groups).chain(of_accelerators).chain(of_serving).map(|(file, metric, column)| {
            let (better, of) = (column.better.name(), column.given.name());
            [metric, file, column.name, better, of, column.doc].map(str::to_string).to_vec()
        });
    Listing {
        columns: &[
            ("metric", "metric"),
            ("file", "file"),
            ("column", "column"),
            ("better", "better"),
            ("of requests", "of_requests"),
            ("meaning", "meaning"),
        ],
        numbers: 0..0,
        rows: rows.collect(),
    }
}
