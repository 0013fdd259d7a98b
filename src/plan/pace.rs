//! What the tenants of a workload ask for: how many requests per second, of which networks.
//!
//! Where tenants share a load, the scenario's weights say so. Where requests come at their own pace, those of seed
//! [`SEED`], whatever the seeds of the sweep, up to the last measured one do: what follows identifies cells. A stage of a cascade comes at the rate of the tenant before it x its probability:
//! as if nothing were dropped. A closed loop comes as fast as it is served, so that its load is at most 1 by definition;
//! its part in the mix is that of its pace on a system of its own.

use super::workload::Workload;
use crate::experiment::{Error, Window};
use crate::hw::SystemSpec;
use crate::sim::World;
use crate::units::Time;
use crate::workload::{Arrival, Extent, MAX_REQUESTS, Tenant, rate_per_s};

/// The seed whose requests stand for all. Our choice: the first that experiments have by default.
const SEED: u64 = 1;

/// The requests of a workload at its own pace.
pub(super) struct OwnPace {
    /// The fraction that asks for each network.
    pub(super) shares: Vec<f64>,
    /// Of those that do not come in a loop; not a number where they come at once.
    open_per_s: f64,
    /// The bound on those that do.
    loops_per_s: f64,
    /// How many of the former the seed sends up to the last that is measured.
    pub(super) sample: f64,
}

impl OwnPace {
    pub(super) fn of(
        workload: &Workload,
        world: &World,
        window: &Window,
        system: &SystemSpec,
    ) -> Result<Self, Error> {
        let open = Open::of(workload, world, window, system)?;
        // Weights are in requests of the sample, so that shares of counts are exact; without a sample, per second.
        let (sample, per_s) = (open.requests.iter().sum::<f64>(), open.rate_per_s);
        let unit_s = if sample > 0.0 && per_s.is_finite() { sample / per_s } else { 1.0 };
        let mut weights = open.by_network;
        let mut add = |requests: &[f64], of: &dyn Fn(&Tenant) -> bool| {
            let mut total = 0.0;
            for (tenant, &requests) in workload.scenario.tenants.iter().zip(requests) {
                let requests = if of(tenant) { requests } else { 0.0 };
                tenant.mix().for_each(|(network, share)| weights[network as usize] += share * requests);
                total += requests;
            }
            total
        };
        let (mut stages, mut loops) = (0.0, 0.0);
        if workload.has_followers() {
            let scenario = &workload.scenario;
            let is_stage = |tenant: &Tenant| tenant.arrivals.cascade().is_some();
            stages = add(&scenario.with_stages(open.requests), &is_stage);
            let paces = scenario.tenants.iter().map(|tenant| unit_s * loop_pace(tenant, world));
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
        weights.iter_mut().for_each(|weight| *weight /= total);
        Ok(Self { shares: weights, open_per_s, loops_per_s: loops / unit_s, sample: sample + stages })
    }

    /// The bound on all.
    pub(super) fn most_per_s(&self) -> f64 {
        self.open_per_s + self.loops_per_s
    }

    /// Relative to lambda*: with loops at most 1, if the others leave them that much; infinite where all come at once.
    pub(crate) fn load(&self, lambda_per_s: f64) -> f64 {
        let (open, all) = (self.open_per_s / lambda_per_s, self.most_per_s() / lambda_per_s);
        match self.loops_per_s > 0.0 {
            true => all.min(1.0).max(open),
            false if open.is_nan() => f64::INFINITY,
            false => open,
        }
    }
}

/// Requests per second of a closed loop that is served at once; 0 of any other tenant.
fn loop_pace(tenant: &Tenant, world: &World) -> f64 {
    let Some(law) = tenant.arrivals.closed_loop() else { return 0.0 };
    let served_s =
        tenant.mix().map(|(network, share)| share * world.networks[network as usize].isolated.as_s());
    f64::from(law.in_flight) / (served_s.sum::<f64>() + law.mean_think().as_s())
}

/// What comes by itself, but for the start of loops.
struct Open {
    /// By tenant.
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
            // One more than may be, for `check_number` to see.
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

/// The longest simulated time in seconds: a tenth and less of what the 64-bit clock holds.
const MAX_SPAN_S: f64 = 1e6;

/// A run must end before the clock does.
pub(super) fn check_span(span_s: f64, workload: &Workload, system: &SystemSpec) -> Result<(), Error> {
    if span_s <= MAX_SPAN_S {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "the requests of scenario `{}` on `{}` take {span_s:.1e} s of simulated time: expected at most {MAX_SPAN_S:.0e} s",
        workload.scenario.name, system.name
    )))
}

/// Requests in a loop must have been sent before the clock ends.
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

/// The requests of a run of a given length, of which some have been measured, must fit in memory.
pub(super) fn check_number(
    requests_per_s: f64,
    measured: f64,
    window: &Window,
    workload: &Workload,
    system: &SystemSpec,
) -> Result<(), Error> {
    let Extent::Until(end) = window.extent() else { return Ok(()) };
    // The rate is not a number where all come at once; the larger of the two is then the other.
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
