//! The shortest ways between nodes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::LinkSpec;
use crate::units::Time;

/// The way from each node to each other one: of least delay; of several, that with the fewest links; of these, that whose
/// links, listed from the start, have the lowest numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    nodes: usize,
    /// Per ordered pair of nodes the delay of the way, if there is one.
    delays: Vec<Option<Time>>,
    /// Per ordered pair of nodes where its links start in `links`, and at the end the number of all links.
    starts: Vec<usize>,
    links: Vec<u32>,
}

/// How a way compares: delay, number of links, links.
type Way = (Time, usize, Vec<u32>);

impl Routes {
    /// The ways by these links.
    pub(super) fn new(nodes: usize, links: &[LinkSpec]) -> Self {
        let mut at_node = vec![Vec::new(); nodes];
        for (number, link) in links.iter().enumerate() {
            link.between.iter().for_each(|&node| at_node[node as usize].push(number as u32));
        }
        let mut routes = Self { nodes, delays: Vec::new(), starts: vec![0], links: Vec::new() };
        for from in 0..nodes as u32 {
            for way in ways_from(from, links, &at_node) {
                routes.delays.push(way.as_ref().map(|(delay, ..)| *delay));
                routes.links.extend(way.iter().flat_map(|(_, _, links)| links));
                routes.starts.push(routes.links.len());
            }
        }
        routes
    }

    /// The links of the way from one node to another, in order; `None` if there is no way. The way to itself has none.
    pub fn path(&self, from: u32, to: u32) -> Option<&[u32]> {
        let pair = self.pair(from, to);
        self.delays[pair].map(|_| &self.links[self.starts[pair]..self.starts[pair + 1]])
    }

    /// The sum of the delays of the links of the way.
    pub fn delay(&self, from: u32, to: u32) -> Option<Time> {
        self.delays[self.pair(from, to)]
    }

    fn pair(&self, from: u32, to: u32) -> usize {
        from as usize * self.nodes + to as usize
    }
}

/// The best way from a node to each node: Dijkstra's algorithm. A longer way is a worse one even over links without delay,
/// because it has more links.
fn ways_from(from: u32, links: &[LinkSpec], at_node: &[Vec<u32>]) -> Vec<Option<Way>> {
    let mut best: Vec<Option<Way>> = vec![None; at_node.len()];
    let mut open = BinaryHeap::from([Reverse(((Time::ZERO, 0, Vec::new()), from))]);
    while let Some(Reverse((way, node))) = open.pop() {
        if best[node as usize].is_some() {
            continue;
        }
        for &number in &at_node[node as usize] {
            let link = &links[number as usize];
            let next = link.other_end(node);
            if best[next as usize].is_none() {
                let (delay, count, path) = &way;
                let longer: Vec<u32> = path.iter().copied().chain([number]).collect();
                open.push(Reverse(((delay.saturating_add(link.delay), count + 1, longer), next)));
            }
        }
        best[node as usize] = Some(way);
    }
    best
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::fleet::LinkSharing;
    use crate::rng::stream;

    fn link(a: u32, b: u32, delay_us: f64) -> LinkSpec {
        LinkSpec {
            pj_per_bit: 0.0,
            between: [a, b],
            bytes_per_s: 1e9,
            delay: Time::from_us(delay_us),
            sharing: LinkSharing::Ps,
        }
    }

    #[test]
    fn the_way_is_the_quickest_then_the_one_with_fewest_links_then_the_lowest() {
        // A square with a diagonal 0-2 as long as two sides, two parallel links 2-3, and node 4 alone.
        let links = [
            link(0, 1, 1.0),
            link(1, 2, 1.0),
            link(3, 2, 1.0),
            link(2, 3, 1.0),
            link(0, 3, 1.0),
            link(0, 2, 2.0),
        ];
        let routes = Routes::new(5, &links);
        assert_eq!(routes.path(0, 2), Some(&[5][..]));
        assert_eq!(routes.path(2, 3), Some(&[2][..]));
        assert_eq!(routes.path(1, 3), Some(&[0, 4][..]));
        assert_eq!(routes.path(3, 1), Some(&[2, 1][..]));
        assert_eq!(routes.delay(1, 3), Some(Time::from_us(2.0)));
        assert_eq!((routes.path(4, 4), routes.delay(4, 4)), (Some(&[][..]), Some(Time::ZERO)));
        assert_eq!((routes.path(0, 4), routes.delay(0, 4)), (None, None));
    }

    /// Floyd and Warshall, by which a way is put together from the best ways to and from a node in between.
    fn slow(nodes: usize, links: &[LinkSpec]) -> Vec<Vec<Option<Way>>> {
        let mut best: Vec<Vec<Option<Way>>> = vec![vec![None; nodes]; nodes];
        let improve = |best: &mut Option<Way>, way: Way| {
            if best.as_ref().is_none_or(|known| way < *known) {
                *best = Some(way);
            }
        };
        for (number, link) in links.iter().enumerate() {
            let [a, b] = link.between.map(|node| node as usize);
            improve(&mut best[a][b], (link.delay, 1, vec![number as u32]));
            improve(&mut best[b][a], (link.delay, 1, vec![number as u32]));
        }
        (0..nodes).for_each(|node| best[node][node] = Some((Time::ZERO, 0, Vec::new())));
        for middle in 0..nodes {
            for from in 0..nodes {
                for to in 0..nodes {
                    if let (Some(first), Some(second)) = (&best[from][middle], &best[middle][to]) {
                        let path = first.2.iter().chain(&second.2).copied().collect();
                        let way = (first.0 + second.0, first.1 + second.1, path);
                        improve(&mut best[from][to], way);
                    }
                }
            }
        }
        best
    }

    #[test]
    fn ways_are_those_of_a_slower_algorithm() {
        let mut draws = stream(1, "test", "routes");
        for case in 0..500 {
            let nodes = draws.random_range(1..9u32);
            let count = if nodes == 1 { 0 } else { draws.random_range(0..16) };
            let links: Vec<LinkSpec> = (0..count)
                .map(|_| {
                    let a = draws.random_range(0..nodes);
                    let b = (a + draws.random_range(1..nodes)) % nodes;
                    // Few different delays, zero included, so that many ways tie.
                    link(a, b, f64::from(draws.random_range(0..3)))
                })
                .collect();
            let (routes, slow) = (Routes::new(nodes as usize, &links), slow(nodes as usize, &links));
            for from in 0..nodes {
                for to in 0..nodes {
                    let way = slow[from as usize][to as usize].as_ref();
                    let expected = way.map(|(delay, _, path)| (*delay, path.as_slice()));
                    let found = routes.delay(from, to).zip(routes.path(from, to));
                    assert_eq!(found, expected, "case {case}: {from} to {to} of {links:?}");
                }
            }
        }
    }
}
