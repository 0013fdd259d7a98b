//! Does it run: the whole way from TOML to CSV through the program, its determinism, and what it leaves behind.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mascot::files::RENAMED;
use tempfile::TempDir;

use crate::common::{executable, mascot, program};

/// A short run of the quick start into `out`, with more arguments.
fn quickstart(out: &Path, more: &[&str]) -> Output {
    let out = out.to_str().expect("temporary paths are UTF-8");
    let fixed = [
        "run",
        "experiments/quickstart.toml",
        "--quiet",
        "--seeds",
        "2",
        "--set",
        "requests=60",
        "--out",
        out,
    ];
    let output = mascot(&[&fixed[..], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder exists").flatten().map(|e| e.path()).collect();
    paths.sort();
    paths
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("the run wrote it")
}

/// One column of a CSV as text.
fn column(csv: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let place = reader.headers().expect("a header").iter().position(|h| h == name);
    let place = place.unwrap_or_else(|| panic!("no column {name}"));
    reader.records().map(|row| row.expect("well-formed")[place].to_string()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let outputs = ["1", "2", "8"].map(|jobs| {
        let folder = TempDir::new().unwrap();
        let more =
            ["--jobs", jobs, "--requests", "--layers", "--bound", "--json", "--set", "scenarios=mixed"];
        let table = quickstart(folder.path(), &more).stdout;
        let csv = ["summary.csv", "groups.csv", "accelerators.csv", "requests.csv", "layers.csv"]
            .map(|name| read(folder.path(), name));
        assert!(!table.is_empty() && csv.iter().all(|csv| csv.lines().count() > 2));
        (table, csv)
    });
    assert!(outputs[0] == outputs[1], "the output depends on whether there are 1 or 2 threads");
    assert!(outputs[0] == outputs[2], "the output depends on whether there are 1 or 8 threads");
}

#[test]
fn a_run_leaves_exactly_its_results() {
    let folder = TempDir::new().unwrap();
    let only = ["--set", "scenarios=light", "--set", "loads=0.6", "--set", "schedulers=fcfs"];
    quickstart(folder.path(), &[&only[..], &["--requests", "--layers"]].concat());
    let names = |folder: &Path| -> Vec<String> {
        files(folder).iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(
        names(folder.path()),
        [
            "accelerators.csv",
            "cells",
            "groups.csv",
            "layers.csv",
            "manifest.json",
            "requests.csv",
            "summary.csv"
        ]
    );
    let summary = read(folder.path(), "summary.csv");
    assert_eq!(column(&summary, "seed"), ["1", "2"]);
    assert_eq!(column(&summary, "requests"), ["60", "60"]);
    assert_eq!(column(&read(folder.path(), "requests.csv"), "request").len(), 120);
    let manifest: serde_json::Value = serde_json::from_str(&read(folder.path(), "manifest.json")).unwrap();
    assert_eq!(manifest["experiment"]["windows"][0]["requests"], 60);
    assert!(manifest["inputs"].as_array().unwrap().len() >= 6);

    // Without the logs, an older run's must not stay beside the new summary.
    quickstart(folder.path(), &only);
    assert_eq!(
        names(folder.path()),
        ["accelerators.csv", "cells", "groups.csv", "manifest.json", "summary.csv"]
    );
}

#[test]
fn the_logs_agree_with_the_summary() {
    let folder = TempDir::new().unwrap();
    quickstart(folder.path(), &["--set", "scenarios=mixed", "--set", "loads=0.9", "--requests", "--layers"]);
    let (summary, requests) = (read(folder.path(), "summary.csv"), read(folder.path(), "requests.csv"));
    let sum = |values: Vec<String>| values.iter().map(|v| v.parse::<f64>().unwrap()).sum::<f64>();
    assert_eq!(sum(column(&summary, "met")), sum(column(&requests, "met")));
    let (total, listed) = (sum(column(&summary, "energy_layers_uj")), sum(column(&requests, "energy_uj")));
    assert!((total - listed).abs() <= 1e-9 * total, "{total} {listed}");
    for name in ["energy_layers_uj", "energy_static_uj", "energy_policy_uj"] {
        assert!(column(&summary, name).iter().all(|v| v.parse::<f64>().unwrap() > 0.0), "{name}");
    }
    let slowdowns = column(&read(folder.path(), "layers.csv"), "slowdown");
    assert!(slowdowns.iter().all(|s| s.parse::<f64>().unwrap() >= 1.0 - 1e-9));
}

#[test]
fn the_summary_has_every_promised_column() {
    let folder = TempDir::new().unwrap();
    quickstart(folder.path(), &["--set", "scenarios=light", "--set", "loads=0.6", "--set", "schedulers=eft"]);
    let summary = read(folder.path(), "summary.csv");
    let header = summary.lines().next().unwrap();
    let promised = "system,scenario,qos,load,scheduler,seed,requests,met,sla_rate,latency_p50_us,latency_p99_us,antt,\
                    stp,fairness,energy_layers_uj,energy_static_uj,energy_policy_uj,accel_utilization,\
                    dram_utilization,decisions,deadline_factor,dram_bandwidth_gbps,period_us,late";
    for name in promised.split(',') {
        assert!(header.split(',').any(|column| column == name), "{name} in {header}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    for args in [&["list", "schedulers"][..], &["trace", "gen", "mixed", "--rate", "9"], &["--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = program(args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("error: cannot write standard output"), "{error}");
    }
}

#[test]
fn bad_input_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let out_text = out.to_str().unwrap();
    for name in ["unknown_key", "wrong_unit", "uses_missing_network", "negative_load", "unknown_scheduler"] {
        let file = format!("tests/cli/bad/{name}.toml");
        let output = mascot(&["run", &file, "--out", out_text]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(!out.exists(), "{name} wrote something");
    }
    let network = folder.path().join("network.toml");
    let output = mascot(&["import", "tests/cli/bad/truncated.onnx", "-o", network.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn an_old_name_is_refused_with_the_new_one() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let refused = |args: &[&str]| {
        let output = mascot(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let sweep = |set: &str| refused(&["run", "experiments/quickstart.toml", "--out", out, "--set", set]);
    let train = |file: &str, set: &str| {
        refused(&["train", &format!("experiments/{file}.toml"), "--out", out, "--set", set])
    };
    let shipped = std::fs::read_to_string("policies/evolved-hetero-6.toml").unwrap();
    let manifest_with = |key: &str, value: &str| {
        let is_of_key = |line: &str| line.starts_with(&format!("{key} = "));
        let change = |line: &str| if is_of_key(line) { format!("{key} = {value:?}") } else { line.into() };
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, shipped.lines().map(change).collect::<Vec<String>>().join("\n")).unwrap();
        path.to_str().unwrap().to_string()
    };
    for (old, new) in RENAMED {
        // In the order of their cost: the first that says the new name is enough.
        let messages: [&dyn Fn() -> String; 10] = [
            &|| sweep(&format!("systems={old}")),
            &|| sweep(&format!("schedulers={old}")),
            &|| sweep(&format!("schedulers=[{{name=\"learned_gate\",policy=\"{old}\"}}]")),
            &|| refused(&["run", &format!("experiments/{old}"), "--out", out]),
            &|| refused(&["rank", &format!("results/{old}")]),
            &|| train("train-hetero-6", &format!("training.evolution.{old}=1")),
            &|| train("train-hetero-6-relmas", &format!("training.ddpg.{old}=1")),
            &|| refused(&["validate", &manifest_with("kind", old)]),
            &|| refused(&["validate", &manifest_with("features", old)]),
            &|| refused(&["rank", "results/grid135.csv", "--metric", old]),
        ];
        let told = format!("{new}` since 0.2)");
        assert!(messages.iter().any(|message| message().contains(&told)), "{old} is not told to be {new}");
    }
}

#[test]
fn json_is_one_array_of_rows() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let args = ["run", "experiments/quickstart.toml", "--json", "--seeds", "2", "--out", out];
    let few = ["--set", "requests=30", "--set", "scenarios=light", "--set", "loads=0.6"];
    let output = mascot(&[&args[..], &few].concat());
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on standard output");
    assert_eq!(rows.as_array().unwrap().len(), 10);
    assert!(rows[1]["sla_rate"].is_f64() && rows[1]["scheduler"] == "fcfs");
    assert_eq!((&rows[0]["gain_over"], rows[1]["gain_over"].is_null()), (&"fcfs".into(), true));
}

#[test]
fn the_table_compares_with_the_first_scheduler_and_says_what_comes_next() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("my results");
    let out = out.to_str().unwrap();
    let few = ["--seeds", "2", "--set", "requests=30", "--set", "scenarios=light", "--set", "loads=0.9"];
    let run = |schedulers: &str, more: &[&str]| {
        let args = ["run", "experiments/quickstart.toml", "--out", out, "--set", schedulers];
        String::from_utf8(mascot(&[&args[..], &few, more].concat()).stdout).unwrap()
    };
    let table = run("schedulers=[\"edf\",\"fcfs\"]", &[]);
    let lines: Vec<&str> = table.lines().collect();
    for heading in ["load,", "p99 of", "uJ per measured", "uJ per met", "vs fcfs,"] {
        assert!(lines[1].contains(heading), "{heading}: {table}");
    }
    for unit in ["x lambda*", "finished, us", "request", "%", "points"] {
        assert!(lines[2].contains(unit), "{unit}: {table}");
    }
    assert_eq!(lines.last(), Some(&&*format!("Next, `mascot report '{out}'` draws these results.")));
    let table = run("schedulers=[\"edf\",\"sjf\"]", &[]);
    assert!(table.contains("vs edf,"), "{table}");
    let rows: serde_json::Value =
        serde_json::from_str(&run("schedulers=[\"edf\",\"sjf\"]", &["--json"])).unwrap();
    let rate = |row: usize| rows[row]["sla_rate"].as_f64().unwrap();
    assert!((rows[1]["gain_points"].as_f64().unwrap() - 100.0 * (rate(1) - rate(0))).abs() < 1e-9, "{rows}");
    assert_eq!((&rows[1]["gain_over"], rows[0]["gain_percent"].is_null()), (&"edf".into(), true));
}

/// A copy of the data folders that the tests may add to.
fn own_data() -> TempDir {
    let root = TempDir::new().unwrap();
    for folder in ["accel-models/systems", "accel-models", "workloads/networks", "workloads/scenarios"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).iter().filter(|p| p.is_file())
        {
            std::fs::copy(path, root.path().join(folder).join(path.file_name().unwrap())).unwrap();
        }
    }
    root
}

#[test]
fn an_imported_network_runs_under_the_name_of_its_file() {
    let root = own_data();
    let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).unwrap();
    let mine = root.path().join("workloads/networks/mine.toml");
    let imported = mascot(&["import", "tests/data/networks/kws_res8.onnx", "-o", mine.to_str().unwrap()]);
    assert!(imported.status.success());
    write(
        "workloads/scenarios/own.toml",
        "name = 'own'\nsource = 'a test'\n[[tenant]]\nname = 'a'\nnetwork = 'mine'\n",
    );
    write(
        "own_run.toml",
        "systems = ['hetero-4']\nscenarios = ['own']\nloads = [0.5]\nschedulers = ['fcfs']\nrequests = 20\n",
    );
    let (file, out) = (root.path().join("own_run.toml"), root.path().join("out"));
    let run =
        mascot(&["run", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "--requests", "--quiet"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(column(&read(&out, "requests.csv"), "network").iter().all(|name| name == "mine"));
}

#[test]
fn every_shipped_file_is_valid() {
    let output = mascot(&["validate", "accel-models", "workloads", "experiments"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kinds = [
        ": accelerator `",
        ": system `",
        ": network `",
        ": scenario `",
        ": measurements `",
        ": experiment, ",
    ];
    for kind in kinds {
        assert!(text.contains(kind), "no{kind} in {text}");
    }
    // What an experiment's loads mean: lambda*, the saturation of eft, what binds.
    assert!(
        text.contains("lambda* 1/s") && text.contains("eft / lambda*") && text.contains("bound by"),
        "{text}"
    );
}

#[test]
fn completions_and_lists_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(String::from_utf8_lossy(&mascot(&["completions", shell]).stdout).contains("mascot"));
    }
    for (what, name) in [
        ("accelerators", "simba_1024"),
        ("systems", "hetero-6"),
        ("networks", "bert_base_s128"),
        ("scenarios", "mixed"),
        ("schedulers", "prema"),
        ("metrics", "sla_rate"),
        ("arrivals", "mmpp2"),
    ] {
        assert!(String::from_utf8_lossy(&mascot(&["list", what]).stdout).contains(name), "{what}");
    }
}

#[test]
fn a_cost_table_has_a_row_per_layer() {
    let output = mascot(&["cost", "table", "--network", "alexnet", "--accelerator", "eyeriss_1024", "--csv"]);
    let csv = String::from_utf8_lossy(&output.stdout);
    assert_eq!(column(&csv, "layer").len(), 8);
    assert!(column(&csv, "utilization").iter().all(|u| u.parse::<f64>().unwrap() <= 1.0));
}

/// The command that an error or a manifest gives for a cell runs exactly that cell.
#[test]
fn the_command_of_a_cell_reproduces_it() {
    use mascot::cost::Cache;
    use mascot::experiment::{DataRoot, Experiment, Silent};
    use mascot::plan::Plan;
    use mascot::sweep;

    let data = DataRoot::find(None).unwrap();
    let prema =
        toml::from_str::<toml::Table>("s = [{ name = \"prema\", reset_on_run = true }]").unwrap()["s"]
            .clone();
    let keys = [("requests".to_string(), toml::Value::from(40)), ("schedulers".to_string(), prema)];
    let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data).unwrap();
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).unwrap();
    let cell = *sweep::cells(&plan).last().unwrap();
    let expected = sweep::run_cell(&plan.experiment, &cell, sweep::Logs::default()).unwrap();

    let folder = TempDir::new().unwrap();
    let command = format!("{} --quiet --out {}", cell.command(&plan.experiment), folder.path().display());
    let command = command.replacen("mascot", &executable().to_string_lossy(), 1);
    let status =
        Command::new("sh").args(["-c", &command]).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success(), "{command}");
    let summary = read(folder.path(), "summary.csv");
    assert_eq!(column(&summary, "sla_rate"), [format!("{:?}", expected.metric("sla_rate"))]);
    assert_eq!(column(&summary, "latency_p99_us"), [format!("{:?}", expected.metric("latency_p99_us"))]);
}

#[test]
fn a_bound_is_a_row_without_a_run_and_every_scheduler_has_its_gap() {
    let folder = TempDir::new().unwrap();
    let few = ["--set", "scenarios=light", "--set", "loads=1.5", "--set", "schedulers=[\"fcfs\",\"sjf\"]"];
    quickstart(folder.path(), &[&few[..], &["--bound"]].concat());
    let summary = read(folder.path(), "summary.csv");
    assert_eq!(column(&summary, "scheduler"), ["fcfs", "fcfs", "sjf", "sjf", "bound", "bound"]);
    assert_eq!(column(&summary, "seed"), ["1", "2", "1", "2", "1", "2"]);
    let rates: Vec<f64> = column(&summary, "sla_rate").iter().map(|rate| rate.parse().unwrap()).collect();
    let gaps = column(&summary, "gap_to_bound");
    for (row, gap) in gaps[..4].iter().enumerate() {
        let gap: f64 = gap.parse().unwrap();
        assert!(gap > 0.0 && (rates[4 + row % 2] - rates[row] - gap).abs() < 1e-12, "{rates:?} {gaps:?}");
    }
    assert_eq!(column(&summary, "requests"), ["60"; 6]);
    assert_eq!(gaps[4..], ["", ""]);
    assert!(column(&summary, "latency_p99_us")[4..].iter().all(String::is_empty));

    quickstart(folder.path(), &few);
    assert!(column(&read(folder.path(), "summary.csv"), "gap_to_bound").iter().all(String::is_empty));
}

/// What is forwarded was a DRAM read: together they are what the layer moves on that accelerator without forwarding.
#[test]
fn forwarded_bytes_are_not_read_from_dram() {
    let folder = TempDir::new().unwrap();
    let more = [
        ["--layers", "--set", "scenarios=mixed"],
        ["--set", "schedulers=relief", "--set"],
        ["loads=0.9", "--set", "forwarding=[false,true]"],
    ];
    quickstart(folder.path(), &more.concat());
    let layers = read(folder.path(), "layers.csv");
    let number = |name: &str| -> Vec<f64> {
        column(&layers, name).iter().map(|x| x.parse().expect("a number")).collect()
    };
    let (dram, forwarded) = (number("dram_bytes"), number("forwarded_bytes"));
    let [network, layer, accelerator, on] =
        ["network", "layer", "accelerator", "forwarding"].map(|name| column(&layers, name));
    let mut whole = std::collections::BTreeMap::new();
    for i in 0..dram.len() {
        let bytes = whole.entry((&network[i], &layer[i], &accelerator[i])).or_insert(dram[i] + forwarded[i]);
        assert!((dram[i] + forwarded[i] - *bytes).abs() < 1e-6 * *bytes, "{} {}", network[i], layer[i]);
        assert!(on[i] == "true" || forwarded[i] == 0.0);
    }
    assert!(forwarded.iter().filter(|bytes| **bytes > 0.0).count() > 100);
    for refused in ["phases=true", "max_sub_job_us=500"] {
        let output =
            mascot(&["run", "experiments/quickstart.toml", "--set", "forwarding=true", "--set", refused]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && message.contains("needs whole layers"), "{message}");
    }
}

/// What is found on chip was a DRAM read, under every kind of residency, and each kind finds what it keeps.
#[test]
fn bytes_found_on_chip_are_not_read_from_dram() {
    let folder = TempDir::new().unwrap();
    let kinds = "residency=['none','outputs','weights','all']";
    let more = ["--layers", "--set", "scenarios=light", "--set", "schedulers=affinity", "--set", "loads=0.9"];
    quickstart(folder.path(), &[&more[..], &["--set", kinds]].concat());
    let layers = read(folder.path(), "layers.csv");
    let number = |name: &str| -> Vec<f64> {
        column(&layers, name).iter().map(|x| x.parse().expect("a number")).collect()
    };
    let [dram, inputs, weights] = ["dram_bytes", "forwarded_bytes", "resident_weight_bytes"].map(number);
    let [network, layer, accelerator, kind] =
        ["network", "layer", "accelerator", "residency"].map(|name| column(&layers, name));
    let mut whole = std::collections::BTreeMap::new();
    let mut sums = std::collections::BTreeMap::<&str, [f64; 2]>::new();
    for i in 0..dram.len() {
        let all = dram[i] + inputs[i] + weights[i];
        let bytes = whole.entry((&network[i], &layer[i], &accelerator[i])).or_insert(all);
        assert!((all - *bytes).abs() <= 1e-6 * *bytes, "{} {}", network[i], layer[i]);
        let sum = sums.entry(&kind[i]).or_default();
        *sum = [sum[0] + inputs[i], sum[1] + weights[i]];
    }
    let finds = |kind: &str| sums[kind].map(|bytes| bytes > 0.0);
    assert_eq!(
        ["none", "outputs", "weights", "all"].map(finds),
        [[false, false], [true, false], [false, true], [true, true]]
    );
    for refused in ["phases=true", "max_sub_job_us=500", "forwarding=true"] {
        let keys = ["--set", "residency='all'", "--set", refused];
        let output = mascot(&[&["run", "experiments/quickstart.toml"], &keys[..]].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        let says = message.contains("needs whole layers") || message.contains("contains `forwarding = true`");
        assert!(output.status.code() == Some(2) && says, "{message}");
    }
}

/// A folder with nothing but a network, a scenario and a system of the user's: what ships is there beside them.
#[test]
fn own_files_lie_beside_what_ships() {
    let root = TempDir::new().unwrap();
    let mine = root.path().join("workloads/networks/mine.toml");
    let in_folder = |args: &[&str]| {
        let output = program(args).current_dir(root.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let onnx = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/networks/kws_res8.onnx");
    in_folder(&["import", onnx.to_str().unwrap(), "-o", mine.to_str().unwrap()]);
    let write = |name: &str, text: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "workloads/scenarios/own.toml",
        "name = 'own'\nsource = 'a test'\n[[tenant]]\nname = 'a'\nnetwork = 'mine'\n[[tenant]]\nname = 'b'\nnetwork = 'kws_res8'\n",
    );
    write(
        "accel-models/systems/ours.toml",
        "name = 'ours'\nsource = 'a test'\ndram_bandwidth_gbps = 16\n[[accelerator]]\nmodel = 'simba_256'\n",
    );
    write(
        "e.toml",
        "systems = ['ours', 'hetero-4']\nscenarios = ['own']\nloads = 0.5\nschedulers = ['fcfs']\nrequests = 20\n",
    );
    in_folder(&["run", "e.toml", "--out", "out", "--quiet"]);
    assert_eq!(column(&read(&root.path().join("out"), "summary.csv"), "system"), ["ours", "hetero-4"]);
    assert!(in_folder(&["replay", "out"]).starts_with("OK, the same: summary.csv (2 rows)"));
    let networks = in_folder(&["list", "networks"]);
    assert!(networks.contains(" mine ") && networks.contains(" vgg16 "), "{networks}");
    let manifest = read(&root.path().join("out"), "manifest.json");
    assert!(manifest.contains("\"workloads/networks/kws_res8.toml\""), "{manifest}");
}
