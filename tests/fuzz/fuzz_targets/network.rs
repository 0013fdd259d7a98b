//! Network TOML: no panic, and what is accepted can be written and read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::workload::Network;

fuzz_target!(|content: &[u8]| {
    let path = mascot_fuzz::file("network.toml", content);
    if let Ok(network) = Network::read(&path) {
        let path = mascot_fuzz::file("written.toml", network.to_toml("").as_bytes());
        assert_eq!(Network::read(&path).expect("a written network is valid"), network);
    }
});
