//! Static splits of a Poisson stream over three sites: the optimum and the equilibrium of selfish clients.

use mascot::dispatch::Composed;

use super::common::{Plan, SitePlan, composed, delay};
use super::stations::{AnyVariant, Delays, exponential_model, poisson, units};

#[test]
fn the_optimum_and_the_equilibrium() {
    // Rates mu = (10, 20, 40) a second behind delays of 0, 0.05 and 0.2 s; a unit is a service of the fastest, 1/40 s.
    // The loads l minimise sum l (d + 1 / (mu - l)), or make d + 1 / (mu - l) equal where l > 0 (Wardrop).
    let rows = [
        (5.0, [[1.124, 3.876, 0.0], [1.085, 3.915, 0.0]], [0.11216, 0.11217]),
        (15.0, [[3.378, 9.401, 2.221], [3.860, 11.140, 0.0]], [0.15801, 0.16287]),
        (30.0, [[3.888, 10.416, 15.696], [5.709, 14.537, 9.753]], [0.20096, 0.23306]),
        (50.0, [[5.935, 13.999, 30.066], [6.458, 15.695, 27.847]], [0.27065, 0.28229]),
    ];
    let site = |slowness, delay_s: f64| {
        let [there, back] = [delay(units(40.0 * delay_s).0), delay(0)];
        SitePlan { slowness, links: [vec![there], vec![back]], ..SitePlan::behind(there) }
    };
    let sites = vec![site(4, 0.0), site(2, 0.05), site(1, 0.2)];
    let plan = Plan::new(sites, exponential_model(1024, 1));
    for (lambda, loads, times) in rows {
        for (loads, time) in loads.into_iter().zip(times) {
            let route = format!("split weights = {loads:?}; order = \"random\"");
            let rules = composed(&route, "best", "single", 1);
            let mut dispatcher = Composed { variant: AnyVariant::new(), ..rules };
            let run = Delays::of(&plan, poisson(lambda / 40.0, 1, None), &mut dispatcher);
            run.mean().check(&format!("{lambda} split into {loads:?}"), 40.0 * time, 0.05);
        }
    }
}
