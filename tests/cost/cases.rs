//! Does the evaluation of given mappings match Timeloop's own results? Every count exactly, cycles within one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use mascot::cost::{Case, Evaluation, evaluate};
use mascot::dims::Tensor;
use mascot::hw::AccelSpec;

/// Energies by level come from Timeloop's printed table, where small levels have few digits.
const LEVEL_ERROR: f64 = 2e-3;
/// The README of the cases finds 4e-6.
const TOTAL_ERROR: f64 = 1e-5;

fn check(case: &Case, accel: &AccelSpec, evaluation: &Evaluation) -> Result<(), String> {
    let index = |name: &str| accel.levels.iter().position(|l| l.name() == name);
    for expected in &case.expected.accesses {
        let level = index(&expected.level).ok_or("unknown level")?;
        let ours = evaluation.accesses[level][expected.tensor as usize];
        let counts = (ours.reads, ours.fills, ours.updates, evaluation.instances[level]);
        let theirs = (expected.reads, expected.fills, expected.updates, expected.instances);
        if counts != theirs {
            return Err(format!("{} {:?}: {counts:?}, expected {theirs:?}", expected.level, expected.tensor));
        }
    }
    let kept = accel.storages().map(|(_, s)| Tensor::ALL.iter().filter(|&&t| s.keeps[t as usize]).count());
    assert_eq!(kept.sum::<usize>(), case.expected.accesses.len(), "{}: a count is missing", case.id);
    if evaluation.cycles.0.abs_diff(case.expected.cycles) > 1 {
        return Err(format!("{} cycles, expected {}", evaluation.cycles.0, case.expected.cycles));
    }
    let close = |what: &str, ours: f64, theirs: f64, error: f64| match (ours - theirs).abs() <= error * theirs
    {
        true => Ok(()),
        false => Err(format!("{what}: {ours} pJ, expected {theirs} pJ")),
    };
    for (name, &theirs) in &case.expected.energy_by_level_pj {
        let level = index(name).unwrap_or(accel.levels.len());
        close(name, evaluation.dynamic_pj[level] + evaluation.leakage_pj[level], theirs, LEVEL_ERROR)?;
    }
    close("total", evaluation.energy_pj(), case.expected.energy_pj, TOTAL_ERROR)
}

#[test]
fn given_mappings_cost_what_timeloop_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::env::var("MASCOT_TEST_CASES")
        .map_or(root.join("tests/data/cost/timeloop_cases.jsonl"), Into::into);
    let cases = Case::read_all(&file).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let accel = AccelSpec::read(&root.join(format!("accel-models/{}.toml", case.arch))).unwrap();
        let mapping = case.mapping(&accel).unwrap();
        mapping.check_legal(&accel, &case.nest()).unwrap_or_else(|e| panic!("{}: {e}", case.id));
        let evaluation = evaluate(&accel, &case.nest(), &mapping).unwrap();
        if let Err(message) = check(case, &accel, &evaluation) {
            wrong.push(format!("{}: {message}", case.id));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
