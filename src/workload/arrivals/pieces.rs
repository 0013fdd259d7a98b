//! Poisson processes whose rate is constant for a while, then another: what is left of the current piece.

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use super::Process;
use super::gaps::Gaps;
use crate::units::Time;

/// A time in which the rate is constant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) rate_per_s: f64,
    pub(super) length_s: f64,
}

/// The Poisson process through the pieces that a closure draws. Some of them must have a rate above zero.
pub(super) fn process(mut next: impl FnMut(&mut ChaCha8Rng) -> Piece + Send + 'static) -> Box<dyn Process> {
    let mut piece = Piece { rate_per_s: 0.0, length_s: 0.0 };
    Gaps::process(move |rng| {
        // The integral of the rate up to the next request is exponential with mean 1.
        let mut left: f64 = Exp1.sample(rng);
        let mut gap_s = 0.0;
        loop {
            let of_piece = piece.rate_per_s * piece.length_s;
            if left < of_piece {
                let wait_s = left / piece.rate_per_s;
                piece.length_s -= wait_s;
                return gap_s + wait_s;
            }
            left -= of_piece;
            gap_s += piece.length_s;
            // A stream that has outlived the clock is over.
            if gap_s > Time::MAX.as_s() {
                return f64::INFINITY;
            }
            piece = next(rng);
        }
    })
}
