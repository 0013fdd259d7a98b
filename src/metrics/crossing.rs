//! What layers move over the links between memories, where a system has several: columns of `summary.csv` where an
//! experiment says where data live.

use super::{Column, Context, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Picojoules;

/// The columns that it adds to `summary.csv`.
pub const CROSSING_COLUMNS: &[Column<Crossing>] = &[
    Column::lower(
        "crossing_share",
        "With data_placement or link_gbps: of the DRAM bytes of measured requests, the share that came from or went to \
         another memory than that of the accelerator",
        |crossing: &Crossing| Value::per(crossing.crossed_bytes, crossing.bytes),
    )
    .share(),
    Column::lower(
        "energy_links_uj",
        "With data_placement or link_gbps: of energy_layers_uj, what the links between memories took",
        |crossing: &Crossing| match crossing.bytes > 0.0 {
            true => Value::Real(crossing.links.0 / 1e6),
            false => Value::NONE,
        },
    ),
];

/// Sums over the layer runs of measured requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Crossing {
    /// DRAM bytes.
    bytes: f64,
    /// Those in other memories than the accelerator's.
    crossed_bytes: f64,
    /// What the links took.
    links: Picojoules,
}

/// The fold behind [`CROSSING_COLUMNS`].
pub struct CrossingFold {
    context: Context,
    sum: Crossing,
}

impl CrossingFold {
    /// An empty fold.
    pub fn new(context: Context) -> Self {
        Self { context, sum: Crossing::default() }
    }

    /// The sums.
    pub fn sum(&self) -> Crossing {
        self.sum
    }
}

impl Recorder for CrossingFold {
    fn record(&mut self, record: &Record, origin: Origin) {
        let Record::Finish { network, accelerator, dram_bytes, .. } = *record else { return };
        if !origin.measured {
            return;
        }
        let way = &self.context.world.networks[network as usize].ways[accelerator];
        self.sum.bytes += dram_bytes;
        self.sum.crossed_bytes += dram_bytes * way.crossing;
        self.sum.links += Picojoules(dram_bytes * way.link_pj_per_byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;

    #[test]
    fn bytes_that_cross_by_hand() {
        // Of measured requests, r1 and r3 move 100 bytes each on m0, and r2 and r4 50 each on m1.
        let mut example = Example::new();
        let sums = |example: &Example| {
            let mut fold = CrossingFold::new(example.context());
            example.record(&mut fold);
            CROSSING_COLUMNS.iter().map(|column| (column.value)(&fold.sum()).as_f64()).collect::<Vec<f64>>()
        };
        assert_eq!(sums(&example), [0.0, 0.0]);
        for network in &mut example.world.networks {
            (network.ways[0].crossing, network.ways[0].link_pj_per_byte) = (0.75, 6.0);
        }
        let expected = [0.75 * 200.0 / 300.0, 6.0 * 200.0 / 1e6];
        let found = sums(&example);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}, not {expected:?}");
    }
}
