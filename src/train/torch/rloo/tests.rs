//! Problems with known answers, and gradients against central differences.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::check::{layer, plain_rules, platform, request, trace, world};
use crate::files::Share;
use crate::policy::{
    Actor, LEARNED_GATE_NET, PolicyEntry, SPLIT_GATE_NET, THRIFTY_GATE_NET, find, learned_gate, relmas, tiny,
};
use crate::train::cart_pole;
use crate::train::credit::leave_one_out;
use crate::train::env::Setup;
use crate::units::{Picojoules, Time};

/// How strongly outputs are pulled back in the tests.
const PULL: f64 = 3.0;

fn numbers(count: usize, most: f32, random: &mut ChaCha8Rng) -> Vec<f32> {
    (0..count).map(|_| random.random_range(-most..most)).collect()
}

/// The numbers of all tensors, one after the other.
fn values(tensors: &[Tensor]) -> Vec<f32> {
    let of = |tensor: &Tensor| {
        let mut values = vec![0f32; tensor.numel()];
        tensor.contiguous().copy_data(&mut values, tensor.numel());
        values
    };
    tensors.iter().flat_map(of).collect()
}

/// The goal of a policy, which pulls outputs back so strongly.
fn goal(name: &str, accelerators: usize, bound_loss: f64) -> Goal {
    let kind = find(name).expect("it is registered");
    let untrained = (kind.trained().expect("it is trained").untrained)(1, accelerators);
    let rloo = Rloo { bound_loss, ..Rloo::default() };
    Goal::of(&Ascending::new(kind, accelerators, &untrained, rloo, 0.5, Box::new(|_, _| Vec::new())))
}

/// The gradient of the loss at some weights equals the differences of the loss that the policy's own net gives.
fn assert_gradient(name: &str, held: Option<&str>, said: impl Fn(&Tensors, &[f32]) -> Vec<f32>) {
    let (kind, accelerators, random) =
        (find(name).and_then(PolicyEntry::trained).expect("it is trained"), 3, &mut stream(1, "test", name));
    let untrained = (kind.untrained)(1, accelerators);
    let mut weights = untrained.clone();
    // A net that is held says nothing before training, and has to go on so, because `said` leaves it out.
    for (_, tensor) in weights.0.iter_mut().filter(|(name, _)| Some(&name[..]) != held) {
        let moved = tensor.values().iter().map(|weight| weight + random.random_range(-0.1..0.1)).collect();
        *tensor = crate::policy::Tensor::new(tensor.shape(), moved);
    }
    let moved = weights.flat();
    let features = (kind.features_of)(accelerators);
    let samples = [3, 1].map(|items: usize| Sample {
        rows: numbers(items * features, 1.0, random),
        spells: (0..items as u32).collect(),
    });
    let ranges = (kind.ranges)(accelerators);
    let pushes = [3, 1].map(|items| numbers(items * ranges.len(), 1.0, random));
    let all = samples.iter().zip(&pushes);
    let weighed: Vec<Weighed> =
        all.map(|(sample, pushes)| Weighed { sample, pushes: pushes.clone() }).collect();
    let goal = goal(name, accelerators, PULL);
    let (gradient, saturation) = goal.gradient(&weights, &mut weighed.iter().collect::<Vec<_>>());
    let gradient = values(&gradient);
    let value = |place: usize, by: f32| {
        let mut moved = moved.clone();
        moved[place] += by;
        let weights = weights.with_flat(&moved);
        let of_sample = |(sample, pushes): (&Sample, &Vec<f32>)| {
            let said = said(&weights, &sample.rows).into_iter().zip(pushes).zip(ranges.iter().cycle());
            let of = |((said, push), [least, largest]): ((f32, &f32), &Range)| {
                let outside = f64::from(said - said.clamp(*least, *largest));
                if outside == 0.0 { -f64::from(said * push) } else { PULL * outside * outside / 4.0 }
            };
            said.map(of).sum::<f64>()
        };
        samples.iter().zip(&pushes).map(of_sample).sum::<f64>()
    };
    let all = samples.iter().flat_map(|sample| said(&weights, &sample.rows)).zip(ranges.iter().cycle());
    let beyond = all.filter(|(said, [least, largest])| !(least..=largest).contains(&said)).count();
    assert_eq!(saturation, beyond as f64 / (4 * ranges.len()) as f64, "{name}");
    let mut compared = 0;
    for (place, &gradient) in gradient.iter().enumerate() {
        let differences = (value(place, 0.002) - value(place, -0.002)) / 0.004;
        let close = (f64::from(gradient) - differences).abs() < 2e-3 * differences.abs() + 2e-3;
        assert!(close, "{name}, weight {place}: {gradient} {differences}");
        compared += usize::from(differences.abs() > 0.05);
    }
    assert!(compared > 100, "{compared}");
}

/// Beyond its range nothing pushes an output, but it is pulled back: a push inwards that is kept would be a drift, as those
/// outwards are not.
#[test]
fn beyond_its_range_an_output_is_only_pulled() {
    let sample = Sample { rows: Vec::new(), spells: vec![0, 1] };
    for push in [1.0, -1.0] {
        let weighed = Weighed { sample: &sample, pushes: vec![push; 4] };
        let loss_of = |said: [f32; 4], pull: [f32; 2]| {
            let limits = Limits { ranges: vec![[0.0, 2.0], [-2.0, 2.0]], pull: pull.to_vec() };
            let said = Tensor::from_slice(&said).reshape([2, 2]);
            limits.loss(&said, &limits.outside(&said), &[&weighed], 10).double_value(&[])
        };
        assert_eq!(loss_of([2.5, -2.5, -0.5, -9.0], [0.0, 0.0]), 0.0);
        assert_eq!(loss_of([2.5, -1.5, 0.5, -9.0], [0.0, 0.0]), f64::from(push));
        // Two outputs of the first kind are 0.5 off.
        assert_eq!(loss_of([2.5, -1.5, -0.5, -9.0], [20.0, 0.0]), 1.0 + 1.5 * f64::from(push));
    }
}

#[test]
fn gradients_equal_central_differences() {
    assert_gradient("learned_gate", None, |weights, rows| {
        let weights = learned_gate::weights(weights).expect("all weights");
        rows.chunks(LEARNED_GATE_NET[0]).flat_map(|row| learned_gate::said(weights, row)).collect()
    });
    // The first net is held, so its weights have no gradient.
    assert_gradient("thrifty_gate", Some("weights"), |weights, rows| {
        rows.chunks(THRIFTY_GATE_NET[0]).flat_map(|row| learned_gate::thrift::said(weights, row)).collect()
    });
    assert_gradient("split_gate", None, |weights, rows| {
        rows.chunks(SPLIT_GATE_NET[0]).flat_map(|row| learned_gate::cuts::said(weights, row)).collect()
    });
    assert_gradient("relmas", None, |weights, rows| {
        let mut said = Vec::new();
        Actor::new(weights, 3).expect("all tensors").act(rows, &mut said);
        said
    });
}

#[test]
fn batches_add_up_to_the_whole() {
    let (accelerators, random) = (3, &mut stream(1, "test", "batches"));
    let weights = relmas::initial(accelerators, 8, random);
    let (features, outputs) = (relmas::features(accelerators), relmas::outputs(accelerators));
    let mut sample = |i: usize| {
        let items = 1 + i * 7 % 9;
        let (rows, pushes) = (numbers(items * features, 1.0, random), numbers(items * outputs, 1.0, random));
        (Sample { rows, spells: vec![0; items] }, pushes)
    };
    let samples: Vec<(Sample, Vec<f32>)> = (0..2 * TOGETHER + 9).map(&mut sample).collect();
    let weighed: Vec<Weighed> =
        samples.iter().map(|(sample, pushes)| Weighed { sample, pushes: pushes.clone() }).collect();
    let goal = goal("relmas", accelerators, 1.0);
    let whole = {
        let own = Parameters::new(&weights);
        let batch =
            Batch::new(&samples.iter().map(|(sample, _)| sample).collect::<Vec<_>>(), features, Device::Cpu);
        let said = (goal.net)(&own, &batch, true);
        let loss =
            goal.limits.loss(&said, &goal.limits.outside(&said), &weighed.iter().collect::<Vec<_>>(), 1);
        values(&Tensor::run_backward(&[loss], own.leaves(), false, false))
    };
    let parts = values(&goal.gradient(&weights, &mut weighed.iter().collect::<Vec<_>>()).0);
    assert_eq!(parts.len(), whole.len());
    let most = whole.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(parts.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-5 * most));
    assert!(most > 1.0, "{most}");
}

/// Trains `relmas` on runs that do not change; returns the share of deadlines met in the first step and in the last.
fn trained(setup: fn() -> Setup, steps: u64) -> [f64; 2] {
    let rloo = Rloo {
        steps,
        traces: 2,
        final_traces: 2,
        plays: 8,
        sigma: 0.5,
        final_sigma: 0.02,
        learning_rate: 0.02,
        final_learning_rate: 0.005,
        warm_up: 1,
        ..Rloo::default()
    };
    let kind = find("relmas").expect("it is registered");
    let trained = kind.trained().expect("it is trained");
    let traces = Box::new(move |_, count: usize| (0..count).map(|_| setup()).collect());
    let weights = (trained.untrained)(rloo.seed, 2);
    let mut learner = Ascending::new(kind, 2, &weights, rloo, 0.5, traces);
    let mut rates = Vec::new();
    while learner.steps < steps {
        rates.push(learner.ascend().mean_rate.expect("plays"));
    }
    [rates[0], rates[rates.len() - 1]]
}

#[test]
fn a_bandit_is_solved() {
    // Only accelerator 0 meets deadlines.
    let [first, last] = trained(|| tiny(10), 40);
    assert!(first < 0.9 && last == 1.0, "{first} {last}");
}

/// Requests in pairs: the first may run anywhere, but must leave accelerator 0, where it would end first, to the second,
/// which comes 1 ns later and meets its deadline nowhere else.
fn chain() -> Setup {
    let world = world(
        platform(2, 1_000.0),
        &[&[layer(&[], &[(40.0, 1.0), (60.0, 1.0)])], &[layer(&[], &[(40.0, 1.0), (80.0, 1.0)])]],
    );
    let requests: Vec<_> = (0..10)
        .map(|i| {
            let (pair, second) = (f64::from(i / 2) * 200.0, i % 2 == 1);
            let request = request(u32::from(second), pair + if second { 1.0 } else { 0.0 });
            let due = if second { 50_000 } else { 90_000 };
            crate::sim::Request { deadline: request.arrival + Time(due), ..request }
        })
        .collect();
    Setup { world: Arc::new(world), trace: Arc::new(trace(&requests)), rules: plain_rules(), price: 0.0 }
}

#[test]
fn a_request_leaves_its_best_place_to_a_later_one() {
    let [first, last] = trained(chain, 60);
    assert!(first < 0.9 && last == 1.0, "{first} {last}");
}

/// Requests of one layer with time for both accelerators: the first ends sooner, the second takes a tenth of the energy.
fn dear_or_cheap() -> Setup {
    let mut layer = layer(&[], &[(20.0, 1.0), (30.0, 1.0)]);
    layer.costs[0].as_mut().expect("it runs").energy = Picojoules(100.0);
    layer.costs[1].as_mut().expect("it runs").energy = Picojoules(10.0);
    let world = world(platform(2, 1_000.0), &[&[layer]]);
    let due = |i: u32| {
        let request = request(0, 100.0 * f64::from(i));
        crate::sim::Request { deadline: request.arrival + Time(90_000), ..request }
    };
    let requests: Vec<_> = (0..10).map(due).collect();
    Setup { world: Arc::new(world), trace: Arc::new(trace(&requests)), rules: plain_rules(), price: 0.0 }
}

/// At a price at which the saving is worth more than nothing, every request goes to the cheap accelerator after training; before, to the fast one.
#[test]
fn a_price_that_is_worth_it_makes_it_thrifty() {
    let rloo = Rloo { steps: 40, learning_rate: 0.02, final_sigma: 0.02, warm_up: 1, ..Rloo::default() };
    let kind = find("thrifty_gate").expect("it is registered");
    let trained = kind.trained().expect("it is trained");
    let at = |price: f64| Setup { price, ..dear_or_cheap() };
    let traces = Box::new(move |_, _| [0.001, 0.05, 0.05, 0.001].map(at).to_vec());
    let mut learner = Ascending::new(kind, 2, &(trained.untrained)(1, 2), rloo, 0.5, traces);
    while learner.steps < 40 {
        learner.ascend();
    }
    let still =
        Exploring { seed: 1, sigma: 1e-6, scales: &[], plays: 2, spells: 1, samples: 1, without: &[] };
    let played = collect(trained, &learner.own.tensors(), &[at(0.05)], still);
    let fates = &played[0][0].fates;
    let energy = fates.iter().map(|fate| fate.energy).sum::<f64>() / fates.len() as f64;
    assert!(fates.iter().all(|fate| fate.met) && (energy - 1.0).abs() < 1e-6, "{energy}");
}

/// A linear policy, noise of its own in every step, and steps of the learner along its loss.
#[test]
fn a_pole_is_balanced() {
    let random = &mut stream(1, "test", "cart-pole");
    let mut tensors = Tensors::default();
    tensors.insert("w", &[1, 4], vec![0.0; 4]);
    let mut parameters = Parameters::new(&tensors);
    let mut adam = Adam::new(&parameters, 0.1, 1e6);
    let sigma = 0.3f32;
    let unlimited = Limits { ranges: vec![[f32::NEG_INFINITY, f32::INFINITY]], pull: vec![0.0] };
    for _ in 0..60 {
        let weights = parameters.tensors().flat();
        let start = cart_pole::start(random);
        let plays: Vec<(Vec<cart_pole::State>, Vec<f32>)> = (0..16)
            .map(|_| {
                let mut noise = Vec::new();
                let states = cart_pole::episode(start, |state| {
                    noise.push(StandardNormal.sample(random));
                    cart_pole::says(&weights, state) + sigma * noise[noise.len() - 1] > 0.0
                });
                noise.resize(states.len(), 0.0);
                (states, noise)
            })
            .collect();
        let returns = plays.iter().map(|(states, _)| {
            (0..cart_pole::LONGEST).map(|step| states.len().saturating_sub(step) as f64).collect()
        });
        let advantages = leave_one_out(returns.collect());
        let samples: Vec<Sample> = plays
            .iter()
            .map(|(states, _)| Sample { rows: states.as_flattened().to_vec(), ..Sample::default() })
            .collect();
        let all = samples.iter().zip(&plays).zip(&advantages);
        let weighed: Vec<Weighed> = all
            .map(|((sample, (_, noise)), advantages)| Weighed {
                sample,
                pushes: noise.iter().zip(advantages).map(|(eps, a)| *a as f32 * eps / sigma).collect(),
            })
            .collect();
        let weighed: Vec<&Weighed> = weighed.iter().collect();
        let states = flat(&weighed, |weighed| &weighed.sample.rows).reshape([-1, 4]);
        let said = states.linear::<Tensor>(parameters.get("w"), None);
        adam.step(&mut parameters, &unlimited.loss(&said, &unlimited.outside(&said), &weighed, 1));
    }
    let score = cart_pole::score(&parameters.tensors().flat(), random);
    assert!(score >= 475.0, "{score}");
}

/// Outputs without noise go on saying what they said, while the others learn.
#[test]
fn outputs_without_noise_stay_as_they_are() {
    for (name, noise) in [
        ("learned_gate", vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]),
        ("relmas", vec![0.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
    ] {
        let kind = find(name).expect("it is registered");
        let trained = kind.trained().expect("it is trained");
        let output_noise: Vec<Share> = noise.into_iter().map(Share).collect();
        let rloo = Rloo { output_noise: output_noise.clone(), learning_rate: 0.05, ..Rloo::default() };
        let random = &mut stream(2, "test", name);
        let untrained = (trained.untrained)(1, 2);
        let moved: Vec<f32> = untrained.flat().iter().map(|w| w + random.random_range(-0.1..0.1)).collect();
        let weights = untrained.with_flat(&moved);
        let traces = Box::new(|_, count: usize| (0..count).map(|_| tiny(20)).collect());
        let mut learner = Ascending::new(kind, 2, &weights, rloo, 0.5, traces);
        let rows = numbers(3 * (trained.features_of)(2), 1.0, random);
        let sample = Sample { rows, spells: vec![0, 1, 2] };
        let said = |learner: &Ascending| {
            let batch = Batch::new(&[&sample], (trained.features_of)(2), Device::Cpu);
            values(&[net(name)(&learner.own, &batch, true).detach()])
        };
        let before = said(&learner);
        for _ in 0..3 {
            learner.ascend();
        }
        let after = said(&learner);
        for (output, (before, after)) in before.iter().zip(&after).enumerate() {
            let is_still = output_noise[output % output_noise.len()].0 == 0.0;
            assert_eq!(before == after, is_still, "{name}, output {output}: {before} {after}");
        }
    }
}

/// A need below 0 and bytes above 4 have no effect, so only the pull brings them back.
#[test]
fn outputs_beyond_their_ranges_come_back() {
    let kind = find("learned_gate").expect("it is registered");
    let mut weights = (kind.trained().expect("it is trained").untrained)(1, 2).flat();
    let biases = weights.len() - LEARNED_GATE_NET[2];
    (weights[biases], weights[biases + 5]) = (-1.0, 5.0);
    let weights = learned_gate::tensors(weights);
    let saturation_after = |bound_loss: f64| {
        let rloo = Rloo { bound_loss, learning_rate: 0.01, warm_up: 1, ..Rloo::default() };
        let traces = Box::new(|_, count: usize| (0..count).map(|_| tiny(20)).collect());
        let mut learner = Ascending::new(kind, 2, &weights, rloo, 0.5, traces);
        (0..60).filter_map(|_| learner.ascend().saturation).last().expect("steps")
    };
    let [free, pulled] = [0.0, 1.0].map(saturation_after);
    assert!(free >= 0.25 && pulled < 0.2, "{free} {pulled}");
}
