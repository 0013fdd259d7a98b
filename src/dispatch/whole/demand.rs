//! What a controller of all sites knows of the requests: how many each tenant sends, window by window.
//!
//! The controller hears of an arrival once a report with it can have come from any node: a window is counted when the
//! period of the reports and the longest delay of a way back have passed since its end. Plans take effect everywhere at
//! once, which is a delay of the way less than they would need; against the length of a window that is little.

use std::collections::VecDeque;

use crate::files::Parameter;
use crate::serve::{FleetModel, FleetView, Record};
use crate::units::Time;

/// The parameter of rules that plan for more than the demand. The default is that of Proteus.
pub(super) const HEADROOM: Parameter = Parameter {
    name: "headroom",
    default: "1.05",
    doc: "multiple of the demand that is planned for, from 1 to 100",
};

/// Checks the headroom. The largest is our choice.
pub(super) fn check_headroom(headroom: f64) -> Result<f64, String> {
    match (1.0..=100.0).contains(&headroom) {
        true => Ok(headroom),
        false => Err(format!("`headroom` is {headroom}; it has to be from 1 to 100")),
    }
}

/// The demand of each tenant.
pub(super) struct Demand {
    period: Time,
    weight: f64,
    /// The end of the window that is counted.
    end: Time,
    /// Arrivals that are not counted: when, of whom, and how long until the deadline.
    arrivals: VecDeque<(Time, usize, Time)>,
    /// By tenant the moving average of arrivals per picosecond.
    rates: Vec<f64>,
    /// By tenant the shortest time until the deadline of the latest window that had any.
    budgets: Vec<Time>,
}

impl Demand {
    /// Counts windows of a period; `weight` is that of a new window in the moving averages.
    pub(super) fn new(period: Time, weight: f64) -> Self {
        let (rates, budgets) = (Vec::new(), Vec::new());
        Self { period, weight, end: period, arrivals: VecDeque::new(), rates, budgets }
    }

    pub(super) fn observe(&mut self, record: &Record) {
        if let Record::Arrived { asked, .. } = *record {
            let within = match asked.deadline {
                Time::MAX => Time::MAX,
                _ => asked.deadline.saturating_sub(asked.arrival),
            };
            self.arrivals.push_back((asked.arrival, asked.tenant as usize, within));
        }
    }

    /// Counts the windows that can be known now; returns whether there is a new one.
    pub(super) fn update(&mut self, view: &FleetView) -> bool {
        let mut is_new = false;
        while self.end.saturating_add(lag(view.model())) <= view.now() {
            self.count(view.model().clients.len());
            self.end += self.period;
            is_new = true;
        }
        is_new
    }

    fn count(&mut self, tenants: usize) {
        let mut counts = vec![0u32; tenants];
        let is_first = self.rates.is_empty();
        self.rates.resize(tenants, 0.0);
        self.budgets.resize(tenants, Time::MAX);
        while let Some((_, tenant, within)) = self.arrivals.pop_front_if(|(at, ..)| *at < self.end) {
            self.budgets[tenant] =
                if counts[tenant] == 0 { within } else { self.budgets[tenant].min(within) };
            counts[tenant] += 1;
        }
        let weight = if is_first { 1.0 } else { self.weight };
        for (rate, &count) in self.rates.iter_mut().zip(&counts) {
            *rate += weight * (f64::from(count) / self.period.as_ps() - *rate);
        }
    }

    /// Whether a window is known.
    pub(super) fn is_known(&self) -> bool {
        !self.rates.is_empty()
    }

    /// The arrivals of a tenant per picosecond; 0 before the first window is known.
    pub(super) fn rate(&self, tenant: usize) -> f64 {
        self.rates.get(tenant).copied().unwrap_or(0.0)
    }

    /// The time that a request of a tenant has at a site, without its way; `None` if it has no way there.
    pub(super) fn budget(&self, view: &FleetView, tenant: usize, site: usize) -> Option<Time> {
        let way = view.way_there(tenant, site)?.saturating_add(view.way_back(tenant, site)?);
        match self.budgets.get(tenant).copied().unwrap_or(Time::MAX) {
            Time::MAX => Some(Time::MAX),
            within => Some(within.saturating_sub(way)),
        }
    }
}

/// How long after the end of a window all of it is known.
fn lag(model: &FleetModel) -> Time {
    let ways = model.clients.iter().flat_map(|client| client.ways.iter().flatten());
    let delay = |way: &[u32]| way.iter().fold(Time::ZERO, |sum, &hop| sum + model.wires[hop as usize].delay);
    let longest = ways.map(|[_, back]| delay(back)).max().unwrap_or(Time::ZERO);
    model.report + longest
}

/// The largest batch of a variant at a site whose service fits a budget so many times; `None` if not even one request does.
pub(super) fn largest_batch(
    model: &FleetModel,
    [site, of, variant]: [usize; 3],
    budget: Time,
    times: u64,
) -> Option<u32> {
    let fits = |batch: &&u32| {
        let service = model.service(site, of, variant, **batch as usize);
        service.0.saturating_mul(times) <= budget.0
    };
    model.models[of].batches.iter().rev().find(fits).copied()
}
