//! A model as a service offers it: one task, which several networks do, each with its accuracy.
//!
//! ```toml
//! name = "classify"
//! metric = "ImageNet top-1, IMAGENET1K_V1 weights"
//! source = "torchvision 0.29.2"
//! batches = [1, 2, 4]
//! [[variant]]
//! network = "resnet18"
//! accuracy = 0.69758
//! ```
//! Accuracies can only be compared if they come from one metric and one training recipe, so that `metric` names both:
//! two sets of weights for the same ResNet-50 differ by 5 points. `mascot list models` shows them beside the costs of their
//! networks. A tenant of a scenario names a model in place of a network.

use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::utility::AccuracyRange;
use crate::files::{
    Batch, Folders, Fraction, InputError, NonNegative, Source, Spanned, did_you_mean, schema_of,
};

/// A validated model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The name of the model and of its file.
    pub name: String,
    /// What the accuracies measure, and the training recipe.
    pub metric: String,
    /// Where the accuracies come from.
    pub source: String,
    /// The batch sizes that it is served in, ascending.
    pub batches: Vec<u64>,
    /// The networks that do the task, in the order of the file; at least one.
    pub variants: Vec<ModelVariant>,
}

/// One network of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVariant {
    /// The network: the name of a file in workloads/networks/.
    pub network: String,
    /// The share of answers that are right, or the metric in place of it, from 0 to 1.
    pub accuracy: f64,
    /// The weights in bytes, if the file says it; else a byte for each parameter of the network.
    pub weight_bytes: Option<f64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: a model: networks that do one task, with their accuracies")]
struct RawModel {
    /// The name of the model; it must be the name of the file.
    name: String,
    /// What the accuracies measure, and the training recipe: one for all variants.
    metric: String,
    /// Where the accuracies come from.
    source: String,
    /// The batch sizes that the model is served in, ascending; default: 1 only.
    batches: Option<Spanned<Vec<Batch>>>,
    /// The networks that do the task.
    variant: Vec<RawVariant>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawVariant {
    /// A network: the name of a file in workloads/networks/.
    network: Spanned<String>,
    /// The accuracy by `metric`, from 0 to 1.
    accuracy: Fraction,
    /// The weights in megabytes (10^6 bytes), for sites with a `memory_mb`; a byte for each parameter if left out.
    weights_mb: Option<NonNegative>,
}

impl Model {
    /// The JSON Schema of a model file.
    pub fn schema() -> Schema {
        schema_of::<RawModel>()
    }

    /// Reads and validates a model file; every network must exist in `known` as `<network>.toml`.
    pub fn read(path: &Path, known: impl Into<Folders>) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let raw: RawModel = source.parse()?;
        if raw.variant.is_empty() {
            return Err(source.error_at_top("`variant` is empty: a model has at least one"));
        }
        let (known, mut variants) = (known.into(), Vec::<ModelVariant>::new());
        for RawVariant { network, accuracy, weights_mb } in &raw.variant {
            let name = network.get_ref();
            let wrong = |message: String| Err(source.error(&network.span(), message));
            if variants.iter().any(|earlier| earlier.network == *name) {
                return wrong(format!("`{name}` is listed twice"));
            }
            if known.find(name).is_none() {
                let hint = did_you_mean(name, known.names());
                let expected = known.expected(name);
                return wrong(format!("no network `{name}`{hint}: expected {}", expected.display()));
            }
            let weight_bytes = weights_mb.map(|weights| weights.0 * 1e6);
            variants.push(ModelVariant { network: name.clone(), accuracy: accuracy.0, weight_bytes });
        }
        let batches = batches(raw.batches.as_ref(), &source)?;
        Ok(Self { name: raw.name, metric: raw.metric, source: raw.source, batches, variants })
    }

    /// The most accurate variant; the first of those that are equally accurate.
    pub fn best(&self) -> &ModelVariant {
        let better = |best: &'_ ModelVariant, other: &ModelVariant| other.accuracy > best.accuracy;
        let first = &self.variants[0];
        self.variants.iter().fold(first, |best, other| if better(best, other) { other } else { best })
    }

    /// The least and the largest accuracy.
    pub fn accuracies(&self) -> AccuracyRange {
        let least = self.variants.iter().map(|variant| variant.accuracy).fold(f64::INFINITY, f64::min);
        AccuracyRange { min: least, max: self.best().accuracy }
    }

    /// Pairs of variants of which the first is no more accurate and no cheaper than the second, by the costs of the
    /// variants, in their order; one pair at most for each first.
    pub fn dominated(&self, costs: &[u64]) -> Vec<(&ModelVariant, &ModelVariant)> {
        let all = || self.variants.iter().zip(costs);
        let of = |(variant, cost): (&'_ ModelVariant, &u64)| {
            let better = |(other, less): &(&ModelVariant, &u64)| {
                let no_worse = other.accuracy >= variant.accuracy && *less <= cost;
                no_worse && (other.accuracy > variant.accuracy || *less < cost)
            };
            all().find(better).map(|(other, _)| other)
        };
        all().filter_map(|pair| Some((pair.0, of(pair)?))).collect()
    }
}

fn batches(raw: Option<&Spanned<Vec<Batch>>>, source: &Source) -> Result<Vec<u64>, InputError> {
    let Some(raw) = raw else { return Ok(vec![1]) };
    let batches: Vec<u64> = raw.get_ref().iter().map(|batch| batch.0).collect();
    match !batches.is_empty() && batches.is_sorted_by(|small, large| small < large) {
        true => Ok(batches),
        false => {
            let message =
                format!("`batches` is {batches:?}: expected at least one, each larger than the one before");
            Err(source.error(&raw.span(), message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "name = 'm'\nmetric = 'top-1'\nsource = 'a test'\n[[variant]]\nnetwork = 'narrow'\naccuracy = 0.7\n\
                       [[variant]]\nnetwork = 'wide'\naccuracy = 0.8\n";

    /// Reads a model beside networks `narrow`, `wide` and `third`.
    fn read(text: &str) -> Result<Model, InputError> {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        for name in ["narrow", "wide", "third"] {
            std::fs::write(folder.path().join(format!("{name}.toml")), "").expect("the folder is ours");
        }
        let path = folder.path().join("m.toml");
        std::fs::write(&path, text).expect("the folder is ours");
        Model::read(&path, folder.path())
    }

    #[test]
    fn a_model_is_read_as_written() {
        let model = read(TWO).unwrap();
        let told: Vec<(&str, f64)> =
            model.variants.iter().map(|v| (v.network.as_str(), v.accuracy)).collect();
        assert_eq!(
            (model.name.as_str(), model.metric.as_str(), told),
            ("m", "top-1", vec![("narrow", 0.7), ("wide", 0.8)])
        );
        assert_eq!(model.batches, [1]);
        assert_eq!(model.accuracies(), AccuracyRange { min: 0.7, max: 0.8 });
        assert_eq!(model.best().network, "wide");
        assert_eq!(read(&TWO.replace("0.8", "0.7")).unwrap().best().network, "narrow");
        assert_eq!(read(&format!("batches = [1, 4, 6]\n{TWO}")).unwrap().batches, [1, 4, 6]);
    }

    #[test]
    fn mistakes_are_errors_at_their_line() {
        let changed = |from: &str, to: &str| read(&TWO.replacen(from, to, 1)).unwrap_err();
        for (error, line, part) in [
            (changed("'wide'", "'wides'"), Some(8), "no network `wides` (did you mean `wide`?)"),
            (changed("'wide'", "'narrow'"), Some(8), "`narrow` is listed twice"),
            (changed("0.8", "80"), Some(9), "`accuracy` is 80: expected a number from 1e-6 to 1"),
            (changed("0.8", "'good'"), Some(9), "accuracy"),
            (changed("accuracy = 0.8", "top1 = 0.8"), Some(9), "unknown field `top1`"),
            (changed("metric = 'top-1'\n", ""), None, "metric"),
            (
                changed("name", "batches = [2, 1]\nname"),
                Some(1),
                "`batches` is [2, 1]: expected at least one",
            ),
            (changed("name", "batches = [0]\nname"), Some(1), "expected a whole number from 1 to 1024"),
        ] {
            assert!(line.is_none() || error.line == line, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        let none = read("name = 'm'\nmetric = 't'\nsource = 's'\nvariant = []\n").unwrap_err();
        assert!(none.to_string().contains("`variant` is empty"), "{none}");
    }

    #[test]
    fn what_is_neither_cheaper_nor_more_accurate_is_dominated() {
        let third = "[[variant]]\nnetwork = 'third'\naccuracy = 0.75\n";
        let model = read(&format!("{TWO}{third}")).unwrap();
        let of = |costs: &[u64]| -> Vec<(String, String)> {
            let pairs = model.dominated(costs).into_iter();
            pairs.map(|(worse, better)| (worse.network.clone(), better.network.clone())).collect()
        };
        assert_eq!(of(&[1, 3, 2]), []);
        assert_eq!(of(&[1, 3, 4]), [("third".to_string(), "wide".to_string())]);
        assert_eq!(
            of(&[5, 3, 3]),
            [("narrow".to_string(), "wide".to_string()), ("third".to_string(), "wide".to_string())]
        );
    }
}
