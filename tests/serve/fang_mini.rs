//! A small serving problem with a known optimum, after Fang et al. (2017): one device, three variants, batches of up to 4,
//! at most one arrival a slot, quality that falls with the delay.
//!
//! Time is in slots of a millisecond. A request arrives in a slot with probability p, and is given up when it has waited 10
//! slots. The state of the device when it is free is the set of ages of those that wait, so the optimum over all policies,
//! deliberate waiting included, is that of a Markov decision process with 1,024 states. `tests/data/fang_mini.csv` has its
//! value and policy by exact policy iteration (numpy; per row: the quality per request of the optimum, of one variant at
//! the largest batch, and of the best thresholds on the queue; the policy as a letter by state, bit i = one has waited i
//! slots: `.` waits, `a` to `d` are `small` for 1 to 4, then `mid`, then `large`). Here the engine plays them.

use mascot::dispatch::Composed;
use mascot::serve::{Action, Dispatch, Dispatcher, FleetView, Moment, Record};
use mascot::sim::{Change, Drift};
use mascot::units::Time;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::common::{Log, ModelPlan, NO_LINK, Plan, SitePlan, composed, requests};
use crate::statistics::Estimate;

const SLOT: u64 = 1_000_000_000;
const PATIENCE: u64 = 10;
const ACCURACIES: [f64; 3] = [0.7, 0.85, 1.0];

struct Row {
    shape: String,
    p: f64,
    optimum: f64,
    mid: f64,
    large: f64,
    switch: f64,
    thresholds: [u32; 2],
    policy: Vec<u8>,
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string("tests/data/fang_mini.csv").expect("tests run in the package folder");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<f64>().expect("a number");
        Row {
            shape: fields[0].to_string(),
            p: number(1),
            optimum: number(2),
            mid: number(3),
            large: number(4),
            switch: number(5),
            thresholds: [number(6) as u32, number(7) as u32],
            policy: fields[8].as_bytes().to_vec(),
        }
    };
    text.lines().skip(1).map(row).collect()
}

/// The device: services of 1 to 4 requests in slots, by variant.
fn device() -> Plan {
    let ms = |slots: [u64; 4]| slots.map(|slots| slots * SLOT);
    let (small, mid, large) = (ms([1, 1, 2, 2]), ms([2, 3, 3, 4]), ms([3, 4, 5, 6]));
    let [a, b, c] = ACCURACIES;
    let variants: [(&str, f64, &[u64]); 3] = [("small", a, &small), ("mid", b, &mid), ("large", c, &large)];
    Plan::new(vec![SitePlan::behind(NO_LINK)], ModelPlan::new(&[1, 2, 3, 4], &variants))
}

/// Gives up those that have waited too long, and only then asks for a decision on the others.
struct Patient<D>(D);

impl<D: Dispatcher> Dispatcher for Patient<D> {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        if let Moment::Free(site) | Moment::Wake(site) = moment {
            let oldest = Time(view.now().0.saturating_sub(PATIENCE * SLOT));
            let gone = |arrival: Time| view.now().0 >= PATIENCE * SLOT && arrival <= oldest;
            let gone = view.queue(0).filter(|request| gone(request.arrival));
            out.actions.extend(gone.map(|request| Action::Reject { request: request.id }));
            if !out.actions.is_empty() {
                out.actions.push(Action::Wake { site, at: view.now() });
                return;
            }
        }
        self.0.decide(view, moment, out);
    }

    fn observe(&mut self, record: &Record) {
        self.0.observe(record);
    }
}

/// The policy of the table.
struct Tabulated(Vec<u8>);

impl Dispatcher for Tabulated {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(request) => out.actions.push(Action::Send { request, site: 0 }),
            Moment::Free(site) | Moment::Wake(site) if view.free_slots() > 0 => {
                let age = |arrival: Time| (view.now().0 - arrival.0) / SLOT;
                let waiting = view.queue(0).fold(0, |mask, request| mask | 1 << age(request.arrival));
                match self.0[waiting as usize] {
                    b'.' => {
                        out.actions.push(Action::Wake { site, at: Time((view.now().0 / SLOT + 1) * SLOT) })
                    }
                    letter => {
                        let place = usize::from(letter - b'a');
                        let (variant, count) = (place / 4, place % 4 + 1);
                        out.actions.push(Action::Launch { site, model: 0, variant, count });
                    }
                }
            }
            Moment::Free(_) | Moment::Wake(_) => {}
        }
    }
}

/// The mean quality per request over so many slots, from the second tenth on.
fn quality(row: &Row, dispatcher: &mut dyn Dispatcher, slots: u64) -> Estimate {
    quality_on(&device(), row, dispatcher, slots)
}

/// The same on another device; delays count in whole slots.
fn quality_on(device: &Plan, row: &Row, dispatcher: &mut dyn Dispatcher, slots: u64) -> Estimate {
    let mut draw = ChaCha8Rng::seed_from_u64(1);
    let arrivals: Vec<u64> = (1..slots).filter(|_| draw.random::<f64>() < row.p).collect();
    let trace = requests(arrivals.iter().map(|slot| (0, slot * SLOT, u64::MAX)));
    let mut log = Log::default();
    device.play(trace, dispatcher, &mut log.0).expect("a run that ends");
    let mut qualities = vec![0.0; arrivals.len()];
    for (record, _) in &log.0 {
        if let Record::Answered { time, request, asked, accuracy, .. } = *record {
            let delay = (time - asked.arrival).0.div_ceil(SLOT) as f64;
            let worth = match &row.shape[..] {
                "ramp" => ((10.0 - delay) / 6.0).clamp(0.0, 1.0),
                _ => f64::from(u8::from(delay <= 6.0)),
            };
            qualities[request.0 as usize] = accuracy * worth;
        }
    }
    Estimate::of(&qualities[arrivals.len() / 10..])
}

fn fixed(variant: &str) -> Patient<Composed> {
    Patient(composed("closest", &format!("fixed variant = '{variant}'"), "greedy", 1))
}

#[test]
fn the_optimum_the_best_thresholds_and_fixed_variants_give_their_exact_values() {
    for row in rows() {
        let name = format!("{} {}", row.shape, row.p);
        let [t1, t2] = row.thresholds;
        let thresholds = format!("switch thresholds = [{t1}, {t2}]");
        quality(&row, &mut Patient(Tabulated(row.policy.clone())), 100_000).check(&name, row.optimum, 0.02);
        let mid = quality(&row, &mut fixed("mid"), 50_000);
        // Where every request is in time, every answer is worth the same.
        assert!(mid.agrees(row.mid) || (mid.mean - row.mid).abs() < 1e-6, "{name}: {mid:?}");
        // Hardly any request is in time if a lasting overload is answered by the large variant.
        let widest = if row.large > 0.1 { 0.1 } else { 1.0 };
        quality(&row, &mut fixed("large"), 100_000).check(&name, row.large, widest);
        let switch = &mut Patient(composed("closest", &thresholds, "greedy", 1));
        quality(&row, switch, 100_000).check(&name, row.switch, 0.02);
    }
}

#[test]
fn no_composition_of_rules_exceeds_the_optimum() {
    for row in rows() {
        for variant in ["best", "smallest", "fits", "rate", "rate headroom = 1.3"] {
            for batch in ["single", "greedy", "timeout us = 2000", "aimd"] {
                let found = quality(
                    &row,
                    &mut Patient(composed("closest", variant, batch, 1)),
                    (6_000.0 / row.p) as u64,
                );
                let most = row.optimum + 3.0 * found.half_width;
                assert!(found.mean <= most, "{} {}: {variant} {batch}: {found:?}", row.shape, row.p);
            }
        }
    }
}

/// A device that becomes free inside a slot waits for the next one.
struct InSlots<D>(D);

impl<D: Dispatcher> Dispatcher for InSlots<D> {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Free(site) | Moment::Wake(site) if !view.now().0.is_multiple_of(SLOT) => {
                out.actions.push(Action::Wake { site, at: Time((view.now().0 / SLOT + 1) * SLOT) });
            }
            _ => self.0.decide(view, moment, out),
        }
    }
}

/// The device at two thirds of its speed, known to nobody, loses most of what its optimal policy gains under a firm
/// deadline. With services rounded up to slots it is the slow device of `tests/data/fang_mini_slow.csv`, which has, by the
/// same policy iteration, its own optimum and what the policies of `fang_mini.csv` come to on it.
#[test]
fn the_old_optimum_on_a_slower_device_gives_its_exact_value() {
    let text =
        std::fs::read_to_string("tests/data/fang_mini_slow.csv").expect("tests run in the package folder");
    let mut slow = device();
    // A hair faster, lest the end of a service of whole slots is rounded up into the next slot.
    let speed = Some(2.0 / 3.0 + 1e-7);
    slow.drifts =
        vec![Drift::new(vec![Change { at: Time(0), speed, bandwidth_bytes_per_ps: None, loss: None }])];
    let mut kept = Vec::new();
    for (row, line) in rows().iter().zip(text.lines().skip(1)) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<f64>().expect("a number");
        assert_eq!((fields[0], number(1)), (&row.shape[..], row.p));
        let name = format!("{} {} slow", row.shape, row.p);
        let policy = &mut InSlots(Patient(Tabulated(row.policy.clone())));
        quality_on(&slow, row, policy, 100_000).check(&name, number(3), 0.03);
        kept.push(number(3) / number(2));
    }
    // Under a ramp a fifth is lost, under a step a third to a half.
    let range =
        |kept: &[f64]| kept.iter().fold([1.0, 0.0_f64], |[low, high], &it| [it.min(low), it.max(high)]);
    let near = |found: [f64; 2], told: [f64; 2]| found.iter().zip(told).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(near(range(&kept[..4]), [0.812, 0.849]), "{kept:?}");
    assert!(near(range(&kept[4..]), [0.520, 0.680]), "{kept:?}");
}
