//! Trainings compared: without parts of the policy, and several in one picture.

use std::fs;
use std::path::Path;

use mascot::policy::{Policy, find};

use crate::common;
#[cfg(feature = "train")]
use crate::training::RLOO;
use crate::training::{EVOLUTION, column, mascot, path, refused, tiny, train};

/// A policy that is trained without parts has no weights for them, its manifest says so, and it runs without them.
#[test]
fn a_training_leaves_parts_out() {
    leaves_parts_out(EVOLUTION);
    #[cfg(feature = "train")]
    leaves_parts_out(&format!("policy = 'learned_gate'\n{RLOO}"));
}

fn leaves_parts_out(learner: &str) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let without = "training.without=[\"drop\", \"queue\", \"learned_order\"]";
    let output = train(folder.path(), learner, 2, &["--set", without], "1");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let entry = find("learned_gate").expect("it is registered");
    let path = folder.path().join("out/learned_gate-hetero-6.toml");
    let trained = Policy::read(&path, entry).expect("it was written");
    assert_eq!(trained.manifest.without, ["drop", "queue", "learned_order"]);
    let again =
        (entry.trained().expect("it is trained").without)(&trained.manifest.without, &trained.weights)
            .expect("its own weights");
    assert!(
        again == trained.weights
            && (entry.trained().expect("it is trained").without)(&["hidden".into()], &again)
                .expect("its own weights")
                != again
    );
    let dropped = |scheduler: &str| {
        let scheduler = format!("schedulers=[{scheduler}]");
        let out = tempfile::tempdir_in(folder.path()).expect("the folder is ours");
        let (experiment, out) = (folder.path().join("tiny.toml"), out.path().join("run"));
        let args =
            ["run", &experiment.to_string_lossy(), "--out", &out.to_string_lossy(), "--set", &scheduler];
        let output = mascot(&args, "1");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let counts = ["rejected", "given_up"].map(|name| column(&out.join("summary.csv"), name));
        counts.iter().flatten().map(|count| count.parse::<u32>().expect("a number")).sum::<u32>()
    };
    let own = format!("{{ name = \"learned_gate\", policy = {path:?} }}");
    assert!(dropped(&own) == 0 && dropped("\"gated\"") > 0, "the policy cannot drop");
}

/// Trainings that differ in their seed alone are one line with the mean of their rates; what tells settings apart is in the legend.
#[test]
fn several_trainings_are_drawn_in_one_picture() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let experiment = tiny(folder.path(), EVOLUTION, 3);
    let out = |name: &str| path(folder.path(), name);
    let train = |name: &str, sets: &[&str]| {
        let out = out(name);
        let sets = sets.iter().flat_map(|set| ["--set", set]);
        let args = ["train", &experiment, "--out", &out, "--quiet"];
        let output = mascot(&args.into_iter().chain(sets).collect::<Vec<_>>(), "2");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    train("a", &[]);
    train("b", &["training.evolution.seed=2"]);
    train("c", &["training.evolution.sigma=1"]);
    // One of which only two steps of three are there.
    let (whole, short) = (folder.path().join("b"), folder.path().join("short"));
    fs::create_dir(&short).expect("the folder is ours");
    for name in ["learned_gate-hetero-6.toml", "learned_gate-hetero-6.safetensors"] {
        fs::copy(whole.join(name), short.join(name)).expect("it was written");
    }
    let log = fs::read_to_string(whole.join("log.csv")).expect("it was written");
    let rows: Vec<&str> = log.lines().take(3).collect();
    fs::write(short.join("log.csv"), rows.join("\n") + "\n").expect("the folder is ours");
    let report = |names: &[&str]| {
        let folders: Vec<String> = names.iter().map(|name| out(name)).collect();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        common::mascot(&[&["report"], &folders[..], &["--out", &out("page")]].concat())
    };
    let output = report(&["a", "b", "c"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_path(out("page/report/validation-rate.csv")).expect("it is there");
    let drawn: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("CSV")).collect();
    let logged = |training: &str, name: &str| column(Path::new(&out(&format!("{training}/log.csv"))), name);
    let [a, b, c] = ["a", "b", "c"].map(|training| logged(training, "validation_rate"));
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let line = |label: &str| drawn.iter().filter(|row| &row[0] == label).collect::<Vec<_>>();
    assert_eq!(
        ["learned_gate", "evolution.sigma=1", "gated"].map(|of| line(of).len()),
        [3, 3, 2],
        "{drawn:?}"
    );
    for (((drawn, plays), a), b) in line("learned_gate").iter().zip(logged("a", "plays")).zip(&a).zip(&b) {
        assert_eq!(number(&drawn[1]), number(&plays), "plays");
        assert!((number(&drawn[2]) - (number(a) + number(b)) / 2.0).abs() < 1e-12, "{drawn:?}");
    }
    line("evolution.sigma=1").iter().zip(&c).for_each(|(drawn, c)| assert_eq!(&drawn[2], c));
    let page = fs::read_to_string(out("page/report.html")).expect("just written");
    assert!(page.contains("3 trainings of learned_gate") && page.contains("over 2 trainings"), "{page}");
    refused(&report(&["a", "short"]), &["short", "is it finished?"]);
    // A log of before there were plays in it.
    fs::write(short.join("log.csv"), log.replace("plays", "games")).expect("the folder is ours");
    refused(&report(&["a", "short"]), &["short", "no validated step with its `plays`"]);
    refused(&report(&["a", "none"]), &["none"]);
    refused(&common::mascot(&["report", &out("a"), &out("b")]), &["several folders: expected --out DIR"]);
}
