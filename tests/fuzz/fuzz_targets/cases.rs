//! Reference cases of the cost model in JSON lines: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::cost::Case;

fuzz_target!(|content: &[u8]| {
    let _ = Case::read_all(&mascot_fuzz::file("cases.jsonl", content));
});
