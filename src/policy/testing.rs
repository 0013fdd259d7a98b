//! A world for tests whose best decisions, and what they are worth, are known by hand.

use std::sync::Arc;

use crate::check::{layer, plain_rules, platform, request, trace, world};
use crate::train::Setup;
use crate::units::Time;

/// So many requests of one layer, one every 100 ns, due after 50 ns. Accelerator 0 takes 10 ns, or 20 as it is granted half
/// of its demand; accelerator 1 takes 80.
pub(crate) fn tiny(requests: usize) -> Setup {
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 20.0), (80.0, 1.0)])]]);
    let due = |i: usize| {
        let request = request(0, 100.0 * i as f64);
        crate::sim::Request { deadline: request.arrival + Time(50_000), ..request }
    };
    let requests: Vec<_> = (0..requests).map(due).collect();
    Setup { world: Arc::new(world), trace: Arc::new(trace(&requests)), rules: plain_rules() }
}
