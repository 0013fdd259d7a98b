//! Post-processing fused into the layer before it, as accelerators and their compilers do it: NVDLA's post-processors
//! for single points and planes (SDP, PDP) take the convolution's output on its way to memory, and read a second
//! operand from there.
//!
//! A vector layer becomes a part of the layer before it, its **host**, and the two are one sub-job on one accelerator:
//!
//! - **element-wise**: the host's output is one of its operands and as large as its own output. Of several such hosts (a
//!   residual add may have one on each branch) it is the one at the end of the longest path, by the time that layers
//!   would take at 32 MACs per byte, so that the other branch runs meanwhile. The other operands are read from DRAM.
//! - **pool**: the host's output is all that it reads.
//! - A host is a layer with MACs or a vector layer (a look-up has no arithmetic), with whatever has been fused into it.
//!   Nobody else reads its output, and the network does not hand it out, so that it need not exist in DRAM.
//! - What fuses reads and writes elements of as many bits as its host writes.
//! - **concat** vanishes: its readers read from the places of its parts, and come after the layers that write these. One
//!   at whose output something else runs (`fused`: a batch norm that each reader has of its own) still is a pass.
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
    /// The longest path that ends here ([`time`]).
    path: u64,
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
        let readers = self.readers();
        let mut groups: Vec<Group> = Vec::with_capacity(self.layers.len());
        let mut homes: Vec<Home> = Vec::with_capacity(self.layers.len());
        for (place, layer) in self.layers.iter().enumerate() {
            let after = places(layer.after.iter().map(|&i| &homes[i]));
            let leaves_something = !after.is_empty() || readers[place] > 0;
            let as_written = |&i: &usize| self.layers[i].precision.outputs == layer.precision.inputs;
            let converts = layer.precision.inputs != layer.precision.outputs;
            let same_parts = !converts && layer.after.iter().all(as_written);
            let joins = leaves_something && same_parts && is_only_a_join(layer);
            if joins && fuses(layer.op.kind(), PostOp::Concat) {
                homes.push(Home::Parts(after));
                continue;
            }
            let stays_inside = |&&i: &&usize| readers[i] == 1 && !self.layers[i].is_output;
            let hosts = layer.after.iter().filter(stays_inside).filter_map(|&i| match homes[i] {
                Home::Group(group) => Some(group),
                Home::Parts(_) => None,
            });
            let can_host = |group: &usize| {
                let members = &groups[*group].members;
                let host = &self.layers[members[0]];
                let output = &self.layers[members[members.len() - 1]];
                let same_bits = !converts && layer.precision.outputs == host.precision.outputs;
                takes(layer, output.op.output_elements())
                    .filter(|_| same_bits)
                    .is_some_and(|op| host.op.kind() != LayerKind::Lookup && fuses(host.op.kind(), op))
            };
            let host = hosts.filter(can_host).max_by_key(|&group| (groups[group].path, group));
            let group = host.unwrap_or_else(|| {
                groups.push(Group { members: Vec::new(), after: Vec::new(), path: 0 });
                groups.len() - 1
            });
            self.join(&mut groups, group, place, &after);
            homes.push(Home::Group(group));
        }
        Self { layers: self.layers_of(groups), ..self.clone() }
    }

    /// For each layer, how many others read its output.
    fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.layers.len()];
        self.layers.iter().flat_map(|layer| &layer.after).for_each(|&i| readers[i] += 1);
        readers
    }

    /// Adds the layer at `place`, which reads the outputs of the groups `after`, to a group.
    fn join(&self, groups: &mut [Group], group: usize, place: usize, after: &[usize]) {
        let Group { members, after: before, .. } = &mut groups[group];
        members.push(place);
        let mut all: Vec<usize> = before.iter().chain(after).copied().filter(|&i| i != group).collect();
        all.sort_unstable();
        all.dedup();
        let own = time(&self.layers[members[0]].op);
        let longest = all.iter().map(|&i| groups[i].path).max().unwrap_or(0);
        (groups[group].after, groups[group].path) = (all, own.saturating_add(longest));
    }

    /// The layers that groups become. A group comes where its last member was, behind all that its members read: only
    /// the output of a last member is read by other groups.
    fn layers_of(&self, mut groups: Vec<Group>) -> Vec<Layer> {
        let last = |group: &Group| group.members[group.members.len() - 1];
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&group| last(&groups[group]));
        let mut position = vec![0; groups.len()];
        order.iter().enumerate().for_each(|(new, &group)| position[group] = new);
        // The file's own names stay.
        let mut names = Names::default();
        self.layers.iter().for_each(|layer| drop(names.unique(layer.name.clone())));
        let layers = order.iter().map(|&group| {
            let Group { members, after, .. } = &mut groups[group];
            let mut after: Vec<usize> = after.iter().map(|&i| position[i]).collect();
            after.sort_unstable();
            let members: Vec<&Layer> = members.iter().map(|&i| &self.layers[i]).collect();
            let words: Vec<&str> = members.iter().map(|layer| layer.name.as_str()).collect();
            let (first, rest) = members.split_first().expect("a group has a member");
            let name = if rest.is_empty() { first.name.clone() } else { names.unique(words.join("+")) };
            Layer {
                name,
                op: first.op,
                precision: first.precision,
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

/// The time of a layer, in units in which a byte of traffic takes one: the longer of its bytes and of its MACs at 32 a
/// byte. Our choice, because 1,024 MACs a cycle behind 32 bytes are those of the largest shipped accelerators.
fn time(op: &Op) -> u64 {
    let bytes = op.weight_elements() + op.input_bytes().0 + op.output_bytes().0;
    bytes.max(op.macs().0 / 32)
}

/// Whether nothing but tensors side by side comes of a layer.
fn is_only_a_join(layer: &Layer) -> bool {
    let copies = |op: &Op| matches!(*op, Op::Vector { reads, writes, ops: 0 } if reads == writes);
    layer.post_op == Some(PostOp::Concat) && layer.fused.is_empty() && copies(&layer.op)
}

/// The operation of a vector layer, if it can run at an output of so many elements.
fn takes(layer: &Layer, output: u64) -> Option<PostOp> {
    let Post { op, reads, writes, .. } = post(layer)?;
    let fits = match op {
        PostOp::Elementwise => writes == output && reads >= output,
        PostOp::Pool => reads == output && layer.after.len() == 1,
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
        let ops = if op == PostOp::Concat { 0 } else { writes };
        let layer = Layer::new(name, Op::Vector { reads, writes, ops }, after.to_vec());
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
    fn the_branch_that_takes_longer_comes_last_however_few_its_layers() {
        let long = |big: u64| {
            network(vec![
                conv("a", 4, &[]),
                conv("b", 4, &[0]),
                conv("big", big, &[]),
                conv("c", 4, &[2]),
                vector("add", PostOp::Elementwise, [32, 16], &[1, 3]),
            ])
        };
        let name = |big| long(big).fused(|_, _| true).layers[3].name.clone();
        assert_eq!((name(4), name(400)), ("c+add".into(), "c+add".into()));
        let mut slow_first = long(4);
        slow_first.layers[0] = conv("a", 400, &[]);
        assert_eq!(slow_first.fused(|_, _| true).layers[3].name, "b+add");
    }

    #[test]
    fn elements_of_other_widths_do_not_fuse() {
        let add = |precision: &str| Layer {
            precision: precision.parse().unwrap(),
            ..vector("add", PostOp::Elementwise, [16, 16], &[0])
        };
        let cat = |precision: &str| Layer {
            precision: precision.parse().unwrap(),
            ..vector("cat", PostOp::Concat, [16, 16], &[1])
        };
        let fused = |host: &str, add: Layer, cat: Layer| {
            let host = Layer { precision: host.parse().unwrap(), ..conv("a", 4, &[]) };
            let all = network(vec![host, add, cat, conv("b", 4, &[2])]).fused(|_, _| true);
            all.layers.iter().map(|layer| layer.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(fused("w4i4o8p32", add("a8"), cat("a8")), ["a+add", "b"]);
        assert_eq!(fused("a4", add("i4o8"), cat("i8o4")), ["a", "add", "cat", "b"]);
        assert_eq!(fused("native", add("a8"), cat("a8")), ["a", "add", "b"]);
        assert_eq!(fused("native", add("a8"), cat("native")), ["a", "add", "cat", "b"]);
        assert_eq!(fused("a8", add("a8"), cat("a4")), ["a+add", "cat", "b"]);
    }

    #[test]
    fn names_of_the_file_stay() {
        let clash = network(vec![
            conv("a", 4, &[]),
            vector("add", PostOp::Elementwise, [16, 16], &[0]),
            conv("a+add", 4, &[1]),
        ]);
        assert_eq!(
            shape(&clash.fused(|_, _| true)),
            [row("a+add_2", &[(16, 16)], &[]), row("a+add", &[], &[0])]
        );
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
        // Work at its output stays, and so does what is no join of its operands.
        let after_join = |change: fn(&mut Layer)| {
            let mut changed = joined.clone();
            change(&mut changed.layers[3]);
            changed.fused(|_, _| true).layers.iter().any(|layer| layer.name == "cat")
        };
        assert!(!after_join(|_| ()));
        assert!(after_join(|cat| cat.fused.push("Relu".into())));
        assert!(after_join(|cat| cat.op = Op::Vector { reads: 64, writes: 32, ops: 0 }));
        assert!(after_join(|cat| cat.op = Op::Vector { reads: 64, writes: 64, ops: 64 }));
        // Inputs of the network side by side are read where they are.
        let inputs = network(vec![vector("cat", PostOp::Concat, [16, 16], &[]), conv("a", 4, &[0])]);
        assert_eq!(shape(&inputs.fused(|_, _| true)), [row("a", &[], &[])]);
        // Nothing would be left.
        let alone = network(vec![vector("cat", PostOp::Concat, [8, 8], &[])]);
        assert_eq!(alone.fused(|_, _| true), alone);
    }
}
