//! What dispatchers, nodes and tenants may know: nothing of the future, nothing of a site that cannot have come by now,
//! nothing of others.

use std::sync::{Arc, Mutex};

use mascot::check::FleetCase;
use mascot::dispatch::{BATCHES, ROUTES, VARIANTS, WHOLE_RULES};
use mascot::serve::{Action, Dispatch, Dispatcher, FleetView, Moment, Record, SiteView};
use mascot::sim::{JobId, Origin, RequestId, Trace};
use mascot::units::Time;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::common::{Log, composed, play_case, whole};
use crate::fuzz::opaque_case;
use crate::rules::parameters;

/// All records, whether or not the run ends well.
fn play(case: &FleetCase, trace: &Trace, dispatcher: &mut dyn Dispatcher) -> Vec<(Record, Origin)> {
    let mut log = Log::default();
    // Chaos may forget requests.
    let _ = play_case(case, trace, dispatcher, &mut log.0);
    log.0
}

/// Other requests of these tenants after a time; as many.
fn another_future(case: &FleetCase, after: Time, seed: u64) -> Trace {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let trace = &case.trace;
    let mut other = trace.clone();
    let later = Time(rng.random_range(1..100) * case.unit.0);
    for request in &mut other.requests {
        if request.arrival > after && request.arrival < Time::MAX {
            request.arrival += later;
            request.deadline = request.arrival + Time(rng.random_range(0..200) * case.unit.0);
            // Followers wait for those of their tenant.
            if trace.followers.is_empty() {
                request.tenant = rng.random_range(0..case.model.clients.len()) as u32;
            }
        }
    }
    other
}

/// Makes a dispatcher for a case, if it can be made.
type Make<'a> = dyn Fn(&FleetCase, &Trace) -> Option<Box<dyn Dispatcher>> + 'a;

/// Whether two runs are the same until the futures of their requests part.
fn past_is_the_same(seed: u64, make: &Make) -> Option<bool> {
    let case = opaque_case(seed);
    let trace = &case.trace;
    let own = trace.requests.iter().filter(|request| request.arrival < Time::MAX).count();
    let now = trace.requests[own / 2].arrival;
    if trace.requests[own - 1].arrival == now {
        return None;
    }
    let other = another_future(&case, now, seed);
    let until_now = |trace: &Trace| -> Option<Vec<(Record, Origin)>> {
        let mut dispatcher = make(&case, trace)?;
        let records = play(&case, trace, dispatcher.as_mut());
        Some(records.into_iter().take_while(|(record, _)| record.time() <= now).collect())
    };
    let [one, two] = [until_now(trace)?, until_now(&other)?];
    Some(one == two)
}

/// Sends to the last site if many requests are to come.
struct Prophet(usize, Box<dyn Dispatcher>);

impl Dispatcher for Prophet {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(request) if self.0 > 0 => {
                let tenant = view.request(request).expect("it waits").tenant;
                let site = view.for_tenant(tenant).sites().last().expect("somebody serves it");
                out.actions.push(Action::Send { request, site });
            }
            _ => self.1.decide(view, moment, out),
        }
    }
}

#[test]
fn another_future_leaves_the_past_alone() {
    let mut compared = 0;
    let mut check = |name: &str, seed: u64, make: &dyn Fn() -> Box<dyn Dispatcher>| {
        let fitting = |case: &FleetCase, _: &Trace| {
            let dispatcher = make();
            dispatcher.check(&case.model).is_ok().then_some(dispatcher)
        };
        let same = past_is_the_same(seed, &fitting);
        assert!(same != Some(false), "{name}, seed {seed}");
        compared += usize::from(same.is_some());
    };
    let mut seed = 0;
    for route in ROUTES.iter().filter(|route| route.name != "split") {
        for variant in VARIANTS {
            for batch in BATCHES {
                seed += 1;
                let [variant, batch] = [parameters("variant", variant.name), parameters("batch", batch.name)];
                let make = || -> Box<dyn Dispatcher> { Box::new(composed(route.name, &variant, &batch, 1)) };
                check(&format!("{} x {variant} x {batch}", route.name), seed, &make);
            }
        }
    }
    for rule in WHOLE_RULES {
        for seed in 0..100 {
            let rule = parameters("whole", rule.name);
            check(&rule, seed, &|| whole(&rule));
        }
    }
    assert!(compared > 1_200, "{compared} are few");
    // Who knows the trace is found.
    let prophet = |_: &FleetCase, trace: &Trace| -> Option<Box<dyn Dispatcher>> {
        let odd = trace.requests.iter().rfind(|request| request.arrival < Time::MAX)?.arrival.0 % 2;
        Some(Box::new(Prophet(odd as usize, Box::new(composed("closest", "best", "single", 1)))))
    };
    let found = (0..200).filter(|&seed| past_is_the_same(seed, &prophet) == Some(false)).count();
    assert!(found > 20, "{found} are few");
}

/// What somebody saw when it was asked about an arrival.
type Seen<T> = Arc<Mutex<Vec<T>>>;

/// Notes what a node sees of each site that its tenant can reach.
struct Watching {
    inner: Box<dyn Dispatcher>,
    seen: Seen<(Time, usize, usize, SiteView)>,
}

impl Dispatcher for Watching {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        if let Moment::Arrived(request) = moment {
            let tenant = view.request(request).expect("it waits").tenant;
            let mut seen = self.seen.lock().expect("one thread");
            seen.extend(
                view.for_tenant(tenant).sites().map(|site| (view.now(), tenant, site, view.site(site))),
            );
        }
        self.inner.decide(view, moment, out);
    }

    fn observe(&mut self, record: &Record) {
        self.inner.observe(record);
    }
}

/// The lengths of the queues of a site and its orders in service after the instant of a time.
fn state(records: &[(Record, Origin)], site: usize, at: Time) -> (u32, u32) {
    let (mut queued, mut orders) = (Vec::<RequestId>::new(), Vec::<JobId>::new());
    for (record, _) in records.iter().take_while(|(record, _)| record.time() <= at) {
        match *record {
            Record::Queued { request, site: at, .. } if at == site => queued.push(request),
            Record::Member { request, .. } | Record::Lost { request, .. } => {
                queued.retain(|&waits| waits != request);
            }
            Record::Launched { site: at, order, .. } if at == site => orders.push(order),
            Record::Site { site: at, record: mascot::sim::Record::Done { job, .. } } if at == site => {
                orders.retain(|&order| order != job);
            }
            Record::Site { site: at, record: mascot::sim::Record::Drop { request, .. } } if at == site => {
                orders.retain(|&order| order.0 != request.0);
            }
            _ => {}
        }
    }
    (queued.len() as u32, orders.len() as u32)
}

#[test]
fn a_node_knows_of_a_site_what_it_reported_last_and_can_have_come() {
    let (mut aged, mut differs) = (0, 0);
    for seed in 0..600 {
        let case = FleetCase::new(seed);
        let model = &case.model;
        let seen = Seen::default();
        let inner = Box::new(composed("random", "fits", "greedy", seed));
        let records = play(&case, &case.trace, &mut Watching { inner, seen: Arc::clone(&seen) });
        for &(now, tenant, site, view) in seen.lock().expect("one thread").iter() {
            if model.report == Time::ZERO {
                assert_eq!(view.age, Time::ZERO, "seed {seed}");
                continue;
            }
            let [_, back] = model.clients[tenant].ways[site].as_ref().expect("it serves");
            let way_at = |at: Time| -> Time { back.iter().map(|&hop| model.wire_at(hop, at).delay).sum() };
            let way = way_at(now.saturating_sub(view.age));
            let reported = now - view.age;
            if view.age == now {
                // Nothing has come, or the report of the beginning.
                continue;
            }
            assert!(view.age >= way, "seed {seed}: {view:?} is younger than its way of {} ps", way.0);
            assert_eq!(
                reported.0 % model.report.0,
                0,
                "seed {seed}: reports come every {} ps",
                model.report.0
            );
            let next = reported + model.report + way_at(reported + model.report);
            assert!(next >= now, "seed {seed}: {view:?}, but a younger report has come by {} ps", next.0);
            let known = (view.queued, view.in_service);
            assert_eq!(known, state(&records, site, reported), "seed {seed}: at {} ps, {view:?}", now.0);
            aged += 1;
            differs += usize::from(known != state(&records, site, now));
        }
    }
    assert!(aged > 2_000 && differs > 500, "{aged}, {differs}");
}

/// An entry in the diary of a tenant.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    /// An end of its own: what was asked, when, and what by.
    Ended(String),
    /// What it saw when a request of its own arrived.
    Saw(String),
}

/// Keeps the diary of tenant 0, which holds requests back at times; those of others go on at once.
struct Diary {
    inner: Box<dyn Dispatcher>,
    rng: ChaCha8Rng,
    /// Whether it notes what a dispatcher of the whole fleet sees instead.
    of_all: bool,
    entries: Seen<Entry>,
}

impl Dispatcher for Diary {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        let Moment::Arrived(request) = moment else { return self.inner.decide(view, moment, out) };
        match view.request(request) {
            Some(request) if request.tenant == 0 => {}
            Some(_) => return self.inner.decide(view, moment, out),
            // It was sent on with one before it.
            None => return,
        }
        let own = view.for_tenant(0);
        let sites: Vec<usize> = own.sites().collect();
        let ways: Vec<_> = sites.iter().map(|&site| own.ways(site)).collect();
        let waiting: Vec<_> = own.waiting().collect();
        let terms = (own.client(), own.served());
        let mut saw = format!("{:?} {sites:?} {ways:?} {waiting:?} {terms:?}", own.now());
        if self.of_all {
            saw += &format!("{:?}", sites.iter().map(|&site| view.site(site)).collect::<Vec<_>>());
        }
        self.entries.lock().expect("one thread").push(Entry::Saw(saw));
        if self.rng.random_range(0..3) > 0 {
            for place in 0..waiting.len() {
                let site = sites[self.rng.random_range(0..sites.len())];
                let request = own.id(place).expect("it waits");
                out.actions.push(Action::Send { request, site });
            }
        }
    }

    fn observe(&mut self, record: &Record) {
        self.inner.observe(record);
        if !record.is_seen_by(0) {
            return;
        }
        let entry = match record {
            Record::Answered { time, asked, site, variant, batch, accuracy, .. } => {
                format!("{time:?} {asked:?} {site} {variant} {batch} {accuracy}")
            }
            Record::Lost { time, asked, reason, .. } => format!("{time:?} {asked:?} {reason:?}"),
            _ => return,
        };
        self.entries.lock().expect("one thread").push(Entry::Ended(entry));
    }
}

#[test]
fn a_tenant_sees_nothing_of_others_but_by_its_own_answers() {
    let diary = |case: &FleetCase, trace: &Trace, of_all: bool| {
        let (rng, entries) = (ChaCha8Rng::seed_from_u64(3), Seen::default());
        let inner = Box::new(composed("closest", "fits", "greedy", 1));
        play(case, trace, &mut Diary { inner, rng, of_all, entries: Arc::clone(&entries) });
        entries.lock().expect("one thread").clone()
    };
    let (mut views, mut others, mut waited) = (0, 0, 0);
    for seed in 0..1_000 {
        let mut case = FleetCase::new(seed);
        let trace = case.trace.clone();
        if case.model.clients.len() < 2 || !trace.followers.is_empty() {
            continue;
        }
        // Decisions that take time wait for each other at the node.
        case.model.dispatch_cost = mascot::sim::DecisionCost::Ideal;
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut changed = trace.clone();
        for request in changed.requests.iter_mut().filter(|request| request.tenant != 0) {
            request.arrival += Time(rng.random_range(0..40) * case.unit.0);
            request.deadline = request.arrival + Time(rng.random_range(0..200) * case.unit.0);
        }
        changed.requests.sort_by_key(|request| request.arrival);
        for of_all in [false, true] {
            let [one, two] = [diary(&case, &trace, of_all), diary(&case, &changed, of_all)];
            // The first difference has to be an answer.
            let differ = one.iter().zip(&two).find(|(one, two)| one != two);
            let is_answer = |entry: &Entry| matches!(entry, Entry::Ended(_));
            let told = differ.is_none_or(|(one, two)| is_answer(one) || is_answer(two));
            if of_all {
                others += usize::from(!told);
            } else {
                assert!(told, "seed {seed}: {differ:?}\n{case}");
                let is_view = |entry: &&Entry| matches!(entry, Entry::Saw(_));
                views += one
                    .iter()
                    .zip(&two)
                    .take_while(|(one, two)| one == two)
                    .map(|(one, _)| one)
                    .filter(is_view)
                    .count();
                waited += one
                    .iter()
                    .filter(|entry| matches!(entry, Entry::Saw(saw) if saw.matches("OwnRequest").count() > 1))
                    .count();
            }
        }
    }
    // The whole view tells of others at once.
    assert!(views > 2_000 && waited > 300 && others > 100, "{views}, {waited}, {others}");
}
