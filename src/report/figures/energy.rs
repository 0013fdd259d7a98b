//! Energy per measured request, split into the three parts that summary.csv has, or into those of energy.csv
//! (`figures::energy_parts`).

use super::{Data, Section, best_first, cell, energy_parts, segment_legend};
use crate::experiment::Error;
use crate::report::chart::{Bar, Bars, Chart, Group, Segment, WIDTH};
use crate::report::svg::Style;
use crate::results::{Case, Results, number};
use crate::sweep::{Runs, mean};

const PARTS: [(&str, &str); 3] = [
    ("energy_layers_uj", "layers, DRAM included"),
    ("energy_static_uj", "static"),
    ("energy_policy_uj", "decisions"),
];

const TEXT: &str = "Energy of the run per measured request, mean over seeds: dynamic energy of layers with their DRAM \
                    accesses, what accelerators and DRAM draw whatever runs (static: leakage, and what else their \
                    files give), and decisions of the scheduler; the sum stands behind the bar, and the whisker is its 95 % confidence interval. A scheduler that drops requests spends \
                    less per request, so the energy per request that met its deadline is given in brackets.";

/// The sections of energy: three if energy.csv divides it further.
pub(super) fn sections(results: &Results) -> Result<Vec<Section>, Error> {
    if let Some(sections) = energy_parts::sections(results)? {
        return Ok(sections);
    }
    Ok(vec![Section::of_cases(results, "energy", "Energy", TEXT, |case| picture(results, case))])
}

/// The mean of a part in microjoules per request.
fn per_request(samples: &Runs, part: &str) -> Option<f64> {
    let (energy, requests) = (samples.values(part), samples.values("requests"));
    mean(&energy.iter().zip(requests).map(|(uj, n)| uj / n).collect::<Vec<_>>())
}

fn picture(results: &Results, case: &Case) -> Option<(Chart, Data)> {
    let mut data = Data::new(&[
        "case",
        "load",
        "scheduler",
        "layers_uj",
        "static_uj",
        "policy_uj",
        "energy_per_request_uj",
        "energy_per_met_request_uj",
        "energy_per_request_uj_low95",
        "energy_per_request_uj_high95",
    ]);
    let mut groups = Vec::new();
    for scheduler in best_first(results, case) {
        let label = &results.schedulers[scheduler];
        let parts = PARTS.map(|(column, _)| per_request(&case.samples[scheduler], column));
        let [Some(layers), Some(leakage), Some(policy)] = parts else { continue };
        let total = layers + leakage + policy;
        let per_met = case.samples[scheduler].mean("energy_per_met_request_uj");
        let whole = case.samples[scheduler].estimate("energy_per_request_uj");
        let numbers = parts.into_iter().chain([Some(total), per_met, whole.low95, whole.high95]).map(cell);
        data.rows
            .push([case.title.clone(), cell(case.load), label.clone()].into_iter().chain(numbers).collect());
        let segment = |(place, uj): (usize, f64)| Segment {
            length: uj,
            style: Style(place),
            hint: format!("{label}, {}: {uj:.3} uJ", PARTS[place].1),
        };
        let segments = [layers, leakage, policy].into_iter().enumerate().map(segment).collect();
        let note = format!("{total:.0} ({})", number(per_met, 0));
        groups.push(Group {
            label: label.clone(),
            bars: vec![Bar { segments, interval: whole.interval(), note }],
        });
    }
    let legend = segment_legend(PARTS.map(|(_, label)| label));
    let chart = Bars { x_title: "energy per measured request, uJ".into(), groups, legend, width: WIDTH };
    (!data.rows.is_empty()).then_some((Chart::Bars(chart), data))
}
