//! `magma`: a genetic algorithm over (accelerator, order) per sub-job, tried in roll-outs of the engine.
//!
//! A genome has two rows: an accelerator and an order key for every open sub-job. Successors of a sub-job stay on its
//! accelerator (sticky). Per generation the elite (5 %) live on; the others descend from the best 10 %: crossover of
//! one row, of both, or of the genes on one accelerator, all of them true swaps between two children, and mutation of 5
//! % of the genes. Fitness is the number of deadlines met, then the earlier mean finish; with `objective = "makespan"`
//! it is the makespan, which for a batch is equivalent to MAGMA's throughput.
//!
//! Online, the scheduler searches whenever a request has arrived, with a budget of `samples` roll-outs, which are
//! charged (`rollout.rs`). Until the next arrival a sub-job follows its gene, or that of its job. The first generation
//! has the best genome of the last search (warm start), what `eft`, `heft`, `edf` and `sjf` would do (our choice,
//! because budgets are small online), and random genomes. A roll-out ends where a sub-job would wait for a decision
//! forever. Late requests come after all others, except with the makespan as objective.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::placing::is_late;
use super::rollout::{Outcome, RollOut, Until};
use super::{SchedulerEntry, find, parse};
use crate::files::Parameter;
use crate::rng;
use crate::sim::{Action, Decision, JobId, Scheduler, SubJobId, SubJobView, Trigger, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "magma",
    doc: "genetic algorithm over accelerator and order of every sub-job, tried in roll-outs",
    source: "MAGMA (Kao and Krishna, HPCA 2022), operators and shares as in its code",
    parameters: &[
        Parameter {
            name: "samples",
            default: "20",
            doc: "roll-outs per search; MAGMA spends 10,000 on a batch",
        },
        Parameter {
            name: "population",
            default: "10",
            doc: "genomes per generation; MAGMA has as many as there are jobs, 100",
        },
        Parameter { name: "objective", default: "\"sla\"", doc: "`sla` for deadlines met, or `makespan`" },
    ],
    draws: true,
    build: |parameters, seed| {
        let parameters: Parameters = parse(parameters)?;
        if parameters.population < 2 || !(1..=MAX_SAMPLES).contains(&parameters.samples) {
            return Err(format!("`population` has to be at least 2, and `samples` from 1 to {MAX_SAMPLES}"));
        }
        Ok(Box::new(Magma::new(parameters, seed)))
    },
};

/// The most samples of a search. Our choice, because it is ten times what the paper spends offline.
const MAX_SAMPLES: u32 = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Objective {
    Sla,
    Makespan,
}

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    samples: u32,
    population: u32,
    objective: Objective,
}

impl Default for Parameters {
    /// Our choice, because a decision every 100 us has no time for more, and neither has a sweep.
    fn default() -> Self {
        Self { samples: 20, population: 10, objective: Objective::Sla }
    }
}

/// MAGMA's share of genomes that live on.
const ELITE: f64 = 0.05;
const PARENTS: f64 = 0.1;
const MUTATION: f64 = 0.05;

/// The rules whose assignments are in the first generation.
const TEACHERS: [&str; 4] = ["eft", "heft", "edf", "sjf"];

/// The gene of one sub-job.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gene {
    accelerator: usize,
    /// The order key: the largest on an accelerator starts first.
    key: f64,
}

#[derive(Debug, Default)]
struct Genome {
    /// The genes, in the order of the view's sub-jobs.
    genes: Vec<Gene>,
    outcome: Outcome,
}

struct Magma {
    parameters: Parameters,
    rng: ChaCha8Rng,
    teachers: Vec<Box<dyn Scheduler>>,
    /// The genomes of this generation, the best first.
    population: Vec<Genome>,
    /// The genomes of the next generation.
    children: Vec<Genome>,
    /// The last gene of each sub-job, by ascending sub-job.
    last: Vec<(SubJobId, Gene)>,
    /// The last job that had arrived at the last search.
    youngest: Option<JobId>,
    roll_out: RollOut,
    decision: Decision,
}

impl Magma {
    fn new(parameters: Parameters, seed: u64) -> Self {
        let teacher = |name| {
            let entry = find(name).expect("teachers are registered");
            (entry.build)(&toml::Table::new(), seed).expect("no parameter is mandatory")
        };
        Self {
            parameters,
            rng: rng::stream(seed, "scheduler", "magma"),
            teachers: TEACHERS.into_iter().map(teacher).collect(),
            population: Vec::new(),
            children: Vec::new(),
            last: Vec::new(),
            youngest: None,
            roll_out: RollOut::default(),
            decision: Decision::default(),
        }
    }
}

impl Scheduler for Magma {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let youngest = view.jobs().last().map(|job| job.id);
        self.population.resize_with(self.size(), Genome::default);
        self.children.resize_with(self.size(), Genome::default);
        if youngest > self.youngest {
            self.search(view, out);
            self.youngest = youngest;
        } else {
            let Self { rng, population, last, .. } = self;
            population[0].genes.clear();
            population[0].genes.extend(view.sub_jobs().iter().map(|sub| inherited(last, view, sub, rng)));
            out.operations.comparisons += view.sub_jobs().len() as u64;
        }
        self.last.clear();
        self.last
            .extend(view.sub_jobs().iter().map(|sub| sub.id).zip(self.population[0].genes.iter().copied()));
        self.parameters.objective.assign(view, &self.population[0].genes, out);
    }
}

impl Objective {
    fn assign(self, view: &View, genes: &[Gene], out: &mut Decision) {
        for (sub, gene) in view.sub_jobs().iter().zip(genes) {
            let postponed = self == Self::Sla && is_late(view, sub);
            // Keys are from 0 to 1.
            let key = if postponed { -view.job_of(sub).deadline.as_ps() } else { gene.key };
            out.assign(sub.id, gene.accelerator, key);
        }
    }
}

/// A share of the population, at least one genome.
fn share(of: f64, size: usize) -> usize {
    ((of * size as f64).round() as usize).clamp(1, size - 1)
}

impl Magma {
    fn size(&self) -> usize {
        self.parameters.population.min(self.parameters.samples) as usize
    }

    /// Leaves the best genome at the front of the population.
    fn search(&mut self, view: &View, out: &mut Decision) {
        let size = self.size();
        self.first_generation(view, out);
        let mut left = self.parameters.samples as usize;
        self.evaluate(0, size, view, out);
        left -= size;
        let elite = share(ELITE, size);
        while left > 0 {
            self.breed(elite, view);
            std::mem::swap(&mut self.population, &mut self.children);
            // A last generation that is cut short keeps the old genomes behind its elite.
            let bred = left.min(size - elite);
            self.evaluate(elite, elite + bred, view, out);
            left -= bred;
        }
    }

    /// Fills the first generation: warm start, teachers, and random genomes.
    fn first_generation(&mut self, view: &View, out: &mut Decision) {
        let subs = view.sub_jobs();
        let Self { rng, population, teachers, last, decision, .. } = self;
        let mut genomes = population.iter_mut();
        for (teacher, genome) in teachers.iter_mut().zip(&mut genomes) {
            decision.clear();
            teacher.decide(view, decision);
            out.operations.comparisons += decision.operations.comparisons;
            taught(decision, view, &mut genome.genes);
        }
        if let Some(genome) = genomes.next() {
            genome.genes.clear();
            genome.genes.extend(subs.iter().map(|sub| inherited(last, view, sub, rng)));
        }
        for genome in genomes {
            genome.genes.clear();
            genome.genes.extend(subs.iter().map(|sub| random(view, sub, rng)));
        }
    }

    /// Rolls out the genomes of a range, and sorts all genomes, the best first.
    fn evaluate(&mut self, from: usize, to: usize, view: &View, out: &mut Decision) {
        let objective = self.parameters.objective;
        let until = if objective == Objective::Sla { Until::Deadlines } else { Until::End };
        for genome in &mut self.population[from..to] {
            let assign =
                |view: &View, decision: &mut Decision| objective.assign(view, &genome.genes, decision);
            // Without decisions to come, a run may end with sub-jobs that nobody assigns.
            genome.outcome = self.roll_out.run(view, until, Some(Trigger::Never), None, out, assign);
            out.operations.comparisons += genome.genes.len() as u64;
        }
        // Stable: ties stay as they were.
        self.population.sort_by(|a, b| match objective {
            _ if a.outcome.stalled != b.outcome.stalled => a.outcome.stalled.cmp(&b.outcome.stalled),
            Objective::Makespan => a.outcome.makespan_ps.total_cmp(&b.outcome.makespan_ps),
            Objective::Sla => b.outcome.rank().partial_cmp(&a.outcome.rank()).expect("times are numbers"),
        });
    }

    /// Fills the next generation: the elite, then children in pairs.
    fn breed(&mut self, elite: usize, view: &View) {
        let parents = share(PARENTS, self.population.len()).max(2);
        let Self { rng, population, children, .. } = self;
        let copy = |from: &Genome, to: &mut Genome| {
            to.genes.clone_from(&from.genes);
            to.outcome = from.outcome;
        };
        let (kept, mut bred) = children.split_at_mut(elite);
        kept.iter_mut().zip(population.iter()).for_each(|(to, from)| copy(from, to));
        while let [first, rest @ ..] = bred {
            copy(&population[rng.random_range(0..parents)], first);
            let [second, rest @ ..] = rest else {
                mutate(first, view, rng);
                break;
            };
            copy(&population[rng.random_range(0..parents)], second);
            cross(first, second, view.accelerators().len(), rng);
            mutate(first, view, rng);
            mutate(second, view, rng);
            bred = rest;
        }
    }
}

/// Swaps, between two genomes, one row over a range, both rows over a range, or all genes that are on one accelerator in
/// either of them.
fn cross(a: &mut Genome, b: &mut Genome, accelerators: usize, rng: &mut ChaCha8Rng) {
    let n = a.genes.len();
    let from = rng.random_range(0..n);
    let range = from..rng.random_range(from + 1..=n);
    let m = rng.random_range(0..accelerators);
    let kind = rng.random_range(0..4);
    let range = if kind == 3 { 0..n } else { range };
    for (a, b) in a.genes[range.clone()].iter_mut().zip(&mut b.genes[range]) {
        match kind {
            0 => std::mem::swap(&mut a.accelerator, &mut b.accelerator),
            1 => std::mem::swap(&mut a.key, &mut b.key),
            2 => std::mem::swap(a, b),
            _ if a.accelerator == m || b.accelerator == m => std::mem::swap(a, b),
            _ => {}
        }
    }
}

fn mutate(genome: &mut Genome, view: &View, rng: &mut ChaCha8Rng) {
    for (gene, sub) in genome.genes.iter_mut().zip(view.sub_jobs()) {
        if rng.random_bool(MUTATION) {
            *gene = random(view, sub, rng);
        }
    }
}

fn random(view: &View, sub: &SubJobView, rng: &mut ChaCha8Rng) -> Gene {
    let alone = view.alone_on_each(sub);
    loop {
        let accelerator = rng.random_range(0..alone.len());
        if view.alone(sub, accelerator).is_some() {
            return Gene { accelerator, key: rng.random() };
        }
    }
}

/// The genes of what a teacher does. Its priorities, -(rank), are brought into the range of the random keys.
fn taught(decision: &Decision, view: &View, genes: &mut Vec<Gene>) {
    // Teachers postpone late requests.
    let postponed = |sub: &SubJobView| {
        let network = view.network_of(view.job_of(sub));
        Gene { accelerator: network.fastest(sub.id.layer), key: 0.0 }
    };
    genes.clear();
    genes.extend(view.sub_jobs().iter().map(postponed));
    for action in &decision.actions {
        if let Action::Assign { sub_job, accelerator, priority, .. } = *action {
            let place = view.sub_jobs().binary_search_by_key(&sub_job, |sub| sub.id);
            genes[place.expect("teachers assign open sub-jobs")] =
                Gene { accelerator, key: 1.0 / (1.0 - priority) };
        }
    }
}

/// The gene of the sub-job, or of its job, at the last decision.
fn inherited(last: &[(SubJobId, Gene)], view: &View, sub: &SubJobView, rng: &mut ChaCha8Rng) -> Gene {
    let place = last.partition_point(|(id, _)| *id < sub.id);
    let exact = last.get(place).filter(|(id, _)| *id == sub.id);
    let of_job = || place.checked_sub(1).map(|before| &last[before]).filter(|(id, _)| id.job == sub.id.job);
    let known = exact.or_else(of_job).map(|&(_, gene)| gene);
    known.filter(|gene| view.alone(sub, gene.accelerator).is_some()).unwrap_or_else(|| random(view, sub, rng))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known trap: a crossover that copies one way instead of swapping.
    #[test]
    fn crossover_swaps() {
        let mut rng = rng::stream(1, "test", "magma");
        for _ in 0..200 {
            let genome = |first: usize| Genome {
                genes: (0..12)
                    .map(|i| Gene { accelerator: (first + i) % 3, key: (first * 100 + i) as f64 })
                    .collect(),
                outcome: Outcome::default(),
            };
            let (before_a, before_b) = (genome(0), genome(1));
            let (mut a, mut b) = (genome(0), genome(1));
            cross(&mut a, &mut b, 3, &mut rng);
            for i in 0..12 {
                let both = |x: f64, y: f64| (x.min(y), x.max(y));
                let (old, new) = ((before_a.genes[i], before_b.genes[i]), (a.genes[i], b.genes[i]));
                assert_eq!(both(old.0.key, old.1.key), both(new.0.key, new.1.key));
                let accelerators = |pair: (Gene, Gene)| {
                    (pair.0.accelerator.min(pair.1.accelerator), pair.0.accelerator.max(pair.1.accelerator))
                };
                assert_eq!(accelerators(old), accelerators(new));
            }
            assert!(a.genes != before_a.genes, "a range is never empty");
        }
    }
}
