//! Is it a bound: on tiny systems every schedule is tried, and no registered scheduler does better than the best.
//!
//! **What is enumerated.** With ideal decisions at every arrival and completion (`on_change`, `ideal`, `hold`), the
//! search branches at every decision, on a clone of the engine, over all ways to give each idle accelerator one ready
//! sub-job that it can run, or nothing. So it tries all non-preemptive schedules at layer borders in which layers start
//! at arrivals and completions, deliberate idling included, under the engine's own contention model.
//!
//! **Why that is all the engine can do** under such decisions, whoever takes them: nothing starts but at a decision, when
//! a layer becomes ready or when an accelerator becomes idle, and the latter two are completions, which are decisions,
//! too. An assignment ahead starts at such an instant; a hold and a drop start nothing, which is a choice to idle. What
//! it does not bound are starts at any other time (`periodic`, charged decisions): under contention a start a little
//! later can be better.
//!
//! Branches are cut only where a bound says that nothing better can follow: a request in flight ends no earlier than its
//! critical path allows, and the accelerators together do the work that is left no faster than at its smallest c1.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use mascot::check::{Case, Size};
use mascot::cost::LayerCost;
use mascot::hw::Sharing;
use mascot::limits::Relaxation;
use mascot::rng;
use mascot::scheduler::{SCHEDULERS, find};
use mascot::sim::{
    AcceleratorModel, Decision, DecisionCost, Drift, Engine, LateRules, LayerModel, NetworkModel, PairCost,
    Platform, Record, Request, Rules, Scheduler, Step, SubJobId, Trace, Trigger, Unassigned, Variation, View,
    World, run,
};
use mascot::units::{Bytes, Picojoules, Time};
use mascot::workload::{Late, Qos};
use rand::RngExt;

const MOST_REQUESTS: usize = 3;
const MOST_LAYERS: usize = 4;
/// Of all requests; later ones are left out. Our choice, because some cases with all 12 take minutes.
const MOST_SUB_JOBS: usize = 8;

/// c1 and ends are rounded up to a picosecond, once per layer: bounds may be off by as much.
const ROUNDING: Time = Time((MOST_REQUESTS * MOST_LAYERS) as u64);

const RULES: Rules = Rules {
    trigger: Trigger::OnChange,
    decision_cost: DecisionCost::Ideal,
    late: LateRules::all(Late::Finish),
    unassigned: Unassigned::Hold,
    firm: Vec::new(),
    drift: Drift::NONE,
    variation: Variation::NONE,
};

fn tiny_size(seed: u64) -> Size {
    let of = |most: usize, digit: u64| 1 + (seed / digit) as usize % most;
    Size {
        accelerators: of(2, 1),
        requests: of(MOST_REQUESTS, 2),
        networks: of(2, 6),
        layers: of(MOST_LAYERS, 12),
    }
}

fn tiny(seed: u64) -> Case {
    let mut case = Case::new(seed, tiny_size(seed));
    case.max_sub_job = None;
    case.rules = RULES;
    let mut layers = 0;
    case.trace.requests.retain(|request| {
        layers += case.networks[request.network as usize].len();
        layers <= MOST_SUB_JOBS
    });
    case.trace.measured = 0..case.trace.requests.len();
    // Deadlines around what can just be met.
    let (world, rng) = (case.world(), &mut rng::stream(seed, "optimum", "slack"));
    for request in &mut case.trace.requests {
        let isolated = world.networks[request.network as usize].isolated;
        request.deadline = request.arrival + isolated.scale(rng.random_range(0.8..3.0));
    }
    case
}

/// The same with tensors that stay on chip, for the seeds that have some; two requests at most, because the search can cut
/// less.
fn tiny_with_residents(seed: u64) -> Option<Case> {
    let residency = Case::with_everything(seed, tiny_size(seed)).residency?;
    let mut case = Case { residency: Some(residency), ..tiny(seed) };
    case.trace.requests.truncate(2);
    case.trace.measured = 0..case.trace.requests.len();
    // Deadlines that some can meet only with hits.
    let (world, rng) = (case.world(), &mut rng::stream(seed, "optimum", "slack with residents"));
    for request in &mut case.trace.requests {
        let isolated = world.networks[request.network as usize].isolated;
        request.deadline = request.arrival + isolated.scale(rng.random_range(0.3..1.3));
    }
    Some(case)
}

/// When each request was done.
type Ends = Vec<Option<Time>>;

/// How far a schedule has come.
#[derive(Clone)]
struct Progress {
    ends: Ends,
    /// The fewest bytes that the layers not yet started can move, also of requests that have not arrived.
    bytes_left: f64,
}

impl Progress {
    fn new(case: &Case, world: &World) -> Self {
        let of = |request: &Request| {
            let network = &world.networks[request.network as usize];
            (0..network.layers.len() as u32).map(|layer| least_bytes(network, layer)).sum::<f64>()
        };
        let requests = &case.trace.requests;
        Self { ends: vec![None; requests.len()], bytes_left: requests.iter().map(of).sum() }
    }

    fn note(&mut self, case: &Case, world: &World, records: &[Record]) {
        for record in records {
            match *record {
                Record::Done { time, request, .. } => self.ends[request.0 as usize] = Some(time),
                Record::Start { sub_job, .. } => {
                    let request = &case.trace.requests[sub_job.job.0 as usize];
                    let network = &world.networks[request.network as usize];
                    self.bytes_left -= least_bytes(network, sub_job.layer);
                }
                _ => {}
            }
        }
    }
}

/// The costs on the accelerators with all that a layer may find on chip.
fn least_costs(network: &NetworkModel, layer: u32) -> impl Iterator<Item = PairCost> {
    (0..network.costs.ncols()).filter_map(move |m| network.least_cost(layer, m))
}

fn least_bytes(network: &NetworkModel, layer: u32) -> f64 {
    least_costs(network, layer).map(|cost| cost.dram_bytes()).fold(f64::INFINITY, f64::min)
}

/// What a schedule is judged by; less is better.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goal {
    /// Requests that miss their deadline.
    Missed,
    /// When the last request is done, in picoseconds; infinite where one never is.
    Makespan,
}

impl Goal {
    fn cost(self, case: &Case, ends: &Ends) -> u64 {
        match self {
            Self::Missed => {
                let missed = |(i, end): (usize, &Option<Time>)| {
                    end.is_none_or(|end| end > case.trace.requests[i].deadline)
                };
                ends.iter().enumerate().filter(|&end| missed(end)).count() as u64
            }
            Self::Makespan => ends.iter().map(|end| end.unwrap_or(Time::MAX).0).max().unwrap(),
        }
    }

    /// How far an optimum that was found may be above the true one.
    fn rounding(self) -> u64 {
        match self {
            Self::Missed => 0,
            Self::Makespan => ROUNDING.0,
        }
    }

    /// No schedule that goes on from here costs less, up to that rounding.
    fn bound(self, case: &Case, view: &View, Progress { ends, bytes_left }: &Progress) -> u64 {
        let possible = |(i, end): (usize, &Option<Time>)| end.unwrap_or_else(|| earliest_end(case, view, i));
        let possible = ends.iter().enumerate().map(possible);
        match self {
            Self::Missed => {
                self.cost(case, &possible.map(|end| Some(end.saturating_sub(ROUNDING))).collect())
            }
            Self::Makespan => {
                let promised = case.residency.is_none();
                let work: Time = view.jobs().iter().filter(|_| promised).map(|job| job.unstarted_best).sum();
                let work = Time(work.0 / view.accelerators().len() as u64);
                let moving = Time((bytes_left.max(0.0) / case.platform.bandwidth_bytes_per_ps) as u64);
                self.cost(case, &possible.map(Some).collect()).max((view.now() + work.max(moving)).0)
            }
        }
    }
}

/// A time before which the request cannot be done.
fn earliest_end(case: &Case, view: &View, request: usize) -> Time {
    let known = &case.trace.requests[request];
    let job = view.jobs().iter().find(|job| job.request.0 as usize == request);
    let network = &view.world().networks[known.network as usize];
    match job {
        // The view shows costs without what layers find on chip.
        Some(_) if case.residency.is_some() => view.now(),
        Some(job) => view.now() + job.shortest_left,
        None => known.arrival + shortest(network),
    }
}

/// The critical path with every layer at its smallest c1, with all that layers may find on chip.
fn shortest(network: &NetworkModel) -> Time {
    let mut ends: Vec<Time> = Vec::new();
    for (layer, before) in (0..).zip(&network.predecessors) {
        let ready = before.iter().map(|&before| ends[before as usize]).max().unwrap_or_default();
        ends.push(ready + least_costs(network, layer).map(|cost| cost.alone).min().unwrap());
    }
    ends.into_iter().max().unwrap()
}

struct Search<'a> {
    case: &'a Case,
    world: World,
    goal: Goal,
    best: u64,
}

impl Search<'_> {
    fn optimum(case: &Case, goal: Goal) -> u64 {
        let mut search = Search { case, world: case.world(), goal, best: u64::MAX };
        let progress = Progress::new(case, &search.world);
        search.follow(case.engine(), progress);
        search.best
    }

    fn follow(&mut self, mut engine: Engine, mut progress: Progress) {
        let mut records = Vec::new();
        let step = engine.run_to_decision(&mut records);
        progress.note(self.case, &self.world, &records);
        if step != Step::Decide {
            self.best = self.best.min(self.goal.cost(self.case, &progress.ends));
            return;
        }
        let bound = self.goal.bound(self.case, &engine.view(), &progress);
        for starts in choices(&engine.view()) {
            if bound >= self.best {
                return;
            }
            let mut decision = Decision::default();
            starts.iter().for_each(|&(sub_job, accelerator)| decision.assign(sub_job, accelerator, 0.0));
            let mut next = engine.clone();
            next.apply(&decision, &mut ()).unwrap();
            self.follow(next, progress.clone());
        }
    }
}

/// All ways to give each idle accelerator a ready sub-job or nothing; nothing comes last.
fn choices(view: &View) -> Vec<Vec<(SubJobId, usize)>> {
    let mut choices = vec![Vec::new()];
    let idle = view.accelerators().iter().enumerate().filter(|(_, lane)| lane.running.is_none());
    for (accelerator, _) in idle {
        let able = view.sub_jobs().iter().filter(|sub| sub.ready && view.alone(sub, accelerator).is_some());
        let with = |sub: SubJobId| {
            let free = choices.iter().filter(move |others| others.iter().all(|&(other, _)| other != sub));
            free.map(move |others| [&others[..], &[(sub, accelerator)]].concat())
        };
        let more: Vec<_> = able.flat_map(|sub| with(sub.id)).collect();
        choices.splice(0..0, more);
    }
    choices
}

/// When each request is done under a registered scheduler.
fn ends_under(case: &Case, scheduler: &mut dyn Scheduler, rules: Rules) -> Ends {
    let engine = Engine::new(Arc::new(case.world()), Arc::new(case.trace.clone()), rules);
    let world = case.world();
    let (mut records, mut progress) = (Vec::new(), Progress::new(case, &world));
    run(engine, scheduler, &mut records).unwrap();
    progress.note(case, &world, &records);
    progress.ends
}

/// The least that a registered scheduler comes to; none may come below the optimum.
fn best_registered(case: &Case, goal: Goal, optimum: u64) -> u64 {
    let mut best = u64::MAX;
    for entry in SCHEDULERS {
        for (late, unassigned) in [
            (Late::Finish, Unassigned::Hold),
            (Late::Finish, Unassigned::Sticky),
            (Late::Abort, Unassigned::Hold),
            (Late::Abort, Unassigned::Sticky),
        ] {
            let mut scheduler = (entry.build)(&toml::Table::new(), case.seed).unwrap();
            let ends = ends_under(
                case,
                scheduler.as_mut(),
                Rules { late: LateRules::all(late), unassigned, ..RULES },
            );
            let cost = goal.cost(case, &ends);
            assert!(
                cost.saturating_add(goal.rounding()) >= optimum,
                "{} has {goal:?} {cost}, the optimum is {optimum}: seed {}, {case}",
                entry.name,
                case.seed
            );
            best = best.min(cost);
        }
    }
    best
}

/// Single layers of (c in ns, b in bytes/ns), one request each of (arrival, deadline) in ns.
fn by_hand(accelerators: usize, layers: &[(u64, u64)], requests: &[(u64, u64)]) -> Case {
    let mut case = tiny(0);
    let accelerator = |m: usize| AcceleratorModel::new(format!("m{m}"), 0, 0.0);
    case.platform = Platform::new((0..accelerators).map(accelerator).collect(), 0.01, Sharing::MaxMin);
    let layer = |&(c_ns, demand): &(u64, u64)| {
        let (latency, dram_bytes) = (Time(c_ns * 1_000), Bytes(c_ns * demand));
        let cost = LayerCost {
            latency,
            dram_bytes,
            weight_bytes: Bytes(0),
            input_bytes: Bytes(0),
            energy: Picojoules(1.0),
            utilization: 0.5,
            tiles: 1,
            on_chip: None,
        };
        vec![LayerModel { name: "layer".into(), after: vec![], costs: vec![Some(cost); accelerators] }]
    };
    case.networks = layers.iter().map(layer).collect();
    let request = |(network, &(arrival_ns, deadline_ns)): (usize, &(u64, u64))| Request {
        tenant: 0,
        network: network as u32,
        priority: 1,
        qos: Qos::M,
        arrival: Time(arrival_ns * 1_000),
        deadline: Time(deadline_ns * 1_000),
    };
    case.trace = Trace {
        requests: requests.iter().enumerate().map(request).collect(),
        measured: 0..requests.len(),
        ..Trace::default()
    };
    case
}

/// Misses of the optimum, and of a scheduler that never idles.
fn missed(case: &Case) -> (u64, u64) {
    let mut fcfs = (find("fcfs").unwrap().build)(&toml::Table::new(), 0).unwrap();
    let ends = ends_under(case, fcfs.as_mut(), RULES);
    (Search::optimum(case, Goal::Missed), Goal::Missed.cost(case, &ends))
}

#[test]
fn the_search_idles_where_that_is_best() {
    // A request of 100 ns has time, one of 10 ns comes 1 ns later and has none: wait for it.
    assert_eq!(missed(&by_hand(1, &[(100, 0), (10, 0)], &[(0, 200), (1, 12)])), (0, 1));
    // Together both layers take 20 ns; one after the other, each has all of the bandwidth for 10.
    assert_eq!(missed(&by_hand(2, &[(10, 10), (10, 10)], &[(0, 10), (0, 20)])), (0, 1));
    // With less time for the second, it cannot be done.
    assert_eq!(missed(&by_hand(2, &[(10, 10), (10, 10)], &[(0, 10), (0, 19)])), (1, 2));
}

#[expect(clippy::print_stdout, reason = "what was measured, for whoever runs the test with --nocapture")]
fn optimum_bounds_every_scheduler(seeds: u64) {
    for goal in [Goal::Missed, Goal::Makespan] {
        let reached = |&seed: &u64| {
            let case = tiny(seed);
            let optimum = Search::optimum(&case, goal);
            best_registered(&case, goal, optimum) <= optimum + goal.rounding()
        };
        let reached = (0..seeds).filter(reached).count() as u64;
        println!("{goal:?}: the best scheduler reaches the optimum in {reached} of {seeds} cases");
        // The bound is reached, or it would say little; and not always, or it would say nothing new.
        assert!(reached > seeds / 2 && reached < seeds, "{goal:?}: reached in {reached} of {seeds} cases");
    }
}

/// The linear program's bound is one for the best of all schedules, too; and how much it promises that none keeps.
#[expect(clippy::print_stdout, reason = "what was measured, for whoever runs the test with --nocapture")]
fn the_relaxation_bounds_the_optimum(seeds: u64) {
    let (mut requests, mut most, mut bounds, mut tight) = (0, 0, 0, 0);
    for seed in 0..seeds {
        let case = tiny(seed);
        let met = case.trace.requests.len() - Search::optimum(&case, Goal::Missed) as usize;
        let bound = Relaxation::new(&case.world(), &case.trace).unwrap().most_met();
        assert!(met <= bound, "{met} requests can be met, the bound is {bound}: seed {seed}, {case}");
        requests += case.trace.requests.len();
        (most, bounds, tight) = (most + met, bounds + bound, tight + u64::from(met == bound));
    }
    println!(
        "of {requests} requests in {seeds} cases {most} can be met, and {bounds} by the bound; equal in {tight} cases"
    );
    assert!(bounds < requests, "the bound says nothing");
    assert!(tight > seeds * 9 / 10, "the bound is reached in {tight} of {seeds} cases");
}

#[test]
fn the_linear_program_bounds_the_optimum() {
    the_relaxation_bounds_the_optimum(1_000);
}

/// With every hit granted, the bound holds for all schedules with hits; and these meet more than schedules without.
#[test]
fn the_bound_holds_where_tensors_stay_on_chip() {
    let (mut cases, mut met_more) = (0, 0);
    for case in (0..3_000).filter_map(tiny_with_residents) {
        let world = case.world();
        let requests = case.trace.requests.len();
        let missed = Search::optimum(&case, Goal::Missed);
        let bound = Relaxation::new(&world, &case.trace).unwrap().most_met();
        assert!(requests - missed as usize <= bound, "{missed} are missed, the bound is {bound}: {case}");
        best_registered(&case, Goal::Missed, missed);
        let without = Search::optimum(&Case { residency: None, ..case }, Goal::Missed);
        (cases, met_more) = (cases + 1, met_more + u64::from(missed < without));
    }
    assert!(cases > 300 && met_more > cases / 100, "{met_more} of {cases} cases meet more");
}

#[test]
fn the_optimum_bounds_every_scheduler() {
    optimum_bounds_every_scheduler(1_000);
}

#[test]
#[ignore = "ten times as many cases: make test-long"]
fn the_optimum_bounds_every_scheduler_long() {
    optimum_bounds_every_scheduler(10_000);
}
