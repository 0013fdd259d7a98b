//! What a fleet serves: the models of a scenario, and the networks that tenants ask for without a model.

use super::catalogue::Catalogue;
use crate::serve::{ServedModel, ServedVariant, ServiceTerms};
use crate::workload::{Model, Scenario, Tenant, Variant};

/// The terms of a tenant, who is served by a model.
pub(super) fn terms(tenant: &Tenant, model: &ServedModel) -> ServiceTerms {
    ServiceTerms {
        utility: tenant.utility,
        min_accuracy: tenant.min_accuracy.unwrap_or(0.0),
        accuracies: model.accuracies(),
        target_hit_rate: tenant.target_hit_rate,
    }
}

/// The scenario with the networks of all variants at all batches after its own.
pub(super) fn wide(scenario: &Scenario) -> Scenario {
    let mut wide = scenario.clone();
    for model in &scenario.models {
        for variant in &model.variants {
            for &batch in &model.batches {
                let variant = Variant { network: variant.network.clone(), batch };
                if !wide.networks.contains(&variant) {
                    wide.networks.push(variant);
                }
            }
        }
    }
    wide
}

/// What is served: the models of the scenario, then the networks that tenants ask for without a model.
pub(super) fn served(scenario: &Scenario, wide: &Scenario, catalogue: &Catalogue) -> Vec<ServedModel> {
    let place = |network: &str, batch: u64| {
        let is = |variant: &Variant| variant.network == network && variant.batch == batch;
        wide.networks.iter().position(is).expect("it was added") as u32
    };
    let model = |model: &Model| ServedModel {
        name: model.name.clone(),
        batches: model.batches.iter().map(|&batch| batch as u32).collect(),
        variants: model
            .variants
            .iter()
            .map(|variant| ServedVariant {
                name: variant.network.clone(),
                accuracy: variant.accuracy,
                weight_bytes: variant.weight_bytes.unwrap_or_else(|| catalogue.parameters(&variant.network)),
                networks: model.batches.iter().map(|&batch| place(&variant.network, batch)).collect(),
            })
            .collect(),
    };
    let mut all: Vec<ServedModel> = scenario.models.iter().map(model).collect();
    for tenant in scenario.tenants.iter().filter(|tenant| tenant.model.is_none()) {
        let network = tenant.networks[0].value;
        let name = scenario.networks[network as usize].label();
        if !all.iter().any(|model| model.name == name) {
            let weight_bytes = catalogue.parameters(&scenario.networks[network as usize].network);
            let variant =
                ServedVariant { name: name.clone(), accuracy: 1.0, weight_bytes, networks: vec![network] };
            all.push(ServedModel { name, batches: vec![1], variants: vec![variant] });
        }
    }
    all
}

pub(super) fn model_of(scenario: &Scenario, tenant: usize, models: &[ServedModel]) -> usize {
    let tenant = &scenario.tenants[tenant];
    match tenant.model {
        Some(model) => model as usize,
        None => {
            let name = scenario.networks[tenant.networks[0].value as usize].label();
            models.iter().position(|model| model.name == name).expect("it was added")
        }
    }
}
