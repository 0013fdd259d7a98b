//! A scheduler of one's own in a sweep beside `gated`: `cargo run --release --example my_scheduler`.
//!
//! The rule: most important first, then the earliest deadline, each layer to the accelerator that finishes it first.

use std::cmp::Reverse;
use std::error::Error;
use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Entry, Experiment, Registry, Silent};
use mascot::files::Source;
use mascot::plan::Plan;
use mascot::results::{Question, Ranked, rank};
use mascot::scheduler::ListRule;
use mascot::sim::{Decision, Scheduler, SubJobView, View};
use mascot::sweep::{self, Extent, Logs, Output, Rows, Store};
use mascot::units::Time;

#[derive(Default)]
struct Important(ListRule<(Reverse<u32>, Time)>);

impl Scheduler for Important {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let key = |sub: &SubJobView| (Reverse(view.job_of(sub).priority), view.job_of(sub).deadline);
        self.0.place_by(view, out, key);
    }
}

const EXPERIMENT: &str = r#"
systems = ["hetero-6"]
scenarios = ["light", "mixed"]
loads = [0.6, 0.9]
schedulers = ["important", "gated"]
seeds = 3
requests = 300
"#;

/// Runs the experiment, writes its `summary.csv` into the folder, and ranks it as `mascot rank --over gated` does.
fn compare(folder: &Path) -> Result<Vec<Ranked>, Box<dyn Error>> {
    let important =
        Entry::new("important", "most important first, then the earliest deadline", "1", |_, _| {
            Ok(Box::new(Important::default()))
        });
    let data = DataRoot::find(None)?.with_registry(Registry::built_in().with(important));
    let source = Source { path: "mine.toml".into(), text: EXPERIMENT.into(), verbatim: true };
    let experiment = Experiment::parse(Path::new("mine.toml"), source, &data)?;
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent)?;
    let mut output = Output::create(folder, &Store::open(folder)?, Logs::default(), &plan.experiment)?;
    let columns = Extent::of(&plan.experiment);
    sweep::run(&plan, Logs::default(), &Silent, |cell, outcome| {
        output.add(&Rows::new(cell, &outcome, columns))
    })?;
    output.finish()?;
    let (metric, over) = ("sla_rate", Some("gated"));
    let question = Question { metric, over, by: None, with: &[], only: &[], margin: 0.0 };
    Ok(rank(&[folder.join("summary.csv")], &question)?.schedulers)
}

#[expect(clippy::print_stdout, reason = "a program may print")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("scheduler  SLA rate  better than gated in  worse in");
    for of in compare(Path::new("results/my_scheduler"))? {
        let rate = of.all.mean.unwrap_or(f64::NAN);
        println!("{:9}  {rate:8.4}  {:17} cells  {:2} cells", of.scheduler, of.above, of.below);
    }
    Ok(())
}

#[test]
fn both_are_in_the_summary_and_differ() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let ranked = compare(folder.path()).expect("the shipped data is complete");
    let csv = std::fs::read_to_string(folder.path().join("summary.csv")).expect("just written");
    assert_eq!(["important", "gated"].map(|name| csv.matches(&format!(",{name},")).count()), [12; 2]);
    assert_ne!(ranked[0].all.mean, ranked[1].all.mean);
}
