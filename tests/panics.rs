//! A panic is told with file and line, whoever made it.

use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Error, Experiment, Silent, remember_panics};
use mascot::plan::Plan;
use mascot::sim::{Decision, Scheduler, View};
use mascot::sweep::{Logs, cells, run_cell_with};

/// A user's own, with a bug.
struct Buggy;

const LINE: u32 = line!() + 5;

impl Scheduler for Buggy {
    fn decide(&mut self, view: &View, _: &mut Decision) {
        let none = view.accelerators().len() - view.accelerators().len();
        assert!(none > 0, "it is the user's own bug");
    }
}

/// Both in the thread that asks, and in one of a pool that another waits for.
#[test]
fn a_panic_of_a_users_own_scheduler_is_told_with_its_file_and_line() {
    remember_panics();
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let keys = [("requests".to_string(), toml::Value::from(20))];
    let experiment = Experiment::read(Path::new("experiments/quickstart.toml"), &keys, &data);
    let plan = Plan::prepare(experiment.expect("it ships"), &data, &Cache::from_env(), &Silent);
    let plan = plan.expect("it ships");
    let cell = cells(&plan)[0];
    let run = || run_cell_with(&plan.experiment, &cell, &mut Buggy, Logs::default());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    for outcome in [run(), pool.install(run), rayon::join(run, || ()).0] {
        let Err(error @ Error::Invariant { .. }) = outcome else { panic!("it cannot run") };
        let message = error.to_string();
        assert_eq!(error.exit_code(), 3);
        let place = format!("it is the user's own bug (tests/panics.rs:{LINE}:");
        assert!(message.contains(&place), "{place} in {message}");
        assert!(message.contains("mascot run experiments/quickstart.toml"), "{message}");
    }
}
