//! A queueing station played by the engine: Poisson arrivals of one-layer networks, first come, first served by the
//! first idle accelerator, and what the records and the views say about it.

use std::sync::Arc;

use mascot::cost::LayerCost;
use mascot::hw::Sharing;
use mascot::sim::{
    AcceleratorModel, Decision, DecisionCost, Drift, Engine, Follower, JobId, LateRules, LayerModel,
    NetworkModel, Origin, Platform, Record, Recorder, Request, Rules, Scheduler, SubJobId, Trace, Trigger,
    Unassigned, Variation, View, World, run,
};
use mascot::units::{Bytes, Picojoules, Time};
use mascot::workload::{After, Late, Qos};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::statistics::{BATCHES, Estimate};

/// The mean job in picoseconds at the whole bandwidth of a byte per picosecond: rounding is a millionth of it.
const UNIT: f64 = 1e6;

/// Equally likely sizes of a class, one network each.
const SIZES: usize = 1024;

/// How job sizes are distributed around their mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Law {
    Deterministic,
    Exponential,
    /// One in eight is exponential with 4.5 times the mean, the others with half of it: E[S^2] = 5.5 E[S]^2.
    Hyperexponential,
}

impl Law {
    /// Of the law with mean 1.
    pub(crate) fn second_moment(self) -> f64 {
        match self {
            Self::Deterministic => 1.0,
            Self::Exponential => 2.0,
            Self::Hyperexponential => 5.5,
        }
    }

    /// The law with mean 1 by equally likely sizes.
    fn sizes(self) -> Vec<f64> {
        match self {
            Self::Deterministic => vec![1.0],
            Self::Exponential => exponential(1.0, SIZES),
            Self::Hyperexponential => {
                [exponential(4.5, SIZES / 8), exponential(0.5, SIZES - SIZES / 8)].concat()
            }
        }
    }
}

/// The means of `count` equally likely parts of the exponential law: together they have its mean exactly.
fn exponential(mean: f64, count: usize) -> Vec<f64> {
    // The integral of the quantile -ln(1 - u) over the tail u > 1 - x.
    let tail = |x: f64| if x > 0.0 { x - x * x.ln() } else { 0.0 };
    let above = |part: usize| tail(1.0 - part as f64 / count as f64);
    (0..count).map(|part| mean * count as f64 * (above(part) - above(part + 1))).collect()
}

/// b in units of B, as a fraction so that it is exact whatever the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    pub(crate) bytes: u64,
    pub(crate) ps: u64,
}

/// No traffic: a job of size 1 takes the time 1.
pub(crate) const COMPUTE: Demand = Demand { bytes: 0, ps: 1 };

/// All of B: a job of size 1 alone takes the time 1.
pub(crate) const LINK: Demand = Demand { bytes: 1, ps: 1 };

pub(crate) struct Class {
    pub(crate) law: Law,
    pub(crate) mean: f64,
    pub(crate) demand: Demand,
    /// lambda.
    pub(crate) rate: f64,
    /// Relative size of a DRAM tile.
    pub(crate) tile: u64,
}

impl Class {
    fn cost(&self, size: f64) -> LayerCost {
        let Demand { bytes, ps } = self.demand;
        let quantum = (size * self.mean * UNIT / bytes.max(1) as f64).round().max(1.0) as u64;
        LayerCost {
            latency: Time(quantum * ps),
            dram_bytes: Bytes(quantum * bytes),
            weight_bytes: Bytes(0),
            input_bytes: Bytes(0),
            energy: Picojoules(0.0),
            utilization: 0.0,
            tiles: (quantum * bytes / (100 * self.tile)).max(1),
            on_chip: None,
        }
    }
}

pub(crate) struct Station {
    pub(crate) accelerators: usize,
    /// In bytes per picosecond.
    pub(crate) bandwidth: f64,
    pub(crate) sharing: Sharing,
    pub(crate) classes: Vec<Class>,
}

impl Station {
    /// The same jobs arrive at every run with the same classes.
    pub(crate) fn run(&self, jobs: usize) -> Log {
        let (world, first_network) = self.world();
        let requests = self.requests(jobs, &first_network);
        play(world, Trace { measured: 0..requests.len(), requests, ..Trace::default() })
    }

    /// The same jobs from customers that think for an exponential time after each.
    pub(crate) fn run_closed(&self, jobs: usize, customers: usize, think: f64) -> Log {
        let (world, first_network) = self.world();
        let mut requests = self.requests(jobs, &first_network);
        let mut rng = ChaCha8Rng::seed_from_u64(1985);
        let mut followers = Vec::with_capacity(jobs);
        for (place, request) in requests.iter_mut().enumerate() {
            request.arrival = if place < customers { Time::ZERO } else { Time::MAX };
            if place >= customers {
                let delay = -(1.0 - rng.random::<f64>()).ln() * think;
                followers.push(Follower {
                    after: After::Ended(0),
                    request: place as u32,
                    delay: Time((delay * UNIT).round() as u64),
                    within: Time::MAX,
                });
            }
        }
        play(world, Trace { measured: 0..jobs, requests, followers, ..Trace::default() })
    }

    /// One network per class and size, and the first network of each class, with the end.
    fn world(&self) -> (World, Vec<usize>) {
        let accelerator = |i| AcceleratorModel::new(format!("m{i}"), 0, 0.0);
        let accelerators = (0..self.accelerators).map(accelerator).collect();
        let platform = Platform::new(accelerators, self.bandwidth, self.sharing);
        let (mut networks, mut first) = (Vec::new(), vec![0]);
        for class in &self.classes {
            networks.extend(class.law.sizes().into_iter().map(|size| {
                let costs = vec![Some(class.cost(size)); self.accelerators];
                let layer = LayerModel { name: String::new(), after: Vec::new(), costs };
                NetworkModel::new("", &[layer], &platform, None)
            }));
            first.push(networks.len());
        }
        (World { platform, networks }, first)
    }

    fn requests(&self, jobs: usize, first_network: &[usize]) -> Vec<Request> {
        let mut rng = ChaCha8Rng::seed_from_u64(1980);
        let rate: f64 = self.classes.iter().map(|class| class.rate).sum();
        let mut arrival = 0.0;
        let draw = |_| {
            arrival += -(1.0 - rng.random::<f64>()).ln() / rate;
            let mut class = 0;
            let mut left = rng.random::<f64>() * rate - self.classes[0].rate;
            while left > 0.0 && class + 1 < self.classes.len() {
                class += 1;
                left -= self.classes[class].rate;
            }
            let network = rng.random_range(first_network[class]..first_network[class + 1]) as u32;
            let arrival = Time((arrival * UNIT).round() as u64);
            Request { tenant: class as u32, network, priority: 1, qos: Qos::M, arrival, deadline: Time::MAX }
        };
        (0..jobs).map(draw).collect()
    }
}

/// Plays a trace by the rules of all stations.
fn play(world: World, trace: Trace) -> Log {
    let class_of = |request: &Request| request.tenant as usize;
    let mut log = Log { class: trace.requests.iter().map(class_of).collect(), ..Log::default() };
    let rules = Rules {
        trigger: Trigger::OnChange,
        decision_cost: DecisionCost::Ideal,
        late: LateRules::all(Late::Finish),
        unassigned: Unassigned::Hold,
        firm: Vec::new(),
        drift: Drift::NONE,
        variation: Variation::NONE,
    };
    let mut scheduler = FirstIdle { seen: Vec::new() };
    run(Engine::new(Arc::new(world), Arc::new(trace), rules), &mut scheduler, &mut log)
        .expect("whatever waits is assigned when an accelerator becomes idle");
    log.seen = scheduler.seen;
    log
}

/// First come, first served by the first idle accelerator. Notes how many jobs each arrival finds.
struct FirstIdle {
    seen: Vec<f64>,
}

impl Scheduler for FirstIdle {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let found = view.jobs().iter().take_while(|job| job.arrival < view.now()).count();
        self.seen.extend((found..view.jobs().len()).map(|found| found as f64));
        let idle = view.accelerators().iter().enumerate().filter(|(_, it)| it.running.is_none());
        for (sub_job, (accelerator, _)) in view.sub_jobs().iter().zip(idle) {
            out.assign(sub_job.id, accelerator, 0.0);
        }
    }
}

/// What happened to every job, in the order of arrival and in units of the mean job.
#[derive(Default)]
pub(crate) struct Log {
    class: Vec<usize>,
    arrivals: Vec<f64>,
    starts: Vec<f64>,
    ends: Vec<f64>,
    /// The jobs that each arrival found, by the scheduler's view.
    seen: Vec<f64>,
    /// The number in the system from each time on.
    path: Vec<(f64, f64)>,
}

impl Recorder for Log {
    fn record(&mut self, record: &Record, _: Origin) {
        let units = |time: Time| time.as_ps() / UNIT;
        let present = self.path.last().map_or(0.0, |&(_, number)| number);
        match *record {
            Record::Arrival { asked: Request { arrival: time, .. }, .. } => {
                self.arrivals.push(units(time));
                self.starts.push(f64::NAN);
                self.ends.push(f64::NAN);
                self.path.push((units(time), present + 1.0));
            }
            Record::Start { time, sub_job: SubJobId { job: JobId(job), .. }, .. } => {
                self.starts[job as usize] = units(time);
            }
            Record::Done { time, request, .. } => {
                self.ends[request.0 as usize] = units(time);
                self.path.push((units(time), present - 1.0));
            }
            _ => {}
        }
    }
}

impl Log {
    /// Without the first tenth, in which the station fills up, and the last hundredth, in which it may empty.
    fn window(&self) -> std::ops::Range<usize> {
        self.arrivals.len() / 10..self.arrivals.len() * 99 / 100
    }

    /// The time in the system of every job of a class.
    pub(crate) fn times(&self, class: usize) -> Vec<f64> {
        let of_class = self.window().filter(|&job| self.class[job] == class);
        of_class.map(|job| self.ends[job] - self.arrivals[job]).collect()
    }

    /// Over all classes.
    pub(crate) fn mean_time(&self) -> f64 {
        self.window().map(|job| self.ends[job] - self.arrivals[job]).sum::<f64>() / self.window().len() as f64
    }

    /// The time from arrival to start of every job.
    pub(crate) fn waits(&self) -> Vec<f64> {
        self.window().map(|job| self.starts[job] - self.arrivals[job]).collect()
    }

    /// The jobs that each arrival found.
    pub(crate) fn seen(&self) -> Vec<f64> {
        assert_eq!(self.seen.len(), self.arrivals.len(), "every arrival is a decision");
        self.seen[self.window()].to_vec()
    }

    /// Arrivals per unit of time.
    pub(crate) fn rate(&self) -> f64 {
        let (from, to) = self.span();
        self.window().len() as f64 / (to - from)
    }

    /// The number in the system, averaged over time.
    pub(crate) fn number(&self) -> Estimate {
        let (from, to) = self.span();
        let length = (to - from) / BATCHES as f64;
        let mut areas = vec![0.0; BATCHES];
        for pair in self.path.windows(2) {
            let ((start, number), (end, _)) = (pair[0], pair[1]);
            let (start, end) = (start.clamp(from, to), end.clamp(from, to));
            let batch = |time: f64| (((time - from) / length) as usize).min(BATCHES - 1);
            for (i, area) in areas.iter_mut().enumerate().take(batch(end) + 1).skip(batch(start)) {
                let (left, right) = (from + i as f64 * length, from + (i + 1) as f64 * length);
                *area += number * (end.min(right) - start.max(left)).max(0.0);
            }
        }
        Estimate::of_batches(&areas.iter().map(|area| area / length).collect::<Vec<_>>())
    }

    fn span(&self) -> (f64, f64) {
        (self.arrivals[self.window().start], self.arrivals[self.window().end])
    }
}

#[test]
fn the_sizes_have_the_moments_of_their_law() {
    for law in [Law::Deterministic, Law::Exponential, Law::Hyperexponential] {
        let sizes = law.sizes();
        let moment = |power| sizes.iter().map(|size| size.powi(power)).sum::<f64>() / sizes.len() as f64;
        assert!((moment(1) - 1.0).abs() < 1e-12, "{law:?}");
        // Sizes within a part are made equal: the long tail of the last part loses a little.
        assert!((moment(2) / law.second_moment() - 1.0).abs() < 1e-2, "{law:?}: {}", moment(2));
    }
}
