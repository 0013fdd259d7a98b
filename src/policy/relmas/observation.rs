//! The observation of a policy, in plain `f32`.
//!
//! It has a row per open sub-job, in the order of deadlines, of 3M + 10 numbers for M accelerators:
//!
//! | place | feature | unit and scale |
//! |---|---|---|
//! | 0 .. M | c1 on accelerator m, -1 where it cannot run | log of time |
//! | M .. 2M | b on accelerator m, -1 where it cannot run | log of a share of the DRAM bandwidth |
//! | 2M .. 3M | from now until accelerator m has ended what it runs, at present rates | log of time |
//! | 3M | slack: deadline - now - critical path left of the request, every layer at its smallest c1 | log of time |
//! | 3M + 1 | remaining best-case work R_best of the request | log of time |
//! | 3M + 2 | layers of the request that have not started | log of a count |
//! | 3M + 3 | how long the sub-job has been ready; below zero while it waits for running layers | log of time |
//! | 3M + 4 | bandwidth load: sum of b of what runs now | log of a share of the DRAM bandwidth |
//!
//! | 3M + 5 | open sub-jobs | log of a count |
//! | 3M + 6 | requests in flight | log of a count |
//! | 3M + 7 | until the next periodic decision, 0 without one | log of time |
//! | 3M + 8 | backlog: R_best of all requests / M | log of time |
//! | 3M + 9 | traffic: DRAM bytes not yet started / DRAM bandwidth | log of time |
//!
//! The last five, of the queue as a whole, are in every row: an LSTM that walks over the rows cannot know at the first
//! what comes after it.
//!
//! "Log" is x -> log2(1 + |x|) / 4 with the sign of x, linear between powers of two, of a time in units of 10 us, of a
//! share, or of a count: 10 us become 0.25 and 10 ms 2.5, so that typical values lie between -3 and 3. It is computed
//! without a mathematical library, whose last digits differ between machines.
//!

use crate::sim::{NetworkModel, PairCost, Platform, View, World};
use crate::units::Time;

/// Features of the queue as a whole.
pub const QUEUE_FEATURES: usize = 5;

/// The unit of times. Our choice, because layers take from a few microseconds to a few milliseconds.
const TIME_UNIT_PS: f64 = 1e7;

/// Stands for the c1 and the b of a layer on an accelerator that cannot run it; no real value is negative.
const CANNOT_RUN: f32 = -1.0;

/// Numbers in the row of a sub-job.
pub const fn features(accelerators: usize) -> usize {
    3 * accelerators + 5 + QUEUE_FEATURES
}

/// The features of one view; buffers are kept from view to view.
#[derive(Clone, Debug)]
pub struct Observation {
    accelerators: usize,
    /// The first 2M features of every layer, by network.
    costs: Vec<Vec<f32>>,
    /// The number of corrections of costs that these know of.
    corrections: u32,
    rows: Vec<f32>,
    queue: [f32; QUEUE_FEATURES],
    /// The sub-jobs of the rows, by their index in the view, after their deadlines.
    order: Vec<(Time, usize)>,
    /// Features that all sub-jobs share.
    busy: Vec<f32>,
}

impl Observation {
    /// An empty observation for views of a world.
    pub fn new(world: &World) -> Self {
        Self {
            accelerators: world.platform.accelerators.len(),
            costs: of_layers(world),
            corrections: 0,
            rows: Vec::new(),
            queue: [0.0; QUEUE_FEATURES],
            order: Vec::new(),
            busy: Vec::new(),
        }
    }

    /// The number of accelerators, M.
    pub fn accelerators(&self) -> usize {
        self.accelerators
    }

    /// The number of open sub-jobs.
    pub fn len(&self) -> usize {
        self.rows.len() / features(self.accelerators)
    }

    /// Whether nothing may be assigned.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows of all open sub-jobs, one after the other.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// The sub-job of each row, by its index in the view.
    pub fn sub_jobs(&self) -> impl Iterator<Item = usize> {
        self.order.iter().map(|&(_, sub)| sub)
    }

    /// The features of the queue.
    pub fn queue(&self) -> &[f32; QUEUE_FEATURES] {
        &self.queue
    }

    /// Empties the observation, as nothing may be assigned any more.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.order.clear();
        self.queue = [0.0; QUEUE_FEATURES];
    }

    /// Observes a view of the world.
    pub fn observe(&mut self, view: &View) {
        if self.corrections != view.corrections() {
            (self.corrections, self.costs) = (view.corrections(), of_layers(view.world()));
        }
        let (now, bandwidth) = (view.now(), view.total_bandwidth());
        let lanes = view.accelerators();
        self.busy.clear();
        self.busy.extend(lanes.iter().map(|lane| log_time(lane.free_at.as_ps() - now.as_ps())));
        let load = log(lanes.iter().map(|lane| lane.demand_bytes_per_ps).sum::<f64>() / bandwidth);
        let work: Time = view.jobs().iter().map(|job| job.remaining_best).sum();
        let bytes: u64 = view.jobs().iter().map(|job| job.unstarted_bytes).sum();
        self.queue = [
            log(view.sub_jobs().len() as f64),
            log(view.jobs().len() as f64),
            view.next_decision().map_or(0.0, |next| log_time(next.as_ps() - now.as_ps())),
            log_time(work.as_ps() / self.accelerators as f64),
            log_time(bytes as f64 / bandwidth),
        ];
        self.order.clear();
        self.order.extend(view.sub_jobs().iter().map(|sub| view.job_of(sub).deadline).zip(0..));
        self.order.sort_unstable();
        self.rows.clear();
        for &(_, sub) in &self.order {
            let sub = &view.sub_jobs()[sub];
            let job = view.job_of(sub);
            let wide = 2 * self.accelerators;
            let costs = &self.costs[job.network as usize][sub.id.layer as usize * wide..][..wide];
            self.rows.extend_from_slice(costs);
            self.rows.extend_from_slice(&self.busy);
            self.rows.extend_from_slice(&[
                log_time(job.deadline.as_ps() - now.as_ps() - job.shortest_left.as_ps()),
                log_time(job.remaining_best.as_ps()),
                log(f64::from(job.layers_left)),
                log_time(now.as_ps() - sub.release.as_ps()),
                load,
            ]);
            self.rows.extend_from_slice(&self.queue);
        }
    }
}

/// The first 2M features of every layer, by network.
fn of_layers(world: &World) -> Vec<Vec<f32>> {
    world.networks.iter().map(|network| costs(network, &world.platform)).collect()
}

fn costs(network: &NetworkModel, platform: &Platform) -> Vec<f32> {
    let layers = network.costs.rows().into_iter();
    layers
        .flat_map(|layer| {
            let c = layer.iter().map(|cost| cost.map_or(CANNOT_RUN, |cost| log_time(cost.alone.as_ps())));
            let share = |m: usize, cost: PairCost| log(cost.demand_bytes_per_ps / platform.bandwidth(m));
            let b = layer.iter().enumerate().map(|(m, cost)| cost.map_or(CANNOT_RUN, |cost| share(m, cost)));
            c.chain(b).collect::<Vec<f32>>()
        })
        .collect()
}

fn log_time(ps: f64) -> f32 {
    log(ps / TIME_UNIT_PS)
}

/// Computes sign(x) log2(1 + |x|) / 4, linear between powers of two: the exponent and the mantissa of 1 + |x|, read as
/// one number.
fn log(x: f64) -> f32 {
    let bits = (1.0 + x.abs() as f32).to_bits() - 1f32.to_bits();
    (bits as f32 * (0.25 / (1 << 23) as f32)).copysign(x as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, plain_rules, platform, records, request, world};
    use crate::sim::SubJobView;

    #[test]
    fn the_scale_is_exact_at_powers_of_two_and_keeps_the_order() {
        assert_eq!([0.0, 1.0, -1.0, 3.0, 1023.0].map(log), [0.0, 0.25, -0.25, 0.5, 2.5]);
        assert_eq!(log_time(1e7), 0.25);
        let ascending: Vec<f32> = (-3000..3000).map(|i| log(f64::from(i) / 7.0)).collect();
        assert!(ascending.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((log(99.0) - 100f32.log2() / 4.0).abs() < 0.025);
    }

    /// Two accelerators and 20 bytes/ns. Network 0: one layer of 30 us and 10 bytes/ns, on accelerator 0 only. Network 1:
    /// two layers of 70 us and 10 us on accelerators 0 and 1, 60 bytes/ns, but 20 bytes/ns alone there.
    #[test]
    fn features_by_hand() {
        let only_first = {
            let mut only = layer(&[], &[(30_000.0, 10.0), (1.0, 0.0)]);
            only.costs[1] = None;
            only
        };
        let two = |after: &[usize]| layer(after, &[(70_000.0, 0.0), (10_000.0, 60.0)]);
        let world = world(platform(2, 20.0), &[&[only_first], &[two(&[]), two(&[0])]]);
        let mut seen = Vec::new();
        let mut observation = Observation::new(&world);
        let requests = [request(0, 0.0), request(0, 0.0), request(1, 10_000.0)].map(|mut request| {
            request.deadline = request.arrival + Time::from_us(160.0);
            request
        });
        let log_us = |us: f64| log_time(us * 1e6);
        records(&world, &requests, plain_rules(), |view, out| {
            observation.observe(view);
            seen.push((view.now(), observation.clone()));
            let accelerator = |sub: &SubJobView| view.job_of(sub).network as usize;
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, accelerator(sub), 0.0));
        });
        // At 10 us accelerator 0 has run for 10 of 30 us; request 1 waits for it, request 2 has just come.
        let (_, at) = seen.iter().find(|(now, _)| now.as_us() == 10.0).expect("an arrival is a change");
        assert_eq!((at.len(), at.accelerators()), (2, 2));
        let mut row = [0.0; 16];
        row[..4].copy_from_slice(&[log_us(30.0), -1.0, log(0.5), -1.0]);
        row[4..6].copy_from_slice(&[log_us(20.0), 0.0]);
        row[6..11].copy_from_slice(&[log_us(120.0), log_us(30.0), log(1.0), log_us(10.0), log(0.5)]);
        row[11..].copy_from_slice(at.queue());
        assert_eq!(&at.rows()[..16], row);
        // c1 is 30 us where 60 bytes/ns share 20: the best accelerator by c1 is the second one.
        row[..4].copy_from_slice(&[log_us(70.0), log_us(30.0), 0.0, log(3.0)]);
        row[6..11].copy_from_slice(&[log_us(100.0), log_us(60.0), log(2.0), 0.0, log(0.5)]);
        assert_eq!(&at.rows()[16..], row);
        assert_eq!(at.sub_jobs().collect::<Vec<_>>(), [0, 1]);
        // 20 us of request 0, 30 of request 1, 60 of request 2; 300,000 and 1,200,000 bytes.
        assert_eq!(*at.queue(), [log(2.0), log(3.0), 0.0, log_us(55.0), log_us(75.0)]);
    }
}
