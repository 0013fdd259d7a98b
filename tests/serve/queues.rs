//! Batch service, choice of site, pooling, loss, patience and priorities against closed forms and exact chains, in units
//! of the mean service. The numbers were computed by the chains and formulas that each test names, to the digits given.

use mascot::dispatch::{Batch, Batching, Composed, Queue};
use mascot::serve::{Action, Dispatch, Dispatcher, FleetView, Moment, Record};
use mascot::sim::Operations;
use mascot::units::Time;

use super::common::{CLIENT, ClientPlan, ModelPlan, NO_LINK, Plan, SitePlan, VariantPlan, composed};
use super::stations::{AnyVariant, Delays, exponential_model, poisson, units};

/// How wide the 95 % interval of a mean may be.
const WIDEST: f64 = 0.1;

/// A dispatcher whose variants, and so services, are drawn.
fn drawn(route: &str, batch: &str) -> Composed {
    Composed { variant: AnyVariant::new(), ..composed(route, "best", batch, 1) }
}

/// So many sites of one exponential server each.
fn servers(sites: usize, parts: usize) -> Plan {
    Plan::new(vec![SitePlan::behind(NO_LINK); sites], exponential_model(parts, 1))
}

#[test]
fn exponential_batches() {
    // M/M^(1,b)/1: T = C r / ((1 - r)^2 lambda) + 1, with r the root in (0, 1) of
    // lambda - (lambda + 1) r + r^(b + 1) = 0 and C = 1 / (1 / lambda + 1 / (1 - r)) (Neuts).
    let rows = [
        (1, 0.7, 3.33333),
        (2, 1.4, 3.25374),
        (4, 2.8, 3.13186),
        (8, 5.6, 3.02692),
        (4, 1.0, 1.72785),
        (8, 2.0, 1.90032),
    ];
    for (b, lambda, time) in rows {
        let plan = Plan::new(vec![SitePlan::behind(NO_LINK)], exponential_model(1024, b));
        let delays = Delays::of(&plan, poisson(lambda, 1, None), &mut drawn("closest", "greedy"));
        delays.mean().check(&format!("M/M^(1,{b})/1 at {lambda}"), time, WIDEST);
    }
}

#[test]
fn equal_batches_with_a_threshold() {
    // M/D^(a,8)/1 with s(k) = alpha + beta k: the chain embedded at free servers, solved up to 300 waiting; T for
    // a = 1, 2, 4, 8 and the mean batch for a = 1.
    let rows = [
        (1.0, 0.0, 4.0, [1.5071, 1.5014, 1.5236, 1.8843], 4.02),
        (1.0, 0.0, 6.4, [1.6518, 1.6512, 1.6470, 1.6988], 6.40),
        (0.8, 0.2, 2.0, [2.2634, 2.2860, 2.6816, 4.2116], 2.80),
        (0.8, 0.2, 3.0, [3.9418, 3.9405, 3.9974, 4.6466], 6.01),
        (0.5, 0.5, 1.5, [4.5714, 4.7028, 5.4639, 7.8821], 3.36),
        (0.1, 0.9, 0.9, [4.3475, 5.3296, 7.6541, 12.547], 1.95),
    ];
    for (alpha, beta, lambda, times, batch) in rows {
        let services = (1..=8).map(|k| units(alpha + beta * f64::from(k)).0).collect();
        let variants = vec![VariantPlan(String::new(), 1.0, services)];
        let plan =
            Plan::new(vec![SitePlan::behind(NO_LINK)], ModelPlan { batches: (1..=8).collect(), variants });
        for (a, time) in [1, 2, 4, 8].into_iter().zip(times) {
            let rule = &format!("size at_least = {a}");
            let delays =
                Delays::of(&plan, poisson(lambda, 1, None), &mut composed("closest", "best", rule, 1));
            delays.mean().check(&format!("M/D^({a},8)/1, {alpha} + {beta} k at {lambda}"), time, WIDEST);
            if a == 1 {
                assert!((delays.mean_batch() / batch - 1.0).abs() < 0.02, "{}", delays.mean_batch());
            }
        }
    }
}

#[test]
fn the_power_of_choices() {
    // Infinitely many servers: T = sum over i of lambda^((d^i - d) / (d - 1)); 1 / (1 - lambda) for d = 1
    // (Vvedenskaya et al. 1996, Mitzenmacher 2001). A hundred servers are within 3 % of that.
    let rows = [
        (0.5, [2.0000, 1.2657, 1.1252, 1.0313]),
        (0.7, [3.3333, 1.6145, 1.3568, 1.1681]),
        (0.9, [10.000, 2.6141, 2.0279, 1.6329]),
    ];
    let plan = servers(100, 256);
    for (lambda, times) in rows {
        for (d, time) in [1, 2, 3, 5].into_iter().zip(times) {
            if d == 1 && lambda > 0.8 {
                // Queues this long forget their start too slowly for so few jobs per server.
                continue;
            }
            let rule = &format!("pod d = {d}; by = \"number\"");
            let delays = Delays::of(&plan, poisson(100.0 * lambda, 1, None), &mut drawn(rule, "single"));
            let mean = delays.mean().mean;
            assert!((mean / time - 1.0).abs() < 0.03, "{d} choices at {lambda}: {mean}, not {time}");
        }
    }
}

#[test]
fn the_shorter_of_two_queues() {
    // The chain of both lengths, solved up to 120 each.
    for (lambda, time) in [(0.5, 1.42632), (0.7, 2.10820), (0.9, 5.47491)] {
        let run = Delays::of(
            &servers(2, 1024),
            poisson(2.0 * lambda, 1, None),
            &mut drawn("shortest_queue", "single"),
        );
        run.mean().check(&format!("two queues at {lambda}"), time, WIDEST);
    }
}

#[test]
fn old_reports_make_choices_worse_than_none() {
    let mut plan = servers(20, 256);
    let mut mean = |rule, report| {
        plan.report = units(report);
        Delays::of(&plan, poisson(20.0 * 0.7, 1, None), &mut drawn(rule, "single")).mean().mean
    };
    let rule = "pod d = 5; by = \"number\"";
    let (random, fresh, stale) = (mean("random", 0.0), mean(rule, 0.0), mean(rule, 50.0));
    assert!(fresh < 0.5 * random && stale > 1.5 * random, "{fresh}, {random}, {stale}");
}

#[test]
fn servers_with_one_queue_and_with_a_queue_each() {
    // M/M/4 by Erlang C, and 1 / (1 - rho).
    for (rho, pooled, apart) in [(0.5, 1.0870, 2.0), (0.75, 1.5094, 4.0), (0.9, 2.9694, f64::NAN)] {
        let mut plan = servers(1, 1024);
        (plan.sites[0].accelerators, plan.sites[0].slots) = (4, 4);
        let run = Delays::of(&plan, poisson(4.0 * rho, 1, None), &mut drawn("closest", "single"));
        run.mean().check(&format!("one queue at {rho}"), pooled, WIDEST);
        if apart.is_finite() {
            let run =
                Delays::of(&servers(4, 1024), poisson(4.0 * rho, 1, None), &mut drawn("random", "single"));
            run.mean().check(&format!("four queues at {rho}"), apart, WIDEST);
        }
    }
}

/// Rejects what finds all servers busy.
struct NoQueue(Composed);

impl Dispatcher for NoQueue {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(request) if view.site(0).in_service >= view.model().sites[0].slots => {
                out.actions.push(Action::Reject { request });
            }
            _ => self.0.decide(view, moment, out),
        }
    }

    fn observe(&mut self, record: &Record) {
        self.0.observe(record);
    }
}

#[test]
fn loss_without_a_queue() {
    // Erlang B.
    for (servers_, offered, lost) in
        [(1, 0.7, 0.41176), (4, 3.0, 0.20611), (6, 4.8, 0.17678), (6, 6.0, 0.26492)]
    {
        let mut plan = servers(1, 1024);
        (plan.sites[0].accelerators, plan.sites[0].slots) = (servers_, servers_ as u32);
        let run = Delays::of(&plan, poisson(offered, 1, None), &mut NoQueue(drawn("closest", "single")));
        run.lost().check(&format!("B({servers_}, {offered})"), lost, WIDEST);
    }
}

/// Serves one by one whoever has not waited longer than this.
struct Patience(Time);

impl Batch for Patience {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        _: &mut dyn FnMut(usize) -> Time,
        _: &mut Operations,
    ) -> Batching {
        let first = queue.iter().next().expect("somebody waits");
        match view.now() - first.queued_at > self.0 {
            true => Batching::Reject(first.id),
            false => Batching::Launch(1),
        }
    }
}

#[test]
fn loss_by_impatience() {
    // M/M/1 whose customers leave unless served within D: rho (1 - rho) E / (1 - rho^2 E), E = e^-((1 - lambda) D).
    let rows = [(0.7, 2.0, 0.15764), (0.9, 4.0, 0.13200), (0.9, 8.0, 0.06358), (1.2, 4.0, 0.24226)];
    for (lambda, patience, lost) in rows {
        let mut dispatcher = drawn("closest", "single");
        dispatcher.batch = Box::new(Patience(units(patience)));
        let run = Delays::of(&servers(1, 1024), poisson(lambda, 1, None), &mut dispatcher);
        run.lost().check(&format!("patience of {patience} at {lambda}"), lost, WIDEST);
    }
}

#[test]
fn priorities_move_waits_and_conserve_their_sum() {
    // Two classes of load 0.4 (Cobham, Kleinrock): waits 1.3333 and 6.6667 by strict priority, 4 and 4 by arrival.
    // Models are served by the earliest deadline.
    let model = exponential_model(1024, 1);
    let mut plan = servers(1, 1024);
    plan.models = vec![model.clone(), model];
    plan.clients = vec![CLIENT, ClientPlan { model: 1, ..CLIENT }];
    for (within, waits) in [([1.0, 1e7], [4.0 / 3.0, 20.0 / 3.0]), ([1.0, 1.0], [4.0, 4.0])] {
        let run = Delays::of(&plan, poisson(0.8, 2, Some(&within)), &mut drawn("closest", "single"));
        let mut sum = 0.0;
        for (class, wait) in waits.into_iter().enumerate() {
            let mean = run.mean_of(class as u32);
            mean.check(&format!("class {class} due after {within:?}"), wait + 1.0, 1.5 * WIDEST);
            sum += 0.4 * (mean.mean - 1.0);
        }
        assert!((sum / 3.2 - 1.0).abs() < 0.1, "the sum of rho W is {sum}, not 3.2");
    }
}
