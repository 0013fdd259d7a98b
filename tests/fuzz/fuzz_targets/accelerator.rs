//! Accelerator TOML: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::hw::AccelSpec;

fuzz_target!(|content: &[u8]| {
    if let Ok(spec) = AccelSpec::read(&mascot_fuzz::file("accelerator.toml", content)) {
        assert!(spec.macs_per_cycle() > 0);
    }
});
