//! The passes over DRAM in which an accelerator runs a layer with what is fused into it.
//!
//! Post-processing that the accelerator has (`post_ops`) runs at the output of the pass before it: that output is
//! neither written nor read back, other operands are read, and what leaves is the result. It works beside the MACs, on
//! the vector lanes. Anything else is a pass of its own, a vector layer.
//!
//! Left out: buffers of the post-processor (operands stream; windows that overlap at the border of two tiles are taken
//! to wait in its own line buffer, as in NVDLA's PDP), and the order of outputs, which suits every reduction.

use super::lowering::Lowered;
use crate::dims::LayerKind;
use crate::hw::{AccelSpec, Fusion, fuses};
use crate::precision::Precision;
use crate::workload::{Network, Op, Work};

/// A network as these accelerator models run it together, in a precision where it has none of its own.
pub fn as_run(network: &Network, precision: Precision, fusion: Fusion, models: &[AccelSpec]) -> Network {
    let mut network = network.clone();
    network.layers.iter_mut().for_each(|layer| layer.precision = layer.precision.or(precision));
    match fusion {
        Fusion::None => network,
        Fusion::Post => network.fused(|host, op| fuses(models, host, op)),
    }
}

/// What runs at the output of a pass. Sizes are elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Read from DRAM besides the operands of the pass.
    pub reads: u64,
    /// Of the output before post-processing: written by the pass alone, and now no more.
    pub inside: u64,
    /// Written instead.
    pub writes: u64,
    /// Element operations.
    pub ops: u64,
}

impl Tail {
    /// No post-processing.
    pub const NONE: Self = Self { reads: 0, inside: 0, writes: 0, ops: 0 };

    /// Cycles of the vector lanes.
    pub(super) fn cycles(self, accel: &AccelSpec) -> u64 {
        if self.ops == 0 { 0 } else { self.ops.div_ceil(accel.vector_lanes) }
    }

    /// Energy of the element operations in pJ.
    pub(super) fn ops_pj(self, accel: &AccelSpec) -> f64 {
        self.ops as f64 * accel.vector_pj_per_op
    }

    /// By how much DRAM words change, if sizes are words.
    pub(super) fn more_words(self) -> f64 {
        self.reads as f64 + self.writes as f64 - self.inside as f64
    }

    /// By how much the energy of DRAM changes in pJ, if sizes are words.
    pub(super) fn more_dram_pj(self, accel: &AccelSpec) -> f64 {
        let dram = accel.dram();
        let written = self.writes as f64 - self.inside as f64;
        (self.reads as f64 * dram.read_pj_per_access + written * dram.update_pj_per_access)
            / dram.words_per_access()
    }
}

/// A layer, or an operation that could not be fused, with its post-processing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) op: Op,
    pub(super) tail: Tail,
    pub(super) precision: Precision,
}

impl Pass {
    fn alone(op: Op, precision: Precision) -> Self {
        Self { op, tail: Tail::NONE, precision }
    }

    /// The nest of the pass as the accelerator runs it; an error if it has none, or says which count no longer fits.
    pub(super) fn lowered(&self, accel: &AccelSpec) -> Result<Lowered, String> {
        let nest = self.op.nest().ok_or("a layer without MACs has no mapping")?;
        Lowered::at(accel, nest, self.precision)
    }
}

/// The passes of a layer, in order; `None` if the accelerator does not run the kind of one of them.
pub(super) fn passes(accel: &AccelSpec, work: &Work) -> Option<Vec<Pass>> {
    let precision = match work.op.kind() {
        LayerKind::Matmul => work.precision.of_activations(),
        _ => work.precision,
    };
    let mut passes = vec![Pass::alone(work.op, precision)];
    let mut output = work.op.output_elements();
    for post in &work.post {
        let pass = passes.last_mut().expect("there is one from the start");
        if accel.post_ops.contains(&post.op) {
            let Tail { reads, inside, ops, .. } = pass.tail;
            let inside = if pass.tail == Tail::NONE { output } else { inside };
            let reads = reads + post.reads.saturating_sub(output);
            pass.tail = Tail { reads, inside, writes: post.writes, ops: ops + post.ops };
        } else {
            let op = Op::Vector { reads: post.reads, writes: post.writes, ops: post.ops };
            passes.push(Pass::alone(op, precision.of_outputs()));
        }
        output = post.writes;
    }
    passes.iter().all(|pass| accel.kinds.contains(&pass.op.kind())).then_some(passes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::testing;
    use crate::dims::{LayerKind, PostOp};
    use crate::workload::{LoopNest, Post};

    /// 4 x 4 outputs of one channel, added to as many others, then pooled to 2 x 2.
    fn work() -> Work {
        let conv = Op::Conv(LoopNest {
            bounds: [1, 1, 1, 1, 4, 4, 1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            padding: [0; 2],
        });
        let add = Post { op: PostOp::Elementwise, reads: 32, writes: 16, ops: 16 };
        let pool = Post { op: PostOp::Pool, reads: 16, writes: 4, ops: 16 };
        Work { post: vec![add, pool], ..Work::from(conv) }
    }

    #[test]
    fn what_the_accelerator_has_runs_at_the_output() {
        let mut accel = testing::accel("small", Vec::new());
        let Work { op, .. } = work();
        let vector = |reads, writes| Op::Vector { reads, writes, ops: 16 };
        let of = |accel: &AccelSpec| passes(accel, &work()).unwrap();
        let alone = |op| Pass::alone(op, Precision::NATIVE);
        let with = |op, tail| Pass { tail, ..alone(op) };
        assert_eq!(of(&accel), [alone(op), alone(vector(32, 16)), alone(vector(16, 4))]);
        accel.post_ops = vec![PostOp::Elementwise, PostOp::Pool];
        let both = Tail { reads: 16, inside: 16, writes: 4, ops: 32 };
        assert_eq!(of(&accel), [with(op, both)]);
        accel.post_ops = vec![PostOp::Elementwise];
        let add = Tail { reads: 16, inside: 16, writes: 16, ops: 16 };
        assert_eq!(of(&accel), [with(op, add), alone(vector(16, 4))]);
        // The pool runs at the output of the addition, which is a pass of its own.
        accel.post_ops = vec![PostOp::Pool];
        let pool = Tail { reads: 0, inside: 16, writes: 4, ops: 16 };
        assert_eq!(of(&accel), [alone(op), with(vector(32, 16), pool)]);
        accel.kinds = vec![LayerKind::Conv];
        assert_eq!(passes(&accel, &work()), None);
        accel.post_ops = vec![PostOp::Elementwise, PostOp::Pool];
        assert_eq!(passes(&accel, &work()).map(|passes| passes.len()), Some(1));
    }
}
