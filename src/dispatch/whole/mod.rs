//! Rules that decide route, variant and batch together.

mod accuracy_lp;
mod clockwork;
mod demand;
mod infaas;
mod jellyfish;
mod nexus;

use toml::Table;

use super::{BATCHES, Composed, ROUTES, RuleEntry, VARIANTS, find};
use crate::serve::Dispatcher;

/// All whole rules.
pub const WHOLE_RULES: &[RuleEntry<dyn Dispatcher>] =
    &[accuracy_lp::ENTRY, clockwork::ENTRY, infaas::ENTRY, jellyfish::ENTRY, nexus::ENTRY];

/// A rule of a registry by its name and parameters.
fn part<T: ?Sized>(rules: &'static [RuleEntry<T>], name: &str, parameters: &Table) -> Result<Box<T>, String> {
    (find("", rules, name)?.build)(parameters, 0)
}

/// A dispatcher of rules that draw nothing, with parameters of the batch rule.
fn composed(route: &str, variant: &str, batch: &str, of_batch: &Table) -> Result<Composed, String> {
    let none = &Table::new();
    Ok(Composed {
        route: part(ROUTES, route, none)?,
        variant: part(VARIANTS, variant, none)?,
        batch: part(BATCHES, batch, of_batch)?,
        order: None,
    })
}
