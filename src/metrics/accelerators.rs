//! The activity of each accelerator within the measurement window: the rows of accelerators.csv.
//!
//! Layers of requests that are not measured count here, too. An accelerator is busy while it executes a layer, slowed
//! by contention or not, even one that still runs when the run ends. Runs, bytes and energy are those of layers that
//! ended in the window.

use super::context::Window;
use super::{Column, Context, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::{Picojoules, Time};

/// The columns of an accelerator, in order.
pub const ACCELERATOR_COLUMNS: &[Column<Lane>] = &[
    Column::undirected(
        "utilization",
        "Share of the window in which the accelerator is busy",
        |lane: &Lane| Value::per(lane.busy.as_ps(), lane.window.as_ps()),
    )
    .share(),
    Column::undirected("layer_runs", "Layers that ended on the accelerator in the window", |lane| {
        Value::Count(lane.runs)
    }),
    Column::undirected("dram_bytes", "DRAM bytes that these layers moved", |lane| {
        Value::Real(lane.dram_bytes)
    }),
    Column::lower("energy_layers_uj", "Dynamic energy of these layers", |lane| {
        Value::Real(lane.energy.0 / 1e6)
    }),
];

/// The fold behind accelerators.csv.
pub struct Accelerators {
    window: Window,
    lanes: Vec<Lane>,
}

/// The totals of one accelerator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lane {
    busy: Time,
    busy_since: Option<Time>,
    runs: u64,
    dram_bytes: f64,
    energy: Picojoules,
    /// Length of the window; zero until the run ends.
    window: Time,
}

impl Accelerators {
    /// An empty fold.
    pub fn new(context: &Context) -> Self {
        let accelerators = context.world.platform.accelerators.len();
        Self { window: Window::new(), lanes: vec![Lane::default(); accelerators] }
    }

    /// The totals of each accelerator of the platform.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The mean share of the window in which an accelerator is busy.
    pub(super) fn mean_utilization(&self) -> Value {
        let busy: Time = self.lanes.iter().map(|lane| lane.busy).sum();
        Value::per(busy.as_ps(), self.lanes.len() as f64 * self.window.length().as_ps())
    }
}

impl Recorder for Accelerators {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { .. } => self.window.follow(record, origin),
            Record::Start { time, accelerator, .. } => self.lanes[accelerator].busy_since = Some(time),
            Record::Finish { time, start, accelerator, dram_bytes, energy, .. } => {
                let lane = &mut self.lanes[accelerator];
                lane.busy_since = None;
                lane.busy += self.window.share_of(start, time);
                if self.window.has_begun_by(time) {
                    lane.runs += 1;
                    lane.dram_bytes += dram_bytes;
                    lane.energy += energy;
                }
            }
            Record::End { time } => {
                self.window.follow(record, origin);
                for lane in &mut self.lanes {
                    let since = lane.busy_since.unwrap_or(time);
                    lane.busy += self.window.share_of(since, time);
                    lane.window = self.window.length();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;

    #[test]
    fn every_accelerator_by_hand() {
        let example = Example::new();
        let mut accelerators = Accelerators::new(&example.context());
        example.record(&mut accelerators);
        let cells = |place: usize| Column::row(ACCELERATOR_COLUMNS, &accelerators.lanes()[place]);
        let told = |place: usize| cells(place).map(|value| value.as_f64()).collect::<Vec<_>>();
        let assert_row = |place: usize, expected: [f64; 4]| {
            let near = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * b.abs();
            assert!(told(place).into_iter().zip(expected).all(near), "{:?}", told(place));
        };
        // Of the window from 5 to 65: m0 is busy 5-25, 35-50 and 60-65; r0, r1 and r3 end there, of 100 bytes each.
        assert_row(0, [40.0 / 60.0, 3.0, 300.0, 3e-6]);
        // m1 is busy throughout; r2 and r4 have two layers, the first of 50 bytes.
        assert_row(1, [1.0, 4.0, 100.0, 4e-6]);
    }
}
