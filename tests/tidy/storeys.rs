//! The storeys of `src/`: which folder may use which, that a folder is reached through its `mod.rs` only, and that imports
//! run in no circles.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::graph::{Graph, Segments};
use crate::sources;

/// `units`, `dims`, `exp`, `precision`, `files` and `rng`: the ground that every folder stands on.
const GROUND: [&str; 6] = ["units", "dims", "exp", "precision", "files", "rng"];

/// Each folder and the folders that it may use, from the ground up.
const STOREYS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("dims", &[]),
    ("exp", &[]),
    ("precision", &[]),
    ("files", &[]),
    ("rng", &[]),
    ("fleet", &[]),
    ("hw", &[]),
    ("workload", &[]),
    ("cost", &["hw", "workload"]),
    ("sim", &["cost", "hw", "workload"]),
    ("serve", &["sim", "cost", "hw", "workload"]),
    ("limits", &["sim", "cost", "hw", "workload"]),
    ("metrics", &["serve", "sim", "cost", "hw", "workload"]),
    ("scheduler", &["sim", "cost", "hw", "workload"]),
    ("policy", &["scheduler", "sim", "cost", "hw", "workload"]),
    ("dispatch", &["serve", "sim", "cost", "hw", "workload"]),
    ("experiment", &["dispatch", "serve", "policy", "scheduler", "sim", "cost", "fleet", "hw", "workload"]),
    ("check", &["experiment", "scheduler", "metrics", "serve", "sim", "cost", "hw", "workload"]),
    ("plan", &["experiment", "limits", "metrics", "serve", "sim", "cost", "fleet", "hw", "workload"]),
    ("sweep", &["plan", "experiment", "limits", "metrics", "serve", "sim", "cost", "hw", "workload"]),
    ("results", &["sweep", "plan", "experiment", "metrics"]),
    ("train", &["sweep", "plan", "experiment", "policy", "scheduler", "sim", "cost", "hw", "workload"]),
    ("study", &["sweep", "plan", "experiment", "scheduler", "metrics", "sim", "cost", "hw", "workload"]),
    ("report", &["train", "results", "sweep", "experiment", "policy", "metrics"]),
    (
        "cli",
        &[
            "report",
            "study",
            "train",
            "results",
            "check",
            "sweep",
            "plan",
            "experiment",
            "policy",
            "dispatch",
            "scheduler",
            "metrics",
            "limits",
            "serve",
            "sim",
            "cost",
            "fleet",
            "hw",
            "workload",
            "guide",
        ],
    ),
];

/// Folders without any circle among their files. Elsewhere a registry may list the entries that use its types.
const WITHOUT_CIRCLES: [&str; 3] = ["experiment", "plan", "sweep"];

/// What is no folder: the crate itself, and the guide, which is text.
const OUTSIDE: [&str; 2] = ["", "guide"];

#[test]
fn folders_use_only_what_is_below_them() {
    assert_eq!(upward(&Graph::new(sources("src")), STOREYS), [""; 0]);
}

/// Finished cells are valid as long as the sources that decide them are: those that the sweep uses (`build.rs`).
#[test]
fn the_sources_beside_a_sweep_are_those_that_it_does_not_use() {
    let below = STOREYS.iter().find(|(name, _)| *name == "sweep").expect("it is a storey").1;
    let used: BTreeSet<&str> = below
        .iter()
        .flat_map(|name| STOREYS.iter().find(|(other, _)| other == name).expect("it is a storey").1)
        .chain(below)
        .copied()
        .chain(["sweep"])
        .chain(GROUND)
        .collect();
    let beside = STOREYS.iter().map(|(name, _)| *name).filter(|name| !used.contains(name)).chain(["guide"]);
    let listed: BTreeSet<&str> = beside.collect();
    let build = std::fs::read_to_string("build.rs").expect("tests run in the package folder");
    let line = build.lines().find(|line| line.starts_with("const BESIDE")).expect("it is in build.rs");
    assert_eq!(line.split('"').skip(1).step_by(2).collect::<BTreeSet<_>>(), listed);
}

#[test]
fn folders_are_reached_through_their_mod_rs() {
    assert_eq!(past_the_door(&Graph::new(sources("src"))), [""; 0]);
}

#[test]
fn imports_run_in_no_circles() {
    assert_eq!(circles(&Graph::new(sources("src"))), [""; 0]);
}

/// Uses of a folder that is not below.
fn upward(graph: &Graph, storeys: &[(&str, &[&str])]) -> Vec<String> {
    let mut found = Vec::new();
    for (module, file) in graph.modules().filter(|(module, _)| !OUTSIDE.contains(&folder(module))) {
        let own = folder(module);
        let Some((_, below)) = storeys.iter().find(|(name, _)| *name == own) else {
            found.push(format!("{}: `{own}` has no place in tests/tidy/storeys.rs", file.display()));
            continue;
        };
        let is_ground = |name: &str| GROUND.contains(&name);
        let allowed = |used: &str| used == own || below.contains(&used) || is_ground(used) && !is_ground(own);
        let named = graph.named(module);
        let wrong = named.iter().filter(|path| !path.is_empty() && !allowed(folder(path)));
        found.extend(
            wrong.map(|path| format!("{}: `{own}` must not use `{}`", file.display(), path.join("::"))),
        );
    }
    found
}

/// Paths into another folder that name a module below it and go on: what is offered is a name of the folder's own, or a
/// module as a whole.
fn past_the_door(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (module, file) in graph.modules() {
        let named = graph.named(module);
        let inside = |path: &&Segments| {
            path.len() > 2
                && folder(path) != folder(module)
                && graph.is_module(&path[..2])
                && !module.is_empty()
        };
        found.extend(named.iter().filter(inside).map(|path| {
            format!("{}: `crate::{}` goes past {}/mod.rs", file.display(), path.join("::"), folder(path))
        }));
    }
    found
}

/// Circles between folders, and within those that must have none.
fn circles(graph: &Graph) -> Vec<String> {
    let is_wrong = |circle: &BTreeSet<&Segments>| {
        let own = circle.first().map_or("", |module| folder(module));
        WITHOUT_CIRCLES.contains(&own) || circle.iter().any(|module| folder(module) != own)
    };
    let told = |circle: BTreeSet<&Segments>| {
        circle.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(", ")
    };
    graph.circles().into_iter().filter(is_wrong).map(told).collect()
}

fn folder(module: &[String]) -> &str {
    module.first().map_or("", String::as_str)
}

/// A made-up crate in which each rule is broken once.
#[test]
fn the_rules_of_storeys_can_fail() {
    let files = [
        ("src/lib.rs", "pub mod plan; pub mod sim;"),
        (
            "src/plan/mod.rs",
            "mod a; mod b; pub use a::A; pub use b::B; #[cfg(test)] mod tests { use crate::cli; }",
        ),
        ("src/plan/a.rs", "use super::B; pub struct A(B);"),
        ("src/plan/b.rs", "pub struct B; fn f() { super::a::of(); let _ = crate::sim::Engine; }"),
        ("src/sim/mod.rs", "mod engine; pub use engine::Engine; #[cfg(test)] mod testing;"),
        ("src/sim/engine.rs", "use crate::plan::a::A; pub struct Engine(A);"),
        ("src/sim/testing.rs", "use crate::plan::A;"),
    ];
    let graph = Graph::new(files.map(|(path, text)| (PathBuf::from(path), text.to_string())));
    assert_eq!(
        upward(&graph, &[("plan", &["sim"]), ("sim", &[])]),
        ["src/sim/engine.rs: `sim` must not use `plan::a::A`"]
    );
    assert_eq!(past_the_door(&graph), ["src/sim/engine.rs: `crate::plan::a::A` goes past plan/mod.rs"]);
    // `super::B` is defined in `plan::b`, whatever the folder re-exports.
    assert_eq!(circles(&graph), ["plan::a, plan::b, sim::engine"]);
    let homeless = upward(&graph, &[("plan", &["sim"])]);
    assert_eq!(homeless.len(), 2, "{homeless:?}");
}
