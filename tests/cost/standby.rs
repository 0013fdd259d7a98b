//! Are standby power and gating of an accelerator and its DRAM read, scaled and refused as they should be?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use mascot::hw::{AccelSpec, Gating, SystemSpec, Technology, TechnologyNode};
use mascot::policy::system_sha256;
use tempfile::TempDir;

use crate::common::mascot;

/// `simba_256` with more lines, under another name, and a system of two with more lines.
fn files(accelerator: &str, system: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string("accel-models/simba_256.toml").unwrap();
    let named = text.replacen("\"simba_256\"", "\"mine\"", 1);
    let lines = format!("{accelerator}\nclock_mhz");
    fs::create_dir_all(folder.path().join("accel-models/systems")).unwrap();
    let path = folder.path().join("accel-models/mine.toml");
    fs::write(path, named.replacen("clock_mhz", &lines, 1)).unwrap();
    let pair = format!(
        "name = \"pair\"\nsource = \"a test\"\ndram_bandwidth_gbps = 16\n{system}\n[[accelerator]]\nmodel = \"mine\"\ncount = 2\n"
    );
    fs::write(folder.path().join("accel-models/systems/pair.toml"), pair).unwrap();
    folder
}

/// The line of the first of the lines in the accelerator's file.
fn line() -> usize {
    let text = fs::read_to_string("accel-models/simba_256.toml").unwrap();
    1 + text.lines().position(|line| line.starts_with("clock_mhz")).unwrap()
}

fn accelerator(lines: &str) -> Result<AccelSpec, String> {
    AccelSpec::read(&files(lines, "").path().join("accel-models/mine.toml")).map_err(|e| e.to_string())
}

fn system(accelerator: &str, lines: &str) -> Result<SystemSpec, String> {
    let folder = files(accelerator, lines);
    let models = folder.path().join("accel-models");
    SystemSpec::read(&models.join("systems/pair.toml"), models.as_path()).map_err(|e| e.to_string())
}

const KEYS: &str = "clock_mw = 20\ngating = { after_us = 50, residual = 0.05, wake_uj = 0.5 }";

#[test]
fn what_is_left_out_is_off() {
    let plain = accelerator("").unwrap();
    assert_eq!((plain.clock_mw, plain.gating), (0.0, None));
    let gated = accelerator("gating = { after_us = 0 }").unwrap();
    assert_eq!(gated.gating, Some(Gating { after_us: 0.0, residual: 0.0, wake_uj: 0.0 }));
    let plain = system("", "").unwrap();
    assert_eq!((plain.dram_background_mw, plain.dram_refresh_mw), (0.0, 0.0));
    let powered = system("", "dram_background_mw = 68\ndram_refresh_mw = 5.7").unwrap();
    assert_eq!((powered.dram_background_mw, powered.dram_refresh_mw), (68.0, 5.7));
}

/// They decide no cost of a layer: a policy fits a system with and without them.
#[test]
fn policies_do_not_tell_them() {
    let (plain, powered) = (system("", "").unwrap(), system(KEYS, "dram_background_mw = 68").unwrap());
    assert_ne!(plain.models, powered.models);
    assert_eq!(system_sha256(&plain), system_sha256(&powered));
}

#[test]
fn technology_scales_what_is_on_chip() {
    let scaled = accelerator(&format!("{KEYS}\ntechnology = {{ node = \"16nm\", scale_from = \"45nm\" }}"));
    let scaled = scaled.unwrap();
    let factor = Technology { node: TechnologyNode::Nm16, scale_from: TechnologyNode::Nm45 }.energy_factor();
    assert_eq!(scaled.clock_mw, 20.0 * factor);
    assert_eq!(scaled.gating, Some(Gating { after_us: 50.0, residual: 0.05, wake_uj: 0.5 * factor }));
}

#[test]
fn nonsense_is_an_error_that_says_what_is_allowed() {
    for (lines, told) in [
        ("clock_mw = -1", "`clock_mw` is -1: expected a number from 0 to 1e12"),
        ("clock_mw = nan", "`clock_mw` is nan: expected a number from 0 to 1e12"),
        ("gating = 50", "`gating` is 50: expected a table with `after_us`"),
        ("gating = { residual = 0.1 }", "missing field `after_us`"),
        ("gating = { after_us = -1 }", "`after_us` is -1: expected a number from 0 to 1e9"),
        ("gating = { after_us = 1, residual = 2 }", "`residual` is 2: expected a number from 0 to 1"),
        ("gating = { after_us = 1, wake_uj = inf }", "`wake_uj` is inf: expected a number from 0 to 1e12"),
        ("gating = { after_us = 1, wake_us = 1 }", "unknown field `wake_us`"),
    ] {
        let error = accelerator(lines).unwrap_err();
        assert!(error.contains(&format!("mine.toml:{}: {told}", line())), "{error}");
    }
    for (lines, told) in [
        (
            "dram_background_mw = -1",
            "pair.toml:4: `dram_background_mw` is -1: expected a number from 0 to 1e12",
        ),
        ("dram_refresh_mw = nan", "pair.toml:4: `dram_refresh_mw` is nan: expected a number from 0 to 1e12"),
    ] {
        let error = system("", lines).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn gating_needs_something_to_gate() {
    let folder = files("gating = { after_us = 1 }", "");
    let path = folder.path().join("accel-models/mine.toml");
    let text = fs::read_to_string(&path).unwrap();
    let leaks = |line: &&str| !line.starts_with("leak_pj_per_cycle");
    let without = text.lines().filter(leaks).collect::<Vec<_>>().join("\n");
    fs::write(&path, &without).unwrap();
    let error = AccelSpec::read(&path).unwrap_err().to_string();
    let told = "`gating` would save nothing: give `clock_mw`, or `leak_pj_per_cycle` of a level";
    assert!(error.contains(&format!("mine.toml:{}: {told}", line())), "{error}");
    fs::write(&path, without.replacen("gating", "clock_mw = 1\ngating", 1)).unwrap();
    assert!(AccelSpec::read(&path).is_ok());
}

#[test]
fn validate_tells_them() {
    let folder = files(KEYS, "dram_background_mw = 68\ndram_refresh_mw = 5.7");
    let output = mascot(&["validate", folder.path().join("accel-models").to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("`mine`, 256 MACs, clock 20 mW, off after 50 us of idling\n"), "{told}");
    assert!(told.contains("`pair`, 2 accelerators, DRAM background 68 mW, DRAM refresh 5.7 mW\n"), "{told}");
}
