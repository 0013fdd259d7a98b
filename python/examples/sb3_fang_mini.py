"""DQN and PPO of Stable-Baselines3 on a problem whose optimum is known: an independent check of the environment.

    pip install ./python[envs] stable-baselines3
    python python/examples/sb3_fang_mini.py --algorithm dqn --shape step --p 0.6

Prints the mean worth of a request under the learned policy, on requests that it was not trained on, and its share of the
optimum. The learners' parameters are those of Stable-Baselines3 except for the ones below.
"""

import argparse
import tempfile
import warnings

import gymnasium
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env

import mascot.envs
from mascot.problems import FangMini

NUM_ENVS = 8
NET = {"net_arch": [64, 64]}


def learner(algorithm: str, problem: FangMini, folder: str, seed: int) -> BaseAlgorithm:
    """A learner on the problem."""
    path = problem.write(folder)
    number = 1 if algorithm == "dqn" else NUM_ENVS
    env = make_vec_env(
        "mascot/Serving-Free-v0",
        n_envs=number,
        seed=seed,
        env_kwargs={"experiment": path, "max_steps": 1000, **problem.options},
    )
    if algorithm == "dqn":
        return DQN(
            "MlpPolicy",
            env,
            learning_rate=lambda left: 1e-3 * left + 1e-5,
            gamma=0.95,
            buffer_size=100_000,
            learning_starts=2_000,
            batch_size=128,
            train_freq=4,
            gradient_steps=2,
            target_update_interval=1_000,
            exploration_fraction=0.4,
            exploration_final_eps=0.02,
            policy_kwargs=NET,
            seed=seed,
        )
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=lambda left: 1e-3 * left + 1e-5,
        gamma=0.95,
        gae_lambda=0.9,
        n_steps=512,
        batch_size=512,
        n_epochs=8,
        ent_coef=0.002,
        policy_kwargs=NET,
        seed=seed,
    )


def worth(model: BaseAlgorithm, problem: FangMini, folder: str, requests: int, seed: int) -> float:
    """The mean worth of a request under the model's policy, over a run of so many."""
    options = {**problem.options, "time_price_per_s": 0.0}
    env = gymnasium.make("mascot/Serving-Free-v0", experiment=problem.write(folder, requests=requests), **options)
    observation, _ = env.reset(seed=seed)
    total, terminated = 0.0, False
    while not terminated:
        action, _ = model.predict(observation, deterministic=True)
        observation, reward, terminated, _, _ = env.step(action)
        total += reward
    return total / requests


def main() -> None:
    """Train and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", choices=["dqn", "ppo"], default="dqn")
    parser.add_argument("--shape", choices=["ramp", "step"], default="step")
    parser.add_argument("--p", type=float, default=0.6, help="0.2, 0.4, 0.6 or 0.8")
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=50_000, help="of the evaluation")
    told = parser.parse_args()
    # The largest variant alone could not carry these arrivals.
    warnings.filterwarnings("ignore", message=".*more than any schedule can carry")
    torch.set_num_threads(1)
    problem = FangMini(told.shape, told.p)
    with tempfile.TemporaryDirectory() as folder:
        model = learner(told.algorithm, problem, folder, told.seed)
        model.learn(told.steps)
        found = worth(model, problem, folder, told.requests, told.seed + 1_000)
    share = found / problem.optimum
    name = f"{told.algorithm} {told.shape} {told.p} seed {told.seed}"
    print(f"{name}: {found:.4f} of {problem.optimum:.4f}, {share:.2%}; best rule {problem.best_switch:.4f}", flush=True)


if __name__ == "__main__":
    assert mascot.envs  # registers the environments
    main()
