//! `mascot validate`: checks data files of any kind, and shows the utilisation at an experiment's loads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::fleet_tables;
use super::ports::narrow_ports;
use super::progress::Bars;
use super::run::Recording;
use super::table::Listing;
use crate::cost::{Cache, Measurements, Sheet, Throughput, UserTable};
use crate::experiment::{DataRoot, Error, Experiment, Kind, Progress, check_name, what_changed};
use crate::files::{InputError, Source, any_path, did_you_mean};
use crate::fleet::FleetSpec;
use crate::hw::{AccelSpec, SystemSpec};
use crate::limits::Resource;
use crate::plan::{Case, Plan};
use crate::policy::{self, POLICIES, Parameters, Policy, systems_sha256};
use crate::results::number;
use crate::study::eft_saturation;
use crate::workload::{Model, Network, Scenario};

#[derive(Args)]
pub(super) struct Options {
    /// Files, or folders with .toml files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    recording: Recording,
    /// Print [{file, kind, verdict}, ...]; for an experiment also bounds and loads
    #[arg(long)]
    json: bool,
}

/// The description of a valid file.
struct Verdict {
    kind: &'static str,
    text: String,
    /// Tables of an experiment: what binds the saturation rate, and the utilisation at its loads.
    tables: Vec<(&'static str, Listing)>,
}

impl Verdict {
    fn new(kind: &'static str, text: String) -> Self {
        Self { kind, text, tables: Vec::new() }
    }

    fn text(self) -> String {
        let tables = self.tables.into_iter().map(|(_, table)| "\n".to_string() + &table.text());
        format!("{}{}{}", self.kind, self.text, tables.collect::<String>())
    }

    fn json(&self, path: &Path) -> Value {
        let verdict = format!("{}{}", self.kind, self.text);
        let mut told = json!({ "file": any_path::to_json(path), "kind": self.kind, "verdict": verdict });
        self.tables.iter().for_each(|(name, table)| told[*name] = table.json());
        told
    }
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let mut files = Vec::new();
    for path in &options.paths {
        collect(path, &mut files, &mut BTreeSet::new())?;
    }
    if files.is_empty() {
        return Err(Error::Usage("no .toml file in the given folders".into()));
    }
    let (trace, mut all) = (options.recording.key()?, Vec::new());
    let mut is_used = trace.is_none();
    for path in &files {
        let verdict = validate(path, trace.as_ref())?;
        is_used |= verdict.kind == "experiment";
        match options.json {
            true => all.push(verdict.json(path)),
            false => super::print(&format!("{}: {}\n", path.display(), verdict.text()))?,
        }
    }
    if !is_used {
        return Err(Error::Usage("--trace is for experiments: none of the files is one".into()));
    }
    if options.json { super::print_json(&all) } else { Ok(()) }
}

/// The file, or the TOML files below a folder in the order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>, seen: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    // Symbolic links may form a cycle.
    if !seen.insert(std::fs::canonicalize(path).map_err(|e| InputError::file(path, e))?) {
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|e| InputError::file(path, e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|p| p.is_dir() || p.extension().is_some_and(|e| e == "toml")) {
        collect(path, files, seen)?;
    }
    Ok(())
}

/// What there is to say of an accelerator.
fn accelerator(spec: &AccelSpec) -> String {
    let scaled = spec.technology.map_or(String::new(), |told| format!(", {told}"));
    let gating = spec.gating.map_or(String::new(), |told| format!(", {told}"));
    let clock = power("clock", spec.clock_mw);
    format!(" `{}`, {} MACs{scaled}{clock}{gating}", spec.name, spec.macs_per_cycle())
}

/// A power in mW, if there is any.
fn power(of: &str, mw: f64) -> String {
    let told = (mw * 1e3).round() / 1e3;
    if mw > 0.0 { format!(", {of} {told} mW") } else { String::new() }
}

/// Validates one file. Each kind of file is recognised by a key that no other kind has.
fn validate(path: &Path, trace: Option<&(String, toml::Value)>) -> Result<Verdict, Error> {
    let data = DataRoot::find(Some(path))?;
    let path = &data.located(path);
    let table: toml::Table = Source::read(path)?.parse()?;
    if table.contains_key("level") {
        let spec = AccelSpec::read(path)?;
        check_name(path, &spec.name)?;
        Ok(Verdict::new("accelerator", accelerator(&spec)))
    } else if table.contains_key("measured") {
        let measurements = Measurements::read(path)?;
        check_name(path, &measurements.name)?;
        let accel = data.accelerator(&measurements.accelerator)?;
        for layer in &measurements.layers {
            layer.published_mapping(&accel).map_err(|e| InputError::file(path, e))?;
        }
        Ok(Verdict::new(
            "measurements",
            format!(" `{}`, {} layers", measurements.name, measurements.layers.len()),
        ))
    } else if table.contains_key("throughput") {
        let throughput = Throughput::read(path)?;
        check_name(path, &throughput.name)?;
        data.accelerator(&throughput.accelerator)?;
        data.network(&throughput.network)?;
        Ok(Verdict::new(
            "measurements",
            format!(" `{}`, {} results", throughput.name, throughput.rates.len()),
        ))
    } else if table.contains_key("configuration") {
        let sheet = Sheet::read(path)?;
        check_name(path, &sheet.name)?;
        data.accelerator(&sheet.accelerator)?;
        for configuration in &sheet.configurations {
            data.accelerator(&configuration.accelerator)?;
        }
        Ok(Verdict::new("measurements", format!(" `{}`, {} layers", sheet.name, sheet.layers.len())))
    } else if table.contains_key("node") {
        fleet(path, &data)
    } else if table.contains_key("accelerator") {
        let system = SystemSpec::read(path, data.folders(Kind::Accelerator))?;
        check_name(path, &system.name)?;
        if let Some(table) = &system.cost {
            UserTable::read(table)?;
        }
        let [background, refresh] = [
            power("DRAM background", system.dram_background_mw),
            power("DRAM refresh", system.dram_refresh_mw),
        ];
        let count = system.accelerators.len();
        let memories = match (system.memories.len(), system.links.len()) {
            (0 | 1, _) => String::new(),
            (memories, 0) => format!(", {memories} memories"),
            (memories, 1) => format!(", {memories} memories and a link"),
            (memories, links) => format!(", {memories} memories and {links} links"),
        };
        let text = format!(" `{}`, {count} accelerators{memories}{background}{refresh}", system.name);
        Ok(Verdict::new("system", text))
    } else if table.contains_key("layers") {
        let network = Network::read(path)?;
        check_name(path, &network.name)?;
        Ok(Verdict::new(
            "network",
            format!(" `{}`, {} layers, {} MACs", network.name, network.layers.len(), network.macs().0),
        ))
    } else if table.contains_key("variant") {
        model(path, &data)
    } else if table.contains_key("tenant") {
        let scenario = Scenario::read(path, data.folders(Kind::Network), data.folders(Kind::Model))?;
        check_name(path, &scenario.name)?;
        scenario.networks.iter().try_for_each(|variant| data.network(&variant.network).map(|_| ()))?;
        Ok(Verdict::new("scenario", format!(" `{}`, {} tenants", scenario.name, scenario.tenants.len())))
    } else if table.contains_key("weights_sha256") {
        policy(path, &table, &data)
    } else if table.contains_key("schedulers") || table.contains_key("dispatchers") {
        experiment(path, trace, &data)
    } else {
        let kinds = "an accelerator has `level`, a system `accelerator`, a network `layers`, a model `variant`, a scenario `tenant`, a fleet `node`, an \
                     experiment `schedulers`, a policy `weights_sha256`, measurements of a chip `measured` or `throughput`";
        Err(InputError::file(path, format!("not a kind of file that mascot knows: {kinds}")).into())
    }
}

/// Checks a fleet and what its sites name.
fn fleet(path: &Path, data: &DataRoot) -> Result<Verdict, Error> {
    let fleet = FleetSpec::read(path)?;
    check_name(path, &fleet.name)?;
    for site in &fleet.sites {
        data.system(&site.system)?;
        site.models.iter().flatten().try_for_each(|model| data.model(model).map(drop))?;
    }
    let [nodes, links, sites] = [fleet.nodes.len(), fleet.links.len(), fleet.sites.len()];
    let hint = if sites == 0 { "; add a [[site]] to run it" } else { "" };
    Ok(Verdict::new("fleet", format!(" `{}`, {nodes} nodes, {links} links, {sites} sites{hint}", fleet.name)))
}

/// Checks a model, and tells which of its variants no one would choose.
fn model(path: &Path, data: &DataRoot) -> Result<Verdict, Error> {
    let model = Model::read(path, data.folders(Kind::Network))?;
    check_name(path, &model.name)?;
    let macs = model.variants.iter().map(|variant| Ok(data.network(&variant.network)?.macs().0));
    let macs = macs.collect::<Result<Vec<u64>, Error>>()?;
    let dominated = model.dominated(&macs).into_iter().map(|(worse, better)| {
        format!("; `{}` is no more accurate than `{}`, which has no more MACs", worse.network, better.network)
    });
    let text = format!(" `{}`, {} variants{}", model.name, macs.len(), dominated.collect::<String>());
    Ok(Verdict::new("model", text))
}

/// Checks a policy and its weights, and that the system it names still has the accelerators it was trained for.
fn policy(path: &Path, table: &toml::Table, data: &DataRoot) -> Result<Verdict, Error> {
    let kind = table.get("kind").and_then(toml::Value::as_str).unwrap_or_default();
    let kind = policy::find(kind).ok_or_else(|| {
        let known: Vec<&str> = POLICIES.iter().map(|entry| entry.name).collect();
        InputError::file(
            path,
            format!("`kind` is `{kind}`{}; it may be {}", did_you_mean(kind, &known), known.join(", ")),
        )
    })?;
    let policy = Policy::read(path, kind)?;
    let manifest = &policy.manifest;
    let names = manifest.system.split(", ");
    let systems = names.map(|name| data.system(name)).collect::<Result<Vec<_>, _>>()?;
    let system = &systems[0];
    if systems_sha256(&systems) != manifest.system_sha256 {
        let message = format!(
            "the policy was trained for accelerators other than those of `{}`{}{}",
            manifest.system,
            policy.doubt(system),
            what_changed(&policy, system, data)
        );
        return Err(InputError::file(path, message).into());
    }
    let weights = Policy::weights_path(path);
    policy
        .scheduler(system.accelerators.len(), &Parameters::default())
        .map_err(|e| InputError::file(&weights, e))?;
    let told = match manifest.validation_sla_rate {
        Some(rate) => format!("SLA rate {rate:.4} on its validation seeds"),
        None => format!("{} weights", policy.weights.numbers()),
    };
    Ok(Verdict::new("policy", format!(" of `{}` for `{}`, {told}", manifest.kind, manifest.system)))
}

/// Whether no scenario says when requests come: the experiment has neither loads nor a trace, and no scenario fixes
/// absolute arrival rates.
fn lacks_requests(experiment: &Experiment, data: &DataRoot) -> Result<bool, Error> {
    if experiment.loads.is_some() || experiment.trace.is_some() {
        return Ok(false);
    }
    let scenarios = experiment.scenarios.iter().map(|name| data.scenario(name));
    let scenarios = scenarios.collect::<Result<Vec<_>, _>>()?;
    Ok(scenarios.iter().all(|scenario| !scenario.has_own_pace()))
}

const BOUNDS: [(&str, &str); 6] = [
    ("system", "system"),
    ("scenario", "scenario"),
    ("DRAM GB/s", "dram_bandwidth_gbps"),
    ("lambda* 1/s", "lambda_star_per_s"),
    ("eft / lambda*", "eft_over_lambda_star"),
    ("bound by", "bound_by"),
];

const LOADS: [(&str, &str); 6] = [
    ("system", "system"),
    ("scenario", "scenario"),
    ("DRAM GB/s", "dram_bandwidth_gbps"),
    ("load", "load"),
    ("requests/s", "requests_per_s"),
    ("offered utilisation, %", "offered_utilisation_percent"),
];

fn experiment(path: &Path, trace: Option<&(String, toml::Value)>, data: &DataRoot) -> Result<Verdict, Error> {
    let bars = Bars::new(false);
    let mut experiment = Experiment::read(path, trace.map_or(&[][..], std::slice::from_ref), data)?;
    let lacks_requests = lacks_requests(&experiment, data)?;
    if lacks_requests {
        // The bound depends on the mix, not on the load.
        experiment = Experiment::read(path, &[("loads".into(), toml::Value::Integer(1))], data)?;
    }
    experiment.check_training_seeds()?;
    let plan = Plan::prepare(experiment, data, &Cache::from_env(), &bars)?;
    let cells: usize = plan.cases.iter().map(|case| case.runs.len()).sum();
    if plan.experiment.on_fleets {
        drop(bars);
        let tables = fleet_tables::tables(&plan);
        return Ok(Verdict { kind: "experiment", text: format!(", {cells} cells"), tables });
    }
    let (mut bounds, mut loads) = (Vec::new(), Vec::new());
    let mut seen: Vec<&Case> = Vec::new();
    for case in &plan.cases {
        let same_site = |other: &&Case| std::sync::Arc::ptr_eq(&other.site, &case.site);
        if !seen.iter().any(same_site) {
            bounds.push(bound_row(case, plan.experiment.first_seed)?);
        }
        if !seen.iter().any(|other| same_site(other) && other.load == case.load) {
            loads.extend((!lacks_requests).then(|| load_row(case)));
            seen.push(case);
        }
    }
    let overloads = plan.overloads(|case| case.load.is_some());
    overloads.iter().chain(&plan.moved_deadlines()).for_each(|warning| bars.warn(warning));
    drop(bars);
    let bounds = Listing { columns: &BOUNDS, numbers: 2..5, rows: bounds };
    let loads = Listing { columns: &LOADS, numbers: 2..5, rows: loads };
    let text = match lacks_requests {
        false => format!(", {cells} cells"),
        true => format!(", {cells} cells without requests: give `loads`, or a recording with --trace FILE"),
    };
    let mut tables = vec![("bounds", bounds)];
    tables.extend((!lacks_requests).then_some(("loads", loads)));
    let ports = narrow_ports(&plan.cases, data)?;
    tables.extend((!ports.rows.is_empty()).then_some(("ports", ports)));
    Ok(Verdict { kind: "experiment", text, tables })
}

/// A row with lambda* of a site and the share of it that greedy scheduling sustains.
fn bound_row(case: &Case, seed: u64) -> Result<Vec<String>, Error> {
    let saturation = &case.site.saturation;
    let resources = case.site.world.platform.memories.resources();
    let name = |resource: &Resource| match *resource {
        Resource::Dram(place) => resources[place].clone(),
        Resource::Model(model) => model_name(case, model),
    };
    Ok(vec![
        case.system.clone(),
        case.workload.scenario.name.clone(),
        case.site.dram.bandwidth_gbps.to_string(),
        number(Some(saturation.requests_per_s), 1),
        number(Some(eft_saturation(case, seed)?), 3),
        saturation.binding.iter().map(name).collect::<Vec<_>>().join(", "),
    ])
}

/// A row with the utilisation of each accelerator model and of the DRAM at a load, with layers split as at lambda*.
fn load_row(case: &Case) -> Vec<String> {
    let (saturation, load) = (&case.site.saturation, case.nominal_load());
    let accelerators = &case.site.world.platform.accelerators;
    let models = saturation.model_utilization.iter().enumerate();
    let used = models.map(|(model, used)| {
        let count = accelerators.iter().filter(|a| a.model == model).count();
        (format!("{count} x {}", model_name(case, model)), *used)
    });
    let of_dram = case.site.world.platform.memories.resources().into_iter();
    let used = used.chain(of_dram.zip(saturation.dram_utilization.iter().copied()));
    let busy = used.map(|(name, used)| format!("{name} {}", number(Some(100.0 * used * load), 0)));
    // A closed loop waits for the system, so this is an upper bound of its demand.
    let at_most = if case.workload.has_loops() { "<= " } else { "" };
    vec![
        case.system.clone(),
        case.workload.scenario.name.clone(),
        case.site.dram.bandwidth_gbps.to_string(),
        format!("{at_most}{}", number(Some(load), 3)),
        format!("{at_most}{}", number(Some(load * saturation.requests_per_s), 1)),
        busy.collect::<Vec<_>>().join(", "),
    ]
}

/// The name of the accelerator model with this index, and of the memory where it is, if there are several.
fn model_name(case: &Case, model: usize) -> String {
    let platform = &case.site.world.platform;
    let first = platform.accelerators.iter().position(|a| a.model == model).expect("models are those in use");
    let name = &platform.accelerators[first].name;
    let name = name.rsplit_once('.').map_or(&name[..], |(model, _)| model);
    match platform.memories.of.get(first) {
        Some(&memory) => format!("{name} ({})", platform.memories.names[memory]),
        None => name.to_string(),
    }
}
