//! Traces in CSV and JSON, also run at another pace: no panic, and times in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::files::Factor;
use mascot::workload::{Recording, TraceKeys};

fuzz_target!(|content: &[u8]| {
    for name in ["trace.csv", "trace.json"] {
        for speedup in [1.0, 1e-3, 1e9] {
            let file = mascot_fuzz::file(name, content);
            let keys = TraceKeys { speedup: Factor(speedup), ..TraceKeys::new(&file) };
            if let Ok(trace) = Recording::read(&keys) {
                assert!(trace.rows.is_sorted_by_key(|row| row.time) && !trace.rows.is_empty());
            }
        }
    }
});
