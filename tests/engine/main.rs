//! Does a run obey: formulas of queues, cycle-level co-runs, the physics of load and deadlines, its own invariants.

mod behaviour;
mod contention;
mod dram;
mod invariants;
mod queueing;
mod twin;
mod wide;
