//! The samples of plays with what the loss of a policy gradient makes of them: A eps / sigma of every output.

use tch::Tensor;

use super::super::collect::Play;
use crate::policy::Sample;

/// A sample, and the pushes on the outputs of its items.
pub(super) struct Weighed<'a> {
    pub(super) sample: &'a Sample,
    pub(super) pushes: Vec<f32>,
}

/// The samples of a play. The push on an output of a spell, its advantage times the weight times its noise / sigma, is
/// shared by the samples that it is in.
pub(super) fn weigh<'a>(
    play: &'a Play,
    advantages: &[f64],
    weight: f64,
    outputs: usize,
    sigma: f32,
) -> Vec<Weighed<'a>> {
    let samples = || play.exploration.samples().filter(|sample| !sample.spells.is_empty());
    let most = samples().flat_map(|sample| &sample.spells).max().map_or(0, |&last| last as usize + 1);
    let mut counts = vec![0u32; most];
    samples().flat_map(|sample| &sample.spells).for_each(|&spell| counts[spell as usize] += 1);
    let push = |spell: u32, output: usize| {
        // A request that came in some of the plays only has no advantage, and counts nothing.
        let advantage = advantages.get(spell as usize).copied().unwrap_or(0.0);
        let noise = play.exploration.noise(spell, output) / sigma;
        (advantage * weight) as f32 * noise / counts[spell as usize] as f32
    };
    let of_sample = |sample: &'a Sample| {
        let spells = sample.spells.iter();
        Weighed {
            sample,
            pushes: spells
                .flat_map(|&spell| (0..outputs).map(move |k| (spell, k)))
                .map(|(spell, k)| push(spell, k))
                .collect(),
        }
    };
    samples().map(of_sample).collect()
}

/// Some numbers of all samples, one after the other.
pub(super) fn flat<'s>(weighed: &[&Weighed<'s>], of: for<'w> fn(&'w Weighed<'s>) -> &'w [f32]) -> Tensor {
    let all = weighed.iter().flat_map(|weighed| of(weighed));
    Tensor::from_slice(&all.copied().collect::<Vec<f32>>())
}
