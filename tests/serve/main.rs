//! The level of requests (`serve`, `dispatch`): is a fleet what its parts are, is each rule's sequence of decisions exact,
//! and does it match the formulas of queues?

mod batches;
mod common;
mod identity;
mod routes;
mod variants;
