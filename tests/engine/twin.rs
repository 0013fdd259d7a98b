//! The contention model against the cycle-level DRAM of `dram/`: DDR4, HBM2 and LPDDR5, whose co-runs are data in
//! tests/data/contention/twin.csv.

use std::fs;
use std::path::Path;

use mascot::study::{CoRuns, Report, verify};
use rayon::prelude::*;

use crate::dram::{CORUNS, configs};

const DATA: &str = "tests/data/contention/twin.csv";

const HEADER: &str = "experiment,n,layer,core,alone_cycles,dram_bytes,bytes_per_tile,start_cycle,end_cycle,\\
                      bandwidth_bytes_per_cycle,config\n";

/// With UPDATE=1 all co-runs are simulated and written; else every seventh, which has all numbers of layers and both kinds
/// of starts.
#[test]
fn twin_data_are_what_the_twin_gives() {
    let update = std::env::var_os("UPDATE").is_some();
    let step = if update { 1 } else { 7 };
    let coruns: Vec<_> = configs().into_iter().flat_map(|c| (0..CORUNS).step_by(step).map(move |i| (c, i))).collect();
    let rows = coruns.into_par_iter().map(|(config, index)| config.rows(index));
    let rows: Vec<String> = rows.collect();
    if update {
        fs::write(DATA, HEADER.to_string() + &rows.concat()).expect("the file can be written");
    }
    let data = fs::read_to_string(DATA).expect("the data ship");
    for rows in rows {
        assert!(data.contains(&rows), "the twin gives other co-runs than {DATA}:\n{rows}");
    }
}

#[test]
fn twin_delivers_the_efficiencies_of_the_guide() {
    // Eight layers that start together; of 36, the others differ by up to 0.1.
    for config in configs() {
        let (name, measured) = (config.name, config.delivered(4));
        assert!((measured - config.efficiency).abs() < 0.04, "{name}: {measured}, not {}", config.efficiency);
    }
}

fn report() -> Report {
    let coruns = CoRuns::read(Path::new(DATA)).expect("the data are valid");
    let efficiency = |config: &str| configs().iter().find(|c| c.name == config).expect("a memory system").efficiency;
    verify(&coruns, efficiency)
}
