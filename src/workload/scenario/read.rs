//! From TOML to a validated scenario.

use std::path::Path;

use schemars::Schema;

use super::raw::{RawLevel, RawNetwork, RawScenario, RawTenant};
use super::{Scenario, Stage, Variant};
use crate::files::{Batch, Folders, InputError, Source, Spanned, did_you_mean, schema_of};
use crate::units::Time;
use crate::workload::arrivals::{Arrivals, Binding};
use crate::workload::model::Model;
use crate::workload::sla::{Firm, Qos, SlaRule, SlaTerms};
use crate::workload::tenant::{Tenant, Weighted};
use crate::workload::utility::Utility;

/// The targets of a tenant's networks. `mix` has one entry per entry of `networks`.
fn own_targets(raw: &RawTenant, mix: &[Weighted]) -> Vec<(u32, Time)> {
    let entries = raw.networks.iter().flat_map(|networks| networks.get_ref());
    let own = entries.zip(mix).map(|(entry, choice)| (choice.value, entry.target_us));
    own.filter_map(|(network, target_us)| Some((network, Time::from_us(target_us?.0)))).collect()
}

/// The priority of tenants without one. Our choice, because all requests are then equal, at PREMA's lowest level.
const DEFAULT_PRIORITY: u32 = 1;

const BYTES_PER_KB: f64 = 1e3;

impl Scenario {
    /// The JSON Schema of a scenario file.
    pub fn schema() -> Schema {
        schema_of::<RawScenario>()
    }

    /// Reads and validates a scenario file, and the models that it names. Every network must exist in `known` as
    /// `<network>.toml`, every model in `models`.
    pub fn read(
        path: &Path,
        known: impl Into<Folders>,
        models: impl Into<Folders>,
    ) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let raw: RawScenario = source.parse()?;
        if raw.tenant.is_empty() {
            return Err(source.error_at_top("`tenant` is empty: a scenario has at least one"));
        }
        let mut reader = Reader {
            source: &source,
            known: known.into(),
            known_models: models.into(),
            networks: Vec::new(),
            models: Vec::new(),
        };
        let defaults = Defaults {
            arrivals: raw.arrivals.as_ref(),
            priorities: match &raw.priorities {
                Some(levels) => reader.levels(levels, |&level| level)?,
                None => vec![Weighted { value: DEFAULT_PRIORITY, weight: 1.0 }],
            },
            qos: raw
                .qos_levels
                .as_ref()
                .map_or(Ok(Vec::new()), |levels| reader.levels(levels, Qos::index))?,
            utility: raw.utility.as_ref().map_or(Ok(Utility::default()), |utility| utility.check(&source))?,
        };
        let mut tenants: Vec<Tenant> = Vec::with_capacity(raw.tenant.len());
        for raw in &raw.tenant {
            let tenant = reader.tenant(raw, &defaults)?;
            if tenants.iter().any(|earlier| earlier.name == tenant.name) {
                let message = format!("two tenants are named `{}`", tenant.name);
                return Err(source.error(&raw.name.span(), message));
            }
            tenants.push(tenant);
        }
        let Reader { networks, models, .. } = reader;
        let stages = stages(&source, &raw.tenant, &tenants)?;
        check_pace(&source, &raw.tenant, &tenants)?;
        let scenario = Self { name: raw.name, source: raw.source, networks, models, tenants, stages };
        check_frames(&source, &raw.tenant, &scenario)?;
        Ok(scenario)
    }
}

/// The tenants with cascades, each after the tenant that it follows.
fn stages(source: &Source, raw: &[RawTenant], tenants: &[Tenant]) -> Result<Vec<Stage>, InputError> {
    let place = |name: &str| tenants.iter().position(|tenant| tenant.name == name).map(|place| place as u32);
    let mut unordered = Vec::new();
    for (raw, tenant) in raw.iter().zip(tenants) {
        let Some(law) = tenant.arrivals.cascade() else { continue };
        let after = place(&law.after).ok_or_else(|| {
            let known: Vec<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
            let message = format!(
                "tenant `{}` comes after `{}`{}, which is no tenant: expected one of {}",
                tenant.name,
                law.after,
                did_you_mean(&law.after, &known),
                known.join(", ")
            );
            source.error(&raw.name.span(), message)
        })?;
        let own = place(&tenant.name).expect("it is one of them");
        unordered.push(Stage { tenant: own, after, probability: law.probability() });
    }
    let mut stages = Vec::with_capacity(unordered.len());
    while let Some(first) = unordered.first() {
        let follows_none = |stage: &Stage| unordered.iter().all(|other| other.tenant != stage.after);
        let Some(next) = unordered.iter().position(follows_none) else {
            let name = &raw[first.tenant as usize].name;
            let message = format!("the cascade of tenant `{}` leads back to itself", name.get_ref());
            return Err(source.error(&name.span(), message));
        };
        stages.push(unordered.remove(next));
    }
    Ok(stages)
}

/// Checks that tenants whose deadline is the next frame have frames.
fn check_frames(source: &Source, raw: &[RawTenant], scenario: &Scenario) -> Result<(), InputError> {
    for (place, raw) in raw.iter().enumerate() {
        let period = raw.sla.as_ref().filter(|sla| *sla.get_ref() == SlaRule::Period);
        if let Some(sla) = period.filter(|_| !scenario.has_frames(place)) {
            let kind = scenario.tenants[scenario.source_of(place)].arrivals.kind().name;
            let message = format!("a deadline at the next frame needs periodic arrivals, not `{kind}`");
            return Err(source.error(&sla.span(), message));
        }
    }
    Ok(())
}

/// Checks that either all tenants fix absolute arrival rates or none does, except for cascades, which follow others.
fn check_pace(source: &Source, raw: &[RawTenant], tenants: &[Tenant]) -> Result<(), InputError> {
    let stages = raw.iter().zip(tenants).filter(|(_, tenant)| tenant.arrivals.cascade().is_some());
    for (raw, tenant) in stages {
        if let Some(weight) = &raw.weight {
            let message = format!(
                "`weight` has no meaning for tenant `{}`: its cascade sets the number of its requests",
                tenant.name
            );
            return Err(source.error(&weight.span(), message));
        }
    }
    let sources = || raw.iter().zip(tenants).filter(|(_, tenant)| tenant.arrivals.cascade().is_none());
    let Some((_, paced)) = sources().find(|(_, tenant)| tenant.arrivals.has_own_pace()) else {
        return Ok(());
    };
    for (raw, tenant) in sources() {
        if !tenant.arrivals.has_own_pace() {
            let message = format!(
                "tenant `{}` ({}) has no rate, and the load of an experiment cannot give it one, because the requests of \
                 `{}` ({}) have absolute arrival rates: add `rate_per_s` to its `arrivals`",
                tenant.name,
                tenant.arrivals.kind().name,
                paced.name,
                paced.arrivals.kind().name
            );
            return Err(source.error(&raw.name.span(), message));
        }
        if let Some(weight) = &raw.weight {
            let message = format!(
                "`weight` shares out the load of an experiment, but the requests of tenant `{}` ({}) have an absolute \
                 arrival rate",
                tenant.name,
                tenant.arrivals.kind().name
            );
            return Err(source.error(&weight.span(), message));
        }
    }
    Ok(())
}

/// The values of a scenario for tenants that have none of their own.
struct Defaults<'a> {
    arrivals: Option<&'a Spanned<toml::Table>>,
    priorities: Vec<Weighted>,
    qos: Vec<Weighted>,
    utility: Utility,
}

/// Turns raw entries into validated ones and collects the distinct networks and models on the way.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) known: Folders,
    pub(super) known_models: Folders,
    networks: Vec<Variant>,
    pub(super) models: Vec<Model>,
}

impl Reader<'_> {
    fn tenant(&mut self, raw: &RawTenant, defaults: &Defaults) -> Result<Tenant, InputError> {
        let model = raw.model.as_ref().map(|name| self.model(raw, name)).transpose()?;
        let networks = match model {
            Some(model) => vec![Weighted { value: self.best_of(model), weight: 1.0 }],
            None => self.mix(raw)?,
        };
        let targets = own_targets(raw, &networks);
        let arrivals = self.arrivals(raw, &networks, defaults)?;
        Ok(Tenant {
            name: raw.name.get_ref().clone(),
            networks,
            targets,
            weight: raw.weight.as_ref().map_or(1.0, |weight| weight.get_ref().0),
            arrivals,
            priorities: match (raw.priority, &raw.priorities) {
                (Some(_), Some(levels)) => return Err(self.either(levels, "priority", "priorities")),
                (Some(value), None) => vec![Weighted { value, weight: 1.0 }],
                (None, Some(levels)) => self.levels(levels, |&level| level)?,
                (None, None) => defaults.priorities.clone(),
            },
            qos: match (raw.qos, &raw.qos_levels) {
                (Some(_), Some(levels)) => return Err(self.either(levels, "qos", "qos_levels")),
                (Some(qos), None) => vec![Weighted { value: qos.index(), weight: 1.0 }],
                (None, Some(levels)) => self.levels(levels, Qos::index)?,
                (None, None) => defaults.qos.clone(),
            },
            sla: SlaTerms {
                rule: raw.sla.as_ref().map(|sla| *sla.get_ref()),
                deadline_factor: raw.deadline_factor.map(|factor| factor.0),
                target: raw.target_us.map(|us| Time::from_us(us.0)),
            },
            late: raw.late,
            pin_weights: raw.pin_weights,
            target_hit_rate: raw.target_hit_rate.map(|rate| rate.0),
            firm: raw.firm.as_ref().map(|firm| self.firm(firm)).transpose()?,
            model,
            node: raw.node.clone(),
            input_bytes: BYTES_PER_KB * raw.input_kb.0,
            output_bytes: BYTES_PER_KB * raw.output_kb.0,
            utility: raw.utility.as_ref().map_or(Ok(defaults.utility), |own| own.check(self.source))?,
            min_accuracy: self.min_accuracy(raw, model)?,
        })
    }

    pub(super) fn either<T>(&self, second: &Spanned<T>, first: &str, name: &str) -> InputError {
        self.source.error(&second.span(), format!("expected either `{first}` or `{name}`"))
    }

    fn arrivals(
        &self,
        raw: &RawTenant,
        mix: &[Weighted],
        defaults: &Defaults,
    ) -> Result<Arrivals, InputError> {
        let Some(table) = raw.arrivals.as_ref().or(defaults.arrivals) else { return Ok(Arrivals::default()) };
        let mut arrivals =
            Arrivals::read(table.get_ref()).map_err(|message| self.source.error(&table.span(), message))?;
        let label = |choice: &Weighted| (self.networks[choice.value as usize].label(), choice.value);
        arrivals.bind(&Binding {
            folder: self.source.path.parent().unwrap_or(Path::new("")),
            tenant: raw.name.get_ref(),
            networks: &mix.iter().map(label).collect::<Vec<_>>(),
        })?;
        Ok(arrivals)
    }

    fn firm(&self, raw: &Spanned<Firm>) -> Result<Firm, InputError> {
        raw.get_ref().check().map_err(|message| self.source.error(&raw.span(), message))
    }

    fn mix(&mut self, raw: &RawTenant) -> Result<Vec<Weighted>, InputError> {
        match (&raw.network, &raw.networks) {
            (Some(name), None) => {
                Ok(vec![Weighted { value: self.network(name, raw.batch.as_ref())?, weight: 1.0 }])
            }
            (None, Some(networks)) => match &raw.batch {
                Some(batch) => {
                    Err(self.source.error(&batch.span(), "each entry of `networks` has its own `batch`"))
                }
                None => self.networks(networks),
            },
            (Some(name), Some(_)) => Err(self.either(name, "network", "networks")),
            (None, None) => {
                let message = "expected either `network` or `networks`, or a `model`";
                Err(self.source.error(&raw.name.span(), message))
            }
        }
    }

    fn networks(&mut self, raw: &Spanned<Vec<RawNetwork>>) -> Result<Vec<Weighted>, InputError> {
        let mut mix: Vec<Weighted> = Vec::with_capacity(raw.get_ref().len());
        for entry in raw.get_ref() {
            let value = self.network(&entry.name, entry.batch.as_ref())?;
            self.push_new(&mut mix, Weighted { value, weight: entry.weight.0 }, &entry.name)?;
        }
        self.not_empty(mix, raw)
    }

    /// The index of a network at a batch size, which is added if it is new.
    fn network(&mut self, name: &Spanned<String>, batch: Option<&Spanned<Batch>>) -> Result<u32, InputError> {
        let network = name.get_ref().clone();
        if self.known.find(&network).is_none() {
            let hint = did_you_mean(&network, self.known.names());
            let expected = self.known.expected(&network);
            let message = format!("no network `{network}`{hint}: expected {}", expected.display());
            return Err(self.source.error(&name.span(), message));
        }
        Ok(self.place(Variant { network, batch: batch.map_or(1, |batch| batch.get_ref().0) }))
    }

    /// The index of a network that exists, which is added if it is new.
    pub(super) fn place(&mut self, variant: Variant) -> u32 {
        let known = self.networks.iter().position(|known| *known == variant);
        known.unwrap_or_else(|| {
            self.networks.push(variant);
            self.networks.len() - 1
        }) as u32
    }

    fn levels<T: std::fmt::Display>(
        &self,
        raw: &Spanned<Vec<RawLevel<T>>>,
        value: impl Fn(&T) -> u32,
    ) -> Result<Vec<Weighted>, InputError> {
        let mut levels = Vec::with_capacity(raw.get_ref().len());
        for entry in raw.get_ref() {
            let choice = Weighted { value: value(entry.level.get_ref()), weight: entry.weight.0 };
            self.push_new(&mut levels, choice, &entry.level)?;
        }
        self.not_empty(levels, raw)
    }

    fn push_new<T: std::fmt::Display>(
        &self,
        choices: &mut Vec<Weighted>,
        choice: Weighted,
        written: &Spanned<T>,
    ) -> Result<(), InputError> {
        if choices.iter().any(|earlier| earlier.value == choice.value) {
            let message = format!("`{}` is listed twice", written.get_ref());
            return Err(self.source.error(&written.span(), message));
        }
        choices.push(choice);
        Ok(())
    }

    fn not_empty<T>(&self, choices: Vec<Weighted>, raw: &Spanned<T>) -> Result<Vec<Weighted>, InputError> {
        if choices.is_empty() {
            return Err(self.source.error(&raw.span(), "the list is empty: expected at least one entry"));
        }
        Ok(choices)
    }
}
