//! A run that is stepped from outside is the run of the same dispatcher.

use std::sync::Arc;

use mascot::serve::{self, Dispatch, Dispatcher, Record, Recorder, Stepper};
use mascot::sim::{Origin, Scheduler};

use crate::common::{FirstIdle, Log, composed};
use crate::fuzz::opaque_case;

/// Passes on to the dispatcher what it may see, and keeps everything.
struct Watched<'a> {
    dispatcher: &'a mut dyn Dispatcher,
    log: &'a mut Log,
}

impl Recorder for Watched<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if record.is_seen_by_dispatchers() {
            self.dispatcher.observe(record);
        }
        self.log.0.record(record, origin);
    }
}

fn schedulers(sites: usize) -> Vec<Box<dyn Scheduler>> {
    (0..sites).map(|_| Box::new(FirstIdle) as _).collect()
}

#[test]
fn answers_from_outside_give_the_records_of_a_run() {
    let mut compared = 0;
    for seed in 0..200 {
        let case = opaque_case(seed);
        let sites = case.model.sites.len();
        let (model, trace) = (Arc::new(case.model), Arc::new(case.trace));
        // One keeps state that it observes, and asks for wake-ups.
        let dispatcher =
            || composed("closest", "fits", ["greedy", "timeout us = 50", "aimd"][seed as usize % 3], 1);
        let mut expected = Log::default();
        let whole = serve::run(
            Arc::clone(&model),
            Arc::clone(&trace),
            schedulers(sites),
            &mut dispatcher(),
            &mut expected.0,
        );
        let (mut own, mut log) = (dispatcher(), Log::default());
        let mut stepper = Stepper::new(model, trace, schedulers(sites));
        let stepped = loop {
            let mut watched = Watched { dispatcher: &mut own, log: &mut log };
            match stepper.run_to_decision(&mut watched) {
                Ok(Some(moment)) => {
                    let mut dispatch = Dispatch::default();
                    let view = stepper.view().expect("it is asked");
                    watched.dispatcher.decide(&view, moment, &mut dispatch);
                    if let Err(error) = stepper.answer(dispatch, &mut watched) {
                        break Err(error);
                    }
                }
                ended => break ended.map(drop),
            }
        };
        assert!(log == expected, "seed {seed}");
        assert_eq!(stepped.map_err(|e| e.to_string()), whole.map_err(|e| e.to_string()), "seed {seed}");
        assert!(stepper.view().is_none(), "nothing is asked any more");
        compared += log.0.len();
    }
    assert!(compared > 20_000, "{compared} records are few");
}
