//! The families of networks of `workloads/families.py`: exact counts beside the published ones, and layers beside those
//! of the member that was imported from the original model.
#![allow(clippy::unwrap_used, reason = "these helpers are tests, too")]

use std::path::Path;

use mascot::dims::Dim;
use mascot::workload::{Layer, LoopNest, Network, Op};

fn network(name: &str) -> Network {
    Network::read(&Path::new("workloads/networks").join(format!("{name}.toml"))).unwrap()
}

/// Channels whose batch norm was folded into the convolution before: those of all convolutions without a bias.
fn normed_channels(network: &Network) -> u64 {
    let normed =
        |layer: &&Layer| matches!(layer.op, Op::Conv(_)) && !layer.fused.iter().any(|op| op == "Bias");
    let nests = network.layers.iter().filter(normed).filter_map(|layer| layer.op.nest());
    nests.map(|nest| nest.bound(Dim::G) * nest.bound(Dim::K)).sum()
}

/// Exact MACs, and torchvision's in units of 10^6 (`_ops` in the metadata of its weights, release 0.29) and parameters
/// (`num_params` there), of which a batch norm has two per channel.
#[test]
fn classifiers_have_the_sizes_that_torchvision_publishes() {
    for (name, macs, published_m, parameters) in [
        ("resnet34", 3_663_761_408, 3_664, 21_797_672),
        ("resnet101", 7_801_405_440, 7_801, 44_549_160),
        ("efficientnet_b0", 385_814_752, 386, 5_288_548),
        ("efficientnet_b1", 686_802_832, 687, 7_794_184),
        ("efficientnet_b2", 1_087_529_456, 1_088, 9_109_994),
        ("efficientnet_b4", 4_393_771_024, 4_394, 19_341_616),
    ] {
        let network = network(name);
        assert_eq!(network.macs().0, macs, "{name}");
        assert_eq!((macs as f64 / 1e6).round() as u64, published_m, "{name}");
        assert_eq!(network.parameters() + 2 * normed_channels(&network), parameters, "{name}");
    }
}

/// Million multiply-adds and parameters of Howard et al. 2017, tables 6 and 7.
#[test]
fn narrow_mobilenets_have_their_published_sizes() {
    for (name, macs, published_m, parameters_m) in [
        ("mobilenet_v1_x0_25", 41_030_272, 41.0, 0.5),
        ("mobilenet_v1_x0_5", 149_497_088, 149.0, 1.3),
        ("mobilenet_v1_x0_75", 325_400_448, 325.0, 2.6),
    ] {
        let network = network(name);
        assert_eq!(network.macs().0, macs, "{name}");
        assert!((macs as f64 / 1e6 - published_m).abs() < 0.5, "{name}");
        let parameters = network.parameters() + 2 * normed_channels(&network);
        assert!((parameters as f64 / 1e6 - parameters_m).abs() < 0.05, "{name}: {parameters}");
    }
}

/// Per layer 12 H^2 products a token, and 2 x 128 H in the attention; parameters of Turc et al. 2019, table 1, who count
/// tables, pooler and the head of the masked language model, and of Devlin et al. 2019.
#[test]
fn berts_have_their_published_sizes() {
    for (name, layers, hidden, parameters_m, tolerance) in [
        ("bert_tiny_s128", 2, 128, 4.4, 0.02),
        ("bert_mini_s128", 4, 256, 11.3, 0.005),
        ("bert_small_s128", 4, 512, 29.1, 0.005),
        ("bert_medium_s128", 8, 512, 41.7, 0.005),
        ("bert_base_s128", 12, 768, 110.1, 0.005),
        ("bert_large_s128", 24, 1024, 340.0, 0.02),
    ] {
        let network = network(name);
        assert_eq!(network.macs().0, 128 * layers * (12 * hidden * hidden + 2 * 128 * hidden), "{name}");
        assert_eq!(network.mac_layers() as u64, 8 * layers, "{name}");
        let tables = (30_522 + 512 + 2) * hidden;
        let [pooler, head] = [hidden * hidden + hidden, hidden * hidden + 3 * hidden + 30_522];
        let parameters = (network.parameters() + tables + pooler + head) as f64 / 1e6;
        assert!((parameters / parameters_m - 1.0).abs() < tolerance, "{name}: {parameters} M");
    }
}

/// Darknet's file of weights has four floats per channel of a batch norm, and 20 bytes before them.
#[test]
fn yolov3_tiny_has_its_published_sizes() {
    let network = network("yolov3_tiny");
    assert_eq!(network.macs().0, 2_782_480_896);
    assert_eq!((2.0 * network.macs().0 as f64 / 1e7).round() as u64, 556);
    assert_eq!(4 * (network.parameters() + 4 * normed_channels(&network)) + 20, 35_434_956);
    let outputs = network.layers.iter().filter(|layer| layer.name.starts_with("boxes"));
    assert!(outputs.clone().all(|layer| layer.op.nest().unwrap().bound(Dim::K) == 3 * (80 + 5)));
    assert_eq!(outputs.map(|layer| layer.op.nest().unwrap().bound(Dim::P)).collect::<Vec<_>>(), [13, 26]);
}

/// The nest with the given sizes of some dimensions.
fn with(nest: &LoopNest, sizes: &[(Dim, u64)]) -> LoopNest {
    let mut nest = *nest;
    sizes.iter().for_each(|&(dim, size)| nest.bounds[dim as usize] = size);
    nest
}

fn nests(network: &Network) -> Vec<LoopNest> {
    network.layers.iter().filter_map(|layer| layer.op.nest().copied()).collect()
}

#[test]
fn a_narrow_mobilenet_is_the_wide_one_with_scaled_channels() {
    let wide = network("mobilenet_v1");
    for (name, quarters) in [("mobilenet_v1_x0_25", 1), ("mobilenet_v1_x0_5", 2), ("mobilenet_v1_x0_75", 3)] {
        let narrow = network(name);
        let scaled = |nest: LoopNest| {
            let of = |dim| match nest.bound(dim) {
                // Neither the colours nor the classes are scaled.
                size @ (1 | 3 | 1000) => size,
                channels => channels * quarters / 4,
            };
            with(&nest, &[Dim::G, Dim::K, Dim::C].map(|dim| (dim, of(dim))))
        };
        assert_eq!(nests(&narrow), nests(&wide).into_iter().map(scaled).collect::<Vec<_>>(), "{name}");
        assert_eq!(narrow.layers.len(), wide.layers.len());
    }
}

/// Nests in order of size, so that layers can be compared whatever the order of parallel branches.
fn sorted(mut nests: Vec<LoopNest>) -> Vec<LoopNest> {
    nests.sort();
    nests
}

#[test]
fn deeper_resnets_repeat_blocks_of_the_shallower_ones() {
    for (deep, shallow, repeated) in [
        (
            "resnet34",
            "resnet18",
            &[("layer1.1.", 1), ("layer2.1.", 2), ("layer3.1.", 4), ("layer4.1.", 1)][..],
        ),
        ("resnet101", "resnet50", &[("layer3.1.", 17)]),
    ] {
        let shallow = network(shallow);
        let mut expected = nests(&shallow);
        for &(block, times) in repeated {
            let of_block = shallow.layers.iter().filter(|layer| layer.name.starts_with(block));
            let of_block: Vec<LoopNest> = of_block.filter_map(|layer| layer.op.nest().copied()).collect();
            (0..times).for_each(|_| expected.extend(&of_block));
        }
        assert_eq!(sorted(nests(&network(deep))), sorted(expected), "{deep}");
    }
}

/// What is fused with each layer, and how far back its inputs are.
fn links(network: &Network) -> Vec<(Vec<String>, Vec<usize>)> {
    let back = |i: usize, layer: &Layer| layer.after.iter().map(|&before| i - before).collect();
    network.layers.iter().enumerate().map(|(i, layer)| (layer.fused.clone(), back(i, layer))).collect()
}

#[test]
fn bert_large_has_the_layers_of_the_imported_one_for_fewer_tokens() {
    let long = network("bert_large_s384");
    let shorter = |nest: LoopNest| {
        let of = |dim| if nest.bound(dim) == 384 { 128 } else { nest.bound(dim) };
        with(&nest, &Dim::ALL.map(|dim| (dim, of(dim))))
    };
    let short = network("bert_large_s128");
    assert_eq!(nests(&short), nests(&long).into_iter().map(shorter).collect::<Vec<_>>());
    assert_eq!(links(&short), links(&long));
}

#[test]
fn a_small_bert_is_the_beginning_of_bert_base_with_scaled_sizes() {
    let base = network("bert_base_s128");
    for (name, hidden) in [
        ("bert_tiny_s128", 128),
        ("bert_mini_s128", 256),
        ("bert_small_s128", 512),
        ("bert_medium_s128", 512),
    ] {
        let small = network(name);
        let scaled = |nest: LoopNest| {
            let of = |dim| match nest.bound(dim) {
                12 => hidden / 64,
                size if size.is_multiple_of(768) => size / 768 * hidden,
                size => size,
            };
            with(&nest, &Dim::ALL.map(|dim| (dim, of(dim))))
        };
        let expected: Vec<LoopNest> = nests(&base).into_iter().map(scaled).take(small.mac_layers()).collect();
        assert_eq!(nests(&small), expected, "{name}");
        assert_eq!(links(&small), links(&base)[..small.layers.len()], "{name}");
    }
}

/// In each block the mean over the depthwise convolution's outputs decides, through two small layers, a factor for every
/// channel.
#[test]
fn efficientnets_squeeze_and_excite_in_every_block() {
    for (name, blocks) in
        [("efficientnet_b0", 16), ("efficientnet_b1", 23), ("efficientnet_b2", 23), ("efficientnet_b4", 32)]
    {
        let network = network(name);
        let gates: Vec<usize> =
            (0..network.layers.len()).filter(|&i| network.layers[i].name.ends_with(".excite")).collect();
        assert_eq!(gates.len(), blocks, "{name}");
        for gate in gates {
            let layers = &network.layers[gate - 3..gate + 2];
            let [depthwise, _, squeeze, excite, _] = layers else { panic!("a slice of five layers") };
            let at = |layer: &Layer, dim| layer.op.nest().unwrap().bound(dim);
            let channels = at(depthwise, Dim::G);
            assert_eq!((at(squeeze, Dim::C), at(excite, Dim::K)), (channels, channels), "{name}");
            assert_eq!(at(squeeze, Dim::K), at(excite, Dim::C), "{name}");
            assert_eq!(network.layers[gate + 1].after, [gate - 3, gate], "{name}");
        }
    }
}
