//! `herald`: a static map of layers to accelerators, made offline over the networks of the mix; online, requests are
//! served in the order of arrival.
//!
//! Layer by layer the best accelerator m* by a metric is compared with the one of the least load so far, g: where
//! metric(g) < lb_factor x metric(m*), balance wins and the layer goes to g. Load is the sum of c1 of the layers mapped
//! so far.

use super::placing::ListRule;
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, NetworkModel, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "herald",
    doc: "static map of layers to accelerators, balanced over the networks of the mix; smallest arrival first",
    source: "Herald (Kwon et al., HPCA 2021), the rule as in XRBench's code",
    parameters: &[
        Parameter {
            name: "metric",
            default: "\"latency\"",
            doc: "metric of the best accelerator: `latency` or `edp`",
        },
        Parameter {
            name: "lb_factor",
            default: "2.0",
            doc: "by which factor the least loaded accelerator may be worse than the best",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let parameters: Parameters = parse(parameters)?;
        let lb_factor = parameters.lb_factor;
        if lb_factor.is_nan() || lb_factor < 0.0 {
            return Err(format!("`lb_factor` is {lb_factor}; it has to be at least 0"));
        }
        Ok(Box::new(Herald { parameters, maps: Vec::new(), costs: (0, 0), rule: ListRule::default() }))
    },
};

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Metric {
    Latency,
    Edp,
}

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    metric: Metric,
    lb_factor: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { metric: Metric::Latency, lb_factor: 2.0 }
    }
}

struct Herald {
    parameters: Parameters,
    /// The accelerator of each layer of each network, computed at the first decision and when costs change.
    maps: Vec<Vec<usize>>,
    /// The numbers of lost accelerators and of corrections that the maps know of.
    costs: (u32, u32),
    rule: ListRule<Time>,
}

impl Scheduler for Herald {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let costs = (view.losses(), view.corrections());
        if self.maps.is_empty() || self.costs != costs {
            self.costs = costs;
            self.maps = self.parameters.maps(&view.world().networks);
        }
        let arrival = |sub: &SubJobView| view.job_of(sub).arrival;
        let maps = &self.maps;
        self.rule.place_on(view, out, arrival, |sub| {
            maps[view.job_of(sub).network as usize][sub.id.layer as usize]
        });
    }
}

impl Parameters {
    fn maps(self, networks: &[NetworkModel]) -> Vec<Vec<usize>> {
        let accelerators = networks.first().map_or(0, |network| network.costs.ncols());
        let mut loads = vec![Time::ZERO; accelerators];
        let map = |network: &NetworkModel| {
            let layers = 0..network.layers.len() as u32;
            layers.map(|layer| self.place(network, layer, &mut loads)).collect()
        };
        networks.iter().map(map).collect()
    }

    fn place(self, network: &NetworkModel, layer: u32, loads: &mut [Time]) -> usize {
        let metric = |m: usize| {
            let cost = network.cost(layer, m)?;
            Some(match self.metric {
                Metric::Latency => cost.alone.as_ps(),
                Metric::Edp => cost.energy.0 * cost.alone.as_ps(),
            })
        };
        let able = || (0..loads.len()).filter_map(|m| Some((m, metric(m)?)));
        let best = able().min_by(|a, b| a.1.total_cmp(&b.1)).expect("some accelerator runs every layer");
        let least = able().min_by_key(|&(m, _)| loads[m]).expect("some accelerator runs every layer");
        let (chosen, _) = if least.1 < self.lb_factor * best.1 { least } else { best };
        loads[chosen] += network.alone(layer)[chosen];
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, platform, world};

    #[test]
    fn balance_wins_while_it_costs_less_than_the_factor() {
        // c1 of three layers on two accelerators. Layer 0: 10 on m0, the least loaded by number as well. Layer 1: best
        // m0 with 10, m1 is free and takes 15 < 2 x 10. Layer 2: m0 has 10, m1 15, so m0 is the least loaded: it takes
        // 25, the best m1 takes 12, and 25 is not below 24. Layer 3: m0 has 10, m1 27: 23 < 24.
        let layers = [
            layer(&[], &[(10.0, 0.0), (30.0, 0.0)]),
            layer(&[0], &[(10.0, 0.0), (15.0, 0.0)]),
            layer(&[1], &[(25.0, 0.0), (12.0, 0.0)]),
            layer(&[2], &[(23.0, 0.0), (12.0, 0.0)]),
        ];
        let world = world(platform(2, 10.0), &[&layers]);
        assert_eq!(Parameters::default().maps(&world.networks), [[0, 1, 1, 0]]);
    }
}
