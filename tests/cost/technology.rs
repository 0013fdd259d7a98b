//! Does an accelerator at another technology node take the energy that it should, and otherwise stay the same?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use mascot::cost::{Goal, breakdown, evaluate, mapper};
use mascot::hw::{AccelSpec, Level, Objective, Technology, TechnologyNode};
use mascot::workload::{LoopNest, Op};
use tempfile::TempDir;

use crate::common::mascot;

const GOAL: Goal = Goal { objective: Objective::Latency, bandwidth_gbps: 32.0 };

/// 1.2 x 10^5 MACs that fit every buffer.
const NEST: LoopNest =
    LoopNest { bounds: [1, 1, 32, 16, 5, 5, 3, 3], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };

/// By hand at 0.8 V: 16 nm 0.2958 x 0.64 - 0.1241 x 0.8 + 0.03024 = 0.120272; 45 nm 1.103 x 0.64 - 0.362 x 0.8 + 0.2767 =
/// 0.69302.
const FACTOR: f64 = 0.120272 / 0.69302;

/// `simba_256` with a line more, under another name.
fn text(line: &str) -> String {
    let text = fs::read_to_string("accel-models/simba_256.toml").unwrap();
    let named = text.replacen("\"simba_256\"", "\"simba_16nm\"", 1);
    named.replacen("clock_mhz", &format!("{line}\nclock_mhz"), 1)
}

fn read(line: &str) -> Result<AccelSpec, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("simba_16nm.toml");
    fs::write(&path, text(line)).unwrap();
    AccelSpec::read(&path).map_err(|e| e.to_string())
}

const TO_16: &str = "technology = { node = \"16nm\", scale_from = \"45nm\" }";

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs()
}

#[test]
fn every_energy_on_chip_is_scaled_and_nothing_else() {
    let (plain, scaled) = (read("").unwrap(), read(TO_16).unwrap());
    let technology = Technology { node: TechnologyNode::Nm16, scale_from: TechnologyNode::Nm45 };
    assert_eq!((plain.technology, scaled.technology), (None, Some(technology)));
    let mut expected = plain.clone();
    let factor = technology.energy_factor();
    assert!(close(factor, FACTOR), "{factor}");
    expected.technology = Some(technology);
    expected.vector_pj_per_op *= factor;
    expected.mac.energy_pj *= factor;
    for level in &mut expected.levels[1..] {
        let Level::Storage(storage) = level else { continue };
        assert!(storage.leak_pj_per_cycle > 0.0, "{}", storage.name);
        storage.read_pj_per_access *= factor;
        storage.write_pj_per_access *= factor;
        storage.update_pj_per_access *= factor;
        storage.leak_pj_per_cycle *= factor;
    }
    assert_eq!(scaled, expected);
    assert!(close(scaled.leak_pj_per_cycle(), plain.leak_pj_per_cycle() * factor));
}

#[test]
fn a_layer_takes_the_same_time_and_bytes_and_scaled_energy() {
    let (plain, scaled) = (read("").unwrap(), read(TO_16).unwrap());
    let mapping = mapper::search(&plain, &NEST, GOAL).unwrap().mapping;
    let [before, after] = [&plain, &scaled].map(|accel| evaluate(accel, &NEST, &mapping).unwrap());
    assert_eq!((before.cycles, &before.accesses), (after.cycles, &after.accesses));
    assert_eq!(before.dynamic_pj[0], after.dynamic_pj[0]);
    for level in 1..before.dynamic_pj.len() {
        assert!(close(after.dynamic_pj[level], before.dynamic_pj[level] * FACTOR), "{level}");
    }
    for (before, after) in before.leakage_pj.iter().zip(&after.leakage_pj) {
        assert!(close(*after, before * FACTOR));
    }
}

/// 15,680 bytes are 1,960 accesses of 64 bits and 512 pJ; each of 12,544 operations takes 0.23 pJ at 45 nm.
#[test]
fn a_vector_layer_by_hand() {
    let op = Op::Vector { reads: 12_544, writes: 3_136, ops: 12_544 };
    let of = |accel: &AccelSpec| breakdown(accel, &op.into(), GOAL).unwrap();
    let (plain, scaled) = (of(&read("").unwrap()), of(&read(TO_16).unwrap()));
    assert!(close(scaled.energy_pj[0], 1_003_520.0), "{}", scaled.energy_pj[0]);
    let ops = *scaled.energy_pj.last().unwrap();
    assert!(close(ops, 12_544.0 * 0.23 * FACTOR), "{ops}");
    assert_eq!((plain.cycles, plain.cost.dram_bytes), (scaled.cycles, scaled.cost.dram_bytes));
}

#[test]
fn nonsense_is_an_error_that_says_what_is_allowed() {
    let problem = |line: &str| read(line).unwrap_err();
    let unknown = problem("technology = { node = \"28nm\", scale_from = \"45nm\" }");
    assert!(unknown.contains("simba_16nm.toml:11: unknown variant `28nm`"), "{unknown}");
    assert!(
        unknown.contains("`130nm`, `90nm`, `65nm`, `45nm`, `32nm`, `20nm`, `16nm`, `14nm`, `10nm`, `7nm`")
    );
    let half = problem("technology = { node = \"16nm\" }");
    assert!(half.contains("simba_16nm.toml:11: missing field `scale_from`"), "{half}");
    let word = problem("technology = \"16nm\"");
    assert!(
        word.contains(":11: `technology` is \"16nm\": expected a table with `node` and `scale_from`"),
        "{word}"
    );
    let key = problem("technology = { node = \"16nm\", scale_from = \"45nm\", vdd = 1 }");
    assert!(key.contains(":11: unknown field `vdd`"), "{key}");
}

/// A shipped accelerator at another node, in a system of its own, by the program.
#[test]
fn the_program_runs_a_system_at_another_node() {
    let folder = TempDir::new().unwrap();
    let path = |below: &str| folder.path().join(below).to_str().unwrap().to_string();
    fs::create_dir_all(path("accel-models/systems")).unwrap();
    fs::write(path("accel-models/simba_16nm.toml"), text(TO_16)).unwrap();
    fs::write(path("accel-models/simba_45nm.toml"), text("").replacen("simba_16nm", "simba_45nm", 1))
        .unwrap();
    for node in ["16nm", "45nm"] {
        let system = format!(
            "name = \"pair-{node}\"\nsource = \"a test\"\ndram_bandwidth_gbps = 16\nobjective = \"latency\"\n\
             [[accelerator]]\nmodel = \"simba_{node}\"\ncount = 2\n"
        );
        fs::write(path(&format!("accel-models/systems/pair-{node}.toml")), system).unwrap();
    }
    let told = |args: &[&str]| {
        let output = mascot(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let accelerator = path("accel-models/simba_16nm.toml");
    let said = "on-chip energies of 45nm x 0.1735 for 16nm";
    let table = told(&["cost", "table", "--network", "kws_res8", "--accelerator", &accelerator]);
    assert!(table.ends_with(&format!("\nsimba_16nm: {said}\n")), "{table}");
    let verdict = told(&["validate", &accelerator]);
    assert!(verdict.contains(&format!("`simba_16nm`, 256 MACs, {said}")), "{verdict}");

    let experiment = format!(
        "systems = [\"{}\", \"{}\"]\nscenarios = [\"mixed\"]\nloads = [0.6]\nschedulers = [\"fcfs\"]\nrequests = 50\n\
         sla_reference = \"own\"\n",
        path("accel-models/systems/pair-45nm.toml"),
        path("accel-models/systems/pair-16nm.toml")
    );
    fs::write(path("nodes.toml"), experiment).unwrap();
    told(&["run", &path("nodes.toml"), "--out", &path("out")]);
    let summary = fs::read_to_string(path("out/summary.csv")).unwrap();
    let rows: Vec<Vec<&str>> = summary.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|column| *column == name).unwrap();
    let value = |row: usize, name: &str| rows[row][column(name)].parse::<f64>().unwrap();
    assert_eq!(rows.len(), 3);
    assert!(value(2, "energy_static_uj") < 0.5 * value(1, "energy_static_uj"), "{summary}");
    assert!(value(2, "energy_layers_uj") < value(1, "energy_layers_uj"), "{summary}");
}
