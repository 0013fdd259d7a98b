//! A scheduler outside the crate, compared with a built-in one: `cargo run --release --example my_scheduler`.
//!
//! The rule: most important first, then the earliest deadline; every layer goes to the accelerator that runs it
//! fastest, however busy that is.

use std::error::Error;
use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::sweep::{Logs, run_with};
use mascot::experiment::{DataRoot, Experiment, Plan, Silent};
use mascot::scheduler;
use mascot::sim::{Decision, Scheduler, View};

struct MostImportantFirst;

impl Scheduler for MostImportantFirst {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let mut order: Vec<_> = view.sub_jobs().iter().collect();
        order.sort_by_key(|sub| {
            let job = view.job_of(sub);
            (std::cmp::Reverse(job.priority), job.deadline)
        });
        for (rank, sub) in order.iter().enumerate() {
            let able = (0..view.accelerators().len()).filter(|&m| view.alone(sub, m).is_some());
            let fastest =
                able.min_by_key(|&m| view.alone(sub, m)).expect("some accelerator runs every layer");
            out.assign(sub.id, fastest, -(rank as f64));
        }
        out.operations.comparisons += (order.len() * view.accelerators().len()) as u64;
    }
}

/// SLA rates of the rule above and of `fcfs` on the mixed scenario, same requests.
fn compare(requests: usize) -> Result<[f64; 2], Box<dyn Error>> {
    let data = DataRoot::find(None)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/quickstart.toml");
    let only_mixed = [("scenarios".to_string(), toml::Value::from("mixed"))];
    let experiment = Experiment::read(&file, &only_mixed, &data)?;
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent)?;
    let case = plan.cases.first().ok_or("the experiment has no case")?;

    let mut fcfs = (scheduler::find("fcfs").ok_or("no fcfs")?.build)(&toml::Table::new(), 1)?;
    let mine = run_with(case, requests, 1, &mut MostImportantFirst, Logs::default())?;
    let theirs = run_with(case, requests, 1, fcfs.as_mut(), Logs::default())?;
    Ok([mine.metric("sla_rate"), theirs.metric("sla_rate")])
}

#[expect(clippy::print_stdout, reason = "a program may print")]
fn main() -> Result<(), Box<dyn Error>> {
    let [mine, fcfs] = compare(500)?;
    println!("SLA rate: most important first {mine:.3}, fcfs {fcfs:.3}");
    Ok(())
}

#[test]
fn both_rules_run_and_differ() {
    let [mine, fcfs] = compare(200).expect("the shipped data is complete");
    assert!((0.0..=1.0).contains(&mine) && (0.0..=1.0).contains(&fcfs) && mine != fcfs, "{mine} {fcfs}");
}
