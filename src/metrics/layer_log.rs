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
    /// The tenant that sent the request, by number.
    pub tenant: u32,
    /// When the layer became ready: when its last predecessor ended or, without one, when its request arrived.
    pub ready: Time,
    /// When the decision was taken that put the layer, or the predecessor whose accelerator it took over, on its
    /// accelerator.
    pub decided: Time,
    /// When that decision took effect.
    pub assigned: Time,
    /// When the layer started.
    pub start: Time,
    /// When the layer ended.
    pub end: Time,
    /// Slowdown: (end - start) / c.
    pub slowdown: f64,
    /// c1: how long the layer takes alone on the platform, with what it found on chip.
    pub alone: Time,
    /// DRAM bytes that the layer moved.
    pub dram_bytes: f64,
    /// Bytes of its input that the layer found on chip instead.
    pub forwarded_bytes: f64,
    /// Bytes of its weights that the layer found on chip instead.
    pub resident_weight_bytes: f64,
    /// Dynamic energy of the layer.
    pub energy: Picojoules,
}

impl LayerRow {
    /// When the layer joined the queue of its accelerator: as soon as it was both ready and assigned.
    pub fn queued(&self) -> Time {
        self.ready.max(self.assigned)
    }
}

/// The fold, which keeps a row per layer run.
#[derive(Default)]
pub struct LayerLog {
    rows: Vec<LayerRow>,
    /// The tenant of each request that has arrived.
    tenants: Vec<u32>,
    /// When each decision takes effect, and when it was taken; in order, except on fleets, where several sites decide.
    decisions: Vec<(Time, Time)>,
    /// What is known of the layer that runs on each accelerator.
    running: Vec<Started>,
}

/// What a log learns when a layer starts.
#[derive(Clone, Copy, Default)]
struct Started {
    ready: Time,
    decided: Time,
    assigned: Time,
    alone: Time,
}

impl LayerLog {
    /// All layer runs in the order in which they ended; at one instant by accelerator.
    pub fn rows(&self) -> &[LayerRow] {
        &self.rows
    }

    fn start(&mut self, accelerator: usize, started: Started) {
        if self.running.len() <= accelerator {
            self.running.resize(accelerator + 1, Started::default());
        }
        self.running[accelerator] = started;
    }

    /// When the decision was taken that took effect at a time: the last one, should there be two.
    fn decided(&self, assigned: Time) -> Time {
        let after = self.decisions.partition_point(|&(at, _)| at <= assigned);
        self.decisions[..after].last().map_or(assigned, |&(_, taken)| taken)
    }

    fn finish(&mut self, record: &Record, origin: Origin) {
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
            ..
        } = *record
        else {
            return;
        };
        let Started { ready, decided, assigned, alone } = self.running[accelerator];
        let request = record.request().expect("a layer is run for a request");
        self.rows.push(LayerRow {
            request,
            job: sub_job.job,
            network,
            layer: sub_job.layer,
            accelerator,
            measured: origin.measured,
            tenant: self.tenants[request.0 as usize],
            ready,
            decided,
            assigned,
            start,
            end: time,
            slowdown: (time - start).as_ps() / uncontended_ps,
            alone,
            dram_bytes,
            forwarded_bytes,
            resident_weight_bytes,
            energy,
        });
    }
}

impl Recorder for LayerLog {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            // Requests are numbered in the order of arrival.
            Record::Arrival { asked, .. } => self.tenants.push(asked.tenant),
            Record::Decision { time, latency, .. } => self.decisions.push((time + latency, time)),
            Record::Start { accelerator, ready, assigned, alone, .. } => {
                let decided = self.decided(assigned);
                self.start(accelerator, Started { ready, decided, assigned, alone });
            }
            Record::Finish { .. } => self.finish(record, origin),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::check::{Script, layer, plain_rules, platform, request, trace, world};
    use crate::metrics::testing::Example;
    use crate::sim::{Decision, DecisionCost, Engine, Host, Rules, Unassigned, View, run};

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

    /// (request, layer, ready, decided, assigned, queued, start, end) of each layer run, in nanoseconds, of requests at 0
    /// and 5 for three layers of 10 ns in a row, all on m0, by decisions that take 3 ns.
    fn times(unassigned: Unassigned, is_wanted: fn(u32) -> bool) -> Vec<[u64; 8]> {
        let ten = [(10.0, 0.0)];
        let world = world(platform(1, 10.0), &[&[layer(&[], &ten), layer(&[0], &ten), layer(&[1], &ten)]]);
        let host = Host { base: Time(3_000), ..Host::default() };
        let rules = Rules { decision_cost: DecisionCost::Host(host), unassigned, ..plain_rules() };
        let decide = |view: &View, out: &mut Decision| {
            let wanted = view.sub_jobs().iter().filter(|sub| is_wanted(sub.id.layer));
            wanted.for_each(|sub| out.assign(sub.id, 0, f64::from(sub.id.layer)));
        };
        let requests = trace(&[request(0, 0.0), request(0, 5.0)]);
        let mut log = LayerLog::default();
        let engine = Engine::new(Arc::new(world), Arc::new(requests), rules);
        run(engine, &mut Script(decide), &mut log).expect("every layer is assigned or sticks");
        let ns = |row: &LayerRow| {
            assert_eq!((row.tenant, row.alone), (0, Time(10_000)));
            let times = [row.ready, row.decided, row.assigned, row.queued(), row.start, row.end];
            let [ready, decided, assigned, queued, start, end] = times.map(|time| time.0 / 1_000);
            [u64::from(row.request.0), u64::from(row.layer), ready, decided, assigned, queued, start, end]
        };
        log.rows().iter().map(ns).collect()
    }

    #[test]
    fn layers_are_ready_assigned_and_queued_at_their_times() {
        // Decisions are taken at arrivals and ends, or when the decision in flight is done: at 0, in effect at 3 (r0 layer 0
        // starts); at 5, in effect at 8 (r0 layer 1, which comes next, and r1 layer 0); at 13, in effect at 16 (r0 layer 2,
        // while layer 1 runs); later ones change nothing until r1 goes on.
        assert_eq!(
            times(Unassigned::Hold, |_| true),
            [
                [0, 0, 0, 0, 3, 3, 3, 13],
                [0, 1, 13, 5, 8, 13, 13, 23],
                [0, 2, 23, 13, 16, 23, 23, 33],
                [1, 0, 5, 5, 8, 8, 33, 43],
                [1, 1, 43, 33, 36, 43, 43, 53],
                [1, 2, 53, 43, 46, 53, 53, 63],
            ]
        );
    }

    #[test]
    fn a_layer_that_takes_over_the_accelerator_was_assigned_with_its_predecessor() {
        // Only first layers are assigned: in effect at 3 and 8. All layers have the priority of these, and r0 came first.
        assert_eq!(
            times(Unassigned::Sticky, |layer| layer == 0),
            [
                [0, 0, 0, 0, 3, 3, 3, 13],
                [0, 1, 13, 0, 3, 13, 13, 23],
                [0, 2, 23, 0, 3, 23, 23, 33],
                [1, 0, 5, 5, 8, 8, 33, 43],
                [1, 1, 43, 5, 8, 43, 43, 53],
                [1, 2, 53, 5, 8, 53, 53, 63],
            ]
        );
    }
}
