//! The contention model against the cycle-level DRAM of `dram/`: DDR4, HBM2 and LPDDR5, whose co-runs are data in
//! tests/data/contention/twin.csv.

use std::fs;
use std::path::Path;

use mascot::study::{CoRuns, Report, verify};
use rayon::prelude::*;

use crate::dram::{CORUNS, configs};

const DATA: &str = "tests/data/contention/twin.csv";

const HEADER: &str = "experiment,n,layer,core,alone_cycles,dram_bytes,bytes_per_tile,start_cycle,end_cycle,\
                      bandwidth_bytes_per_cycle,config\n";

/// With UPDATE=1 all co-runs are simulated and written; else every seventh, which has all numbers of layers and both kinds
/// of starts.
#[test]
fn twin_data_are_what_the_twin_gives() {
    let update = std::env::var_os("UPDATE").is_some();
    let step = if update { 1 } else { 7 };
    let coruns: Vec<_> =
        configs().into_iter().flat_map(|c| (0..CORUNS).step_by(step).map(move |i| (c, i))).collect();
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
    // One co-run of eight layers that start together; the efficiencies are means over twelve.
    for config in configs() {
        let (name, measured) = (config.name, config.delivered(4));
        assert!((measured - config.efficiency).abs() < 0.04, "{name}: {measured}, not {}", config.efficiency);
    }
}

fn report() -> Report {
    let coruns = CoRuns::read(Path::new(DATA)).expect("the data are valid");
    let efficiency =
        |config: &str| configs().iter().find(|c| c.name == config).expect("a memory system").efficiency;
    verify(&coruns, efficiency)
}

/// Mean errors of durations in percent, which the guide has with one decimal. A change of the model of contention changes
/// them.
const ERRORS: [(&str, [(&str, f64); 3]); 7] = [
    ("ddr4", [("proportional", 28.16), ("max_min", 5.64), ("knee", 4.32)]),
    ("hbm2", [("proportional", 26.60), ("max_min", 6.07), ("knee", 4.96)]),
    ("lpddr5", [("proportional", 26.05), ("max_min", 6.84), ("knee", 5.84)]),
    ("ddr4_fifo", [("max_min", 11.78), ("knee", 10.51), ("fifo", 3.51)]),
    ("ddr4_rows", [("proportional", 28.94), ("max_min", 5.36), ("knee", 4.19)]),
    ("ddr4_refresh", [("proportional", 28.99), ("max_min", 4.70), ("knee", 3.11)]),
    ("ddr4_ideal", [("proportional", 30.43), ("max_min", 4.28), ("knee", 2.80)]),
];

#[test]
fn twin_bears_out_the_errors_of_the_guide() {
    let report = report();
    for (config, models) in ERRORS {
        for (model, error) in models {
            let mean = report[config][model].mean;
            assert!((mean - error).abs() < 0.02, "{model} on {config}: {mean} %, not {error} %");
        }
    }
    // Shares follow the weights that the rules say: equal if the window bounds what a core asks for at once, else by
    // bytes per tile.
    for config in ["ddr4", "hbm2", "lpddr5"] {
        let mean = |model| report[config][model].mean;
        assert!(
            ["proportional", "fifo", "max_min"].map(mean).iter().all(|&error| error > mean("knee")),
            "{config}"
        );
    }
    let fifo = &report["ddr4_fifo"];
    assert!(fifo.values().all(|errors| errors.mean >= fifo["fifo"].mean));
}

/// The same co-runs with tensors at other addresses: what no model can know that does not know addresses.
#[test]
fn twin_durations_depend_on_addresses() {
    let coruns = CoRuns::read(Path::new(DATA)).expect("the data are valid");
    let durations = |config: &str| -> Vec<f64> {
        let (_, coruns) = coruns.by_config().find(|c| c.0 == config).expect("a memory system");
        coruns.iter().flat_map(|corun| &corun.layers).map(|l| (l.end_cycle - l.start_cycle) as f64).collect()
    };
    let differences = durations("ddr4").into_iter().zip(durations("ddr4_elsewhere"));
    let differences: Vec<f64> = differences.map(|(a, b)| 200.0 * (a - b).abs() / (a + b)).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    assert!((mean - 1.35).abs() < 0.02, "{mean} %");
}
