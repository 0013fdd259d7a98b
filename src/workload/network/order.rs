//! Topological order of a DAG given as lists of predecessors.

use std::collections::BTreeSet;

/// Kahn's algorithm, smallest original index first, so that a file in topological order keeps its order.
///
/// The error is a node on a cycle.
pub(super) fn topological_order(after: &[Vec<usize>]) -> Result<Vec<usize>, usize> {
    let mut waiting: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut successors = vec![Vec::new(); after.len()];
    for (node, predecessors) in after.iter().enumerate() {
        predecessors.iter().for_each(|&p| successors[p].push(node));
    }
    let mut ready: BTreeSet<usize> = (0..after.len()).filter(|&i| waiting[i] == 0).collect();
    let mut order = Vec::with_capacity(after.len());
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for &next in &successors[node] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.insert(next);
            }
        }
    }
    match waiting.iter().position(|&w| w > 0) {
        Some(stuck) => Err(on_cycle(after, &waiting, stuck)),
        None => Ok(order),
    }
}

/// Walks from a stuck node to stuck predecessors; every stuck node has one, so after as many steps as there are
/// nodes the walk is on a cycle.
fn on_cycle(after: &[Vec<usize>], waiting: &[usize], stuck: usize) -> usize {
    (0..after.len()).fold(stuck, |node, _| {
        let previous = after[node].iter().copied().find(|&p| waiting[p] > 0);
        previous.expect("a node is stuck only behind a stuck predecessor")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_order_is_kept_where_it_can_be() {
        assert_eq!(topological_order(&[vec![2], vec![], vec![1]]), Ok(vec![1, 2, 0]));
    }

    #[test]
    fn the_error_is_on_the_cycle_and_not_merely_behind_it() {
        assert_eq!(topological_order(&[vec![1], vec![2], vec![1]]), Err(1));
        assert_eq!(topological_order(&[vec![1], vec![2], vec![2]]), Err(2));
    }
}
