//! Is the model close to the Eyeriss chip where its mappings are published? What was aimed at, and by how much what misses
//! it. The constants of `eyeriss_silicon` are set on the same five layers, so this guards a fit; VGG-16 has bounds only.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use mascot::cost::{
    Layer, Measurements, Modelled, Published, Sheet, Speed, Throughput, compressed_bytes, compulsory_bytes,
    model,
};
use mascot::hw::{AccelSpec, Level, Lowering};
use mascot::workload::{Network, Op};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn accelerator(name: &str) -> AccelSpec {
    AccelSpec::read(&root().join(format!("accel-models/{name}.toml"))).unwrap()
}

fn file(name: &str) -> PathBuf {
    root().join(format!("accel-models/silicon/{name}.toml"))
}

fn modelled(name: &str) -> (AccelSpec, Vec<(Layer, Modelled)>) {
    let measurements = Measurements::read(&file(name)).unwrap();
    let accel = accelerator(&measurements.accelerator);
    let rows = measurements.layers.into_iter().map(|layer| {
        let mapping = layer.mapping(&accel).unwrap();
        let modelled = model(&accel, &layer.nest(), &mapping).unwrap();
        (layer, modelled)
    });
    let rows = rows.collect();
    (accel, rows)
}

fn relative(modelled: f64, published: f64) -> f64 {
    modelled / published - 1.0
}

fn dram_bytes(modelled: &Modelled) -> u64 {
    modelled.dram_bytes.iter().map(|bytes| bytes.0).sum()
}

#[test]
fn alexnet_with_the_published_mappings_is_near_the_chip() {
    let (accel, rows) = modelled("alexnet");
    assert_eq!(rows.len(), 5);
    for (layer, modelled) in rows {
        let ms = |cycles: u64| cycles as f64 * 1e3 / accel.clock_hz;
        let Published { active_pes, processing_ms, total_ms, .. } = layer.published;
        let name = &layer.name;
        assert!(layer.published_mapping(&accel).unwrap().is_some(), "{name} is not searched");
        assert_eq!(Some(modelled.active_pes), active_pes, "{name}");
        let processing = relative(ms(modelled.processing_cycles.0), processing_ms.unwrap().0);
        assert!(processing.abs() <= 0.10, "{name}: processing time {processing:+.3}");
        let total = relative(ms(modelled.total_cycles.0), total_ms.unwrap().0);
        assert!(total.abs() <= 0.15, "{name}: total time {total:+.3}");
    }
}

/// The published bytes are after the chip's run-length code: with it all five layers are near. 25 % without it was aimed
/// at for CONV1 to CONV4 and is met by CONV1 alone. An exhaustive enumeration of blockings (images, filters, rows,
/// channels, order of the outer loops) says why: with inputs and psums in 100 kB the paper's parameters already move the
/// least for CONV3 (+68 %) and CONV4 (+87 %). Not fetching the padding leaves +46 and +62 %. CONV2 could come to +17 %,
/// but only by holding a whole image, which is not what the chip did. CONV5 published less than its compulsory bytes.
#[test]
fn alexnet_dram_bytes_are_met_once_they_are_compressed() {
    let (accel, rows) = modelled("alexnet");
    let mut excess_percent = Vec::new();
    for (layer, modelled) in rows {
        let published = layer.published.dram_mb.unwrap().0 * 1e6;
        let compressed = compressed_bytes(&modelled, accel.dram().word_bits, layer.zeros);
        let error = relative(compressed, published);
        assert!(error.abs() <= 0.15, "{}: compressed bytes {error:+.3}", layer.name);
        let plain = dram_bytes(&modelled) as f64;
        assert!(plain >= compressed, "{}", layer.name);
        excess_percent.push((relative(plain, published) * 100.0).round());
    }
    assert_eq!(excess_percent, [21.0, 36.0, 68.0, 87.0, 101.0]);
}

#[test]
fn vgg_16_without_tuning_keeps_every_bound() {
    let (accel, rows) = modelled("vgg16");
    assert_eq!(rows.len(), 13);
    for (layer, modelled) in rows {
        let (name, nest) = (&layer.name, layer.nest());
        assert!(layer.published_mapping(&accel).unwrap().is_none(), "{name} is searched");
        assert!(modelled.active_pes <= 168, "{name}: {modelled:?}");
        assert!(modelled.processing_cycles.0 >= nest.macs().0.div_ceil(168), "{name}: {modelled:?}");
        assert!(modelled.total_cycles >= modelled.processing_cycles, "{name}: {modelled:?}");
        let least = compulsory_bytes(&accel, &Op::Conv(nest));
        assert!(dram_bytes(&modelled) >= least.0, "{name}: {modelled:?}, at least {least:?}");
    }
}

/// The chip's model for silicon is `eyeriss_chip`, energies included, but for what the comparison needs.
#[test]
fn four_constants_and_one_fold_are_all_that_differs_from_the_chips_model() {
    let chip = accelerator("eyeriss_chip");
    let mut silicon = accelerator("eyeriss_silicon");
    assert!(silicon.array_efficiency < 1.0 && silicon.dram_overlap < 1.0);
    silicon.array_efficiency = chip.array_efficiency;
    silicon.dram_overlap = chip.dram_overlap;
    for (ours, theirs) in silicon.levels.iter_mut().zip(&chip.levels) {
        match (ours, theirs) {
            (Level::Storage(ours), Level::Storage(theirs))
                if ["DRAM", "shared_glb"].contains(&&*ours.name) =>
            {
                assert!(ours.shared_bandwidth_words_per_cycle.take().is_some());
                ours.read_bandwidth_words_per_cycle = theirs.read_bandwidth_words_per_cycle;
                ours.write_bandwidth_words_per_cycle = theirs.write_bandwidth_words_per_cycle;
            }
            (Level::Fanout(ours), Level::Fanout(theirs)) => ours.spatial = theirs.spatial,
            _ => {}
        }
    }
    silicon.name.clone_from(&chip.name);
    silicon.source.clone_from(&chip.source);
    assert_eq!(silicon, chip);
}

#[test]
fn simba_reaches_a_share_of_its_peak() {
    let throughput = Throughput::read(&file("simba")).unwrap();
    let network = root().join(format!("workloads/networks/{}.toml", throughput.network));
    let network = Network::read(&network).unwrap();
    let speed = Speed::of(&accelerator(&throughput.accelerator), &network).unwrap();
    assert_eq!(speed.peak_tops, 2.048, "1024 MACs at 1 GHz");
    assert!(0.0 < speed.utilization && speed.utilization < speed.mac_utilization, "{speed:?}");
    assert!(speed.mac_utilization <= 1.0, "{speed:?}");
    // 2 x 4.089 G MACs x images/s / peak, by hand.
    let published: Vec<Option<f64>> =
        throughput.rates.iter().map(|rate| rate.utilization(network.macs())).collect();
    assert_eq!(published[0], None, "no speed of one chiplet is published");
    assert!((published[1].unwrap() - 0.127).abs() < 5e-4 && (published[2].unwrap() - 0.167).abs() < 5e-4);
}

#[test]
fn a_wrong_mapping_is_an_error_with_the_layer_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(file("alexnet")).unwrap();
    let accel = accelerator("eyeriss_silicon");
    let cases = [
        ("inter_PE_spatial", "nowhere", "nowhere"),
        ("[\"K\", 16]", "[\"K\", 32]", "32 words do not fit 24"),
        ("[\"R\", 11]", "[\"R\", 10]", "R covers 10 of 11"),
    ];
    for (right, wrong, reason) in cases {
        let path = folder.path().join("wrong.toml");
        std::fs::write(&path, text.replace(right, wrong)).unwrap();
        let error = Measurements::read(&path).unwrap().layers[0].mapping(&accel).unwrap_err();
        assert!(error.contains("CONV1") && error.contains(reason), "{error}");
    }
}

fn nvdla() -> (Sheet, AccelSpec) {
    let sheet = Sheet::read(&file("nvdla")).unwrap();
    let accel = accelerator(&sheet.accelerator);
    (sheet, accel)
}

/// Layers of the sheet with the same DRAM bytes, with cycles within 5 %, and those at the sheet's MAC rates.
fn agreeing(sheet: &Sheet, accel: &AccelSpec) -> [usize; 3] {
    let ours = sheet.figures(accel).unwrap();
    let rows = || sheet.layers.iter().zip(&ours);
    [
        rows().filter(|(layer, ours)| layer.same_bytes(ours)).count(),
        rows().filter(|(layer, ours)| layer.near_cycles(&ours.model)).count(),
        rows().filter(|(layer, ours)| layer.near_cycles(&ours.rated)).count(),
    ]
}

/// What was aimed at: the bytes of 90 of 95 layers, and cycles within 5 %. The others have a reason in the file.
#[test]
fn nvdlas_sheet_is_met_on_93_of_95_layers_and_every_other_has_its_reason() {
    let (sheet, accel) = nvdla();
    assert_eq!(sheet.layers.len(), 95);
    assert_eq!(agreeing(&sheet, &accel), [93, 86, 90]);
    for (layer, ours) in sheet.layers.iter().zip(sheet.figures(&accel).unwrap()) {
        let differs = !layer.same_bytes(&ours) || !layer.near_cycles(&ours.rated);
        assert_eq!(differs, layer.note.is_some(), "{} {}: {ours:?}", layer.net, layer.name);
    }
}

/// The sheet counts plain weights with Winograd's multiplications on eight layers of GoogLeNet, which run without Winograd
/// here. With it, as the accelerator has it, their bytes differ.
#[test]
fn eight_layers_run_without_winograd_because_the_sheet_counts_their_weights_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nvdla.toml");
    let text = std::fs::read_to_string(file("nvdla")).unwrap();
    assert_eq!(text.matches(", direct = true").count(), 8);
    std::fs::write(&path, text.replace(", direct = true", "")).unwrap();
    let (_, accel) = nvdla();
    assert_eq!(agreeing(&Sheet::read(&path).unwrap(), &accel), [85, 79, 83]);
}

#[test]
fn a_sheet_that_cannot_be_counted_is_an_error_with_the_layer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nvdla.toml");
    let text = std::fs::read_to_string(file("nvdla")).unwrap();
    let row = "input = [2048, 1, 1], output = [1000, 1, 1], kernel = [1, 1], batch = 16";
    for (wrong, part) in [
        ("input = [2048, 1, 1], output = [1000, 0, 1], kernel = [1, 1]", "fc1000"),
        ("input = [2048, 1, 1], output = [1000, 1, 1], kernel = [1, 1], batch = 0", "at least 1"),
        ("input = [2048, 0, 1], output = [1000, 1, 1], kernel = [1, 1]", "padding"),
        ("input = [2048, 1, 1], output = [1000, 1, 1], kernel = [1, 1], mac_rate = 2", "mac_rate"),
    ] {
        assert!(text.contains(row));
        std::fs::write(&path, text.replacen(row, wrong, 1)).unwrap();
        let error = Sheet::read(&path).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// The table of accel-models/README.md: each cause alone, and all but each.
#[test]
fn every_cause_is_needed_to_meet_nvdlas_sheet() {
    let (sheet, accel) = nvdla();
    let all = accel.lowering;
    let none = Lowering::NEUTRAL;
    let lowered = |lowering: Lowering| agreeing(&sheet, &AccelSpec { lowering, ..accel.clone() })[0];
    let alone = [
        none,
        Lowering { fold_stride: true, ..none },
        Lowering { winograd: true, ..none },
        Lowering { channel_multiple: 16, ..none },
        Lowering { reads_padding: false, ..none },
    ];
    assert_eq!(alone.map(lowered), [40, 45, 40, 43, 57]);
    let all_but = [
        Lowering { fold_stride: false, ..all },
        Lowering { winograd: false, ..all },
        Lowering { channel_multiple: 1, ..all },
        Lowering { reads_padding: true, ..all },
    ];
    assert_eq!(all_but.map(lowered), [85, 70, 86, 48]);
    let unfused = AccelSpec { post_ops: Vec::new(), ..accel.clone() };
    assert_eq!(agreeing(&sheet, &unfused)[0], 67);
    let nothing = AccelSpec { post_ops: Vec::new(), lowering: none, ..accel.clone() };
    assert_eq!(agreeing(&sheet, &nothing)[0], 22);
}

/// Within 10 % at the sheet's MAC rates, as was aimed at; without them within 20 %.
#[test]
fn the_seven_configurations_are_as_fast_as_the_primer_says() {
    let (sheet, _) = nvdla();
    assert_eq!(sheet.configurations.len(), 7);
    for each in &sheet.configurations {
        let speed = sheet.images_per_s(&accelerator(&each.accelerator)).unwrap();
        let [model, rated] = [speed.model, speed.rated].map(|ours| relative(ours, each.images_per_s.0));
        assert!(rated.abs() <= 0.10, "{}: {rated:+.3}", each.accelerator);
        assert!((0.0..=0.20).contains(&model), "{}: {model:+.3}", each.accelerator);
    }
}
