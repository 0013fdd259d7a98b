//! Measured co-runs in CSV: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::study::CoRuns;

fuzz_target!(|content: &[u8]| {
    if let Ok(runs) = CoRuns::read(&mascot_fuzz::file("corun.csv", content)) {
        assert!(runs.by_config().all(|(_, runs)| runs.iter().all(|run| !run.layers.is_empty())));
    }
});
