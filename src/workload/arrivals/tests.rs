//! What holds for every registered kind, and the Azure presets beside the published figures.

use super::testing::{Sample, assert_published};
use super::*;

/// The keys of a kind with its defaults, and something plausible where there is none.
fn keys(kind: &ArrivalKind) -> String {
    let value = |parameter: &Parameter| match parameter.name {
        _ if !parameter.default.is_empty() => parameter.default.to_string(),
        "rates" => "[3, 1]".into(),
        "dwell" => "[10, 20]".into(),
        "requests" => "5".into(),
        "p" => "0.5".into(),
        "file" | "after" => "'trace.csv'".into(),
        _ => "2".into(),
    };
    let keys = kind.parameters.iter().map(|parameter| format!("{} = {}\n", parameter.name, value(parameter)));
    format!("kind = '{}'\n{}", kind.name, keys.collect::<String>())
}

fn read(keys: &str) -> Result<Arrivals, String> {
    Arrivals::read(&keys.parse().expect("valid TOML"))
}

#[test]
fn every_kind_takes_its_documented_keys_and_no_others() {
    for kind in ARRIVALS {
        let arrivals = read(&keys(kind)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(arrivals.kind().name, kind.name);
        let error = read(&(keys(kind) + "no_such_key = 1\n")).unwrap_err();
        assert!(error.contains(kind.name) && error.contains("no_such_key"), "{error}");
        let left_out = kind.parameters.iter().filter(|parameter| parameter.default.is_empty());
        for parameter in left_out {
            let without: String = keys(kind)
                .lines()
                .filter(|line| !line.starts_with(parameter.name))
                .map(|l| format!("{l}\n"))
                .collect();
            let error = read(&without).unwrap_err();
            assert!(error.contains(parameter.name), "{error}");
        }
        assert!(!kind.doc.is_empty() && !kind.source.is_empty());
    }
}

#[test]
fn only_kinds_that_are_given_a_rate_take_one() {
    for kind in ARRIVALS {
        let with_rate = read(&(keys(kind) + "rate_per_s = 20\n"));
        match kind.rate {
            Rate::Given => {
                let arrivals = with_rate.expect("the rate is a key");
                assert_eq!((arrivals.rate_per_s(), arrivals.has_own_pace()), (Some(20.0), true));
                assert!(!read(&keys(kind)).expect("valid").has_own_pace());
            }
            Rate::Own => {
                assert!(with_rate.unwrap_err().contains("rate_per_s"), "{}", kind.name);
                assert!(read(&keys(kind)).expect("valid").has_own_pace());
            }
        }
    }
    for wrong in ["rate_per_s = 0", "rate_per_s = 'fast'"] {
        let error = read(&format!("kind = 'poisson'\n{wrong}")).unwrap_err();
        assert!(error.contains("rate_per_s"), "{error}");
    }
}

#[test]
fn unknown_and_missing_kinds_are_errors_that_list_the_known_ones() {
    for wrong in ["kind = 'poison'", "cv = 2", "kind = 3"] {
        let error = read(wrong).unwrap_err();
        assert!(ARRIVALS.iter().all(|kind| error.contains(kind.name)), "{error}");
    }
}

#[test]
fn the_same_seed_gives_the_same_times_and_another_seed_others() {
    for kind in ARRIVALS {
        let times = |seed| Sample::of(&keys(kind), 100.0, 50, seed).times();
        assert_eq!(times(1), times(1), "{}", kind.name);
        let random = !["batch", "periodic", "trace", "closed_loop", "cascade"].contains(&kind.name);
        assert_eq!(times(1) != times(2), random, "{}", kind.name);
    }
}

#[test]
fn a_rate_stretches_the_process_in_time() {
    // `diurnal` has a period in seconds, and `planaria_integer` a step.
    let stretched = ["poisson", "gamma", "mmpp2", "azure_code", "azure_conv"];
    for kind in ARRIVALS.iter().filter(|kind| stretched.contains(&kind.name)) {
        let at = |rate_per_s| Sample::of(&keys(kind), rate_per_s, 1_000, 3).times_s();
        for (slow, fast) in at(10.0).iter().zip(at(40.0)) {
            // Rounding to picoseconds adds up.
            assert!((slow - 4.0 * fast).abs() < 1e-8, "{}: {slow} {fast}", kind.name);
        }
    }
}

#[test]
fn a_process_ends_with_the_clock() {
    for kind in ARRIVALS.iter().filter(|kind| kind.rate == Rate::Given) {
        let sample = Sample::of(&keys(kind), 1e-12, 10, 1);
        assert!(sample.points.len() < 10, "{}: {:?}", kind.name, sample.times());
    }
}

#[test]
fn the_azure_presets_have_the_published_variation_and_dispersion() {
    // Rates: 8,819 requests in 3,436 s and 19,366 in 3,502 s. A seed has 1,500 bursts of azure_code.
    let sample = |kind: &'static str, rate_per_s| {
        move |seed| Sample::of(&format!("kind = '{kind}'"), rate_per_s, 200_000, seed)
    };
    assert_published(20, sample("azure_code", 8_819.0 / 3_436.0), [13.2, 13.0, 72.0, 164.0]);
    assert_published(20, sample("azure_conv", 19_366.0 / 3_502.0), [1.09, 1.4, 3.9, 16.1]);
}

#[test]
fn the_azure_presets_are_the_processes_that_their_docs_derive() {
    let idc =
        |law: super::mmpp2::Mmpp2, rate_per_s: f64| [1.0, 10.0, 60.0].map(|s| law.dispersion(s * rate_per_s));
    let close = |found: [f64; 3], documented: [f64; 3]| {
        found.iter().zip(documented).all(|(found, documented)| (found / documented - 1.0).abs() < 0.02)
    };
    let code = idc(azure::code(), 2.567);
    assert!(close(code, [12.0, 78.0, 150.0]), "{code:?}");
    let conv = idc(azure::conv(), 5.53);
    assert!(close(conv, [1.32, 4.1, 16.8]), "{conv:?}");
}
