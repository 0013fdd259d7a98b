//! The contention model against cycle-level co-runs (tests/data/contention): the errors of layer durations stay within
//! what is promised, and the knee is better than max-min on every memory system, under fair and unfair queues.

use std::path::Path;

use mascot::study::{CoRuns, Errors, Report, verify};

fn report(file: &str) -> Report {
    let coruns = CoRuns::read(&Path::new("tests/data/contention").join(file)).expect("the file is valid");
    verify(&coruns, |config| if config.starts_with("simple") { 1.0 } else { 0.88 })
}

#[test]
fn errors_stay_within_their_bounds() {
    let report = report("corun.csv");
    let mean = |config: &str, model: &str| report[config][model].mean;
    // The targets for max-min; what the refinements reached when they were made, rounded up.
    for (config, model, bound) in [
        ("ddr4_win64", "max_min", 6.0),
        ("simple_win64", "max_min", 4.0),
        ("ddr4_win64", "knee", 3.7),
        ("ddr4_win64", "knee_alone", 3.7),
        ("simple_win64", "knee", 1.6),
    ] {
        let mean = mean(config, model);
        assert!(mean <= bound, "{model} on {config}: {mean} %, at most {bound} %");
    }
    for config in report.keys() {
        assert!(mean(config, "knee") < mean(config, "max_min"), "{config}");
        assert!(mean(config, "knee_alone") < mean(config, "max_min_alone"), "{config}");
    }
    // The reason for max-min: proportional sharing splits the same total wrongly.
    assert!(mean("ddr4_win64", "proportional") > 20.0);
}

#[test]
fn fifo_is_simulated_where_bytes_per_tile_are_known() {
    let Errors { mean, median, max } = report("fifo_by_hand.csv")["simple_by_hand"]["fifo"];
    assert!(mean.max(median).max(max) < 1e-6, "{mean} {median} {max}");
    assert!(report("corun.csv").values().all(|models| !models.contains_key("fifo")));
}
