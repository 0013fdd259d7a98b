//! The example run by hand.

use serde_json::Value;

use super::Timeline;
use crate::metrics::testing::{Example, standby_example};

const NS: f64 = 1e-3;

fn trace() -> Vec<Value> {
    trace_of(&Example::new())
}

fn trace_of(example: &Example) -> Vec<Value> {
    let tenants = ["a".to_string(), "b".to_string()];
    let mut timeline = Timeline::new(&example.world, &tenants);
    example.record(&mut timeline);
    let json: Value = serde_json::from_str(&timeline.to_json("example")).expect("it is JSON");
    json["traceEvents"].as_array().expect("a list").clone()
}

/// (ns, value) of a counter.
fn counter(name: &str, unit: &str) -> Vec<(f64, f64)> {
    counter_of(&trace(), name, unit)
}

fn counter_of(trace: &[Value], name: &str, unit: &str) -> Vec<(f64, f64)> {
    let number = |value: &Value| value.as_f64().expect("a number");
    let events = trace.iter().filter(|event| event["ph"] == "C" && event["name"] == name);
    events.map(|event| ((number(&event["ts"]) / NS).round(), number(&event["args"][unit]))).collect()
}

#[test]
fn slices_are_the_layer_runs() {
    let told: Vec<(String, u64, f64, f64)> = trace()
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let ns = |key: &str| (event[key].as_f64().expect("microseconds") / NS).round();
            let name = event["name"].as_str().expect("a name").to_string();
            (name, event["tid"].as_u64().expect("a track"), ns("ts"), ns("dur"))
        })
        .collect();
    let of = |name: &str, track, from, took| (name.to_string(), track, from, took);
    assert_eq!(
        told,
        [
            of("network/layer/0", 1, 0.0, 15.0),
            of("network/layer/2", 2, 5.0, 10.0),
            of("network/layer/1", 1, 15.0, 10.0),
            of("network/layer/2", 2, 15.0, 20.0),
            of("network/layer/4", 2, 35.0, 10.0),
            of("network/layer/3", 1, 35.0, 15.0),
            of("network/layer/4", 2, 45.0, 20.0),
            of("network/layer/5", 1, 60.0, 5.0),
        ]
    );
}

#[test]
fn counters_by_hand() {
    // 10 bytes/ns are 10 GB/s.
    assert_eq!(
        counter("DRAM granted", "GB/s"),
        [(0.0, 10.0), (25.0, 0.0), (35.0, 10.0), (50.0, 0.0), (60.0, 10.0)]
    );
    // r1 waits for m0 from 5 to 15; all others start at once.
    assert_eq!(counter("ready", "layers"), [(0.0, 0.0), (5.0, 1.0), (15.0, 0.0)]);
    // Both leak 1 pJ/ns = 1 mW. Every layer is 1 pJ over its run; that of r5, cut off, is unknown.
    let milliwatts = [
        (0.0, 2.0 + 1.0 / 15.0),
        (5.0, 2.0 + 1.0 / 15.0 + 0.1),
        (15.0, 2.0 + 0.1 + 0.05),
        (25.0, 2.0 + 0.05),
        (35.0, 2.0 + 1.0 / 15.0 + 0.1),
        (45.0, 2.0 + 1.0 / 15.0 + 0.05),
        (50.0, 2.0 + 0.05),
        (65.0, 2.0),
    ];
    let told = counter("power", "W");
    assert_eq!(told.len(), milliwatts.len(), "{told:?}");
    for ((at, watts), (expected_at, expected)) in told.into_iter().zip(milliwatts) {
        assert!(at == expected_at && (1e3 * watts - expected).abs() < 1e-12, "{at} {watts}");
    }
}

#[test]
fn power_falls_while_an_accelerator_is_off() {
    let told = counter_of(&trace_of(&standby_example()), "power", "W");
    // On, m0 draws 3 mW and m1 1 mW, the DRAM 0.75 mW; off, m0 draws a quarter. Layers are as above. m1 is off until 5, m0
    // after 7 ns of idling, 32-35 and 57-60.
    let milliwatts = [
        (0.0, 3.75 + 1.0 / 15.0),
        (5.0, 4.75 + 1.0 / 15.0 + 0.1),
        (15.0, 4.75 + 0.1 + 0.05),
        (25.0, 4.75 + 0.05),
        (32.0, 2.5 + 0.05),
        (35.0, 4.75 + 1.0 / 15.0 + 0.1),
        (45.0, 4.75 + 1.0 / 15.0 + 0.05),
        (50.0, 4.75 + 0.05),
        (57.0, 2.5 + 0.05),
        (60.0, 4.75 + 0.05),
        (65.0, 4.75),
    ];
    assert_eq!(told.len(), milliwatts.len(), "{told:?}");
    for ((at, watts), (expected_at, expected)) in told.into_iter().zip(milliwatts) {
        assert!(at == expected_at && (1e3 * watts - expected).abs() < 1e-12, "{at} {watts}");
    }
}

#[test]
fn instants_are_decisions_misses_and_drops() {
    let told: Vec<(String, u64, f64)> = trace()
        .iter()
        .filter(|event| event["ph"] == "i")
        .map(|event| {
            let name = event["name"].as_str().expect("a name").to_string();
            let at = (event["ts"].as_f64().expect("microseconds") / NS).round();
            (name, event["tid"].as_u64().expect("a track"), at)
        })
        .collect();
    let on_track = |track| -> Vec<(&str, f64)> {
        let of = told.iter().filter(|(_, on, _)| *on == track);
        of.map(|(name, _, at)| (name.as_str(), *at)).collect()
    };
    let decisions: Vec<f64> = on_track(3).into_iter().map(|(_, at)| at).collect();
    assert_eq!(decisions, [0.0, 5.0, 15.0, 35.0, 45.0, 60.0]);
    // r1 is due at 20 and ends at 25; r2 ends as it is due, at 35; the scheduler drops r3. The others are due after the end.
    assert_eq!(
        on_track(4),
        [("missed: network/1", 20.0), ("deadline: network/2", 35.0), ("dropped: network/3", 45.0)]
    );
    let arrivals: Vec<(&str, f64)> = on_track(5);
    assert_eq!(arrivals.len(), 6);
    assert_eq!((arrivals[0], arrivals[5]), (("arrival: network/0", 0.0), ("arrival: network/5", 60.0)));
}

#[test]
fn arrows_join_the_layers_of_a_request() {
    let steps: Vec<(String, u64, u64, f64)> = trace()
        .iter()
        .filter(|event| event["cat"] == "request")
        .map(|event| {
            assert!(event["bp"] == "e" && event["name"] == format!("request {}", event["id"]), "{event}");
            let number = |key: &str| event[key].as_u64().expect("a number");
            let at = (event["ts"].as_f64().expect("microseconds") / NS).round();
            (event["ph"].as_str().expect("a phase").to_string(), number("id"), number("tid"), at)
        })
        .collect();
    let step = |phase: &str, request, at| (phase.to_string(), request, 2, at);
    // Only r2 and r4 have two layers, both on m1.
    assert_eq!(steps, [step("s", 2, 5.0), step("f", 2, 15.0), step("s", 4, 35.0), step("f", 4, 45.0)]);
}
