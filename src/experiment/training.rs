//! The table `[training]`: the policy to train, the algorithm, the validation, and the algorithm's own table.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::device::Device;
use super::hyper::Hyper;
use super::named::{Named, Registered};
use super::objective::Objective;
use super::rloo::Rloo;
use crate::files::{Draws, Pairs, Positive, Seed, Spanned, Steps, Stride, within};
use crate::policy::{self, POLICIES, PolicyEntry, Trained};

/// The training that an experiment describes.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// The policy to train. Default: the first that the algorithm can train.
    pub policy: Option<Spanned<Named<PolicyEntry>>>,
    /// The algorithm that trains it. Default: the first that can train the policy.
    pub algorithm: Option<Spanned<Named<LearnerEntry>>>,
    /// The policy whose weights it starts from, a name in policies/ or the path of a manifest. Default: untrained weights.
    pub initial: Option<String>,
    /// The device on which libtorch computes: `cpu` (the default), or `cuda`, the first NVIDIA GPU.
    pub device: Option<Spanned<Device>>,
    /// Parts that the policy is trained without, for an ablation; see `mascot list parts`. It then runs without them, too.
    pub without: Option<Spanned<Vec<String>>>,
    /// Parts of the policy whose weights alone are trained, by evolution strategies; all other weights stay as they are in
    /// `initial`. Default: all.
    pub only: Option<Spanned<Vec<String>>>,
    /// What it maximises.
    pub objective: Option<Spanned<Objective>>,
    /// Traces of a generation, drawn over all cases; the same for all candidates.
    #[serde(deserialize_with = "within::<_, Draws, _>")]
    pub traces: usize,
    /// Validation seeds of every case.
    #[serde(deserialize_with = "within::<_, Draws, _>")]
    pub validation_seeds: u64,
    /// The first validation seed.
    #[serde(deserialize_with = "within::<_, Seed, _>")]
    pub validation_first_seed: u64,
    /// Generations, or iterations, between validations.
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub validate_every: u64,
    /// The number that is added to the miss rate of the reference before dividing by it.
    #[serde(deserialize_with = "within::<_, Positive, _>")]
    pub headroom: f64,
    /// The parameters of `algorithm = "rloo"`.
    pub rloo: Option<Spanned<Rloo>>,
    /// The parameters of `algorithm = "evolution"`.
    pub evolution: Option<Spanned<Evolution>>,
    /// The parameters of `algorithm = "ddpg"`.
    pub ddpg: Option<Spanned<Hyper>>,
}

impl Default for Training {
    /// Our choice, because every core then gets two traces for each antithetic pair, validation takes a tenth of the
    /// time, and the headroom is the noise of a trace.
    fn default() -> Self {
        Self {
            policy: None,
            algorithm: None,
            initial: None,
            device: None,
            without: None,
            only: None,
            objective: None,
            traces: 8,
            validation_seeds: 1,
            validation_first_seed: 20_001,
            validate_every: 10,
            headroom: 0.05,
            rloo: None,
            evolution: None,
            ddpg: None,
        }
    }
}

impl Training {
    /// The policy to train.
    pub fn policy(&self) -> &'static PolicyEntry {
        match (&self.policy, &self.algorithm) {
            (Some(policy), _) => policy.get_ref().0,
            (None, algorithm) => {
                let learner = algorithm.as_ref().map_or(&LEARNERS[0], |algorithm| algorithm.get_ref().0);
                policy::find(learner.policies[0]).expect("learners name registered policies")
            }
        }
    }

    /// What training the policy needs.
    pub fn trained(&self) -> &'static Trained {
        self.policy().trained().expect("a file can only name policies that are trained here")
    }

    /// The algorithm that trains it.
    pub fn learner(&self) -> &'static LearnerEntry {
        let policy = self.policy().name;
        let able = || LEARNERS.iter().find(|learner| learner.policies.contains(&policy));
        let given = self.algorithm.as_ref().map(|algorithm| algorithm.get_ref().0);
        given.or_else(able).expect("every policy has a learner")
    }

    /// The parameters of policy gradient with leave-one-out baselines.
    pub fn rloo_parameters(&self) -> Rloo {
        self.rloo.as_ref().map_or_else(Rloo::default, |given| given.get_ref().clone())
    }

    /// The parameters of evolution strategies.
    pub fn evolution_parameters(&self) -> Evolution {
        self.evolution.as_ref().map_or_else(Evolution::default, |given| *given.get_ref())
    }

    /// The parameters of deep deterministic policy gradient.
    pub fn ddpg_parameters(&self) -> Hyper {
        self.ddpg.as_ref().map_or_else(Hyper::default, |given| *given.get_ref())
    }

    /// The device on which libtorch computes.
    pub fn device(&self) -> Device {
        self.device.as_ref().map_or_else(Device::default, |given| *given.get_ref())
    }

    /// The parts that the policy is trained without.
    pub fn without(&self) -> Vec<String> {
        self.without.as_ref().map_or_else(Vec::new, |given| given.get_ref().clone())
    }

    /// What it maximises.
    pub fn objective(&self) -> Objective {
        self.objective.as_ref().map_or_else(Objective::default, |given| given.get_ref().clone())
    }

    /// Generations or iterations of the whole training.
    pub fn steps(&self) -> u64 {
        (self.learner().steps)(self)
    }

    /// Checks that the values fit together; the error has a position. Ranges are checked where values are read.
    pub(crate) fn check(&self) -> Result<(), (Range<usize>, String)> {
        let (policy, learner) = (self.policy(), self.learner());
        if let Some(algorithm) = &self.algorithm
            && !learner.policies.contains(&policy.name)
        {
            let able = LEARNERS.iter().filter(|of| of.policies.contains(&policy.name)).map(|of| of.name);
            let able = able.collect::<Vec<_>>().join("` or `");
            let message = format!("`{}` does not train `{}`: expected `{able}`", learner.name, policy.name);
            return Err((algorithm.span(), message));
        }
        if let Some(device) = self.device.as_ref().filter(|device| *device.get_ref() == Device::Cuda)
            && !learner.needs_libtorch
        {
            let message =
                format!("`device` is \"cuda\", but `{}` computes on the CPU: leave it out", learner.name);
            return Err((device.span(), message));
        }
        if let Some(without) = &self.without {
            let wrong = |message| (without.span(), format!("`{}`: {message}", policy.name));
            policy.check_parts(without.get_ref()).map_err(wrong)?;
        }
        self.check_only()?;
        self.check_objective()?;
        for other in LEARNERS {
            let Some(span) = (other.given)(self) else { continue };
            if other.name != learner.name {
                let (given, used) = (other.name, learner.name);
                let message = format!(
                    "`training.{given}` is for `algorithm = \"{given}\"`, but `{}` is trained by `{used}`: leave it \
                     out, or set `algorithm`",
                    policy.name
                );
                return Err((span, message));
            }
            (other.check)(self).map_err(|message| (span, message))?;
        }
        Ok(())
    }

    fn check_only(&self) -> Result<(), (Range<usize>, String)> {
        let Some(only) = &self.only else { return Ok(()) };
        let (policy, learner) = (self.policy(), self.learner().name);
        let check = || {
            if learner != "evolution" {
                return Err(format!("`only` is for `algorithm = \"evolution\"`, not `{learner}`"));
            }
            policy.check_parts(only.get_ref()).map_err(|message| format!("`{}`: {message}", policy.name))?;
            let (trained, taken) = (self.trained(), self.without());
            policy.check_parts(&taken)?;
            let like = (trained.untrained)(1, 1);
            let of = |parts: &[String]| trained.weights_of(parts, &like).expect("weights of the policy");
            let taken = of(&taken);
            match of(only.get_ref()).iter().all(|weight| taken.contains(weight)) {
                true => Err("`only` names no part that has weights: nothing would be trained".into()),
                false => Ok(()),
            }
        };
        check().map_err(|message| (only.span(), message))
    }

    fn check_objective(&self) -> Result<(), (Range<usize>, String)> {
        let (policy, learner) = (self.policy(), self.learner().name);
        if policy.knows_price() && self.objective().prices().iter().any(|price| price.0 == 0.0) {
            let given = self.objective.as_ref().map(Spanned::span);
            let span = given.or_else(|| self.policy.as_ref().map(Spanned::span)).unwrap_or_default();
            let message = format!(
                "at a price of 0 `{}` has nothing to learn: expected `objective = {{ energy = [...] }}` with prices \
                 above 0",
                policy.name
            );
            return Err((span, message));
        }
        let Some(objective) = &self.objective else { return Ok(()) };
        if learner != "rloo" {
            let message = format!("`objective` is for `algorithm = \"rloo\"`, not `{learner}`");
            return Err((objective.span(), message));
        }
        if objective.get_ref().prices().len() > 1 && !policy.knows_price() {
            let message = format!(
                "`energy` has several prices, of which `{}` does not know: expected one, or the policy `thrifty_gate`",
                policy.name
            );
            return Err((objective.span(), message));
        }
        Ok(())
    }
}

/// An algorithm that trains policies, as far as experiments are concerned; `train::learner` starts it.
pub struct LearnerEntry {
    /// The name in experiments, and that of the table of its parameters.
    pub name: &'static str,
    /// What it does in one sentence.
    pub doc: &'static str,
    /// The policies that it can train; the first is the default.
    pub policies: &'static [&'static str],
    /// Whether it needs libtorch, that is, a program built with the feature `train`.
    pub needs_libtorch: bool,
    /// The position of its parameters, if they are given.
    given: fn(&Training) -> Option<Range<usize>>,
    /// Checks that its parameters fit together; ranges are checked where values are read.
    check: fn(&Training) -> Result<(), String>,
    /// The number of steps of the whole training.
    steps: fn(&Training) -> u64,
}

/// All algorithms. To add one, add its line here, a field for its parameters to [`Training`], and the learner to
/// `train::learner`.
pub const LEARNERS: &[LearnerEntry] = &[
    LearnerEntry {
        name: "evolution",
        doc: "evolution strategies over the weights of a small net (Salimans et al., arXiv 1703.03864)",
        policies: &["learned_gate"],
        needs_libtorch: false,
        given: |training| training.evolution.as_ref().map(Spanned::span),
        check: |_| Ok(()),
        steps: |training| training.evolution_parameters().generations,
    },
    LearnerEntry {
        name: "rloo",
        doc: "policy gradient with noise held per request and leave-one-out baselines (Kool et al., 2019)",
        policies: &["relmas", "learned_gate", "thrifty_gate", "split_gate"],
        needs_libtorch: true,
        given: |training| training.rloo.as_ref().map(Spanned::span),
        check: |_| Ok(()),
        steps: |training| training.rloo_parameters().steps,
    },
    LearnerEntry {
        name: "ddpg",
        doc: "deep deterministic policy gradient (Lillicrap et al., ICLR 2016)",
        policies: &["relmas"],
        needs_libtorch: true,
        given: |training| training.ddpg.as_ref().map(Spanned::span),
        check: |training| training.ddpg_parameters().check(),
        steps: |training| training.ddpg_parameters().iterations,
    },
];

impl Registered for PolicyEntry {
    const NOUN: &'static str = "policy";
    const ALL: &'static [Self] = POLICIES;

    fn told(&self) -> [&'static str; 2] {
        [self.name, self.doc]
    }

    fn refusal(&self) -> Option<&'static str> {
        self.trained()
            .is_none()
            .then_some("is not trained by mascot, but exported from Python by `mascot.export_policy`")
    }
}

impl Registered for LearnerEntry {
    const NOUN: &'static str = "algorithm";
    const ALL: &'static [Self] = LEARNERS;

    fn told(&self) -> [&'static str; 2] {
        [self.name, self.doc]
    }
}

/// The parameters of evolution strategies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evolution {
    /// Candidates of a generation, in antithetic pairs, so an even number.
    #[serde(deserialize_with = "within::<_, Pairs, _>")]
    pub population: usize,
    /// Standard deviation of the noise on each weight.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub sigma: f32,
    /// Learning rate of Adam at the first generation.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub learning_rate: f32,
    /// The learning rate at the last generation; in between it changes linearly.
    #[serde(deserialize_with = "within::<_, Stride, _>")]
    pub final_learning_rate: f32,
    /// Number of generations.
    #[serde(deserialize_with = "within::<_, Steps, _>")]
    pub generations: u64,
    /// The seed of the noise.
    #[serde(deserialize_with = "within::<_, Seed, _>")]
    pub seed: u64,
}

impl Default for Evolution {
    /// Our choice, because a prototype of the policy learned with these values.
    fn default() -> Self {
        Self {
            population: 32,
            sigma: 0.08,
            learning_rate: 0.04,
            final_learning_rate: 0.008,
            generations: 300,
            seed: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::read_toml;

    /// The policy and the algorithm that a text gives, or the text at the position of the error and the error.
    fn read(text: &str) -> Result<[&'static str; 2], [String; 2]> {
        let training: Training = match read_toml(text) {
            Ok(training) => training,
            Err(e) => return Err([text[e.span().expect("it is of a value")].into(), e.message().into()]),
        };
        training.check().map_err(|(span, message)| [text[span].into(), message])?;
        Ok([training.policy().name, training.learner().name])
    }

    #[test]
    fn policy_and_algorithm_follow_from_each_other() {
        let ([gate, relmas], [evolution, ddpg]) = (
            ["policy = 'learned_gate'\n", "policy = 'relmas'\n"],
            ["algorithm = 'evolution'\n", "algorithm = 'ddpg'\n"],
        );
        for text in ["", gate, evolution, &format!("{gate}{evolution}"), "[evolution]"] {
            assert_eq!(read(text).unwrap(), ["learned_gate", "evolution"], "{text}");
        }
        let rloo = "algorithm = 'rloo'\n";
        for text in [relmas, rloo, &format!("{relmas}{rloo}"), "policy = 'relmas'\n[rloo]\nplays = 4"] {
            assert_eq!(read(text).unwrap(), ["relmas", "rloo"], "{text}");
        }
        for text in [ddpg, &format!("{relmas}{ddpg}"), &format!("{ddpg}[ddpg]")] {
            assert_eq!(read(text).unwrap(), ["relmas", "ddpg"], "{text}");
        }
        assert_eq!(read(&format!("{gate}{rloo}")).unwrap(), ["learned_gate", "rloo"]);
    }

    #[test]
    fn what_is_unknown_or_does_not_go_together_is_told_with_what_is_allowed() {
        for (text, place, message) in [
            (
                "policy = 'relma'",
                "'relma'",
                "no policy `relma` (did you mean `relmas`?); known: learned_gate, thrifty_gate, split_gate, relmas",
            ),
            (
                "policy = 'learned_gate'\nobjective = { energy = 0.2 }",
                "{ energy = 0.2 }",
                "`objective` is for `algorithm = \"rloo\"`, not `evolution`",
            ),
            (
                "policy = 'relmas'\nobjective = { energy = [0.1, 0.2] }",
                "{ energy = [0.1, 0.2] }",
                "`energy` has several prices, of which `relmas` does not know: expected one, or the policy `thrifty_gate`",
            ),
            (
                "policy = 'thrifty_gate'\nobjective = { energy = [0, 0.2] }",
                "{ energy = [0, 0.2] }",
                "at a price of 0 `thrifty_gate` has nothing to learn: expected `objective = { energy = [...] }` with \
                 prices above 0",
            ),
            (
                "policy = 'thrifty_gate'",
                "'thrifty_gate'",
                "at a price of 0 `thrifty_gate` has nothing to learn: expected `objective = { energy = [...] }` with \
                 prices above 0",
            ),
            (
                "policy = 'mlp'",
                "'mlp'",
                "`mlp` is not trained by mascot, but exported from Python by `mascot.export_policy`; expected \
                 learned_gate, thrifty_gate, split_gate, relmas",
            ),
            (
                "device = 'cuda'\nalgorithm = 'evolution'",
                "'cuda'",
                "`device` is \"cuda\", but `evolution` computes on the CPU: leave it out",
            ),
            (
                "device = 'gpu'\nalgorithm = 'rloo'",
                "'gpu'",
                "unknown variant `gpu`, expected `cpu` or `cuda`",
            ),
            ("algorithm = 'sac'", "'sac'", "no algorithm `sac`; known: evolution, rloo, ddpg"),
            (
                "policy = 'relmas'\nwithout = ['drop']",
                "['drop']",
                "`relmas`: it has no parts that can be switched off",
            ),
            (
                "without = ['hold', 'dorp']",
                "['hold', 'dorp']",
                "`learned_gate`: no part `dorp` (did you mean `drop`?); known: drop, hold, demotion, learned_drop, \
                 learned_share, learned_order, learned_place, queue, bandwidth, scarcity, hidden",
            ),
            (
                "only = ['scarcty']",
                "['scarcty']",
                "`learned_gate`: no part `scarcty` (did you mean `scarcity`?); known: drop, hold, demotion, learned_drop, \
                 learned_share, learned_order, learned_place, queue, bandwidth, scarcity, hidden",
            ),
            ("only = []", "[]", "`only` names no part that has weights: nothing would be trained"),
            (
                "only = ['drop', 'hold']",
                "['drop', 'hold']",
                "`only` names no part that has weights: nothing would be trained",
            ),
            (
                "only = ['scarcity']\nwithout = ['bandwidth']",
                "['scarcity']",
                "`only` names no part that has weights: nothing would be trained",
            ),
            (
                "only = ['queue']\nalgorithm = 'rloo'",
                "['queue']",
                "`only` is for `algorithm = \"evolution\"`, not `rloo`",
            ),
            (
                "policy = 'relmas'\nalgorithm = 'evolution'",
                "'evolution'",
                "`evolution` does not train `relmas`: expected `rloo` or `ddpg`",
            ),
            (
                "algorithm = 'evolution'\nddpg = { hidden = 8 }",
                "{ hidden = 8 }",
                "`training.ddpg` is for `algorithm = \"ddpg\"`, but `learned_gate` is trained by `evolution`: leave \
                 it out, or set `algorithm`",
            ),
            (
                "algorithm = 'ddpg'\nddpg = { buffer_size = 9 }",
                "{ buffer_size = 9 }",
                "`learning_starts` is 1000: expected at most `buffer_size`, 9, or no update ever comes",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), [place, message], "{text}");
        }
    }
}
