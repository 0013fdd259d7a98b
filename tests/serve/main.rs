//! The level of requests (`serve`, `dispatch`): is a fleet what its parts are, is each rule's sequence of decisions exact,
//! and does it match the formulas of queues?

mod batches;
mod clones;
mod common;
mod drift;
mod fang_mini;
mod fuzz;
mod identity;
mod knowledge;
mod laws;
mod links;
mod long;
mod lookahead;
mod optimum;
mod orders;
mod queues;
mod routes;
mod rules;
mod shares;
mod splits;
mod stations;
#[path = "../engine/queueing/statistics.rs"]
mod statistics;
mod steps;
mod tan_mini;
mod variants;
mod ways;
mod weights;
mod whole;
