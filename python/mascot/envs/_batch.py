"""Environments in Rust with the arrays that they write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mascot._experiment import Experiment
from mascot._mascot import ConfigError, Envs
from mascot._plan import Plan


def prepared(experiment: Experiment | Plan, overrides: dict[str, Any]) -> Plan:
    """Return the plan of an experiment, or the plan itself."""
    if overrides.pop("render_mode", None) is not None:
        raise TypeError("render_mode: these environments draw nothing")
    if not isinstance(experiment, Plan):
        return Plan(experiment, **overrides)
    if overrides:
        raise ConfigError(f"`{next(iter(overrides))}`: a plan is ready, and takes no other keys")
    return experiment


class Batch:
    """Environments in Rust, and the arrays into which they write: a row per environment."""

    def __init__(self, envs: Envs, number: int) -> None:
        self._envs = envs
        observation, mask, action, rewards, self.choices = envs.shape
        self.observations: NDArray[np.float32] = np.zeros((number, observation), np.float32)
        self.masks: NDArray[np.int8] = np.zeros((number, mask), np.int8)
        self.rewards: NDArray[np.float64] = np.zeros((number, rewards), np.float64)
        self.now_us: NDArray[np.float64] = np.zeros(number, np.float64)
        self.terminated: NDArray[np.bool_] = np.zeros(number, np.bool_)
        self.truncated: NDArray[np.bool_] = np.zeros(number, np.bool_)
        self._action_shape = (number, action)
        self._is_ready = np.zeros(number, np.bool_)

    def reset(self, place: int, seed: int | None) -> None:
        """Start the next episode of an environment; under a seed, its first."""
        if seed is not None:
            seed = int(seed) % 2**64
        self._envs.reset(place, seed, self.observations, self.masks, self.now_us)
        self._is_ready[place] = True

    def run_seed(self, place: int) -> int:
        """Return the seed of the present run of an environment: ``first_seed`` of an experiment that repeats it."""
        return self._envs.run_seed(place)

    def step(self, actions: Any) -> None:
        """Step all environments by their actions, whole numbers."""
        if not self._is_ready.all():
            raise ConfigError("step: reset comes first")
        given = np.asarray(actions)
        if given.dtype.kind not in "iu":
            raise ConfigError(f"actions: expected whole numbers, got {given.dtype}")
        if given.size != self._action_shape[0] * self._action_shape[1]:
            raise ConfigError(f"actions: expected {self._action_shape} numbers, got the shape {given.shape}")
        whole = np.ascontiguousarray(given, np.int64).reshape(self._action_shape)
        arrays = self.observations, self.masks, self.rewards, self.now_us, self.terminated, self.truncated
        self._envs.step(whole, *arrays)


def seeds_of(seed: int | Sequence[int | None] | None, number: int) -> list[int | None]:
    """Return a seed per environment, as Gymnasium counts them: s, s + 1, ..."""
    if seed is None:
        return [None] * number
    if isinstance(seed, int | np.integer):
        return [int(seed) + place for place in range(number)]
    if len(seed) != number:
        raise ConfigError(f"seed: expected {number} seeds, got {len(seed)}")
    return list(seed)
