//! The least time of an order.

use super::Order;
use crate::serve::FleetModel;
use crate::units::Time;

/// The least time of an order at a site that has never been faster than its cost tables. What is on chip already may make
/// any layer faster, so that nothing is known where tensors stay there.
pub(super) fn least_service(model: &FleetModel, site: usize, order: &Order) -> Time {
    let served = &model.models[order.model];
    let padded = served.padded(order.requests as usize);
    let network = served.variants[order.variant].networks[padded];
    let network = &model.sites[site].world.networks[network as usize];
    let is_alone = network.forwarding.is_none() && network.residency.is_none();
    if is_alone { network.isolated } else { Time::ZERO }
}
