//! Several memories and the links between them, from the files to the columns.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::mascot;

const EXPERIMENT: &str =
    "scenarios = ['light']\nloads = [0.8]\nschedulers = ['edf', 'gated']\nseeds = 2\nrequests = 40\n";

type Row = BTreeMap<String, String>;

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Runs an experiment into a folder of its name; returns that folder.
fn run(folder: &Path, name: &str, lines: &str, options: &[&str]) -> PathBuf {
    let (file, out) = (folder.join(format!("{name}.toml")), folder.join(name));
    fs::write(&file, format!("{lines}\n{EXPERIMENT}")).unwrap();
    let [file, to] = [&file, &out].map(|path| path.display().to_string());
    let output = mascot(&[&["run", &file, "--quiet", "--out", &to], options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out
}

fn rows(folder: &Path, file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// What the program says of a system and an experiment that it refuses.
fn refused(folder: &Path, system: &str, lines: &str) -> String {
    let (of_system, file, out) = (folder.join("s.toml"), folder.join("e.toml"), folder.join("refused"));
    fs::write(&of_system, format!("name = 's'\nsource = 'a test'\n{system}")).unwrap();
    fs::write(&file, format!("systems = ['{}']\n{lines}\n{EXPERIMENT}", of_system.display())).unwrap();
    let [file, to] = [&file, &out].map(|path| path.display().to_string());
    let output = mascot(&["run", &file, "--quiet", "--out", &to]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!out.exists());
    said
}

#[test]
fn one_memory_of_b_is_the_plain_system_to_the_byte() {
    let folder = TempDir::new().unwrap();
    let plain = fs::read_to_string("accel-models/systems/hetero-6.toml").unwrap();
    let memory = "[[memory]]\nname = 'only'\nbandwidth_gbps = 32\n\n[[accelerator]]";
    let one = plain.replace("dram_bandwidth_gbps = 32\n", "").replacen("[[accelerator]]", memory, 1);
    assert_ne!(one.matches("memory").count(), plain.matches("memory").count());
    let texts = [plain, one].map(|text| {
        let systems = TempDir::new_in(folder.path()).unwrap();
        let system = systems.path().join("hetero-6.toml");
        fs::write(&system, text).unwrap();
        let lines = format!("systems = ['{}']\nbound = true", system.display());
        let out = run(systems.path(), "out", &lines, &["--requests", "--layers", "--energy"]);
        ["summary.csv", "groups.csv", "requests.csv", "layers.csv", "energy.csv"]
            .map(|file| fs::read_to_string(out.join(file)).unwrap())
    });
    assert!(texts[0].iter().all(|text| text.len() > 500));
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn data_that_cross_the_link_are_counted_where_the_keys_are_given() {
    let folder = TempDir::new().unwrap();
    let own = run(folder.path(), "own", "systems = ['hetero-6-duo']", &[]);
    let header = fs::read_to_string(own.join("summary.csv")).unwrap();
    assert!(!header.contains("data_placement") && !header.contains("energy_links_uj"));
    let lines = "systems = ['hetero-6-duo']\nbound = true\ndata_placement = ['local', 'home', 'interleaved']\n\
                 link_gbps = ['own', 4]";
    let swept = run(folder.path(), "swept", lines, &["--energy"]);
    let all = rows(&swept, "summary.csv");
    let of = |placement: &str, gbps: &str| -> Vec<Row> {
        let is = |row: &&Row| {
            row["data_placement"] == placement && row["link_gbps"] == gbps && row["scheduler"] != "bound"
        };
        all.iter().filter(is).cloned().collect()
    };
    // By default, data are local, and no link limits them.
    for gbps in ["own", "4"] {
        for (row, own) in of("local", gbps).iter().zip(rows(&own, "summary.csv")) {
            let differs =
                |(column, value): (&String, &String)| column != "gap_to_bound" && row[column] != *value;
            assert!(!own.iter().any(differs));
            assert_eq!((number(row, "crossing_share"), number(row, "energy_links_uj")), (0.0, 0.0));
        }
    }
    // Half of all data are in the other half.
    for row in of("interleaved", "own").iter().chain(&of("interleaved", "4")) {
        assert!((number(row, "crossing_share") - 0.5).abs() < 1e-9, "{row:?}");
    }
    for row in of("home", "own").iter().chain(&of("home", "4")) {
        assert!((0.1..0.9).contains(&number(row, "crossing_share")), "{row:?}");
    }
    // A narrow link costs, and no run exceeds the bound, which is checked for every run.
    let rate = |rows: &[Row]| rows.iter().map(|row| number(row, "sla_rate")).sum::<f64>();
    assert!(rate(&of("interleaved", "4")) < rate(&of("interleaved", "own")) - 0.1);
    assert!(all.iter().filter(|row| row["scheduler"] == "bound").count() >= 6);
    // Parts of the energy: what the summary says, at 14 pJ a byte.
    let links = |row: &Row| {
        let same = |part: &&Row| {
            ["data_placement", "link_gbps", "scheduler", "seed"].iter().all(|key| part[*key] == row[*key])
        };
        let parts = rows(&swept, "energy.csv");
        parts
            .iter()
            .filter(same)
            .filter(|part| part["part"] == "links")
            .map(|part| number(part, "energy_uj"))
            .sum::<f64>()
    };
    let row = &of("home", "own")[0];
    assert!((links(row) - number(row, "energy_links_uj")).abs() < 1e-9 * links(row) && links(row) > 0.0);
    let replayed = mascot(&["replay", &swept.display().to_string()]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let ranked = mascot(&["rank", &swept.display().to_string(), "--metric", "crossing_share"]);
    assert!(ranked.status.success(), "{}", String::from_utf8_lossy(&ranked.stderr));
}

#[test]
fn what_a_loaded_memory_or_link_is_called() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("e.toml");
    let systems = "systems = ['hetero-6-duo']\ndata_placement = 'interleaved'\nlink_gbps = 2";
    fs::write(&file, format!("{systems}\n{EXPERIMENT}")).unwrap();
    let output = mascot(&["validate", &file.display().to_string(), "accel-models/systems/hetero-6-duo.toml"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("`hetero-6-duo`, 6 accelerators, 2 memories and a link"), "{said}");
    assert!(said.contains("1 x simba_1024 (west)") && said.contains("west-east 80"), "{said}");
}

const TWO: &str =
    "[[memory]]\nname = 'west'\nbandwidth_gbps = 16\n[[memory]]\nname = 'east'\nbandwidth_gbps = 16\n";
const ON_WEST: &str = "[[accelerator]]\nmodel = 'simba_256'\nmemory = 'west'\n";

#[test]
fn memories_and_links_that_cannot_be_are_refused_at_their_lines() {
    let folder = TempDir::new().unwrap();
    let told = |system: &str, line: usize, expected: &str| {
        let said = refused(folder.path(), system, "");
        assert!(said.contains(&format!("s.toml:{line}")) && said.contains(expected), "{said}");
    };
    told(&format!("dram_bandwidth_gbps = 32\n{TWO}{ON_WEST}"), 3, "leave it out");
    let said = refused(folder.path(), ON_WEST.split("memory").next().unwrap(), "");
    assert!(said.contains("`dram_bandwidth_gbps` is missing"), "{said}");
    told(&format!("{TWO}[[accelerator]]\nmodel = 'simba_256'\n"), 10, "expected one of west, east");
    told(&format!("{TWO}{}", ON_WEST.replace("west", "wst")), 11, "no memory `wst` (did you mean `west`?)");
    told(&format!("dram_bandwidth_gbps = 32\n{ON_WEST}"), 6, "`memory` needs `[[memory]]`");
    told(&format!("{}{ON_WEST}", TWO.replace("east", "west")), 7, "there are two memories `west`");
    told(&format!("{}{ON_WEST}", TWO.replacen("16", "inf", 1)), 5, "a number from 0.001 to 1e9");
    let link = |between: &str, more: &str| {
        format!("{TWO}[[link]]\nbetween = {between}\nbandwidth_gbps = 8\n{more}\n{ON_WEST}")
    };
    told(&link("['west', 'west']", ""), 10, "a link joins two memories");
    told(&link("['west', 'north']", ""), 10, "no memory `north`");
    told(&link("['west', 'east']", "hops = 0"), 12, "expected a number from 1 to 1000");
    told(&link("['west', 'east']", "pj_per_bit_hop = -1"), 12, "expected a number from 0");
    told(
        &format!("data_placement = 'home'\n{TWO}{ON_WEST}"),
        3,
        "no links lead from memory `west` to `east`",
    );
    told(
        &format!(
            "data_placement = 'local'\ndram_bandwidth_gbps = 32\n{}",
            ON_WEST.replace("memory = 'west'", "")
        ),
        3,
        "needs several memories",
    );
}

#[test]
fn keys_of_memories_are_refused_where_they_mean_nothing() {
    let folder = TempDir::new().unwrap();
    let told = |system: &str, lines: &str, expected: &str| {
        let file = folder.path().join("e.toml");
        fs::write(&file, format!("systems = ['{system}']\n{lines}\n{EXPERIMENT}")).unwrap();
        let out = folder.path().join("out").display().to_string();
        let output = mascot(&["run", &file.display().to_string(), "--quiet", "--out", &out]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{said}");
    };
    told("hetero-6", "data_placement = 'home'", "needs several memories");
    told("hetero-6", "link_gbps = 8", "`link_gbps` needs links between memories");
    told(
        "hetero-6-duo",
        "data_placement = 'home'\nsharing = 'knee'",
        "`sharing = \"knee\"` needs `data_placement = \"local\"`",
    );
    told("hetero-6-duo", "data_placement = 'away'", "expected one of");
    told("hetero-6-duo", "link_gbps = 0", "expected a number from 0.001 to 1e9, or inf");
}
