//! Generates the arrivals of a scenario outside a run, for `mascot trace gen`.

use std::path::PathBuf;

use crate::cost::Cache;
use crate::experiment::{Asked, CellDrift, DataRoot, Error, Experiment, Progress, Wanted};
use crate::files::{Load, PerSecond, Source};
use crate::plan::{Plan, requests};
use crate::units::Time;
use crate::workload::{Arrival, ArrivalStream, Qos, RateChanges, Scenario};

/// A scenario, and the load or rate of its requests if the scenario does not fix them.
#[derive(Clone, Copy, Debug)]
pub struct Generate<'a> {
    /// Name or path of the scenario.
    pub scenario: &'a str,
    /// The system that the load is relative to.
    pub system: Option<&'a str>,
    /// The load relative to lambda*.
    pub load: Option<Load>,
    /// Requests per second of all tenants that share a load.
    pub rate_per_s: Option<PerSecond>,
    /// The seed of all draws.
    pub seed: u64,
    /// Whether deadlines are asked for, which need the system.
    pub deadlines: bool,
}

/// The arrivals of a scenario, each with the time to its deadline at QoS level M if that is asked for and there is one.
pub type Generated = Box<dyn Iterator<Item = (Arrival, Option<Time>)>>;

impl Generate<'_> {
    /// The scenario, and the arrivals of a run with this seed.
    pub fn arrivals(
        &self,
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<(Scenario, Generated), Error> {
        let scenario = data.scenario(self.scenario)?;
        self.check(&scenario).map_err(Error::Usage)?;
        if let Some(system) = self.system {
            let mut plan = Plan::prepare(self.experiment(&scenario, system), data, cache, progress)?;
            let case = plan.cases.swap_remove(0);
            let rate_per_s = self.rate_per_s.map_or_else(|| case.requests_per_s(), |rate| rate.0);
            let arrivals = case.workload.arrivals(&case.site.world, rate_per_s, self.seed);
            let has_deadlines = self.deadlines;
            let within = move |arrival: &Arrival| {
                let asked = requests::request(&case, &Arrival { qos: Some(Qos::M), ..*arrival });
                (asked.deadline < Time::MAX).then(|| asked.deadline - asked.arrival)
            };
            let with_deadline = move |arrival| (arrival, if has_deadlines { within(&arrival) } else { None });
            return Ok((scenario, Box::new(arrivals.map(with_deadline))));
        }
        let rates_per_s = scenario.rates_per_s(self.rate_per_s.map_or(0.0, |rate| rate.0));
        let arrivals = ArrivalStream::new(&scenario, &rates_per_s, &RateChanges::default(), &[], self.seed);
        Ok((scenario, Box::new(arrivals.map(|arrival| (arrival, None)))))
    }

    fn check(&self, scenario: &Scenario) -> Result<(), String> {
        let name = &scenario.name;
        let is_given = self.load.is_some() || self.rate_per_s.is_some();
        if scenario.has_own_pace() && is_given {
            return Err(format!(
                "scenario `{name}` fixes absolute arrival rates: leave --load and --rate out"
            ));
        }
        if !scenario.has_own_pace() && !is_given {
            return Err(format!(
                "the tenants of scenario `{name}` share a load: give --load and --system, or --rate"
            ));
        }
        if needs_latencies(scenario) && self.system.is_none() {
            return Err(format!(
                "the arrivals of scenario `{name}` depend on isolated latencies: give --system"
            ));
        }
        if self.deadlines && self.system.is_none() {
            return Err(format!("the deadlines of scenario `{name}` depend on a system: give --system"));
        }
        if scenario.has_followers() {
            return Err(format!(
                "requests of scenario `{name}` follow others, so their arrival times depend on the run: take them \
                 from the requests.csv of a run"
            ));
        }
        if self.system.is_some() && self.load.is_none() && !needs_latencies(scenario) && !self.deadlines {
            return Err(format!(
                "the arrivals of scenario `{name}` do not depend on a system: leave --system out, or give --load"
            ));
        }
        Ok(())
    }

    /// An experiment of one cell, without a scheduler.
    fn experiment(&self, scenario: &Scenario, system: &str) -> Experiment {
        Experiment {
            name: scenario.name.clone(),
            path: PathBuf::from(self.scenario),
            systems: vec![system.to_string()],
            on_fleets: false,
            scenarios: vec![self.scenario.to_string()],
            qos: vec![Qos::M],
            // At a given rate only the latencies count, and any load will do.
            loads: self.load.or(self.rate_per_s.and(Some(Load(1.0)))).map(|load| vec![load.0]),
            trace: None,
            schedulers: Vec::new(),
            seeds: 1,
            first_seed: self.seed,
            wanted: Wanted::default(),
            bound: false,
            asked: vec![Asked::default()],
            drifts: vec![CellDrift::default()],
            training: None,
            exclude: Vec::new(),
            include: Vec::new(),
            source: Source { path: PathBuf::from(self.scenario), text: String::new(), verbatim: false },
        }
    }
}

fn needs_latencies(scenario: &Scenario) -> bool {
    scenario.tenants.iter().any(|tenant| tenant.arrivals.needs_latencies())
}
