//! Cost tables in CSV: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::cost::UserTable;

fuzz_target!(|content: &[u8]| {
    let _ = UserTable::read(&mascot_fuzz::file("table.csv", content));
});
