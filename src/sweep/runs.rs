//! The runs of a case under a scheduler, over seeds, and their statistics: means, intervals, paired differences.
//!
//! Runs under different seeds that agree by chance count as separate runs. They are copies of one run if all agree: a
//! recording brings the same requests under every seed, and seeds may draw only what a scheduler ignores, such as
//! priorities. They are copies as well if every outcome occurs equally often, as in a file that was assembled from the
//! same rows under several seeds: see [`firsts`].

use std::collections::{BTreeMap, BTreeSet};

use super::columns::summary_columns;
use super::estimate::{Estimate, Range, Replicates, batch_rates, mean};
use crate::metrics::{BATCH_COLUMNS, CROSSING_COLUMNS, Heading, SERVING_COLUMNS};

/// The metric for which a single run has an interval.
pub const RATE: &str = "sla_rate";

/// The metric by which fleets are judged.
pub const QUALITY: &str = "quality";

/// The column from which that interval is computed, the only text column after the keys.
pub const MET_BY_BATCH: &str = BATCH_COLUMNS[0].heading.name;

/// A metric that weights progress by priority, which is drawn: it may differ between runs that are otherwise the same.
const WEIGHED: &str = "fairness";

/// The endings of the names of columns with times, energies and rates.
const UNITS: [&str; 3] = ["_us", "_uj", "_per_s"];

/// A row of `summary.csv` without its keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The values by column; NaN if the run gives none.
    pub values: BTreeMap<String, f64>,
    /// The numbers of requests that met their deadlines in equal parts of the run; empty if they are not known.
    pub met_by_batch: Vec<usize>,
}

/// The values that tell a run from others.
pub type Fingerprint = Vec<u64>;

impl Measured {
    /// Sets the value of a column; `number` reads all columns but the one of text.
    pub fn set<E>(
        &mut self,
        column: &str,
        text: &str,
        number: impl FnOnce() -> Result<f64, E>,
    ) -> Result<(), E> {
        if column == MET_BY_BATCH {
            let met: Option<Vec<usize>> = text.split(' ').map(|met| met.parse().ok()).collect();
            self.met_by_batch = met.unwrap_or_default();
        } else {
            self.values.insert(column.to_string(), number()?);
        }
        Ok(())
    }

    /// The value of a metric; NaN if there is none.
    pub fn value(&self, metric: &str) -> f64 {
        self.values.get(metric).copied().unwrap_or(f64::NAN)
    }

    /// The SLA rates in equal parts of the run; empty if they are not known.
    pub fn batch_rates(&self) -> Vec<f64> {
        let requests = self.value("requests");
        let is_whole = requests >= self.met_by_batch.len() as f64 && !self.met_by_batch.is_empty();
        if is_whole { batch_rates(&self.met_by_batch, requests as usize) } else { Vec::new() }
    }

    /// A fingerprint that is equal for runs with the same outcome. Shares and counts, which have no unit, may agree by
    /// chance, so it is `None` for rows that have nothing else.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let has_unit = |name: &str| UNITS.iter().any(|unit| name.ends_with(unit));
        let is_measured = |(name, v): (&String, &f64)| has_unit(name) && v.is_finite() && *v != 0.0;
        self.values.iter().any(is_measured).then(|| self.bits(|name| name != WEIGHED))
    }

    /// Whether both have the same values in all columns that both have.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.bits(|name| other.values.contains_key(name)) == other.bits(|name| self.values.contains_key(name))
    }

    fn bits(&self, of: impl Fn(&str) -> bool) -> Fingerprint {
        // NaN has many bit patterns, and zero has two.
        let bits = |v: f64| if v.is_nan() { f64::NAN.to_bits() } else { (v + 0.0).to_bits() };
        self.values.iter().filter(|(name, _)| of(name)).map(|(_, value)| bits(*value)).collect()
    }
}

/// For each outcome of a case under a scheduler, the index of the first outcome that it is a copy of, or its own index.
/// Equal outcomes are copies only if every outcome occurs equally often and more than once; else they agree by chance.
/// `None` is an outcome that does not tell runs apart; if there is one, there are no copies.
pub fn firsts<T: Ord>(outcomes: &[Option<T>]) -> Vec<usize> {
    let mut places: BTreeMap<Option<&T>, Vec<usize>> = BTreeMap::new();
    for (place, outcome) in outcomes.iter().enumerate() {
        places.entry(outcome.as_ref()).or_default().push(place);
    }
    let mut firsts: Vec<usize> = (0..outcomes.len()).collect();
    let often = places.values().next().map_or(0, Vec::len);
    if often > 1 && !places.contains_key(&None) && places.values().all(|of| of.len() == often) {
        places.values().for_each(|of| of.iter().for_each(|&place| firsts[place] = of[0]));
    }
    firsts
}

/// The runs of a case under a scheduler, by seed.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    by_seed: BTreeMap<u64, Measured>,
    /// The seeds of runs that were left out as copies.
    copied: BTreeSet<u64>,
    /// Whether no seed changes the requests; a scheduler without random draws then has a single run.
    has_same_requests: bool,
}

impl Runs {
    /// Adds a run, or the row of a bound.
    pub fn add(&mut self, seed: u64, run: Measured) {
        self.by_seed.insert(seed, run);
    }

    /// The names of the metrics that some run has.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.by_seed.values().flat_map(|run| run.values.keys().map(String::as_str))
    }

    /// Removes copies.
    pub fn without_copies(mut self) -> Self {
        let outcomes: Vec<_> = self.by_seed.values().map(Measured::fingerprint).collect();
        let seeds = self.by_seed.keys().copied().zip(firsts(&outcomes)).enumerate();
        let copied: BTreeSet<u64> =
            seeds.filter(|&(place, (_, first))| place != first).map(|(_, (seed, _))| seed).collect();
        self.leave_out(&copied);
        Self { copied, ..self }
    }

    /// Marks that no seed changes the requests.
    pub fn have_same_requests(&mut self) {
        self.has_same_requests = true;
    }

    /// The only run, if no seed changes it, so that it stands for every seed.
    fn of_every_seed(&self) -> Option<&Measured> {
        let is_one = self.by_seed.len() == 1 && (self.has_same_requests || !self.copied.is_empty());
        self.by_seed.values().next().filter(|_| is_one)
    }

    /// Removes the runs of these seeds.
    pub fn leave_out(&mut self, seeds: &BTreeSet<u64>) {
        self.by_seed.retain(|seed, _| !seeds.contains(seed));
    }

    /// The number of runs.
    pub fn len(&self) -> usize {
        self.by_seed.len()
    }

    /// The number of runs that were removed as copies.
    pub fn copies(&self) -> usize {
        self.copied.len()
    }

    /// The seeds of the removed copies.
    pub fn copied(&self) -> &BTreeSet<u64> {
        &self.copied
    }

    /// Whether there is no run.
    pub fn is_empty(&self) -> bool {
        self.by_seed.is_empty()
    }

    /// The values of a metric by seed; NaN if a run gives none.
    pub fn values(&self, metric: &str) -> Vec<f64> {
        self.by_seed.values().map(|run| run.value(metric)).collect()
    }

    /// The run of a seed, unless it was left out.
    pub fn of_seed(&self, seed: u64) -> Option<&Measured> {
        self.by_seed.get(&seed)
    }

    /// The mean, with an interval over seeds, or over parts of the only run.
    pub fn estimate(&self, metric: &str) -> Estimate {
        let runs: Vec<&Measured> = self.by_seed.values().collect();
        Estimate { mean: self.mean(metric), ..Estimate::of(&replicates(&runs, metric), range(metric)) }
    }

    /// The mean over seeds.
    pub fn mean(&self, metric: &str) -> Option<f64> {
        mean(&self.values(metric))
    }

    /// The mean over seeds of the quotient of two columns.
    pub fn mean_share(&self, part: &str, of: &str) -> Option<f64> {
        mean(&self.by_seed.values().map(|run| run.value(part) / run.value(of)).collect::<Vec<_>>())
    }

    /// Pairs of runs with those of others, on the seeds that both have; a run that no seed changes is paired with every
    /// run of the others.
    pub fn beside<'a>(&'a self, others: &'a Self) -> Vec<[&'a Measured; 2]> {
        let of = |runs: &'a Self, seed| runs.by_seed.get(seed).or_else(|| runs.of_every_seed());
        let seeds = if self.of_every_seed().is_some() { &others.by_seed } else { &self.by_seed };
        seeds.keys().filter_map(|seed| Some([of(self, seed)?, of(others, seed)?])).collect()
    }

    /// The estimate of the differences to others, on the seeds that both have.
    pub fn differences(&self, others: &Self, metric: &str) -> Estimate {
        Estimate::of(&differences(&self.beside(others), metric), range(metric).of_differences())
    }

    /// The replicates behind the interval of a metric.
    pub fn replicates(&self, metric: &str) -> Replicates {
        let has_parts = |run: &Measured| metric == RATE && !run.met_by_batch.is_empty();
        match self.by_seed.len() {
            1 if self.by_seed.values().all(has_parts) => Replicates::Batches,
            1 => Replicates::One,
            _ => Replicates::Seeds,
        }
    }
}

/// The range in which the mean of a metric can lie.
pub fn range(metric: &str) -> Range {
    if column(metric).is_some_and(|column| column.is_share) { Range::SHARE } else { Range::ANY }
}

/// The column of `summary.csv` or `serving.csv` of that name; `None` for a column that another program added.
pub fn column(metric: &str) -> Option<&'static Heading> {
    let of_fleets = SERVING_COLUMNS.iter().map(|column| &column.heading);
    let crossing = CROSSING_COLUMNS.iter().map(|column| &column.heading);
    summary_columns().chain(of_fleets).chain(crossing).find(|column| column.name == metric)
}

fn replicates(runs: &[&Measured], metric: &str) -> Vec<f64> {
    match runs {
        [run] if metric == RATE && !run.met_by_batch.is_empty() => run.batch_rates(),
        _ => runs.iter().map(|run| run.value(metric)).collect(),
    }
}

/// The differences of pairs of runs, by seed, or by parts of the only pair.
pub fn differences(pairs: &[[&Measured; 2]], metric: &str) -> Vec<f64> {
    let sides = [0, 1].map(|side| {
        let runs: Vec<&Measured> = pairs.iter().map(|pair| pair[side]).collect();
        replicates(&runs, metric)
    });
    if sides[0].len() == sides[1].len() {
        return sides[0].iter().zip(&sides[1]).map(|(own, other)| own - other).collect();
    }
    pairs.iter().map(|[own, other]| own.value(metric) - other.value(metric)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rate: f64, latency_us: f64, fairness: f64) -> Measured {
        let values = [(RATE, rate), ("latency_p99_us", latency_us), (WEIGHED, fairness), ("antt", f64::NAN)];
        let values = values.map(|(name, value)| (name.to_string(), value));
        Measured { values: values.into(), met_by_batch: Vec::new() }
    }

    fn runs(of: &[Measured]) -> Runs {
        let mut runs = Runs::default();
        (1..).zip(of).for_each(|(seed, run)| runs.add(seed, run.clone()));
        runs.without_copies()
    }

    #[test]
    fn outcomes_that_agree_are_copies_only_where_all_do_so_equally_often() {
        let of = |outcomes: &str| firsts(&outcomes.chars().map(Some).collect::<Vec<_>>());
        assert_eq!(of("xxx"), [0, 0, 0]);
        assert_eq!(of("xyxy"), [0, 1, 0, 1], "a file beside itself under other seeds");
        assert_eq!(of("xxy"), [0, 1, 2], "by chance");
        assert_eq!(of("xxxyy"), [0, 1, 2, 3, 4]);
        assert_eq!((of("xy"), of("x"), of("")), (vec![0, 1], vec![0], vec![]));
        assert_eq!(firsts(&[Some('x'), Some('x'), None, None]), [0, 1, 2, 3]);
    }

    #[test]
    fn equal_outcomes_of_some_seeds_are_in_the_mean() {
        let mut all = vec![run(1.0, 100.5, 1.0); 28];
        all.extend([run(2.0 / 3.0, 110.5, 1.0), run(2.0 / 3.0, 120.5, 1.0)]);
        let runs = runs(&all);
        assert_eq!((runs.len(), runs.copies()), (30, 0));
        assert!((runs.mean(RATE).expect("thirty runs") - (28.0 + 4.0 / 3.0) / 30.0).abs() < 1e-12);
        let interval = runs.estimate(RATE).interval().expect("not all are equal");
        assert!(interval[0] < 0.9778 && interval[1] <= 1.0, "{interval:?}");
    }

    #[test]
    fn what_is_measured_tells_runs_apart() {
        let one = run(0.5, 1234.567, 0.25);
        assert_eq!(
            runs(&[one.clone(), one.clone(), run(0.5, 1234.567, 0.5)]).len(),
            1,
            "priorities are drawn"
        );
        assert_eq!(*runs(&[one.clone(), one.clone()]).copied(), [2].into());
        assert_eq!(runs(&[one.clone(), run(0.5, 1234.568, 0.25)]).len(), 2);
        assert_eq!(runs(&[one.clone(), one.clone()]).estimate(RATE).interval(), None);
    }

    #[test]
    fn shares_and_counts_that_agree_say_nothing() {
        let rates = run(1.0, f64::NAN, 0.25);
        assert_eq!(runs(&[rates.clone(), rates]).len(), 2);
    }

    #[test]
    fn one_run_has_the_interval_of_its_parts_and_pairs_are_paired_by_part() {
        let text = |met: &'static str, rate: &'static str| {
            let mut run = Measured::default();
            for (column, text) in
                [("requests", "16"), (RATE, rate), ("latency_p99_us", "9.5"), (MET_BY_BATCH, met)]
            {
                run.set(column, text, || text.parse::<f64>()).expect("numbers");
            }
            run
        };
        let (own, other) = (runs(&[text("2 4 3 3", "0.75")]), runs(&[text("1 2 2 1", "0.375")]));
        // Rates 0.5, 1, 0.75, 0.75: see `estimate.rs`.
        let estimate = own.estimate(RATE);
        assert!((estimate.ci95.expect("four parts") - 3.1824 * 0.2041 / 2.0).abs() < 1e-4, "{estimate:?}");
        assert_eq!((estimate.mean, own.replicates(RATE)), (Some(0.75), Replicates::Batches));
        // Differences 0.25, 0.5, 0.25, 0.5: standard deviation 0.1443.
        let difference = own.differences(&other, RATE);
        assert!(
            (difference.ci95.expect("four parts") - 3.1824 * 0.1443 / 2.0).abs() < 1e-4,
            "{difference:?}"
        );
        assert_eq!((difference.mean, own.estimate("latency_p99_us").ci95), (Some(0.375), None));
        assert_eq!(own.replicates("latency_p99_us"), Replicates::One);
    }

    #[test]
    fn a_run_that_no_seed_changes_is_paired_with_every_seed() {
        let drawn = runs(&[run(0.25, 1.5, 1.0), run(0.75, 2.5, 1.0), run(0.5, 3.5, 1.0)]);
        let own = run(0.75, 9.5, 1.0);
        let (mut once, copies) =
            (runs(std::slice::from_ref(&own)), runs(&[own.clone(), own.clone(), own.clone()]));
        assert_eq!(drawn.differences(&once, RATE).mean, Some(-0.5), "of the first seed alone");
        once.have_same_requests();
        for fixed in [&once, &copies] {
            assert_eq!((drawn.beside(fixed).len(), fixed.beside(fixed).len()), (3, 1));
            assert_eq!(drawn.differences(fixed, RATE).mean, Some(-0.25));
            assert_eq!(fixed.differences(&drawn, RATE).mean, Some(0.25));
        }
    }

    #[test]
    fn runs_are_paired_by_seed() {
        let (mut own, mut other) = (Runs::default(), Runs::default());
        [(1, 0.5), (2, 0.75)].iter().for_each(|&(seed, rate)| own.add(seed, run(rate, 1.5, 1.0)));
        [(2, 0.25), (3, 1.0)].iter().for_each(|&(seed, rate)| other.add(seed, run(rate, 1.5, 1.0)));
        assert_eq!(own.differences(&other, RATE).mean, Some(0.5));
        assert_eq!((own.mean(RATE), own.mean("nothing")), (Some(0.625), None));
    }
}
