//! Laws that relate two runs of a fleet: shifted and scaled in time, with the tenants permuted.

use mascot::serve::Record;
use mascot::units::Time;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::common::{
    CLIENT, ClientPlan, Log, ModelPlan, Plan, SitePlan, VariantPlan, composed, delay, requests,
};

type Asked = (usize, u64, u64);

/// Three sites, two models, four tenants with accuracies and payloads of their own.
fn draw(seed: u64) -> (Plan, Vec<Asked>) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut model = || {
        let mut services = || (0..3).map(|_| rng.random_range(5..60)).collect();
        let variants =
            vec![VariantPlan("one".into(), 0.6, services()), VariantPlan("two".into(), 0.8, services())];
        ModelPlan { batches: vec![1, 2, 4], variants }
    };
    let models = vec![model(), model()];
    let mut site = || SitePlan {
        slowness: rng.random_range(1..4),
        links: [vec![delay(rng.random_range(0..40))], vec![delay(rng.random_range(0..40))]],
        ..SitePlan::behind(delay(0))
    };
    let sites = vec![site(), site(), site()];
    let clients = (0..4)
        .map(|tenant| ClientPlan { model: tenant % 2, min_accuracy: 0.25 * tenant as f64, ..CLIENT })
        .collect();
    let plan = Plan { sites, models, clients, ..Plan::new(Vec::new(), ModelPlan::new(&[1], &[])) };
    let mut at = 0;
    let mut ask = || {
        at += rng.random_range(0..15);
        (rng.random_range(0..4), at, at + rng.random_range(30..300))
    };
    let asked = (0..200).map(|_| ask()).collect();
    (plan, asked)
}

/// For each request its tenant, its site, its variant, its batch and the time of its answer; nothing if it was lost.
type Fate = Option<(u32, usize, usize, u32, u64)>;

fn fates(plan: &Plan, asked: &[Asked], rules: [&str; 3]) -> Vec<Fate> {
    let [route, variant, batch] = rules;
    let log: Log = plan.run(requests(asked.iter().copied()), &mut composed(route, variant, batch, 1));
    let mut fates = vec![None; asked.len()];
    for (record, _) in log.0 {
        if let Record::Answered { time, request, asked, site, variant, batch, .. } = record {
            fates[request.0 as usize] = Some((asked.tenant, site, variant, batch, time.0));
        }
    }
    fates
}

/// Rules without times of their own.
const RULES: [[&str; 3]; 6] = [
    ["closest", "best", "greedy"],
    ["eft_site", "fits", "greedy"],
    ["shortest_queue", "fits", "lazy"],
    ["load_balancing", "infaas", "aimd"],
    ["pod", "switch thresholds = [2]", "nexus"],
    ["least_impedance", "rate", "clockwork"],
];

#[test]
fn shifted_runs_are_shifted() {
    for (seed, rules) in (0..60).zip(RULES.iter().cycle()) {
        let (plan, asked) = draw(seed);
        let later: Vec<Asked> =
            asked.iter().map(|&(tenant, at, due)| (tenant, at + 12_345, due + 12_345)).collect();
        let shifted = fates(&plan, &asked, *rules).into_iter();
        let shifted: Vec<Fate> =
            shifted.map(|fate| fate.map(|(t, s, v, b, time)| (t, s, v, b, time + 12_345))).collect();
        assert!(shifted == fates(&plan, &later, *rules), "seed {seed}: {rules:?}");
    }
}

#[test]
fn scaled_runs_are_scaled() {
    for (seed, rules) in (0..60).zip(RULES.iter().cycle()) {
        let (plan, asked) = draw(seed);
        let mut slower = plan.clone();
        for service in slower.models.iter_mut().flat_map(|model| &mut model.variants).flat_map(|v| &mut v.2) {
            *service *= 8;
        }
        for wire in slower.sites.iter_mut().flat_map(|site| &mut site.links).flatten() {
            wire.delay = Time(wire.delay.0 * 8);
        }
        let later: Vec<Asked> = asked.iter().map(|&(tenant, at, due)| (tenant, at * 8, due * 8)).collect();
        let scaled = fates(&plan, &asked, *rules).into_iter();
        let scaled: Vec<Fate> =
            scaled.map(|fate| fate.map(|(t, s, v, b, time)| (t, s, v, b, time * 8))).collect();
        assert!(scaled == fates(&slower, &later, *rules), "seed {seed}: {rules:?}");
    }
}

#[test]
fn permuted_tenants_change_numbers_only() {
    let places = [2, 3, 1, 0];
    for (seed, rules) in (0..60).zip(RULES.iter().cycle()) {
        let (plan, asked) = draw(seed);
        let mut permuted = plan.clone();
        for (tenant, &place) in places.iter().enumerate() {
            permuted.clients[place] = plan.clients[tenant].clone();
        }
        let renamed: Vec<Asked> = asked.iter().map(|&(tenant, at, due)| (places[tenant], at, due)).collect();
        let found = fates(&plan, &asked, *rules).into_iter();
        let found: Vec<Fate> = found
            .map(|fate| fate.map(|(t, s, v, b, time)| (places[t as usize] as u32, s, v, b, time)))
            .collect();
        assert!(found == fates(&permuted, &renamed, *rules), "seed {seed}: {rules:?}");
    }
}
