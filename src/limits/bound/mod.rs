//! How many requests of a trace any schedule can meet, at most: a linear program that relaxes scheduling.
//!
//! A request k may be accepted in a fraction x_k. Its layers may be split between accelerator models in any fractions, in
//! any order and side by side; all that counts is that their work is done between arrival a and deadline d, and that in
//! every interval between consecutive arrivals and deadlines no model is busy for longer than its instances are there and
//! DRAM moves no more bytes than it can:
//!
//! ```text
//! maximise the sum of x[k], with x[k] <= 1 and everything >= 0
//! for every layer l of k:            sum over m of z[k,l,m]  =  x[k]
//! for every model m:                 sum over t of u[k,m,t]  =  sum over l of z[k,l,m] c1[l,m]       t within [a, d]
//! for DRAM:                          sum over t of v[k,t]    =  sum over l, m of z[k,l,m] bytes[l,m] / B
//! for every model m and interval t:  sum over k of u[k,m,t]  <= instances of m x length of t
//! for every interval t:              sum over k of v[k,t]    <= length of t
//! ```
//! A layer may use a model only where c1 there and the shortest paths before and after it fit between a and d; a request
//! with a layer that fits nowhere is missed. Whatever a schedule does to a request that it meets is a solution, for any
//! trigger, sharing rule and decision cost. So no schedule meets more than the optimum, and none more than the optimum
//! rounded down. Requests that are not measured can only take time: they are left out. Where a run ends at a time, that is a
//! deadline of all. Requests that follow others come when a schedule lets them, and how many come depends on it, too: a trace
//! with such requests has no bound. Neither has one of layers whose inputs may stay on chip (`sim::forwarding`).
//!
//! | file | what it does |
//! |---|---|
//! | `kinds.rs` | merges layers with equal costs, and requests with equal layers |
//! | `cells.rs` | the intervals, merged where there are too many |
//! | `solve.rs` | the linear program of a stretch of the trace, by an interior-point method |
//! | `prices.rs` | a bound from the prices of time in each interval, whatever they are |
//!
//! The bound does not rest on the solver. By weak duality any prices of accelerators and DRAM give a bound: what all
//! capacity costs at them, plus, for every request, what is left of 1 after the cheapest way to do its work. The solver
//! only finds good prices, and a long trace is solved in stretches whose prices are put together. Left out: precedence
//! between layers, that accelerators are not pre-empted, contention within an interval, and what a scheduler cannot know.
//! Times are picoseconds.

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

/// Grows with every change that may move a bound, so that none is kept from before.
pub const VERSION: u32 = 1;

/// What the program needs to know of requests and the system; equal relaxations have equal bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Relaxation {
    /// The requests that can be met alone, in order of arrival.
    wishes: Vec<Wish>,
    kinds: Vec<Kind>,
    /// How many accelerators each model has.
    instances: Vec<f64>,
}

/// A request that can be met alone.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wish {
    kind: usize,
    arrival: Time,
    deadline: Time,
}

/// Requests whose prices are taken from one program. Our choice, because 500 take 3 seconds, and time grows little
/// faster.
const STRETCH: usize = 500;
/// Requests on either side of them that the program sees, too. Our choice, because they are several times the requests
/// that are in flight at once in the shipped scenarios.
const MARGIN: usize = 250;

impl Relaxation {
    /// The relaxation of a trace; `None` where requests follow others, and where outputs are forwarded.
    pub fn new(world: &World, trace: &Trace) -> Option<Self> {
        let forwards = world.networks.iter().any(|network| network.forwarding.is_some());
        if forwards || !trace.followers.is_empty() {
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

    /// How many requests can be met at most.
    pub fn most_met(&self) -> usize {
        // The sum is off by less than that; to round it up costs nothing but where it is just below an integer.
        let rounding = 1.0 + 1e-9;
        let bound = self.prices(STRETCH, MARGIN).bound(self) * rounding;
        self.wishes.len().min(bound as usize)
    }

    /// Good prices, put together from those of stretches of so many requests, each seen with a margin on either side.
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

    /// The models, and DRAM last.
    fn resources(&self) -> usize {
        self.instances.len() + 1
    }

    /// How much of a resource there is at once.
    fn capacity(&self, resource: usize) -> f64 {
        self.instances.get(resource).copied().unwrap_or(1.0)
    }
}
