//! The objective of the search, for mappings and for lower bounds alike.

use crate::cost::evaluate::Summary;
use crate::cost::passes::Tail;
use crate::cost::timing::layer_cycles;
use crate::hw::{AccelSpec, Objective};

/// The objective that the mapper minimises, with latency = max(c, DRAM bytes / bandwidth).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Latency, energy (leakage of the used instances included) or their product.
    pub objective: Objective,
    /// The DRAM bandwidth in GB/s at which latency is counted; may be infinite.
    pub bandwidth_gbps: f64,
}

/// The ingredients of a cost: exact for a mapping, or each at its lower bound.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ingredients {
    pub(super) steps: f64,
    pub(super) on_chip_cycles: f64,
    pub(super) port_cycles: f64,
    pub(super) dram_words: f64,
    pub(super) dynamic_pj: f64,
    /// The part of it that DRAM takes; for bounds only.
    pub(super) dram_pj: f64,
    pub(super) leak_pj_per_cycle: f64,
}

impl Ingredients {
    pub(super) fn of(summary: &Summary) -> Self {
        Self {
            steps: summary.steps as f64,
            on_chip_cycles: summary.on_chip_cycles as f64,
            port_cycles: summary.port_cycles as f64,
            dram_words: summary.dram_words as f64,
            dynamic_pj: summary.dynamic_pj,
            dram_pj: 0.0,
            leak_pj_per_cycle: summary.leak_pj_per_cycle,
        }
    }
}

/// The score of a mapping; lower is better. Equal objectives are decided by energy (for latency) or by latency (else).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    first: f64,
    second: f64,
}

/// What may be added to a cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slack {
    pub(super) pj: f64,
    pub(super) dram_words: f64,
}

impl Slack {
    pub(super) const NONE: Self = Self { pj: f64::NEG_INFINITY, dram_words: f64::NEG_INFINITY };

    pub(super) fn max(self, other: Self) -> Self {
        Self { pj: self.pj.max(other.pj), dram_words: self.dram_words.max(other.dram_words) }
    }
}

/// Relative difference below which two scores count as equal: above the rounding of the sums that lead to them.
const EQUAL: f64 = 1e-9;

impl Score {
    pub(super) const WORST: Self = Self { first: f64::INFINITY, second: f64::INFINITY };

    /// The score that mappings with a lower objective beat.
    pub(super) fn limit(first: f64) -> Self {
        Self { first, second: f64::INFINITY }
    }

    /// The objective.
    pub(super) fn first(self) -> f64 {
        self.first
    }

    /// Whether a mapping of this score (or, for a bound, some mapping at or above it) is better than `best`.
    pub(super) fn beats(self, best: Self) -> bool {
        if self.first < best.first * (1.0 - EQUAL) {
            return true;
        }
        self.first <= best.first * (1.0 + EQUAL) && self.second < best.second * (1.0 - EQUAL)
    }

    /// Total order for sorting.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.first.total_cmp(&other.first).then(self.second.total_cmp(&other.second))
    }
}

/// Rounded up, but for the noise of the arithmetic that led here.
fn whole_cycles(cycles: f64) -> f64 {
    (cycles * (1.0 - 1e-12)).ceil()
}

/// A goal on one accelerator.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    accel: &'a AccelSpec,
    objective: Objective,
    shared_cycles_per_word: f64,
    /// The least that the accelerator's own port takes for a word, in whatever direction.
    port_cycles_per_word: f64,
    /// What post-processing adds to every mapping, and so to every bound.
    tail: TailCosts,
}

#[derive(Debug)]
struct TailCosts {
    cycles: f64,
    dram_words: f64,
    pj: f64,
}

impl<'a> Judge<'a> {
    pub(super) fn new(accel: &'a AccelSpec, goal: Goal, tail: Tail) -> Self {
        let dram = accel.dram();
        let bytes_per_cycle = goal.bandwidth_gbps * 1e9 / accel.clock_hz;
        let both = dram.read_bandwidth_words_per_cycle.zip(dram.write_bandwidth_words_per_cycle);
        let port = dram.shared_bandwidth_words_per_cycle.or(both.map(|(read, write)| read + write));
        Self {
            accel,
            objective: goal.objective,
            shared_cycles_per_word: dram.word_bits as f64 / 8.0 / bytes_per_cycle,
            port_cycles_per_word: port.map_or(0.0, f64::recip),
            tail: TailCosts {
                cycles: tail.cycles(accel) as f64,
                dram_words: tail.more_words(),
                pj: tail.more_dram_pj(accel) + tail.ops_pj(accel),
            },
        }
    }

    /// Whether the objective grows with energy; if not, energy decides between equals only.
    pub(super) fn counts_energy(&self) -> bool {
        self.objective != Objective::Latency
    }

    /// Whether the objective grows with latency.
    pub(super) fn counts_latency(&self) -> bool {
        self.objective != Objective::Energy
    }

    /// Cycles c, not rounded.
    pub(super) fn cycles(&self, cost: &Ingredients) -> f64 {
        layer_cycles(self.accel, cost.steps, cost.on_chip_cycles, cost.port_cycles)
    }

    pub(super) fn score(&self, cost: &Ingredients) -> Score {
        let cycles = self.cycles(cost);
        let latency = cycles.max(cost.dram_words * self.shared_cycles_per_word);
        let energy = cost.dynamic_pj + cost.leak_pj_per_cycle * cycles;
        let (first, second) = match self.objective {
            Objective::Latency => (latency, energy),
            Objective::Energy => (energy, latency),
            Objective::Edp => (energy * latency, latency),
        };
        Score { first, second }
    }

    /// The score that no mapping with at least these ingredients can undercut, which leave out what runs at the output;
    /// the port's cycles follow from the words.
    /// Every buffer takes whole cycles: without rounding, a bound just below a best that cannot be undercut would keep
    /// the search going among millions of equals.
    pub(super) fn floor(&self, least: Ingredients) -> Score {
        self.score(&self.whole(least))
    }

    fn whole(&self, mut least: Ingredients) -> Ingredients {
        least.dram_words = (least.dram_words + self.tail.dram_words).max(0.0);
        least.dynamic_pj += self.tail.pj;
        least.port_cycles = whole_cycles(least.port_cycles.max(least.dram_words * self.port_cycles_per_word));
        least.on_chip_cycles = whole_cycles(least.on_chip_cycles).max(self.tail.cycles);
        least
    }

    /// How much more a mapping may take than `least` and still be as good as `best`.
    pub(super) fn slack(&self, least: Ingredients, best: Score) -> Slack {
        let least = self.whole(least);
        let cycles = self.cycles(&least);
        let latency = cycles.max(least.dram_words * self.shared_cycles_per_word);
        let energy = least.dynamic_pj + least.leak_pj_per_cycle * cycles;
        let limit = best.first * (1.0 + 2.0 * EQUAL);
        let (pj, longest) = match self.objective {
            Objective::Latency => (f64::INFINITY, limit),
            Objective::Energy => (limit, f64::INFINITY),
            Objective::Edp => (limit / latency, limit / energy),
        };
        Slack { pj: pj - energy, dram_words: longest / self.shared_cycles_per_word - least.dram_words }
    }
}
