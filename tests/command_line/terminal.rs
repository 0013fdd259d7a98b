//! What a terminal and a script get: no colours where none are wanted, JSON alone on standard output, manual pages.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says when it is skipped")]

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::mascot;

const ESCAPE: u8 = 0x1b;

#[test]
fn a_pipe_gets_no_colours() {
    let bad = ["run", "tests/cli/bad/unknown_key.toml"];
    for args in [&["--help"][..], &["list", "systems"], &["run"], &bad, &["validate", "accel-models/systems"]]
    {
        let output = mascot(args);
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty() && !all.contains(&ESCAPE), "{args:?}: {}", String::from_utf8_lossy(&all));
    }
}

/// `script` (util-linux) gives the program a terminal.
#[test]
fn a_terminal_gets_colours_unless_no_color_is_set() {
    let on_terminal = |no_color: &str| {
        let command = format!("{} run", env!("CARGO_BIN_EXE_mascot"));
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        if !no_color.is_empty() {
            script.env("NO_COLOR", no_color);
        }
        script.output().map(|output| output.stdout)
    };
    let Ok(coloured) = on_terminal("") else {
        eprintln!("skipped: no `script` here");
        return;
    };
    assert!(coloured.contains(&ESCAPE), "{}", String::from_utf8_lossy(&coloured));
    let plain = on_terminal("1").unwrap();
    let plain = String::from_utf8_lossy(&plain);
    assert!(plain.contains("required arguments") && !plain.contains(char::from(ESCAPE)), "{plain}");
}

/// Standard output of a command that succeeds, as JSON.
fn json(args: &[&str]) -> Value {
    let output = mascot(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}"))
}

/// What can be listed.
const KINDS: [&str; 13] = [
    "accelerators",
    "systems",
    "networks",
    "models",
    "scenarios",
    "fleets",
    "arrivals",
    "keys",
    "schedulers",
    "dispatchers",
    "policies",
    "parts",
    "metrics",
];

#[test]
fn lists_are_read_by_programs() {
    for what in KINDS {
        let rows = json(&["list", what, "--json"]);
        let text = String::from_utf8(mascot(&["list", what]).stdout).unwrap();
        let entries = text.lines().skip(1).filter(|line| !line.starts_with("`mascot list")).count();
        assert_eq!(rows.as_array().unwrap().len(), entries, "{what}");
    }
    let systems = json(&["list", "systems", "--json"]);
    let system = systems.as_array().unwrap().iter().find(|row| row["system"] == "hetero-6").unwrap();
    assert_eq!(system["dram_bandwidth_gbps"], 32);
}

#[test]
fn lists_fit_a_page_and_what_is_left_out_is_told_by_name() {
    for what in KINDS {
        let text = String::from_utf8(mascot(&["list", what]).stdout).unwrap();
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{what}: {wide:#?}");
        let has_rest = !["systems", "networks", "policies"].contains(&what);
        let rest = format!("`mascot list {what} NAME` tells the rest: ");
        assert_eq!(text.lines().last().unwrap().starts_with(&rest), has_rest, "{what}: {text}");
    }
}

#[test]
fn an_entry_is_told_in_full_by_its_name() {
    let page = String::from_utf8(mascot(&["list", "schedulers", "dream"]).stdout).unwrap();
    assert_eq!(
        page,
        "scheduler   dream\n\
         rule        largest MapScore of urgency, latency preference, starvation and energy preference first\n\
         parameters  alpha = 1.0 (weight of starvation)\n            beta = 1.0 (weight of the energy preference)\n\
         source      DREAM (Kim et al., ASPLOS 2024), from memory; SDRM3 in Dysta\n"
    );
    for (what, name) in [
        ("accelerators", "nvdla_1024"),
        ("scenarios", "ar_assistant"),
        ("arrivals", "trace"),
        ("dispatchers", "accuracy_lp"),
        ("metrics", "gap_to_bound"),
        ("fleets", "rediris-4"),
        ("parts", "hold"),
    ] {
        let all = json(&["list", what, "--json"]);
        let columns = all[0].as_object().unwrap().keys();
        let row =
            all.as_array().unwrap().iter().find(|row| row.as_object().unwrap().values().any(|v| v == name));
        let page = String::from_utf8(mascot(&["list", what, name]).stdout).unwrap();
        // Wrapped, but whole.
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for column in columns {
            if let Some(text) = row.unwrap()[column].as_str().filter(|_| column != "parameters") {
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(words.contains(&text), "{what} {name}: {text} in {page}");
            }
        }
        assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    }
    assert_eq!(json(&["list", "schedulers", "edf", "--json"]).as_array().unwrap().len(), 1);
}

#[test]
fn an_unknown_entry_is_refused() {
    for (what, name, told) in [
        (
            "schedulers",
            "edf_dorp",
            "error: no scheduler `edf_dorp` (did you mean `edf_drop`?); known: affinity, ",
        ),
        ("dispatchers", "closes", "no rule of dispatchers `closes` (did you mean `closest`?)"),
        ("metrics", "sla_rat", "no metric `sla_rat` (did you mean `sla_rate`?)"),
        ("fleets", "redisir-4", "no fleet `redisir-4` (did you mean `rediris-4`?)"),
    ] {
        let output = mascot(&["list", what, name]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(told), "{said}");
        assert!(output.stdout.is_empty());
    }
}

/// `script` (util-linux) gives the program a terminal, here of 60 columns.
#[test]
fn messages_fit_a_terminal_and_stay_whole_for_scripts() {
    let program = env!("CARGO_BIN_EXE_mascot");
    let on_terminal = |args: &str| {
        let command = format!("stty rows 24 cols 60; {program} {args}");
        let output = Command::new("script").args(["-qec", &command, "/dev/null"]).output();
        output.map(|output| String::from_utf8(output.stdout).unwrap().replace('\r', ""))
    };
    let Ok(said) = on_terminal("list schedulers nothing") else {
        eprintln!("skipped: no `script` here");
        return;
    };
    assert!(said.lines().count() > 3 && said.lines().all(|line| line.chars().count() <= 60), "{said}");
    let piped = String::from_utf8(mascot(&["list", "schedulers", "nothing"]).stderr).unwrap();
    assert_eq!(piped.lines().count(), 1);
    assert_eq!(said.replace("\n  ", " "), piped);
    let list = on_terminal("list schedulers").unwrap();
    assert!(list.lines().all(|line| line.chars().count() <= 60), "{list}");
}

#[test]
fn a_port_that_is_narrower_than_the_dram_is_told() {
    let of = |gbps: &str| {
        let sets = format!(
            "systems = ['hetero-4']\nscenarios = ['light']\nloads = [0.6]\nschedulers = ['fcfs']\n\
             dram_bandwidth_gbps = {gbps}\n"
        );
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), sets).unwrap();
        let path = file.path().to_str().unwrap();
        let text = String::from_utf8(mascot(&["validate", path]).stdout).unwrap();
        (json(&["validate", path, "--json"])[0]["ports"].clone(), text)
    };
    // The ports of these models take 20 words of 8 bits a cycle at 1 GHz, 20 GB/s; of 22.7 GB/s, 88 % are 19.98 GB/s.
    assert_eq!(of("22.7").0, Value::Null);
    let (ports, text) = of("[16, 23, 32]");
    let narrow = "simba_1024 20, simba_256 20, eyeriss_1024 20, eyeriss_256 20";
    let row = |gbps: u64, delivered_gbps: f64| {
        serde_json::json!({
            "system": "hetero-4", "dram_bandwidth_gbps": gbps,
            "delivered_gbps": delivered_gbps, "narrower_ports_gbps": narrow
        })
    };
    assert_eq!(ports, serde_json::json!([row(23, 20.24), row(32, 28.16)]));
    assert!(
        text.contains(narrow) && text.contains("bound by their own DRAM ports when alone, GB/s"),
        "{text}"
    );
}

#[test]
fn verdicts_are_read_by_programs() {
    let verdicts = json(&["validate", "accel-models/systems", "experiments/quickstart.toml", "--json"]);
    let verdicts = verdicts.as_array().unwrap();
    assert_eq!(verdicts[0]["kind"], "system");
    assert_eq!(verdicts[0]["verdict"], "system `eyeriss-6`, 6 accelerators");
    let experiment = verdicts.last().unwrap();
    assert_eq!(experiment["kind"], "experiment");
    assert_eq!(experiment["loads"].as_array().unwrap().len(), 6);
    assert!(experiment["bounds"][0]["lambda_star_per_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn random_runs_and_layers_are_read_by_programs() {
    let passed = json(&["fuzz", "--seeds", "3", "--json"]);
    let runs = passed.as_array().unwrap().iter().map(|row| row["runs"].as_u64().unwrap());
    assert_eq!(runs.sum::<u64>(), 3);
    let layers = json(&["network", "show", "alexnet", "--json"]);
    let conv = layers.as_array().unwrap().iter().find(|layer| layer["kind"] == "conv").unwrap();
    assert!(conv["macs"].as_u64().unwrap() > 0 && conv["after"].is_string(), "{conv}");
    assert!(layers.as_array().unwrap().iter().any(|layer| layer["macs"].is_null()), "no MACs are no number");
}

/// As many columns as a usual terminal has.
#[test]
fn a_long_list_fits_a_terminal() {
    let command = |what: &str| {
        let program = env!("CARGO_BIN_EXE_mascot");
        let on_terminal = format!("stty rows 24 cols 100; {program} list {what}");
        Command::new("script").args(["-qec", &on_terminal, "/dev/null"]).output()
    };
    for what in ["schedulers", "arrivals", "scenarios", "metrics", "networks", "accelerators"] {
        let Ok(output) = command(what) else {
            eprintln!("skipped: no `script` here");
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let widest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(widest > 20 && widest <= 100, "{what}: {widest}\n{text}");
    }
}

#[test]
fn warnings_and_progress_leave_standard_output_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("overload.toml");
    let keys = "systems = [\"hetero-6\"]\nscenarios = [\"light\"]\nloads = [2]\nschedulers = [\"fcfs\"]\n";
    std::fs::write(&path, keys).unwrap();
    let output = mascot(&["validate", path.to_str().unwrap(), "--json"]);
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts[0]["loads"][0]["load"], 2.0);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("warning: "), "{log}");
}

#[test]
fn a_period_longer_than_the_slack_is_a_warning() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("slow.toml");
    let keys = "systems = [\"hetero-6\"]\nscenarios = [\"light\"]\nloads = [0.5]\nschedulers = [\"fcfs\"]\nqos = \"H\"\n";
    let warned = |more: &str| {
        std::fs::write(&path, format!("{keys}{more}\n")).unwrap();
        let output = mascot(&["validate", path.to_str().unwrap()]);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap().matches("is longer than the slack").count()
    };
    let table = ["period_us = 100", "period_us = [100, 50000]", "period_us = 50000\ntrigger = \"on_change\""];
    assert_eq!(table.map(warned), [0, 1, 0]);
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = TempDir::new().unwrap();
    let output = mascot(&["man", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for name in ["mascot.1", "mascot-run.1", "mascot-cost.1", "mascot-cost-table.1", "mascot-man.1"] {
        assert!(page(name).contains(".SH NAME"), "{name}");
    }
    assert!(page("mascot-cost-table.1").contains("mascot cost table"));
}
