//! The steps of requests and the shares of their time, on random fleets: both add up to the time that a request took.

use std::sync::Arc;

use mascot::check::{FleetCase, FleetChaos};
use mascot::metrics::{Aside, MemberShares, Serving, Shares, Step, StepRow, Steps};
use mascot::serve::{self, Record, Recorder};
use mascot::sim::{Origin, RequestId};
use mascot::units::{Picojoules, Time};

struct Folds {
    serving: Serving,
    steps: Steps,
    shares: MemberShares,
    /// The requests that came, when, and when they ended or the run did.
    ends: Vec<(Time, Option<Time>)>,
}

impl Recorder for Folds {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.serving.record(record, origin);
        self.steps.record(record, origin);
        self.shares.record(record, origin);
        match *record {
            Record::Arrived { asked, .. } => self.ends.push((asked.arrival, None)),
            Record::Answered { time, request, .. } | Record::Lost { time, request, .. } => {
                self.ends[request.0 as usize].1 = Some(time);
            }
            Record::End { time } => self.ends.iter_mut().for_each(|(_, end)| _ = end.get_or_insert(time)),
            _ => {}
        }
    }
}

/// The folds of a run that ended; `None` where requests waited for ever.
fn folds(case: &FleetCase) -> Option<Folds> {
    let (model, trace) = (Arc::new(case.model.clone()), Arc::new(case.trace.clone()));
    let mut folds = Folds {
        serving: Serving::new(Arc::clone(&model), true),
        steps: Steps::default(),
        shares: MemberShares::default(),
        ends: Vec::new(),
    };
    serve::run(model, trace, case.schedulers(), &mut FleetChaos::new(case), &mut folds).ok()?;
    Some(folds)
}

fn total(steps: &[StepRow], is_one: fn(Step) -> bool) -> Time {
    let those = steps.iter().filter(|row| is_one(row.step));
    those.map(|row| row.end.expect("it was answered") - row.start).sum()
}

#[test]
fn shares_and_steps_add_up_to_the_time_of_a_request() {
    let (mut answered, mut slowed) = (0, 0);
    for seed in 0..2_000 {
        let Some(Folds { serving, steps, shares, ends }) = folds(&FleetCase::new(seed)) else { continue };
        for (request, (arrival, end)) in (0..).zip(&ends) {
            let Shares { waiting, running, slowed: slow } = shares.of(RequestId(request));
            let took = end.expect("the run has ended") - *arrival;
            assert_eq!(waiting + running + slow, took, "seed {seed}, request {request}");
            slowed += usize::from(slow > Time::ZERO);
        }
        let steps = steps.into_rows();
        let aside = Aside { network: Picojoules(0.0), quality_bound: f64::NAN };
        for row in serving.finish(aside).1.iter().filter(|row| row.answer.is_some()) {
            let from = steps.partition_point(|step| step.request < row.request);
            let until = steps.partition_point(|step| step.request <= row.request);
            let own = &steps[from..until];
            let parts = [
                (row.dispatch, total(own, |step| step == Step::Dispatch)),
                (row.network, total(own, |step| matches!(step, Step::There(_) | Step::Back(_)))),
                (row.queue, total(own, |step| step == Step::Queue)),
                (row.service, total(own, |step| step == Step::Service)),
            ];
            parts.iter().for_each(|(told, summed)| assert_eq!(told, summed, "seed {seed}: {own:?}"));
            assert!(own.windows(2).all(|pair| pair[0].end == Some(pair[1].start)), "{own:?}");
            let Shares { waiting, running, slowed } = shares.of(row.request);
            assert!(waiting >= row.dispatch + row.network + row.queue);
            assert!(running + slowed <= row.service && running + slowed > Time::ZERO);
            answered += 1;
        }
    }
    assert!(answered > 5_000 && slowed > 1_000, "{answered} were answered, {slowed} were slowed");
}
