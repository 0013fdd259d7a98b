//! Tiny fleets against the optimum over all schedules.
//!
//! The slow twin tries, for every request, each site and nobody, and at each site every order of every partition of its
//! requests into batches with every variant. A batch begins when its last member has come and the one before it has
//! ended; so all deliberate waiting is included, because to begin a batch later still helps nobody. It knows what comes,
//! so that no dispatcher can be better, and none has to be as good.

use mascot::dispatch::{BATCHES, ROUTES, VARIANTS, WHOLE_RULES};
use mascot::serve::{Dispatcher, Record};
use mascot::units::Time;
use mascot::workload::{AccuracyTerm, Combine, DelayTerm, Utility};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::common::{
    CLIENT, ClientPlan, Log, ModelPlan, Plan, SitePlan, VariantPlan, composed, delay, requests, whole,
};
use crate::rules::parameters;

const BATCH_SIZES: [u32; 3] = [1, 2, 4];
const INSTANCES: usize = 300;

/// A request: when it arrives, and when its answer is due.
type Asked = (u64, u64);

struct Instance {
    plan: Plan,
    asked: Vec<Asked>,
}

impl Instance {
    /// Two sites behind delays, two variants, up to five requests; every other one with a quality that falls linearly.
    fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut services = |least: u64| {
            let (alpha, beta) = (least + rng.random_range(0..30), rng.random_range(1..20));
            BATCH_SIZES.map(|batch| alpha + beta * u64::from(batch)).to_vec()
        };
        let variants = vec![
            VariantPlan("small".into(), 0.7, services(5)),
            VariantPlan("large".into(), 1.0, services(25)),
        ];
        let model = ModelPlan { batches: BATCH_SIZES.to_vec(), variants };
        let mut site = || SitePlan {
            slowness: rng.random_range(1..=2),
            links: [vec![delay(rng.random_range(0..30))], vec![delay(rng.random_range(0..30))]],
            ..SitePlan::behind(delay(0))
        };
        let sites = vec![site(), site()];
        let horizon = [1, 60, 200][rng.random_range(0..3)];
        let mut asked: Vec<Asked> = (0..rng.random_range(1..=5))
            .map(|_| {
                let arrival = rng.random_range(0..horizon);
                (arrival, arrival + rng.random_range(40..300))
            })
            .collect();
        asked.sort_unstable();
        let linear = DelayTerm::Linear { full: Time(30), zero: Time(250) };
        let delay = if seed.is_multiple_of(2) { DelayTerm::Deadline } else { linear };
        let utility = Utility { accuracy: AccuracyTerm::Absolute, delay, combine: Combine::Product };
        let clients = vec![ClientPlan { utility, ..CLIENT }];
        Self { plan: Plan { clients, ..Plan::new(sites, model) }, asked }
    }

    fn quality(&self, request: usize, answered: u64, accuracy: f64) -> f64 {
        let (arrival, due) = self.asked[request];
        let model = self.plan.models[0].variants.iter().map(|variant| variant.1);
        let range = mascot::workload::AccuracyRange {
            min: model.clone().fold(1.0, f64::min),
            max: model.fold(0.0, f64::max),
        };
        let utility = self.plan.clients[0].utility;
        utility.quality(Time(answered - arrival), Time(due - arrival), accuracy, range)
    }

    /// The largest sum of qualities of these requests (a bit each) at a site that is free from a time on.
    fn best_at(&self, site: usize, left: u32, free: u64) -> f64 {
        let of = &self.plan.sites[site];
        let [there, back] = of.links.each_ref().map(|links| links[0].delay.0);
        let mut best = 0.0_f64;
        // Every subset as the next batch; to serve none of the rest is one of the ways to go on.
        for batch in (1..=left).filter(|batch| batch & !left == 0) {
            let members = || (0..self.asked.len()).filter(|member| batch >> member & 1 == 1);
            let padded = BATCH_SIZES.partition_point(|&size| size < batch.count_ones());
            if padded == BATCH_SIZES.len() {
                continue;
            }
            let begin = members().map(|member| self.asked[member].0 + there).fold(free, u64::max);
            for variant in &self.plan.models[0].variants {
                let end = begin + variant.2[padded] * of.slowness;
                let own: f64 = members().map(|member| self.quality(member, end + back, variant.1)).sum();
                best = best.max(own + self.best_at(site, left & !batch, end));
            }
        }
        best
    }

    /// The largest sum of qualities over all schedules.
    fn optimum(&self) -> f64 {
        let all = (1_u32 << self.asked.len()) - 1;
        let at = |site| (0..=all).map(|part| self.best_at(site, part, 0)).collect::<Vec<_>>();
        let [one, other] = [at(0), at(1)];
        (0..=all).map(|part| one[part as usize] + other[(all & !part) as usize]).fold(0.0, f64::max)
    }

    /// The sum of qualities under a dispatcher.
    fn played(&self, dispatcher: &mut dyn Dispatcher) -> f64 {
        let trace = requests(self.asked.iter().map(|&(arrival, due)| (0, arrival, due)));
        let mut log = Log::default();
        self.plan.play(trace, dispatcher, &mut log.0).expect("a run that ends");
        let answers = log.0.iter().filter_map(|(record, _)| match *record {
            Record::Answered { time, request, accuracy, .. } => Some((request.0 as usize, time.0, accuracy)),
            _ => None,
        });
        answers.map(|(request, time, accuracy)| self.quality(request, time, accuracy)).sum()
    }
}

/// Makes a dispatcher.
type Make = Box<dyn Fn() -> Box<dyn Dispatcher>>;

/// Rules by name with parameters that fit the times of the instances.
fn sample() -> Vec<(String, Make)> {
    let mut all: Vec<(String, Make)> = Vec::new();
    for route in ROUTES.iter().map(|route| route.name).filter(|&name| name != "split" && name != "cheaper") {
        for variant in VARIANTS {
            for batch in BATCHES {
                let rules =
                    [route.to_string(), parameters("variant", variant.name), parameters("batch", batch.name)];
                let name = rules.join(" x ");
                let make =
                    move || -> Box<dyn Dispatcher> { Box::new(composed(&rules[0], &rules[1], &rules[2], 1)) };
                all.push((name, Box::new(make)));
            }
        }
    }
    for rule in WHOLE_RULES {
        let rule = parameters("whole", rule.name);
        all.push((rule.clone(), Box::new(move || whole(&rule))));
    }
    all
}

#[test]
fn the_twin_by_hand() {
    // Services of 10, 15 and 25 at accuracy 0.7, of 40, 60 and 100 at 1; the second site is far away.
    let variants: [(&str, f64, &[u64]); 2] = [("small", 0.7, &[10, 15, 25]), ("large", 1.0, &[40, 60, 100])];
    let sites = vec![SitePlan::behind(delay(0)), SitePlan::behind(delay(1000))];
    let plan = Plan::new(sites, ModelPlan::new(&BATCH_SIZES, &variants));
    let optimum = |asked: &[Asked]| Instance { plan: plan.clone(), asked: asked.to_vec() }.optimum();
    assert_eq!(optimum(&[(0, 60), (0, 60)]), 2.0, "a batch of the large variant");
    assert_eq!(optimum(&[(0, 50), (0, 50)]), 1.7, "the small one for one, then the large one");
    assert_eq!(optimum(&[(0, 20), (0, 20)]), 1.4, "a batch of the small variant");
    // To wait for the second is better than to begin with the first, and one of them goes far away.
    assert_eq!(optimum(&[(0, 90), (20, 90)]), 2.0);
    assert_eq!(optimum(&[(0, 40), (0, 2040)]), 2.0);
}

/// Over 300 instances, half of them with deadlines and half with a quality that falls linearly. Every composition of route,
/// variant and batch (without `split` and `cheaper`, which need parameters of the fleet) and every whole rule plays all. The best reaches 90.6 %
/// of the optima summed: the optimum knows who comes, and with five requests that is worth more than with many.
#[test]
#[expect(clippy::print_stdout, reason = "what was measured, for whoever runs the test with --nocapture")]
fn nobody_is_better_than_the_optimum_and_the_best_rule_comes_close() {
    let instances: Vec<Instance> = (0..INSTANCES as u64).map(Instance::draw).collect();
    let optima: Vec<f64> = instances.iter().map(Instance::optimum).collect();
    let whole: f64 = optima.iter().sum();
    let mut shares = Vec::new();
    for (name, make) in sample() {
        let mut sum = 0.0;
        for (case, (instance, optimum)) in instances.iter().zip(&optima).enumerate() {
            let found = instance.played(make().as_mut());
            assert!(
                found <= optimum + 1e-9,
                "{name}, instance {case}: {found}, but the optimum is {optimum}"
            );
            sum += found;
        }
        shares.push((sum / whole, name));
    }
    shares.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (share, name) in shares.iter().take(12).chain(shares.last()) {
        println!("{:.2} % {name}", 100.0 * share);
    }
    assert!(shares[0].0 >= 0.9, "{:?}", shares[0]);
}
