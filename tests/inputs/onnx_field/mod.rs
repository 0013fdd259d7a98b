//! ONNX files of kinds that went wrong in the field: is the count that of onnxruntime's shapes (`check.py` beside this
//! file counts them), does a refusal name its cause, and does the import say what it dropped or replaced?
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

mod models;
mod runtime;

use std::path::Path;

use mascot::workload::{OnnxOptions as Options, UnknownOperators, import, import_from};
use proptest::prelude::*;

use self::Right::{Error, Macs};

/// What is right for one file.
enum Right {
    /// So many MACs.
    Macs(u64),
    /// An error with this text in it.
    Error(&'static str),
}

/// A file in `tests/data/onnx_field`, the options of `mascot import`, what is right, and texts that must be among the
/// notes; without any, there must be no note.
type Model = (&'static str, &'static str, Right, &'static [&'static str]);

#[test]
fn every_model_has_the_right_count_or_the_true_refusal() {
    for (file, words, right, notes) in models::MODELS {
        let path = Path::new("tests/data/onnx_field").join(file);
        assert!(path.is_file(), "{file}");
        match (import(&path, &options(words)), right) {
            (Ok(imported), Macs(macs)) => {
                assert_eq!(imported.summary.macs, *macs, "{file} {words}");
                let said = imported.notes.join("\n");
                assert!(notes.iter().all(|note| said.contains(note)), "{file} {words}: {said}");
                assert_eq!(notes.is_empty(), said.is_empty(), "{file} {words}: {said}");
            }
            (Err(error), Error(text)) => {
                let message = error.to_string();
                assert!(message.contains(text), "{file} {words}: {message}");
            }
            (Ok(imported), Error(text)) => {
                panic!("{file} {words}: {} MACs instead of {text}", imported.summary.macs)
            }
            (Err(error), Macs(macs)) => panic!("{file} {words}: {error} instead of {macs} MACs"),
        }
    }
}

/// `--bind NAME=SIZE`, `--input NAME` and `--unknown=bytes`, as on the command line.
fn options(words: &str) -> Options {
    let mut options = Options::default();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--bind" => {
                let (name, size) = words.next().unwrap().rsplit_once('=').unwrap();
                options.bindings.insert(name.into(), size.parse().unwrap());
            }
            "--input" => options.inputs.extend(words.next().map(str::to_owned)),
            "--unknown=bytes" => options.unknown = UnknownOperators::Bytes,
            _ => panic!("{word}"),
        }
    }
    options
}

proptest! {
    /// Functions, branches and files beside the model: damage is an error, never a panic.
    #[test]
    fn damaged_models_never_panic(
        model in prop::sample::select(vec![
            "function_with_if", "if_nested", "external_constant", "function_nested", "fit_order_branch",
            "fit_lstm_bias", "fit_slice", "fit_split", "fit_pad", "fit_lenient_zero", "fit_lenient_axis",
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let path = Path::new("tests/data/onnx_field").join(model).with_extension("onnx");
        let mut content = std::fs::read(&path).unwrap();
        for (index, byte) in changes {
            let at = index.index(content.len());
            content[at] = byte;
        }
        let _ = import_from(&content[..], &path, &options("--unknown=bytes"));
    }
}
