//! The queue M/D^(a,b)/1: Poisson arrivals; when the server is free and at least a requests wait, as many as wait, at most
//! b, are served together in a time that depends on their number.
//!
//! Seen whenever the server gets free, the number of those that wait is a Markov chain: with n of them, k = min(n, b) are
//! served and n - k are left, and a Poisson number arrives during s(k); if n is below a, the server waits for a. The mean
//! number of requests in the system is the mean area below their number over the mean time from one free server to the
//! next, and with Little's law the mean delay follows.

use crate::exp::exp;

/// A queue of one server.
#[derive(Clone, Debug)]
pub(super) struct Bulk {
    /// Arrivals per time.
    pub(super) rate: f64,
    /// The service of 1, 2, ... b requests together.
    pub(super) services: Vec<f64>,
    /// What such a service costs, in units of the mean delay times the time between services.
    pub(super) costs: Vec<f64>,
}

/// The largest utilisation in full batches for which the chain is solved. Our choice: above it nearly every batch is full
/// whatever the limit is.
const FULLEST: f64 = 0.95;

/// The largest number of steps of the power method, and the largest change of a probability at its end. Our choice: exact
/// to four digits in all cases of the tests.
const STEPS: usize = 5_000;
const EXACT: f64 = 1e-9;

/// Arrivals less likely than this are left out.
const RARE: f64 = 1e-12;

impl Bulk {
    /// The limit a with the least mean delay plus costs per time, and the multiplications that it took. Without arrivals,
    /// and where the server is nearly full, that is 1.
    pub(super) fn best_limit(&self) -> (usize, u64) {
        let b = self.services.len();
        let full = self.rate * self.services[b - 1] / b as f64;
        if self.rate == 0.0 || full >= FULLEST {
            return (1, 1);
        }
        let arrivals: Vec<Vec<f64>> = self.services.iter().map(|s| poisson(self.rate * s)).collect();
        let (mut best, mut spent) = ((1, f64::INFINITY), 0);
        for limit in 1..=b {
            let (chain, operations) = self.chain(limit, &arrivals);
            spent += operations;
            let (delay, power) = self.means(limit, &chain);
            if delay + power < best.1 {
                best = (limit, delay + power);
            }
        }
        (best.0, spent)
    }

    /// The number that is served together, if n wait and the server has waited for the limit.
    fn served(&self, n: usize, limit: usize) -> (usize, usize) {
        let n = n.max(limit);
        (n, n.min(self.services.len()))
    }

    /// The probabilities of 0, 1, ... waiting at a free server, by the power method.
    fn chain(&self, limit: usize, arrivals: &[Vec<f64>]) -> (Vec<f64>, u64) {
        let b = self.services.len();
        // The number that waits falls off like a power of the utilisation; at 0.95 this is below a millionth of it.
        let states = 16 * b + 32;
        let mut now = vec![0.0; states];
        now[0] = 1.0;
        let mut operations = 0;
        for _ in 0..STEPS {
            let mut next = vec![0.0; states];
            for (n, &probability) in now.iter().enumerate().filter(|(_, probability)| **probability > RARE) {
                let (there, k) = self.served(n, limit);
                operations += arrivals[k - 1].len() as u64;
                for (more, share) in arrivals[k - 1].iter().enumerate() {
                    next[(there - k + more).min(states - 1)] += probability * share;
                }
            }
            let changes = now.iter().zip(&next).map(|(before, after)| (before - after).abs());
            let change = changes.fold(0.0, f64::max);
            now = next;
            if change < EXACT {
                break;
            }
        }
        (now, operations)
    }

    /// The mean delay and the mean cost per time.
    fn means(&self, limit: usize, chain: &[f64]) -> (f64, f64) {
        let (mut time, mut area, mut cost) = (0.0, 0.0, 0.0);
        for (n, probability) in chain.iter().enumerate() {
            let (there, k) = self.served(n, limit);
            let service = self.services[k - 1];
            let waiting = (n..there).map(|m| m as f64 / self.rate).sum::<f64>();
            time += probability * ((there - n) as f64 / self.rate + service);
            area += probability * (waiting + there as f64 * service + self.rate * service * service / 2.0);
            cost += probability * self.costs[k - 1];
        }
        (area / time / self.rate, cost / time)
    }
}

/// The probabilities of 0, 1, ... events, up to where they are rare.
fn poisson(mean: f64) -> Vec<f64> {
    let mut all = vec![exp(-mean)];
    loop {
        let n = all.len() as f64;
        let next = all[all.len() - 1] * mean / n;
        if n > mean && next < RARE {
            return all;
        }
        all.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(alpha: f64, beta: f64, rate: f64, b: u32) -> Bulk {
        let services: Vec<f64> = (1..=b).map(|k| alpha + beta * f64::from(k)).collect();
        Bulk { rate, costs: vec![0.0; services.len()], services }
    }

    fn delay(bulk: &Bulk, limit: usize) -> f64 {
        let arrivals: Vec<Vec<f64>> = bulk.services.iter().map(|s| poisson(bulk.rate * s)).collect();
        bulk.means(limit, &bulk.chain(limit, &arrivals).0).0
    }

    /// s(k) = alpha + beta k, at most 8: mean delays for limits of 1, 2, 4 and 8 from a chain of 300 states solved by
    /// elimination (numpy), which an independent simulation confirms.
    #[test]
    fn mean_delays_of_linear_services() {
        let rows = [
            (1.0, 0.0, 4.0, [1.5071, 1.5014, 1.5236, 1.8843]),
            (1.0, 0.0, 6.4, [1.6518, 1.6512, 1.6470, 1.6988]),
            (0.8, 0.2, 2.0, [2.2634, 2.2860, 2.6816, 4.2116]),
            (0.8, 0.2, 3.0, [3.9418, 3.9405, 3.9974, 4.6466]),
            (0.5, 0.5, 1.5, [4.5714, 4.7028, 5.4639, 7.8821]),
            (0.1, 0.9, 0.9, [4.3475, 5.3296, 7.6541, 12.547]),
        ];
        for (alpha, beta, rate, delays) in rows {
            let bulk = linear(alpha, beta, rate, 8);
            for (limit, expected) in [1, 2, 4, 8].into_iter().zip(delays) {
                let found = delay(&bulk, limit);
                assert!((found / expected - 1.0).abs() < 2e-4, "{alpha} {beta} {rate} {limit}: {found}");
            }
        }
    }

    /// Limit 1 and single services are the queue M/D/1: T = s + rho s / (2 (1 - rho)).
    #[test]
    fn single_services_are_the_formula_of_pollaczek_and_khinchine() {
        assert!((delay(&linear(1.0, 0.0, 0.5, 1), 1) - 1.5).abs() < 1e-6);
        assert!((delay(&linear(2.0, 0.0, 0.25, 1), 1) - 3.0).abs() < 1e-6);
    }

    #[test]
    fn power_raises_the_limit() {
        assert_eq!(linear(0.8, 0.2, 2.0, 8).best_limit().0, 1);
        // Each service costs 1 for the launch: 2 / (mean batch) per time.
        let dear = |cost: f64| Bulk { costs: vec![cost; 8], ..linear(0.8, 0.2, 2.0, 8) };
        let limits = [0.0, 1.0, 4.0, 100.0].map(|cost| dear(cost).best_limit().0);
        assert!(limits.is_sorted() && limits[3] == 8 && limits[2] > 1, "{limits:?}");
        // No arrivals; more than it can serve.
        assert_eq!(
            [linear(1.0, 0.0, 0.0, 8).best_limit().0, linear(1.0, 0.0, 9.0, 8).best_limit().0],
            [1, 1]
        );
    }
}
