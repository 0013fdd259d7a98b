//! A tiny world for tests, whose best decisions and their values are known by hand.

use std::sync::Arc;

use crate::check::{layer, plain_rules, platform, request, trace, world};
use crate::train::Setup;
use crate::units::Time;

/// So many requests of one layer, one every 100 ns, each due 50 ns after its arrival. Accelerator 0 takes 20 ns: 10 ns
/// without contention, but it is granted half of its demand. Accelerator 1 takes 80 ns.
pub(crate) fn tiny(requests: usize) -> Setup {
    let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 20.0), (80.0, 1.0)])]]);
    let due = |i: usize| {
        let request = request(0, 100.0 * i as f64);
        crate::sim::Request { deadline: request.arrival + Time(50_000), ..request }
    };
    let requests: Vec<_> = (0..requests).map(due).collect();
    Setup { world: Arc::new(world), trace: Arc::new(trace(&requests)), rules: plain_rules(), price: 0.0 }
}
