//! Energy by accelerator, tenant, network and part: the rows of energy.csv.
//!
//! Layers count as in `energy_layers_uj`: runs for measured requests, when they end. What such a run spends on chip is a
//! property of its mapping; what crosses links between memories takes its part; DRAM's part is the rest, so it lacks the accesses that forwarding and residency spare. Leakage
//! and clock are over the measurement window, per accelerator; what the DRAM draws by itself and decisions belong to no
//! accelerator. All rows together are `energy_layers_uj` + `energy_static_uj` + `energy_policy_uj`.

use std::collections::BTreeMap;

use super::Context;
use super::standby::Standby;
use crate::cost::OnChip;
use crate::sim::{AcceleratorModel, Origin, Record, Recorder};
use crate::units::Picojoules;

/// Where energy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// MACs, and the operations of the vector lanes.
    Mac,
    /// An on-chip level: an index into [`crate::sim::AcceleratorModel::levels`].
    Level(usize),
    /// DRAM.
    Dram,
    /// The links between memories.
    Links,
    /// Layers as a whole, of a user's own costs.
    Layers,
    /// Leakage of an accelerator.
    Leakage,
    /// Clock of an accelerator.
    Clock,
    /// Wake-ups of an accelerator.
    Waking,
    /// Standby of the DRAM.
    Background,
    /// Refresh of the DRAM.
    Refresh,
    /// Decisions of the scheduler.
    Decisions,
}

/// One row of energy.csv.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyRow {
    /// Index into the platform's accelerators; `None` of the DRAM by itself, and of decisions.
    pub accelerator: Option<usize>,
    /// The number of the tenant, and an index into [`crate::sim::World::networks`]; `None` of what belongs to no request.
    pub served: Option<(u32, u32)>,
    /// Where it goes.
    pub part: Part,
    /// How much.
    pub energy: Picojoules,
}

/// The fold, which keeps a sum per accelerator, tenant and network.
pub struct EnergyLog {
    context: Context,
    standby: Standby,
    /// The tenant of each request that has arrived.
    tenants: Vec<u32>,
    layers: BTreeMap<(usize, u32, u32), Spent>,
    decisions: Picojoules,
}

/// The energy of some layer runs.
#[derive(Clone, Copy)]
struct Spent {
    all: Picojoules,
    /// Its part on the links between memories.
    links: Picojoules,
    /// Its part on chip; `None` if that is not known.
    on_chip: Option<OnChip>,
}

impl EnergyLog {
    /// An empty fold.
    pub fn new(context: Context) -> Self {
        let standby = Standby::new(&context);
        Self { context, standby, tenants: Vec::new(), layers: BTreeMap::new(), decisions: Picojoules(0.0) }
    }

    /// The rows, final once [`Record::End`] was received: layers by accelerator, tenant and network, then leakage by
    /// accelerator, then what else is drawn all the time, then decisions. Of what no file gives a power there is no row.
    pub fn rows(&self) -> Vec<EnergyRow> {
        let decisions =
            EnergyRow { accelerator: None, served: None, part: Part::Decisions, energy: self.decisions };
        let of_accelerators =
            [Part::Leakage, Part::Clock, Part::Waking].map(|part| self.of_accelerators(part));
        let standby = of_accelerators.into_iter().flatten().chain(self.of_dram());
        self.of_layers().chain(standby).chain([decisions]).collect()
    }

    fn of_layers(&self) -> impl Iterator<Item = EnergyRow> {
        self.layers.iter().flat_map(|(&(accelerator, tenant, network), spent)| {
            let levels = self.context.world.platform.accelerators[accelerator].levels.len();
            let served = Some((tenant, network));
            let row =
                move |(part, energy)| EnergyRow { accelerator: Some(accelerator), served, part, energy };
            spent.parts(levels).into_iter().map(row)
        })
    }

    /// What each accelerator draws whatever runs. All of them leak, by nothing if their files say so.
    fn of_accelerators(&self, part: Part) -> Vec<EnergyRow> {
        let accelerators = self.context.world.platform.accelerators.iter().enumerate();
        let row = |(place, model): (usize, &AcceleratorModel)| {
            let on_ps = self.standby.on_ps(place);
            let (is_given, pj) = match part {
                Part::Clock => (model.clock_pj_per_ps > 0.0, model.clock_pj_per_ps * on_ps),
                Part::Waking => {
                    (model.gating.is_some_and(|of| of.wake.0 > 0.0), self.standby.waking(place).0)
                }
                _ => (true, model.leakage_pj_per_ps * on_ps),
            };
            let energy = Picojoules(pj);
            is_given.then_some(EnergyRow { accelerator: Some(place), served: None, part, energy })
        };
        accelerators.filter_map(row).collect()
    }

    /// What the DRAM draws by itself.
    fn of_dram(&self) -> impl Iterator<Item = EnergyRow> {
        let power = self.context.world.platform.dram_power;
        let parts =
            [(Part::Background, power.background_pj_per_ps), (Part::Refresh, power.refresh_pj_per_ps)];
        let window_ps = self.standby.window_ps();
        parts.into_iter().filter(|(_, watts)| *watts > 0.0).map(move |(part, watts)| {
            let energy = Picojoules(watts * window_ps);
            EnergyRow { accelerator: None, served: None, part, energy }
        })
    }

    fn finish(&mut self, record: &Record) {
        let Record::Finish { sub_job, network, accelerator, energy, dram_bytes, repeated, .. } = *record
        else {
            return;
        };
        let request = record.request().expect("a layer is run for a request");
        let tenant = self.tenants[request.0 as usize];
        let of_network = &self.context.world.networks[network as usize];
        let of_layers = of_network.on_chip.get(accelerator);
        let links = Picojoules(dram_bytes * of_network.ways[accelerator].link_pj_per_byte);
        let on_chip = of_layers.and_then(|layers| layers.get(sub_job.layer as usize).copied().flatten());
        // What is done again is spent again.
        let on_chip = on_chip.map(|all| all * f64::from(1 + repeated));
        let run = Spent { all: energy, links, on_chip };
        let sum = self.layers.entry((accelerator, tenant, network));
        sum.and_modify(|sum| *sum = sum.and(run)).or_insert(run);
    }
}

impl Spent {
    fn and(self, run: Self) -> Self {
        let on_chip = self.on_chip.zip(run.on_chip).map(|(one, other)| one + other);
        let links = Picojoules(self.links.0 + run.links.0);
        Self { all: Picojoules(self.all.0 + run.all.0), links, on_chip }
    }

    /// The parts, on an accelerator of so many on-chip levels. Links have none where nothing crosses them.
    fn parts(&self, levels: usize) -> Vec<(Part, Picojoules)> {
        let beside_links = self.all.0 - self.links.0;
        let links = Some((Part::Links, self.links)).filter(|(_, energy)| energy.0 > 0.0);
        let Some(on_chip) = self.on_chip else {
            return [(Part::Layers, Picojoules(beside_links))].into_iter().chain(links).collect();
        };
        // Rounding may leave a little less than nothing.
        let dram = (beside_links - on_chip.total_pj()).max(0.0);
        let of_levels = on_chip.levels_pj[..levels].iter().enumerate();
        let of_levels = of_levels.map(|(level, &pj)| (Part::Level(level), Picojoules(pj)));
        let mac = (Part::Mac, Picojoules(on_chip.compute_pj));
        [mac].into_iter().chain(of_levels).chain([(Part::Dram, Picojoules(dram))]).chain(links).collect()
    }
}

impl Recorder for EnergyLog {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.standby.record(record, origin);
        match *record {
            // Requests are numbered in the order of arrival.
            Record::Arrival { asked, .. } => self.tenants.push(asked.tenant),
            Record::Finish { .. } if origin.measured => self.finish(record),
            Record::Decision { time, energy, .. } if self.standby.has_begun_by(time) => {
                self.decisions += energy;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::metrics::testing::{Example, standby_example};
    use crate::sim::World;

    /// (accelerator, network, part, pJ), where nothing is on chip but what `on_chip` says of network 0 on accelerator 0.
    fn rows(on_chip: Option<OnChip>) -> Vec<(Option<usize>, Option<u32>, Part, f64)> {
        rows_over(on_chip, 0.0)
    }

    /// The same where a byte of accelerator 0 takes so much on links.
    fn rows_over(
        on_chip: Option<OnChip>,
        link_pj_per_byte: f64,
    ) -> Vec<(Option<usize>, Option<u32>, Part, f64)> {
        let example = Example::new();
        let context = example.context();
        let mut world: World = (*context.world).clone();
        world.platform.accelerators[0].levels = vec!["glb".into(), "spad".into()];
        world.networks[0].on_chip[0].fill(on_chip);
        world.networks[0].ways[0].link_pj_per_byte = link_pj_per_byte;
        let mut log = EnergyLog::new(Context { world: Arc::new(world), ..context });
        example.record(&mut log);
        let told = |row: EnergyRow| (row.accelerator, row.served.map(|of| of.1), row.part, row.energy.0);
        log.rows().into_iter().map(told).collect()
    }

    /// Parts of what no layer causes in pJ, by accelerator.
    #[test]
    fn parts_of_standby_by_hand() {
        let mut example = standby_example();
        // m1 has a clock that is off, too.
        example.world.platform.accelerators[1].clock_pj_per_ps = 1e-3;
        let mut log = EnergyLog::new(example.context());
        example.record(&mut log);
        let told = |row: EnergyRow| (row.accelerator, row.part, row.energy.0);
        let told: Vec<_> = log.rows().into_iter().filter(|row| row.served.is_none()).map(told).collect();
        // The window has 60 ns. m0 is off for 6 of them, in which it draws a quarter, and wakes up twice.
        let m0_on = 54.0 + 6.0 / 4.0;
        let expected = [
            (Some(0), Part::Leakage, m0_on),
            (Some(1), Part::Leakage, 60.0),
            (Some(0), Part::Clock, 2.0 * m0_on),
            (Some(1), Part::Clock, 60.0),
            (Some(0), Part::Waking, 12.0),
            (None, Part::Background, 30.0),
            (None, Part::Refresh, 15.0),
            (None, Part::Decisions, 35.0),
        ];
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for ((place, part, pj), (expected_place, expected_part, expected_pj)) in
            told.into_iter().zip(expected)
        {
            assert_eq!((place, part), (expected_place, expected_part));
            assert!((pj - expected_pj).abs() < 1e-9, "{part:?}: {pj}, not {expected_pj}");
        }
    }

    #[test]
    fn parts_by_hand() {
        // On m0 layers of r1 and r3 end, of 1 pJ each; on m1 two of r2 and two of r4. The window has 60 ns, with 1 pJ/ns
        // of leakage each; 7 sub-jobs are decided on for 5 pJ each.
        let mut on_chip = OnChip { compute_pj: 0.25, ..OnChip::default() };
        on_chip.levels_pj[1] = 0.125;
        let rest = |dram: &[(Option<usize>, Option<u32>, Part, f64)]| {
            let mut all = dram.to_vec();
            all.push((Some(1), Some(1), Part::Layers, 4.0));
            all.extend([0, 1].map(|m| (Some(m), None, Part::Leakage, 60.0)));
            all.push((None, None, Part::Decisions, 35.0));
            all
        };
        let m0 = |part, pj| (Some(0), Some(0), part, pj);
        assert_eq!(rows(None), rest(&[m0(Part::Layers, 2.0)]));
        let parts = [(Part::Mac, 0.5), (Part::Level(0), 0.0), (Part::Level(1), 0.25), (Part::Dram, 1.25)];
        assert_eq!(rows(Some(on_chip)), rest(&parts.map(|(part, pj)| m0(part, pj))));
        // The two layers on m0 move 100 bytes each over links that take 1/256 pJ a byte.
        let crossing = [Part::Dram, Part::Links].into_iter().zip([1.25 - 0.78125, 0.78125]);
        let parts: Vec<_> =
            parts[..3].iter().copied().chain(crossing).map(|(part, pj)| m0(part, pj)).collect();
        assert_eq!(rows_over(Some(on_chip), 1.0 / 256.0), rest(&parts));
        let whole = [m0(Part::Layers, 2.0 - 0.78125), m0(Part::Links, 0.78125)];
        assert_eq!(rows_over(None, 1.0 / 256.0), rest(&whole));
    }
}
