//! The columns of the files that have a row per request, layer, link or part of the energy, whose names come from the cell.

use super::cell::Cell;
use crate::metrics::{
    AnswerRow, Column, EnergyRow, LayerRow, LinkTraffic, Part, RequestRow, Step, StepRow, Value,
};
use crate::plan::Fleet;
use crate::serve::Loss;
use crate::sim::DropReason;
use crate::units::Time;

/// A row of a log, with its cell, which has the names.
pub(super) struct Logged<'a, R> {
    pub(super) cell: &'a Cell<'a>,
    pub(super) row: &'a R,
}

impl<'a> Logged<'a, RequestRow> {
    /// Columns of `requests.csv` after the keys.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "Its number in the order of arrival", |it| count(it.row.request.0)),
        Column::undirected("job", "The job that served it", |it| count(it.row.job.0)),
        Column::undirected("tenant", "Who sent it", |it| {
            let tenants = &it.cell.case.workload.scenario.tenants;
            Value::Text(tenants[it.row.asked.tenant as usize].name.clone())
        }),
        Column::undirected("network", "What it asks for", |it| it.network(it.row.asked.network)),
        Column::undirected("priority", "Larger is more important", |it| count(it.row.asked.priority)),
        Column::undirected("request_qos", "How strict its deadline is", |it| {
            Value::Text(it.row.asked.qos.to_string())
        }),
        Column::undirected("arrival_us", "When it arrived", |it| us(it.row.asked.arrival)),
        Column::undirected("start_us", "When its first layer started, if one did", |it| {
            some_us(it.row.start)
        }),
        Column::undirected("finish_us", "When its last layer ended, if it did", |it| some_us(it.row.finish)),
        Column::undirected("deadline_us", "When it is due", |it| us(it.row.asked.deadline)),
        Column::higher("met", "1 if it was done by its deadline, else 0", |it| Value::flag(it.row.is_met())),
        Column::lower("dropped", "1 if it was given up, else 0", |it| Value::flag(it.row.dropped.is_some())),
        Column::lower("energy_uj", "Energy of its layers that ended", |it| {
            Value::Real(it.row.energy.0 / 1e6)
        }),
        Column::undirected("isolated_us", "How long its network takes alone on the system", |it| {
            us(it.cell.case.site.world.networks[it.row.asked.network as usize].isolated)
        }),
        Column::undirected(
            "end_us",
            "When it was done or given up; the end of the run if it was open then",
            |it| some_us(it.row.end),
        ),
        Column::undirected("loss", "Why it was given up: `late` or `scheduler`; not on fleets", |it| {
            Value::Text(it.loss().to_string())
        }),
        Column::lower(
            "waiting_us",
            "The part of its time in which no layer of it, or of its order on a fleet, ran",
            |it| us(it.row.shares.waiting),
        ),
        Column::lower(
            "running_us",
            "The part in which layers of it, or of its order, ran, less `slowed_us`",
            |it| us(it.row.shares.running),
        ),
        Column::lower("slowed_us", "The part by which these layers exceeded `alone_us`", |it| {
            us(it.row.shares.slowed)
        }),
        Column::undirected("after", "The request whose end brought it, if it follows another", |it| {
            it.row.after.map_or(Value::NONE, |leader| count(leader.0))
        }),
    ];

    /// Why it was given up. Fleets have more reasons, which are in answers.csv.
    fn loss(&self) -> &'static str {
        match self.row.dropped.filter(|_| self.cell.case.fleet.is_none()) {
            Some(DropReason::Late) => "late",
            Some(DropReason::Scheduler) => "scheduler",
            None => "",
        }
    }
}

impl<'a> Logged<'a, LayerRow> {
    /// Columns of `layers.csv` after the keys.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "The request that it served", |it| count(it.row.request.0)),
        Column::undirected("job", "Its job", |it| count(it.row.job.0)),
        Column::undirected("tenant", "Who sent the request", |it| {
            let tenants = &it.cell.case.workload.scenario.tenants;
            Value::Text(tenants[it.row.tenant as usize].name.clone())
        }),
        Column::undirected("network", "The network of the job", |it| it.network(it.row.network)),
        Column::undirected("layer", "The layer of the network", |it| {
            let network = &it.cell.case.site.world.networks[it.row.network as usize];
            Value::Text(network.layers[it.row.layer as usize].clone())
        }),
        Column::undirected("accelerator", "Where it ran", |it| {
            let accelerators = &it.cell.case.site.world.platform.accelerators;
            Value::Text(accelerators[it.row.accelerator].name.clone())
        }),
        Column::undirected("measured", "1 if its request is measured, else 0", |it| {
            Value::flag(it.row.measured)
        }),
        Column::undirected("ready_us", "When it could start: its inputs were there", |it| us(it.row.ready)),
        Column::undirected(
            "decided_us",
            "When the decision was taken that put it there; not on fleets",
            |it| {
                if it.cell.case.fleet.is_none() { us(it.row.decided) } else { Value::NONE }
            },
        ),
        Column::undirected("assigned_us", "When that decision took effect", |it| us(it.row.assigned)),
        Column::undirected("queued_us", "When it joined the queue there: both ready and assigned", |it| {
            us(it.row.queued())
        }),
        Column::undirected("start_us", "When it started", |it| us(it.row.start)),
        Column::undirected("end_us", "When it ended", |it| us(it.row.end)),
        Column::lower("slowdown", "(end - start) / c", |it| Value::Real(it.row.slowdown)),
        Column::undirected("alone_us", "c1: how long it takes there alone on the system", |it| {
            us(it.row.alone)
        }),
        Column::undirected("dram_bytes", "What it moved from and to DRAM", |it| {
            Value::Real(it.row.dram_bytes)
        }),
        Column::undirected("forwarded_bytes", "Of its input, what it found on chip instead", |it| {
            Value::Real(it.row.forwarded_bytes)
        }),
        Column::undirected("resident_weight_bytes", "Of its weights, what it found on chip instead", |it| {
            Value::Real(it.row.resident_weight_bytes)
        }),
        Column::lower("energy_uj", "Its energy", |it| Value::Real(it.row.energy.0 / 1e6)),
    ];
}

impl<'a> Logged<'a, EnergyRow> {
    /// Columns of `energy.csv` after the keys.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected(
            "accelerator",
            "Where it is spent; none for decisions and what the DRAM draws by itself",
            |it| {
                let accelerators = &it.cell.case.site.world.platform.accelerators;
                it.row.accelerator.map_or(Value::NONE, |place| Value::Text(accelerators[place].name.clone()))
            },
        ),
        Column::undirected("tenant", "For whose requests, if for any", |it| {
            let tenants = &it.cell.case.workload.scenario.tenants;
            let name = |(tenant, _)| Value::Text(tenants[tenant as usize].name.clone());
            it.row.served.map_or(Value::NONE, name)
        }),
        Column::undirected("network", "For which network, if for any", |it| {
            it.row.served.map_or(Value::NONE, |(_, network)| it.network(network))
        }),
        Column::undirected(
            "part",
            "`mac`, the name of an on-chip level, `DRAM`, `links`, `layers`, `leakage`, `clock`, `waking`, `DRAM background`, `DRAM refresh` or `decisions`",
            |it| Value::Text(it.part()),
        ),
        Column::lower("energy_uj", "The energy of measured requests or of the window", |it| {
            Value::Real(it.row.energy.0 / 1e6)
        }),
    ];

    fn part(&self) -> String {
        let word = match self.row.part {
            Part::Level(level) => {
                let accelerators = &self.cell.case.site.world.platform.accelerators;
                let of = self.row.accelerator.expect("levels are those of an accelerator");
                return accelerators[of].levels[level].clone();
            }
            Part::Mac => "mac",
            Part::Dram => "DRAM",
            Part::Links => "links",
            Part::Layers => "layers",
            Part::Leakage => "leakage",
            Part::Clock => "clock",
            Part::Waking => "waking",
            Part::Background => "DRAM background",
            Part::Refresh => "DRAM refresh",
            Part::Decisions => "decisions",
        };
        word.to_string()
    }
}

impl<'a> Logged<'a, AnswerRow> {
    /// Columns of `answers.csv` after the keys.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "Its number in the order of arrival", |it| count(it.row.request.0)),
        Column::undirected("tenant", "Who sent it", |it| {
            let tenants = &it.cell.case.workload.scenario.tenants;
            Value::Text(tenants[it.row.asked.tenant as usize].name.clone())
        }),
        Column::undirected("arrival_us", "When it arrived at its node", |it| us(it.row.asked.arrival)),
        Column::undirected("deadline_us", "When its answer is due there", |it| us(it.row.asked.deadline)),
        Column::undirected("answer_us", "When its answer was there, if there was one", |it| {
            some_us(it.row.answer.map(|answer| answer.time))
        }),
        Column::undirected("loss", "Why there was none: `late`, `dispatcher` or `scheduler`", |it| {
            let word = |loss| match loss {
                Loss::Late => "late",
                Loss::Dispatcher => "dispatcher",
                Loss::Scheduler => "scheduler",
            };
            Value::Text(it.row.loss.map_or("", word).to_string())
        }),
        Column::undirected("site", "The site that answered", |it| {
            let site = it.row.answer.map(|answer| fleet(it.cell).model.sites[answer.site].name.clone());
            Value::Text(site.unwrap_or_default())
        }),
        Column::undirected("variant", "The network that answered", |it| {
            let model = &fleet(it.cell).model;
            let of = &model.models[model.clients[it.row.asked.tenant as usize].model];
            let variant = it.row.answer.map(|answer| of.variants[answer.variant].name.clone());
            Value::Text(variant.unwrap_or_default())
        }),
        Column::undirected("batch", "The size of the batch that ran, with padding", |it| {
            it.row.answer.map_or(Value::NONE, |answer| count(answer.batch))
        }),
        Column::higher("quality", "The quality of the answer; 0 without one", |it| {
            Value::Real(it.row.quality)
        }),
        Column::higher("served", "1 if it was in time and accurate enough, else 0", |it| {
            Value::flag(it.row.served)
        }),
        Column::lower("dispatch_us", "Its wait for the decision where it goes", |it| {
            it.part(it.row.dispatch)
        }),
        Column::lower("network_us", "Its time on links, there and back", |it| it.part(it.row.network)),
        Column::lower("queue_us", "Its time in the queue of the site", |it| it.part(it.row.queue)),
        Column::lower("service_us", "Its time in service", |it| it.part(it.row.service)),
    ];

    fn part(&self, part: Time) -> Value {
        self.row.answer.map_or(Value::NONE, |_| us(part))
    }
}

impl<'a> Logged<'a, StepRow> {
    /// Columns of `steps.csv` after the keys.
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("request", "Its number in the order of arrival", |it| count(it.row.request.0)),
        Column::undirected(
            "step",
            "`dispatch`, the wait at its node; `there` and `back`, on links; `queue`; `service`",
            |it| {
                let word = match it.row.step {
                    Step::Dispatch => "dispatch",
                    Step::There(_) => "there",
                    Step::Queue => "queue",
                    Step::Service => "service",
                    Step::Back(_) => "back",
                };
                Value::Text(word.to_string())
            },
        ),
        Column::undirected("from", "Where the link begins: a node, or the tenant", |it| it.end_of_link(0)),
        Column::undirected("to", "Where it ends", |it| it.end_of_link(1)),
        Column::undirected("site", "The site to which it goes, or where it is", |it| {
            let site = it.row.site.map(|site| fleet(it.cell).model.sites[site].name.clone());
            Value::Text(site.unwrap_or_default())
        }),
        Column::undirected("order", "In service: the number of its order at the site", |it| {
            it.row.order.map_or(Value::NONE, |order| count(order.number))
        }),
        Column::undirected("order_requests", "The number of requests in that order", |it| {
            it.row.order.map_or(Value::NONE, |order| count(order.requests))
        }),
        Column::undirected(
            "booked_to",
            "The request of which layers.csv says the layers of that order",
            |it| it.row.order.map_or(Value::NONE, |order| count(order.booked_to.0)),
        ),
        Column::undirected("start_us", "When the step began", |it| us(it.row.start)),
        Column::undirected("end_us", "When it ended; not if the request was given up in it", |it| {
            some_us(it.row.end)
        }),
    ];

    fn end_of_link(&self, end: usize) -> Value {
        match self.row.step {
            Step::There(wire) | Step::Back(wire) => {
                Value::Text(ends_of_wire(self.cell, wire as usize)[end].to_string())
            }
            _ => Value::NONE,
        }
    }
}

impl<'a> Logged<'a, (usize, LinkTraffic)> {
    /// Columns of `links.csv` between the keys and those of [`LINK_COLUMNS`](crate::metrics::LINK_COLUMNS).
    pub(super) const COLUMNS: &'a [Column<Self>] = &[
        Column::undirected("from", "The node where this direction of the link begins, or the tenant", |it| {
            Value::Text(ends_of_wire(it.cell, it.row.0)[0].to_string())
        }),
        Column::undirected("to", "The node where it ends, or the tenant", |it| {
            Value::Text(ends_of_wire(it.cell, it.row.0)[1].to_string())
        }),
        Column::undirected("access", "1 if it joins a tenant to its node, else 0", |it| {
            Value::flag(it.row.0 >= 2 * fleet(it.cell).spec.links.len())
        }),
    ];
}

impl<R> Logged<'_, R> {
    fn network(&self, place: u32) -> Value {
        Value::Text(self.cell.case.site.world.networks[place as usize].name.clone())
    }
}

fn count(number: u32) -> Value {
    Value::Count(number.into())
}

fn us(time: Time) -> Value {
    Value::Real(time.as_us())
}

fn some_us(time: Option<Time>) -> Value {
    time.map_or(Value::NONE, us)
}

/// The fleet of a cell that has rows of one.
pub(super) fn fleet<'a>(cell: &'a Cell) -> &'a Fleet {
    cell.case.fleet.as_ref().expect("only cells of fleets have rows of fleets")
}

/// The names of the nodes, or the tenant, between which a direction of a link leads.
fn ends_of_wire<'a>(cell: &'a Cell, wire: usize) -> [&'a str; 2] {
    let fleet = fleet(cell);
    let node = |node: usize| fleet.spec.nodes[node].name.as_str();
    let ends = match fleet.spec.links.get(wire / 2) {
        Some(link) => link.between.map(|end| node(end as usize)),
        None => {
            let tenant = wire / 2 - fleet.spec.links.len();
            let name = &cell.case.workload.scenario.tenants[tenant].name;
            [name, node(fleet.model.clients[tenant].node)]
        }
    };
    if wire.is_multiple_of(2) { ends } else { [ends[1], ends[0]] }
}
