//! Alpha-fair shares of a server that is asked for three times as much as it can do.

use mascot::serve::Record;
use mascot::sim::Late;

use crate::common::{CLIENT, ClientPlan, Log, ModelPlan, NO_LINK, Plan, SitePlan, ordered, requests};

/// Tenants whose answers are worth 1/4, 1/2 and 1 get mean qualities in proportion to these worths to the power 1 / alpha
/// (Mo and Walrand, 2000, for a common server); Jain's index follows.
#[test]
fn mean_qualities_are_alpha_fair() {
    let rows = [
        (1, [0.1429, 0.2857, 0.5714], 0.7778),
        (2, [0.2265, 0.3204, 0.4531], 0.9279),
        (8, [0.3049, 0.3325, 0.3626], 0.9950),
    ];
    let model = |accuracy| ModelPlan::new(&[1], &[("only", accuracy, &[10])]);
    let client = |model| ClientPlan { model, ..CLIENT };
    let plan = Plan {
        models: [0.25, 0.5, 1.0].map(model).to_vec(),
        clients: (0..3).map(client).collect(),
        late: Late::Abort,
        ..Plan::new(vec![SitePlan::behind(NO_LINK)], model(1.0))
    };
    for (alpha, shares, index) in rows {
        let asked = (0..30_000).map(|i| (i % 3, i as u64 / 3 * 10 + i as u64 % 3, i as u64 / 3 * 10 + 200));
        let rules = &mut ordered("closest", "best", "single", &format!("weighted alpha = {alpha}"));
        let log: Log = plan.run(requests(asked), rules);
        let mut sums = [0.0; 3];
        for (record, _) in log.0 {
            if let Record::Answered { asked, accuracy, .. } = record {
                sums[asked.tenant as usize] += accuracy;
            }
        }
        let whole: f64 = sums.iter().sum();
        let found = sums.map(|sum| sum / whole);
        for (found, share) in found.iter().zip(shares) {
            assert!((found - share).abs() < 0.01, "alpha {alpha}: {found:?}, not {shares:?}");
        }
        let jain = whole * whole / (3.0 * sums.iter().map(|sum| sum * sum).sum::<f64>());
        assert!((jain - index).abs() < 0.01, "alpha {alpha}: Jain's index {jain}, not {index}");
    }
}
