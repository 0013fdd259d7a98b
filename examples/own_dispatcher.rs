//! A dispatcher of one's own beside `closest+best+single`: `cargo run --release --example own_dispatcher`.
//!
//! The rule: a request goes to the site with the least reported backlog and way, and a free slot takes as much of the
//! fullest queue as fits the largest batch, on the most accurate variant.

use std::error::Error;
use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Experiment, Silent};
use mascot::files::Source;
use mascot::plan::Plan;
use mascot::serve::{Action, Dispatch, Dispatcher, FleetView, Moment};
use mascot::sweep::{self, Logs, Outcome};

struct Own;

impl Dispatcher for Own {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        let model = view.model();
        match moment {
            Moment::Arrived(id) => {
                let Some(request) = view.request(id) else { return };
                let client = &model.clients[request.tenant];
                let sites = (0..model.sites.len()).filter(|&site| model.serves(site, client));
                let wait = |site: &usize| {
                    view.way_there(request.tenant, *site).map(|way| way + view.site(*site).backlog)
                };
                let site = sites.min_by_key(wait).expect("some site serves every tenant");
                out.operations.comparisons += model.sites.len() as u64;
                out.actions.push(Action::Send { request: id, site });
            }
            Moment::Free(site) | Moment::Wake(site) => {
                let fullest = (0..model.models.len()).max_by_key(|&of| view.queue_len(of));
                let Some(of) = fullest.filter(|&of| view.queue_len(of) > 0) else { return };
                let served = &model.models[of];
                let count = view.queue_len(of).min(served.max_batch());
                out.actions.push(Action::Launch { site, model: of, variant: served.best(), count });
            }
        }
    }
}

const EXPERIMENT: &str = r#"
fleets = ["gpu-site"]
scenarios = ["opaque_users"]
loads = [1]
dispatchers = [{ route = "closest", variant = "best", batch = "single" }]
late = "finish"
"#;

/// The outcomes of `closest+best+single` and of our dispatcher under the same requests.
fn compare(requests: usize, seed: u64) -> Result<[Outcome; 2], Box<dyn Error>> {
    let data = DataRoot::find(None)?;
    let source = Source { path: "mine.toml".into(), text: EXPERIMENT.into(), verbatim: true };
    let experiment = Experiment::parse(Path::new("mine.toml"), source, &data)?;
    let plan = Plan::prepare(experiment, &data, &Cache::from_env(), &Silent)?;
    let (case, choice) = (&plan.cases[0], &plan.schedulers[0]);
    let mut known = choice.dispatcher(seed)?;
    let run = |dispatcher: &mut dyn Dispatcher| {
        sweep::serve_with(case, requests, seed, dispatcher, Logs::default())
    };
    Ok([run(known.as_mut())?, run(&mut Own)?])
}

#[expect(clippy::print_stdout, reason = "a program may print")]
fn main() -> Result<(), Box<dyn Error>> {
    for (name, outcome) in ["closest+best+single", "own"].iter().zip(compare(1_000, 1)?) {
        println!("{name:20} quality {:.4}", outcome.serving[0].quality());
    }
    Ok(())
}

#[test]
fn both_answer_all_requests_and_differ() {
    let outcomes = compare(300, 1).expect("the shipped data is complete");
    let quality = outcomes.each_ref().map(|outcome| outcome.serving[0].quality());
    assert!(quality.iter().all(|quality| (0.0..=1.0).contains(quality)), "{quality:?}");
    assert_ne!(quality[0], quality[1]);
    assert!(outcomes.iter().all(|outcome| outcome.metric("finished") == outcome.metric("requests")));
}
