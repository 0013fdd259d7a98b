//! An engine whose requests come from outside, one by one, while it runs: a site of a fleet (`serve`).
//!
//! The driver of [`Engine::run_to_decision`] knows all requests beforehand, in a trace. A site does not: which orders it
//! serves is decided while time passes, and may depend on what it has just completed. So its driver steps it from instant
//! to instant, and admits orders in between. The same events happen in the same order: a run whose trace is admitted
//! order by order gives the same records.
//!
//! ```text
//! loop {
//!     let time = engine.next_time(out);              // the earliest of all sites, links and arrivals
//!     engine.begin(time, out);                       // layers end
//!     engine.admit(order, .., out); engine.give_up(..)   // as often as needed
//!     let waited = engine.apply_due(out);            // the decision that takes effect
//!     if engine.end(waited) { scheduler.decide(&engine.view(), ..); engine.apply(..) }
//! }
//! ```

use std::sync::Arc;

use super::super::{
    DecisionCost, DropReason, JobId, Origin, Recorder, Request, RequestId, Rules, Trace, World,
};
use super::{Engine, MAX_IDLE_DECISIONS};
use crate::units::Time;

impl Engine {
    /// Begins a run at time zero whose requests are orders. Nothing ends it but its driver.
    pub fn of_orders(world: Arc<World>, rules: Rules) -> Self {
        let mut engine = Self::new(world, Arc::new(Trace::default()), rules);
        engine.measured_open = usize::MAX;
        engine
    }

    /// A fork that knows only the present: its decisions are free, and its orders do not tell which requests are measured.
    pub fn fork_of_orders(&self) -> Self {
        let mut fork = self.clone();
        fork.jobs.forget_origins();
        fork.rules.decision_cost = DecisionCost::Ideal;
        fork.forget_variation();
        fork
    }

    /// Starts what the present instant leaves to be started, and returns the time of the next event; [`Time::MAX`] if
    /// nothing happens without another order.
    pub fn next_time(&mut self, out: &mut dyn Recorder) -> Time {
        self.awaits_decision = false;
        if !self.settled {
            self.settle(out);
        }
        self.next_event()
    }

    /// Goes on to a time not later than [`Engine::next_time`], and ends the layers that end then.
    pub fn begin(&mut self, time: Time, out: &mut dyn Recorder) {
        self.begin_instant(time, out);
    }

    /// Admits an order that arrives now, and returns its number. `origin` is what the records about it carry.
    pub fn admit_order(&mut self, order: Request, origin: Origin, out: &mut dyn Recorder) -> JobId {
        let id = self.arrivals.next_id();
        self.insert(id, origin, order, None, out);
        JobId(id)
    }

    /// Gives an order up; returns whether it was still open.
    pub fn give_up(&mut self, order: JobId, reason: DropReason, out: &mut dyn Recorder) -> bool {
        self.drop_request(RequestId(order.0), reason, out)
    }

    /// Whether a layer of an order in flight has started.
    pub fn has_begun(&self, order: JobId) -> bool {
        self.jobs.get(order).is_some_and(|job| (job.unstarted as usize) < job.subs.len())
    }

    /// Ends the present instant; returns whether the scheduler is asked for a decision on [`Engine::view`], which goes to
    /// [`Engine::apply`].
    pub fn end(&mut self, waited: bool) -> bool {
        self.awaits_decision = self.asks(waited);
        if self.awaits_decision {
            // Whether that is the end of the run depends on the other sites.
            self.stalls();
        }
        self.awaits_decision
    }

    /// Whether the scheduler has left the idle system idle so often that it counts as stalled until another order comes.
    pub fn is_stalled(&self) -> bool {
        self.idle_decisions > MAX_IDLE_DECISIONS
    }
}
