//! The gap between SLA rates and the upper bound that no schedule exceeds.

use super::{Data, Section, best_first, cell, styles};
use crate::report::chart::{Bar, Bars, Chart, Group, Segment, WIDTH};
use crate::results::{Case, Results};

const TEXT: &str = "Upper bound of the SLA rate of the same requests minus the SLA rate: mean over seeds with its 95 % \
                    confidence interval. No scheduler, not even one that knows the future, can be left of zero.";

const NONE: &str = "These results have no bound: `mascot run --bound` computes it.";

pub(super) fn section(results: &Results) -> Section {
    let has_bound = results.cases.iter().any(|case| !case.bound.is_empty());
    let text = if has_bound { TEXT } else { NONE };
    Section::of_cases(results, "gap", "Gap to the bound", text, |case| picture(results, case))
}

fn picture(results: &Results, case: &Case) -> Option<(Chart, Data)> {
    let mut data = Data::new(&[
        "case",
        "load",
        "scheduler",
        "gap_to_bound",
        "gap_to_bound_ci95",
        "bound_sla_rate",
        "gap_to_bound_low95",
        "gap_to_bound_high95",
    ]);
    let (styles, mut groups) = (styles(results), Vec::new());
    for scheduler in best_first(results, case) {
        let (label, samples) = (&results.schedulers[scheduler], &case.samples[scheduler]);
        let estimate = samples.estimate("gap_to_bound");
        let Some(gap) = estimate.mean else { continue };
        data.rows.push(vec![
            case.title.clone(),
            cell(case.load),
            label.clone(),
            cell(Some(gap)),
            cell(estimate.ci95),
            cell(case.bound.mean("sla_rate")),
            cell(estimate.low95),
            cell(estimate.high95),
        ]);
        let hint = format!("{label}: {gap:.4}");
        let segments = vec![Segment { length: gap, style: styles[scheduler], hint }];
        groups.push(Group {
            label: label.clone(),
            bars: vec![Bar { segments, interval: estimate.interval(), note: format!("{gap:.3}") }],
        });
    }
    let chart = Bars { x_title: "SLA rate below the bound".into(), groups, legend: Vec::new(), width: WIDTH };
    (!data.rows.is_empty()).then_some((Chart::Bars(chart), data))
}
