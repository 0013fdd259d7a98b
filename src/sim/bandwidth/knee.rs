//! Max-min with a soft knee: how bursts slow down a layer whose mean demand would fit.
//!
//! A layer's mean demand b = V / c hides that it alternates, tile by tile, between loading and computing. Its time is
//! a sum of maxima max(compute, load): while others slow the loading, those tiles become memory-bound first whose
//! load was long already. So the knee between "not slowed" and "slowed by its share" is soft. Three steps:
//!
//! 1. **One layer.** Let compute and load time of a tile be independent and Frechet-distributed with the same shape p;
//!    the maximum then is Frechet again, and the means add as p-th powers (the max-stability of extreme values; Gumbel,
//!    Statistics of Extremes, 1958). A layer that loads at `level` takes T^p = C^p + (V / level)^p.
//! 2. **Alone.** A layer alone loads at the capacity K and takes c1 = max(c, V / K). That gives C^p = c1^p - (V / K)^p:
//!    nothing about the layer need be known but c and V, and on an idle system nothing is slowed. In demands,
//!    grant^-p = max(b^-p - K^-p, 0) + level^-p.
//! 3. **All.** The DRAM never idles while a layer loads. Layer i loads for the share u_i = grant_i / level of the time;
//!    taking these as independent, the DRAM is busy for 1 - prod(1 - u_i), so sum(grants) = K (1 - prod(1 - u_i)).
//!    The left side rises with the level and the right side falls: one level solves it.
//!
//! Where some layer is always loading (b >= K) this is water-filling: all of K is granted. Layers that all demand more
//! than K share it equally; p = infinity is max-min itself, save for step 3. Total demand just below K is no longer free.
//!
//! p = [`SHAPE`] is the one constant: of 2, 2.5, 3, 3.5 and 4 the best on cycle-level co-runs with an ideal DRAM and
//! also, by itself, on DDR4 (`src/guide/model.md`). Three exponential bursts per tile
//! (its inputs, weights and outputs) beside a fixed compute time, an Erlang-3 load, give the same knee within 3.4 %.
//! Left out: layers that run in lock-step (their bursts collide always), row-buffer locality, and the first tile.

/// p: how soft the knee is. Cubes are written out below.
const SHAPE: i32 = 3;

/// Newton's method converges quadratically; bisection steps in between halve the bracket.
const MAX_STEPS: usize = 100;

/// The grants of step 3 for up to `MOST` layers. O(n) per Newton step, no allocation.
pub(super) fn soft_fill<const MOST: usize>(demands: &[f64], capacity: f64, grants: &mut [f64]) {
    grants.copy_from_slice(demands);
    if capacity.is_infinite() {
        return;
    }
    let mut slacks = [0.0; MOST];
    let mut sharers = 0;
    for &demand in demands.iter().filter(|&&demand| demand > 0.0) {
        slacks[sharers] = slack(demand, capacity);
        sharers += 1;
    }
    if sharers < 2 {
        grants.iter_mut().for_each(|grant| *grant = grant.min(capacity));
        return;
    }
    let level = level(&slacks[..sharers]);
    let mut slacks = slacks.iter();
    for grant in grants.iter_mut().filter(|grant| **grant > 0.0) {
        let slack = slacks.next().expect("one per demand above zero");
        *grant = grant.min(capacity * level * loading(*slack, level));
    }
}

/// (C / (V / K))^p of a layer: zero where it is memory-bound alone.
fn slack(demand: f64, capacity: f64) -> f64 {
    ((capacity / demand).powi(SHAPE) - 1.0).max(0.0)
}

/// u: the share of its time for which a layer loads at `level`, as a share of K.
fn loading(slack: f64, level: f64) -> f64 {
    inverse_cbrt(1.0 + slack * level.powi(SHAPE))
}

/// x^(-1/3) for x >= 1, to a few units in the last place: a third of the exponent, taken on the bits (as in the
/// well-known inverse square root), is right to 4 %, and a step leaves the fourth power of the error. Faster than
/// `cbrt`, and the same on every platform.
fn inverse_cbrt(x: f64) -> f64 {
    /// 4/3 of the bits of 1, shifted so that the largest error is smallest.
    const THIRD: u64 = 0x553E_F0FF_289D_D796;
    let mut root = f64::from_bits(THIRD - x.to_bits() / 3);
    for _ in 0..2 {
        let error = 1.0 - x * root * root * root;
        root += root * error * (1.0 / 3.0 + error * (2.0 / 9.0 + error * (14.0 / 81.0)));
    }
    root
}

/// The level, as a share of K, at which the grants add up to what a DRAM delivers that never idles while a layer loads.
/// It lies between 1 / n, if all layers always load, and 1. Newton's method on excess = sum(u) level - busy, from the
/// left.
fn level(slacks: &[f64]) -> f64 {
    let (mut low, mut high) = (1.0 / slacks.len() as f64, 1.0);
    let mut level = low;
    for _ in 0..MAX_STEPS {
        let (excess, slope) = excess(slacks, level);
        if excess <= 0.0 {
            low = level
        } else {
            high = level
        }
        let newton = level - excess / slope;
        let next = if (low..=high).contains(&newton) { newton } else { (low + high) / 2.0 };
        // The error after a step is of the order of its square.
        if (next - level).abs() <= 1e-8 * level {
            return next;
        }
        level = next;
    }
    level
}

/// sum(u) level - (1 - prod(1 - u)), and its derivative by the level.
fn excess(slacks: &[f64], level: f64) -> (f64, f64) {
    let (mut granted, mut idle) = (0.0, 1.0);
    // The derivatives of the grants, and of the logarithm of the idle time.
    let (mut slope, mut idle_slope) = (0.0, 0.0);
    for &slack in slacks {
        let u = loading(slack, level);
        let u4 = u.powi(SHAPE + 1);
        granted += level * u;
        slope += u4;
        idle *= 1.0 - u;
        if u < 1.0 {
            idle_slope += slack * level.powi(SHAPE - 1) * u4 / (1.0 - u);
        }
    }
    (granted - (1.0 - idle), slope + idle * idle_slope)
}
