//! Accelerators of Timeloop and ZigZag: does a description become the accelerator that it stands for, is everything told
//! that the accelerator file has no place for, and is a mistake an error at its line?
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::path::{Path, PathBuf};

use mascot::cost::{Goal, layer_cost};
use mascot::dims::{Dim, DimSet};
use mascot::files::InputError;
use mascot::hw::{AccelSpec, Fanout, ImportedAccel, Level, Objective, Storage, import_accel};
use mascot::workload::{LoopNest, Op};
use tempfile::TempDir;

mod mistakes;

const TIMELOOP: &str = "tests/data/accel_yaml/timeloop";
const ZIGZAG: &str = "tests/data/accel_yaml/zigzag";
const EYERISS: [&str; 3] = ["eyeriss_like.yaml", "eyeriss_like_constraints.yaml", "eyeriss_like_ert.yaml"];
const SIMBA: [&str; 2] = ["simba_like.yaml", "simba_like_ert.yaml"];

fn import(folder: &str, files: &[&str]) -> ImportedAccel {
    let paths: Vec<PathBuf> = files.iter().map(|file| Path::new(folder).join(file)).collect();
    import_accel(&paths, "imported").unwrap()
}

/// Imports texts as files `0.yaml`, `1.yaml`, ...
fn import_texts(texts: &[&[u8]]) -> Result<ImportedAccel, InputError> {
    let folder = TempDir::new().unwrap();
    let paths: Vec<PathBuf> = (0..texts.len()).map(|i| folder.path().join(format!("{i}.yaml"))).collect();
    paths.iter().zip(texts).for_each(|(path, text)| std::fs::write(path, text).unwrap());
    import_accel(&paths, "imported")
}

fn import_text(text: &str) -> Result<ImportedAccel, InputError> {
    import_texts(&[text.as_bytes()])
}

fn shipped(name: &str) -> AccelSpec {
    AccelSpec::read(&Path::new("accel-models").join(format!("{name}.toml"))).unwrap()
}

/// All that decides costs.
fn costly(spec: &AccelSpec) -> serde_json::Value {
    serde_json::to_value(spec).unwrap()
}

fn storage<'a>(spec: &'a AccelSpec, name: &str) -> &'a Storage {
    match &spec.levels[spec.level_index(name).unwrap()] {
        Level::Storage(storage) => storage,
        Level::Fanout(_) => panic!("{name} is a fan-out"),
    }
}

fn fanout<'a>(spec: &'a AccelSpec, name: &str) -> &'a Fanout {
    match &spec.levels[spec.level_index(name).unwrap()] {
        Level::Fanout(fanout) => fanout,
        Level::Storage(_) => panic!("{name} is a storage level"),
    }
}

fn dims(text: &str) -> DimSet {
    Dim::ALL.into_iter().filter(|dim| text.contains(&format!("{dim:?}"))).collect()
}

#[test]
fn a_description_with_energies_is_the_accelerator_that_ships() {
    let like = shipped("eyeriss_like");
    assert_eq!(costly(&import(TIMELOOP, &EYERISS).spec), costly(&like), "version 0.4");
    let old = import(TIMELOOP, &["eyeriss_like_v3.yaml", "eyeriss_like_ert.yaml"]);
    assert_eq!(costly(&old.spec), costly(&like), "version 0.3");
    // Timeloop counts one word in each weight register, the shipped file the 64 of a cluster.
    let mut like = shipped("simba_like");
    let place = like.level_index("PEWeightRegs").unwrap();
    let Level::Storage(registers) = &mut like.levels[place] else { panic!("registers are storage") };
    registers.capacity_words = Some(1);
    assert_eq!(costly(&import(TIMELOOP, &SIMBA).spec), costly(&like));
}

#[test]
fn costs_are_those_of_the_accelerator_that_ships() {
    let nest = |bounds, stride| LoopNest { bounds, stride: [stride; 2], dilation: [1; 2], padding: [0; 2] };
    let ops = [
        Op::Conv(nest([1, 1, 64, 3, 28, 28, 7, 7], 2)),
        Op::Conv(nest([1, 1, 64, 64, 14, 14, 3, 3], 1)),
        Op::Conv(nest([1, 96, 1, 1, 14, 14, 3, 3], 1)),
        Op::Gemm(nest([1, 1, 1000, 512, 1, 1, 1, 1], 1)),
        Op::Matmul(nest([1, 4, 48, 24, 48, 1, 1, 1], 1)),
        Op::Lookup { reads: 98_304, writes: 98_304 },
    ];
    for (files, name) in [(&EYERISS[..], "eyeriss_like"), (&SIMBA[..], "simba_like")] {
        let (imported, shipped) = (import(TIMELOOP, files).spec, shipped(name));
        for op in ops {
            for objective in [Objective::Latency, Objective::Edp] {
                let goal = Goal { objective, bandwidth_gbps: 32.0 };
                let costs = [&imported, &shipped].map(|spec| layer_cost(spec, &op.into(), goal).unwrap());
                assert_eq!(costs[0], costs[1], "{name} {op:?}");
            }
        }
    }
}

#[test]
fn a_design_without_energies_gets_ours_and_says_so() {
    for (file, kept) in [("simple_weight_stationary.yaml", 0), ("simple_output_stationary.yaml", 2)] {
        let imported = import(TIMELOOP, &[file]);
        let spec = &imported.spec;
        assert_eq!((spec.macs_per_cycle(), spec.clock_hz, spec.mac.energy_pj), (256, 1e9, 0.23), "{file}");
        assert_eq!(storage(spec, "pe_spad").keeps, [0, 1, 2].map(|tensor| tensor == kept), "{file}");
        assert_eq!(storage(spec, "shared_glb").keeps, [true; 3], "no constraint says otherwise");
        // 128 KiB, 64 bits: (5 / 99.5 x 127.5 + 1) x 4.
        let glb = storage(spec, "shared_glb");
        assert_eq!(glb.read_pj_per_access, (5.0 / 99.5 * 127.5 + 1.0) * 64.0 / 16.0);
        assert!((glb.leak_pj_per_cycle - 0.0042 * 128.0).abs() < 1e-12);
        assert_eq!(storage(spec, "DRAM").read_pj_per_access, 512.0);
        let array = fanout(spec, "inter_PE_spatial");
        // The first one of the permutation lies along X, all others along Y; groups follow the output channels.
        assert_eq!((array.extent, array.spatial), ([16, 16], [dims("C"), dims("NGK")]));
        let told = [
            "our technology basis, 128 KiB, 64 bits",
            "which tensors it keeps",
            "names the groups G",
            "1 GHz is our choice",
        ];
        told.iter().for_each(|told| assert!(imported.toml.contains(told), "{told}: {}", imported.toml));
    }
}

#[test]
fn zigzag_has_a_dataflow_or_is_free() {
    let spec = import(ZIGZAG, &["tpu_like.yaml"]).spec;
    assert_eq!(spec.macs_per_cycle(), 1024);
    assert_eq!(fanout(&spec, "D1").spatial[0], dims("K"));
    assert_eq!(fanout(&spec, "D2").spatial[0], dims("C"));
    let names: Vec<&str> = spec.levels.iter().map(Level::name).collect();
    assert_eq!(names, ["dram", "sram_2MB", "D1", "rf_2B", "D2", "rf_128B"]);
    let sums = storage(&spec, "rf_2B");
    assert_eq!((sums.word_bits, sums.capacity_words, sums.temporal), (16, Some(1), dims("CRS")));
    assert_eq!(
        (sums.read_bandwidth_words_per_cycle, sums.write_bandwidth_words_per_cycle),
        (Some(2.0), Some(2.0))
    );
    let sram = storage(&spec, "sram_2MB");
    assert_eq!(
        (sram.keeps, sram.capacity_words, sram.entry_bits),
        ([false, true, true], Some(2_097_152), 2048)
    );
    assert_eq!((sram.read_pj_per_access, sram.write_pj_per_access), (416.16, 378.4));
    assert_eq!(storage(&spec, "dram").shared_bandwidth_words_per_cycle, Some(8.0));
    assert_eq!(spec.mac.energy_pj, 0.04);

    let free = import(ZIGZAG, &["eyeriss_like.yaml"]);
    assert_eq!(fanout(&free.spec, "D2").spatial[0], DimSet::of(&Dim::ALL));
    assert!(free.remarks.iter().any(|remark| remark.contains("no dataflow")), "{:?}", free.remarks);
    let mapped = import(ZIGZAG, &["eyeriss_like.yaml", "eyeriss_like_mapping.yaml"]).spec;
    let rows = fanout(&mapped, "D2");
    assert_eq!(rows.spatial[0], dims("KR"));
    assert_eq!((rows.max_factor[Dim::K as usize], rows.max_factor[Dim::R as usize]), (Some(4), Some(3)));
    assert_eq!(
        storage(&mapped, "sram_1M").shared_bandwidth_words_per_cycle,
        Some(96.0),
        "two ports of 384 bits"
    );
}

/// The registers for weights serve D3 and D4, those for sums D2: no chain has both, so one of them is copied.
#[test]
fn memories_of_zigzag_form_the_closest_chain() {
    let imported = import(ZIGZAG, &["meta_prototype.yaml", "meta_prototype_mapping.yaml"]);
    let spec = &imported.spec;
    let names: Vec<&str> = spec.levels[5..].iter().map(Level::name).collect();
    assert_eq!(names, ["D1", "D2", "rf_1B", "D3", "D4", "rf_2B"]);
    let copied: Vec<_> =
        imported.notes.iter().filter(|note| note.path.ends_with("served_dimensions")).collect();
    assert_eq!(copied.len(), 1);
    assert!(copied[0].path.contains("rf_2B") && copied[0].why.contains("2 memories here"), "{}", copied[0]);
}

/// Each line with a key in a block, with the blanks before it.
fn keys(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(i, line)| {
        let blanks = line.len() - line.trim_start().len();
        let key = line.trim_start().split(": ").next()?;
        let is_key =
            key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') && !key.starts_with('-');
        (is_key && line.contains(": ")).then_some((i, &line[..blanks]))
    })
}

/// An unknown key at any place is told: nothing is dropped in silence.
#[test]
fn every_key_that_is_not_taken_is_noted() {
    let sets = [
        (TIMELOOP, &EYERISS[..]),
        (TIMELOOP, &SIMBA[..]),
        (ZIGZAG, &["tpu_like.yaml"]),
        (ZIGZAG, &["meta_prototype.yaml"]),
    ];
    let mut places = 0;
    for (folder, files) in sets {
        let read = |file: &&str| std::fs::read_to_string(Path::new(folder).join(file)).unwrap();
        let texts: Vec<String> = files.iter().map(read).collect();
        for (changed, text) in texts.iter().enumerate() {
            for (line, blanks) in keys(text) {
                let mut lines: Vec<&str> = text.lines().collect();
                let added = format!("{blanks}zz_unknown: 7");
                lines.insert(line, &added);
                let mut texts = texts.clone();
                texts[changed] = lines.join("\n");
                let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
                let told = match import_texts(&bytes) {
                    Ok(imported) => {
                        let written = imported.toml.contains("zz_unknown = 7");
                        written
                            && imported
                                .notes
                                .iter()
                                .any(|note| note.path.contains("zz_unknown") && note.line == line + 1)
                    }
                    // Where the keys are names, an unknown one is an error.
                    Err(error) => error.line == Some(line + 1) && error.to_string().contains("zz_unknown"),
                };
                assert!(told, "{} line {}", files[changed], line + 1);
                places += 1;
            }
        }
    }
    assert!(places > 150, "{places} places");
}

#[test]
fn line_ends_and_marks_change_nothing() {
    let text = std::fs::read_to_string(Path::new(ZIGZAG).join("tpu_like.yaml")).unwrap();
    let plain = import_text(&text).unwrap().spec;
    for other in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("---\n{text}...\n"),
        text.replace(" # pJ", ""),
    ] {
        assert_eq!(costly(&import_text(&other).unwrap().spec), costly(&plain));
    }
}

/// A small architecture with one place to change.
fn small(attributes: &str, constraints: &str) -> String {
    format!(
        "architecture:\n  version: 0.4\n  nodes:\n  - !Component\n    name: DRAM\n    class: DRAM\n    attributes: \
         {{width: 64, datawidth: 8}}\n  - !Component\n    name: buffer\n    class: SRAM\n    spatial: {{meshX: 4}}\n    \
         attributes: {{width: 64, datawidth: 8, {attributes}}}\n    constraints: {{{constraints}}}\n  - !Component\n    \
         name: mac\n    class: intmac\n    spatial: {{meshX: 4, meshY: 2}}\n"
    )
}

#[test]
fn attributes_and_constraints_become_keys() {
    let spec =
        |attributes: &str, constraints: &str| import_text(&small(attributes, constraints)).unwrap().spec;
    let words = |attributes: &str| storage(&spec(attributes, ""), "buffer").capacity_words;
    for (attributes, expected) in [
        ("depth: 10", 80),
        ("memory_depth: 2 * (width // datawidth) + 4", 160),
        ("depth: ceil(10 / 4) * 2 ** 3 - 4 % 3", 184),
        ("entries: 7", 7),
        ("sizeKB: 1", 1024),
        ("depth: 10, multiple_buffering: 2", 40),
    ] {
        assert_eq!(words(attributes), Some(expected), "{attributes}");
    }
    let bandwidth = spec("depth: 1, bandwidth: 20", "");
    assert_eq!(storage(&bandwidth, "buffer").read_bandwidth_words_per_cycle, Some(10.0));
    let temporal = |constraint: &str| {
        storage(&spec("depth: 9", &format!("temporal: {{{constraint}}}")), "buffer").temporal
    };
    assert_eq!(temporal("factors: [N=1, C <= 1, M=4, P=0]"), dims("GKPQRS").without(dims("G")));
    assert_eq!(temporal("factors_only: [M=4, N=2]"), dims("NGK"));
    assert_eq!(temporal("no_iteration_over_dataspaces: [Weights]"), dims("NGPQ"), "groups go with the batch");
    assert_eq!(temporal("must_iterate_over_dataspaces: [Weights], factors: [G=2]"), dims("GKCRS"));
    let unrolled = |constraint: &str| {
        fanout(&spec("depth: 9", &format!("spatial: {{{constraint}}}")), "inter_buffer_spatial").clone()
    };
    let at_most =
        unrolled("factors: [M<=2, C=3, R=0, P=1, Q<2, S>=1, N=1], permutation: [M, C, R], split: 3");
    assert_eq!((at_most.spatial[0], at_most.spatial_whole), (dims("GKCR"), dims("R")), "groups go with K");
    assert_eq!(
        (at_most.max_factor[Dim::K as usize], at_most.max_factor[Dim::C as usize]),
        (Some(2), Some(3))
    );
    let lane = spec("depth: 1", "dataspace: {keep: [Weights], bypass: [Inputs]}");
    assert_eq!(storage(&lane, "buffer").keeps, [true, false, true], "what is not named is kept");
    assert_eq!(fanout(&lane, "inter_mac_spatial").extent, [4, 2]);
}

#[test]
fn merge_keys_and_aliases() {
    let text = small("depth: 1", "")
        .replace("architecture:\n", "x: &a {depth: 3, width: 8}\ny: &b {width: 16}\narchitecture:\n");
    let merged = |attributes: &str| {
        let text = text.replace("{width: 64, datawidth: 8, depth: 1}", attributes);
        let spec = import_text(&text).unwrap().spec;
        let buffer = storage(&spec, "buffer");
        (buffer.capacity_words, buffer.entry_bits)
    };
    assert_eq!(merged("{<<: *a, datawidth: 8}"), (Some(3), 8));
    assert_eq!(merged("{<<: *a, datawidth: 8, width: 32}"), (Some(12), 32));
    assert_eq!(merged("{<<: [*b, *a], datawidth: 8}"), (Some(6), 16), "the first one counts");
    let deep = text.replace("constraints: {}", "constraints: {<<<: *c, temporal: {factors: [M=1]}}");
    let deep =
        deep.replace("x: &a", "z: &c {temporal: {factors: [C=1]}, dataspace: {bypass: [Weights]}}\nx: &a");
    let spec = import_text(&deep).unwrap().spec;
    assert_eq!(storage(&spec, "buffer").keeps, [false, true, true]);
    assert!(!storage(&spec, "buffer").temporal.has(Dim::C) && !storage(&spec, "buffer").temporal.has(Dim::K));
}
