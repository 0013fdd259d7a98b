//! What is shown of a cost: does the breakdown add up, do the exported files say what was mapped, does the cache list
//! what it keeps?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use mascot::cost::{Bound, Cache, Export, Goal, breakdown, layer_cost, mapper, tables};
use mascot::dims::{Dim, Tensor};
use mascot::hw::{AccelSpec, Level, Objective, SystemSpec};
use mascot::workload::{Layer, LoopNest, Network, Op};
use yaml_rust2::{Yaml, YamlLoader};

use crate::common;

const GOAL: Goal = Goal { objective: Objective::Edp, bandwidth_gbps: 32.0 };

fn accelerator(name: &str) -> AccelSpec {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("accel-models");
    AccelSpec::read(&models.join(format!("{name}.toml"))).unwrap()
}

fn nest(bounds: [u64; 8], stride: u64) -> LoopNest {
    LoopNest { bounds, stride: [stride; 2], dilation: [1; 2], padding: [0; 2] }
}

fn conv() -> LoopNest {
    nest([1, 1, 96, 24, 15, 15, 3, 3], 2)
}

#[test]
fn a_breakdown_adds_up_to_the_cost() {
    let ops = [
        Op::Conv(conv()),
        Op::Gemm(nest([1, 1, 1000, 512, 1, 1, 1, 1], 1)),
        Op::Vector { reads: 12_544, writes: 3_136, ops: 12_544 },
        Op::Lookup { reads: 4096, writes: 4096 },
    ];
    for accel in ["eyeriss_chip", "simba_chip", "simba_1024"].map(accelerator) {
        for op in ops {
            let found = breakdown(&accel, &op.into(), GOAL).unwrap();
            assert_eq!(Some(found.cost), layer_cost(&accel, &op.into(), GOAL), "{} {op:?}", accel.name);
            let sum: f64 = found.energy_pj.iter().sum();
            assert!((sum / found.cost.energy.0 - 1.0).abs() < 1e-9, "{} {op:?}", accel.name);
            assert_eq!(found.energy_pj.len(), accel.levels.len() + 1);
            assert_eq!(found.mapping.is_some(), op.nest().is_some());
        }
    }
}

#[test]
fn a_matrix_times_a_vector_is_bound_by_dram_unless_dram_is_free() {
    let accel = accelerator("eyeriss_chip");
    let classifier = Op::Gemm(nest([1, 1, 1024, 1024, 1, 1, 1, 1], 1));
    let bound = |bandwidth_gbps| {
        breakdown(&accel, &classifier.into(), Goal { bandwidth_gbps, ..GOAL }).unwrap().bound
    };
    assert_eq!(bound(1.0), Bound::Level(0));
    assert_eq!(bound(1.0).name(&accel), "DRAM");
    assert_ne!(bound(f64::INFINITY), Bound::Level(0), "the chip's own port has no limit");
}

/// One document per file.
fn exported(accel: &AccelSpec, nest: &LoopNest) -> (mapper::Found, [Yaml; 3]) {
    let found = mapper::search(accel, nest, GOAL).unwrap();
    let Export { architecture, problem, mapping } = Export::new(accel, nest, &found.mapping).unwrap();
    let documents = [architecture, problem, mapping].map(|text| {
        let mut documents = YamlLoader::load_from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(documents.len(), 1);
        documents.remove(0)
    });
    (found, documents)
}

/// A whole number that YAML may read as a real.
fn count(value: &Yaml) -> u64 {
    value.as_i64().map_or_else(|| value.as_f64().unwrap() as u64, |number| number as u64)
}

fn items(value: &Yaml) -> &[Yaml] {
    value.as_vec().unwrap()
}

#[test]
fn the_exported_architecture_holds_the_numbers_of_the_accelerator() {
    for accel in ["eyeriss_chip", "simba_chip"].map(accelerator) {
        let (_, [document, ..]) = exported(&accel, &conv());
        let nodes = items(&document["architecture"]["nodes"]);
        assert_eq!(nodes.len(), accel.levels.len() + 2, "the system and the MACs besides");
        let mut energies = items(&document["ERT"]["tables"]).iter();
        for (index, (level, node)) in accel.levels.iter().zip(&nodes[1..]).enumerate() {
            let Level::Storage(storage) = level else {
                let mesh = [&node["spatial"]["meshX"], &node["spatial"]["meshY"]].map(count);
                assert_eq!(
                    mesh.iter().product::<u64>(),
                    accel.instances_below(index + 1) / accel.instances_below(index)
                );
                continue;
            };
            let attributes = &node["attributes"];
            assert_eq!(node["name"].as_str(), Some(storage.name.as_str()));
            assert_eq!(count(&attributes["datawidth"]), storage.word_bits);
            let capacity = storage.capacity_words.map(|_| {
                let block = storage.entry_bits / storage.word_bits / storage.cluster_size;
                count(&attributes["depth"]) * block
            });
            assert_eq!(capacity, storage.capacity_words, "{}", storage.name);
            let table = energies.next().unwrap();
            let name = format!("system_top_level.{}[1..{}]", storage.name, accel.instances_below(index));
            assert_eq!(table["name"].as_str(), Some(name.as_str()));
            let read = &items(&table["actions"])[0]["energy"];
            let read = read.as_f64().unwrap_or_else(|| count(read) as f64);
            assert_eq!(read, storage.read_pj_per_access, "{name}");
        }
    }
}

#[test]
fn the_exported_factors_multiply_to_the_exported_problem() {
    for accel in ["eyeriss_chip", "simba_chip"].map(accelerator) {
        // 15 output columns on 14: some factor is padded.
        for nest in [conv(), nest([2, 1, 8, 8, 8, 8, 3, 3], 1), nest([1, 32, 1, 1, 7, 7, 3, 3], 1)] {
            let (found, [_, problem, mapping]) = exported(&accel, &nest);
            let instance = &problem["problem"]["instance"];
            assert_eq!(count(&instance["Pstride"]), nest.stride[0]);
            let mut product = [1; 8];
            for directive in items(&mapping["mapping"]) {
                if directive["type"].as_str() == Some("dataspace") {
                    continue;
                }
                let factors = items(&directive["factors"]);
                assert_eq!(factors.len(), 8);
                for (factor, dim) in factors.iter().zip(items(&directive["permutation"])) {
                    let (name, bound) = factor.as_str().unwrap().split_once('=').unwrap();
                    assert_eq!(Some(name), dim.as_str(), "N is a name, not a truth value");
                    let dim = Dim::ALL.into_iter().find(|dim| format!("{dim:?}") == name).unwrap();
                    product[dim as usize] *= bound.parse::<u64>().unwrap();
                }
            }
            assert_eq!(product, found.mapping.padded_bounds());
            assert_eq!(product, Dim::ALL.map(|dim| count(&instance[format!("{dim:?}").as_str()])));
        }
    }
}

#[test]
fn a_batch_multiplies_macs_but_moves_static_weights_once() {
    for accel in ["eyeriss_chip", "simba_chip"].map(accelerator) {
        let one = nest([1, 1, 64, 32, 14, 14, 3, 3], 1);
        let Op::Conv(four) = Op::Conv(one).with_batch(4) else { unreachable!("a batch changes no kind") };
        assert_eq!(four.macs().0, 4 * one.macs().0);
        assert_eq!(four.elements(Tensor::Weights), one.elements(Tensor::Weights));
        assert_eq!(four.elements(Tensor::Inputs), 4 * one.elements(Tensor::Inputs));
        let [cost_one, cost_four] =
            [one, four].map(|nest| layer_cost(&accel, &Op::Conv(nest).into(), GOAL).unwrap());
        assert!(cost_four.latency.0 >= 3 * cost_one.latency.0, "{}", accel.name);
        assert!(cost_four.dram_bytes.0 < 4 * cost_one.dram_bytes.0, "{}: weights are shared", accel.name);

        let scores = Op::Matmul(nest([1, 4, 48, 24, 48, 1, 1, 1], 1));
        let second_operand = |op: &Op| op.nest().unwrap().elements(Tensor::Weights);
        assert_eq!(second_operand(&scores.with_batch(4)), 4 * second_operand(&scores));
    }
}

#[test]
fn the_cache_lists_its_own_files_and_clears_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(&folder.path().join("costs"));
    assert_eq!((cache.files().unwrap(), cache.clear().unwrap()), (vec![], 0), "no folder yet");
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("accel-models");
    let system = SystemSpec::read(&models.join("systems/hetero-4.toml"), &models).unwrap();
    let op = Op::Lookup { reads: 64, writes: 64 };
    let layer = Layer::new("lookup", op, vec![]);
    let network = Network { name: "one".into(), source: "by hand".into(), totals: None, layers: vec![layer] };
    tables(&system, &[(&network, 1)], &cache, &|_, _| {}).unwrap();
    let others =
        ["notes.txt", "mine.costs", "mine-0123.costs"].map(|name| folder.path().join("costs").join(name));
    others.iter().for_each(|path| std::fs::write(path, "mine").unwrap());

    let files = cache.files().unwrap();
    let mut listed: Vec<&str> = files.iter().map(|file| file.accelerator.as_str()).collect();
    let mut expected: Vec<&str> = system.models.iter().map(|model| model.name.as_str()).collect();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert!(files.iter().all(|file| file.entries == 1 && file.bytes > 0));
    assert_eq!(cache.clear().unwrap(), files.len());
    assert!(cache.files().unwrap().is_empty() && others.iter().all(|path| path.exists()));
}

/// Sums over the layers that an accelerator can run would look like those of the network.
#[test]
fn a_network_that_does_not_fit_has_no_total() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("accel-models");
    let simba = std::fs::read_to_string(models.join("simba_256.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("simba_256.toml");
    let with_inputs = |words: u64| {
        let text = simba.replacen("capacity_words = 8192", &format!("capacity_words = {words}"), 1);
        assert_ne!(text, simba);
        std::fs::write(&file, text).unwrap();
        let table = ["cost", "table", "--network", "kws_res8", "--accelerator", file.to_str().unwrap()];
        common::mascot(&table)
    };
    let output = with_inputs(4);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !said.contains("in sequence"), "{said}");
    assert!(said.ends_with("layers cannot run on simba_256\n"), "{said}");
    let output = with_inputs(0);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`capacity_words` must be at least 1"), "{said}");
}
