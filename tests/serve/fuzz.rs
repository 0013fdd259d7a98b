//! Random fleets under a dispatcher that takes random legal actions, and an account of their records that finds what is
//! doctored.

use std::sync::Arc;

use mascot::check::{Counts, Serving};
use mascot::serve::{
    Action, Dispatch, Dispatcher, FleetView, Loss, Moment, Record, Recorder, ServeError, Wire, WireChange,
    WireSharing,
};
use mascot::sim::{
    After, Change, DecisionCost, Drift, Follower, Host, JobId, Late, Losing, Origin, RequestId, Trace,
};
use mascot::units::Time;
use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::common::{CLIENT, ClientPlan, Log, ModelPlan, Plan, SitePlan, VariantPlan, requests};

/// Any legal action, or none, with odd wake-ups.
struct Chaos {
    rng: ChaCha8Rng,
    /// Requests that were left at their node.
    left: Vec<RequestId>,
}

impl Dispatcher for Chaos {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        out.operations.comparisons = self.rng.random_range(0..5);
        match moment {
            Moment::Arrived(id) => {
                self.left.push(id);
                let mut stay = Vec::new();
                for id in std::mem::take(&mut self.left) {
                    if view.request(id).is_none() || !self.send(view, id, out) {
                        stay.push(id);
                    }
                }
                self.left = stay;
            }
            Moment::Free(site) | Moment::Wake(site) => self.launch(view, site, out),
        }
    }
}

impl Chaos {
    /// Returns whether something was decided.
    fn send(&mut self, view: &FleetView, id: RequestId, out: &mut Dispatch) -> bool {
        let request = view.request(id).expect("it waits");
        let model = view.model();
        let client = &model.clients[request.tenant];
        let sites: Vec<usize> = (0..model.sites.len()).filter(|&site| model.serves(site, client)).collect();
        match self.rng.random_range(0..10) {
            0 => out.actions.push(Action::Reject { request: id }),
            1 => return false,
            _ => {
                let site = *sites.choose(&mut self.rng).expect("somebody serves it");
                // What the dispatcher knows of a site must be knowable.
                assert!(view.site(site).age <= view.now());
                out.actions.push(Action::Send { request: id, site });
            }
        }
        true
    }

    fn launch(&mut self, view: &FleetView, site: usize, out: &mut Dispatch) {
        let mut free = view.free_slots();
        for model in 0..view.model().models.len() {
            let served = &view.model().models[model];
            let mut left: Vec<RequestId> = view.queue(model).map(|request| request.id).collect();
            assert_eq!(left.len(), view.queue_len(model));
            while !left.is_empty() && self.rng.random_range(0..3) > 0 {
                if self.rng.random_range(0..8) == 0 {
                    let request = left.remove(self.rng.random_range(0..left.len()));
                    out.actions.push(Action::Reject { request });
                } else if free > 0 {
                    // More than there are is legal, up to the largest batch.
                    let count = self.rng.random_range(1..=served.max_batch());
                    let variant = self.rng.random_range(0..served.variants.len());
                    if self.rng.random() {
                        left.shuffle(&mut self.rng);
                        let requests = left.drain(..count.min(left.len())).collect();
                        out.actions.push(Action::LaunchOf { site, model, variant, requests });
                        free -= 1;
                        // What is left of the queue is in another order than the queue.
                        break;
                    }
                    out.actions.push(Action::Launch { site, model, variant, count });
                    free -= 1;
                    left.drain(..count.min(left.len()));
                }
            }
        }
        if self.rng.random_range(0..2) == 0 {
            let at = view.now() + Time(self.rng.random_range(1..60));
            out.actions.push(Action::Wake { site, at });
        }
    }
}

/// The fleet and the requests of a seed. Times are short, so that many things happen at once.
pub(crate) fn case(seed: u64) -> (Plan, Trace) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let models: Vec<ModelPlan> = (0..rng.random_range(1..4)).map(|_| model(rng)).collect();
    let sites: Vec<SitePlan> = (0..rng.random_range(1..5)).map(|_| site(rng)).collect();
    let clients: Vec<ClientPlan> = (0..rng.random_range(1..4))
        .map(|_| ClientPlan {
            model: rng.random_range(0..models.len()),
            node: rng.random_range(0..3),
            bytes: [f64::from(rng.random_range(0..40_u32)), f64::from(rng.random_range(0..20_u32))],
            min_accuracy: rng.random(),
            sites: (0..sites.len()).filter(|_| rng.random_range(0..3) == 0).collect(),
            ..CLIENT
        })
        .collect();
    let host = Host {
        base: Time(rng.random_range(0..9)),
        comparisons_per_s: 5e11,
        macs_per_s: 1e12,
        pj_per_operation: 1.0,
    };
    let plan = Plan {
        sites,
        models,
        report: Time([0, 0, 1, 7, 50][rng.random_range(0..5)]),
        late: if rng.random() { Late::Abort } else { Late::Finish },
        cost: if rng.random() { DecisionCost::Ideal } else { DecisionCost::Host(host) },
        clients,
        changes: Vec::new(),
        drifts: Vec::new(),
    };
    let plan = drifting(plan, seed);
    let mut at = 0;
    let gap = rng.random_range(1..30);
    let asked: Vec<_> = (0..rng.random_range(1..50))
        .map(|_| {
            at += rng.random_range(0..=gap);
            (rng.random_range(0..plan.clients.len()), at, at + rng.random_range(0..200))
        })
        .collect();
    let trace = requests(asked);
    (plan, if rng.random_range(0..3) == 0 { with_followers(trace, rng) } else { trace })
}

/// The same requests, of which the later ones follow others: stages of a cascade, or a closed loop of the first tenant.
fn with_followers(mut trace: Trace, rng: &mut ChaCha8Rng) -> Trace {
    let own = rng.random_range(1..=trace.requests.len());
    for (place, request) in trace.requests.iter_mut().enumerate().skip(own) {
        let after = match request.tenant {
            0 => After::Ended(0),
            _ => After::Done(rng.random_range(0..place as u32)),
        };
        let within = request.deadline - request.arrival;
        let (request_place, delay) = (place as u32, Time(rng.random_range(0..30)));
        trace.followers.push(Follower { after, request: request_place, delay, within });
        (request.arrival, request.deadline) = (Time::MAX, Time::MAX);
    }
    trace.followers.sort_by_key(|follower| follower.after);
    trace
}

/// In half of the seeds links and sites change while the fleet runs.
fn drifting(mut plan: Plan, seed: u64) -> Plan {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed ^ 0xD81F7);
    let model = plan.model();
    if rng.random() {
        return plan;
    }
    for wire in 0..model.wires.len() as u32 {
        for _ in 0..rng.random_range(0..3) {
            plan.changes.push(WireChange {
                at: Time(rng.random_range(0..400)),
                wire,
                bytes_per_ps: rng.random::<bool>().then(|| [0.2, 0.9, 3.0][rng.random_range(0..3)]),
                delay: rng.random::<bool>().then(|| Time(rng.random_range(0..20))),
            });
        }
    }
    plan.changes.sort_by_key(|change| change.at);
    for site in &model.sites {
        let mut times: Vec<u64> = (0..rng.random_range(0..3)).map(|_| rng.random_range(0..400)).collect();
        times.sort_unstable();
        times.dedup();
        let accelerators = site.world.platform.accelerators.len();
        let mut changes = Vec::new();
        for at in times {
            let speed = Some([0.3, 1.0, 2.5][rng.random_range(0..3)]);
            // The last is left, and only one can be lost.
            let is_lost = accelerators > 1 && changes.is_empty() && rng.random();
            let loss = is_lost.then(|| Losing {
                accelerators: vec![0],
                world: Arc::new(site.world.without(&[0]).expect("another is left")),
            });
            changes.push(Change { at: Time(at), speed, bandwidth_bytes_per_ps: None, loss });
        }
        plan.drifts.push(Drift::new(changes));
    }
    plan
}

fn model(rng: &mut ChaCha8Rng) -> ModelPlan {
    let lists: [&[u32]; 4] = [&[1], &[1, 2], &[1, 4], &[1, 2, 3, 4]];
    let batches = lists[rng.random_range(0..4)].to_vec();
    let mut variant = |name: i32| {
        let services = batches.iter().map(|_| rng.random_range(1..40)).collect();
        VariantPlan(name.to_string(), rng.random(), services)
    };
    let variants = [variant(0), variant(1), variant(2)];
    ModelPlan { batches, variants: variants[..rng.random_range(1..4)].to_vec() }
}

fn site(rng: &mut ChaCha8Rng) -> SitePlan {
    let mut links = || -> Vec<Wire> {
        (0..rng.random_range(0..3))
            .map(|_| Wire {
                bytes_per_ps: [0.3, 1.0, 2.0, f64::INFINITY][rng.random_range(0..4)],
                delay: Time(rng.random_range(0..20)),
                sharing: [WireSharing::Ps, WireSharing::Fifo, WireSharing::None][rng.random_range(0..3)],
            })
            .collect()
    };
    let links = [links(), links()];
    SitePlan {
        accelerators: rng.random_range(1..4),
        slots: rng.random_range(1..4),
        slowness: rng.random_range(1..4),
        cost_per_s: None,
        links,
    }
}

fn play(seed: u64) -> (Plan, Log, Result<(), ServeError>) {
    let (plan, trace) = case(seed);
    let mut log = Log::default();
    let mut chaos = Chaos { rng: ChaCha8Rng::seed_from_u64(seed ^ 0xC0FFEE), left: Vec::new() };
    let result = plan.play(trace, &mut chaos, &mut log.0);
    (plan, log, result)
}

pub(crate) fn verdict(plan: &Plan, records: &[(Record, Origin)]) -> Result<Counts, String> {
    let model = Arc::new(plan.model());
    let mut account = Serving::new(&model);
    for (record, origin) in records {
        account.record(record, *origin);
    }
    account.verdict()
}

#[test]
fn two_thousand_random_fleets_tell_possible_stories() {
    let (mut stalled, mut followed, mut sum) = (0, 0, Counts::default());
    for seed in 0..2_000 {
        let (plan, log, result) = play(seed);
        match result {
            Ok(()) => {}
            // Chaos may forget requests.
            Err(ServeError::Stalled { .. }) => stalled += 1,
            Err(error) => panic!("seed {seed}: {error}\n{plan:?}"),
        }
        let counts = verdict(&plan, &log.0).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{plan:?}"));
        let follows =
            |(record, _): &&(Record, Origin)| matches!(record, Record::Arrived { after: Some(_), .. });
        followed += log.0.iter().filter(follows).count();
        sum.arrived += counts.arrived;
        sum.answered += counts.answered;
        sum.lost += counts.lost;
        sum.orders += counts.orders;
    }
    assert!(sum.answered > 5_000 && sum.lost > 2_000 && stalled < 1_900, "{sum:?}, {stalled} stalled");
    assert!(followed > 1_000, "{followed} followers");
}

#[test]
fn a_run_is_the_same_every_time() {
    for seed in 0..50 {
        assert!(play(seed).1 == play(seed).1, "seed {seed}");
    }
}

type Records = Vec<(Record, Origin)>;

/// Changes a record if it can be doctored.
fn change(records: &mut Records, doctor: impl Fn(&mut Record) -> bool) -> bool {
    records.iter_mut().any(|(record, _)| doctor(record))
}

/// Leaves out the first record of a kind.
fn leave_out(records: &mut Records, is: impl Fn(&Record) -> bool) -> bool {
    let place = records.iter().position(|(record, _)| is(record));
    place.map(|place| records.remove(place)).is_some()
}

/// Repeats the first record of a kind.
fn repeat(records: &mut Records, is: impl Fn(&Record) -> bool) -> bool {
    let place = records.iter().position(|(record, _)| is(record));
    place.map(|place| records.insert(place, records[place])).is_some()
}

macro_rules! set {
    ($kind:ident { $field:ident } = $value:expr) => {
        |records: &mut Records| {
            change(records, |record| match record {
                Record::$kind { $field, .. } => {
                    *$field = $value(*$field);
                    true
                }
                _ => false,
            })
        }
    };
}

macro_rules! without {
    ($kind:ident) => {
        |records: &mut Records| leave_out(records, |record| matches!(record, Record::$kind { .. }))
    };
}

macro_rules! twice {
    ($kind:ident) => {
        |records: &mut Records| repeat(records, |record| matches!(record, Record::$kind { .. }))
    };
}

/// The places of the first two members of an order that the dispatcher has not picked.
fn two_members(records: &Records) -> Option<usize> {
    let is_launch =
        |record: &Record| matches!(record, Record::Launched { picked: false, requests, .. } if *requests > 1);
    records.iter().position(|(record, _)| is_launch(record)).map(|place| place + 1)
}

/// The places of two arrivals with nothing in between.
fn two_arrivals(records: &Records) -> Option<usize> {
    let arrives = |record: &Record| matches!(record, Record::Arrived { .. });
    records.windows(2).position(|pair| arrives(&pair[0].0) && arrives(&pair[1].0))
}

type Doctor = fn(&mut Records) -> bool;

const DOCTORED: [(&str, Doctor); 25] = [
    ("an arrival is missing", without!(Arrived)),
    ("a request arrives twice", twice!(Arrived)),
    ("a request follows one that is still open", |records| {
        let Some(place) = two_arrivals(records) else { return false };
        let [(Record::Arrived { request: leader, .. }, _), (Record::Arrived { after, .. }, _)] =
            &mut records[place..place + 2]
        else {
            return false;
        };
        *after = Some(*leader);
        true
    }),
    ("a request was not sent", without!(Sent)),
    ("a request is sent twice", twice!(Sent)),
    ("a request is sent elsewhere", set!(Sent { site } = |site| site + 1)),
    ("a delivery is missing", without!(Queued)),
    ("a delivery happens twice", twice!(Queued)),
    ("a delivery is elsewhere", set!(Queued { site } = |site| site + 1)),
    ("time goes back after a delivery", set!(Queued { time } = |time: Time| time + Time(1_000_000))),
    ("an order without launch", without!(Launched)),
    ("an order is launched twice", twice!(Launched)),
    ("an order has a request too many", set!(Launched { requests } = |requests| requests + 1)),
    ("an order has no such batch", set!(Launched { batch } = |batch| batch + 1)),
    ("an order has no such variant", set!(Launched { variant } = |variant| variant + 9)),
    ("an order has no such model", set!(Launched { model } = |model| model + 9)),
    ("an order has another number", set!(Launched { order } = |order: JobId| JobId(order.0 + 1))),
    ("a member is missing", without!(Member)),
    ("a member is another request", set!(Member { request } = |of: RequestId| RequestId(of.0 + 1))),
    ("members are in another order", |records| {
        let Some(place) = two_members(records) else { return false };
        records.swap(place, place + 1);
        true
    }),
    ("a request is not served", without!(Served)),
    ("a request is answered twice", twice!(Answered)),
    ("an answer has another accuracy", set!(Answered { accuracy } = |accuracy| accuracy + 0.5)),
    (
        "a loss has another reason",
        set!(
            Lost { reason } = |reason| match reason {
                Loss::Late => Loss::Scheduler,
                Loss::Dispatcher | Loss::Scheduler => Loss::Late,
            }
        ),
    ),
    ("something follows the end", |records| {
        let Some(end) = records.iter().position(|(record, _)| matches!(record, Record::End { .. })) else {
            return false;
        };
        let first = records[0];
        records.insert(end + 1, first);
        true
    }),
];

#[test]
fn doctored_records_are_found() {
    let is_lost = |(record, _): &(Record, Origin)| matches!(record, Record::Lost { .. });
    let runs = (0..2_000).map(play).filter(|(_, _, result)| result.is_ok());
    // What is not answered may have been anywhere.
    let (some_lost, all_answered): (Vec<_>, Vec<_>) = runs.partition(|(_, log, _)| log.0.iter().any(is_lost));
    for (what, doctor) in DOCTORED {
        // A request that is late may be given up by either while it is in service.
        let may_pass = what == "a loss has another reason";
        let mut doctored = 0;
        for (plan, log, _) in if may_pass { &some_lost[..50] } else { &all_answered[..] } {
            let mut log = log.clone();
            if doctor(&mut log.0) {
                let found = verdict(plan, &log.0);
                assert!(found.is_err() || may_pass, "{what}: {plan:?}");
                doctored += usize::from(found.is_err());
            }
        }
        assert!(doctored >= 10, "{what}: {doctored} are few");
    }
}

/// The first requests of a queue are due unless the dispatcher has picked others.
#[test]
fn others_than_the_first_of_a_queue_are_found() {
    let mut found = 0;
    for (plan, mut log, _) in (0..200).map(play) {
        for (record, _) in &mut log.0 {
            if let Record::Launched { picked, .. } = record {
                *picked = false;
            }
        }
        found += usize::from(verdict(&plan, &log.0).is_err());
    }
    assert!(found > 50, "{found} are few");
}

#[test]
fn early_ends_are_found() {
    let mut found = 0;
    for seed in 0..100 {
        let (plan, log, _) = play(seed);
        for place in 0..log.0.len() {
            let mut records = log.0.clone();
            // An answer or a service at the time of its own beginning.
            let since = match records[place].0 {
                Record::Served { site, request, .. } => {
                    records[..place].iter().find_map(|(of, _)| match *of {
                        Record::Member { time, request: of, site: at, .. } if of == request && at == site => {
                            Some(time)
                        }
                        _ => None,
                    })
                }
                _ => None,
            };
            let Some(since) = since else { continue };
            // Everything between is moved before it, so that time does not go back.
            let (mut record, origin) = records.remove(place);
            if let Record::Served { time, .. } = &mut record {
                *time = since;
            }
            let after = records
                .iter()
                .rposition(|(of, _)| matches!(of, Record::Member { time, .. } if *time == since));
            records.insert(after.expect("it was launched then") + 1, (record, origin));
            assert!(verdict(&plan, &records).is_err(), "seed {seed}: {record:?}");
            found += 1;
            break;
        }
    }
    assert!(found > 50, "{found} are few");
}
