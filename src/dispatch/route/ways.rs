//! What a route can know of the way of a request to a site, without any other traffic.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::serve::{FleetView, RequestView};
use crate::units::Time;

/// The way there and back.
pub(super) fn round_trip(view: &FleetView, request: &RequestView, site: usize) -> Time {
    let way = |time: Option<Time>| time.unwrap_or(Time::MAX);
    way(view.way_there(request.tenant, site)).saturating_add(way(view.way_back(request.tenant, site)))
}

/// The fastest variant that is accurate enough for the request; the most accurate one if none is.
pub(super) fn fastest(view: &FleetView, request: &RequestView, site: usize) -> usize {
    let (model, served) = (view.model(), &view.model().models[request.model]);
    let least = model.clients[request.tenant].terms.min_accuracy;
    let enough = (0..served.variants.len()).filter(|&v| served.variants[v].accuracy >= least);
    let fastest = enough.min_by_key(|&variant| model.service(site, request.model, variant, 1));
    fastest.unwrap_or_else(|| served.best())
}

/// The service of the request alone, by its fastest variant.
pub(super) fn service(view: &FleetView, request: &RequestView, site: usize) -> Time {
    view.model().service(site, request.model, fastest(view, request, site), 1)
}

/// The way there, the service alone, and the way back.
pub(super) fn alone(view: &FleetView, request: &RequestView, site: usize) -> Time {
    round_trip(view, request, site).saturating_add(service(view, request, site))
}

/// Whether a request that leaves now is answered in time if nothing delays it.
pub(super) fn fits(view: &FleetView, request: &RequestView, site: usize) -> bool {
    view.now().saturating_add(alone(view, request, site)) <= request.deadline
}

/// The number of accelerators of a site.
pub(super) fn accelerators(view: &FleetView, site: usize) -> usize {
    view.model().sites[site].world.platform.accelerators.len()
}

/// Draws one of the sites with a probability in proportion to its weight, which is not negative; `None` if all are zero.
pub(super) fn draw(rng: &mut ChaCha8Rng, weighted: &[(usize, f64)]) -> Option<usize> {
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.random::<f64>() * total;
    let possible = weighted.iter().filter(|(_, weight)| *weight > 0.0);
    let mut last = None;
    for &(site, weight) in possible {
        last = Some(site);
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    // Rounding may leave a little at the end.
    last
}
