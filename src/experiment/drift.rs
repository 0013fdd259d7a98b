//! `[[drift]]`: conditions that change at exact times of a run, which no scheduler and no dispatcher knows beforehand.
//!
//! ```toml
//! drifts = ["none", "slow"]              # each value applies the entries of that name; left out: all entries apply
//! [[drift]]
//! name = "slow"
//! at_s = 10
//! site = "madrid"                        # of a fleet; left out: all sites, or the system
//! speed = 0.667                          # of all accelerators, relative to their costs
//! dram_bandwidth_gbps = 16
//! accelerators_lost = ["simba_1024"]     # all of a model, or one: "simba_1024.0"
//! [[drift]]
//! at_s = 10
//! link = ["Madrid", "Cataluna"]          # of a fleet, in both directions
//! delay_us = 7_590                       # and, or, `gbps`
//! [[drift]]
//! at_s = 10
//! tenant = "camera"                      # left out: all tenants
//! rate = 2                               # times the rate of the scenario
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::list::List;
use crate::files::{
    Gbps, InputError, MicrosecondsOrZero, NonNegative, Positive, Source, Spanned, did_you_mean,
};
use crate::units::Time;

/// The value of the axis `drifts` under which nothing changes.
pub const NO_DRIFT: &str = "none";

/// An entry of `[[drift]]`, as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDrift {
    /// The value of `drifts` under which it applies.
    name: Option<Spanned<String>>,
    /// When, in seconds from the begin of the run.
    at_s: Spanned<NonNegative>,
    /// The site of a fleet; all sites, or the system, if left out.
    site: Option<Spanned<String>>,
    /// The speed of all accelerators from then on, relative to their costs.
    speed: Option<Spanned<Positive>>,
    /// Peak DRAM bandwidth in GB/s from then on.
    dram_bandwidth_gbps: Option<Spanned<Gbps>>,
    /// Accelerators that take nothing from then on: a model, for all of it, or one with its number (`simba_1024.0`).
    accelerators_lost: Option<Spanned<Vec<String>>>,
    /// The nodes at both ends of a link of a fleet.
    link: Option<Spanned<[String; 2]>>,
    /// The rate of the link in gigabits per second from then on.
    gbps: Option<Spanned<Gbps>>,
    /// The delay of the link in microseconds from then on.
    delay_us: Option<Spanned<MicrosecondsOrZero>>,
    /// The tenant of `rate`; all tenants if left out.
    tenant: Option<Spanned<String>>,
    /// The arrival rate from then on, as a multiple of that of the scenario.
    rate: Option<Spanned<Positive>>,
}

/// An entry of `[[drift]]`. Names in it are checked where they are known (`plan::drift`).
#[derive(Clone, Debug, PartialEq)]
pub struct DriftEntry {
    /// Its number in the file.
    pub(crate) place: usize,
    /// The value of `drifts` under which it applies.
    pub(crate) name: Option<String>,
    /// When it happens.
    pub(crate) at: Time,
    /// The site; `None` for all of them.
    pub(crate) site: Option<String>,
    /// The new speed.
    pub(crate) speed: Option<f64>,
    /// The new peak DRAM bandwidth.
    pub(crate) dram_bandwidth_gbps: Option<f64>,
    /// Accelerators that are lost.
    pub(crate) lost: Vec<String>,
    /// The link.
    pub(crate) link: Option<[String; 2]>,
    /// Its new rate in gigabits per second.
    pub(crate) gbps: Option<f64>,
    /// Its new delay.
    pub(crate) delay: Option<Time>,
    /// The tenant of `rate`; `None` for all of them.
    pub(crate) tenant: Option<String>,
    /// The new rate, as a multiple.
    pub(crate) rate: Option<f64>,
}

impl DriftEntry {
    /// Whether it changes something at sites.
    pub(crate) fn is_of_sites(&self) -> bool {
        self.speed.is_some() || self.dram_bandwidth_gbps.is_some() || !self.lost.is_empty()
    }
}

/// The drift of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellDrift {
    /// The value of the axis `drifts`; empty without the axis.
    pub name: String,
    /// What applies.
    pub entries: Vec<DriftEntry>,
}

/// The entries, checked; `end_s` is the time of a run, where that is given.
pub(super) fn entries(
    raw: &[Spanned<RawDrift>],
    drifts: &Option<Spanned<List<String>>>,
    on_fleets: bool,
    end_s: Option<f64>,
    source: &Source,
) -> Result<Vec<DriftEntry>, InputError> {
    for (place, drift) in raw.iter().enumerate() {
        check(drift, on_fleets, end_s)
            .map_err(|(span, problem)| source.error(&span.unwrap_or(drift.span()), problem))?;
        if drifts.is_some() {
            check_name(drift.get_ref())
                .map_err(|problem| source.error_in("drift", place, &["name", "at_s"], problem))?;
        }
    }
    let known: Vec<&str> =
        raw.iter().filter_map(|raw| Some(raw.get_ref().name.as_ref()?.get_ref().as_str())).collect();
    let axis = drifts.iter().flat_map(|drifts| drifts.get_ref().0.iter().map(|name| (name, drifts.span())));
    for (name, span) in axis {
        if name != NO_DRIFT && !known.contains(&name.as_str()) {
            let all: Vec<&str> = [NO_DRIFT].into_iter().chain(known.iter().copied()).collect();
            let hint = did_you_mean(name, &all);
            let message = format!(
                "no [[drift]] has `name = \"{name}\"`{hint}: expected `none` or the name of an entry ({})",
                known.join(", ")
            );
            return Err(source.error(&span, message));
        }
    }
    let entry = |(place, raw): (usize, &Spanned<RawDrift>)| {
        let raw = raw.get_ref();
        let text = |word: &Option<Spanned<String>>| word.as_ref().map(|word| word.get_ref().clone());
        let positive = |value: &Option<Spanned<Positive>>| value.as_ref().map(|value| value.get_ref().0);
        let gbps = |value: &Option<Spanned<Gbps>>| value.as_ref().map(|value| value.get_ref().0);
        DriftEntry {
            place,
            name: text(&raw.name),
            at: Time::from_s(raw.at_s.get_ref().0),
            site: text(&raw.site),
            speed: positive(&raw.speed),
            dram_bandwidth_gbps: gbps(&raw.dram_bandwidth_gbps),
            lost: raw.accelerators_lost.as_ref().map_or(Vec::new(), |lost| lost.get_ref().clone()),
            link: raw.link.as_ref().map(|link| link.get_ref().clone()),
            gbps: gbps(&raw.gbps),
            delay: raw.delay_us.as_ref().map(|delay| Time::from_us(delay.get_ref().0)),
            tenant: text(&raw.tenant),
            rate: positive(&raw.rate),
        }
    };
    Ok(raw.iter().enumerate().map(entry).collect())
}

/// What is wrong with an entry, and where.
type Problem = (Option<std::ops::Range<usize>>, String);

fn check(raw: &Spanned<RawDrift>, on_fleets: bool, end_s: Option<f64>) -> Result<(), Problem> {
    let drift = raw.get_ref();
    let of_fleets =
        [("site", drift.site.as_ref().map(Spanned::span)), ("link", drift.link.as_ref().map(Spanned::span))];
    if let Some((key, Some(span))) = of_fleets.into_iter().find(|(_, span)| span.is_some() && !on_fleets) {
        let problem =
            format!("`{key}` is a part of a fleet: leave it out, or give `fleets` in place of `systems`");
        return Err((Some(span), problem));
    }
    let at_s = drift.at_s.get_ref().0;
    if let Some(end_s) = end_s.filter(|&end_s| at_s >= end_s) {
        let problem =
            format!("`at_s` is {at_s}: expected less than `duration_s` = {end_s}, the end of the run");
        return Err((Some(drift.at_s.span()), problem));
    }
    for gbps in [&drift.gbps, &drift.dram_bandwidth_gbps].into_iter().flatten() {
        if gbps.get_ref().0.is_infinite() {
            return Err((
                Some(gbps.span()),
                "expected a number from 0.001 to 1e9: no link or DRAM becomes endless".into(),
            ));
        }
    }
    let at_sites =
        drift.speed.is_some() || drift.dram_bandwidth_gbps.is_some() || drift.accelerators_lost.is_some();
    let of_link = drift.gbps.is_some() || drift.delay_us.is_some();
    let problem = match (&drift.link, &drift.site, &drift.tenant) {
        (Some(link), ..) if !of_link => {
            Some((link.span(), "`link` needs `gbps` or `delay_us`, what it becomes"))
        }
        (_, Some(site), _) if !at_sites => {
            Some((site.span(), "`site` needs `speed`, `dram_bandwidth_gbps` or `accelerators_lost`"))
        }
        (.., Some(tenant)) if drift.rate.is_none() => {
            Some((tenant.span(), "`tenant` needs `rate`, the factor of its arrivals"))
        }
        (None, ..) if of_link => {
            let span = drift.gbps.as_ref().map(Spanned::span);
            let span = span.or(drift.delay_us.as_ref().map(Spanned::span));
            Some((span.unwrap_or(raw.span()), "`gbps` and `delay_us` need `link`, the two nodes at its ends"))
        }
        _ => None,
    };
    if let Some((span, problem)) = problem {
        return Err((Some(span), problem.into()));
    }
    if !at_sites && !of_link && drift.rate.is_none() {
        let problem = "nothing changes: expected `speed`, `dram_bandwidth_gbps`, `accelerators_lost`, `link` with `gbps` or \
                       `delay_us`, or `rate`";
        return Err((None, problem.into()));
    }
    Ok(())
}

/// Checks that `drifts` can choose an entry.
fn check_name(raw: &RawDrift) -> Result<(), String> {
    match &raw.name {
        None => Err("`drifts` chooses entries by `name`, and this one has none: give it a name, or leave `drifts` out".into()),
        Some(name) if name.get_ref() == NO_DRIFT => {
            Err(format!("`name` is `{NO_DRIFT}`, under which nothing changes: expected another name"))
        }
        Some(_) => Ok(()),
    }
}

/// The values of the axis; one without a name if there is no axis.
pub(super) fn axis(entries: Vec<DriftEntry>, drifts: Option<Vec<String>>) -> Vec<CellDrift> {
    let Some(drifts) = drifts else { return vec![CellDrift { name: String::new(), entries }] };
    let of = |name: String| {
        let own = |entry: &&DriftEntry| entry.name.as_ref() == Some(&name);
        CellDrift { entries: entries.iter().filter(own).cloned().collect(), name }
    };
    drifts.into_iter().map(of).collect()
}
