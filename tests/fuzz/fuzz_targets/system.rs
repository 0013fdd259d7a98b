//! System TOML: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::hw::SystemSpec;

fuzz_target!(|content: &[u8]| {
    let models = mascot_fuzz::ROOT.join("accel-models");
    if let Ok(system) = SystemSpec::read(&mascot_fuzz::file("system.toml", content), &models) {
        assert!(!system.accelerators.is_empty());
    }
});
