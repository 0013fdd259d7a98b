//! The rates at which the tenants of a workload send requests, and the networks they ask for.
//!
//! If the tenants share a load, the scenario's weights give their shares. If the scenario fixes absolute arrival rates,
//! the shares are counted over the requests of seed [`SEED`] up to the last measured one, whatever the seeds of the
//! sweep, because the resulting load identifies cells. A stage of a cascade has the rate of the tenant before it times
//! its probability, as if nothing were dropped. A closed loop sends as fast as it is served, so its load is at most 1
//! by definition; it counts in the mix with its rate on a system of its own.

use super::workload::Workload;
use crate::experiment::{Error, Window};
use crate::hw::SystemSpec;
use crate::sim::World;
use crate::units::Time;
use crate::workload::{Arrival, Extent, MAX_REQUESTS, Tenant, rate_per_s};

/// The seed whose requests stand for those of all seeds. Our choice, because it is the default first seed of
/// experiments.
const SEED: u64 = 1;

/// The rates of a workload that fixes absolute arrival rates.
pub(super) struct OwnPace {
    /// The share of requests for each network.
    pub(super) shares: Vec<f64>,
    /// The share of requests of each tenant.
    pub(super) by_tenant: Vec<f64>,
    /// The rate of requests outside closed loops; NaN if they come at once.
    open_per_s: f64,
    /// An upper bound of the rate of requests in closed loops.
    loops_per_s: f64,
    /// The number of requests outside loops that the seed sends, up to the last measured one.
    pub(super) sample: f64,
}

impl OwnPace {
    /// The rates of a workload; a request of each tenant takes `served_s` seconds if it never waits.
    pub(super) fn of(
        workload: &Workload,
        world: &World,
        served_s: &[f64],
        window: &Window,
        system: &SystemSpec,
    ) -> Result<Self, Error> {
        let open = Open::of(workload, world, window, system)?;
        // Weights are in requests of the sample, so that shares of counts are exact; without a sample, per second.
        let (sample, per_s) = (open.requests.iter().sum::<f64>(), open.rate_per_s);
        let unit_s = if sample > 0.0 && per_s.is_finite() { sample / per_s } else { 1.0 };
        let mut weights = open.by_network;
        let mut by_tenant = open.requests.clone();
        let mut add = |requests: &[f64], of: &dyn Fn(&Tenant) -> bool| {
            let mut total = 0.0;
            for (place, tenant) in workload.scenario.tenants.iter().enumerate() {
                let requests = if of(tenant) { requests[place] } else { 0.0 };
                tenant.mix().for_each(|(network, share)| weights[network as usize] += share * requests);
                by_tenant[place] += requests;
                total += requests;
            }
            total
        };
        let (mut stages, mut loops) = (0.0, 0.0);
        if workload.has_followers() {
            let scenario = &workload.scenario;
            let is_stage = |tenant: &Tenant| tenant.arrivals.cascade().is_some();
            stages = add(&scenario.with_stages(open.requests), &is_stage);
            let served = scenario.tenants.iter().zip(served_s);
            let paces = served.map(|(tenant, served_s)| unit_s * loop_pace(tenant, *served_s));
            loops = add(&scenario.with_stages(paces.collect()), &|_| true);
        }
        let total: f64 = weights.iter().sum();
        if total == 0.0 {
            return Err(nothing_comes(window, workload, system));
        }
        let open_per_s = match sample > 0.0 {
            true => per_s * ((sample + stages) / sample),
            false => 0.0,
        };
        weights.iter_mut().chain(&mut by_tenant).for_each(|weight| *weight /= total);
        Ok(Self {
            shares: weights,
            by_tenant,
            open_per_s,
            loops_per_s: loops / unit_s,
            sample: sample + stages,
        })
    }

    /// An upper bound of the rate of all requests.
    pub(super) fn most_per_s(&self) -> f64 {
        self.open_per_s + self.loops_per_s
    }

    /// The load relative to lambda*. With closed loops it is at most 1, unless the other requests alone exceed it;
    /// infinite if all requests come at once.
    pub(crate) fn load(&self, lambda_per_s: f64) -> f64 {
        let (open, all) = (self.open_per_s / lambda_per_s, self.most_per_s() / lambda_per_s);
        match self.loops_per_s > 0.0 {
            true => all.min(1.0).max(open),
            false if open.is_nan() => f64::INFINITY,
            false => open,
        }
    }
}

/// The requests per second of a closed loop that is served without waiting; 0 for any other tenant.
fn loop_pace(tenant: &Tenant, served_s: f64) -> f64 {
    let Some(law) = tenant.arrivals.closed_loop() else { return 0.0 };
    f64::from(law.in_flight) / (served_s + law.mean_think().as_s())
}

/// The latency of a request of each tenant alone on a system, in seconds: the mean over its networks.
pub(super) fn served_s(workload: &Workload, world: &World) -> Vec<f64> {
    let isolated_s = |network: u32| world.networks[network as usize].isolated.as_s();
    let mean = |tenant: &Tenant| tenant.mix().map(|(network, share)| share * isolated_s(network)).sum();
    workload.scenario.tenants.iter().map(mean).collect()
}

/// The requests that follow no others, without those that start closed loops.
struct Open {
    /// The number of requests, by tenant.
    requests: Vec<f64>,
    by_network: Vec<f64>,
    rate_per_s: f64,
}

impl Open {
    fn of(workload: &Workload, world: &World, window: &Window, system: &SystemSpec) -> Result<Self, Error> {
        let tenants = &workload.scenario.tenants;
        let in_a_loop = |arrival: &Arrival| {
            workload.has_loops() && tenants[arrival.tenant as usize].arrivals.closed_loop().is_some()
        };
        let (most, measured, end) = match window.extent() {
            Extent::Requests(requests) => (requests, window.measured(requests, false).end, Time::MAX),
            // One more than allowed, so that `check_number` notices.
            Extent::Until(end) | Extent::Sample(end) => (MAX_REQUESTS + 1, MAX_REQUESTS + 1, end),
        };
        let (mut requests, mut by_network) = (vec![0.0; tenants.len()], vec![0.0; world.networks.len()]);
        let mut times = Vec::new();
        let arrivals = workload.arrivals(world, 0.0, SEED).filter(|arrival| !in_a_loop(arrival));
        for (number, arrival) in arrivals.take_while(|arrival| arrival.time < end).take(most).enumerate() {
            check_span(arrival.time.as_s(), workload, system)?;
            if number < measured {
                times.push(arrival.time);
                requests[arrival.tenant as usize] += 1.0;
                by_network[arrival.network as usize] += 1.0;
            }
        }
        let rate_per_s = rate_per_s(&times).unwrap_or(f64::NAN);
        Ok(Self { requests, by_network, rate_per_s })
    }
}

fn nothing_comes(window: &Window, workload: &Workload, system: &SystemSpec) -> Error {
    let within = match window.extent() {
        Extent::Requests(_) => String::new(),
        Extent::Until(end) | Extent::Sample(end) => {
            format!(" within {} s: lengthen `duration_s`", end.as_s())
        }
    };
    Error::Usage(format!(
        "scenario `{}` sends no request to `{}`{within}",
        workload.scenario.name, system.name
    ))
}

/// The longest simulated time in seconds: less than a tenth of what the 64-bit clock holds.
const MAX_SPAN_S: f64 = 1e6;

/// Checks that the arrivals end long before the clock overflows.
pub(super) fn check_span(span_s: f64, workload: &Workload, system: &SystemSpec) -> Result<(), Error> {
    if span_s <= MAX_SPAN_S {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "the requests of scenario `{}` on `{}` take {span_s:.1e} s of simulated time: expected at most {MAX_SPAN_S:.0e} s",
        workload.scenario.name, system.name
    )))
}

/// Checks that closed loops send their requests before the clock overflows.
pub(super) fn check_loops(
    own: &OwnPace,
    window: &Window,
    workload: &Workload,
    system: &SystemSpec,
) -> Result<(), Error> {
    match window.extent() {
        Extent::Requests(requests) if own.loops_per_s > 0.0 => {
            let per_s = own.loops_per_s + if own.open_per_s.is_finite() { own.open_per_s } else { 0.0 };
            check_span(requests as f64 / per_s, workload, system)
        }
        _ => Ok(()),
    }
}

/// Checks that the requests of a run of a given length fit in memory.
pub(super) fn check_number(
    requests_per_s: f64,
    measured: f64,
    window: &Window,
    workload: &Workload,
    system: &SystemSpec,
) -> Result<(), Error> {
    let Extent::Until(end) = window.extent() else { return Ok(()) };
    // The rate is NaN if all come at once; `max` then returns `measured`.
    let requests = (requests_per_s * end.as_s()).max(measured);
    if requests <= MAX_REQUESTS as f64 {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "scenario `{}` on `{}` sends some {requests:.1e} requests in {} s: expected at most {MAX_REQUESTS}, so shorten \
         `duration_s`",
        workload.scenario.name,
        system.name,
        end.as_s()
    )))
}
