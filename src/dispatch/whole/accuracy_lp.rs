//! `accuracy_lp`: each period a linear program says which share of each tenant's requests goes to which site and variant,
//! so that the accuracy of all answers together is largest. Sites serve no more than they can, in the largest batches whose
//! service is shorter than what the deadline leaves, and no tenant more than its demand with 5 % to spare. Requests follow
//! the shares, always the site and the variant that is most behind its own; batches are formed by `accscale`. The resource
//! manager of Proteus.
//!
//! Proteus gives each device one variant, with a program over whole numbers; here a site may run several. A demand that no
//! plan serves is not made smaller: requests beyond the plan follow the same shares. Before the first plan, requests go to
//! the closest site and its most accurate variants.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};

use super::demand::{Demand, HEADROOM, check_headroom, largest_batch};
use super::part;
use crate::dispatch::parts::{Parts, allowed, decide, planned};
use crate::dispatch::shares::most_behind;
use crate::dispatch::{
    BATCHES, Batch, Batching, Queue, ROUTES, Route, RuleEntry, check_period, check_weight, parse,
};
use crate::files::Parameter;
use crate::serve::{Dispatch, Dispatcher, FleetView, Moment, Record, RequestView};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "accuracy_lp",
    doc: "each period shares of sites and variants from a linear program for the largest accuracy at the rates of arrival; batches as `accscale`",
    source: "Proteus (Ahmad et al., ASPLOS 2024), as in its code, with shares in place of one variant for each device",
    parameters: &[
        Parameter {
            name: "period_us",
            default: "10000000.0",
            doc: "time between plans in microseconds, above 0",
        },
        Parameter {
            name: "weight",
            default: "0.375",
            doc: "weight of a new period in the moving average of the rates, above 0, at most 1",
        },
        HEADROOM,
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { period_us, weight, headroom } = parse(parameters)?;
        Ok(Box::new(AccuracyLp {
            demand: Demand::new(check_period(period_us)?, check_weight(weight)?),
            headroom: check_headroom(headroom)?,
            shares: BTreeMap::new(),
            sent: BTreeMap::new(),
            run: BTreeMap::new(),
            closest: part(ROUTES, "closest", &toml::Table::new())?,
            batch: part(BATCHES, "accscale", &toml::Table::new())?,
        }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    period_us: f64,
    weight: f64,
    headroom: f64,
}

impl Default for Parameters {
    /// As in the code of Proteus, whose moving average divides old values by 1.6: 1 - 1 / 1.6 is the weight of a new one.
    fn default() -> Self {
        Self { period_us: 1e7, weight: 0.375, headroom: 1.05 }
    }
}

struct AccuracyLp {
    demand: Demand,
    headroom: f64,
    /// The rate of each tenant at each site by each variant, where there is any.
    shares: BTreeMap<[usize; 3], f64>,
    /// The requests of each tenant that each site got under this plan.
    sent: BTreeMap<[usize; 2], u64>,
    /// The requests that ran under this plan, by site, model and variant.
    run: BTreeMap<[usize; 3], u64>,
    closest: Box<dyn Route>,
    batch: Box<dyn Batch>,
}

impl Dispatcher for AccuracyLp {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        if self.demand.update(view) {
            self.plan(view, &mut out.operations);
        }
        decide(self, view, moment, out);
    }

    fn observe(&mut self, record: &Record) {
        self.demand.observe(record);
    }
}

impl Parts for AccuracyLp {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> Option<usize> {
        let tenant = request.tenant;
        let share = |site: usize| {
            self.shares.range([tenant, site, 0]..=[tenant, site, usize::MAX]).map(|(_, rate)| rate).sum()
        };
        let shares: Vec<(usize, f64)> = sites.iter().map(|&site| (site, share(site))).collect();
        spent.comparisons += sites.len() as u64;
        let behind = most_behind(&shares, |site| self.sent.get(&[tenant, site]).copied().unwrap_or(0));
        let Some(site) = behind else { return Some(self.closest.site(view, request, sites, spent)) };
        *self.sent.entry([tenant, site]).or_default() += 1;
        Some(site)
    }

    fn batching(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching {
        let variant = self.next(view, queue, spent);
        let mut service = |count: usize| {
            let variant = planned(view, queue, count, variant);
            view.model().service(queue.site, queue.model, variant, count)
        };
        self.batch.batch(view, queue, &mut service, spent)
    }

    fn variant(&mut self, view: &FleetView, queue: &Queue, count: usize, spent: &mut Operations) -> usize {
        let next = self.next(view, queue, spent);
        let variant = planned(view, queue, count, next);
        *self.run.entry([queue.site, queue.model, variant]).or_default() += count as u64;
        variant
    }
}

impl AccuracyLp {
    /// The variant that is most behind its share at a site; the most accurate one if none has a share.
    fn next(&self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> usize {
        let clients = view.model().clients.iter().enumerate();
        let tenants: Vec<usize> =
            clients.filter(|(_, client)| client.model == queue.model).map(|(tenant, _)| tenant).collect();
        let share = |variant: usize| {
            let of = |&tenant: &usize| self.shares.get(&[tenant, queue.site, variant]);
            tenants.iter().filter_map(of).sum()
        };
        let variants = allowed(view, queue, 1);
        spent.comparisons += (variants.len() * tenants.len()) as u64;
        let shares: Vec<(usize, f64)> = variants.iter().map(|&variant| (variant, share(variant))).collect();
        let run = |variant| self.run.get(&[queue.site, queue.model, variant]).copied().unwrap_or(0);
        most_behind(&shares, run).unwrap_or(variants[0])
    }

    /// Solves the linear program anew. A plan that cannot be made leaves the old one.
    fn plan(&mut self, view: &FleetView, spent: &mut Operations) {
        let model = view.model();
        let total: f64 = (0..model.clients.len()).map(|tenant| self.demand.rate(tenant)).sum();
        if total == 0.0 {
            return;
        }
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let mut ways: Vec<([usize; 3], Variable)> = Vec::new();
        let mut capacity = vec![LinearExpr::empty(); model.sites.len()];
        for (tenant, client) in model.clients.iter().enumerate() {
            let mut served = LinearExpr::empty();
            let sites = (0..model.sites.len()).filter(|&site| model.serves(site, client));
            for site in sites {
                let Some(budget) = self.demand.budget(view, tenant, site) else { continue };
                for variant in model.models[client.model].from_best(client.terms.min_accuracy) {
                    let of = [site, client.model, variant];
                    let Some(batch) = largest_batch(model, of, budget, 1) else { continue };
                    let accuracy = model.models[client.model].variants[variant].accuracy;
                    // In units of the total rate, so that all numbers are of the order of 1.
                    let fraction = problem.add_var(accuracy, (0.0, f64::INFINITY));
                    let service = model.service(site, client.model, variant, batch as usize).as_ps();
                    let used = total * service / f64::from(batch) / model.sites[site].at_once() as f64;
                    capacity[site].add(fraction, used);
                    served.add(fraction, 1.0);
                    ways.push(([tenant, site, variant], fraction));
                }
            }
            let demand = self.headroom * self.demand.rate(tenant) / total;
            problem.add_constraint(served, ComparisonOp::Le, demand);
        }
        for used in capacity {
            problem.add_constraint(used, ComparisonOp::Le, 1.0);
        }
        // A pivot of the simplex method touches every entry, and there are about as many pivots as constraints.
        let constraints = (model.clients.len() + model.sites.len()) as u64;
        spent.macs += constraints * constraints * ways.len() as u64;
        let Some(solution) = problem.solve().ok().and_then(|solved| solved.into_solution().ok()) else {
            return;
        };
        let rates = ways.into_iter().map(|(way, fraction)| (way, solution[fraction]));
        self.shares = rates.filter(|(_, rate)| *rate > 0.0).collect();
        self.sent.clear();
        self.run.clear();
    }
}
