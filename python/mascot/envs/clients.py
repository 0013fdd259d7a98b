"""Agents at the clients, for PettingZoo."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from mascot._experiment import Experiment
from mascot._mascot import ConfigError, Envs
from mascot._plan import Plan
from mascot.envs._batch import Batch, prepared

_LARGEST_SEED = 2**63 - 1


class ClientsEnv(ParallelEnv[str, NDArray[np.float32], int]):  # type: ignore[misc]
    """Each tenant is an agent that sends its own requests to sites, and knows of its own only: ``mascot/Serving-Clients-v0``.

    A step is one arrival. The first number of an observation says whether the request is the agent's; what the others
    do is ignored. An action is a site, or, last, rejection. The reward is what the agent's answers were worth since the
    last step, or with ``reward="loss"`` the same minus 1 for every request that ended.
    """

    metadata: dict[str, Any] = {"name": "mascot/Serving-Clients-v0", "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        experiment: Experiment | Plan,
        *,
        reward: str = "quality",
        dispatcher: str | None = None,
        max_steps: int | None = None,
        **overrides: Any,
    ) -> None:
        plan = prepared(experiment, overrides)
        names = None if dispatcher is None else [dispatcher]
        envs = Envs.serving(plan._inner, "clients", 1, max_steps, 1, names, (1.0, 1.0, None), 0, (reward, 0.0))
        self._batch = Batch(envs, 1)
        self.possible_agents = plan.tenants()
        self.agents: list[str] = []
        self.render_mode = None
        self._random: np.random.Generator | None = None
        numbers = self._batch.observations.shape[1] // len(self.possible_agents)
        observation = spaces.Box(-np.inf, np.inf, (numbers,), np.float32)
        self.observation_spaces: dict[str, spaces.Space[Any]] = dict.fromkeys(self.possible_agents, observation)
        choices = self._batch.choices
        self.action_spaces: dict[str, spaces.Space[Any]] = {agent: spaces.Discrete(choices) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return the space of an agent's actions."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, dict[str, Any]]]:
        """Start the next episode; under a seed, its first."""
        if seed is None and self._random is None:
            self._random = np.random.default_rng()
            seed = int(self._random.integers(_LARGEST_SEED))
        elif seed is not None:
            self._random = np.random.default_rng(seed)
        self._batch.reset(0, seed)
        self.agents = list(self.possible_agents)
        return self._observations(), self._infos()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, NDArray[np.float32]],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Take the action of the agent that is asked, and run to the next arrival."""
        if missing := [agent for agent in self.agents if agent not in actions]:
            raise ConfigError(f"actions: none of agent `{missing[0]}`")
        if not self.agents:
            raise ConfigError("step: the run is over: reset comes first")
        batch, agents = self._batch, self.agents
        batch.step([[actions[agent] for agent in agents]])
        rewards = dict(zip(agents, batch.rewards[0].tolist(), strict=True))
        terminated = dict.fromkeys(agents, bool(batch.terminated[0]))
        truncated = dict.fromkeys(agents, bool(batch.truncated[0]))
        observations, infos = self._observations(), self._infos()
        if terminated[agents[0]] or truncated[agents[0]]:
            self.agents = []
        return observations, rewards, terminated, truncated, infos

    def _observations(self) -> dict[str, NDArray[np.float32]]:
        rows = self._batch.observations.reshape(len(self.possible_agents), -1)
        return {agent: row.copy() for agent, row in zip(self.possible_agents, rows, strict=True)}

    def _infos(self) -> dict[str, dict[str, Any]]:
        rows = self._batch.masks.reshape(len(self.possible_agents), -1)
        return {agent: {"action_mask": row.copy()} for agent, row in zip(self.possible_agents, rows, strict=True)}
