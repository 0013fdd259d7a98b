//! Fluid limits of a fleet: the largest rate at which it can serve a mix of clients, and the most value that it can give
//! at a given rate. Delays, queues and deadlines do not count.
//!
//! There are several ways to serve a request: at a site, with a variant, in a batch. Each takes some seconds of every
//! resource that it uses, and gives a value. Both limits are linear programs over the share of each client's requests that
//! is served each way.
//!
//! What a way takes of a site is what the best split of its network's layers alone takes ([`mix_saturation`]). Networks
//! that share a site could be split better together, so that with several networks the limits may be lower than the true
//! ones; with one they are exact.

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Solution, Variable};

use super::{SaturationError, mix_saturation};
use crate::sim::World;

/// A way to serve the requests of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The client, by number.
    pub client: usize,
    /// The value of an answer.
    pub value: f64,
    /// The resources that one request takes, by number, and for how many seconds.
    pub uses: Vec<(usize, f64)>,
}

/// The largest rate, and what it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct FluidRate {
    /// Requests per second of all clients together; infinite if no way takes anything.
    pub per_s: f64,
    /// The share of each resource that is used at that rate.
    pub used: Vec<f64>,
}

/// The largest rate if `shares[c]` of the requests come from client c.
///
/// # Errors
/// A client has no way, or the solver fails.
pub fn largest_rate(ways: &[Way], shares: &[f64]) -> Result<FluidRate, SaturationError> {
    let scale_s = scale(ways);
    if scale_s == 0.0 {
        return Ok(FluidRate { per_s: f64::INFINITY, used: Vec::new() });
    }
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let busiest = problem.add_var(1.0, (0.0, f64::INFINITY));
    let fractions: Vec<Variable> = ways.iter().map(|_| problem.add_var(0.0, (0.0, 1.0))).collect();
    for (client, &share) in shares.iter().enumerate() {
        problem.add_constraint(of_client(ways, &fractions, client), ComparisonOp::Eq, share);
    }
    for mut used in by_resource(ways, &fractions, scale_s) {
        used.add(busiest, -1.0);
        problem.add_constraint(used, ComparisonOp::Le, 0.0);
    }
    let solution = solve(&problem)?;
    let per_s = 1.0 / (solution[busiest] * scale_s);
    let mut used = vec![0.0; resources(ways)];
    for (way, &fraction) in ways.iter().zip(&fractions) {
        way.uses
            .iter()
            .for_each(|&(resource, seconds)| used[resource] += solution[fraction] * seconds * per_s);
    }
    Ok(FluidRate { per_s, used })
}

/// The largest mean value per request, if `rates_per_s[c]` requests per second come from client c and requests that are not
/// served are worth nothing.
///
/// # Errors
/// The solver fails.
pub fn largest_value(ways: &[Way], rates_per_s: &[f64]) -> Result<f64, SaturationError> {
    let total: f64 = rates_per_s.iter().sum();
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let fractions: Vec<Variable> = ways.iter().map(|way| problem.add_var(way.value, (0.0, 1.0))).collect();
    for (client, rate) in rates_per_s.iter().enumerate() {
        problem.add_constraint(of_client(ways, &fractions, client), ComparisonOp::Le, rate / total);
    }
    let scale_s = scale(ways);
    if scale_s > 0.0 {
        for used in by_resource(ways, &fractions, scale_s) {
            problem.add_constraint(used, ComparisonOp::Le, 1.0 / (total * scale_s));
        }
    }
    Ok(solve(&problem)?.objective())
}

fn solve(problem: &Problem) -> Result<Solution, SaturationError> {
    let solved = problem.solve().map_err(|e| SaturationError::Solver(e.to_string()))?;
    Ok(solved.into_solution().expect("a solve without limits is not interrupted"))
}

/// The seconds per request of each resource of a site, its memories and links last, if only requests for one network come.
///
/// # Errors
/// No accelerator of the site runs one of the layers.
pub fn seconds_per_request(
    world: &World,
    network: usize,
    dram_bytes_per_s: f64,
) -> Result<Vec<f64>, SaturationError> {
    let shares: Vec<f64> = (0..world.networks.len()).map(|n| f64::from(u8::from(n == network))).collect();
    let alone = mix_saturation(world, &shares, dram_bytes_per_s)?;
    let used = alone.model_utilization.iter().chain(&alone.dram_utilization);
    Ok(used.map(|used| used / alone.requests_per_s).collect())
}

fn scale(ways: &[Way]) -> f64 {
    ways.iter().flat_map(|way| &way.uses).map(|&(_, seconds)| seconds).fold(0.0, f64::max)
}

/// One more than the number of the last resource.
fn resources(ways: &[Way]) -> usize {
    ways.iter().flat_map(|way| &way.uses).map(|&(resource, _)| resource + 1).max().unwrap_or(0)
}

fn of_client(ways: &[Way], fractions: &[Variable], client: usize) -> LinearExpr {
    let mut sum = LinearExpr::empty();
    let own = ways.iter().zip(fractions).filter(|(way, _)| way.client == client);
    own.for_each(|(_, &fraction)| sum.add(fraction, 1.0));
    sum
}

/// The use of each resource in multiples of `scale_s`.
fn by_resource(ways: &[Way], fractions: &[Variable], scale_s: f64) -> Vec<LinearExpr> {
    let mut used = vec![LinearExpr::empty(); resources(ways)];
    for (way, &fraction) in ways.iter().zip(fractions) {
        way.uses.iter().for_each(|&(resource, seconds)| used[resource].add(fraction, seconds / scale_s));
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(client: usize, value: f64, uses: &[(usize, f64)]) -> Way {
        Way { client, value, uses: uses.to_vec() }
    }

    /// Two sites of 10 and 40 requests per second serve 50; a link of 20 before the second leaves 30.
    #[test]
    fn rates_of_sites_add_up_to_what_the_links_let_through() {
        let sites = [way(0, 1.0, &[(0, 0.1)]), way(0, 1.0, &[(1, 0.025)])];
        assert!((largest_rate(&sites, &[1.0]).unwrap().per_s - 50.0).abs() < 1e-9);
        let linked = [way(0, 1.0, &[(0, 0.1)]), way(0, 1.0, &[(1, 0.025), (2, 0.05)])];
        let FluidRate { per_s, used } = largest_rate(&linked, &[1.0]).unwrap();
        assert!((per_s - 30.0).abs() < 1e-9, "{per_s}");
        let expected = [1.0, 0.5, 1.0];
        assert!(used.iter().zip(expected).all(|(used, expected)| (used - expected).abs() < 1e-9), "{used:?}");
    }

    /// A way that takes nothing bounds nothing, and a client without a way cannot be served.
    #[test]
    fn extremes_are_told_apart() {
        assert_eq!(largest_rate(&[way(0, 1.0, &[])], &[1.0]).unwrap().per_s, f64::INFINITY);
        assert!(largest_rate(&[way(0, 1.0, &[(0, 1.0)])], &[0.5, 0.5]).is_err());
    }

    /// Fang's small problem (section 6.8 of the notes on requests, computed exactly there): variants that take 1.5, 1 and
    /// 0.5 slots per request at batch 4 with accuracies 1, 0.85 and 0.7. At 0.8 requests per slot the bound is 0.925.
    #[test]
    fn the_bound_of_fangs_small_problem() {
        let variants = [way(0, 1.0, &[(0, 1.5)]), way(0, 0.85, &[(0, 1.0)]), way(0, 0.7, &[(0, 0.5)])];
        let of = |rate: f64| largest_value(&variants, &[rate]).unwrap();
        assert!((of(0.6) - 1.0).abs() < 1e-9, "{}", of(0.6));
        assert!((of(0.8) - 0.925).abs() < 1e-9, "{}", of(0.8));
        assert!((of(4.0) - 0.35).abs() < 1e-9, "{}", of(4.0));
    }
}
