//! Follows a run by its records alone and asserts, one by one, that they are possible.
//!
//! It keeps its own account of what runs where, which requests are open and how much work each layer has done at the
//! grants that the running layers imply.

use crate::hw::Sharing;
use crate::sim::bandwidth::{share, weight};
use crate::sim::{
    DropReason, JobId, Late, PairCost, Record, Recorder, RequestId, Rules, SubJobId, Trace, World,
};
use crate::units::Time;

/// Relative; DESIGN.md section 4 promises conservation to this.
const TOLERANCE: f64 = 1e-9;

pub(super) struct Audit<'a> {
    world: &'a World,
    trace: &'a Trace,
    rules: &'a Rules,
    now: Time,
    lanes: Vec<Option<Run>>,
    granted_bytes_per_ps: f64,
    /// One per request that has arrived.
    requests: Vec<Account>,
    last_decision: Option<Time>,
    /// When the decision in flight takes effect.
    due: Option<Time>,
    ended: bool,
}

/// A layer in execution.
struct Run {
    sub_job: SubJobId,
    cost: PairCost,
    weight: f64,
    start: Time,
    work_ps: f64,
    /// Largest sum of demands while it ran.
    most_demand: f64,
    /// Most layers with a demand while it ran.
    most_sharers: usize,
    /// Largest sum of bytes per tile of layers with a demand while it ran.
    most_tile_bytes: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Open,
    Done,
    Dropped,
}

struct Account {
    fate: Fate,
    started: Vec<bool>,
    ended: Vec<Option<Time>>,
}

impl<'a> Audit<'a> {
    pub(super) fn new(world: &'a World, trace: &'a Trace, rules: &'a Rules) -> Self {
        Self {
            world,
            trace,
            rules,
            now: Time::ZERO,
            lanes: world.platform.accelerators.iter().map(|_| None).collect(),
            granted_bytes_per_ps: 0.0,
            requests: Vec::new(),
            last_decision: None,
            due: None,
            ended: false,
        }
    }

    /// After the last record.
    pub(super) fn close(&self) {
        assert!(self.ended);
    }

    fn account(&mut self, request: u32) -> &mut Account {
        self.requests.get_mut(request as usize).expect("the request has arrived")
    }

    /// The running layers work on until `time` at the grants that their demands imply.
    fn advance(&mut self, time: Time) {
        let demand = |lane: &Option<Run>| lane.as_ref().map_or(0.0, |run| run.cost.demand_bytes_per_ps);
        let demands: Vec<f64> = self.lanes.iter().map(demand).collect();
        let tile_bytes: f64 = self.lanes.iter().flatten().map(|run| run.cost.tile_bytes).sum();
        let platform = &self.world.platform;
        let weigh = |run: &Run| weight(platform.sharing, &run.cost, run.weight);
        let weights: Vec<f64> = self.lanes.iter().map(|lane| lane.as_ref().map_or(0.0, weigh)).collect();
        let mut grants = vec![0.0; demands.len()];
        share(platform.sharing, &demands, &weights, platform.bandwidth_bytes_per_ps, &mut grants);
        let (demanded, granted): (f64, f64) = (demands.iter().sum(), grants.iter().sum());
        if platform.sharing == Sharing::Knee {
            assert!(granted <= demanded.min(platform.bandwidth_bytes_per_ps) * (1.0 + TOLERANCE));
        } else {
            assert_close(granted, demanded.min(platform.bandwidth_bytes_per_ps));
        }
        assert_close(self.granted_bytes_per_ps, granted);
        let sharers = demands.iter().filter(|&&demand| demand > 0.0).count();
        let elapsed_ps = (time - self.now).as_ps();
        for (run, (demand, grant)) in self.lanes.iter_mut().zip(demands.iter().zip(&grants)) {
            let Some(run) = run else { continue };
            run.work_ps += elapsed_ps * if *demand > 0.0 { grant / demand } else { 1.0 };
            run.most_demand = run.most_demand.max(demanded);
            run.most_sharers = run.most_sharers.max(sharers);
            run.most_tile_bytes = run.most_tile_bytes.max(tile_bytes);
        }
        self.now = time;
    }

    fn arrive(&mut self, request: RequestId, job: JobId) {
        assert_eq!((request.0 as usize, job.0), (self.requests.len(), request.0), "in order, one job each");
        let known = self.trace.request(request);
        assert_eq!(known.arrival, self.now);
        let layers = self.world.networks[known.network as usize].layers.len();
        let (started, ended) = (vec![false; layers], vec![None; layers]);
        self.requests.push(Account { fate: Fate::Open, started, ended });
    }

    fn start(&mut self, sub_job: SubJobId, accelerator: usize, weight: f64) {
        let SubJobId { job, layer } = sub_job;
        let network = &self.world.networks[self.trace.requests[job.0 as usize].network as usize];
        let cost = *network.cost(layer, accelerator).expect("the accelerator runs the layer");
        assert!(self.lanes[accelerator].is_none(), "one layer at a time");
        let account = self.account(job.0);
        assert_eq!(account.fate, Fate::Open);
        let ended = |&predecessor: &u32| account.ended[predecessor as usize].is_some();
        assert!(network.predecessors[layer as usize].iter().all(ended), "{sub_job:?} starts too early");
        assert!(!std::mem::replace(&mut account.started[layer as usize], true), "{sub_job:?} starts twice");
        let (start, work_ps) = (self.now, 0.0);
        self.lanes[accelerator] = Some(Run {
            sub_job,
            cost,
            weight,
            start,
            work_ps,
            most_demand: 0.0,
            most_sharers: 0,
            most_tile_bytes: 0.0,
        });
    }

    fn finish(&mut self, sub_job: SubJobId, accelerator: usize) -> Run {
        let run = self.lanes[accelerator].take().expect("something runs there");
        assert_eq!(run.sub_job, sub_job);
        self.check_duration(&run);
        let now = self.now;
        self.account(sub_job.job.0).ended[sub_job.layer as usize] = Some(now);
        run
    }

    fn check_duration(&self, run: &Run) {
        let PairCost { latency_ps, demand_bytes_per_ps, .. } = run.cost;
        // An end is rounded up to the next picosecond, and to one at least.
        let excess_ps = run.work_ps - latency_ps;
        assert!(excess_ps >= -TOLERANCE * latency_ps, "work left: {excess_ps} ps");
        assert!(excess_ps <= 1.0 + TOLERANCE * latency_ps, "work done twice: {excess_ps} ps");
        let actual_ps = (self.now - run.start).as_ps();
        let bandwidth_bytes_per_ps = self.world.platform.bandwidth_bytes_per_ps;
        let alone_ps = latency_ps.max(run.cost.dram_bytes() / bandwidth_bytes_per_ps);
        assert!(actual_ps >= alone_ps * (1.0 - TOLERANCE), "{actual_ps} ps, alone {alone_ps} ps");
        let pressure_bytes_per_ps = match self.world.platform.sharing {
            // Every sharer can have an equal part.
            _ if demand_bytes_per_ps == 0.0 => 0.0,
            Sharing::MaxMin => demand_bytes_per_ps * run.most_sharers as f64,
            Sharing::Proportional => run.most_demand,
            // A quarter of its demand, or everybody's part of what there is; an equal part below the threshold.
            Sharing::Score => {
                let floor = (4.0 * bandwidth_bytes_per_ps).max(run.most_demand);
                floor.max(demand_bytes_per_ps * run.most_sharers as f64)
            }
            Sharing::Fifo => demand_bytes_per_ps * run.most_tile_bytes / run.cost.tile_bytes,
            // Its level is never below an equal part.
            Sharing::Knee => {
                let alone = demand_bytes_per_ps.min(bandwidth_bytes_per_ps);
                let crowded = demand_bytes_per_ps * run.most_sharers as f64;
                (bandwidth_bytes_per_ps.powi(3) - alone.powi(3) + crowded.powi(3)).cbrt()
            }
        };
        let longest_ps = latency_ps * (pressure_bytes_per_ps / bandwidth_bytes_per_ps).max(1.0);
        assert!(actual_ps <= longest_ps * (1.0 + TOLERANCE) + 1.0, "{actual_ps} ps, at most {longest_ps} ps");
    }

    fn done(&mut self, request: RequestId) {
        let now = self.now;
        let known = self.trace.request(request);
        assert!(self.rules.late == Late::Finish || now <= known.deadline, "done late under abort");
        // Each of the isolated layers may end up to a picosecond before its rounded-up c1.
        let isolated = self.world.networks[known.network as usize].isolated;
        let account = self.account(request.0);
        let rounding = Time(account.ended.len() as u64);
        assert!(now - known.arrival + rounding >= isolated, "faster than alone on the idle system");
        assert_eq!(std::mem::replace(&mut account.fate, Fate::Done), Fate::Open);
        assert_eq!(account.ended.iter().copied().max().flatten(), Some(now), "its last layer ends now");
        assert!(account.ended.iter().all(Option::is_some), "every layer ran");
    }

    fn drop_request(&mut self, request: RequestId, reason: DropReason) {
        assert_eq!(std::mem::replace(&mut self.account(request.0).fate, Fate::Dropped), Fate::Open);
        if reason == DropReason::Late {
            assert_eq!((self.rules.late, self.trace.request(request).deadline), (Late::Abort, self.now));
        }
    }

    fn decide(&mut self, latency: Time, ready: u32, open: u32) {
        assert!(self.last_decision.is_none_or(|last| last < self.now), "one decision per instant");
        assert!(self.due.is_none(), "one decision in flight");
        assert!(ready <= open && open > 0);
        self.last_decision = Some(self.now);
        self.due = Some(self.now + latency);
    }

    fn end(&mut self) {
        self.ended = true;
        for request in self.trace.counted.clone() {
            assert_ne!(self.account(request as u32).fate, Fate::Open, "request {request} is counted");
        }
    }
}

impl Recorder for Audit<'_> {
    fn record(&mut self, record: &Record) {
        let time = time_of(record);
        assert!(time >= self.now && !self.ended, "{record:?} after {:?}", self.now);
        if time > self.now {
            self.advance(time);
        }
        match *record {
            Record::Arrival { request, job, .. } => self.arrive(request, job),
            Record::Decision { latency, ready, open, .. } => self.decide(latency, ready, open),
            Record::Applied { .. } => assert_eq!(self.due.take(), Some(time)),
            Record::Start { sub_job, accelerator, weight, .. } => self.start(sub_job, accelerator, weight),
            Record::Finish { start, sub_job, accelerator, dram_bytes, energy, uncontended_ps, .. } => {
                let run = self.finish(sub_job, accelerator);
                assert_eq!((start, energy), (run.start, run.cost.energy));
                assert_eq!((uncontended_ps, dram_bytes), (run.cost.latency_ps, run.cost.dram_bytes()));
            }
            Record::Phase { .. } => unreachable!("random cases have no phases yet"),
            Record::Bandwidth { granted_bytes_per_ps, .. } => {
                self.granted_bytes_per_ps = granted_bytes_per_ps
            }
            Record::Done { request, .. } => self.done(request),
            Record::Drop { request, reason, .. } => self.drop_request(request, reason),
            Record::End { .. } => self.end(),
        }
    }
}

pub(super) fn time_of(record: &Record) -> Time {
    match *record {
        Record::Arrival { time, .. }
        | Record::Decision { time, .. }
        | Record::Applied { time, .. }
        | Record::Start { time, .. }
        | Record::Finish { time, .. }
        | Record::Phase { time, .. }
        | Record::Bandwidth { time, .. }
        | Record::Done { time, .. }
        | Record::Drop { time, .. }
        | Record::End { time } => time,
    }
}

fn assert_close(a: f64, b: f64) {
    assert!((a - b).abs() <= TOLERANCE * b, "{a} is not {b}");
}
