//! A metric against load, or else against the number that is swept, a picture per setting; without either, a bar per
//! scheduler. The SLA rate and the quality of fleets have their bound beside them, if it is known.

use super::{Data, IN_FRONT, MOST_CASES, Picture, Section, by_metric, cell, styles};
use crate::experiment::KEYS;
use crate::report::chart::{
    Axis, Bar, Bars, Chart, Facets, Group, Intervals, Lines, NARROW, Scale, Segment, Series, WIDTH,
};
use crate::report::svg::Style;
use crate::report::view::View;
use crate::results::{Case, Results, Shared, quantity};
use crate::sweep::{Estimate, QUALITY, RATE, Replicates, column};

/// The metric of a section.
struct Figure<'a> {
    results: &'a Results,
    metric: &'a str,
    intervals: Intervals,
}

/// The section of a metric.
pub(super) fn section(results: &Results, metric: &str, view: &View) -> Section {
    let figure = Figure { results, metric, intervals: view.intervals };
    let shared = results.pictures(view.facet.as_deref());
    let name = match metric {
        RATE => "sla".to_string(),
        metric => metric.to_string(),
    };
    let text = figure.text(&shared);
    let pictures = shared.iter().take(MOST_CASES).map(|shared| figure.picture(&name, shared)).collect();
    Section { title: figure.title(), name, text, pictures }
}

impl Figure<'_> {
    /// The metric without its unit, as a heading.
    fn title(&self) -> String {
        let words = without_unit(self.metric);
        words[..1].to_uppercase() + &words[1..]
    }

    fn axis(&self) -> &'static str {
        KEYS[self.results.axis]
    }

    fn text(&self, shared: &[Shared]) -> String {
        let results = self.results;
        let has_lines = shared.iter().flat_map(|shared| &shared.parts).any(|(_, cases)| cases.len() > 1);
        let mut text = match self.metric {
            RATE => "Share of measured requests that met their deadline".to_string(),
            QUALITY => "Mean quality of the measured requests (0 without an answer)".into(),
            metric => column(metric).map_or(metric.into(), |column| column.doc.into()),
        };
        if has_lines {
            text += &format!(". Against {}", quantity(self.axis()));
        }
        let cut = if self.is_share() { ", cut at 0 and 1" } else { "" };
        text += &format!(": mean over seeds with its 95 % confidence interval (Student's t{cut}).");
        let runs = results.cases.iter().flat_map(|case| &case.samples).filter(|runs| !runs.is_empty());
        if self.metric == RATE && { runs }.any(|runs| runs.replicates(RATE) == Replicates::Batches) {
            text += " Where there is one run, the interval is by batch means over its requests in order of arrival.";
        }
        if self.metric == QUALITY {
            text += " The bound is the most that any dispatcher could reach at these rates, delays and queues aside.";
        }
        if results.schedulers.len() > self.most() {
            text += &format!(
                " The {} best of {} over all cases; the numbers of all are in the CSV file and in the table.",
                self.most(),
                results.schedulers.len()
            );
        } else if has_lines && results.schedulers.len() > IN_FRONT {
            text += &format!(
                " The {IN_FRONT} best over all cases stand out; the others are thin, without a band."
            );
        }
        if shared.len() > MOST_CASES {
            text += &format!(" The first {MOST_CASES} of {} pictures.", shared.len());
        }
        text
    }

    fn is_share(&self) -> bool {
        matches!(self.metric, RATE | QUALITY) || column(self.metric).is_some_and(|column| column.is_share)
    }

    /// The most schedulers in a picture. Compositions of dispatchers are so many that the lines of all hide the best.
    fn most(&self) -> usize {
        if self.results.judged_by == QUALITY { IN_FRONT } else { usize::MAX }
    }

    fn picture(&self, name: &str, shared: &Shared) -> Picture {
        let mut data = self.data();
        let width = if shared.parts.len() > 1 { NARROW } else { WIDTH };
        let mut parts: Vec<(String, Chart)> = Vec::new();
        let mut has_lines = false;
        for (title, cases) in &shared.parts {
            has_lines |= cases.len() > 1;
            let chart = match cases[..] {
                [case] => self.bars(case, width, &mut data),
                _ => self.lines(cases, width, &mut data),
            };
            parts.push((title.clone(), chart));
        }
        let chart = match parts.len() {
            1 => parts.swap_remove(0).1,
            _ => Chart::Facets(Facets { parts }),
        };
        let against =
            if has_lines { format!(" against {}", without_unit(self.axis())) } else { String::new() };
        Picture::new(name, &shared.title, format!("{}{against}", self.title()), chart, data)
    }

    fn data(&self) -> Data {
        let metric = self.metric;
        let mut header = ["case", self.axis(), "scheduler", metric].map(String::from).to_vec();
        header.extend([format!("{metric}_ci95"), "seeds".into()]);
        header.extend(["low95", "high95"].map(|end| format!("{metric}_{end}")));
        Data::with(header)
    }

    fn row(&self, case: &Case, label: &str, (estimate, runs): &(Estimate, usize)) -> Vec<String> {
        let Estimate { mean, ci95, low95, high95 } = *estimate;
        let [mean, ci95, low95, high95] = [mean, ci95, low95, high95].map(cell);
        let axis = cell(case.number(self.results.axis));
        vec![case.title.clone(), axis, label.into(), mean, ci95, runs.to_string(), low95, high95]
    }

    /// The estimate of a scheduler, and the number of runs behind it.
    fn of(&self, case: &Case, scheduler: usize) -> (Estimate, usize) {
        let runs = &case.samples[scheduler];
        (runs.estimate(self.metric), runs.len())
    }

    /// The bound of a case; that of the quality is the same for all dispatchers and seeds.
    fn bound(&self, case: &Case) -> Option<(Estimate, usize)> {
        match self.metric {
            RATE if !case.bound.is_empty() => Some((case.bound.estimate(RATE), case.bound.len())),
            QUALITY => {
                let bound = case.samples.iter().find_map(|runs| runs.mean("quality_bound"))?;
                Some((Estimate { mean: Some(bound), ..Estimate::default() }, 0))
            }
            _ => None,
        }
    }

    fn series(
        &self,
        cases: &[&Case],
        label: &str,
        style: Style,
        data: &mut Data,
        of: impl Fn(&Case) -> Option<(Estimate, usize)>,
    ) -> Series {
        let mut points = Vec::new();
        for &case in cases {
            let Some(estimate) = of(case) else { continue };
            if let (Some(x), Some(mean)) = (case.number(self.results.axis), estimate.0.mean) {
                points.push((x, mean, estimate.0.interval()));
                data.rows.push(self.row(case, label, &estimate));
            }
        }
        let is_aside = style.is_aside();
        Series { style, label: label.into(), is_faint: is_aside, points, has_markers: !is_aside }
    }

    fn lines(&self, cases: &[&Case], width: f64, data: &mut Data) -> Chart {
        let results = self.results;
        let mut all: Vec<Series> = Vec::new();
        for (rank, scheduler) in results.ranking().into_iter().enumerate() {
            let label = &results.schedulers[scheduler];
            let of = |case: &Case| Some(self.of(case, scheduler));
            let series = self.series(cases, label, Style(rank), data, of);
            all.push(Series { is_faint: rank >= IN_FRONT, ..series });
        }
        all.retain(|series| !series.points.is_empty());
        all.truncate(self.most());
        let bound = self.series(cases, "bound", Style::ASIDE, data, |case| self.bound(case));
        all.extend((!bound.points.is_empty()).then_some(bound));
        Chart::Lines(Lines {
            x: Axis::of_sweep(
                cases.iter().filter_map(|case| case.number(results.axis)),
                quantity(self.axis()),
            ),
            y: Axis::new(self.scale(&all), quantity(self.metric)),
            series: all,
            intervals: self.intervals,
            width,
        })
    }

    fn scale(&self, all: &[Series]) -> Scale {
        if self.is_share() {
            return Scale { from: 0.0, to: 1.0, log: false };
        }
        let ends = |point: &(f64, f64, Option<[f64; 2]>)| point.2.unwrap_or([point.1; 2]);
        Scale::from_zero(all.iter().flat_map(|series| &series.points).flat_map(ends))
    }

    fn bars(&self, case: &Case, width: f64, data: &mut Data) -> Chart {
        let styles = styles(self.results);
        let mut groups = Vec::new();
        let mut group = |label: &str, style: Style, estimate: (Estimate, usize)| {
            data.rows.push(self.row(case, label, &estimate));
            let Some(length) = estimate.0.mean else { return };
            let segments = vec![Segment { length, style, hint: format!("{label}: {length:.4}") }];
            let note = if self.is_share() { format!("{length:.3}") } else { short(length) };
            let bar = Bar { segments, interval: estimate.0.interval(), note };
            groups.push(Group { label: label.into(), bars: vec![bar] });
        };
        if let Some(bound) = self.bound(case) {
            group("bound", Style::ASIDE, bound);
        }
        for scheduler in by_metric(case, self.metric) {
            group(&self.results.schedulers[scheduler], styles[scheduler], self.of(case, scheduler));
        }
        groups.truncate(self.most().saturating_add(1));
        Chart::Bars(Bars { x_title: quantity(self.metric), groups, legend: Vec::new(), width })
    }
}

/// A column in words, without its unit.
fn without_unit(column: &str) -> String {
    let quantity = quantity(column);
    quantity.split_once(", ").map_or(quantity.clone(), |(words, _)| words.to_string())
}

/// A number to about four digits.
fn short(value: f64) -> String {
    let digits = 3 - value.abs().max(1e-9).log10().floor() as i32;
    crate::results::number(Some(value), digits.clamp(0, 6) as usize)
}
