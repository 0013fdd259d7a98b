//! What of a fleet does not change in a run.

use std::sync::Arc;

use crate::sim::{DecisionCost, LateRules, Rules, World};
use crate::units::{Picojoules, Time};
use crate::workload::{AccuracyRange, Utility};

/// A fleet: sites, models, links and clients.
#[derive(Clone, Debug)]
pub struct FleetModel {
    /// The sites.
    pub sites: Vec<Site>,
    /// The models that requests ask for.
    pub models: Vec<ServedModel>,
    /// The links, one per direction: first those between nodes, then those of access.
    pub wires: Vec<Wire>,
    /// Who sends requests, by the number of the tenant.
    pub clients: Vec<Client>,
    /// The number of nodes.
    pub nodes: usize,
    /// The period of the sites' reports; zero if every site is always seen as it is.
    pub report: Time,
    /// What a decision of the dispatcher costs.
    pub dispatch_cost: DecisionCost,
    /// What happens to late requests.
    pub late: LateRules,
    /// Changes of links, in the order of time. Those of sites are in their rules.
    pub changes: Vec<WireChange>,
}

/// A site: a system with its own engine.
#[derive(Clone, Debug)]
pub struct Site {
    /// The name.
    pub name: String,
    /// The platform, and the networks of all variants at all batches.
    pub world: Arc<World>,
    /// The rules of its engine. Late requests are the fleet's matter, so `late` has to be `finish`.
    pub rules: Rules,
    /// The number of orders in service at most.
    pub slots: u32,
    /// The memory for the weights of variants; `None` if all are always there.
    pub memory: Option<SiteMemory>,
    /// Whether it has each of the models.
    pub deployed: Vec<bool>,
    /// What a second of it costs, in any unit, if that is known.
    pub cost_per_s: Option<f64>,
}

impl Site {
    /// The number of orders that can make progress at once: as many as there are slots and accelerators.
    pub fn at_once(&self) -> usize {
        (self.slots as usize).min(self.world.platform.accelerators.len())
    }
}

/// The memory of a site for the weights of variants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteMemory {
    /// Its size in bytes; every variant that is deployed fits.
    pub bytes: f64,
    /// The bandwidth at which weights are loaded, one variant after the other.
    pub load_bytes_per_ps: f64,
}

impl SiteMemory {
    /// The time to load so many bytes.
    pub fn loading(&self, bytes: f64) -> Time {
        Time((bytes / self.load_bytes_per_ps).ceil() as u64)
    }
}

/// A model as it is served.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedModel {
    /// The name.
    pub name: String,
    /// The batch sizes of orders, ascending, from 1.
    pub batches: Vec<u32>,
    /// The variants, in the order of the model's file.
    pub variants: Vec<ServedVariant>,
}

/// A variant as it is served.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedVariant {
    /// The network.
    pub name: String,
    /// The accuracy, from 0 to 1.
    pub accuracy: f64,
    /// The size of its weights.
    pub weight_bytes: f64,
    /// For each batch size the index into [`World::networks`], the same at all sites.
    pub networks: Vec<u32>,
}

impl ServedModel {
    /// The largest number of requests in an order.
    pub fn max_batch(&self) -> usize {
        self.batches.last().map_or(1, |&batch| batch as usize)
    }

    /// The place of the smallest batch size that holds so many requests; the order is padded to it.
    pub fn padded(&self, count: usize) -> usize {
        self.batches.partition_point(|&batch| (batch as usize) < count).min(self.batches.len() - 1)
    }

    /// The most accurate variant; of equals the first.
    pub fn best(&self) -> usize {
        let better = |best: usize, v: usize| match self.variants[v].accuracy > self.variants[best].accuracy {
            true => v,
            false => best,
        };
        (1..self.variants.len()).fold(0, better)
    }

    /// The variants with at least this accuracy, the most accurate first; all if none has.
    pub fn from_best(&self, least: f64) -> Vec<usize> {
        let accuracy = |variant: usize| self.variants[variant].accuracy;
        let mut all: Vec<usize> = (0..self.variants.len()).collect();
        all.sort_by(|&a, &b| accuracy(b).total_cmp(&accuracy(a)));
        let enough = all.partition_point(|&variant| accuracy(variant) >= least);
        if enough > 0 {
            all.truncate(enough);
        }
        all
    }

    /// The accuracies of its variants.
    pub fn accuracies(&self) -> AccuracyRange {
        let accuracies = || self.variants.iter().map(|variant| variant.accuracy);
        AccuracyRange {
            min: accuracies().fold(f64::INFINITY, f64::min),
            max: accuracies().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire {
    /// The rate; may be infinite.
    pub bytes_per_ps: f64,
    /// The delay of propagation.
    pub delay: Time,
    /// How messages share it.
    pub sharing: WireSharing,
}

impl Wire {
    /// The time to send so many bytes if there is no other message, without the delay.
    pub fn sending(&self, bytes: f64) -> Time {
        Time((bytes / self.bytes_per_ps).ceil() as u64)
    }
}

/// A change of one direction of a link, which nobody knows beforehand. What is being sent goes on at the new rate, and what
/// has not been sent yet then takes the new delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireChange {
    /// When.
    pub at: Time,
    /// The wire, by number.
    pub wire: Hop,
    /// The rate from then on, which is finite; `None` leaves it as it is.
    pub bytes_per_ps: Option<f64>,
    /// The delay of propagation from then on; `None` leaves it as it is.
    pub delay: Option<Time>,
}

impl WireChange {
    /// The wire after the change.
    pub fn of(&self, wire: Wire) -> Wire {
        let bytes_per_ps = self.bytes_per_ps.unwrap_or(wire.bytes_per_ps);
        Wire { bytes_per_ps, delay: self.delay.unwrap_or(wire.delay), ..wire }
    }
}

/// How messages share a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireSharing {
    /// Equal shares for all messages under way (processor sharing).
    Ps,
    /// One after the other.
    Fifo,
    /// Messages do not delay each other.
    None,
}

/// Who sends requests: a tenant at a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The model that it asks for, by number.
    pub model: usize,
    /// Its node, by number.
    pub node: usize,
    /// Size of a request.
    pub input_bytes: f64,
    /// Size of an answer.
    pub output_bytes: f64,
    /// What answers are worth to it.
    pub terms: ServiceTerms,
    /// For each site the wires to it and back; `None` if there is no way.
    pub ways: Vec<Option<[Arc<[Hop]>; 2]>>,
}

/// The terms under which a tenant is served.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServiceTerms {
    /// What an answer is worth.
    pub utility: Utility,
    /// The accuracy below which an answer does not count as served; 0 if any will do.
    pub min_accuracy: f64,
    /// The accuracies of its model.
    pub accuracies: AccuracyRange,
    /// The target of the share of requests that are met.
    pub target_hit_rate: Option<f64>,
}

impl ServiceTerms {
    /// What an answer at a time is worth, from 0 to 1, to a request with this arrival and deadline.
    pub fn quality(&self, [arrival, deadline]: [Time; 2], answered: Time, accuracy: f64) -> f64 {
        let (delay, within) = (answered.saturating_sub(arrival), deadline.saturating_sub(arrival));
        self.utility.quality(delay, within, accuracy, self.accuracies)
    }
}

/// A wire on the way of a message, by number.
pub type Hop = u32;

impl FleetModel {
    /// The time of a message on a way without any other traffic or any change: all hops, one after the other.
    pub fn travel(&self, way: &[Hop], bytes: f64) -> Time {
        let one = |&hop: &Hop| self.wires[hop as usize].sending(bytes) + self.wires[hop as usize].delay;
        way.iter().map(one).fold(Time::ZERO, |sum, time| sum + time)
    }

    /// A wire as it is at a time.
    pub fn wire_at(&self, hop: Hop, time: Time) -> Wire {
        let by_then = self.changes.iter().take_while(|change| change.at <= time);
        by_then
            .filter(|change| change.wire == hop)
            .fold(self.wires[hop as usize], |wire, change| change.of(wire))
    }

    /// The latency of an order alone on a site, c1.
    pub fn service(&self, site: usize, model: usize, variant: usize, count: usize) -> Time {
        let model = &self.models[model];
        let network = model.variants[variant].networks[model.padded(count)];
        self.sites[site].world.networks[network as usize].isolated
    }

    /// The energy of the layers of an order alone on a site, each where it is fastest.
    pub fn energy(&self, site: usize, model: usize, variant: usize, count: usize) -> Picojoules {
        let model = &self.models[model];
        let network = model.variants[variant].networks[model.padded(count)];
        let layers = self.sites[site].world.networks[network as usize].costs.rows().into_iter();
        let best = layers.filter_map(|layer| layer.iter().flatten().min_by_key(|cost| cost.alone).copied());
        Picojoules(best.map(|cost| cost.energy.0).sum())
    }

    /// Whether a client can be served at a site.
    pub fn serves(&self, site: usize, client: &Client) -> bool {
        self.sites[site].deployed[client.model] && client.ways[site].is_some()
    }

    /// Panics if the fleet breaks one of its invariants.
    pub(super) fn check(&self) {
        for client in &self.clients {
            assert!(client.node < self.nodes && client.ways.len() == self.sites.len());
            assert!((0..self.sites.len()).any(|site| self.serves(site, client)), "nobody serves {client:?}");
        }
        for site in &self.sites {
            assert!(site.slots > 0 && site.deployed.len() == self.models.len());
        }
        assert!(self.models.iter().all(|model| model.batches.first() == Some(&1)));
        assert!(self.changes.is_sorted_by_key(|change| change.at), "changes are in the order of time");
    }
}
