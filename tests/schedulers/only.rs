//! A training of some parts of a policy changes their weights alone, and takes all others from the policy that it starts from.

use std::fs;
use std::path::Path;

use mascot::policy::{Policy, find};

use crate::training::{EVOLUTION, path, train};

/// Of the weights of `learned_gate` only those of a part are trained: the last of 27 features goes to 16 units and 8 outputs.
#[test]
fn a_training_changes_only_the_weights_that_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    // A scarce DRAM, and noise that shows.
    let more = [
        "training.initial=evolved-hetero-6",
        "training.only=[\"scarcity\"]",
        "training.evolution.sigma=1",
        "dram_bandwidth_gbps=8",
        "scenarios=heavy",
        "requests=60",
    ];
    let sets: Vec<&str> = more.iter().flat_map(|set| ["--set", set]).collect();
    let output = train(folder.path(), EVOLUTION, 2, &sets, "2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let entry = find("learned_gate").expect("it is registered");
    let trained = folder.path().join("out/learned_gate-hetero-6.toml");
    let [trained, start] = [&trained, Path::new("policies/evolved-hetero-6.toml")].map(|policy| {
        let policy = Policy::read(policy, entry).expect("it is there");
        policy.weights.values("weights", &[800]).expect("its shape").to_vec()
    });
    let changed: Vec<usize> = (0..800).filter(|&weight| trained[weight] != start[weight]).collect();
    let skips = 16 * 28 + 16 * 8;
    assert_eq!(changed, (26 * 16..27 * 16).chain(skips + 26 * 8..skips + 27 * 8).collect::<Vec<_>>());
}

/// What is not trained comes from the initial policy, so a training goes on with no other one.
#[test]
fn a_training_does_not_go_on_from_another_policy() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let initial = path(folder.path(), "initial.toml");
    let start_from = |policy: &str| {
        for ending in ["toml", "safetensors"] {
            let to = Path::new(&initial).with_extension(ending);
            fs::copy(format!("policies/{policy}.{ending}"), to).expect("it ships");
        }
    };
    let set = format!("training.initial=\"{initial}\"");
    let go_on = |steps: u32| {
        let only = "training.only=[\"scarcity\"]";
        train(folder.path(), EVOLUTION, steps, &["--set", &set, "--set", only], "2")
    };
    start_from("evolved-hetero-6");
    assert!(go_on(1).status.success());
    start_from("evolved-hetero-8");
    let output = go_on(1);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("initial.toml has changed"), "{message}");
}
