//! Measurements of chips in TOML: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::cost::{Measurements, Throughput};

fuzz_target!(|content: &[u8]| {
    let path = mascot_fuzz::file("silicon.toml", content);
    let _ = Measurements::read(&path);
    let _ = Throughput::read(&path);
});
