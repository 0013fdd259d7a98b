//! When the measured requests arrived and were due, for the pictures of layers over time.

use crate::experiment::{Error, SCHEDULER, SEED};
use crate::files::Record;
use crate::report::chart::{Lane, Mark, Tick};
use crate::report::svg::Style;
use crate::results::{Case, CsvFile, Results};
use crate::sweep::Table;

/// A row of requests.csv.
pub(super) struct Asked {
    pub(super) request: String,
    pub(super) network: String,
    pub(super) arrival_ms: f64,
    pub(super) deadline_ms: f64,
    is_met: bool,
}

/// The measured requests of a seed of a case, by scheduler; none where the run kept no log of them.
pub(super) fn read(
    results: &Results,
    case: &Case,
    schedulers: &[usize],
    seed: &str,
) -> Result<Vec<Vec<Asked>>, Error> {
    let mut all: Vec<Vec<Asked>> = schedulers.iter().map(|_| Vec::new()).collect();
    let path = results.folder.join(Table::Requests.file());
    if !path.is_file() {
        return Ok(all);
    }
    let mut file = CsvFile::open(&path)?;
    let [request, network, arrival, deadline, met] =
        file.columns(["request", "network", "arrival_us", "deadline_us", "met"])?;
    let mut record = Record::default();
    while file.read(&mut record)? {
        let keys = file.keys(&record);
        let shown = results.scheduler(&keys[SCHEDULER]).and_then(|s| schedulers.iter().position(|w| *w == s));
        let is_of_case = keys[SEED] == seed && results.case_of(&keys) == results.case_of(&case.keys);
        let Some(shown) = shown.filter(|_| is_of_case) else { continue };
        all[shown].push(Asked {
            request: record.get(request).to_string(),
            network: record.get(network).to_string(),
            arrival_ms: file.number(&record, arrival)? / 1e3,
            deadline_ms: file.number(&record, deadline)? / 1e3,
            is_met: file.number(&record, met)? == 1.0,
        });
    }
    Ok(all)
}

impl Asked {
    /// Its arrival and its deadline, over all rows.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mark = |at_ms, label: &str| Mark { at_ms, label: label.to_string() };
        vec![mark(self.arrival_ms, "arrival"), mark(self.deadline_ms, "deadline")]
    }

    fn tick(&self, what: &str, at_ms: f64, is_strong: bool, style: Style) -> Tick {
        let hint = format!("{what} of {}/{}: {at_ms} ms", self.network, self.request);
        Tick { at_ms, style, hint, is_strong }
    }
}

/// The arrivals and the deadlines of some requests as two lanes above the rows; missed deadlines stand out.
pub(super) fn lanes(all: &[&Asked], style: impl Fn(&str) -> Style) -> Vec<Lane> {
    if all.is_empty() {
        return Vec::new();
    }
    let arrival = |of: &&Asked| of.tick("arrival", of.arrival_ms, false, style(&of.network));
    let deadline = |of: &&Asked| {
        let what = if of.is_met { "deadline" } else { "missed deadline" };
        of.tick(what, of.deadline_ms, !of.is_met, style(&of.network))
    };
    vec![
        Lane { name: "arrivals".into(), ticks: all.iter().map(arrival).collect() },
        Lane { name: "deadlines".into(), ticks: all.iter().map(deadline).collect() },
    ]
}
