//! Execution times that vary and changes of network that cost, from the experiment file to the columns.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::common::mascot;

const EXPERIMENT: &str = "systems = ['hetero-4']\nscenarios = ['light']\nloads = [0.8]\nschedulers = ['edf', \
                          'lookahead']\nseeds = 2\nrequests = 40\n";

type Row = BTreeMap<String, String>;

/// Runs the experiment with more lines into a folder, and returns it.
fn run(folder: &Path, name: &str, lines: &str) -> String {
    let file = folder.join(format!("{name}.toml"));
    fs::write(&file, format!("{EXPERIMENT}{lines}")).unwrap();
    let out = folder.join(name).display().to_string();
    let output = mascot(&["run", &file.display().to_string(), "--quiet", "--out", &out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out
}

/// The header, and the rows by column.
fn summary(folder: &str) -> (Vec<String>, Vec<Row>) {
    let mut reader = csv::Reader::from_path(Path::new(folder).join("summary.csv")).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_string).collect();
    (header, reader.deserialize().map(Result::unwrap).collect())
}

#[test]
fn the_keys_are_columns_where_they_are_given_and_nothing_else_changes_at_zero() {
    let folder = TempDir::new().unwrap();
    let (plain_header, plain) = summary(&run(folder.path(), "plain", ""));
    let lines = "execution_cv = [0, 0.5]\nexecution_bias_cv = 0\n";
    let swept = run(folder.path(), "swept", lines);
    let (header, rows) = summary(&swept);
    let keys = header.iter().position(|name| name == "execution_cv").unwrap();
    assert_eq!(header[keys - 1..=keys + 1], ["phases", "execution_cv", "execution_bias_cv"]);
    let others: Vec<String> = header.iter().filter(|name| !name.starts_with("execution_")).cloned().collect();
    assert_eq!(others, plain_header);
    let (calm, varying): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row["execution_cv"] == "0");
    assert_eq!((calm.len(), varying.len()), (plain.len(), plain.len()));
    for ((calm, varying), plain) in calm.iter().zip(&varying).zip(&plain) {
        assert!(plain.iter().all(|(column, value)| calm[column] == *value));
        assert_eq!(varying["offered_load"], plain["offered_load"]);
        assert_ne!(varying["latency_p50_us"], plain["latency_p50_us"]);
        let slowdown = |row: &Row| row["slowdown_mean"].parse::<f64>().unwrap();
        assert!((slowdown(varying) / slowdown(plain) - 1.0).abs() < 0.5, "contention alone slows");
    }
    // It is repeated to the byte, and a cell of it is a command.
    let replayed = mascot(&["replay", &swept]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let compared = mascot(&["compare", &swept, "--by", "execution_cv", "--metric", "latency_p50_us"]);
    let told = String::from_utf8(compared.stdout).unwrap();
    assert!(compared.status.success() && told.contains("0.5"), "{told}");
}

#[test]
fn seeds_draw_execution_times_where_they_draw_no_requests() {
    let folder = TempDir::new().unwrap();
    let scenario = folder.path().join("same.toml");
    let tenant =
        "[[tenant]]\nname = 'a'\nnetwork = 'kws_res8'\narrivals = { kind = 'periodic', fps = 500 }\n";
    fs::write(&scenario, format!("name = 'same'\nsource = 'a test'\n{tenant}")).unwrap();
    let rows = |lines: &str| {
        let file = folder.path().join("e.toml");
        let scenario = scenario.display();
        let text = format!(
            "systems = ['hetero-4']\nscenarios = ['{scenario}']\nschedulers = ['edf']\nseeds = 3\nrequests = 20\n{lines}"
        );
        fs::write(&file, text).unwrap();
        let out = folder.path().join("out").display().to_string();
        let output = mascot(&["run", &file.display().to_string(), "--quiet", "--out", &out]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        summary(&out).1.len()
    };
    assert_eq!((rows(""), rows("execution_cv = 0.2"), rows("execution_bias_cv = 0.2")), (1, 3, 3));
}

#[test]
fn changes_of_network_cost_what_the_keys_say() {
    let folder = TempDir::new().unwrap();
    let (_, plain) = summary(&run(folder.path(), "plain", ""));
    let swept = run(folder.path(), "swept", "switch_us = [0, 100]\nswitch_kib = [0, 256]\n");
    let (_, rows) = summary(&swept);
    let of = |us: &str, kib: &str| -> Vec<&Row> {
        rows.iter().filter(|row| row["switch_us"] == us && row["switch_kib"] == kib).collect()
    };
    for (calm, plain) in of("0", "0").into_iter().zip(&plain) {
        assert!(plain.iter().all(|(column, value)| calm[column] == *value));
    }
    let number = |row: &Row, column: &str| row[column].parse::<f64>().unwrap();
    for ((slow, loading), plain) in of("100", "0").into_iter().zip(of("0", "256")).zip(&plain) {
        assert!(number(slow, "sla_rate") < number(plain, "sla_rate") - 0.1);
        // 256 KiB at 64 pJ per byte are 17 uJ.
        let energy = "energy_layers_uj";
        assert!(number(loading, energy) > number(plain, energy) + 17.0, "{loading:?}");
    }
    let file = folder.path().join("phases.toml");
    fs::write(&file, format!("{EXPERIMENT}switch_kib = 1\nphases = true\n")).unwrap();
    let output = mascot(&[
        "run",
        &file.display().to_string(),
        "--out",
        &folder.path().join("out").display().to_string(),
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && said.contains("cannot be combined with `phases = true`"),
        "{said}"
    );
}

#[test]
fn what_cannot_vary_is_refused_at_its_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("e.toml");
    let said = |text: &str| {
        fs::write(&file, text).unwrap();
        let out = folder.path().join("out");
        let output =
            mascot(&["run", &file.display().to_string(), "--quiet", "--out", &out.display().to_string()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!out.exists());
        String::from_utf8(output.stderr).unwrap()
    };
    let on_systems = |lines: &str| said(&format!("{EXPERIMENT}{lines}"));
    let bound = on_systems("execution_cv = [0, 0.1]\nbound = true\n");
    assert!(bound.contains("e.toml:7") && bound.contains("leave `bound` out"), "{bound}");
    assert!(on_systems("execution_cv = -0.1").contains("expected a number from 0 to 10"));
    assert!(on_systems("execution_bias_cv = 11").contains("expected a number from 0 to 10"));
    assert!(on_systems("execution_correlation = 1.5").contains("expected a number from 0 to 1"));
    assert!(on_systems("execution_distribution = 'normal'").contains("`lognormal` or `gamma`"));
    let fleet = fs::read_to_string("experiments/fang.toml").unwrap();
    let fleet = said(&format!("execution_bias_cv = 0.1\n{fleet}"));
    assert!(fleet.contains("e.toml:1") && fleet.contains("on `systems` only"), "{fleet}");
}

#[test]
fn estimates_learn_where_the_key_says_so_and_nothing_else_changes() {
    let folder = TempDir::new().unwrap();
    let biased = "execution_bias_cv = 1\n";
    let (_, plain) = summary(&run(folder.path(), "plain", biased));
    let swept = run(folder.path(), "swept", &format!("{biased}estimates = ['model', 'ewma']\n"));
    let (header, rows) = summary(&swept);
    assert!(header.iter().any(|name| name == "estimates"));
    let (model, learnt): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row["estimates"] == "model");
    assert_eq!((model.len(), learnt.len()), (plain.len(), plain.len()));
    for ((model, learnt), plain) in model.iter().zip(&learnt).zip(&plain) {
        assert!(plain.iter().all(|(column, value)| model[column] == *value));
        assert_eq!(learnt["offered_load"], plain["offered_load"]);
        assert_ne!(learnt["latency_p50_us"], plain["latency_p50_us"]);
    }
    let replayed = mascot(&["replay", &swept]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
}

#[test]
fn estimates_that_cannot_learn_are_refused_at_their_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("e.toml");
    let said = |text: &str| {
        fs::write(&file, text).unwrap();
        let output = mascot(&["validate", &file.display().to_string()]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let on_systems = |lines: &str| said(&format!("{EXPERIMENT}{lines}"));
    let exact = on_systems("execution_cv = 0\nestimates = ['model', 'ewma']\n");
    assert!(exact.contains("e.toml:8") && exact.contains("there is nothing to correct"), "{exact}");
    assert!(on_systems("estimates = 'mean'\n").contains("`model` or `ewma`"));
    let phases = on_systems("execution_cv = 0.5\nestimates = 'ewma'\nphases = true\n");
    assert!(phases.contains("cannot be combined with `phases = true`"), "{phases}");
    let fleet = fs::read_to_string("experiments/fang.toml").unwrap();
    let fleet = said(&format!("estimates = 'ewma'\n{fleet}"));
    assert!(fleet.contains("e.toml:1") && fleet.contains("on `systems` only"), "{fleet}");
}

#[test]
fn interruptions_cost_what_the_key_says() {
    let folder = TempDir::new().unwrap();
    let parts = "max_sub_job_us = 100\n";
    let (_, plain) = summary(&run(folder.path(), "plain", parts));
    let (_, whole) = summary(&run(folder.path(), "whole", ""));
    let all = "preemption = ['free', 'checkpoint', 'drain', 'kill']\n";
    let swept = run(folder.path(), "swept", &format!("{parts}{all}"));
    let (header, rows) = summary(&swept);
    let key = header.iter().position(|name| name == "preemption").unwrap();
    assert_eq!(header[key - 1], "phases", "{header:?}");
    let of = |rule: &str| -> Vec<&Row> { rows.iter().filter(|row| row["preemption"] == rule).collect() };
    for (free, plain) in of("free").into_iter().zip(&plain) {
        assert!(plain.iter().all(|(column, value)| free[column] == *value));
    }
    // Whole layers are drained; only the key differs.
    for (drained, whole) in of("drain").into_iter().zip(&whole) {
        let differing: Vec<&String> =
            whole.keys().filter(|column| drained[*column] != whole[*column]).collect();
        assert_eq!(differing, ["max_sub_job_us"]);
    }
    let energy = |row: &Row| row["energy_layers_uj"].parse::<f64>().unwrap();
    // `lookahead` gives requests up when layers take longer.
    let of_edf = |rule: &str| of(rule).into_iter().filter(|row| row["scheduler"] == "edf");
    for ((saved, killed), free) in of_edf("checkpoint").zip(of_edf("kill")).zip(of_edf("free")) {
        assert!(
            energy(saved) > energy(free) && energy(killed) > energy(free),
            "{saved:?} {killed:?} {free:?}"
        );
    }
    let file = folder.path().join("e.toml");
    let said = |lines: &str| {
        fs::write(&file, format!("{EXPERIMENT}{lines}")).unwrap();
        let output = mascot(&["validate", &file.display().to_string()]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("preemption = 'kill'\n").contains("without `max_sub_job_us`"));
    let phases = said("preemption = 'kill'\nmax_sub_job_us = 100\nphases = true\n");
    assert!(phases.contains("`preemption` cannot be combined with `phases = true`"), "{phases}");
}
