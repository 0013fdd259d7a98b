"""MaskablePPO or RecurrentPPO of sb3-contrib on the layer level.

    pip install ./python[envs] sb3-contrib
    python python/examples/sb3_layers.py experiments/quickstart.toml --algorithm maskable --steps 20000

MaskablePPO never draws what is illegal: the environment's `action_masks` says what each row can do. RecurrentPPO uses no masks;
what is illegal is held. Both take all rows as one vector, so that a net is for `--rows` layers. Prints the share of requests in
time in runs that it has not seen, before and after.
"""

import argparse

import gymnasium
from sb3_contrib import MaskablePPO, RecurrentPPO

import mascot.envs  # noqa: F401, registers the environments

# A seed of the runs that both are judged on.
JUDGED = 1_000_000


def share_in_time(model, env: gymnasium.Env, runs: int) -> float:
    """The share of measured requests in time, over some runs."""
    met = missed = 0.0
    for run in range(runs):
        observation, _ = env.reset(seed=JUDGED + run)
        state, over, is_first = None, False, True
        while not over:
            more = {"episode_start": [is_first]}
            if isinstance(model, MaskablePPO):
                more = {"action_masks": env.unwrapped.action_masks()}
            action, state = model.predict(observation, state=state, deterministic=True, **more)
            observation, reward, over, _, _ = env.step(action)
            met, missed, is_first = met + max(reward, 0.0), missed - min(reward, 0.0), False
    return met / (met + missed)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--algorithm", choices=["maskable", "recurrent"], default="maskable")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--requests", type=int, default=100, help="of a run")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()

    def make() -> gymnasium.Env:
        options = {"max_sub_jobs": told.rows, "rewards": {"met": 1.0, "missed": -1.0}, "requests": told.requests}
        return gymnasium.make("mascot/Layers-v0", experiment=told.experiment, **options)

    env = make()
    kind, policy = (MaskablePPO, "MultiInputPolicy") if told.algorithm == "maskable" else (RecurrentPPO, "MultiInputLstmPolicy")
    model = kind(policy, env, n_steps=512, batch_size=128, gamma=0.995, seed=told.seed, device="cpu")
    print(f"before: {share_in_time(model, make(), 5):.3f}", flush=True)
    model.learn(told.steps)
    print(f"after {told.steps} decisions: {share_in_time(model, make(), 5):.3f}")


if __name__ == "__main__":
    main()
