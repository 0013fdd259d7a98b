//! Experiment TOML: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::experiment::{DataRoot, Experiment};

fuzz_target!(|content: &[u8]| {
    let path = mascot_fuzz::file("experiment.toml", content);
    let data = DataRoot::find(Some(&mascot_fuzz::ROOT)).expect("the repository has the data folders");
    let _ = Experiment::read(&path, &[], &data);
});
