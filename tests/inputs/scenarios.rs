//! Does it run: every shipped scenario loads with the numbers of its source, and a wrong file is refused with its line.

use std::fs;
use std::path::Path;

use mascot::experiment::{DataRoot, Kind};
use mascot::files::InputError;
use mascot::units::Time;
use mascot::workload::{
    AccuracyTerm, Combine, DelayTerm, Firm, Late, Scenario, SlaRule, Tenant, Utility, Variant, Weighted,
};

const NETWORKS: [&str; 3] = ["alexnet", "kws_res26", "yolov2"];

/// A model of two of the networks; the better one is not the last.
const DETECT: &str = "name = 'detect'\nmetric = 'mAP'\nsource = 't'\nbatches = [1, 2]\n[[variant]]\nnetwork = 'alexnet'\n\
                      accuracy = 0.8\n[[variant]]\nnetwork = 'yolov2'\naccuracy = 0.6\n";

/// A folder in which these networks exist, which a scenario does not read, and below it one with models.
fn networks() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    for name in NETWORKS {
        fs::write(folder.path().join(name).with_extension("toml"), "").expect("the folder is ours");
    }
    let models = folder.path().join("models");
    fs::create_dir(&models).expect("the folder is ours");
    fs::write(models.join("detect.toml"), DETECT).expect("the folder is ours");
    fs::write(models.join("other.toml"), DETECT).expect("the folder is ours");
    folder
}

fn shipped(name: &str) -> Scenario {
    let workloads = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let path = workloads.join("scenarios").join(name).with_extension("toml");
    Scenario::read(&path, &workloads.join("networks"), &workloads.join("models"))
        .expect("a shipped scenario is valid")
}

/// The names of all presets.
fn presets() -> Vec<String> {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let names = data.names(Kind::Scenario);
    assert!(names.len() >= 3);
    names
}

/// Reads a scenario that consists of `text`.
fn read(text: &str) -> Result<Scenario, InputError> {
    let folder = networks();
    let path = folder.path().join("scenario.toml");
    fs::write(&path, text).expect("the folder is ours");
    Scenario::read(&path, folder.path(), &folder.path().join("models"))
}

#[test]
fn every_preset_loads_under_its_own_name_and_says_where_it_comes_from() {
    for name in presets() {
        let scenario = shipped(&name);
        assert_eq!(scenario.name, name);
        let shares: f64 = scenario.network_shares().iter().sum();
        assert!((shares - 1.0).abs() < 1e-12);
        for part in ["(", "Changed here: "] {
            assert!(scenario.source.contains(part), "{name}: `{part}` is not in `{}`", scenario.source);
        }
    }
}

#[test]
fn the_moca_sets_have_moca_s_weights_and_targets() {
    let mixed = shipped("mixed");
    let weights: Vec<f64> = mixed.tenants.iter().map(|tenant| tenant.weight).collect();
    assert_eq!(weights, [12.0, 18.0, 16.0, 30.0, 21.0, 18.0, 25.0]);
    assert_eq!(mixed.networks.len(), 7);
    for set in ["light", "heavy"] {
        for tenant in shipped(set).tenants {
            let same = mixed.tenants.iter().find(|other| other.name == tenant.name).unwrap();
            assert_eq!((tenant.weight, tenant.sla), (same.weight, same.sla));
            assert!(tenant.sla.sla(SlaRule::Absolute, 4.0).is_some());
            let levels: Vec<u32> = tenant.priorities.iter().map(|level| level.value).collect();
            assert_eq!(levels, [1, 3, 9]);
        }
    }
}

#[test]
fn the_moca_sets_in_streams_are_the_same_sets() {
    let asked = |scenario: &Scenario| {
        let networks = scenario.networks.iter().zip(scenario.network_shares()).enumerate();
        let target = |network| {
            let asks = |tenant: &&Tenant| tenant.networks.iter().any(|choice| choice.value == network);
            scenario.tenants.iter().find(asks).and_then(|tenant| tenant.terms(network).target)
        };
        let row = |(network, (variant, share)): (usize, (&Variant, f64))| {
            (
                variant.label(),
                (share * 1e9).round(),
                target(network as u32).expect("every network has a target"),
            )
        };
        networks.map(row).collect::<Vec<_>>()
    };
    for set in ["light", "heavy", "mixed"] {
        let streams = shipped(&format!("moca_{set}"));
        assert_eq!(asked(&streams), asked(&shipped(set)));
        let levels: f64 = streams.tenants[0].priorities.iter().map(|level| level.weight).sum();
        assert_eq!(levels, 108.0);
    }
}

#[test]
fn tenants_may_mix_networks_and_have_their_own_priority_and_deadlines() {
    let scenario = read(
        r#"
        name = "pair"
        source = "test"
        priorities = [{ level = 0, weight = 15 }, { level = 11 }]
        [[tenant]]
        name = "camera"
        network = "yolov2"
        weight = 3
        arrivals = { kind = "poisson" }
        priority = 9
        target_us = 16_700
        [[tenant]]
        name = "assistant"
        networks = [{ name = "kws_res26", weight = 3, target_us = 33_300 }, { name = "yolov2" }]
        deadline_factor = 7
        "#,
    )
    .unwrap();
    let [camera, assistant] = &scenario.tenants[..] else { panic!("two tenants") };
    let labels: Vec<String> = scenario.networks.iter().map(|network| network.label()).collect();
    assert_eq!(labels, ["yolov2", "kws_res26"]);
    assert_eq!(scenario.tenant_shares(), [0.75, 0.25]);
    assert_eq!(scenario.network_shares(), [0.75 + 0.25 * 0.25, 0.25 * 0.75]);
    assert_eq!(scenario.rates_per_s(100.0), [75.0, 25.0]);
    assert_eq!(camera.priorities, [Weighted { value: 9, weight: 1.0 }]);
    assert_eq!(camera.sla.target, Some(Time(16_700_000_000)));
    assert_eq!((camera.arrivals.kind().name, scenario.has_own_pace()), ("poisson", false));
    assert_eq!(assistant.priorities.len(), 2);
    assert_eq!(assistant.sla.deadline_factor, Some(7.0));
    let targets = [1, 0].map(|network| assistant.terms(network).target);
    assert_eq!(targets, [Some(Time(33_300_000_000)), None]);
    assert_eq!(camera.terms(0), camera.sla);
}

#[test]
fn a_scenario_may_say_when_requests_come_and_on_which_terms() {
    let scenario = read(
        r#"
        name = "xr"
        source = "test"
        arrivals = { kind = "gamma", cv = 3, rate_per_s = 20 }
        qos_levels = [{ level = "H" }, { level = "L", weight = 3 }]
        [[tenant]]
        name = "camera"
        network = "yolov2"
        batch = 2
        arrivals = { kind = "periodic", fps = 30 }
        sla = "period"
        qos = "M"
        late = "abort"
        target_hit_rate = 0.95
        firm = { m = 9, k = 10 }
        pin_weights = true
        [[tenant]]
        name = "speech"
        networks = [{ name = "kws_res26", batch = 4 }, { name = "yolov2", batch = 2 }, { name = "yolov2" }]
        "#,
    )
    .unwrap();
    let [camera, speech] = &scenario.tenants[..] else { panic!("two tenants") };
    let labels: Vec<String> = scenario.networks.iter().map(|network| network.label()).collect();
    assert_eq!(labels, ["yolov2@2", "kws_res26@4", "yolov2"]);
    assert_eq!(speech.networks.iter().map(|choice| choice.value).collect::<Vec<_>>(), [1, 0, 2]);
    assert_eq!((scenario.network("kws_res26@4"), scenario.network("kws_res26")), (Some(1), None));
    assert!(scenario.has_own_pace() && scenario.total().is_none());
    assert_eq!(scenario.rates_per_s(0.0)[1], 20.0);
    assert_eq!((camera.arrivals.kind().name, speech.arrivals.kind().name), ("periodic", "gamma"));
    assert_eq!((camera.sla.rule, speech.sla.rule), (Some(SlaRule::Period), None));
    assert_eq!((camera.qos.len(), camera.qos[0].value, speech.qos.len()), (1, 1, 2));
    assert_eq!((camera.late, camera.target_hit_rate), (Some(Late::Abort), Some(0.95)));
    assert_eq!((camera.pin_weights, speech.pin_weights), (true, false));
    assert_eq!([0, 1].map(|network| scenario.pins_weights(network)), [true, false]);
    assert_eq!((camera.firm, speech.firm), (Some(Firm { m: 9, k: 10 }), None));
}

#[test]
fn a_tenant_of_a_model_asks_for_its_best_variant_and_keeps_what_concerns_its_answers() {
    let scenario = read(
        r#"
        name = "users"
        source = "test"
        utility = { accuracy = "range", combine = "weighted", weight = 0.25 }
        [[tenant]]
        name = "a"
        network = "yolov2"
        [[tenant]]
        name = "b"
        model = "detect"
        node = "Madrid"
        input_kb = 1.5
        output_kb = 2
        min_accuracy = 0.7
        utility = { delay = { kind = "linear", full_us = 10, zero_us = 50 }, accuracy = "relative" }
        [[tenant]]
        name = "c"
        model = "detect"
        "#,
    )
    .unwrap();
    let networks: Vec<String> = scenario.networks.iter().map(Variant::label).collect();
    assert_eq!(networks, ["yolov2", "alexnet"]);
    assert_eq!(scenario.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["detect"]);
    let [a, b, c] = scenario.tenants.as_slice() else { panic!("there are three") };
    assert_eq!([a.model, b.model, c.model], [None, Some(0), Some(0)]);
    assert_eq!([a, b, c].map(|tenant| tenant.networks[0].value), [0, 1, 1]);
    assert_eq!((b.node.as_deref(), b.input_bytes, b.output_bytes), (Some("Madrid"), 1_500.0, 2_000.0));
    assert_eq!((a.node.as_deref(), a.input_bytes, a.output_bytes), (None, 0.0, 0.0));
    assert_eq!([a.min_accuracy, b.min_accuracy], [None, Some(0.7)]);
    let delay = DelayTerm::Linear { full: Time::from_us(10.0), zero: Time::from_us(50.0) };
    let own = Utility { accuracy: AccuracyTerm::Relative, delay, combine: Combine::Product };
    let of_all = Utility {
        accuracy: AccuracyTerm::Range,
        delay: DelayTerm::Deadline,
        combine: Combine::Weighted(0.25),
    };
    assert_eq!([a, b, c].map(|tenant| tenant.utility), [of_all, own, of_all]);
}

#[test]
fn every_kind_of_delay_is_read() {
    let delay = |keys: &str| {
        let text = format!(
            "name = 's'\nsource = 't'\n[[tenant]]\nname = 'a'\nmodel = 'detect'\nutility = {{ delay = {{ {keys} }} }}\n"
        );
        read(&text).unwrap().tenants[0].utility.delay
    };
    let us = Time::from_us;
    assert_eq!(delay("kind = 'deadline'"), DelayTerm::Deadline);
    assert_eq!(
        delay("kind = 'exponential', full_us = 0, tau_us = 5"),
        DelayTerm::Exponential { full: us(0.0), tau: us(5.0) }
    );
    assert_eq!(
        delay("kind = 'sigmoid', mid_us = 7, width_us = 2"),
        DelayTerm::Sigmoid { mid: us(7.0), width: us(2.0) }
    );
}

#[test]
fn a_tenant_may_follow_another_that_comes_later_in_the_file() {
    let scenario = read(
        r#"
        name = "xr"
        source = "test"
        [[tenant]]
        name = "c"
        network = "alexnet"
        arrivals = { kind = "cascade", after = "b", probability = 0.5 }
        sla = "period"
        [[tenant]]
        name = "b"
        network = "yolov2"
        arrivals = { kind = "cascade", after = "a", probability = 0.2 }
        [[tenant]]
        name = "a"
        network = "yolov2"
        arrivals = { kind = "periodic", fps = 30 }
        "#,
    )
    .unwrap();
    let stages: Vec<(u32, u32)> = scenario.stages.iter().map(|stage| (stage.tenant, stage.after)).collect();
    assert_eq!(stages, [(1, 2), (0, 1)]);
    assert!(scenario.has_own_pace() && scenario.has_followers() && !scenario.has_loops());
    assert!((0..3).all(|tenant| scenario.source_of(tenant) == 2 && scenario.has_frames(tenant)));
    assert_eq!(scenario.with_stages(vec![0.0, 0.0, 30.0]), [3.0, 6.0, 30.0]);
}

#[test]
fn wrong_files_are_refused_with_their_line() {
    let tenant = "[[tenant]]\nname = 'a'\nnetwork = 'yolov2'\n";
    let cases = [
        (format!("{tenant}wieght = 1\n"), 6, "wieght"),
        (format!("{tenant}weight = 0\n"), 6, "expected a weight"),
        (format!("{tenant}weight = -2\n"), 6, "expected a weight"),
        (format!("{tenant}weight = nan\n"), 6, "expected a weight"),
        (format!("{tenant}target_us = 0\n"), 6, "`target_us` is 0: expected a number from 0.01 to 1e9"),
        (
            "[[tenant]]\nname = 'a'\nnetworks = [{ name = 'yolov2', target_us = 0 }]\n".into(),
            5,
            "`target_us` is 0: expected a number from 0.01 to 1e9",
        ),
        (
            format!("{tenant}deadline_factor = inf\n"),
            6,
            "`deadline_factor` is inf: expected a number from 1e-9 to 1e12",
        ),
        (format!("{tenant}priority = -1\n"), 6, "-1"),
        (format!("{tenant}priority = 1\npriorities = [{{ level = 1 }}]\n"), 7, "either"),
        (format!("{tenant}priorities = []\n"), 6, "at least one"),
        (format!("{tenant}priorities = [\n{{ level = 1 }},\n{{ level = 1 }}]\n"), 8, "listed twice"),
        (format!("{tenant}arrivals = {{ kind = 'poison' }}\n"), 6, "poison"),
        (format!("{tenant}arrivals = {{ kind = 'poisson', cv = 2 }}\n"), 6, "cv"),
        (format!("{tenant}arrivals = {{ kind = 'gamma', cv = -2 }}\n"), 6, "`cv`"),
        (format!("{tenant}arrivals = {{ kind = 'batch', rate_per_s = 3 }}\n"), 6, "rate_per_s"),
        (format!("{tenant}sla = 'period'\n"), 6, "periodic"),
        (format!("{tenant}sla = 'soon'\n"), 6, "soon"),
        (format!("{tenant}qos = 'X'\n"), 6, "`X`"),
        (format!("{tenant}qos = 'H'\nqos_levels = [{{ level = 'H' }}]\n"), 7, "either"),
        (format!("{tenant}qos_levels = [{{ level = 'H' }}, {{ level = 'H' }}]\n"), 6, "`H` is listed twice"),
        (format!("{tenant}firm = {{ m = 3, k = 2 }}\n"), 6, "1 <= m <= k"),
        (
            format!("{tenant}target_hit_rate = 1.5\n"),
            6,
            "`target_hit_rate` is 1.5: expected a number from 1e-6 to 1",
        ),
        (format!("{tenant}batch = 0\n"), 6, "1 to 1024"),
        (format!("{tenant}late = 'never'\n"), 6, "never"),
        (
            format!("{tenant}arrivals = {{ kind = 'batch', requests = 3 }}\nweight = 2\n"),
            7,
            "an absolute arrival rate",
        ),
        (
            format!(
                "{tenant}arrivals = {{ kind = 'batch', requests = 3 }}\n[[tenant]]\nname = 'b'\nnetwork = 'yolov2'\n"
            ),
            8,
            "rate_per_s",
        ),
        (format!("{tenant}arrivals = {{ kind = 'cascade', after = 'b' }}\n"), 4, "expected one of a"),
        (format!("{tenant}arrivals = {{ kind = 'cascade', after = 'a' }}\n"), 4, "leads back to itself"),
        (
            format!("{tenant}arrivals = {{ kind = 'cascade', after = 'a', probability = 2 }}\n"),
            6,
            "from 0 to 1",
        ),
        (format!("{tenant}arrivals = {{ kind = 'closed_loop' }}\n"), 6, "in_flight"),
        (
            format!("{tenant}arrivals = {{ kind = 'closed_loop', in_flight = 2 }}\nsla = 'period'\n"),
            7,
            "next frame",
        ),
        (format!("{tenant}networks = [{{ name = 'alexnet' }}]\n"), 5, "either"),
        (format!("{tenant}{tenant}"), 7, "two tenants are named `a`"),
        ("[[tenant]]\nname = 'a'\nnetwork = 'resnet5'\n".into(), 5, "no network `resnet5`"),
        ("[[tenant]]\nname = 'a'\nnetworks = []\n".into(), 5, "at least one"),
        ("[[tenant]]\nname = 'a'\n".into(), 4, "expected either `network` or `networks`, or a `model`"),
        (format!("{tenant}model = 'detect'\n"), 6, "expected either `network` or `model`"),
        (format!("{tenant}min_accuracy = 0.5\n"), 6, "for tenants with a `model`"),
        (format!("{tenant}input_kb = -1\n"), 6, "`input_kb` is -1: expected a number from 0"),
        (
            format!("{tenant}utility = {{ acuracy = 'range' }}\n"),
            6,
            "unknown field `acuracy` (did you mean `accuracy`?)",
        ),
        (format!("{tenant}utility = {{ combine = 'weighted' }}\n"), 6, "needs the `weight`"),
        (format!("{tenant}utility = {{ weight = 0.5 }}\n"), 6, "`weight` has no meaning"),
        (
            format!("{tenant}utility = {{ combine = 'weighted', weight = 2 }}\n"),
            6,
            "`weight` is 2: expected a number from 0 to 1",
        ),
        (
            format!("{tenant}utility = {{ delay = {{ kind = 'linear', full_us = 5 }} }}\n"),
            6,
            "a delay of kind `linear` needs `zero_us`",
        ),
        (
            format!("{tenant}utility = {{ delay = {{ kind = 'linear', full_us = 5, zero_us = 5 }} }}\n"),
            6,
            "`zero_us` is 5: expected more than `full_us`, which is 5",
        ),
        (
            format!("{tenant}utility = {{ delay = {{ kind = 'deadline', tau_us = 5 }} }}\n"),
            6,
            "`tau_us` has no meaning here: `deadline` takes no key",
        ),
        (format!("{tenant}utility = {{ delay = {{ kind = 'step' }} }}\n"), 6, "step"),
        (
            "[[tenant]]\nname = 'a'\nmodel = 'detekt'\n".into(),
            5,
            "no model `detekt` (did you mean `detect`?)",
        ),
        ("[[tenant]]\nname = 'a'\nmodel = 'detect'\nbatch = 2\n".into(), 6, "lists its batches"),
        (
            "[[tenant]]\nname = 'a'\nmodel = 'detect'\nmin_accuracy = 0.9\n".into(),
            6,
            "`min_accuracy` is 0.9: expected at most 0.8, which the most accurate variant of `detect` has",
        ),
    ];
    for (text, line, part) in cases {
        let error = read(&format!("name = 's'\nsource = 't'\n{text}")).unwrap_err();
        assert_eq!(error.line, Some(line), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let other = "name = 's'\nsource = 't'\n[[tenant]]\nname = 'a'\nmodel = 'other'\n";
    let error = read(other).unwrap_err();
    assert!(
        error.to_string().ends_with("other.toml: `name` is `detect`: expected `other`, the name of the file")
    );
    let error = read("name = 's'\nsource = 't'\ntenant = []\n").unwrap_err();
    assert!(error.to_string().contains("`tenant` is empty"), "{error}");
}
