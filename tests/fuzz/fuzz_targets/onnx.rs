//! The ONNX importer: no panic, bounded memory, and what it accepts is a network that can be read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;

use mascot::workload::{Network, OnnxOptions as Options, UnknownOperators, import_from};

fuzz_target!(|content: &[u8]| {
    let bindings = ["batch", "length", "x.0"].map(|name| (name.to_owned(), 3)).into();
    let bytes = Options { unknown: UnknownOperators::Bytes, ..Default::default() };
    for options in [Options::default(), Options { bindings, ..Default::default() }, bytes] {
        let Ok(imported) = import_from(content, Path::new("model.onnx"), &options) else { continue };
        let path = mascot_fuzz::file("model.toml", imported.to_toml().as_bytes());
        assert_eq!(Network::read(&path).expect("an imported network is valid"), imported.network);
    }
});
