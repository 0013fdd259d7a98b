//! Cases worked out by hand: layers of 10 ns and 100 bytes behind 10 bytes/ns, whose DRAM reads cost 4 pJ a byte.

use super::*;
use crate::check::testing::{layer, plain_rules, platform, records, request, world};
use crate::sim::{Decision, LayerModel, Record, Request, RequestId, View, World};
use crate::units::{Picojoules, Time};

/// The tensors of each layer, the same on each accelerator; outputs have as many elements as bytes.
type Sizes<'a> = &'a [Tensors];

fn weights(bytes: u64) -> Tensors {
    Tensors { weights: bytes, weight_reads: 60, ..Tensors::default() }
}

/// Networks on accelerators with memories of `bytes`.
fn resident(bytes: &[u64], networks: &[(&[&[usize]], Sizes)], pinned: &[usize]) -> World {
    let costs = vec![(10.0, 10.0); bytes.len()];
    let layers = |after: &[&[usize]]| -> Vec<LayerModel> {
        let each = after.iter().map(|after| {
            let mut layer = layer(after, &costs);
            layer.costs.iter_mut().flatten().for_each(|cost| cost.energy = Picojoules(1000.0));
            layer
        });
        each.collect()
    };
    let layers: Vec<Vec<LayerModel>> = networks.iter().map(|(after, _)| layers(after)).collect();
    let layers: Vec<&[LayerModel]> = layers.iter().map(|layers| &layers[..]).collect();
    let mut world = world(platform(bytes.len(), 10.0), &layers);
    let memories: Arc<[Memory]> =
        bytes.iter().map(|&bytes| Memory { bytes, dram_pj_per_byte: 4.0 }).collect();
    for (place, (network, (_, sizes))) in world.networks.iter_mut().zip(networks).enumerate() {
        network.residency = Some(Residency {
            tensors: Array2::from_shape_fn((sizes.len(), bytes.len()), |(layer, _)| sizes[layer]),
            outputs: sizes.iter().map(|sizes| sizes.output).collect(),
            pinned: pinned.contains(&place),
            memories: Arc::clone(&memories),
        });
    }
    world
}

/// Request, layer, what it found of inputs and weights, of each layer in the order of ends.
fn found(
    world: &World,
    requests: &[Request],
    decide: impl FnMut(&View, &mut Decision) + Send,
) -> Vec<(u32, u32, f64, f64)> {
    let made = records(world, requests, plain_rules(), decide);
    let end = |record: &Record| match *record {
        Record::Finish { sub_job, dram_bytes, forwarded_bytes, resident_weight_bytes, energy, .. } => {
            let round = |x: f64| (x * 1e6).round() / 1e6;
            let on_chip = forwarded_bytes + resident_weight_bytes;
            assert_eq!(round(dram_bytes + on_chip), 100.0);
            assert_eq!(round(energy.0 + 4.0 * on_chip), 1000.0);
            Some((sub_job.job.0, sub_job.layer, round(forwarded_bytes), round(resident_weight_bytes)))
        }
        _ => None,
    };
    made.iter().filter_map(end).collect()
}

/// Everything on accelerator 0, first come, first served, lower layers first.
fn in_order(view: &View, out: &mut Decision) {
    view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, -f64::from(sub.id.layer)));
}

/// The weights that requests for these networks find, one after the other; all networks have one layer.
fn weights_found(world: &World, networks: &[u32]) -> Vec<f64> {
    let requests: Vec<Request> =
        networks.iter().enumerate().map(|(i, &network)| request(network, i as f64)).collect();
    found(world, &requests, in_order).into_iter().map(|found| found.3).collect()
}

#[test]
fn tenants_share_a_memory_and_what_was_used_least_recently_leaves() {
    // Three networks of 40 bytes share 100. 2 takes the place of 1, because 0 was used since; then 1 that of 2.
    let one: (&[&[usize]], Sizes) = (&[&[]], &[weights(40)]);
    let order = [0, 1, 0, 2, 0, 1];
    assert_eq!(weights_found(&resident(&[100], &[one; 3], &[]), &order), [0.0, 0.0, 60.0, 0.0, 60.0, 0.0]);
    // Network 1 is pinned: 2 takes the place of 0, and 0 that of 2.
    assert_eq!(weights_found(&resident(&[100], &[one; 3], &[1]), &order), [0.0, 0.0, 60.0, 0.0, 0.0, 60.0]);
    // Two pinned networks fill 99 bytes: there is no room for 2, nor for a third pinned one.
    let full = [0, 1, 2, 2, 0, 1];
    for pinned in [&[0, 1][..], &[0, 1, 2]] {
        let world = resident(&[99], &[one; 3], pinned);
        assert_eq!(weights_found(&world, &full), [0.0, 0.0, 0.0, 0.0, 60.0, 60.0]);
    }
    // What is larger than the memory does not enter, and nothing leaves for it.
    let large: (&[&[usize]], Sizes) = (&[&[]], &[weights(101)]);
    assert_eq!(weights_found(&resident(&[100], &[one, large], &[]), &[0, 1, 1, 0]), [0.0, 0.0, 0.0, 60.0]);
}

fn activations(input_reads: u64, output: u64) -> Tensors {
    Tensors { input_reads, output, ..Tensors::default() }
}

/// 0 -> {1, 2} -> 3 with outputs of 40, 20 and 60 bytes.
fn diamond() -> (&'static [&'static [usize]], Vec<Tensors>) {
    let sizes = [activations(0, 40), activations(50, 20), activations(50, 60), activations(80, 0)];
    (&[&[], &[0], &[0], &[1, 2]], sizes.to_vec())
}

#[test]
fn outputs_stay_for_all_that_read_them() {
    let (after, sizes) = diamond();
    // All outputs fit: every input is found.
    let ends = found(&resident(&[120], &[(after, &sizes)], &[]), &[request(0, 0.0)], in_order);
    assert_eq!(ends, [(0, 0, 0.0, 0.0), (0, 1, 50.0, 0.0), (0, 2, 50.0, 0.0), (0, 3, 80.0, 0.0)]);
    // In 100 bytes the output of 2 takes the place of that of 1, not of that of 0, which 2 reads. Layer 3 finds 60 of 80.
    let ends = found(&resident(&[100], &[(after, &sizes)], &[]), &[request(0, 0.0)], in_order);
    assert_eq!(ends, [(0, 0, 0.0, 0.0), (0, 1, 50.0, 0.0), (0, 2, 50.0, 0.0), (0, 3, 60.0, 0.0)]);
    // Layer 1 runs on the other accelerator: it finds nothing there, and its output is there.
    let ends = found(&resident(&[120, 120], &[(after, &sizes)], &[]), &[request(0, 0.0)], |view, out| {
        view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, usize::from(sub.id.layer == 1), 0.0));
    });
    let mut ends: Vec<_> = ends.into_iter().map(|end| (end.1, end.2)).collect();
    ends.sort_by_key(|end| end.0);
    assert_eq!(ends, [(0, 0.0), (1, 0.0), (2, 50.0), (3, 60.0)]);
}

#[test]
fn outputs_of_a_dropped_request_leave_at_once() {
    // Weights of 60 bytes, then an output of 40; the memory is full. Weights of 40 come last.
    let chain: (&[&[usize]], Sizes) = (&[&[], &[0]], &[activations(0, 40), activations(50, 0)]);
    let networks = [chain, (&[&[]], &[weights(60)]), (&[&[]], &[weights(40)])];
    let world = resident(&[100], &networks, &[]);
    let requests = [request(1, 0.0), request(0, 1.0), request(2, 30.0), request(1, 50.0)];
    let last = |drops: bool| {
        let ends = found(&world, &requests, |view, out| {
            for sub in view.sub_jobs() {
                match (sub.id.job.0, sub.id.layer) {
                    // The second layer of request 1 comes last, or never.
                    (1, 1) if drops && sub.ready => out.drop_request(RequestId(1)),
                    (1, 1) => out.assign(sub.id, 0, -1.0),
                    _ => out.assign(sub.id, 0, 0.0),
                }
            }
        });
        ends.into_iter().find(|end| end.0 == 3).map(|end| end.3)
    };
    assert_eq!(last(true), Some(60.0), "the output makes room");
    // Layer 1 of request 1 runs at 20 and releases the output at 30, after request 2 has arrived.
    assert_eq!(last(false), Some(60.0));
    // While the output waits, request 2 takes the place of the older weights.
    let waits = found(&world, &requests, |view, out| {
        let first = |sub: &&crate::sim::SubJobView| (sub.id.job.0, sub.id.layer) != (1, 1);
        view.sub_jobs().iter().filter(first).for_each(|sub| out.assign(sub.id, 0, 0.0));
        if view.now() >= Time(60_000) {
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, 0.0));
        }
    });
    assert_eq!(waits.iter().find(|end| end.0 == 3).map(|end| end.3), Some(0.0));
}

#[test]
fn a_layer_that_the_dram_slows_ends_earlier() {
    // 100 bytes at 5 bytes/ns take 20 ns; the 40 that are left take 8, less than c.
    let mut world = resident(&[100], &[(&[&[]], &[weights(40)])], &[]);
    world.platform.bandwidth_bytes_per_ps /= 2.0;
    world.networks[0].ways[0].bandwidth_bytes_per_ps /= 2.0;
    let made = records(&world, &[request(0, 0.0), request(0, 0.0)], plain_rules(), in_order);
    let ended = |record: &Record| if let Record::Done { time, .. } = record { Some(*time) } else { None };
    assert_eq!(made.iter().filter_map(ended).collect::<Vec<_>>(), [Time(20_000), Time(30_000)]);
}

#[test]
fn a_view_shows_what_the_next_layer_would_find() {
    let both = Tensors { weights: 30, weight_reads: 20, output: 40, input_reads: 50 };
    let chain: (&[&[usize]], Sizes) = (&[&[], &[0]], &[both, Tensors { output: 0, ..both }]);
    let world = resident(&[100, 0], &[chain], &[]);
    let mut seen = Vec::new();
    records(&world, &[request(0, 0.0), request(0, 25.0)], plain_rules(), |view, out| {
        for sub in view.sub_jobs() {
            let [here, there] = [0, 1].map(|accelerator| view.found(sub, accelerator));
            let alone = view.cost_finding(sub, 0).map(|cost| cost.dram_bytes());
            seen.push((view.now().0 / 1000, sub.id.layer, here.inputs, here.weights, there.bytes(), alone));
            let fork = view.fork();
            assert_eq!(fork.view().found(sub, 0), here);
            out.assign(sub.id, 0, 0.0);
        }
    });
    let round = |seen: &(u64, u32, f64, f64, f64, Option<f64>)| {
        (seen.0, seen.1, seen.2, seen.3, seen.4, seen.5.map(f64::round))
    };
    let seen: Vec<_> = seen.iter().map(round).collect();
    // At 10 layer 1 of the first request is ready; at 35 that of the second, with weights from the first.
    assert!(seen.starts_with(&[(0, 0, 0.0, 0.0, 0.0, Some(100.0))]), "{seen:?}");
    assert!(seen.contains(&(10, 1, 50.0, 0.0, 0.0, Some(50.0))), "{seen:?}");
    assert!(seen.contains(&(25, 0, 0.0, 20.0, 0.0, Some(80.0))), "{seen:?}");
    assert!(seen.contains(&(35, 1, 50.0, 20.0, 0.0, Some(30.0))), "{seen:?}");
}

#[test]
fn the_least_cost_has_every_hit_that_fits() {
    let (after, sizes) = diamond();
    let least = |bytes: u64, layer| {
        let world = resident(&[bytes], &[(after, &sizes)], &[]);
        world.networks[0].least_cost(layer, 0).expect("it runs").dram_bytes().round()
    };
    assert_eq!([100, 50, 30].map(|bytes| least(bytes, 3)), [20.0, 80.0, 80.0], "60, 20 and 20 bytes fit");
    assert_eq!((least(40, 1), least(39, 1)), (50.0, 100.0));
}
