//! A small serving problem with a hidden phase of the load, after Tan et al. (2024): one device, three variants of which
//! one is loaded, Poisson arrivals whose rate flips between two phases.
//!
//! In each slot the device either serves min(waiting, capacity) requests on the loaded variant (capacities 2, 4 and 8 at
//! accuracies 1, 0.88 and 0.70), or loads another variant and serves nobody. Those who are left wait at a cost per slot;
//! more than `room` waiting are lost. `tests/data/tan_mini.csv` has the exact values per request of four kinds of policy
//! (numpy; value iteration, on a grid of 81 beliefs for the second), with their tables: the optimum of a policy that is
//! told the phase; the optimum of one that infers it from the arrivals (Bayes); the best one found that looks at the
//! queue and the loaded variant alone (policy iteration from 30 starts: a lower bound of its kind); the best fixed
//! variant. `last_arrivals` is the best one found that sees the arrivals of the last slot and the loaded variant, where
//! that was searched. Policies are a letter by state, `a` to `c` for the variant of this slot, over (waiting, loaded,
//! phase), (waiting, loaded, belief) and (waiting, loaded), the last one fastest. Here the engine plays them.
//!
//! In the engine a slot is a millisecond, every order takes one slot, whatever its size, and the dispatcher wakes up at the
//! end of every slot, after the arrivals there. Loading is a slot without an order. A request that is answered d slots after
//! its arrival has waited d - 1 of them.

use mascot::serve::{Action, Dispatch, Dispatcher, FleetView, Moment, Record, Recorder};
use mascot::sim::Origin;
use mascot::units::Time;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::common::{ModelPlan, NO_LINK, Plan, SitePlan, requests};
use crate::statistics::Estimate;

const SLOT: u64 = 1_000_000_000;
const CAPACITIES: [usize; 3] = [2, 4, 8];
const ACCURACIES: [f64; 3] = [1.0, 0.88, 0.7];
/// The number of beliefs in the tables.
const BELIEFS: usize = 81;
/// Arrivals of a slot beyond this many do not happen; at a mean of 6 they are one in a million.
const MOST: usize = 19;

#[derive(Clone)]
struct Row {
    rates: [f64; 2],
    /// The probability that a phase ends in a slot.
    flips: [f64; 2],
    cost: f64,
    room: usize,
    seen: f64,
    belief: f64,
    queue_loaded: f64,
    last_arrivals: Option<f64>,
    fixed: f64,
    fixed_variant: usize,
    by_phase: Vec<usize>,
    by_belief: Vec<usize>,
    by_queue: Vec<usize>,
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string("tests/data/tan_mini.csv").expect("tests run in the package folder");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<f64>().expect("a number");
        let policy = |place: usize| -> Vec<usize> {
            fields[place].bytes().map(|letter| usize::from(letter - b'a')).collect()
        };
        Row {
            rates: [number(0), number(1)],
            flips: [number(2), number(3)],
            cost: number(4),
            room: number(5) as usize,
            seen: number(6),
            belief: number(7),
            queue_loaded: number(8),
            last_arrivals: fields[9].parse().ok(),
            fixed: number(10),
            fixed_variant: policy(11)[0],
            by_phase: policy(12),
            by_belief: policy(13),
            by_queue: policy(14),
        }
    };
    text.lines().skip(1).map(row).collect()
}

impl Row {
    /// The probability of so many arrivals in a slot of a phase.
    fn arrivals(&self, phase: usize, count: usize) -> f64 {
        (1..=count).fold((-self.rates[phase]).exp(), |p, k| p * self.rates[phase] / k as f64)
    }

    /// What happens in so many slots: the phase in which the arrivals of each were drawn, and their number.
    fn draw(&self, slots: usize) -> Vec<(usize, usize)> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut phase = 0;
        let mut slot = || {
            phase ^= usize::from(rng.random::<f64>() < self.flips[phase]);
            let (mut left, mut count) = (rng.random::<f64>(), 0);
            while count < MOST && left >= self.arrivals(phase, count) {
                left -= self.arrivals(phase, count);
                count += 1;
            }
            (phase, count)
        };
        (0..slots).map(|_| slot()).collect()
    }
}

/// What a policy may know at the beginning of a slot.
struct Known {
    /// The number of the slot.
    slot: usize,
    waiting: usize,
    loaded: usize,
    /// The arrivals since the slot before, lost ones as well.
    arrived: usize,
}

/// Decides once per slot which variant is loaded in it.
struct Slotted<'a> {
    room: usize,
    choose: Box<dyn FnMut(&Known) -> usize + Send + 'a>,
    loaded: usize,
    arrived: usize,
    /// When the next slot begins.
    next: Time,
}

impl Dispatcher for Slotted<'_> {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        let site = match moment {
            Moment::Arrived(request) => return out.actions.push(Action::Send { request, site: 0 }),
            Moment::Free(site) | Moment::Wake(site) if view.now() >= self.next => site,
            Moment::Free(_) | Moment::Wake(_) => return,
        };
        let lost = view.queue(0).skip(self.room);
        out.actions.extend(lost.map(|request| Action::Reject { request: request.id }));
        let waiting = view.queue_len(0).min(self.room);
        let slot = (view.now().0 / SLOT) as usize;
        let arrived = std::mem::take(&mut self.arrived);
        let variant = (self.choose)(&Known { slot, waiting, loaded: self.loaded, arrived });
        if variant == self.loaded && waiting > 0 {
            let count = waiting.min(CAPACITIES[variant]);
            out.actions.push(Action::Launch { site, model: 0, variant, count });
        }
        self.loaded = variant;
        self.next = view.now() + Time(SLOT);
        out.actions.push(Action::Wake { site, at: self.next });
    }

    fn observe(&mut self, record: &Record) {
        self.arrived += usize::from(matches!(record, Record::Arrived { .. }));
    }
}

/// What each request was worth: its accuracy less what it has waited; nothing if it was lost.
struct Worth {
    cost: f64,
    of: Vec<f64>,
}

impl Recorder for Worth {
    fn record(&mut self, record: &Record, _: Origin) {
        match *record {
            Record::Arrived { .. } => self.of.push(0.0),
            Record::Answered { time, request, asked, accuracy, .. } => {
                let waited = (time - asked.arrival).0 / SLOT - 1;
                self.of[request.0 as usize] = accuracy - self.cost * waited as f64;
            }
            _ => {}
        }
    }
}

/// The mean worth per request, from the second tenth on.
fn play(row: &Row, slots: &[(usize, usize)], choose: impl FnMut(&Known) -> usize + Send) -> Estimate {
    let services = [SLOT; 8];
    let [a, b, c] = ACCURACIES;
    let variants: [(&str, f64, &[u64]); 3] =
        [("large", a, &services), ("middle", b, &services), ("small", c, &services)];
    let model = ModelPlan::new(&[1, 2, 3, 4, 5, 6, 7, 8], &variants);
    let arrivals = slots
        .iter()
        .enumerate()
        .flat_map(|(slot, &(_, count))| std::iter::repeat_n((0, (slot as u64 + 1) * SLOT, u64::MAX), count));
    let mut dispatcher =
        Slotted { room: row.room, choose: Box::new(choose), loaded: 0, arrived: 0, next: Time::ZERO };
    let mut worth = Worth { cost: row.cost, of: Vec::new() };
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK)], model);
    plan.play(requests(arrivals), &mut dispatcher, &mut worth).expect("a run that ends");
    Estimate::of(&worth.of[worth.of.len() / 10..])
}

/// The probability of the second phase, given all arrivals.
struct Belief(f64);

impl Belief {
    fn of(row: &Row) -> Self {
        Self(row.flips[0] / (row.flips[0] + row.flips[1]))
    }

    fn update(&mut self, row: &Row, arrived: usize) {
        let second = self.0 * (1.0 - row.flips[1]) + (1.0 - self.0) * row.flips[0];
        let [first, second] = [(1.0 - second) * row.arrivals(0, arrived), second * row.arrivals(1, arrived)];
        self.0 = second / (first + second);
    }
}

fn check(rows: &[Row], slots: usize, widest: f64) {
    for row in rows {
        let name = |policy: &str| format!("rates {:?}: {policy}", row.rates);
        let drawn = &row.draw(slots)[..];
        // After the last arrivals, what is left is served as if the last phase went on.
        let phase = |slot: usize| drawn[slot.min(drawn.len()) - 1].0;
        let seen = play(row, drawn, |known| {
            row.by_phase[(known.waiting * 3 + known.loaded) * 2 + phase(known.slot)]
        });
        seen.check(&name("the phase is seen"), row.seen, widest);
        let mut belief = Belief::of(row);
        let by_belief = play(row, drawn, |known| {
            belief.update(row, known.arrived);
            let nearest = (belief.0 * (BELIEFS - 1) as f64).round() as usize;
            row.by_belief[(known.waiting * 3 + known.loaded) * BELIEFS + nearest]
        });
        by_belief.check(&name("the phase is inferred"), row.belief, widest);
        let by_queue = play(row, drawn, |known| row.by_queue[known.waiting * 3 + known.loaded]);
        by_queue.check(&name("queue and loaded variant"), row.queue_loaded, widest);
        let fixed = play(row, drawn, |_| row.fixed_variant);
        fixed.check(&name("a fixed variant"), row.fixed, widest);
        // The same arrivals: who knows more does better.
        assert!(seen.mean > by_belief.mean && by_belief.mean > fixed.mean, "{:?}", row.rates);
    }
}

#[test]
fn the_table_is_in_the_order_of_what_is_known() {
    for row in rows() {
        let ordered = [row.seen, row.belief, row.queue_loaded, row.last_arrivals.unwrap_or(row.fixed)];
        assert!(ordered.is_sorted_by(|more, less| more > less), "{:?}: {ordered:?}", row.rates);
        // Where it was searched, the arrivals of the last slot alone are worth next to nothing.
        assert!(row.last_arrivals.is_none_or(|value| (value - row.fixed).abs() < 2e-4));
    }
}

#[test]
fn each_kind_of_knowledge_gives_its_exact_value() {
    check(&rows()[..2], 150_000, 0.02);
}

#[test]
#[ignore = "minutes"]
fn each_kind_of_knowledge_gives_its_exact_value_in_long_runs() {
    check(&rows(), 600_000, 0.01);
}
