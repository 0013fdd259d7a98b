//! The layer log: one row per layer run that ended, the source of layers.csv and of Gantt charts. Times are absolute.

use crate::sim::{JobId, Origin, Record, Recorder, RequestId};
use crate::units::{Picojoules, Time};

/// One run of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerRow {
    /// The request that the layer served.
    pub request: RequestId,
    /// The job of the request.
    pub job: JobId,
    /// Index into [`crate::sim::World::networks`].
    pub network: u32,
    /// Index into the network's layers.
    pub layer: u32,
    /// Index into the platform's accelerators.
    pub accelerator: usize,
    /// Whether the request belongs to the measurement window.
    pub measured: bool,
    /// When the layer started.
    pub start: Time,
    /// When the layer ended.
    pub end: Time,
    /// Slowdown: (end - start) / c.
    pub slowdown: f64,
    /// DRAM bytes that the layer moved.
    pub dram_bytes: f64,
    /// Bytes of its input that the layer found on chip instead.
    pub forwarded_bytes: f64,
    /// Bytes of its weights that the layer found on chip instead.
    pub resident_weight_bytes: f64,
    /// Dynamic energy of the layer.
    pub energy: Picojoules,
}

/// The fold, which keeps a row per layer run.
#[derive(Default)]
pub struct LayerLog {
    rows: Vec<LayerRow>,
}

impl LayerLog {
    /// All layer runs in the order in which they ended; at one instant by accelerator.
    pub fn rows(&self) -> &[LayerRow] {
        &self.rows
    }
}

impl Recorder for LayerLog {
    fn record(&mut self, record: &Record, origin: Origin) {
        let Record::Finish {
            time,
            start,
            sub_job,
            network,
            accelerator,
            dram_bytes,
            forwarded_bytes,
            resident_weight_bytes,
            energy,
            uncontended_ps,
        } = *record
        else {
            return;
        };
        self.rows.push(LayerRow {
            request: record.request().expect("a layer is run for a request"),
            job: sub_job.job,
            network,
            layer: sub_job.layer,
            accelerator,
            measured: origin.measured,
            start,
            end: time,
            slowdown: (time - start).as_ps() / uncontended_ps,
            dram_bytes,
            forwarded_bytes,
            resident_weight_bytes,
            energy,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;

    #[test]
    fn a_row_per_layer_run_in_the_order_of_ends() {
        let example = Example::new();
        let mut log = LayerLog::default();
        example.record(&mut log);
        let told: Vec<_> = log
            .rows()
            .iter()
            .map(|row| (row.request.0, row.layer, row.accelerator, row.start.0 / 1000, row.end.0 / 1000))
            .collect();
        assert_eq!(
            told,
            [
                (0, 0, 0, 0, 15),
                (2, 0, 1, 5, 15),
                (1, 0, 0, 15, 25),
                (2, 1, 1, 15, 35),
                (4, 0, 1, 35, 45),
                (3, 0, 0, 35, 50),
                (4, 1, 1, 45, 65),
            ]
        );
        // c 10 and b 10 bytes/ns: r0 and r3 take 15 ns, and every run of network 0 moves 100 bytes.
        assert_eq!((log.rows()[0].slowdown, log.rows()[5].slowdown), (1.5, 1.5));
        assert!((log.rows()[5].dram_bytes - 100.0).abs() < 1e-9);
        assert!(!log.rows()[0].measured && log.rows()[5].measured);
    }
}
