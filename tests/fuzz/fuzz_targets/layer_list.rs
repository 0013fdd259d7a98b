//! MAESTRO's networks and SCALE-Sim's topologies: no panic, and what is accepted is a network that can be read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mascot::workload::{ListOptions as Options, Network, Padding, import_maestro, import_scale_sim};

fuzz_target!(|content: &[u8]| {
    for padding in [Padding::Valid, Padding::Same] {
        let options = Options { network: None, padding };
        let maestro = import_maestro(&mascot_fuzz::file("list.m", content), &options);
        let scale_sim = import_scale_sim(&mascot_fuzz::file("list.csv", content), &options);
        for imported in maestro.into_iter().chain(scale_sim) {
            let path = mascot_fuzz::file("written.toml", imported.to_toml().as_bytes());
            assert_eq!(Network::read(&path).expect("an imported network is valid"), imported.network);
        }
    }
});
