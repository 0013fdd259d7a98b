//! Is the cost of a layer right: against Timeloop, a brute force, a chip, and what physics allows.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod fusion;
mod hierarchies;
mod mapper;
mod precision;
mod show;
mod silicon;
mod standby;
mod tables;
mod technology;
