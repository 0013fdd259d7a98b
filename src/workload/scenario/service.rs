//! The keys of a tenant whose requests any variant of a model may answer.

use super::Variant;
use super::raw::RawTenant;
use super::read::Reader;
use crate::files::{InputError, Spanned, did_you_mean};
use crate::workload::model::Model;

impl Reader<'_> {
    /// The index of a model, which is read if it is new.
    pub(super) fn model(&mut self, raw: &RawTenant, name: &Spanned<String>) -> Result<u32, InputError> {
        let wrong = |message: String| Err(self.source.error(&name.span(), message));
        match (&raw.network, &raw.networks, &raw.batch) {
            (Some(_), _, _) => return Err(self.either(name, "network", "model")),
            (_, Some(_), _) => return Err(self.either(name, "networks", "model")),
            (_, _, Some(batch)) => {
                let message = "the file of a model lists its batches; `batch` belongs to a `network`";
                return Err(self.source.error(&batch.span(), message));
            }
            _ => {}
        }
        let wanted = name.get_ref();
        if let Some(known) = self.models.iter().position(|known| known.name == *wanted) {
            return Ok(known as u32);
        }
        let Some(file) = self.known_models.find(wanted) else {
            let hint = did_you_mean(wanted, self.known_models.names());
            let expected = self.known_models.expected(wanted);
            return wrong(format!("no model `{wanted}`{hint}: expected {}", expected.display()));
        };
        let model = Model::read(&file, self.known.clone())?;
        if model.name != *wanted {
            let message = format!("`name` is `{}`: expected `{wanted}`, the name of the file", model.name);
            return Err(InputError::file(&file, message));
        }
        self.models.push(model);
        Ok(self.models.len() as u32 - 1)
    }

    /// The index of the network that stands for a model where nothing chooses among its variants.
    pub(super) fn best_of(&mut self, model: u32) -> u32 {
        let network = self.models[model as usize].best().network.clone();
        self.place(Variant { network, batch: 1 })
    }

    /// The least accuracy of a tenant, if some variant of its model reaches it.
    pub(super) fn min_accuracy(
        &self,
        raw: &RawTenant,
        model: Option<u32>,
    ) -> Result<Option<f64>, InputError> {
        let Some(least) = &raw.min_accuracy else { return Ok(None) };
        let Some(model) = model else {
            let message = "`min_accuracy` is for tenants with a `model`: a `network` has no accuracy";
            return Err(self.source.error(&least.span(), message));
        };
        let Model { name, .. } = &self.models[model as usize];
        let most = self.models[model as usize].accuracies().max;
        if least.get_ref().0 > most {
            let message = format!(
                "`min_accuracy` is {}: expected at most {most}, which the most accurate variant of `{name}` has",
                least.get_ref().0
            );
            return Err(self.source.error(&least.span(), message));
        }
        Ok(Some(least.get_ref().0))
    }
}
