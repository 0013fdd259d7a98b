//! The upper bound on the number of requests of a trace that any schedule can meet: a linear program that relaxes
//! scheduling.
//!
//! A request k may be accepted in a fraction x_k. Its layers may be split between accelerator models in any fractions,
//! and may run in any order and side by side. The constraints are that their work is done between arrival a and
//! deadline d, and that in every interval between consecutive arrivals and deadlines no model is busy for longer than
//! its instances allow and DRAM moves no more bytes than it can:
//!
//! ```text
//! maximise the sum of x[k], with x[k] <= 1 and everything >= 0
//! for every layer l of k:            sum over m of z[k,l,m]  =  x[k]
//! for every model m:                 sum over t of u[k,m,t]  =  sum over l of z[k,l,m] c1[l,m]       t within [a, d]
//! for DRAM:                          sum over t of v[k,t]    =  sum over l, m of z[k,l,m] bytes[l,m] / B
//! for every model m and interval t:  sum over k of u[k,m,t]  <= instances of m x length of t
//! for every interval t:              sum over k of v[k,t]    <= length of t
//! ```
//! A layer may use a model only where c1 there and the shortest paths before and after it fit between a and d; a
//! request with a layer that fits nowhere is missed. Whatever a schedule does to a request that it meets is a solution,
//! for any trigger, sharing rule and decision cost. So no schedule meets more than the optimum, and none more than the
//! optimum rounded down. Requests that are not measured can only take time, and are left out. If a run ends at a fixed
//! time, that time is a deadline for all. When followers arrive, and how many of them, depends on the schedule, so a
//! trace with followers has no bound. With residency every layer counts as if it found on chip whatever fits there, and
//! with forwarding as if it ran right after the predecessor whose output spares it most (`NetworkModel::least_cost`), so
//! that c1 and bytes are the least that any schedule can bring about.
//!
//! | file | what it does |
//! |---|---|
//! | `kinds.rs` | merges layers with equal costs, and requests with equal layers |
//! | `cells.rs` | the intervals, merged where there are too many |
//! | `solve.rs` | the linear program of a stretch of the trace, by an interior-point method |
//! | `prices.rs` | a bound from the prices of time in each interval, whatever they are |
//!
//! The bound does not rest on the solver. By weak duality any prices of accelerators and DRAM give a bound: the cost of
//! all capacity at these prices, plus, for every request, what is left of 1 after the cheapest way to do its work. The
//! solver only finds good prices, and a long trace is solved in stretches whose prices are put together. The relaxation
//! leaves out precedence between layers, the absence of preemption, contention within an interval, and that a scheduler
//! does not know the future. Times are picoseconds.

mod cells;
mod kinds;
mod prices;
mod solve;
#[cfg(test)]
mod tests;

use self::cells::Cells;
use self::kinds::{Kind, Kinds};
use self::prices::Prices;
use crate::sim::{Request, Trace, World};
use crate::units::Time;

/// The version of the bound. Raise it with every change that may move a bound, so that cached bounds are not reused.
pub const VERSION: u32 = 1;

/// Everything that the linear program needs to know of requests and the system. Equal relaxations have equal bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Relaxation {
    /// The requests that can be met alone, in order of arrival.
    wishes: Vec<Wish>,
    kinds: Vec<Kind>,
    /// The number of accelerators of each model.
    instances: Vec<f64>,
}

/// A request that can be met alone.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wish {
    kind: usize,
    arrival: Time,
    deadline: Time,
}

/// Number of requests whose prices are taken from one linear program. Our choice, because 500 take 3 seconds, and the
/// time grows only a little faster than the number.
const STRETCH: usize = 500;
/// Number of further requests on either side that the program sees. Our choice, because it is several times the number
/// of requests that are in flight at once in the shipped scenarios.
const MARGIN: usize = 250;

impl Relaxation {
    /// The relaxation of a trace; `None` if requests follow others.
    pub fn new(world: &World, trace: &Trace) -> Option<Self> {
        if !trace.followers.is_empty() {
            return None;
        }
        let mut kinds = Kinds::new(world);
        let wish = |request: &Request| {
            let &Request { network, arrival, .. } = request;
            let deadline = request.deadline.min(trace.span.end);
            let kind = kinds.of(network, deadline.saturating_sub(arrival))?;
            Some(Wish { kind, arrival, deadline })
        };
        let wishes = trace.measured_requests().filter_map(wish).collect();
        Some(Self { wishes, instances: kinds.instances(), kinds: kinds.finish() })
    }

    /// The bound: the most requests that can be met.
    pub fn most_met(&self) -> usize {
        // The sum is off by less than this. Rounding it up changes the bound only if it is just below an integer.
        let rounding = 1.0 + 1e-9;
        let bound = self.prices(STRETCH, MARGIN).bound(self) * rounding;
        self.wishes.len().min(bound as usize)
    }

    /// Good prices, put together from stretches of `stretch` requests, each solved with a margin on either side.
    fn prices(&self, stretch: usize, margin: usize) -> Prices {
        let requests = self.wishes.len();
        let mut prices = Prices::zero(Cells::of(&self.wishes), self.resources());
        let stretch = if requests <= stretch + 2 * margin { requests.max(1) } else { stretch };
        for first in (0..requests).step_by(stretch) {
            let seen = first.saturating_sub(margin)..(first + stretch + margin).min(requests);
            let found = solve::prices(self, &prices.cells, seen);
            let from = prices.cells.at(self.wishes[first].arrival);
            prices.replace(from, &found);
        }
        prices
    }

    /// Number of resources: the models, and DRAM last.
    fn resources(&self) -> usize {
        self.instances.len() + 1
    }

    /// The number of instances of a resource.
    fn capacity(&self, resource: usize) -> f64 {
        self.instances.get(resource).copied().unwrap_or(1.0)
    }
}
