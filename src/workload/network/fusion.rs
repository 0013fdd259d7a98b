//! Post-processing fused into the layer before it, as accelerators and their compilers do it: NVDLA's post-processors
//! for single points and planes (SDP, PDP) take the convolution's output on its way to memory, and read a second
//! operand from there.
//!
//! A vector layer becomes a part of the layer before it, its **host**, and the two are one sub-job on one accelerator:
//!
//! - **element-wise**: the host's output is one of its operands and as large as its own output. Of several such hosts (a
//!   residual add may have one on each branch) it is the one at the end of the longest path, so that the other branch
//!   runs meanwhile. The other operands are read from DRAM.
//! - **pool**: the host's output is all that it reads.
//! - A host is a layer with MACs or a vector layer (a look-up has no arithmetic), with whatever has been fused into it.
//!   Nobody else reads its output, and the network does not hand it out, so that it need not exist in DRAM.
//! - **concat** vanishes: its readers read from the places of its parts, and come after the layers that write these.
//!
//! Which operations fuse is for the accelerators of a system to say (`SystemSpec::fuses`).

use super::Network;
use crate::dims::{LayerKind, PostOp};
use crate::workload::layer::{Layer, Op, Post};
use crate::workload::names::Names;

/// A layer of the file with all that is fused into it.
#[derive(Debug)]
struct Group {
    /// Layers of the file, in the order in which they run.
    members: Vec<usize>,
    /// The groups whose outputs they read, ascending.
    after: Vec<usize>,
    /// Groups on the longest path that ends here.
    depth: usize,
}

/// Where the output of a layer of the file is found.
#[derive(Debug)]
enum Home {
    /// Behind the last member of a group.
    Group(usize),
    /// In several places, as the join has vanished.
    Parts(Vec<usize>),
}

impl Network {
    /// The network after fusing every vector operation for which `fuses(kind of the host, operation)` holds. A layer
    /// with others fused into it is named after all of them: `conv3+add`.
    pub fn fused(&self, fuses: impl Fn(LayerKind, PostOp) -> bool) -> Self {
        let stays_inside = self.read_once();
        let mut groups: Vec<Group> = Vec::with_capacity(self.layers.len());
        let mut homes: Vec<Home> = Vec::with_capacity(self.layers.len());
        for (place, layer) in self.layers.iter().enumerate() {
            let after = places(layer.after.iter().map(|&i| &homes[i]));
            if layer.post_op == Some(PostOp::Concat)
                && !after.is_empty()
                && fuses(layer.op.kind(), PostOp::Concat)
            {
                homes.push(Home::Parts(after));
                continue;
            }
            let hosts = layer.after.iter().filter(|&&i| stays_inside[i]).filter_map(|&i| match homes[i] {
                Home::Group(group) => Some(group),
                Home::Parts(_) => None,
            });
            let can_host = |group: &usize| {
                let members = &groups[*group].members;
                let host = &self.layers[members[0]];
                let output = &self.layers[members[members.len() - 1]];
                takes(layer, output.op.output_elements())
                    .is_some_and(|op| host.op.kind() != LayerKind::Lookup && fuses(host.op.kind(), op))
            };
            let host = hosts.filter(can_host).max_by_key(|&group| (groups[group].depth, group));
            let group = host.unwrap_or_else(|| {
                groups.push(Group { members: Vec::new(), after: Vec::new(), depth: 0 });
                groups.len() - 1
            });
            join(&mut groups, group, place, &after);
            homes.push(Home::Group(group));
        }
        Self { layers: self.layers_of(groups), ..self.clone() }
    }

    /// For each layer, whether its output is for one other layer only.
    fn read_once(&self) -> Vec<bool> {
        let mut readers = vec![0; self.layers.len()];
        self.layers.iter().flat_map(|layer| &layer.after).for_each(|&i| readers[i] += 1);
        self.layers.iter().zip(readers).map(|(layer, readers)| readers == 1 && !layer.is_output).collect()
    }

    /// The layers that groups become. A group comes where its last member was, behind all that its members read: only
    /// the output of a last member is read by other groups.
    fn layers_of(&self, mut groups: Vec<Group>) -> Vec<Layer> {
        let last = |group: &Group| group.members[group.members.len() - 1];
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&group| last(&groups[group]));
        let mut position = vec![0; groups.len()];
        order.iter().enumerate().for_each(|(new, &group)| position[group] = new);
        let mut names = Names::default();
        let layers = order.iter().map(|&group| {
            let Group { members, after, .. } = &mut groups[group];
            let mut after: Vec<usize> = after.iter().map(|&i| position[i]).collect();
            after.sort_unstable();
            let members: Vec<&Layer> = members.iter().map(|&i| &self.layers[i]).collect();
            let words: Vec<&str> = members.iter().map(|layer| layer.name.as_str()).collect();
            let (first, rest) = members.split_first().expect("a group has a member");
            Layer {
                name: names.unique(words.join("+")),
                op: first.op,
                post_op: first.post_op,
                fused: members.iter().flat_map(|layer| layer.fused.iter().cloned()).collect(),
                post: first.post.iter().copied().chain(rest.iter().filter_map(|layer| post(layer))).collect(),
                is_output: members[members.len() - 1].is_output,
                after,
            }
        });
        layers.collect()
    }
}

/// The groups at some homes, ascending.
fn places<'a>(homes: impl Iterator<Item = &'a Home>) -> Vec<usize> {
    let mut places: Vec<usize> = homes
        .flat_map(|home| match home {
            Home::Group(group) => std::slice::from_ref(group),
            Home::Parts(parts) => parts,
        })
        .copied()
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Adds the layer at `place`, which reads the outputs of the groups `after`, to a group.
fn join(groups: &mut [Group], group: usize, place: usize, after: &[usize]) {
    let mut all: Vec<usize> =
        groups[group].after.iter().chain(after).copied().filter(|&i| i != group).collect();
    all.sort_unstable();
    all.dedup();
    let depth = 1 + all.iter().map(|&i| groups[i].depth).max().unwrap_or(0);
    groups[group].members.push(place);
    (groups[group].after, groups[group].depth) = (all, depth);
}

/// The operation of a vector layer, if it can run at an output of so many elements.
fn takes(layer: &Layer, output: u64) -> Option<PostOp> {
    let Post { op, reads, writes, .. } = post(layer)?;
    let fits = match op {
        PostOp::Elementwise => writes == output && reads >= output,
        PostOp::Pool => reads == output,
        PostOp::Concat => false,
    };
    fits.then_some(op)
}

fn post(layer: &Layer) -> Option<Post> {
    match (layer.post_op, layer.op) {
        (Some(op), Op::Vector { reads, writes, ops }) => Some(Post { op, reads, writes, ops }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::layer::LoopNest;

    /// A 1 x 1 convolution of 4 to `k` channels on 2 x 2 pixels.
    fn conv(name: &str, k: u64, after: &[usize]) -> Layer {
        let nest =
            LoopNest { bounds: [1, 1, k, 4, 2, 2, 1, 1], stride: [1, 1], dilation: [1, 1], padding: [0; 2] };
        Layer::new(name, Op::Conv(nest), after.to_vec())
    }

    fn vector(name: &str, op: PostOp, [reads, writes]: [u64; 2], after: &[usize]) -> Layer {
        let layer = Layer::new(name, Op::Vector { reads, writes, ops: writes }, after.to_vec());
        Layer { post_op: Some(op), ..layer }
    }

    fn network(layers: Vec<Layer>) -> Network {
        Network { name: "net".into(), source: String::new(), totals: None, layers }
    }

    /// Name, post-processing as (reads, writes), predecessors.
    type Shape = (String, Vec<(u64, u64)>, Vec<usize>);

    fn shape(network: &Network) -> Vec<Shape> {
        let layers = network.layers.iter();
        layers
            .map(|layer| {
                let post = layer.post.iter().map(|post| (post.reads, post.writes)).collect();
                (layer.name.clone(), post, layer.after.clone())
            })
            .collect()
    }

    fn row(name: &str, post: &[(u64, u64)], after: &[usize]) -> Shape {
        (name.into(), post.to_vec(), after.to_vec())
    }

    #[test]
    fn a_residual_block_with_pooling_behind_it() {
        use PostOp::{Elementwise, Pool};
        let residual = network(vec![
            conv("a", 4, &[]),
            conv("b", 4, &[0]),
            conv("c", 4, &[1]),
            conv("shortcut", 4, &[0]),
            vector("add", Elementwise, [32, 16], &[2, 3]),
            vector("pool", Pool, [16, 4], &[4]),
        ]);
        // `c` is at the end of the longer path; it now waits for the shortcut, and so comes behind it.
        let all = [
            row("a", &[], &[]),
            row("b", &[], &[0]),
            row("shortcut", &[], &[0]),
            row("c+add+pool", &[(32, 16), (16, 4)], &[1, 2]),
        ];
        assert_eq!(shape(&residual.fused(|_, _| true)), all);
        let adds = residual.fused(|_, op| op == Elementwise);
        assert_eq!(shape(&adds)[3..], [row("c+add", &[(32, 16)], &[1, 2]), row("pool", &[], &[3])]);
        // A pool may follow a vector layer.
        let pools = residual.fused(|_, op| op == Pool);
        assert_eq!(shape(&pools)[4], row("add+pool", &[(16, 4)], &[2, 3]));
        assert_eq!(residual.fused(|_, _| false), residual);
        let only_gemm = residual.fused(|host, _| host == LayerKind::Gemm);
        assert_eq!(only_gemm, residual);
    }

    #[test]
    fn an_output_that_others_need_reaches_dram() {
        let two = |is_output| {
            let pooled = conv("a", 4, &[]);
            network(vec![
                Layer { is_output, ..pooled },
                vector("pool", PostOp::Pool, [16, 4], &[0]),
                vector("half", PostOp::Elementwise, [8, 8], &[0]),
            ])
        };
        assert_eq!(two(false).fused(|_, _| true), two(false), "two readers");
        let mut one = two(true);
        one.layers.pop();
        assert_eq!(one.fused(|_, _| true), one, "an output of the network");
        one.layers[0].is_output = false;
        assert_eq!(shape(&one.fused(|_, _| true)), [row("a+pool", &[(16, 4)], &[])]);
    }

    #[test]
    fn sizes_that_do_not_match_do_not_fuse() {
        // The output is repeated (broadcast), or pooled together with another.
        for layer in [
            vector("scale", PostOp::Elementwise, [80, 64], &[0]),
            vector("pool", PostOp::Pool, [32, 4], &[0]),
        ] {
            let network = network(vec![conv("a", 4, &[]), layer]);
            assert_eq!(network.fused(|_, _| true), network);
        }
        let table = Layer::new("table", Op::Lookup { reads: 16, writes: 16 }, vec![]);
        let after_lookup = network(vec![table, vector("add", PostOp::Elementwise, [32, 16], &[0])]);
        assert_eq!(after_lookup.fused(|_, _| true), after_lookup);
    }

    #[test]
    fn a_join_vanishes_and_its_readers_follow_its_parts() {
        let joined = network(vec![
            conv("a", 4, &[]),
            conv("b", 8, &[0]),
            conv("c", 8, &[0]),
            vector("cat", PostOp::Concat, [64, 64], &[1, 2]),
            vector("cat2", PostOp::Concat, [80, 80], &[0, 3]),
            conv("d", 4, &[4]),
            vector("pool", PostOp::Pool, [64, 16], &[3]),
        ]);
        let fused = shape(&joined.fused(|_, _| true));
        assert_eq!(fused[3..], [row("d", &[], &[0, 1, 2]), row("pool", &[], &[1, 2])]);
        assert_eq!(joined.fused(|_, op| op != PostOp::Concat), joined);
        // Nothing would be left.
        let alone = network(vec![vector("cat", PostOp::Concat, [8, 8], &[])]);
        assert_eq!(alone.fused(|_, _| true), alone);
    }
}
