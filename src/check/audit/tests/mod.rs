//! A small run with a bit of everything, and its audit.

mod doctored;
mod drift;
mod memories;
mod paces;

use std::sync::Arc;

use super::*;
use crate::check::testing::{Script, layer, platform, request, trace, world};
use crate::sim::*;
use crate::units::Picojoules;

/// The input of an audit.
#[derive(Clone, Debug)]
enum Event {
    View(Snapshot, Arc<World>),
    Decision(Decision),
    Record(Record, Origin),
}

/// Keeps the views, the decisions and the records of a run.
struct Log<'s> {
    scheduler: &'s mut dyn Scheduler,
    events: Vec<Event>,
}

impl Pilot for Log<'_> {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let snapshot = Snapshot {
            now: view.now(),
            next_decision: view.next_decision(),
            jobs: view.jobs().to_vec(),
            sub_jobs: view.sub_jobs().to_vec(),
            accelerators: view.accelerators().to_vec(),
        };
        self.events.push(Event::View(snapshot, Arc::new(view.world().clone())));
        self.scheduler.decide(view, out);
        self.events.push(Event::Decision(out.clone()));
    }
}

impl Recorder for Log<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.events.push(Event::Record(*record, origin));
    }
}

struct Example {
    world: World,
    trace: Trace,
    rules: Rules,
    /// The engine at time zero.
    engine: Engine,
    events: Vec<Event>,
}

impl Example {
    /// The example runs on two accelerators at 10 bytes/ns, max-min. Network 0 is two layers of c 10 ns and b 6 and 8
    /// bytes/ns; network 1 one layer of c 20 ns and b 6 that accelerator 1 cannot run. Decisions take 1 ns. Times in
    /// ns:
    ///
    /// ```text
    /// request network arrival
    /// 0       0       0       layer 0 on m0 1-11.8, layer 1 on m0 35.667-51.468 after the more urgent request 1
    /// 1       1       5       m0 11.8-35.667
    /// 2       0       6       layer 0 on m1 7-19, layer 1 (sticky) on m1 19-35; dropped at its deadline at 20
    /// 3       0       7       dropped by the scheduler at 8
    /// 4       0       8       held at 9; layer 0 on m1 36-48, layer 1 on m1 48-59.301
    /// 5       0       200     layer 0 on m1 201-211, layer 1 on m1 211-221
    /// ```
    fn new() -> Self {
        Self::under(|_| Drift::NONE)
    }

    /// The same under conditions that change.
    fn under(drift: fn(&World) -> Drift) -> Self {
        Self::of(drift, |_| Variation::NONE, Switch::FREE)
    }

    /// The same under conditions that change, with execution times that vary, and accelerators to which a change of network
    /// costs something.
    fn of(drift: fn(&World) -> Drift, variation: fn(&World) -> Variation, switch: Switch) -> Self {
        let (a, b) = ([(10.0, 6.0); 2], [(10.0, 8.0); 2]);
        let mut picky = layer(&[], &[(20.0, 6.0); 2]);
        picky.costs[1] = None;
        let mut platform = platform(2, 10.0);
        platform.accelerators.iter_mut().for_each(|accelerator| accelerator.switch = switch);
        let world = world(platform, &[&[layer(&[], &a), layer(&[0], &b)], &[picky]]);
        let mut requests = [(0, 0.0), (1, 5.0), (0, 6.0), (0, 7.0), (0, 8.0), (0, 200.0)]
            .map(|(network, arrival)| request(network, arrival));
        requests[2].deadline = Time(20_000);
        let host = Host { base: Time(1_000), comparisons_per_s: f64::INFINITY, ..Host::default() };
        let rules = Rules {
            trigger: Trigger::OnChange,
            decision_cost: DecisionCost::Host(host),
            late: LateRules::all(Late::Abort),
            unassigned: Unassigned::Sticky,
            firm: Vec::new(),
            drift: drift(&world),
            variation: variation(&world),
        };
        let trace = trace(&requests);
        let mut script = Script(|view: &View, out: &mut Decision| {
            out.operations.comparisons = view.sub_jobs().len() as u64;
            for sub in view.sub_jobs().iter().filter(|sub| sub.assigned.is_none()) {
                let alone = view.alone_on_each(sub);
                match sub.id.job.0 {
                    3 => out.drop_request(RequestId(3)),
                    4 if view.now() < Time(30_000) => out.hold(sub.id.job),
                    job => out.assign(sub.id, usize::from(job != 0 && alone[1] < Time::MAX), f64::from(job)),
                }
            }
        });
        let mut log = Log { scheduler: &mut script, events: Vec::new() };
        let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace.clone()), rules.clone());
        drive(&mut engine.clone(), &mut Decision::default(), &mut log).expect("the script is legal");
        Self { events: log.events, world, trace, rules, engine }
    }

    fn verdict(&self) -> Result<Totals, Violation> {
        let mut audit = Audit::new(&self.world, &self.trace, &self.rules);
        for event in &self.events {
            match event {
                Event::View(snapshot, world) => audit.view(&View::new(world, snapshot, &self.engine)),
                Event::Decision(decision) => audit.decision(decision),
                Event::Record(record, origin) => audit.record(record, *origin),
            }
        }
        audit.close()
    }
}

#[test]
fn the_untouched_run_passes_and_has_these_totals() {
    let totals = Example::new().verdict().unwrap();
    let requests = (totals.arrived, totals.done, totals.met, totals.dropped);
    assert_eq!((requests, totals.layers, totals.decisions), ((6, 4, 4, 2), 9, 10));
    // Tenant 0: two layers each of requests 0, 2 (dropped too late to save any), 4 and 5. Decisions on 23 sub-jobs.
    assert_eq!(totals.layer_energy_by_tenant, [Picojoules(8.0), Picojoules(1.0)]);
    assert_eq!((totals.policy_energy, totals.window), (Picojoules(23.0 * 5.0), Time(221_000)));
}
