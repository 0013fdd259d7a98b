//! Queues made of fleets: Poisson arrivals, services of a law, and the delays of the answers.

use mascot::dispatch::{Queue, Variant};
use mascot::serve::{Dispatcher, FleetView, Record, Recorder};
use mascot::sim::{Operations, Origin, Trace};
use mascot::units::Time;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::common::{ModelPlan, Plan, VariantPlan, requests};
use super::statistics::Estimate;

/// The mean service in picoseconds: rounding is a millionth of it.
pub(crate) const UNIT: f64 = 1e6;

/// The jobs of a run.
pub(crate) const JOBS: usize = 120_000;

/// A time that stands for so many mean services.
pub(crate) fn units(count: f64) -> Time {
    Time((count * UNIT).round() as u64)
}

/// The means of `count` equally likely parts of the exponential law with mean 1.
pub(crate) fn exponential(count: usize) -> Vec<f64> {
    // The integral of the quantile -ln(1 - u) over the tail u > 1 - x.
    let tail = |x: f64| if x > 0.0 { x - x * x.ln() } else { 0.0 };
    let above = |part: usize| tail(1.0 - part as f64 / count as f64);
    (0..count).map(|part| count as f64 * (above(part) - above(part + 1))).collect()
}

/// A model whose service is exponential with mean 1, whatever the batch, if variants are drawn by [`AnyVariant`].
pub(crate) fn exponential_model(parts: usize, max_batch: u32) -> ModelPlan {
    let batches = if max_batch == 1 { vec![1] } else { vec![1, max_batch] };
    let variant =
        |service: f64| VariantPlan(String::new(), 1.0, vec![units(service).0.max(1); batches.len()]);
    let variants = exponential(parts).into_iter().map(variant).collect();
    ModelPlan { batches, variants }
}

/// Any variant, with equal probability.
pub(crate) struct AnyVariant(ChaCha8Rng);

impl AnyVariant {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self(ChaCha8Rng::seed_from_u64(1963)))
    }
}

impl Variant for AnyVariant {
    fn variant(
        &mut self,
        _: &FleetView,
        _: &Queue,
        _: usize,
        allowed: &[usize],
        _: &mut Operations,
    ) -> usize {
        allowed[self.0.random_range(0..allowed.len())]
    }
}

/// Poisson arrivals at a rate per mean service, each of one of the tenants with equal probability, due so many mean
/// services later if that is given by tenant. The last few requests are not measured, so that those before are served
/// even where rules wait for company.
pub(crate) fn poisson(rate: f64, tenants: usize, within: Option<&[f64]>) -> Trace {
    poisson_of(JOBS, rate, tenants, within)
}

/// The same with so many jobs.
pub(crate) fn poisson_of(jobs: usize, rate: f64, tenants: usize, within: Option<&[f64]>) -> Trace {
    let mut rng = ChaCha8Rng::seed_from_u64(1917);
    let mut at = 0.0;
    let mut trace = requests((0..jobs).map(|_| {
        at += -(1.0 - rng.random::<f64>()).ln() / rate;
        let tenant = rng.random_range(0..tenants);
        let due = within.map_or(u64::MAX, |within| units(at + within[tenant]).0);
        (tenant, units(at).0, due)
    }));
    trace.measured = 0..jobs - 100;
    trace
}

/// The delays in the order of arrival, in mean services; nothing where a request was lost.
#[derive(Default)]
pub(crate) struct Delays {
    pub(crate) tenants: Vec<u32>,
    pub(crate) delays: Vec<Option<f64>>,
    /// When orders were launched, by site.
    launches: usize,
}

impl Recorder for Delays {
    fn record(&mut self, record: &Record, _: Origin) {
        match *record {
            Record::Arrived { asked, .. } => {
                self.tenants.push(asked.tenant);
                self.delays.push(None);
            }
            Record::Answered { time, request, asked, .. } => {
                self.delays[request.0 as usize] = Some((time - asked.arrival).as_ps() / UNIT);
            }
            Record::Launched { .. } => self.launches += 1,
            _ => {}
        }
    }
}

impl Delays {
    pub(crate) fn of(plan: &Plan, trace: Trace, dispatcher: &mut dyn Dispatcher) -> Self {
        let mut delays = Self::default();
        plan.play(trace, dispatcher, &mut delays).expect("a run that ends");
        delays
    }

    /// Without the first tenth, in which the station fills up, and the last hundredth, in which it may be left.
    fn window(&self) -> std::ops::Range<usize> {
        self.delays.len() / 10..self.delays.len() * 99 / 100
    }

    /// The mean delay of the answers.
    pub(crate) fn mean(&self) -> Estimate {
        Estimate::of(&self.window().filter_map(|job| self.delays[job]).collect::<Vec<_>>())
    }

    /// The mean delay of the answers to a tenant.
    pub(crate) fn mean_of(&self, tenant: u32) -> Estimate {
        let of_tenant = self.window().filter(|&job| self.tenants[job] == tenant);
        Estimate::of(&of_tenant.filter_map(|job| self.delays[job]).collect::<Vec<_>>())
    }

    /// The share of requests that were lost.
    pub(crate) fn lost(&self) -> Estimate {
        let lost = self.window().map(|job| f64::from(u8::from(self.delays[job].is_none())));
        Estimate::of(&lost.collect::<Vec<_>>())
    }

    /// Requests per order.
    pub(crate) fn mean_batch(&self) -> f64 {
        self.delays.len() as f64 / self.launches as f64
    }
}
