//! `jellyfish`: one variant for each model at each site and one site for each tenant, chosen for all together each period,
//! so that the mean accuracy is largest. A tenant is served at a site if network time plus twice the service of a batch
//! fits its deadline, twice because a request may have to wait for the batch before its own; the batch is the largest that
//! fits. A site whose tenants ask for more than it can serve counts only in proportion.
//!
//! Jellyfish adapts the resolution of the data as well, and finds mappings by simulated annealing and variants by dynamic
//! programming; here the best of all single changes of the present plan, a tenant's site or a model's variant, is taken as
//! long as it gains. Sites take the place of its workers. Before the first plan, requests run one by one at their closest
//! sites on the most accurate variants.

use super::demand::{Demand, HEADROOM, check_headroom, largest_batch};
use crate::dispatch::parts::{Parts, decide, planned};
use crate::dispatch::{Batching, Queue, RuleEntry, check_period, check_weight, parse};
use crate::files::Parameter;
use crate::serve::{Dispatch, Dispatcher, FleetView, Moment, Record, RequestView};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "jellyfish",
    doc: "each period a site for each tenant and a variant for each site, for the largest mean accuracy with network time + 2 x batch service within the deadline",
    source: "Jellyfish (Nigade et al., RTSS 2022), from its abstract and memory; a local search in place of its algorithms",
    parameters: &[
        Parameter {
            name: "period_us",
            default: "500000.0",
            doc: "time between plans in microseconds, above 0",
        },
        Parameter {
            name: "weight",
            default: "0.5",
            doc: "weight of a new period in the moving average of the rates, above 0, at most 1",
        },
        HEADROOM,
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { period_us, weight, headroom } = parse(parameters)?;
        let demand = Demand::new(check_period(period_us)?, check_weight(weight)?);
        Ok(Box::new(Jellyfish { demand, headroom: check_headroom(headroom)?, plan: Plan::default() }))
    },
};

/// The largest number of changes of a plan. Our choice: each gains, so that the search ends, and this only bounds it.
const MOST_CHANGES: usize = 100;

/// What a change has to gain of the mean accuracy. Our choice, because sums round.
const GAIN: f64 = 1e-9;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    period_us: f64,
    weight: f64,
    headroom: f64,
}

impl Default for Parameters {
    /// The period is in the range that the paper's controller uses, from memory; the weight is our choice,
    /// and the headroom that of Proteus.
    fn default() -> Self {
        Self { period_us: 5e5, weight: 0.5, headroom: 1.05 }
    }
}

/// Who is served where, and by what.
#[derive(Clone, Default, Debug, PartialEq)]
struct Plan {
    /// The site of each tenant.
    sites: Vec<usize>,
    /// The variant at each site of each model.
    variants: Vec<Vec<usize>>,
}

struct Jellyfish {
    demand: Demand,
    headroom: f64,
    plan: Plan,
}

impl Dispatcher for Jellyfish {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        if self.plan.sites.is_empty() {
            self.plan = first(view);
        }
        if self.demand.update(view) {
            self.search(view, &mut out.operations);
        }
        decide(self, view, moment, out);
    }

    fn observe(&mut self, record: &Record) {
        self.demand.observe(record);
    }
}

impl Parts for Jellyfish {
    fn site(
        &mut self,
        _: &FleetView,
        request: &RequestView,
        _: &[usize],
        spent: &mut Operations,
    ) -> Option<usize> {
        spent.comparisons += 1;
        Some(self.plan.sites[request.tenant])
    }

    fn batching(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching {
        spent.comparisons += 1;
        if !self.demand.is_known() {
            return Batching::Launch(1);
        }
        let variant = self.plan.variants[queue.site][queue.model];
        let batch = self.batch(view, &self.plan, [queue.site, queue.model, variant]);
        Batching::Launch(batch.unwrap_or(1) as usize)
    }

    fn variant(&mut self, view: &FleetView, queue: &Queue, count: usize, _: &mut Operations) -> usize {
        planned(view, queue, count, self.plan.variants[queue.site][queue.model])
    }
}

/// The closest site for each tenant, and the most accurate variants.
fn first(view: &FleetView) -> Plan {
    let model = view.model();
    let closest = |tenant: usize| {
        let sites = (0..model.sites.len()).filter(|&site| model.serves(site, &model.clients[tenant]));
        let way = |site: &usize| view.way_there(tenant, *site).zip(view.way_back(tenant, *site));
        sites.min_by_key(|site| way(site).map(|(there, back)| there.saturating_add(back)))
    };
    let best = || model.models.iter().map(|of| of.best()).collect();
    Plan {
        sites: (0..model.clients.len()).map(|tenant| closest(tenant).expect("it is served")).collect(),
        variants: model.sites.iter().map(|_| best()).collect(),
    }
}

impl Jellyfish {
    /// Takes the best change as long as it gains.
    fn search(&mut self, view: &FleetView, spent: &mut Operations) {
        let mut present = self.score(view, &self.plan, spent);
        for _ in 0..MOST_CHANGES {
            let mut best = (present + GAIN, None);
            for plan in changes(view, &self.plan) {
                let score = self.score(view, &plan, spent);
                if score > best.0 {
                    best = (score, Some(plan));
                }
            }
            let (score, Some(plan)) = best else { return };
            (present, self.plan) = (score, plan);
        }
    }

    /// The mean accuracy of a plan; a request that is not served has none.
    fn score(&self, view: &FleetView, plan: &Plan, spent: &mut Operations) -> f64 {
        let model = view.model();
        let mut load = vec![0.0; model.sites.len()];
        let mut worth = vec![0.0; model.sites.len()];
        let mut total = 0.0;
        for (tenant, client) in model.clients.iter().enumerate() {
            spent.comparisons += 1;
            let (rate, site) = (self.demand.rate(tenant), plan.sites[tenant]);
            total += rate;
            let variant = plan.variants[site][client.model];
            let accuracy = model.models[client.model].variants[variant].accuracy;
            let Some(batch) = self.batch(view, plan, [site, client.model, variant]) else { continue };
            let service = model.service(site, client.model, variant, batch as usize).as_ps();
            load[site] +=
                self.headroom * rate * service / f64::from(batch) / model.sites[site].at_once() as f64;
            if accuracy >= client.terms.min_accuracy {
                worth[site] += rate * accuracy;
            }
        }
        let served = load.iter().zip(&worth).map(|(load, worth)| worth / load.max(1.0));
        if total == 0.0 { 0.0 } else { served.sum::<f64>() / total }
    }

    /// The batch of a variant at a site that suits all tenants who are served by it; `None` if there is none.
    fn batch(&self, view: &FleetView, plan: &Plan, of: [usize; 3]) -> Option<u32> {
        let [site, model, _] = of;
        let mut budget = Time::MAX;
        for (tenant, client) in view.model().clients.iter().enumerate() {
            if plan.sites[tenant] == site && client.model == model {
                budget = budget.min(self.demand.budget(view, tenant, site)?);
            }
        }
        largest_batch(view.model(), of, budget, 2)
    }
}

/// All plans that differ in the site of one tenant or the variant of one model at a site.
fn changes(view: &FleetView, plan: &Plan) -> Vec<Plan> {
    let model = view.model();
    let mut all = Vec::new();
    for (tenant, client) in model.clients.iter().enumerate() {
        for site in (0..model.sites.len()).filter(|&site| model.serves(site, client)) {
            let mut changed = plan.clone();
            changed.sites[tenant] = site;
            all.push(changed);
        }
    }
    for site in 0..model.sites.len() {
        for (of, served) in model.models.iter().enumerate() {
            for variant in 0..served.variants.len() {
                let mut changed = plan.clone();
                changed.variants[site][of] = variant;
                all.push(changed);
            }
        }
    }
    all
}
