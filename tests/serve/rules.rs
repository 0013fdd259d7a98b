//! Every rule on random fleets: its actions are legal, nothing waits forever, and the records tell a possible story.

use mascot::dispatch::{BATCHES, ORDERS, ROUTES, VARIANTS, WHOLE_RULES};
use mascot::serve::Dispatcher;

use super::common::{Log, composed, ordered, play_case, whole};
use super::fuzz::{opaque_case, verdict};

/// Parameters that the rule needs, or that fit times of picoseconds.
pub(crate) fn parameters(kind: &str, rule: &str) -> String {
    let own = match (kind, rule) {
        ("variant", "fixed") => "variant = \"1\"",
        ("variant", "switch") => "thresholds = [2, 3]",
        ("batch", "size") => "at_least = 2",
        ("batch", "timeout") => "us = 0.00001",
        ("variant", "model_switching") | ("whole", "accuracy_lp" | "jellyfish" | "nexus") => {
            "period_us = 0.00003"
        }
        _ => "",
    };
    format!("{rule} {own}")
}

fn check(name: &str, dispatcher: &dyn Fn() -> Box<dyn Dispatcher>) {
    for seed in 0..60 {
        let case = opaque_case(seed);
        let mut dispatcher = dispatcher();
        // The fleets are random, and a rule may say that it does not fit one.
        if dispatcher.check(&case.model).is_err() {
            continue;
        }
        let mut log = Log::default();
        let played = play_case(&case, &case.trace, dispatcher.as_mut(), &mut log.0);
        played.unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}"));
        verdict(&case.model, &log.0).unwrap_or_else(|why| panic!("{name}, seed {seed}: {why}"));
    }
}

#[test]
fn every_rule_acts_legally() {
    for route in ROUTES.iter().filter(|route| route.name != "split") {
        check(route.name, &|| Box::new(composed(route.name, "fits", "greedy", 1)));
    }
    for variant in VARIANTS {
        let rule = parameters("variant", variant.name);
        check(&rule, &|| Box::new(composed("eft_site", &rule, "greedy", 1)));
    }
    for batch in BATCHES {
        let rule = parameters("batch", batch.name);
        for order in ORDERS {
            check(&rule, &|| Box::new(ordered("random", "fits", &rule, order.name)));
        }
    }
    for rule in WHOLE_RULES {
        let rule = parameters("whole", rule.name);
        check(&rule, &|| whole(&rule));
    }
}
