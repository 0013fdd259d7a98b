//! On-chip forwarding, as in RELIEF (Gupta and Dwarkadas, HPCA 2024): a layer that starts right after one of its
//! predecessors, on the same accelerator, finds the predecessor's output in the global buffer and does not read it from
//! DRAM.
//!
//! The output is there if it fits into the buffer as a whole, and nothing else has run on the accelerator since.
//! Forwarding saves one read of the output, but no more than all that the layer moves: the bytes, their part of the
//! bandwidth demand, and the energy of the DRAM access. The layer's uncontended latency c stays, because it contains no
//! stalls for shared DRAM. The output is still written to DRAM, because another successor may need it elsewhere. The
//! model ignores that the output takes buffer space from the layer's own tiles, so it is the most that forwarding can
//! bring.
//!
//! Schedulers see the costs without forwarding; isolated latencies, deadlines and lambda* are computed from these, too.

use ndarray::Array2;

use super::{NetworkModel, PairCost, Way};

/// The data of a network that forwarding needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Forwarding {
    /// Words of the output of layer l in the DRAM of accelerator m at `[[l, m]]`.
    pub outputs: Array2<u64>,
    /// The buffer of each accelerator.
    pub buffers: Vec<Buffer>,
}

/// The outermost buffer of an accelerator that holds inputs and outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buffer {
    /// Capacity in words.
    pub words: u64,
    /// Bytes of one word of DRAM.
    pub word_bytes: f64,
    /// Energy in pJ of reading one word from DRAM.
    pub dram_pj: f64,
}

impl Forwarding {
    /// Bytes that a layer with this cost need not read if it runs on the accelerator right after the predecessor.
    pub(super) fn bytes(&self, cost: &PairCost, accelerator: usize, producer: u32) -> f64 {
        let (output, buffer) = (self.outputs[[producer as usize, accelerator]], self.buffers[accelerator]);
        let fits = output <= buffer.words;
        if fits { (output as f64 * buffer.word_bytes).min(cost.dram_bytes()) } else { 0.0 }
    }

    /// The cost of a layer without some of its bytes.
    pub(super) fn without(&self, cost: PairCost, accelerator: usize, bytes: f64, way: &Way) -> PairCost {
        if bytes == 0.0 {
            return cost;
        }
        let Buffer { word_bytes, dram_pj, .. } = self.buffers[accelerator];
        cost.without(bytes, bytes / word_bytes * dram_pj, way)
    }
}

impl NetworkModel {
    /// The cost of a layer that starts on an accelerator right after the predecessor that forwards most of those that can
    /// run there; `None` where it cannot run.
    pub(super) fn cost_forwarded(&self, layer: u32, accelerator: usize) -> Option<PairCost> {
        let before = self.predecessors[layer as usize].iter();
        let there = before.filter(|&&producer| self.cost(producer, accelerator).is_some());
        let after = there.filter_map(|&producer| self.cost_after(layer, accelerator, Some(producer)));
        let most = after.max_by(|one, other| one.1.total_cmp(&other.1));
        most.or_else(|| self.cost_after(layer, accelerator, None)).map(|(cost, _)| cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, plain_rules, platform, records, request, world};
    use crate::sim::{Record, World};
    use crate::units::Time;

    /// Two accelerators behind so many bytes/ns, whose buffers hold 60 bytes and none. A chain of three layers of 10 ns and 100
    /// bytes everywhere; outputs of 40, 80 and 40 bytes, two a word. A word from DRAM costs 4 pJ.
    fn chain(bandwidth: f64) -> World {
        let two = [(10.0, 10.0), (10.0, 10.0)];
        let layers = [layer(&[], &two), layer(&[0], &two), layer(&[1], &two)];
        let mut world = world(platform(2, bandwidth), &[&layers]);
        world.networks[0].forwarding = Some(Forwarding {
            outputs: ndarray::array![[20, 20], [40, 40], [20, 20]],
            buffers: [30, 0].map(|words| Buffer { words, word_bytes: 2.0, dram_pj: 4.0 }).to_vec(),
        });
        world
    }

    /// Layer, DRAM bytes, bytes forwarded, energy saved in pJ, of each layer in the order of ends, all on one accelerator.
    fn ends(world: &World, arrivals: &[f64], accelerator: usize) -> Vec<(u32, f64, f64, f64)> {
        let requests: Vec<_> = arrivals.iter().map(|&at| request(0, at)).collect();
        let energy = world.networks[0].cost(0, 0).expect("it runs").energy.0;
        let made = records(world, &requests, plain_rules(), |view, out| {
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, accelerator, -f64::from(sub.id.layer)));
        });
        let end = |record: &Record| match *record {
            Record::Finish { sub_job, dram_bytes, forwarded_bytes, energy: spent, .. } => {
                let round = |x: f64| (x * 1e6).round() / 1e6;
                Some((sub_job.layer, round(dram_bytes), round(forwarded_bytes), round(energy - spent.0)))
            }
            _ => None,
        };
        made.iter().filter_map(end).collect()
    }

    #[test]
    fn a_child_that_starts_next_reads_what_fits() {
        // The first output fits into 60 bytes, the second does not.
        let expected = [(0, 100.0, 0.0, 0.0), (1, 60.0, 40.0, 80.0), (2, 100.0, 0.0, 0.0)];
        assert_eq!(ends(&chain(10.0), &[0.0], 0), expected);
        let nothing = |layer| (layer, 100.0, 0.0, 0.0);
        assert_eq!(ends(&chain(10.0), &[0.0], 1), [nothing(0), nothing(1), nothing(2)], "no buffer");
        let mut off = chain(10.0);
        off.networks[0].forwarding = None;
        assert_eq!(ends(&off, &[0.0], 0), [nothing(0), nothing(1), nothing(2)]);
    }

    #[test]
    fn what_runs_in_between_takes_the_output_away() {
        // Lower layers first: those of the second request run between those of the first.
        let ends = ends(&chain(10.0), &[0.0, 0.0], 0);
        let order: Vec<u32> = ends.iter().map(|end| end.0).collect();
        assert_eq!(order, [0, 0, 1, 1, 2, 2]);
        // Layer 1 of request 0 follows layer 0 of request 1, which is not its producer; layer 1 of request 1 follows that.
        assert!(ends.iter().all(|end| end.2 == 0.0), "{ends:?}");
    }

    #[test]
    fn a_layer_that_the_dram_slows_ends_earlier() {
        let made = records(&chain(5.0), &[request(0, 0.0)], plain_rules(), |view, out| {
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, 0.0));
        });
        let ended =
            |record: &Record| if let Record::Finish { time, .. } = record { Some(*time) } else { None };
        // 100 bytes at 5 bytes/ns take 20 ns, 60 bytes 12, 100 again 20.
        let times: Vec<Time> = made.iter().filter_map(ended).collect();
        assert_eq!(times, [Time(20_000), Time(32_000), Time(52_000)]);
    }
}
