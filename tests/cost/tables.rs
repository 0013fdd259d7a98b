//! Does the cost of whole networks run, and is each single cost within what physics allows?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use mascot::cost::{
    Cache, Goal, UserTable, as_run, compulsory_bytes, evaluate, layer_cost, mapper, model, tables,
};
use mascot::dims::{Dim, LayerKind};
use mascot::experiment::DataRoot;
use mascot::hw::{AccelSpec, Fusion, Objective, SystemSpec};
use mascot::workload::{Layer, LoopNest, Network, Op};

const OBJECTIVES: [Objective; 3] = [Objective::Latency, Objective::Energy, Objective::Edp];

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("accel-models")
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

fn accelerators() -> Vec<AccelSpec> {
    toml_files(&models()).iter().map(|path| AccelSpec::read(path).unwrap()).collect()
}

fn system(name: &str) -> SystemSpec {
    SystemSpec::read(&models().join(format!("systems/{name}.toml")), &models()).unwrap()
}

fn nest(bounds: [u64; 8], stride: u64) -> LoopNest {
    LoopNest { bounds, stride: [stride; 2], dilation: [1; 2], padding: [0; 2] }
}

/// One layer of every sort that the networks have, small enough for a test.
fn network() -> Network {
    let ops = [
        ("strided", Op::Conv(nest([1, 1, 32, 3, 28, 28, 7, 7], 2))),
        ("pointwise", Op::Conv(nest([1, 1, 64, 32, 14, 14, 1, 1], 1))),
        ("downsample", Op::Conv(nest([1, 1, 64, 32, 7, 7, 1, 1], 2))),
        ("depthwise", Op::Conv(nest([1, 64, 1, 1, 14, 14, 3, 3], 1))),
        ("grouped", Op::Conv(nest([1, 2, 32, 24, 13, 13, 3, 3], 1))),
        ("classifier", Op::Gemm(nest([1, 1, 1000, 512, 1, 1, 1, 1], 1))),
        ("projection", Op::Gemm(nest([1, 1, 96, 96, 48, 1, 1, 1], 1))),
        ("scores", Op::Matmul(nest([1, 4, 48, 24, 48, 1, 1, 1], 1))),
        ("pool", Op::Vector { reads: 12_544, writes: 3_136, ops: 12_544 }),
        ("embedding", Op::Lookup { reads: 98_304, writes: 98_304 }),
    ];
    let layer = |(name, op): (&str, Op)| Layer::new(name, op, vec![]);
    let layers = ops.into_iter().map(layer).collect();
    Network { name: "sample".into(), source: "by hand".into(), totals: None, layers }
}

fn goal(objective: Objective) -> Goal {
    Goal { objective, bandwidth_gbps: 32.0 }
}

#[test]
fn every_shipped_accelerator_and_system_loads() {
    assert!(accelerators().len() >= 10);
    let systems = toml_files(&models().join("systems"));
    let read: Vec<SystemSpec> =
        systems.iter().map(|path| SystemSpec::read(path, &models()).unwrap()).collect();
    assert!(read.len() >= 5);
    for (file, system) in systems.iter().zip(&read) {
        assert_eq!(file.file_stem().unwrap().to_str().unwrap(), system.name);
    }
    for name in ["hetero-6", "simba-6", "eyeriss-6"] {
        assert_eq!(system(name).macs_per_cycle(), 4608, "{name}: compared at equal MACs");
    }
}

#[test]
fn every_mapping_found_is_legal_and_costs_what_its_evaluation_says() {
    for accel in accelerators() {
        for layer in &network().layers {
            let Some(nest) = layer.op.nest() else { continue };
            for objective in OBJECTIVES {
                let found = mapper::search(&accel, nest, goal(objective)).unwrap();
                let place = format!("{} on {} for {objective:?}", layer.name, accel.name);
                found.mapping.check_legal(&accel, nest).unwrap_or_else(|e| panic!("{place}: {e}"));
                let evaluation = evaluate(&accel, nest, &found.mapping).unwrap();
                let modelled = model(&accel, nest, &found.mapping).unwrap();
                assert_eq!(modelled.total_cycles, found.cycles, "{place}");
                if accel.array_efficiency == 1.0 && accel.dram_overlap == 1.0 {
                    assert_eq!(evaluation.cycles, found.cycles, "{place}");
                }
                assert_eq!(evaluation.dram_bytes, found.dram_bytes, "{place}");
                assert!(evaluation.utilization > 0.0 && evaluation.utilization <= 1.0, "{place}");
                let by_level: f64 = evaluation.dynamic_pj.iter().sum();
                assert!(
                    (by_level - found.dynamic_energy.0).abs() <= 1e-9 * by_level,
                    "{place}: not additive"
                );
            }
        }
    }
}

#[test]
fn no_cost_beats_compulsory_traffic_or_peak_rate() {
    for accel in accelerators() {
        for batch in [1, 3] {
            for layer in &network().layers {
                let op = layer.op.with_batch(batch);
                let cost = layer_cost(&accel, &op.into(), goal(Objective::Edp)).unwrap();
                let place = format!("{} x {batch} on {}", layer.name, accel.name);
                assert!(cost.dram_bytes >= compulsory_bytes(&accel, &op), "{place}: {cost:?}");
                assert!(cost.utilization <= 1.0, "{place}: {cost:?}");
                assert!(cost.latency.0 > 0 && cost.energy.0 > 0.0 && cost.tiles >= 1, "{place}: {cost:?}");
            }
        }
    }
}

#[test]
fn each_objective_is_best_at_what_it_minimises() {
    for accel in accelerators() {
        for layer in network().layers.iter().filter(|layer| layer.op.nest().is_some()) {
            let [fast, frugal, both] =
                OBJECTIVES.map(|o| layer_cost(&accel, &layer.work(1), goal(o)).unwrap());
            let latency =
                |cost: &mascot::cost::LayerCost| cost.latency.as_s().max(cost.dram_bytes.0 as f64 / 32e9);
            let place = format!("{} on {}", layer.name, accel.name);
            assert!(latency(&fast) <= latency(&both) * (1.0 + 1e-9), "{place}");
            assert!(latency(&fast) <= latency(&frugal) * (1.0 + 1e-9), "{place}");
            // Energy is minimised with the leakage of the used instances, which the cost leaves out.
            assert!(frugal.energy.0 <= both.energy.0 * 1.01, "{place}");
        }
    }
}

#[test]
fn what_an_accelerator_cannot_run_has_no_cost() {
    let accel = AccelSpec::read(&models().join("eyeriss_chip.toml")).unwrap();
    let wide = Op::Conv(nest([1, 1, 8, 8, 32, 32, 1, 16], 1));
    assert_eq!(layer_cost(&accel, &wide.into(), goal(Objective::Edp)), None, "16 kernel columns on 12 rows");
    let no_vector = AccelSpec { kinds: vec![LayerKind::Conv], ..accel };
    assert_eq!(
        layer_cost(&no_vector, &Op::Lookup { reads: 1, writes: 1 }.into(), goal(Objective::Edp)),
        None
    );
}

#[test]
fn depthwise_layers_use_one_mac_of_each_simba_pe() {
    let depthwise = nest([1, 64, 1, 1, 14, 14, 3, 3], 1);
    for name in ["simba_chip", "simba_1024"] {
        let accel = AccelSpec::read(&models().join(format!("{name}.toml"))).unwrap();
        let found = mapper::search(&accel, &depthwise, goal(Objective::Latency)).unwrap();
        let evaluation = evaluate(&accel, &depthwise, &found.mapping).unwrap();
        assert!(evaluation.utilization <= 1.0 / 64.0, "{name}: {}", evaluation.utilization);
        let unrolled: Vec<Dim> =
            found.mapping.levels.iter().flat_map(|l| l.spatial.iter().flatten()).map(|l| l.dim).collect();
        assert_eq!(unrolled, [Dim::G], "{name}");
    }
}

#[test]
fn what_hides_less_or_fills_longer_takes_longer() {
    let ideal = AccelSpec::read(&models().join("simba_1024.toml")).unwrap();
    let op = Op::Conv(nest([1, 1, 64, 32, 14, 14, 3, 3], 1));
    let latency =
        |accel: &AccelSpec| layer_cost(accel, &op.into(), goal(Objective::Latency)).unwrap().latency.0;
    let base = latency(&ideal);
    assert!(latency(&AccelSpec { array_efficiency: 0.5, ..ideal.clone() }) >= 3 * base / 2);
    assert!(latency(&AccelSpec { dram_overlap: 0.0, ..ideal.clone() }) > base);
    let later = AccelSpec { fill_drain_cycles: 70, dispatch_cycles: 30, ..ideal.clone() };
    assert_eq!(latency(&later), base + 100_000, "100 cycles of 1 ns");
}

#[test]
fn tables_are_the_same_from_any_threads_and_from_the_cache() {
    let system = system("hetero-4");
    let network = network();
    let jobs = [(&network, 1), (&network, 2)];
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let silent = |_: usize, _: usize| {};
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(|| tables(&system, &jobs, &Cache::off(), &silent)).unwrap();
    let two = pool(2).install(|| tables(&system, &jobs, &cache, &silent)).unwrap();
    assert_eq!(one, two);

    let mapped = AtomicUsize::new(0);
    let count = |_: usize, _: usize| {
        mapped.fetch_add(1, Ordering::Relaxed);
    };
    assert_eq!(tables(&system, &jobs, &cache, &count).unwrap(), one);
    assert_eq!(mapped.load(Ordering::Relaxed), 0, "a warm start maps nothing");

    damage_one_file(folder.path());
    assert_eq!(tables(&system, &jobs, &cache, &count).unwrap(), one);
    assert_eq!(mapped.load(Ordering::Relaxed), 2, "one damaged line, one cut off");
    assert!(cache.take_warnings().iter().any(|warning| warning.contains("damaged")));
    assert_eq!(tables(&system, &jobs, &cache, &silent).unwrap(), one);
    assert_eq!(cache.take_warnings(), Vec::<String>::new());
}

#[test]
fn a_crash_half_way_keeps_what_was_mapped() {
    let mut system = system("hetero-4");
    system.models.truncate(2);
    let network = DataRoot::find(None).unwrap().network("inception_v3").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let attempt = |crash_at: usize| {
        let mapped = AtomicUsize::new(0);
        let progress = |_: usize, _: usize| {
            assert!(mapped.fetch_add(1, Ordering::Relaxed) < crash_at, "a crash");
        };
        let cache = Cache::at(folder.path());
        let run = AssertUnwindSafe(|| tables(&system, &[(&network, 1)], &cache, &progress).unwrap());
        let found = std::panic::catch_unwind(run);
        assert_eq!(cache.take_warnings(), Vec::<String>::new());
        (found.ok(), mapped.into_inner())
    };
    let distinct: BTreeSet<Op> = network.layers.iter().map(|layer| layer.op).collect();
    let (crashed, _) = attempt(70);
    assert!(crashed.is_none());
    let (whole, mapped) = attempt(usize::MAX);
    assert_eq!(mapped, 2 * distinct.len() - 64, "what was mapped is kept in batches of 64");
    assert_eq!(attempt(0), (whole, 0));
}

/// Changes a digit in the first line of a cache file and cuts the last one.
fn damage_one_file(folder: &Path) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let digit = bytes.iter().position(u8::is_ascii_digit).unwrap();
    bytes[digit] = if bytes[digit] == b'9' { b'1' } else { b'9' };
    bytes.truncate(bytes.len() - 10);
    std::fs::write(&files[0], bytes).unwrap();
}

#[test]
fn a_cache_that_cannot_be_written_is_only_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    std::fs::write(&file, "").unwrap();
    let cache = Cache::at(&file);
    let mut system = system("hetero-4");
    system.models.truncate(1);
    let mut network = network();
    network.layers.truncate(1);
    tables(&system, &[(&network, 1)], &cache, &|_, _| {}).unwrap();
    assert!(!cache.take_warnings().is_empty());
}

/// The error of a system that brings `rows` as its own table for two layers of the sample on one model.
fn with_table(rows: &str) -> Result<mascot::cost::CostTable, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, format!("network,layer,accelerator,cycles,dram_bytes,energy_pj\n{rows}")).unwrap();
    let mut system = system("simba-6");
    system.cost = Some(path);
    let mut network = network();
    network.layers.truncate(2);
    let read = tables(&system, &[(&network, 1)], &Cache::off(), &|_, _| {});
    read.map(|mut tables| tables.remove(0)).map_err(|e| e.to_string())
}

#[test]
fn a_users_table_replaces_the_model() {
    let strided = "sample,strided,simba_768,1000,64,2.5\n";
    let pointwise = "sample,pointwise,simba_768,3000,128,7\n";
    let table = with_table(&format!("{strided}other,layer,x,1,1,1\n{pointwise}")).unwrap();
    let cost = table.costs[(0, 0)].unwrap();
    assert_eq!((cost.latency.0, cost.dram_bytes.0, cost.energy.0), (1_000_000, 64, 2.5));

    assert_eq!((cost.weight_bytes.0, cost.input_bytes.0), (0, 0));

    let missing = with_table(strided).unwrap_err();
    for word in ["table.csv", "pointwise", "sample", "simba_768"] {
        assert!(missing.contains(word), "{missing}");
    }
    let nowhere = with_table(&format!("{strided}sample,pointwise,simba_768,,,\n")).unwrap_err();
    assert!(nowhere.contains("no accelerator runs") && nowhere.contains("pointwise"), "{nowhere}");
    for (rows, line, word) in [
        (
            format!("{strided}sample,pointwise,simba_768,many,1,1\n"),
            3,
            "column `cycles`: `many`: expected a whole number",
        ),
        (format!("{strided}sample,pointwise,simba_768,5,,1\n"), 3, "leave all three empty"),
        (
            format!("{strided}sample,pointwise,simba_768,5.5,1,1\n"),
            3,
            "column `cycles`: `5.5`: expected a whole",
        ),
        (format!("{strided}sample,pointwise,simba_768,\"1,000\",1,1\n"), 3, "written without separators"),
        (format!("{strided}sample,,simba_768,1,1,1\n"), 3, "column `layer`: is empty"),
        (format!("{strided}sample,pointwise,simba_768,1,1,1e309\n"), 3, "column `energy_pj`: `1e309`"),
        (format!("{strided}{strided}"), 3, "second row"),
        ("sample,strided,simba_768,5,1,-1\n".to_string(), 2, "energy_pj"),
        (
            "sample,strided,simba_768,0,1,1\n".to_string(),
            2,
            "column `cycles`: `0` is not allowed: expected a number from 1",
        ),
        ("sample,strided,simba_768,1e19,1,1\n".to_string(), 2, "column `cycles`: `1e19` is not allowed"),
        ("sample,strided,simba_768,1,1e16,1\n".to_string(), 2, "column `dram_bytes`: `1e16` is not allowed"),
        ("sample,strided,simba_768,1,1,1e308\n".to_string(), 2, "column `energy_pj`: `1e308` is not allowed"),
    ] {
        let error = with_table(&rows).unwrap_err();
        assert!(error.contains(&format!("table.csv:{line}:")) && error.contains(word), "{error}");
    }
}

#[test]
fn a_users_table_may_say_what_the_bytes_are() {
    let table = |strided: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        let header = "network,layer,accelerator,cycles,dram_bytes,energy_pj,input_bytes,weight_bytes";
        std::fs::write(&path, format!("{header}\nsample,strided,simba_768,1000,64,2.5,{strided}\n")).unwrap();
        let accel = AccelSpec::read(&models().join("simba_768.toml")).unwrap();
        let read = UserTable::read(&path).map_err(|e| e.to_string())?;
        let network = network();
        let cost = read.cost(&network, &network.layers[0], &accel, 1).unwrap().unwrap();
        Ok::<_, String>((cost.weight_bytes.0, cost.input_bytes.0))
    };
    assert_eq!(table("20,44"), Ok((44, 20)));
    assert_eq!(table("20,"), Ok((0, 20)));
    let wrong = table("20,45").unwrap_err();
    assert!(wrong.contains("table.csv:2:") && wrong.contains("are more than dram_bytes, 64"), "{wrong}");
    assert!(table("-1,4").unwrap_err().contains("column `input_bytes`"));
}

/// `mascot cost table --csv`, for layers with two passes, of odd clocks and without a way to run, in another precision, too.
#[test]
fn a_printed_table_reads_back_to_the_same_costs() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataRoot::find(None).unwrap();
    let text = std::fs::read_to_string(models().join("eyeriss_256.toml")).unwrap();
    let odd = text
        .replace("eyeriss_256", "odd")
        .replace("clock_mhz = 1000", "clock_mhz = 617")
        .replace("post_ops = [\"elementwise\", \"pool\", \"concat\"]", "post_ops = [\"pool\"]");
    let odd_path = folder.path().join("odd.toml");
    std::fs::write(&odd_path, odd).unwrap();
    for (network, accelerator, precision) in [
        ("kws_res8", "simba_1024", "native"),
        ("googlenet", odd_path.to_str().unwrap(), "w4a8p32"),
        ("bert_base_s128", "eyeriss_chip", "native"),
    ] {
        let command = ["cost", "table", "--csv", "--network", network, "--accelerator", accelerator];
        let output = Command::new(env!("CARGO_BIN_EXE_mascot"))
            .args(command)
            .args(["--precision", precision, "--batch", "2"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = folder.path().join("table.csv");
        std::fs::write(&path, &output.stdout).unwrap();
        let table = UserTable::read(&path).unwrap();
        let accel = data.accelerator(accelerator).unwrap();
        let models = std::slice::from_ref(&accel);
        let run = as_run(&data.network(network).unwrap(), precision.parse().unwrap(), Fusion::Post, models);
        for layer in &run.layers {
            // A table does not divide energies.
            let cost = layer_cost(&accel, &layer.work(2), goal(Objective::Edp))
                .map(|cost| mascot::cost::LayerCost { on_chip: None, ..cost });
            assert_eq!(table.cost(&run, layer, &accel, 2).unwrap(), cost, "{network} {}", layer.name);
        }
    }
}

/// What pandas makes of a table: floats beside empty fields, an index, a byte order mark, quotes, other line ends.
#[test]
fn a_table_that_went_through_pandas_is_the_same_table() {
    let costs = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        let table = UserTable::read(&path).unwrap();
        let (systems, mut network) = (system("hetero-6"), network());
        network.name = "tiny".into();
        network.layers.truncate(2);
        (network.layers[0].name, network.layers[1].name) = ("a".into(), "b".into());
        let models: Vec<_> =
            ["simba_256", "eyeriss_256"].map(|name| systems.models.iter().find(|m| m.name == name)).into();
        let cost = |layer: &Layer, model: &AccelSpec| table.cost(&network, layer, model, 1).unwrap();
        let found =
            network.layers.iter().flat_map(|layer| models.iter().map(move |m| cost(layer, m.unwrap())));
        found.collect::<Vec<_>>()
    };
    let read = |name: &str| std::fs::read_to_string(format!("tests/data/user_table/{name}")).unwrap();
    let expected = costs(&read("table_int.csv"));
    assert_eq!(expected[0].map(|cost| cost.dram_bytes.0), Some(1_000));
    assert_eq!(expected[3], None);
    let floats = read("table_float.csv");
    assert_eq!(costs(&floats), expected);
    let indexed: String = floats
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{},{line}\r\n", if i == 0 { "" } else { "0" }))
        .collect();
    assert_eq!(costs(&format!("\u{feff}{indexed}")), expected);
    let unnamed = floats.replacen("network", "Unnamed: 0,network", 1).replace("tiny", "7,tiny");
    assert_eq!(costs(&unnamed.replace(",,,", ",NaN,NaN,NaN")), expected);
    assert_eq!(costs(&floats.replace("1000.0", "\"1.0e+03\"").replace("300.0", "3e2")), expected);
}
