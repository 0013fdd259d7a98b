//! Events of the Trace Event Format: slices (`X`), instants (`i`), counters (`C`), names of tracks (`M`), and flows, which
//! arrows show (`s` where one starts, `t` a step, `f` its end).
//!
//! One process; thread 0 holds its name, 1 to M the accelerators, M + 1 decisions, M + 2 deadlines and M + 3 arrivals.
//! Counters belong to the process.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::units::Time;

/// The number of the only process.
const PROCESS: u32 = 1;

/// One event, as the format defines it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    name: String,
    ph: char,
    pid: u32,
    tid: usize,
    /// The time in microseconds, rounded down to whole nanoseconds.
    #[serde(rename = "ts", serialize_with = "as_us")]
    pub(super) at: Time,
    /// The duration of a slice, in the same unit.
    #[serde(rename = "dur", serialize_with = "some_as_us", skip_serializing_if = "Option::is_none")]
    took: Option<Time>,
    /// The scope of an instant: `t` is its own track.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    scope: Option<char>,
    #[serde(flatten)]
    flow: Option<Flow>,
    args: Value,
}

/// What makes an event a step of a flow, which has a number.
#[derive(Clone, Copy, Debug, Serialize)]
struct Flow {
    cat: &'static str,
    id: u32,
    /// `e`: it belongs to the slice around it, and not to the next one.
    bp: char,
}

fn as_us<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(whole_ns(*time).as_us())
}

fn some_as_us<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    as_us(&time.unwrap_or_default(), serializer)
}

/// A time rounded down to nanoseconds. Perfetto counts in nanoseconds, and leaves out slices that overlap once it has
/// rounded them.
fn whole_ns(time: Time) -> Time {
    Time(time.0 / 1_000 * 1_000)
}

impl Event {
    fn new(name: String, ph: char, tid: usize, at: Time, args: Value) -> Self {
        Self { name, ph, pid: PROCESS, tid, at, took: None, scope: None, flow: None, args }
    }

    /// A slice, with the exact times among its `args`.
    pub(super) fn slice(name: String, track: usize, start: Time, end: Time, mut args: Value) -> Self {
        args["start_us"] = json!(start.as_us());
        args["end_us"] = json!(end.as_us());
        let took = whole_ns(end) - whole_ns(start);
        Self { took: Some(took), ..Self::new(name, 'X', track, start, args) }
    }

    /// A step of the flow of a request, in the slice that is on a track at a time. `phase` is `s`, `t` or `f`.
    pub(super) fn step(phase: char, request: u32, track: usize, at: Time) -> Self {
        let flow = Some(Flow { cat: "request", id: request, bp: 'e' });
        Self { flow, ..Self::new(format!("request {request}"), phase, track, at, json!({})) }
    }

    pub(super) fn instant(name: String, track: usize, at: Time, args: Value) -> Self {
        Self { scope: Some('t'), ..Self::new(name, 'i', track, at, args) }
    }
}

/// The track of an accelerator.
pub(super) fn accelerator(place: usize) -> usize {
    place + 1
}

/// The track of decisions.
pub(super) fn decisions(accelerators: usize) -> usize {
    accelerators + 1
}

/// The track of deadlines.
pub(super) fn deadlines(accelerators: usize) -> usize {
    accelerators + 2
}

/// The track of arrivals.
pub(super) fn arrivals(accelerators: usize) -> usize {
    accelerators + 3
}

/// The events that name the process and the tracks, and order the tracks.
pub(super) fn names<'a>(title: &str, accelerators: impl Iterator<Item = &'a str>) -> Vec<Event> {
    let meta = |what: &str, track, args| Event::new(what.into(), 'M', track, Time::ZERO, args);
    let mut events = vec![meta("process_name", 0, json!({ "name": title }))];
    for (place, name) in accelerators.chain(["decisions", "deadlines", "arrivals"]).enumerate() {
        let track = accelerator(place);
        events.push(meta("thread_name", track, json!({ "name": name })));
        events.push(meta("thread_sort_index", track, json!({ "sort_index": track })));
    }
    events
}

/// A value over time.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    name: &'static str,
    unit: &'static str,
    points: Vec<(Time, f64)>,
}

impl Counter {
    pub(super) fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, points: Vec::new() }
    }

    /// The value from `at` on, which is not before any earlier one. Only the last value of an instant lasts.
    pub(super) fn set(&mut self, at: Time, value: f64) {
        self.points.pop_if(|(last, _)| *last == at);
        if self.points.last().is_none_or(|&(_, last)| last != value) {
            self.points.push((at, value));
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = Event> {
        self.points
            .iter()
            .map(|&(at, value)| Event::new(self.name.into(), 'C', 0, at, json!({ (self.unit): value })))
    }
}
