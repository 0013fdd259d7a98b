//! Which requests of a queue each order takes first, computed by hand. A service takes 10; an answer in time is worth 1.

use super::common::{CLIENT, ClientPlan, ModelPlan, NO_LINK, Plan, SitePlan, ordered, requests};

fn model() -> ModelPlan {
    ModelPlan::new(&[1, 2], &[("only", 1.0, &[10, 12])])
}

/// The requests of two tenants with targets of 0.5 and 1 in the order of their launches.
fn members(order: &str, batch: &str, asked: &[(usize, u64, u64)]) -> Vec<u32> {
    let clients = vec![ClientPlan { target: 0.5, ..CLIENT }, CLIENT];
    let plan = Plan { clients, ..Plan::new(vec![SitePlan::behind(NO_LINK)], model()) };
    let trace = requests(asked.iter().copied());
    plan.run(trace, &mut ordered("closest", "best", batch, order)).members()
}

#[test]
fn deadline_takes_the_earliest() {
    let asked = [(0, 0, 99), (0, 1, 90), (0, 2, 30), (0, 3, 99)];
    assert_eq!(members("oldest", "single", &asked), [0, 1, 2, 3]);
    assert_eq!(members("deadline", "single", &asked), [0, 2, 1, 3]);
    assert_eq!(members("deadline", "greedy", &asked), [0, 2, 1, 3]);
}

/// Two requests of each tenant at once.
const PAIRS: [(usize, u64, u64); 4] = [(0, 0, 999), (0, 0, 999), (1, 0, 999), (1, 0, 999)];

#[test]
fn deficit_serves_who_is_most_behind() {
    // Behind by 0.5 and 1; 0.5 and 0; -0.5 and 0; then only the first tenant waits.
    assert_eq!(members("deficit", "single", &PAIRS), [2, 0, 3, 1]);
    // In batches of two nobody has been served before the first one: by 0.5 and 1.
    assert_eq!(members("deficit", "greedy", &PAIRS), [2, 3, 0, 1]);
    // Who cannot be in time comes last.
    assert_eq!(members("deficit", "single", &[(1, 0, 9), (0, 0, 999)]), [1, 0]);
}

#[test]
fn maxmin_quality_serves_who_has_least() {
    // 0 and 0; 1 and 0; 1 and 1, twice.
    assert_eq!(members("maxmin_quality", "single", &PAIRS), [0, 2, 1, 3]);
}

#[test]
fn weighted_goes_from_the_most_quality_to_the_poorest() {
    assert_eq!(members("weighted alpha = 0", "single", &PAIRS), [0, 1, 2, 3]);
    assert_eq!(members("weighted", "single", &PAIRS), [0, 2, 1, 3]);
}

/// A late answer counts nothing, and a loss in the queue as well.
#[test]
fn what_came_too_late_leaves_a_tenant_behind() {
    // At 10 the first tenant has 1, the second 0 as its first answer was late.
    let asked = [(1, 0, 5), (0, 1, 999), (1, 2, 999), (0, 3, 999)];
    assert_eq!(members("maxmin_quality", "single", &asked), [0, 1, 2, 3]);
    let asked = [(0, 0, 99), (1, 0, 15), (0, 1, 999), (1, 2, 999)];
    assert_eq!(members("maxmin_quality", "single", &asked), [0, 3, 2, 1]);
}

/// Each tenant asks for a model of its own: the queue with the first request goes first.
#[test]
fn models_are_served_in_the_order_of_their_first_requests() {
    let mut plan = Plan::new(vec![SitePlan::behind(NO_LINK)], model());
    plan.models.push(model());
    plan.clients = vec![ClientPlan { target: 0.5, ..CLIENT }, ClientPlan { model: 1, ..CLIENT }];
    let launched = |order: &str| {
        let trace = requests([(0, 0, 999), (1, 0, 999)]);
        plan.run(trace, &mut ordered("closest", "best", "single", order)).members()
    };
    assert_eq!([launched("oldest"), launched("deficit")], [[0, 1], [1, 0]]);
}
