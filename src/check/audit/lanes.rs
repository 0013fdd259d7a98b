//! Checks what runs: one layer per accelerator, at the rate that its grant of the bandwidth allows.

use super::drift::Speeds;
use super::orders::Assignment;
use super::paths::{Takes, check_paths};
use super::{Audit, Check, TOLERANCE, Totals, ensure, ensure_close};
use crate::hw::Sharing;
use crate::sim::{
    Found, Origin, PairCost, Paths, Phase, Phases, Platform, Record, SubJobId, Switch, Way, share, weight,
};
use crate::units::Time;

/// The accelerators of a run.
pub(super) struct Lanes {
    pub(super) runs: Vec<Option<Run>>,
    /// The end of the layer that each accelerator ran before.
    pub(super) idle_since: Vec<Time>,
    /// The layer that each accelerator ran before.
    pub(super) last: Vec<Option<SubJobId>>,
    /// The network of the layer that each accelerator started last.
    networks: Vec<Option<u32>>,
    /// What runs takes of several memories and links, if there are several.
    paths: Option<Paths>,
    /// The total granted bandwidth, as recorded.
    granted_bytes_per_ps: f64,
    /// The number of such records at this instant.
    changes: usize,
}

/// A layer in execution.
pub(super) struct Run {
    pub(super) sub_job: SubJobId,
    pub(super) cost: PairCost,
    /// What it found on chip.
    found: Found,
    /// The bytes that its accelerator moves to change the network, and to interrupt and resume layers.
    more_bytes: f64,
    /// Parts of its layer that it does again.
    repeated: u32,
    /// The phases of the layer; if layers have none, a single one with the mean demand.
    phases: Phases,
    phase: usize,
    /// Work done per time, relative to the cost tables, where execution times vary.
    pub(super) pace: Option<f64>,
    /// How long it was expected to take when it started, relative to the cost tables.
    pub(super) ratio: f64,
    pub(super) assignment: Assignment,
    pub(super) start: Time,
    /// The uncontended work done in the current phase, in picoseconds.
    work_ps: f64,
    /// The rate at which it has run until now; 0 if it starts now.
    pub(super) rate: f64,
    /// The conditions under which it has run.
    seen: Vec<Speeds>,
    /// The part of its bytes that each memory and link carries.
    uses: Vec<f64>,
    /// The most that there was of each memory's and link's crowd.
    peak: Vec<Crowd>,
}

/// Sums over the layers in execution at one time, each with the part of its bytes that a memory or link carries.
#[derive(Clone, Copy, Default)]
struct Crowd {
    demand_bytes_per_ps: f64,
    /// The number of layers with a demand.
    sharers: f64,
    tile_bytes: f64,
}

impl Crowd {
    fn max(self, other: Self) -> Self {
        Self {
            demand_bytes_per_ps: self.demand_bytes_per_ps.max(other.demand_bytes_per_ps),
            sharers: self.sharers.max(other.sharers),
            tile_bytes: self.tile_bytes.max(other.tile_bytes),
        }
    }
}

impl Lanes {
    pub(super) fn new(platform: &Platform) -> Self {
        let runs = platform.accelerators.iter().map(|_| None).collect();
        let last = vec![None; platform.accelerators.len()];
        let networks = vec![None; platform.accelerators.len()];
        let idle_since = vec![Time::ZERO; platform.accelerators.len()];
        let paths = Paths::new(platform);
        Self { runs, idle_since, last, networks, paths, granted_bytes_per_ps: 0.0, changes: 0 }
    }

    /// The memories deliver another bandwidth.
    pub(super) fn set_bandwidth(&mut self, bandwidth_bytes_per_ps: f64) {
        if let Some(paths) = &mut self.paths {
            paths.set_bandwidth(bandwidth_bytes_per_ps);
        }
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().flatten()
    }

    pub(super) fn granted(&mut self, granted_bytes_per_ps: f64) -> Check {
        self.granted_bytes_per_ps = granted_bytes_per_ps;
        self.changes += 1;
        // Twice is possible: before and after a decision that takes no time.
        ensure!(self.changes <= 2, "the bandwidth changes {} times at one instant", self.changes);
        Ok(())
    }

    fn of_each(&self, what: impl Fn(&Run) -> f64) -> Vec<f64> {
        self.runs.iter().map(|run| run.as_ref().map_or(0.0, &what)).collect()
    }

    /// The grants of the sharing rule for the layers in execution, by accelerator.
    fn grants(&self, sharing: Sharing, conditions: Speeds) -> Vec<f64> {
        let demands = self.of_each(|run| conditions.speed * run.demand());
        let weights = self.of_each(|run| {
            let cost = PairCost { demand_bytes_per_ps: run.demand(), ..run.cost };
            weight(sharing, &cost, run.assignment.weight)
        });
        let mut grants = vec![0.0; demands.len()];
        match &self.paths {
            None => share(sharing, &demands, &weights, conditions.bandwidth_bytes_per_ps, &mut grants),
            Some(paths) => paths.share(sharing, &demands, &weights, &mut grants),
        }
        grants
    }

    /// The work per time of the layers in execution, by accelerator: granted / demanded bandwidth x speed.
    pub(super) fn rates(&self, sharing: Sharing, conditions: Speeds) -> Vec<f64> {
        let rate = |(run, grant): (&Option<Run>, f64)| match run {
            Some(run) if run.demand() > 0.0 => run.pace() * grant / run.demand(),
            Some(run) => run.pace() * conditions.speed,
            None => conditions.speed,
        };
        self.runs.iter().zip(self.grants(sharing, conditions)).map(rate).collect()
    }

    /// The crowd of a memory or link.
    fn crowd(&self, resource: usize) -> Crowd {
        let sum = |of: fn(&Run) -> f64| self.running().map(|run| run.uses[resource] * of(run)).sum();
        Crowd {
            demand_bytes_per_ps: sum(Run::demand),
            sharers: sum(|run| if run.demand() > 0.0 { 1.0 } else { 0.0 }),
            tile_bytes: sum(|run| run.cost.tile_bytes),
        }
    }

    fn crowds(&self) -> Vec<Crowd> {
        let resources = self.paths.as_ref().map_or(1, |paths| paths.capacities().len());
        (0..resources).map(|resource| self.crowd(resource)).collect()
    }

    /// Lets the layers in execution work for `elapsed`.
    pub(super) fn advance(
        &mut self,
        sharing: Sharing,
        conditions: Speeds,
        elapsed: Time,
        totals: &mut Totals,
    ) -> Check {
        let (crowds, grants) = (self.crowds(), self.grants(sharing, conditions));
        let granted: f64 = grants.iter().sum();
        let demanded = conditions.speed * self.running().map(Run::demand).sum::<f64>();
        let most = demanded.min(conditions.bandwidth_bytes_per_ps);
        if let Some(paths) = &self.paths {
            let running =
                self.runs.iter().zip(&grants).filter_map(|(run, grant)| Some((run.as_ref()?, grant)));
            let takes: Vec<Takes> = running.map(|(run, grant)| run.takes(conditions.speed, *grant)).collect();
            check_paths(paths.capacities(), &takes, sharing)?;
        }
        match sharing {
            _ if self.paths.is_some() || sharing == Sharing::Knee => ensure!(
                granted <= most * (1.0 + TOLERANCE),
                "{granted} bytes/ps are granted, but at most {most} are possible"
            ),
            _ => ensure_close("sum of the grants in bytes/ps", granted, most)?,
        }
        ensure_close("recorded bandwidth in bytes/ps", self.granted_bytes_per_ps, granted)?;
        self.changes = 0;
        totals.granted_bytes_per_ps = granted;
        totals.busy_accelerators = self.running().count();
        let rates = self.rates(sharing, conditions);
        for (run, rate) in self.runs.iter_mut().zip(rates) {
            let Some(run) = run else { continue };
            run.work_ps += elapsed.as_ps() * rate;
            run.rate = rate;
            run.peak.resize(crowds.len(), Crowd::default());
            run.peak.iter_mut().zip(&crowds).for_each(|(peak, crowd)| *peak = peak.max(*crowd));
            if run.seen.last() != Some(&conditions) {
                run.seen.push(conditions);
            }
        }
        Ok(())
    }
}

impl Run {
    fn new(
        sub_job: SubJobId,
        (cost, found): (PairCost, Found),
        phases: Option<&Phases>,
        way: &Way,
        assignment: Assignment,
        start: Time,
    ) -> Self {
        let even = Phase { work_ps: cost.latency_ps, demand_bytes_per_ps: cost.demand_bytes_per_ps };
        let phases = phases.copied().unwrap_or([even, Phase::default(), Phase::default()]);
        let (phase, pace, work_ps, rate, seen, peak) = (0, None, 0.0, 0.0, Vec::new(), Vec::new());
        let (more_bytes, repeated, ratio) = (0.0, 0, 1.0);
        // A layer takes all of the only memory.
        let uses = if way.uses.is_empty() { vec![1.0] } else { way.uses.clone() };
        Self {
            sub_job,
            cost,
            found,
            more_bytes,
            repeated,
            phases,
            phase,
            pace,
            ratio,
            assignment,
            start,
            work_ps,
            rate,
            seen,
            uses,
            peak,
        }
    }

    /// Its memories and links: the part that each carries, its bandwidth under given conditions, and its crowd.
    fn shares(&self, platform: &Platform, under: &Speeds) -> Vec<(f64, f64, Crowd)> {
        let capacities = match platform.memories.is_one() {
            true => vec![under.bandwidth_bytes_per_ps],
            false => platform.memories.capacities(under.bandwidth_bytes_per_ps),
        };
        let all = self.uses.iter().zip(capacities).zip(&self.peak);
        all.map(|((part, capacity), crowd)| (*part, capacity, *crowd))
            .filter(|(part, ..)| *part > 0.0)
            .collect()
    }

    /// What it takes if accelerators work at `speed` and it is granted so much.
    fn takes(&self, speed: f64, grant: f64) -> Takes<'_> {
        Takes { sub_job: self.sub_job, demand: speed * self.demand(), grant, uses: &self.uses }
    }

    fn pace(&self) -> f64 {
        self.pace.unwrap_or(1.0)
    }

    /// The bandwidth that it demands at full speed.
    fn demand(&self) -> f64 {
        self.pace() * self.phases[self.phase].demand_bytes_per_ps
    }

    /// The time to the end if the current phase runs at `rate` and later phases run at `speed`, without contention.
    pub(super) fn left_ps(&self, rate: f64, speed: f64) -> f64 {
        (self.phases[self.phase].work_ps - self.work_ps) / rate + self.later_ps() / speed
    }

    /// The picoseconds that rounding may add to that time: one for the phase, and one for all after it.
    pub(super) fn roundings(&self) -> f64 {
        if self.later_ps() > 0.0 { 2.0 } else { 1.0 }
    }

    fn later_ps(&self) -> f64 {
        self.phases[self.phase + 1..].iter().map(|phase| phase.work_ps).sum()
    }

    /// Checks that the work of the phase, and with it its bytes, is done, and that no phase before `next` is skipped.
    fn check_phase(&self, next: usize) -> Check {
        // An end is rounded up to the next picosecond, and is at least one.
        let excess_ps = self.work_ps - self.phases[self.phase].work_ps;
        let rounding_ps = TOLERANCE * self.cost.latency_ps;
        ensure!(excess_ps >= -rounding_ps, "{:?} ends with {} ps of work left", self.sub_job, -excess_ps);
        ensure!(
            excess_ps <= self.rate.max(1.0) + rounding_ps,
            "{:?} works {excess_ps} ps too much",
            self.sub_job
        );
        let left_out = self.phases[self.phase + 1..next].iter().any(|phase| phase.work_ps > 0.0);
        ensure!(!left_out, "{:?} skips a phase", self.sub_job);
        Ok(())
    }

    /// Checks that all work is done, in a time that contention explains.
    fn check(&self, now: Time, platform: &Platform) -> Check {
        self.check_phase(self.phases.len())?;
        let sharing = platform.sharing;
        let alone = |under: &Speeds| {
            let moving_ps = |(part, capacity, _): (f64, f64, Crowd)| part * self.cost.dram_bytes() / capacity;
            let working_ps = self.cost.latency_ps / (under.speed * self.pace());
            self.shares(platform, under).into_iter().map(moving_ps).fold(working_ps, f64::max)
        };
        let alone_ps = self.seen.iter().map(alone).fold(f64::INFINITY, f64::min);
        let actual_ps = (now - self.start).as_ps();
        ensure!(
            actual_ps >= alone_ps * (1.0 - TOLERANCE),
            "{:?} takes {actual_ps} ps, but {alone_ps} ps alone",
            self.sub_job
        );
        let longest = |phase: &Phase| {
            let slowest = |under: &Speeds| {
                let demand = self.pace() * phase.demand_bytes_per_ps;
                let slowed = |(_, capacity, crowd): (f64, f64, Crowd)| {
                    self.pressure(under.speed * demand, sharing, under.speed, capacity, crowd) / capacity
                };
                let most = self.shares(platform, under).into_iter().map(slowed).fold(1.0, f64::max);
                most / (under.speed * self.pace())
            };
            phase.work_ps * self.seen.iter().map(slowest).fold(0.0, f64::max)
        };
        let takes_place = self.phases.iter().filter(|phase| phase.work_ps > 0.0);
        let rounding_ps = takes_place.clone().count() as f64;
        let longest_ps: f64 = takes_place.map(longest).sum();
        ensure!(
            actual_ps <= longest_ps * (1.0 + TOLERANCE) + rounding_ps,
            "{:?} takes {actual_ps} ps, but at most {longest_ps} ps under {sharing:?}",
            self.sub_job
        );
        Ok(())
    }

    /// A bandwidth in bytes per picosecond of a memory or link at which the layer would surely not have been slowed there.
    fn pressure(&self, demand: f64, sharing: Sharing, speed: f64, bandwidth: f64, peak: Crowd) -> f64 {
        match sharing {
            _ if demand == 0.0 => 0.0,
            // Every sharer gets at least an equal part.
            Sharing::MaxMin => demand * peak.sharers,
            Sharing::Proportional => speed * peak.demand_bytes_per_ps,
            // A quarter of its demand, or its proportional part of the bandwidth; an equal part below the threshold.
            Sharing::Score => {
                (4.0 * bandwidth).max(speed * peak.demand_bytes_per_ps).max(demand * peak.sharers)
            }
            Sharing::Fifo => demand * peak.tile_bytes / self.cost.tile_bytes,
            // Its level is never below an equal part.
            Sharing::Knee => {
                let crowded = demand * peak.sharers;
                (bandwidth.powi(3) - demand.min(bandwidth).powi(3) + crowded.powi(3)).cbrt()
            }
        }
    }
}

impl Audit<'_> {
    pub(super) fn start(&mut self, record: &Record) -> Check {
        let Record::Start { sub_job, accelerator, weight, ready, assigned, alone, .. } = *record else {
            return Err(format!("{record:?} is no start"));
        };
        self.judge_trigger_before_start()?;
        let SubJobId { job: id, layer } = sub_job;
        let lane = self.lanes.runs.get(accelerator);
        let lane = lane.ok_or_else(|| format!("there is no accelerator {accelerator}"))?;
        let busy_with = lane.as_ref().map(|run| run.sub_job);
        ensure!(busy_with.is_none(), "{sub_job:?} starts on accelerator {accelerator} beside {busy_with:?}");
        let job = self.job(id)?;
        ensure!((layer as usize) < job.layers.len(), "{sub_job:?} is not in its network");
        ensure!(!job.layers[layer as usize].started, "{sub_job:?} starts twice");
        let last = self.lanes.last[accelerator].filter(|last| last.job == id).map(|last| last.layer);
        let network = job.known;
        let cost = if network.residency.is_some() {
            let found = self.find_and_keep(sub_job, accelerator)?;
            network.cost_finding(layer, accelerator, found).map(|cost| (cost, found))
        } else {
            let cost = network.cost_after(layer, accelerator, last);
            cost.map(|(cost, inputs)| (cost, Found { inputs, weights: 0.0 }))
        };
        let mut cost = cost.ok_or_else(|| format!("accelerator {accelerator} cannot run {sub_job:?}"))?;
        let asked = self.job(id)?.request.network;
        let interrupted = self.interrupted(sub_job, accelerator)?;
        cost.0 = network.cost_interrupted(cost.0, accelerator, interrupted);
        let before = self.lanes.networks[accelerator].replace(asked);
        let switch = self.world.platform.accelerators[accelerator].switch;
        let switch = if before.is_some_and(|before| before != asked) { switch } else { Switch::FREE };
        if switch != Switch::FREE {
            cost.0 = switch.before(cost.0, &network.ways[accelerator]);
        }
        let assignment = self.check_next(sub_job, accelerator)?;
        ensure_close("weight of its share", weight, assignment.weight)?;
        ensure_time("ready", ready, self.job(id)?.ready_at(layer))?;
        ensure_time("assigned", assigned, assignment.since)?;
        ensure_time("c1 of the layer", alone, cost.0.alone)?;
        self.jobs[id.0 as usize].layers[layer as usize].started = true;
        let phases = self.jobs[id.0 as usize].network.phases(layer, accelerator);
        self.wake(accelerator);
        let way = &self.jobs[id.0 as usize].network.ways[accelerator];
        if let Some(paths) = &mut self.lanes.paths {
            paths.set_way(accelerator, way);
        }
        let run = Run::new(sub_job, cost, phases, way, assignment, self.now);
        let ratio = self.corrections.ratio(asked, accelerator);
        let more_bytes = switch.dram_bytes + interrupted.saved_bytes + interrupted.restored_bytes;
        self.lanes.runs[accelerator] = Some(Run { more_bytes, repeated: interrupted.repeated, ratio, ..run });
        Ok(())
    }

    pub(super) fn enter_phase(&mut self, sub_job: SubJobId, accelerator: usize, phase: usize) -> Check {
        let run = self.lanes.runs.get_mut(accelerator).and_then(Option::as_mut);
        let run = run.filter(|run| run.sub_job == sub_job);
        let run = run.ok_or_else(|| format!("{sub_job:?} does not run on {accelerator}"))?;
        let follows = phase > run.phase && phase < run.phases.len() && run.phases[phase].work_ps > 0.0;
        ensure!(follows, "{sub_job:?} goes from phase {} to {phase}", run.phase);
        run.check_phase(phase)?;
        (run.phase, run.work_ps, run.rate) = (phase, 0.0, run.pace() * self.conditions.present.speed);
        Ok(())
    }

    pub(super) fn finish(&mut self, record: &Record, origin: Origin) -> Check {
        let Record::Finish {
            start,
            sub_job,
            network,
            accelerator,
            dram_bytes,
            forwarded_bytes,
            resident_weight_bytes,
            energy,
            uncontended_ps,
            repeated,
            ..
        } = *record
        else {
            return Ok(());
        };
        let run = self.lanes.runs.get_mut(accelerator).and_then(Option::take);
        let run = run.filter(|run| run.sub_job == sub_job);
        let run = run.ok_or_else(|| format!("{sub_job:?} ends on {accelerator}, but does not run there"))?;
        ensure!(start == run.start, "{sub_job:?} started at {} ps, not {} ps", run.start.0, start.0);
        ensure_close("energy of the layer in pJ", energy.0, run.cost.energy.0)?;
        ensure_close("DRAM bytes of the layer", dram_bytes, run.cost.dram_bytes())?;
        ensure_close("forwarded bytes of the layer", forwarded_bytes, run.found.inputs)?;
        ensure_close("bytes of weights on chip", resident_weight_bytes, run.found.weights)?;
        ensure_close("c of the layer in ps", uncontended_ps, run.cost.latency_ps / run.pace())?;
        run.check(self.now, &self.world.platform)?;
        self.lanes.last[accelerator] = Some(sub_job);
        self.lanes.idle_since[accelerator] = self.now;
        self.check_network(sub_job, network)?;
        let job = &mut self.jobs[sub_job.job.0 as usize];
        let whole = job.network.cost(sub_job.layer, accelerator).map_or(f64::NAN, PairCost::dram_bytes);
        let bytes = dram_bytes + forwarded_bytes + resident_weight_bytes;
        ensure!(repeated == run.repeated, "{sub_job:?} repeats {repeated} parts, not {}", run.repeated);
        ensure_close("bytes from DRAM and on chip", bytes, whole * f64::from(1 + repeated) + run.more_bytes)?;
        ensure!(origin == job.origin, "{sub_job:?} ends with other data: {origin:?}");
        job.layers[sub_job.layer as usize].ended = Some(self.now);
        self.totals.finish(&job.request, &run, origin.measured);
        self.learn(network, accelerator, run.pace());
        self.release_inputs(sub_job);
        self.triggers.change();
        self.release_successors(&run, accelerator);
        Ok(())
    }
}

fn ensure_time(what: &str, actual: Time, expected: Time) -> Check {
    ensure!(actual == expected, "{what}: {} ps, not {} ps", actual.0, expected.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{layer, platform, world};
    use crate::sim::JobId;

    /// Checks a run of c 10 ns and b 8 bytes/ns that took `actual_ns` ns beside one of `beside` bytes/ns.
    fn verdict(sharing: Sharing, beside: f64, actual_ns: u64) -> Check {
        let platform = Platform { sharing, ..platform(1, 10.0) };
        let world = world(platform, &[&[layer(&[], &[(10.0, 8.0)])]]);
        let cost = *world.networks[0].cost(0, 0).expect("accelerator 0 runs it");
        let sub_job = SubJobId { job: JobId(0), layer: 0 };
        let assignment = Assignment { accelerator: 0, priority: 0.0, weight: 1.0, since: Time(0) };
        let peak = Crowd {
            demand_bytes_per_ps: (8.0 + beside) / 1e3,
            sharers: 2.0,
            tile_bytes: 2.0 * cost.tile_bytes,
        };
        let way = &world.networks[0].ways[0];
        let run = Run::new(sub_job, (cost, Found::default()), None, way, assignment, Time(1_000));
        let bandwidth_bytes_per_ps = world.platform.bandwidth_bytes_per_ps;
        let seen = vec![Speeds { speed: 1.0, bandwidth_bytes_per_ps }];
        let run = Run { work_ps: cost.latency_ps, rate: 1.0, seen, peak: vec![peak], ..run };
        run.check(Time((1 + actual_ns) * 1_000), &world.platform)
    }

    #[test]
    fn durations_lie_between_alone_and_what_contention_explains() {
        for sharing in [Sharing::MaxMin, Sharing::Fifo, Sharing::Knee, Sharing::Proportional] {
            assert_eq!(verdict(sharing, 8.0, 16), Ok(()), "{sharing:?}");
            let too_fast = verdict(sharing, 8.0, 9).expect_err("less than c");
            assert!(too_fast.contains("takes 9000 ps, but 10000 ps alone"), "{too_fast}");
            let too_slow = verdict(sharing, 8.0, 17).expect_err("an equal part lets it run in 16 ns");
            assert!(too_slow.contains("takes 17000 ps, but at most 16"), "{too_slow}");
        }
        // Proportional sharing slows a light layer as much as the heavy one beside it.
        assert_eq!(verdict(Sharing::Proportional, 12.0, 20), Ok(()));
        assert!(verdict(Sharing::MaxMin, 12.0, 20).is_err());
    }
}
