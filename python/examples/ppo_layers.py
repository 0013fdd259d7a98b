"""PPO in one file of plain PyTorch, in the manner of CleanRL, on the layer level.

    pip install ./python[envs] torch
    python python/examples/ppo_layers.py experiments/quickstart.toml --steps 200000

A net judges each row (a layer that may be assigned) alone, with the mean of all rows beside it, so that its size depends on
the number of accelerators and not on the number of rows. Prints the share of requests in time as it learns.
"""

import argparse

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor, nn

from mascot.envs import LayersVectorEnv

LEARNING_RATE = 1e-3
GAMMA, GAE_LAMBDA = 0.995, 0.95
NUM_STEPS, MINIBATCHES, EPOCHS = 256, 8, 4
CLIP, ENTROPY, VALUE, MAX_GRAD_NORM = 0.2, 0.005, 0.5, 0.5


class Agent(nn.Module):
    """Scores each accelerator for each row, and values the whole."""

    def __init__(self, features: int, queue: int, choices: int) -> None:
        super().__init__()
        self.rows = nn.Sequential(nn.Linear(features, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
        self.actor = nn.Sequential(nn.Linear(128 + queue, 64), nn.Tanh(), nn.Linear(64, choices))
        self.critic = nn.Sequential(nn.Linear(64 + queue, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, observation: dict[str, Tensor]) -> tuple[torch.distributions.Categorical, Tensor]:
        """The distribution of each row's choice, and the value."""
        mask = observation["mask"].float().unsqueeze(-1)
        rows = self.rows(observation["sub_jobs"])
        mean = (rows * mask).sum(-2) / mask.sum(-2).clamp(min=1.0)
        whole = torch.cat([mean, observation["queue"]], -1)
        beside = whole.unsqueeze(-2).expand(*rows.shape[:-1], -1)
        logits = self.actor(torch.cat([rows, beside], -1))
        logits = logits.masked_fill(observation["action_mask"] == 0, -1e9)
        return torch.distributions.Categorical(logits=logits), self.critic(whole).squeeze(-1)


def likelihood(choices: torch.distributions.Categorical, actions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The logarithm of an action's probability and the entropy, over the rows that are there."""
    return (choices.log_prob(actions) * mask).sum(-1), (choices.entropy() * mask).sum(-1)


def tensors(observation: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """The observation for the net."""
    return {name: torch.as_tensor(part) for name, part in observation.items()}


def advantages(rewards: Tensor, values: Tensor, ended: Tensor, last: Tensor) -> Tensor:
    """Generalised advantage estimates; nothing is carried over the end of an episode."""
    out, following, carried = torch.zeros_like(rewards), last, torch.zeros_like(last)
    for step in reversed(range(len(rewards))):
        goes_on = 1.0 - ended[step]
        delta = rewards[step] + GAMMA * following * goes_on - values[step]
        carried = delta + GAMMA * GAE_LAMBDA * goes_on * carried
        out[step], following = carried, values[step]
    return out


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--num-envs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    torch.manual_seed(told.seed)
    torch.set_num_threads(1)
    env = LayersVectorEnv(told.experiment, num_envs=told.num_envs, rewards={"met": 1.0, "missed": -1.0})
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    space = env.single_observation_space
    agent = Agent(space["sub_jobs"].shape[1], space["queue"].shape[0], env.single_action_space.nvec[0])
    optimiser = torch.optim.Adam(agent.parameters(), lr=LEARNING_RATE, eps=1e-5)
    observation, _ = env.reset(seed=told.seed)
    now = tensors(observation)
    over = torch.zeros(told.num_envs)
    met = missed = 0.0
    updates = max(1, told.steps // (NUM_STEPS * told.num_envs))
    for update in range(updates):
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1.0 - update / updates)
        kept: dict[str, list[Tensor]] = {name: [] for name in now}
        actions, logs, values, rewards, ends, resets = [], [], [], [], [], []
        for _ in range(NUM_STEPS):
            with torch.no_grad():
                choices, value = agent(now)
                action = choices.sample()
            for name, part in now.items():
                kept[name].append(part)
            actions.append(action)
            logs.append(likelihood(choices, action, now["mask"])[0])
            values.append(value)
            # What an environment answers while it starts its next episode is no step.
            resets.append(over)
            observation, reward, terminated, truncated, _ = env.step(action.numpy())
            now = tensors(observation)
            over = torch.as_tensor(terminated | truncated).float()
            rewards.append(torch.as_tensor(reward, dtype=torch.float32))
            ends.append(over)
            met, missed = met + reward[reward > 0].sum(), missed - reward[reward < 0].sum()
        with torch.no_grad():
            last = agent(now)[1]
        stacked = {name: torch.stack(parts) for name, parts in kept.items()}
        value = torch.stack(values)
        advantage = advantages(torch.stack(rewards), value, torch.stack(ends), last)
        target = (advantage + value).flatten()
        is_step = torch.stack(resets).flatten() == 0
        flat = {name: parts.flatten(0, 1)[is_step] for name, parts in stacked.items()}
        chosen, log = torch.stack(actions).flatten(0, 1)[is_step], torch.stack(logs).flatten()[is_step]
        advantage, target = advantage.flatten()[is_step], target[is_step]
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(chosen)).chunk(MINIBATCHES):
                part = {name: each[batch] for name, each in flat.items()}
                choices, found = agent(part)
                new, entropy = likelihood(choices, chosen[batch], part["mask"])
                ratio = (new - log[batch]).exp()
                gain = advantage[batch]
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                policy = -torch.min(gain * ratio, gain * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
                loss = policy + VALUE * (found - target[batch]).pow(2).mean() - ENTROPY * entropy.mean()
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), MAX_GRAD_NORM)
                optimiser.step()
        print(f"step {(update + 1) * NUM_STEPS * told.num_envs}: met {met / max(1.0, met + missed):.3f}", flush=True)
        met = missed = 0.0


if __name__ == "__main__":
    main()
