//! One run over time, in the JSON format of Chrome's and Perfetto's trace viewers.
//!
//! A track per accelerator with a slice per layer run, named network/layer/request, a track with an instant per decision,
//! one with an instant per deadline, which says whether it was missed, and per request that the scheduler dropped, and one
//! with an instant per arrival. Arrows join the layers of a request in the order in which they start. Counters: DRAM
//! bandwidth granted in GB/s, layers that are ready and do not run, power in W. All requests are there, measured or not.
//!
//! The power of a layer is its energy spread evenly over its run; what accelerators and DRAM draw whatever runs is added,
//! decisions (their energy is in their instant) and wake-ups are not. Left out: the power of a layer that still runs when
//! the run ends, whose energy nobody knows, and the phases of a layer. Times are in microseconds, as the format wants,
//! rounded down to nanoseconds.

mod events;

use std::collections::BTreeMap;

use serde_json::json;

use self::events::{Counter, Event};
use super::standby::{Nap, Naps};
use crate::sim::{DropReason, NetworkModel, Origin, Record, Recorder, Request, SubJobId, World};
use crate::units::{Picojoules, Time};

/// The fold, which keeps an event per record.
pub struct Timeline<'a> {
    world: &'a World,
    /// Names by the index that requests carry.
    tenants: &'a [String],
    jobs: BTreeMap<u32, Job>,
    /// The running sub-job of each accelerator, and its start.
    running: Vec<Option<(Time, SubJobId)>>,
    events: Vec<Event>,
    /// Start and track of the layer runs of each request.
    runs: BTreeMap<u32, Vec<(Time, usize)>>,
    bandwidth: Counter,
    ready: Counter,
    ready_layers: usize,
    naps: Naps,
    power: Vec<Power>,
}

/// The power of an accelerator from a time on.
#[derive(Clone, Copy)]
struct Power {
    at: Time,
    accelerator: usize,
    /// Whether it is that of its layer, or that which it draws whatever runs.
    is_of_layer: bool,
    watts: f64,
}

/// A request and its job; at present a request has one job.
struct Job {
    asked: Request,
    measured: bool,
    /// Unfinished predecessors of each layer.
    waits_for: Vec<usize>,
    /// Number of layers that are ready and have not started.
    ready: usize,
    is_over: bool,
    /// Whether its deadline is drawn as missed.
    is_missed: bool,
}

impl<'a> Timeline<'a> {
    /// An empty timeline of a run whose tenants have these names.
    pub fn new(world: &'a World, tenants: &'a [String]) -> Self {
        Self {
            world,
            tenants,
            jobs: BTreeMap::new(),
            running: vec![None; world.platform.accelerators.len()],
            events: Vec::new(),
            runs: BTreeMap::new(),
            bandwidth: Counter::new("DRAM granted", "GB/s"),
            ready: Counter::new("ready", "layers"),
            ready_layers: 0,
            naps: Naps::new(&world.platform),
            power: Vec::new(),
        }
    }

    /// The timeline as JSON; `title` is the name of its process.
    pub fn to_json(&self, title: &str) -> String {
        let accelerators = self.world.platform.accelerators.iter().map(|a| a.name.as_str());
        let mut events = events::names(title, accelerators);
        let mut timed = self.events.clone();
        let power = self.power();
        timed.extend(self.flows());
        timed.extend([&self.bandwidth, &self.ready, &power].into_iter().flat_map(Counter::events));
        // The sort is stable: slices and instants of one time keep the order of the records.
        timed.sort_by_key(|event| event.at);
        events.append(&mut timed);
        let trace =
            json!({ "displayTimeUnit": "ns", "otherData": { "tool": "mascot" }, "traceEvents": events });
        serde_json::to_string(&trace).expect("events are plain data") + "\n"
    }

    /// The arrows from layer to layer of each request that has several.
    fn flows(&self) -> Vec<Event> {
        let mut flows = Vec::new();
        for (&request, runs) in self.runs.iter().filter(|(_, runs)| runs.len() > 1) {
            let mut runs = runs.clone();
            runs.sort_unstable();
            let last = runs.len() - 1;
            flows.extend(runs.into_iter().enumerate().map(|(place, (start, track))| {
                let phase = if place == 0 {
                    's'
                } else if place == last {
                    'f'
                } else {
                    't'
                };
                Event::step(phase, request, track, start)
            }));
        }
        flows
    }

    /// The power of all accelerators and the DRAM together.
    fn power(&self) -> Counter {
        let platform = &self.world.platform;
        let mut counter = Counter::new("power", "W");
        let mut layers = vec![0.0; platform.accelerators.len()];
        // 1 pJ/ps is 1 W.
        let mut standby: Vec<f64> = platform.accelerators.iter().map(|a| a.standby_pj_per_ps()).collect();
        let dram = platform.dram_power.pj_per_ps();
        let total =
            |standby: &[f64], layers: &[f64]| standby.iter().sum::<f64>() + dram + layers.iter().sum::<f64>();
        let mut changes = self.power.clone();
        // The sort is stable: on one accelerator, a layer ends before the next one starts.
        changes.sort_by_key(|change| change.at);
        counter.set(Time::ZERO, total(&standby, &layers));
        for Power { at, accelerator, is_of_layer, watts } in changes {
            let of = if is_of_layer { &mut layers } else { &mut standby };
            of[accelerator] = watts;
            counter.set(at, total(&standby, &layers));
        }
        counter
    }

    /// Notes the power of a layer that has run.
    fn note_layer(&mut self, accelerator: usize, start: Time, end: Time, energy: Picojoules) {
        let watts = energy.0 / (end - start).as_ps();
        let change = |at, watts| Power { at, accelerator, is_of_layer: true, watts };
        self.power.extend([change(start, watts), change(end, 0.0)]);
    }

    /// Notes the power of an accelerator that was off.
    fn note_nap(&mut self, Nap { accelerator, gating, from, to, wakes }: Nap) {
        let on = self.world.platform.accelerators[accelerator].standby_pj_per_ps();
        let change = |at, watts| Power { at, accelerator, is_of_layer: false, watts };
        self.power.push(change(from, gating.residual * on));
        self.power.extend(wakes.then(|| change(to, on)));
    }

    fn network(&self, asked: &Request) -> &'a NetworkModel {
        &self.world.networks[asked.network as usize]
    }

    fn arrive(&mut self, request: u32, asked: Request, measured: bool) {
        let network = self.network(&asked);
        let waits_for: Vec<usize> = network.predecessors.iter().map(Vec::len).collect();
        let ready = network.sources.len();
        self.jobs
            .insert(request, Job { asked, measured, waits_for, ready, is_over: false, is_missed: false });
        self.count_ready(asked.arrival, ready as isize);
        self.mark("arrival", asked.arrival, request, events::arrivals(self.running.len()));
    }

    fn count_ready(&mut self, time: Time, more: isize) {
        self.ready_layers =
            self.ready_layers.checked_add_signed(more).expect("what starts or goes was ready before");
        self.ready.set(time, self.ready_layers as f64);
    }

    fn start(&mut self, time: Time, sub_job: SubJobId, accelerator: usize) {
        self.running[accelerator] = Some((time, sub_job));
        self.job(sub_job.job.0).ready -= 1;
        self.count_ready(time, -1);
    }

    /// Makes successors ready, unless their request has been dropped.
    fn release(&mut self, time: Time, sub_job: SubJobId) {
        let asked = self.job(sub_job.job.0).asked;
        let network = self.network(&asked);
        let job = self.job(sub_job.job.0);
        let before = job.ready;
        for &next in network.successors[sub_job.layer as usize].iter().filter(|_| !job.is_over) {
            job.waits_for[next as usize] -= 1;
            job.ready += usize::from(job.waits_for[next as usize] == 0);
        }
        let more = job.ready - before;
        self.count_ready(time, more as isize);
    }

    fn job(&mut self, id: u32) -> &mut Job {
        self.jobs.get_mut(&id).expect("a request arrives before anything else happens to it")
    }

    /// Closes a request that is done or dropped: its ready layers are no longer counted.
    fn close(&mut self, time: Time, request: u32) {
        let job = self.job(request);
        job.is_over = true;
        let left = std::mem::take(&mut job.ready);
        self.count_ready(time, -(left as isize));
    }

    fn miss(&mut self, at: Time, request: u32, what: &str) {
        self.job(request).is_missed = true;
        self.mark(what, at, request, events::deadlines(self.running.len()));
    }

    /// An instant of a request.
    fn mark(&mut self, what: &str, at: Time, request: u32, track: usize) {
        let &Job { asked, measured, .. } = &*self.job(request);
        let name = format!("{what}: {}/{request}", self.network(&asked).name);
        let args = json!({
            "request": request,
            "tenant": self.tenant(&asked),
            "measured": measured,
            "deadline_us": asked.deadline.as_us(),
        });
        self.events.push(Event::instant(name, track, at, args));
    }

    fn tenant(&self, asked: &Request) -> &'a str {
        &self.tenants[asked.tenant as usize]
    }

    /// The slice of a layer run; `more` has the figures of a layer that has ended.
    fn slice(&mut self, accelerator: usize, end: Time, more: &[(&str, f64)]) {
        let Some((start, sub_job)) = self.running[accelerator].take() else { return };
        let request = sub_job.job.0;
        let &Job { asked, measured, .. } = &*self.job(request);
        let network = self.network(&asked);
        let layer = &network.layers[sub_job.layer as usize];
        let mut args = json!({
            "request": request,
            "tenant": self.tenant(&asked),
            "network": network.name,
            "layer": layer,
            "measured": measured,
            "deadline_us": asked.deadline.as_us(),
        });
        for &(key, value) in more {
            args[key] = json!(value);
        }
        let name = format!("{}/{layer}/{request}", network.name);
        let track = events::accelerator(accelerator);
        self.events.push(Event::slice(name, track, start, end, args));
        self.runs.entry(request).or_default().push((start, track));
    }

    /// Draws what the run leaves open: layers that are cut off, and requests whose deadline has passed; and the deadlines
    /// that were met.
    fn finish(&mut self, time: Time) {
        (0..self.running.len()).for_each(|accelerator| self.slice(accelerator, time, &[]));
        let late = self.jobs.iter().filter(|(_, job)| !job.is_over && job.asked.deadline <= time);
        let late: Vec<(u32, Time)> = late.map(|(&request, job)| (request, job.asked.deadline)).collect();
        late.into_iter().for_each(|(request, deadline)| self.miss(deadline, request, "missed"));
        let met = self.jobs.iter().filter(|(_, job)| !job.is_missed && job.asked.deadline <= time);
        let met: Vec<(u32, Time)> = met.map(|(&request, job)| (request, job.asked.deadline)).collect();
        let track = events::deadlines(self.running.len());
        met.into_iter().for_each(|(request, deadline)| self.mark("deadline", deadline, request, track));
    }
}

impl Recorder for Timeline<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.naps.follow(record).into_iter().for_each(|nap| self.note_nap(nap));
        match *record {
            Record::Arrival { request, asked, .. } => self.arrive(request.0, asked, origin.measured),
            Record::Decision { time, latency, energy, operations, ready, open } => {
                let args = json!({
                    "ready": ready,
                    "open": open,
                    "latency_us": latency.as_us(),
                    "energy_uj": energy.0 / 1e6,
                    "macs": operations.macs,
                });
                let track = events::decisions(self.running.len());
                self.events.push(Event::instant("decision".into(), track, time, args));
            }
            Record::Start { time, sub_job, accelerator, .. } => self.start(time, sub_job, accelerator),
            Record::Finish {
                time, start, sub_job, accelerator, dram_bytes, energy, uncontended_ps, ..
            } => {
                let took_ps = (time - start).as_ps();
                self.note_layer(accelerator, start, time, energy);
                let more = [
                    ("slowdown", took_ps / uncontended_ps),
                    ("dram_bytes", dram_bytes),
                    ("energy_uj", energy.0 / 1e6),
                ];
                self.slice(accelerator, time, &more);
                self.release(time, sub_job);
            }
            // 1 byte/ps is 1,000 GB/s.
            Record::Bandwidth { time, granted_bytes_per_ps } => {
                self.bandwidth.set(time, 1e3 * granted_bytes_per_ps);
            }
            Record::Drift { time, speed, bandwidth_bytes_per_ps, lost } => {
                let args = json!({
                    "speed": speed,
                    "dram_gbps": 1e3 * bandwidth_bytes_per_ps,
                    "accelerators_lost": lost,
                });
                let track = events::decisions(self.running.len());
                self.events.push(Event::instant("drift".into(), track, time, args));
            }
            Record::Done { time, request, asked, .. } => {
                self.close(time, request.0);
                if !asked.is_met_at(time) {
                    self.miss(asked.deadline, request.0, "missed");
                }
            }
            Record::Drop { time, request, reason, .. } => {
                self.close(time, request.0);
                let what = match reason {
                    DropReason::Late => "missed",
                    DropReason::Scheduler => "dropped",
                };
                self.miss(time, request.0, what);
            }
            Record::End { time } => self.finish(time),
            Record::Applied { .. }
            | Record::Pace { .. }
            | Record::Corrected { .. }
            | Record::Phase { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
