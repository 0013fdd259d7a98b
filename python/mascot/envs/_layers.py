"""The layer level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mascot._experiment import Experiment
from mascot._mascot import ConfigError, Envs
from mascot._plan import Plan
from mascot.envs._base import BatchEnv, BatchVectorEnv
from mascot.envs._batch import Batch, prepared

_QUEUE = 5
_REWARDS = {"met": 1.0, "missed": 0.0, "bandwidth": 0.0, "slack": 0.0}

Observation = dict[str, NDArray[Any]]


class _Form:
    """Where the parts of an observation lie in its array."""

    def __init__(self, plan: Plan, max_sub_jobs: int) -> None:
        accelerators = len(plan.accelerators())
        self.rows, self.wide, self.choices = max_sub_jobs, 3 * accelerators + 5, accelerators + 1
        self.space: spaces.Space[Any] = spaces.Dict(
            {
                "sub_jobs": spaces.Box(-np.inf, np.inf, (self.rows, self.wide), np.float32),
                "queue": spaces.Box(-np.inf, np.inf, (_QUEUE,), np.float32),
                "mask": spaces.MultiBinary(self.rows),
                "action_mask": spaces.MultiBinary((self.rows, self.choices)),
            }
        )
        self.actions = spaces.MultiDiscrete([self.choices] * self.rows)

    def parts(self, observations: NDArray[np.float32], masks: NDArray[np.int8]) -> Observation:
        """Return views of the parts of many observations."""
        number, rows = len(observations), self.rows
        return {
            "sub_jobs": observations[:, :-_QUEUE].reshape(number, rows, self.wide),
            "queue": observations[:, -_QUEUE:],
            "mask": masks[:, :rows],
            "action_mask": masks[:, rows:].reshape(number, rows, self.choices),
        }


def _envs(
    plan: Plan,
    num_envs: int,
    max_steps: int | None,
    threads: int,
    max_sub_jobs: int,
    rewards: Mapping[str, float] | None,
) -> Envs:
    told = dict(rewards or {})
    if wrong := [key for key in told if key not in _REWARDS]:
        raise ConfigError(f"rewards: no `{wrong[0]}`; known: {', '.join(_REWARDS)}")
    met, missed, bandwidth, slack = ({**_REWARDS, **told}[key] for key in _REWARDS)
    paid = (float(met), float(missed), float(bandwidth), float(slack))
    return Envs.layers(plan._inner, num_envs, max_steps, threads, max_sub_jobs, paid)


class LayersEnv(BatchEnv[Observation, NDArray[np.int64]]):
    """At every decision, each layer that may be assigned is given to an accelerator or held: ``mascot/Layers-v0``.

    The observation is a dict: ``sub_jobs`` has a row per layer in the order of deadlines, padded to ``max_sub_jobs``, with
    3M + 5 numbers for M accelerators: latency alone and bandwidth share on each (-1 where it cannot run), time until
    each is free, slack, remaining work and layers of the request, time since the layer is ready, bandwidth in use;
    ``queue`` has 5 numbers of the whole queue; ``mask`` says which rows are layers, ``action_mask`` what each can do.
    Numbers are logarithms, log2(1 + x) / 4, of times in units of 10 us, of shares, and of counts.

    The action has a number per row: an accelerator, or M to hold the request. A layer that cannot run on its
    accelerator is held. Layers with earlier deadlines start first; those beyond the rows stay as they are.

    Parameters
    ----------
    experiment
        An experiment on systems, as a path, a dict or a plan. Each episode is a run of one of its cases, drawn at random.
    max_sub_jobs
        The number of rows.
    rewards
        What is paid: ``met`` per measured request in time (1), ``missed`` per other one (0), ``bandwidth`` per request
        that ran without contention, and ``slack`` for the potential of slack (both 0).
    max_steps
        Truncates episodes after so many decisions.
    overrides
        Keys of the experiment.

    """

    def __init__(
        self,
        experiment: Experiment | Plan,
        *,
        max_sub_jobs: int = 16,
        rewards: Mapping[str, float] | None = None,
        max_steps: int | None = None,
        **overrides: Any,
    ) -> None:
        plan = prepared(experiment, overrides)
        self._batch = Batch(_envs(plan, 1, max_steps, 1, max_sub_jobs, rewards), 1)
        self._form = _Form(plan, max_sub_jobs)
        self.observation_space, self.action_space = self._form.space, self._form.actions

    def _observation(self) -> Observation:
        parts = self._form.parts(self._batch.observations, self._batch.masks)
        return {name: part[0].copy() for name, part in parts.items()}

    def action_masks(self) -> NDArray[np.bool_]:
        """Return what each row can do, in one line, as MaskablePPO of sb3-contrib wants it."""
        return self._form.parts(self._batch.observations, self._batch.masks)["action_mask"].astype(bool).ravel()


class LayersVectorEnv(BatchVectorEnv):
    """Many :class:`LayersEnv`, stepped together on ``threads`` threads; without ``copy``, observations are views."""

    def __init__(
        self,
        experiment: Experiment | Plan,
        *,
        num_envs: int = 1,
        max_sub_jobs: int = 16,
        rewards: Mapping[str, float] | None = None,
        max_steps: int | None = None,
        threads: int = 1,
        copy: bool = True,
        **overrides: Any,
    ) -> None:
        plan = prepared(experiment, overrides)
        self._form = _Form(plan, max_sub_jobs)
        batch = Batch(_envs(plan, num_envs, max_steps, threads, max_sub_jobs, rewards), num_envs)
        self._begin(batch, (self._form.space, self._form.actions), copy=copy)

    def _observations(self) -> Observation:
        parts = self._form.parts(self._batch.observations, self._batch.masks)
        return {name: self._kept(part) for name, part in parts.items()}
