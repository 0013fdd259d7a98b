//! Measures the share of the bound lambda* that greedy earliest-finish scheduling sustains.

use std::sync::Arc;

use crate::experiment::Error;
use crate::plan::{Case, request, rules};
use crate::scheduler;
use crate::sim::{
    DecisionCost, Drift, Engine, LateRules, Origin, Record, Recorder, Request, Rules, Trace, Variation, run,
};
use crate::units::Time;
use crate::workload::{Extent, Late};

/// The number of requests in the batch. Our choice, because the accelerators that idle at its end then change the
/// result by a few per cent.
const BATCH: usize = 500;

/// The throughput of `eft` relative to lambda*: the scheduler works off a batch that arrives at time 0, with free
/// decisions and without drops. The batch has the proportions of the mix, in whatever order the scheduler serves it.
pub fn eft_saturation(case: &Case, seed: u64) -> Result<f64, Error> {
    let lambda = case.site.saturation.requests_per_s;
    // Followers keep their proportion to the others: those of the same time span.
    let rate_per_s = case.site.own_per_s.unwrap_or(lambda);
    let extent = match case.workload.has_followers() && rate_per_s > 0.0 {
        true => Extent::Sample(Time::from_s(BATCH as f64 / rate_per_s)),
        false => Extent::Requests(BATCH),
    };
    let offer = case.workload.offer(&case.site.world, lambda, seed, extent);
    let at_zero = |r: Request| Request { arrival: Time::ZERO, ..r };
    let requests: Vec<Request> = offer.requests().map(|arrival| at_zero(request(case, arrival))).collect();
    let batch = requests.len() as f64;
    let trace = Trace { measured: 0..requests.len(), requests, ..Trace::default() };
    let rules = Rules {
        late: LateRules::all(Late::Finish),
        decision_cost: DecisionCost::Ideal,
        drift: Drift::NONE,
        variation: Variation::NONE,
        ..rules(case, seed)
    };
    let eft = scheduler::find("eft").expect("it is registered");
    let mut scheduler = (eft.build)(&toml::Table::new(), seed).expect("it has no parameters");
    let mut end = EndTime(Time::ZERO);
    run(Engine::new(Arc::clone(&case.site.world), Arc::new(trace), rules), scheduler.as_mut(), &mut end)
        .map_err(|e| Error::Run {
            cell: format!("saturation of eft, {} on {}", case.workload.scenario.name, case.system),
            reason: e.to_string(),
            command: "mascot validate".into(),
        })?;
    Ok(batch / end.0.as_s() / lambda)
}

struct EndTime(Time);

impl Recorder for EndTime {
    fn record(&mut self, record: &Record, _: Origin) {
        if let Record::End { time } = *record {
            self.0 = time;
        }
    }
}
