//! `timeout`: a full batch at once, else whatever waits once the oldest request has waited for so long. What the dynamic
//! batching of model servers does (`max_batch_size` and `batch_timeout_micros` of TensorFlow Serving,
//! `max_queue_delay_microseconds` of Triton).

use super::limit::{MAX, largest};
use crate::dispatch::{Batch, Batching, LONGEST_US, Queue, RuleEntry, parse};
use crate::files::Parameter;
use crate::serve::FleetView;
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Batch> = RuleEntry {
    name: "timeout",
    doc: "a full batch at once, else whatever waits once the oldest request has waited for so long",
    source: "dynamic batching of TensorFlow Serving and Triton",
    parameters: &[
        Parameter { name: "us", default: "", doc: "longest wait of the oldest request in microseconds" },
        MAX,
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { us, max } = parse(parameters)?;
        if !(0.0..=LONGEST_US).contains(&us) {
            return Err(format!("`us` is {us}; it has to be from 0 to {LONGEST_US:e}"));
        }
        Ok(Box::new(Timeout { patience: Time::from_us(us), max }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    us: f64,
    #[serde(default)]
    max: usize,
}

struct Timeout {
    patience: Time,
    max: usize,
}

impl Batch for Timeout {
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        _: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching {
        spent.comparisons += 2;
        let largest = largest(self.max, queue);
        let oldest = queue.oldest().map_or(view.now(), |request| request.queued_at);
        let until = oldest + self.patience;
        match queue.len() {
            n if n >= largest => Batching::Launch(largest),
            n if until <= view.now() => Batching::Launch(n),
            _ => Batching::Wait(Some(until)),
        }
    }
}
