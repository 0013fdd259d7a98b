//! The accelerators: the layers that run on them, and the ready sub-jobs assigned to them. Fields that every event
//! reads are stored as one array per field.

use super::super::bandwidth::{share, weight};
use super::super::{Found, JobId, PairCost, Paths, Phase, Phases, Platform, SubJobId, Way};
use super::jobs::Jobs;
use super::mask::Mask;
use super::queue::{Entry, Queue};
use crate::hw::Sharing;
use crate::units::Time;

/// A layer in execution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) sub_job: SubJobId,
    pub(super) priority: f64,
    /// The scheduler's weight for the layer's share of the bandwidth.
    pub(super) weight: f64,
    pub(super) cost: PairCost,
    /// What the layer found on chip.
    pub(super) found: Found,
    /// Work done per time, relative to the cost tables (`sim::variation`).
    pub(super) pace: f64,
    /// How long it is expected to take, relative to the cost tables (`corrections`).
    pub(super) ratio: f64,
    /// Parts of its layer that it does again (`sim::preemption`).
    pub(super) repeated: u32,
    pub(super) start: Time,
    /// The present phase, if the layer has phases.
    pub(super) phase: usize,
    /// Bandwidth demand of the phase by the cost tables.
    demand_bytes_per_ps: f64,
    /// Uncontended work left of the phase at `since`, in picoseconds.
    left_ps: f64,
    /// Uncontended work of the phases after it.
    later_ps: f64,
    since: Time,
    /// Work done per time: speed x pace x granted / demanded bandwidth.
    pub(super) rate: f64,
}

impl Running {
    /// A layer that starts now, with its cost after what it found on chip.
    pub(super) fn new(
        sub_job: SubJobId,
        priority: f64,
        weight: f64,
        (cost, found): (PairCost, Found),
        pace: f64,
        now: Time,
    ) -> Self {
        // The rate is set before time passes: a layer that starts changes the sharing.
        let (start, since, left_ps) = (now, now, cost.latency_ps);
        let (phase, later_ps, rate, ratio, repeated) = (0, 0.0, 0.0, 1.0, 0);
        let demand_bytes_per_ps = cost.demand_bytes_per_ps;
        Self {
            sub_job,
            priority,
            weight,
            cost,
            found,
            pace,
            ratio,
            repeated,
            start,
            phase,
            demand_bytes_per_ps,
            left_ps,
            later_ps,
            since,
            rate,
        }
    }

    /// Begins a phase, with `later_ps` in the phases after it.
    fn enter(&mut self, phase: usize, of: Phase, later_ps: f64, now: Time) {
        self.phase = phase;
        self.demand_bytes_per_ps = of.demand_bytes_per_ps;
        self.left_ps = of.work_ps;
        self.later_ps = later_ps;
        self.since = now;
        self.rate = 0.0;
    }

    /// The bandwidth that it demands at full speed.
    fn demand(&self) -> f64 {
        self.pace * self.demand_bytes_per_ps
    }

    /// The weight of its share of the bandwidth.
    #[inline]
    fn share_weight(&self, sharing: Sharing) -> f64 {
        let cost = PairCost { demand_bytes_per_ps: self.demand(), ..self.cost };
        weight(sharing, &cost, self.weight)
    }

    /// The layer, which starts now, as it is expected to go on.
    pub(super) fn expected(self, way: &Way) -> Self {
        let cost = if self.ratio == 1.0 { self.cost } else { self.cost.expected(self.ratio, way) };
        let (left_ps, demand_bytes_per_ps) = (cost.latency_ps, cost.demand_bytes_per_ps);
        Self { cost, left_ps, demand_bytes_per_ps, pace: 1.0, ratio: 1.0, ..self }
    }

    /// What a layer is that should have ended by now: it ends at once.
    fn overdue(self) -> Self {
        Self { pace: 1.0, demand_bytes_per_ps: 0.0, left_ps: 0.0, later_ps: 0.0, rate: 0.0, ..self }
    }

    /// Work left of the phase at `now`, in picoseconds of uncontended time.
    pub(super) fn left_at(&self, now: Time) -> f64 {
        self.left_ps - self.rate * (now - self.since).as_ps()
    }

    /// Time to the end if nothing else ran from `now` on, rounded down.
    #[inline]
    pub(super) fn left_alone(&self, now: Time) -> Time {
        let share = ((self.left_at(now) + self.later_ps) / self.cost.latency_ps).clamp(0.0, 1.0);
        Time((share * self.cost.alone.as_ps()) as u64)
    }

    /// Sets the rate from `now` on, and returns the end.
    fn proceed(&mut self, rate: f64, now: Time) -> Time {
        self.left_ps = self.left_at(now).max(0.0);
        self.since = now;
        self.rate = rate;
        now + Time::from_ps_ceil(self.left_ps / rate).max(Time(1))
    }
}

/// The state of all accelerators.
#[derive(Debug)]
pub(super) struct Lanes {
    /// When the running layer, or its present phase, ends at its present rate; [`Time::MAX`] where none runs.
    ends: Vec<Time>,
    /// When the running layer ends, with later phases taken without contention.
    layer_ends: Vec<Time>,
    /// The smallest of `ends`, as of the last [`Lanes::share_bandwidth`].
    next_end: Time,
    running: Vec<Option<Running>>,
    /// The sub-job that ended last on each accelerator.
    last: Vec<Option<SubJobId>>,
    /// The network of the sub-job that started last on each accelerator.
    last_networks: Vec<Option<u32>>,
    /// Bandwidth demand of the running layer, its b x speed; 0 where none runs.
    demands: Vec<f64>,
    /// Weight of the running layer's share of the bandwidth.
    weights: Vec<f64>,
    grants: Vec<f64>,
    granted_bytes_per_ps: f64,
    queues: Vec<Queue>,
    busy: Mask,
    lost: Mask,
    /// Speed of the accelerators relative to their cost tables.
    speed: f64,
    /// Bandwidth that the DRAM delivers, all memories together.
    capacity_bytes_per_ps: f64,
    /// What the running layers take of each memory and link, if there are several.
    paths: Option<Box<Paths>>,
    /// The accelerators whose queue may not be empty.
    waiting: Mask,
}

clone_by_field!(Lanes {
    ends,
    layer_ends,
    next_end,
    running,
    last,
    last_networks,
    demands,
    weights,
    grants,
    granted_bytes_per_ps,
    queues,
    busy,
    lost,
    speed,
    capacity_bytes_per_ps,
    paths,
    waiting
});

impl Lanes {
    pub(super) fn new(platform: &Platform) -> Self {
        let accelerators = platform.accelerators.len();
        Self {
            ends: vec![Time::MAX; accelerators],
            layer_ends: vec![Time::MAX; accelerators],
            next_end: Time::MAX,
            running: vec![None; accelerators],
            last: vec![None; accelerators],
            last_networks: vec![None; accelerators],
            demands: vec![0.0; accelerators],
            weights: vec![0.0; accelerators],
            grants: vec![0.0; accelerators],
            granted_bytes_per_ps: 0.0,
            queues: std::iter::repeat_with(Queue::new).take(accelerators).collect(),
            busy: Mask::default(),
            lost: Mask::default(),
            speed: 1.0,
            capacity_bytes_per_ps: platform.bandwidth_bytes_per_ps,
            paths: Paths::new(platform).map(Box::new),
            waiting: Mask::default(),
        }
    }

    /// Number of accelerators.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The running layer of each accelerator.
    pub(super) fn running(&self) -> &[Option<Running>] {
        &self.running
    }

    /// The running layer of a busy accelerator.
    pub(super) fn running_on(&self, accelerator: usize) -> &Running {
        self.running[accelerator].as_ref().expect("the accelerator is busy")
    }

    /// The sub-job that ended last on an accelerator.
    pub(super) fn last(&self, accelerator: usize) -> Option<SubJobId> {
        self.last[accelerator]
    }

    /// The layer that ran last on an accelerator, if it is of this job.
    pub(super) fn last_of(&self, job: JobId, accelerator: usize) -> Option<u32> {
        self.last[accelerator].filter(|last| last.job == job).map(|last| last.layer)
    }

    /// The network of the layer that started last on an accelerator, if one has.
    pub(super) fn last_network(&self, accelerator: usize) -> Option<u32> {
        self.last_networks[accelerator]
    }

    /// An accelerator turns to a network; returns whether it comes from another one.
    pub(super) fn turn_to(&mut self, accelerator: usize, network: u32) -> bool {
        self.last_networks[accelerator].replace(network).is_some_and(|last| last != network)
    }

    /// When the layer on a busy accelerator ends at its present rate, with later phases taken without contention.
    #[inline]
    pub(super) fn end_of(&self, accelerator: usize) -> Time {
        self.layer_ends[accelerator]
    }

    pub(super) fn all_idle(&self) -> bool {
        self.busy.is_empty()
    }

    pub(super) fn some_idle(&self) -> bool {
        match self.lost.is_empty() {
            true => self.ends.contains(&Time::MAX),
            false => (0..self.len()).any(|m| self.ends[m] == Time::MAX && !self.lost.contains(m)),
        }
    }

    /// Speed of the accelerators relative to their cost tables.
    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    /// Bandwidth that the DRAM delivers, all memories together, in bytes per picosecond.
    pub(super) fn bandwidth(&self) -> f64 {
        self.capacity_bytes_per_ps
    }

    /// Changes speed and bandwidth; the next [`Lanes::share_bandwidth`] sets the rates.
    pub(super) fn set_conditions(&mut self, speed: f64, bandwidth_bytes_per_ps: f64) {
        (self.speed, self.capacity_bytes_per_ps) = (speed, bandwidth_bytes_per_ps);
        if let Some(paths) = &mut self.paths {
            paths.set_bandwidth(bandwidth_bytes_per_ps);
        }
        for accelerator in self.busy.iter() {
            let running = self.running[accelerator].as_ref().expect("the accelerator is busy");
            self.demands[accelerator] = speed * running.demand();
            // The rates may stay as they are, where the DRAM is the limit; the time after the phase does not.
            self.layer_ends[accelerator] =
                self.ends[accelerator] + Time::from_ps_ceil(running.later_ps / (speed * running.pace));
        }
    }

    /// The accelerators that run something.
    pub(super) fn busy(&self) -> &Mask {
        &self.busy
    }

    /// The lost accelerators.
    pub(super) fn lost(&self) -> &Mask {
        &self.lost
    }

    /// Loses an accelerator. It ends what it runs.
    pub(super) fn lose(&mut self, accelerator: usize) {
        self.lost.insert(accelerator);
    }

    /// The next end of a layer or phase, [`Time::MAX`] if none runs.
    pub(super) fn next_end(&self) -> Time {
        self.next_end
    }

    /// The first accelerator from a number on whose layer or phase ends now.
    #[inline]
    pub(super) fn next_ending(&self, from: usize, now: Time) -> Option<usize> {
        if now < self.next_end {
            return None;
        }
        (from..self.ends.len()).find(|&accelerator| self.ends[accelerator] == now)
    }

    /// The first idle accelerator from a number on whose queue may not be empty.
    #[inline]
    pub(super) fn next_startable(&self, from: usize) -> Option<usize> {
        self.waiting.next_without(&self.busy, from)
    }

    pub(super) fn push(&mut self, accelerator: usize, entry: Entry, jobs: &Jobs) {
        self.queues[accelerator].push(entry, jobs);
        self.waiting.insert(accelerator);
    }

    /// Takes the sub-job that the accelerator starts next.
    pub(super) fn pop(&mut self, accelerator: usize, jobs: &Jobs) -> Option<Entry> {
        let entry = self.queues[accelerator].pop(jobs);
        if self.queues[accelerator].is_empty() {
            self.waiting.remove(accelerator);
        }
        entry
    }

    /// Starts a layer whose data come this way; the next [`Lanes::share_bandwidth`] sets its rate.
    pub(super) fn start(&mut self, accelerator: usize, running: Running, way: &Way, sharing: Sharing) {
        if let Some(paths) = &mut self.paths {
            paths.set_way(accelerator, way);
        }
        self.demands[accelerator] = self.speed * running.demand();
        self.weights[accelerator] = running.share_weight(sharing);
        self.running[accelerator] = Some(running);
        self.busy.insert(accelerator);
    }

    /// The running layer of a busy accelerator enters a phase.
    pub(super) fn enter(
        &mut self,
        accelerator: usize,
        phases: &Phases,
        phase: usize,
        sharing: Sharing,
        now: Time,
    ) {
        let running = self.running[accelerator].as_mut().expect("the accelerator is busy");
        // The sum is computed anew, because a subtraction that leaves a rounding error instead of 0 would be rounded up
        // to a picosecond.
        let later_ps = phases[phase + 1..].iter().map(|phase| phase.work_ps).sum();
        running.enter(phase, phases[phase], later_ps, now);
        self.demands[accelerator] = self.speed * running.demand();
        self.weights[accelerator] = running.share_weight(sharing);
    }

    /// Ends the running layer of an accelerator, if it has not ended.
    pub(super) fn end(&mut self, accelerator: usize) {
        if self.busy.contains(accelerator) {
            self.finish(accelerator);
        }
    }

    /// Ends the running layer of a busy accelerator.
    pub(super) fn finish(&mut self, accelerator: usize) -> Running {
        self.ends[accelerator] = Time::MAX;
        self.demands[accelerator] = 0.0;
        self.busy.remove(accelerator);
        let running = self.running[accelerator].take().expect("the accelerator is busy");
        self.last[accelerator] = Some(running.sub_job);
        running
    }

    /// Goes on as if the layers that run took their estimates; a layer that should have ended ends at once. The next
    /// [`Lanes::share_bandwidth`] sets the rates.
    pub(super) fn assume(&mut self, estimates: &Self) {
        for accelerator in self.busy.iter() {
            let running = self.running[accelerator].as_mut().expect("the accelerator is busy");
            let expected = estimates.running[accelerator];
            *running = expected.unwrap_or_else(|| running.overdue());
            self.demands[accelerator] = self.speed * running.demand();
            self.weights[accelerator] = estimates.weights[accelerator];
            self.ends[accelerator] = estimates.ends[accelerator];
            self.layer_ends[accelerator] = estimates.layer_ends[accelerator];
        }
        self.next_end = estimates.next_end;
        self.grants.clone_from(&estimates.grants);
        self.granted_bytes_per_ps = estimates.granted_bytes_per_ps;
    }

    /// Gives every running layer its share from `now` on; returns the sum of the grants, if it changed.
    ///
    /// An unchanged rate leaves the planned end alone, so that splitting an interval does not accumulate rounding.
    #[inline]
    pub(super) fn share_bandwidth(&mut self, sharing: Sharing, now: Time) -> Option<f64> {
        let capacity = self.capacity_bytes_per_ps;
        match &mut self.paths {
            None => share(sharing, &self.demands, &self.weights, capacity, &mut self.grants),
            Some(paths) => paths.share(sharing, &self.demands, &self.weights, &mut self.grants),
        }
        let granted: f64 = self.grants.iter().sum();
        assert!(granted <= capacity * (1.0 + 1e-9), "granted {granted} of {capacity} bytes/ps");
        self.next_end = Time::MAX;
        for accelerator in self.busy.iter() {
            let (demand, grant) = (self.demands[accelerator], self.grants[accelerator]);
            let share = if grant == demand { 1.0 } else { grant / demand };
            let running = self.running[accelerator].as_mut().expect("the accelerator is busy");
            let speed = self.speed * running.pace;
            let rate = speed * share;
            if rate != running.rate {
                let end = running.proceed(rate, now);
                self.ends[accelerator] = end;
                self.layer_ends[accelerator] = match running.later_ps {
                    0.0 => end,
                    later_ps => end + Time::from_ps_ceil(later_ps / speed),
                };
            }
            self.next_end = self.next_end.min(self.ends[accelerator]);
        }
        let changed = granted != self.granted_bytes_per_ps;
        self.granted_bytes_per_ps = granted;
        changed.then_some(granted)
    }
}
