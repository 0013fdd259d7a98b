//! Does a fused layer move the bytes that a hand count gives, and no operation twice?

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mascot::cost::{Goal, LayerCost, breakdown, layer_cost};
use mascot::dims::PostOp;
use mascot::experiment::DataRoot;
use mascot::hw::{AccelSpec, Objective, fuses};
use mascot::workload::{Layer, LoopNest, Network, Op};

const ALL: [PostOp; 3] = PostOp::ALL;
const GOAL: Goal = Goal { objective: Objective::Edp, bandwidth_gbps: 32.0 };

fn accelerator(name: &str, post_ops: &[PostOp]) -> AccelSpec {
    let accel = DataRoot::find(None).unwrap().accelerator(name).unwrap();
    AccelSpec { post_ops: post_ops.to_vec(), ..accel }
}

/// 1 x 1 convolution of 32 to 64 channels on 16 x 16 pixels: 8,192 inputs, 2,048 weights, 16,384 outputs.
fn conv(name: &str, after: &[usize]) -> Layer {
    let nest =
        LoopNest { bounds: [1, 1, 64, 32, 16, 16, 1, 1], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
    Layer::new(name, Op::Conv(nest), after.to_vec())
}

fn vector(name: &str, op: PostOp, [reads, writes, ops]: [u64; 3], after: &[usize]) -> Layer {
    Layer { post_op: Some(op), ..Layer::new(name, Op::Vector { reads, writes, ops }, after.to_vec()) }
}

/// Two convolutions, added, pooled by 2 x 2, and joined with another.
fn network() -> Network {
    let layers = vec![
        conv("a", &[]),
        conv("b", &[]),
        vector("add", PostOp::Elementwise, [32_768, 16_384, 16_384], &[0, 1]),
        vector("pool", PostOp::Pool, [16_384, 4_096, 16_384], &[2]),
        conv("c", &[]),
        vector("join", PostOp::Concat, [20_480, 20_480, 0], &[3, 4]),
    ];
    Network { name: "small".into(), source: "by hand".into(), totals: None, layers }
}

fn costs(accel: &AccelSpec) -> Vec<(String, LayerCost)> {
    let network = network().fused(|host, op| fuses(std::slice::from_ref(accel), host, op));
    let cost = |layer: &Layer| layer_cost(accel, &layer.work(1), GOAL).unwrap();
    network.layers.iter().map(|layer| (layer.name.clone(), cost(layer))).collect()
}

fn bytes(accel: &AccelSpec) -> Vec<(String, u64)> {
    costs(accel).into_iter().map(|(name, cost)| (name, cost.dram_bytes.0)).collect()
}

fn total(accel: &AccelSpec, of: fn(&LayerCost) -> f64) -> f64 {
    costs(accel).iter().map(|(_, cost)| of(cost)).sum()
}

#[test]
fn bytes_by_hand() {
    // Every tensor fits, so that each moves once: 8,192 + 2,048 in.
    let row = |name: &str, bytes: u64| (name.to_string(), bytes);
    let alone = 10_240 + 16_384;
    let [plain, pooled, all] =
        [&[][..], &[PostOp::Pool], &ALL].map(|post_ops| accelerator("simba_1024", post_ops));
    let separate = [
        row("a", alone),
        row("b", alone),
        row("add", 49_152),
        row("pool", 20_480),
        row("c", alone),
        row("join", 40_960),
    ];
    assert_eq!(bytes(&plain), separate);
    // The sum is pooled on its way out.
    let [a, b, _, _, c, join] = separate.clone();
    assert_eq!(bytes(&pooled), [a.clone(), b, row("add+pool", 32_768 + 4_096), c.clone(), join]);
    // The other branch is read, a quarter of the sum leaves, and the join costs nothing.
    assert_eq!(bytes(&all), [a, row("b+add+pool", 10_240 + 16_384 + 4_096), c]);
    let fused = &costs(&all)[1].1;
    assert_eq!((fused.weight_bytes.0, fused.input_bytes.0), (2_048, 8_192 + 16_384));
}

#[test]
fn operations_cost_the_same_energy_wherever_they_run_and_their_bytes_are_saved() {
    let [plain, all] = [&[][..], &ALL].map(|post_ops| accelerator("simba_1024", post_ops));
    let saved_bytes =
        total(&plain, |cost| cost.dram_bytes.0 as f64) - total(&all, |cost| cost.dram_bytes.0 as f64);
    let saved_pj = total(&plain, |cost| cost.energy.0) - total(&all, |cost| cost.energy.0);
    // 64 pJ a byte.
    assert!((saved_pj - 64.0 * saved_bytes).abs() < 1e-6 * saved_pj, "{saved_pj} pJ, {saved_bytes} bytes");
    assert!(total(&all, |cost| cost.latency.as_s()) < total(&plain, |cost| cost.latency.as_s()));
}

#[test]
fn slow_lanes_bind_the_layer_that_they_work_for() {
    let accel = AccelSpec { vector_lanes: 1, ..accelerator("simba_1024", &ALL) };
    let fused = network().fused(|host, op| fuses(std::slice::from_ref(&accel), host, op));
    let found = breakdown(&accel, &fused.layers[1].work(1), GOAL).unwrap();
    // One lane does the 2 x 16,384 operations; the MACs need 512 cycles.
    assert_eq!((found.cycles.0, found.bound.name(&accel)), (32_768, "compute"));
    let total: f64 = found.energy_pj.iter().sum();
    assert!((total - found.cost.energy.0).abs() < 1e-9 * total);
    assert_divided(&accel, &fused.layers[1]);
}

/// What a cost spends on chip is what the breakdown has there, and the rest is DRAM's.
fn assert_divided(accel: &AccelSpec, layer: &Layer) {
    let found = breakdown(accel, &layer.work(1), GOAL).unwrap();
    let on_chip = layer_cost(accel, &layer.work(1), GOAL).unwrap().on_chip.unwrap();
    let close = |one: f64, other: f64| assert!((one - other).abs() <= 1e-9 * other, "{one} is not {other}");
    close(on_chip.compute_pj, *found.energy_pj.last().unwrap());
    let levels: Vec<usize> = accel.storages().skip(1).map(|(level, _)| level).collect();
    levels.iter().zip(on_chip.levels_pj).for_each(|(level, pj)| close(pj, found.energy_pj[*level]));
    assert!(on_chip.levels_pj[levels.len()..].iter().all(|pj| *pj == 0.0));
    close(found.cost.energy.0 - on_chip.total_pj(), found.energy_pj[0]);
}

#[test]
fn an_accelerator_without_a_post_processor_runs_the_same_parts_one_by_one() {
    let able = accelerator("simba_1024", &[PostOp::Elementwise, PostOp::Pool]);
    let unable = accelerator("eyeriss_1024", &[]);
    let models = [able.clone(), unable.clone()];
    let together = network().fused(|host, op| fuses(&models, host, op));
    let names: Vec<&str> = together.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["a", "b+add+pool", "c", "join"]);
    let cost = |op: Op| layer_cost(&unable, &op.into(), GOAL).unwrap();
    let layers = network().layers;
    let parts: Vec<LayerCost> = [1, 2, 3].map(|place: usize| cost(layers[place].op)).to_vec();
    let all = layer_cost(&unable, &together.layers[1].work(1), GOAL).unwrap();
    assert_eq!(all.dram_bytes.0, parts.iter().map(|part| part.dram_bytes.0).sum::<u64>());
    assert_eq!(all.latency.0, parts.iter().map(|part| part.latency.0).sum::<u64>());
    assert_divided(&unable, &together.layers[1]);
    // An accelerator that runs the convolution, but neither way of adding, keeps them apart.
    let only_conv = AccelSpec { kinds: vec![able.kinds[0]], ..unable };
    let apart = network().fused(|host, op| fuses(&[able.clone(), only_conv.clone()], host, op));
    let names: Vec<&str> = apart.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "add+pool", "c", "join"]);
}

#[test]
fn no_shipped_network_moves_more_when_it_is_fused() {
    let data = DataRoot::find(None).unwrap();
    let all = accelerator("simba_1024", &ALL);
    for name in ["resnet18", "mobilenet_v3_large", "kws_res8", "googlenet"] {
        let network = data.network(name).unwrap();
        let fused = network.fused(|host, op| fuses(std::slice::from_ref(&all), host, op));
        let bytes = |network: &Network| -> u64 {
            let cost = |layer: &Layer| layer_cost(&all, &layer.work(1), GOAL).unwrap().dram_bytes.0;
            network.layers.iter().map(cost).sum()
        };
        assert_eq!(fused.macs(), network.macs(), "{name}");
        assert!(fused.layers.len() < network.layers.len(), "{name}");
        assert!(bytes(&fused) < bytes(&network), "{name}");
    }
}
