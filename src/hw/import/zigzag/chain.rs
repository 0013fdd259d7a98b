//! One chain of levels from memories that are unrolled over different dimensions.

use super::Axis;
use super::memory::Memory;

/// An order of fan-outs, and the place of each memory in it.
pub(super) struct Chain {
    /// Axes from the outside in; those of one element are left out.
    pub(super) order: Vec<usize>,
    /// For each memory, how many fan-outs stand outside it.
    pub(super) depths: Vec<usize>,
}

impl Chain {
    /// The order with the fewest memories that occur more often than in the source; of several, the one with the
    /// fewest copies, then the first by the order of the axes. Memories come from the outside in.
    pub(super) fn closest(axes: &[Axis], memories: &[Memory]) -> Self {
        let spread: Vec<usize> = (0..axes.len()).filter(|&axis| axes[axis].size > 1).collect();
        let mut best: Option<((usize, u64), Self)> = None;
        for order in permutations(&spread) {
            let depths = depths(&order, memories);
            let mut copied = (0, 1u64);
            for (memory, &depth) in memories.iter().zip(&depths) {
                let extra = order[..depth].iter().filter(|axis| !memory.unserved.contains(axis));
                let copies: u64 = extra.map(|&axis| axes[axis].size).product();
                copied = (copied.0 + usize::from(copies > 1), copied.1.saturating_mul(copies));
            }
            if best.as_ref().is_none_or(|(least, _)| copied < *least) {
                best = Some((copied, Self { order, depths }));
            }
        }
        best.expect("even no axes have an order").1
    }
}

/// Each memory stands inside all fan-outs over dimensions that it does not serve, and inside the outer memories of its
/// operands.
fn depths(order: &[usize], memories: &[Memory]) -> Vec<usize> {
    let mut depths: Vec<usize> = vec![];
    for memory in memories {
        let own = order.iter().rposition(|axis| memory.unserved.contains(axis)).map_or(0, |place| place + 1);
        let outer = memories
            .iter()
            .zip(&depths)
            .filter(|(outer, _)| outer.keeps.iter().zip(memory.keeps).any(|(&theirs, ours)| theirs && ours));
        depths.push(outer.map(|(_, &depth)| depth).fold(own, usize::max));
    }
    depths
}

/// All orders, the given one first.
fn permutations(axes: &[usize]) -> Vec<Vec<usize>> {
    if axes.is_empty() {
        return vec![vec![]];
    }
    let mut all = vec![];
    for (i, &first) in axes.iter().enumerate() {
        let rest: Vec<usize> =
            axes.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &axis)| axis).collect();
        all.extend(permutations(&rest).into_iter().map(|rest| [vec![first], rest].concat()));
    }
    all
}
