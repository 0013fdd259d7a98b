//! Energy per measured request by the parts, accelerators or networks of energy.csv.

use std::collections::BTreeMap;

use super::{Data, Section, best_first, cell, segment_legend};
use crate::experiment::{Error, SCHEDULER, SEED};
use crate::files::Record;
use crate::report::chart::{Bar, Bars, Chart, Group, Segment, WIDTH};
use crate::report::svg::Style;
use crate::results::{Case, CsvFile, Results, number};

/// A column of energy.csv that divides the energy, with the section of its pictures: name, title, and what is drawn.
struct Division {
    column: &'static str,
    section: [&'static str; 3],
}

const DIVISIONS: [Division; 3] = [
    Division {
        column: "part",
        section: [
            "energy",
            "Energy",
            "by part: MACs and element operations (mac), each on-chip level by its name, what remains for DRAM, \
             leakage of the accelerators with their clock and wake-ups and the DRAM's background and refresh, where \
             files give them, and decisions of the scheduler",
        ],
    },
    Division {
        column: "accelerator",
        section: [
            "energy-accelerators",
            "Energy by accelerator",
            "by accelerator: its layers with their DRAM accesses, its leakage, clock and wake-ups; what the DRAM draws by \
             itself and decisions belong to none",
        ],
    },
    Division {
        column: "network",
        section: [
            "energy-networks",
            "Energy by network",
            "by network: its layers with their DRAM accesses; what is drawn whatever runs and decisions belong to none",
        ],
    },
];

const TEXT: &str = "The sum stands behind the bar, and the whisker is its 95 % confidence interval. A scheduler that drops \
                    requests spends less per request, so the energy per request that met its deadline is given in \
                    brackets.";

/// The most segments of a bar. Our choice, because no more colours can be told apart.
const MOST: usize = 7;

/// Microjoules by name.
type Parts = BTreeMap<String, f64>;

/// Those of each case, scheduler and seed.
type Sums = BTreeMap<(usize, usize, u64), Parts>;

/// The sections of energy.csv; `None` if there is no such file.
pub(super) fn sections(results: &Results) -> Result<Option<Vec<Section>>, Error> {
    if !results.folder.join("energy.csv").exists() {
        return Ok(None);
    }
    DIVISIONS.iter().map(|division| division.section(results)).collect::<Result<_, _>>().map(Some)
}

impl Division {
    fn section(&self, results: &Results) -> Result<Section, Error> {
        let sums = self.read(results)?;
        let [name, title, by] = self.section;
        let text = format!("Energy of the run per measured request, mean over seeds, {by}. {TEXT}");
        // The pictures of a section share a legend.
        let all = results.cases.iter().flat_map(|case| of_case(results, case, &sums));
        let names = names(&all.map(|(_, parts)| parts).collect::<Vec<_>>());
        let picture = |case: &Case| self.picture(results, case, &of_case(results, case, &sums), &names);
        Ok(Section::of_cases(results, name, title, &text, picture))
    }

    fn read(&self, results: &Results) -> Result<Sums, Error> {
        let mut file = CsvFile::open(&results.folder.join("energy.csv"))?;
        let [own, part, energy] = file.columns([self.column, "part", "energy_uj"])?;
        let (mut sums, mut record) = (Sums::new(), Record::default());
        while file.read(&mut record)? {
            let keys = file.keys(&record);
            let places = (results.case_of(&keys), results.scheduler(&keys[SCHEDULER]), keys[SEED].parse());
            let (Some(case), Some(scheduler), Ok(seed)) = places else { continue };
            // What belongs to no accelerator or network goes by its part.
            let name = [own, part].map(|place| record.get(place));
            let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_string();
            let of_run = sums.entry((case, scheduler, seed)).or_default();
            *of_run.entry(name).or_default() += file.number(&record, energy)?;
        }
        Ok(sums)
    }

    fn picture(
        &self,
        results: &Results,
        case: &Case,
        schedulers: &[(usize, Parts)],
        names: &[String],
    ) -> Option<(Chart, Data)> {
        let mut data = Data::new(&[
            "case",
            "load",
            "scheduler",
            self.column,
            "energy_uj",
            "energy_per_request_uj",
            "energy_per_met_request_uj",
            "energy_per_request_uj_low95",
            "energy_per_request_uj_high95",
        ]);
        let mut groups = Vec::new();
        for (scheduler, parts) in schedulers {
            let (label, samples) = (&results.schedulers[*scheduler], &case.samples[*scheduler]);
            let whole = samples.estimate("energy_per_request_uj");
            let per_met = samples.mean("energy_per_met_request_uj");
            let totals = [whole.mean, per_met, whole.low95, whole.high95].map(cell);
            for (name, uj) in parts {
                let told =
                    [case.title.clone(), cell(case.load), label.clone(), name.clone(), cell(Some(*uj))];
                data.rows.push(told.into_iter().chain(totals.clone()).collect());
            }
            let note = format!("{} ({})", number(whole.mean, 0), number(per_met, 0));
            let segments = segments(label, parts, names);
            let bars = vec![Bar { segments, interval: whole.interval(), note }];
            groups.push(Group { label: label.clone(), bars });
        }
        let legend = segment_legend(names);
        let x_title = "energy per measured request, uJ".into();
        (!groups.is_empty()).then_some((Chart::Bars(Bars { x_title, groups, legend, width: WIDTH }), data))
    }
}

/// The schedulers of a case that the file has, the best first, with their parts.
fn of_case(results: &Results, case: &Case, sums: &Sums) -> Vec<(usize, Parts)> {
    let Some(place) = results.case_of(&case.keys) else { return Vec::new() };
    let of = |scheduler| Some((scheduler, per_request(case, place, scheduler, sums)?));
    best_first(results, case).into_iter().filter_map(of).collect()
}

/// The mean over seeds of each part in microjoules per measured request; `None` if the file has no run of these.
fn per_request(case: &Case, place: usize, scheduler: usize, sums: &Sums) -> Option<Parts> {
    let (mut parts, mut runs) = (Parts::new(), 0.0);
    for (&(.., seed), of_run) in sums.range((place, scheduler, 0)..=(place, scheduler, u64::MAX)) {
        // Copies of other runs are left out.
        let Some(run) = case.samples[scheduler].of_seed(seed) else { continue };
        runs += 1.0;
        for (name, uj) in of_run {
            *parts.entry(name.clone()).or_default() += uj / run.value("requests");
        }
    }
    parts.values_mut().for_each(|uj| *uj /= runs);
    (runs > 0.0).then_some(parts)
}

/// The place of a name in a bar: from the arithmetic outwards, then what runs beside it.
fn rank(name: &str) -> usize {
    let order = [
        "mac",
        "",
        "DRAM",
        "links",
        "layers",
        "other",
        "leakage",
        "clock",
        "waking",
        "DRAM background",
        "DRAM refresh",
        "decisions",
    ];
    order.iter().position(|known| *known == name).unwrap_or(1)
}

/// The names that have segments of their own, in the order of a bar; `other` stands for the least, where there are many.
fn names(all: &[Parts]) -> Vec<String> {
    let mut most = BTreeMap::<&String, f64>::new();
    for (name, &uj) in all.iter().flatten() {
        let known = most.entry(name).or_default();
        *known = known.max(uj);
    }
    let mut names: Vec<(&String, f64)> = most.into_iter().collect();
    names.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let is_many = names.len() > MOST;
    names.truncate(if is_many { MOST - 1 } else { MOST });
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name.clone()).collect();
    names.extend(is_many.then(|| "other".to_string()));
    names.sort_by(|one, other| (rank(one), one).cmp(&(rank(other), other)));
    names
}

fn segments(label: &str, parts: &Parts, names: &[String]) -> Vec<Segment> {
    let lengths = names.iter().map(|name| match &name[..] {
        "other" => parts.iter().filter(|(part, _)| !names.contains(part)).map(|(_, uj)| uj).sum(),
        _ => parts.get(name).copied().unwrap_or_default(),
    });
    let segment = |(style, length): (usize, f64)| Segment {
        length,
        style: Style(style),
        hint: format!("{label}, {}: {length:.3} uJ", names[style]),
    };
    lengths.enumerate().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(all: &[(&str, f64)]) -> Parts {
        all.iter().map(|(name, uj)| (name.to_string(), *uj)).collect()
    }

    #[test]
    fn bars_go_from_the_arithmetic_outwards_and_join_the_least() {
        let few = parts(&[("DRAM", 5.0), ("decisions", 1.0), ("glb", 2.0), ("mac", 1.0), ("leakage", 3.0)]);
        assert_eq!(names(&[few]), ["mac", "glb", "DRAM", "leakage", "decisions"]);
        let standby = ["DRAM refresh", "clock", "DRAM", "leakage", "waking", "decisions", "DRAM background"];
        let standby = parts(&standby.map(|name| (name, 1.0)));
        let order = ["DRAM", "leakage", "clock", "waking", "DRAM background", "DRAM refresh", "decisions"];
        assert_eq!(names(&[standby]), order);
        let levels: Vec<(String, f64)> = (0..8).map(|n| (format!("l{n}"), f64::from(n))).collect();
        let mut many: Parts = levels.into_iter().collect();
        many.insert("mac".into(), 9.0);
        let shown = names(std::slice::from_ref(&many));
        assert_eq!(shown, ["mac", "l3", "l4", "l5", "l6", "l7", "other"]);
        let lengths: Vec<f64> = segments("edf", &many, &shown).iter().map(|segment| segment.length).collect();
        assert_eq!(lengths, [9.0, 3.0, 4.0, 5.0, 6.0, 7.0, 3.0]);
    }
}
