//! The credit of requests: what the noise of a spell of a request's life was worth, compared with other plays of the same
//! arrivals.
//!
//! The return of a spell of a request j counts the deadlines that it can have influenced: its own and those of every request that
//! was in flight with it, one each, and later ones less and less, exp(-(a_i - d_j) / tau) for a request that arrives at
//! a_i. At a price of energy, what each of these requests took is taken off at that price. Its advantage is the return less the
//! mean of those in the other plays (leave-one-out: Kool et al., 2019): no critic is needed, because all plays of a group face
//! the same arrivals.

use super::collect::Fate;

/// Requests that count less are left out. Our choice, because they add nothing but work.
const LEAST: f64 = 0.02;

/// What the end of a request is worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    /// A deadline met.
    pub(super) sla: f64,
    /// The price of energy.
    pub(super) price: f64,
}

impl Worth {
    fn of(self, fate: &Fate) -> f64 {
        let met = if fate.met { self.sla } else { 0.0 };
        met - self.price * fate.energy
    }
}

/// The advantages by play and spell: that of spell s of request r is at r x `spells` + s. `horizon` is tau as a multiple
/// of the mean time from arrival to deadline.
pub(super) fn advantages(plays: &[&[Fate]], worth: Worth, spells: u32, horizon: f64) -> Vec<Vec<f64>> {
    let requests = plays.iter().map(|fates| fates.len()).min().unwrap_or(0);
    let terms: f64 = plays[0].iter().map(|fate| (fate.deadline - fate.arrival).as_ps()).sum();
    let tau_ps = (horizon * terms / plays[0].len().max(1) as f64).max(1.0);
    leave_one_out(plays.iter().map(|fates| returns(&fates[..requests], worth, spells, tau_ps)).collect())
}

/// Returns by play and request, less the mean of those of the same request in the other plays.
pub(super) fn leave_one_out(mut returns: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let count = returns.len() as f64;
    for request in 0..returns[0].len() {
        let mean = returns.iter().map(|of_play| of_play[request]).sum::<f64>() / count;
        for of_play in &mut returns {
            of_play[request] = (of_play[request] - mean) * count / (count - 1.0);
        }
    }
    returns
}

/// The return of every spell of a play. What ends before the spell begins cannot be due to it.
fn returns(fates: &[Fate], worth: Worth, spells: u32, tau_ps: f64) -> Vec<f64> {
    let worth: Vec<[f64; 3]> = fates
        .iter()
        .map(|fate| [fate.arrival.as_ps(), fate.deadline.as_ps(), worth.of(fate)])
        .filter(|[.., worth]| *worth != 0.0)
        .collect();
    let of_spell = |own: &Fate, spell: u32| {
        let due_ps = own.deadline.as_ps();
        let begins_ps =
            own.arrival.as_ps() + f64::from(spell) / f64::from(spells) * (own.deadline - own.arrival).as_ps();
        let counts = |&[arrival_ps, deadline_ps, worth]: &[f64; 3]| {
            let share = (-(arrival_ps - due_ps).max(0.0) / tau_ps).exp();
            (deadline_ps > begins_ps && share >= LEAST).then_some(share * worth)
        };
        worth.iter().filter_map(counts).sum::<f64>()
    };
    fates.iter().flat_map(|own| (0..spells).map(move |spell| of_spell(own, spell))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;

    /// A request of 10 ns from `at` on.
    fn fate(at: u64, met: bool) -> Fate {
        Fate {
            arrival: Time(at * 1_000),
            deadline: Time((at + 10) * 1_000),
            met,
            energy: 0.5,
            measured: true,
        }
    }

    #[test]
    fn credit_by_hand() {
        // The second request is in flight with the first, the third arrives 10 ns, one term, after the first is due,
        // and the last is too far.
        let first = [fate(0, true), fate(5, true), fate(20, true), fate(200, true)];
        let free = Worth { sla: 1.0, price: 0.0 };
        let of_first = returns(&first, free, 1, 10_000.0);
        let e = f64::exp(-1.0);
        assert!((of_first[0] - (2.0 + e)).abs() < 1e-12, "{of_first:?}");
        assert!((of_first[1] - (2.0 + f64::exp(-0.5))).abs() < 1e-12, "{of_first:?}");
        assert_eq!(of_first[2..], [1.0, 1.0]);
        // Another play misses the first and the third: the first loses 1 + e of its return, the second 1 + sqrt e, and
        // the mean of two leaves half, which leave-one-out doubles.
        let second = [fate(0, false), fate(5, true), fate(20, false), fate(200, true)];
        let all = advantages(&[&first, &second], free, 1, 1.0);
        let expected = [1.0 + e, 1.0 + f64::exp(-0.5), 1.0, 0.0];
        for ((a, b), expected) in all[0].iter().zip(&all[1]).zip(expected) {
            assert!((a - expected).abs() < 1e-12 && (a + b).abs() < 1e-12, "{all:?}");
        }
        // At a price of 0.4 each of them costs 0.2, met or not.
        let thrifty = returns(&second, Worth { sla: 1.0, price: 0.4 }, 1, 10_000.0);
        assert!((thrifty[0] - (1.0 - 0.2 * (2.0 + e))).abs() < 1e-12, "{thrifty:?}");
    }
}
