//! The tasks of DISB, a benchmark of DNN inference serving (SJTU-IPADS, with REEF, OSDI 2022), as a trace.
//!
//! ```json
//! { "time": 60, "tasks": [{ "id": "camera", "load": { "type": "periodic", "frequency": 20 },
//!                           "client": { "name": "camera", "model_name": "resnet152", "batch_size": 1 } }] }
//! ```
//! A task is a tenant; its model is the network, with @batch where the batch is not 1. Its requests come as DISB's
//! clients send them until `time` (seconds) is over: `periodic` and `poisson` from 0 on at `frequency` per second,
//! `trace` at the given milliseconds. Poisson gaps come from a fixed random stream per task, not from the clock as in
//! DISB. Older files say `strategy` for `load`.
//!
//! Tasks that are `continuous` (closed loops) or `dependent` are left out, with a warning, because the arrival of their
//! requests depends on the run. The delays by which DISB keeps periodic tasks apart, and frames that its clients skip
//! when they are late, are not modelled.

use rand_distr::{Distribution, Exp};
use serde::Deserialize;

use super::{Names, Raw};
use crate::files::{InputError, Source};
use crate::rng;
use crate::units::Time;

#[derive(Deserialize)]
struct Benchmark {
    time: f64,
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    id: Option<String>,
    #[serde(alias = "strategy")]
    load: Load,
    client: Client,
}

#[derive(Deserialize)]
struct Client {
    name: Option<String>,
    model_name: Option<String>,
    batch_size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Load {
    Periodic { frequency: f64 },
    Poisson { frequency: f64 },
    Trace { trace: Vec<u64> },
    Continuous {},
    Dependent {},
}

/// The requests of all tasks, and what is left out.
pub(super) fn read(source: &Source, names: &mut Names) -> Result<(Vec<Raw>, Vec<String>), InputError> {
    let benchmark: Benchmark =
        serde_json::from_str(&source.text).map_err(|e| InputError::at_line(&source.path, e.line(), e))?;
    let fail = |message: String| InputError::file(&source.path, message);
    if !(benchmark.time > 0.0 && benchmark.time <= MAX_TIME_S) {
        return Err(fail(format!(
            "`time` is {}: expected above 0 and at most {MAX_TIME_S} s",
            benchmark.time
        )));
    }
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for task in benchmark.tasks {
        let client = task.client;
        let Some(tenant) = task.id.or(client.name) else {
            return Err(fail("a task has neither an `id` nor a `name` of its client".into()));
        };
        let offsets_s = offsets_s(&task.load, &tenant, benchmark.time)
            .map_err(|message| fail(format!("task `{tenant}`: {message}")))?;
        let Some(offsets_s) = offsets_s else {
            left_out.push(format!("task `{tenant}`: when its requests come depends on the run"));
            continue;
        };
        let network = client.model_name.map(|model| match client.batch_size {
            None | Some(1) => model,
            Some(batch) => format!("{model}@{batch}"),
        });
        let (tenant, network) = (names.id(&tenant), network.map(|network| names.id(&network)));
        rows.extend(offsets_s.into_iter().map(|time_s| Raw {
            time_ps: Time::from_s(time_s).0.into(),
            within_ps: None,
            priority: None,
            tenant: Some(tenant),
            network,
            line: 0,
        }));
    }
    Ok((rows, left_out))
}

/// The longest `time`. Our choice, because a day is longer than any task in sight.
const MAX_TIME_S: f64 = 86_400.0;

/// The most requests of a task. Our choice, because they are ten times the longest run in sight.
const MAX_OF_TASK: f64 = 1e7;

/// The arrival times of a task's requests; `None` if they depend on the run.
fn offsets_s(load: &Load, tenant: &str, time_s: f64) -> Result<Option<Vec<f64>>, String> {
    match load {
        Load::Periodic { frequency } => {
            let frequency = checked(*frequency, time_s)?;
            let frames = (0u64..).map(|frame| frame as f64 / frequency);
            Ok(Some(frames.take_while(|&offset_s| offset_s < time_s).collect()))
        }
        Load::Poisson { frequency } => {
            let gaps_s = Exp::new(checked(*frequency, time_s)?).expect("the frequency is above 0");
            let mut rng = rng::stream(0, "disb", tenant);
            let mut next_s = 0.0;
            let offsets_s = std::iter::from_fn(|| {
                let offset_s = next_s;
                next_s += gaps_s.sample(&mut rng);
                Some(offset_s)
            });
            Ok(Some(offsets_s.take_while(|&offset_s| offset_s < time_s).collect()))
        }
        Load::Trace { trace } => {
            let offsets_s = trace.iter().map(|&ms| ms as f64 / 1e3);
            Ok(Some(offsets_s.filter(|&offset_s| offset_s < time_s).collect()))
        }
        Load::Continuous {} | Load::Dependent {} => Ok(None),
    }
}

fn checked(frequency: f64, time_s: f64) -> Result<f64, String> {
    match frequency > 0.0 && frequency * time_s <= MAX_OF_TASK {
        true => Ok(frequency),
        false => Err(format!(
            "`frequency` is {frequency}: expected above 0, and at most {MAX_OF_TASK:.0} requests in all"
        )),
    }
}
