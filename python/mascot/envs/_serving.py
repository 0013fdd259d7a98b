"""The level of requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mascot._experiment import Experiment
from mascot._mascot import Envs
from mascot._plan import Plan
from mascot.envs._base import BatchEnv, BatchVectorEnv
from mascot.envs._batch import Batch, prepared

Role: TypeAlias = Literal["free", "route", "select"]
Reward: TypeAlias = Literal["quality", "loss"]


def _batch(
    plan: Plan,
    role: str,
    num_envs: int,
    *,
    max_steps: int | None,
    threads: int,
    dispatchers: Sequence[str] | None,
    wait_us: float,
    window_us: float,
    patience_us: float | None,
    oldest: int,
    reward: str,
    time_price_per_s: float,
) -> Batch:
    names = None if dispatchers is None else list(dispatchers)
    times_us, paid = (wait_us, window_us, patience_us), (reward, time_price_per_s)
    envs = Envs.serving(plan._inner, role, num_envs, max_steps, threads, names, times_us, oldest, paid)
    return Batch(envs, num_envs)


def _spaces(batch: Batch) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    numbers = batch.observations.shape[1]
    return spaces.Box(-np.inf, np.inf, (numbers,), np.float32), spaces.Discrete(batch.choices)


class ServingEnv(BatchEnv[NDArray[np.float32], np.int64]):
    """An agent in the place of a part of a dispatcher: ``mascot/Serving-Free-v0``, ``-Route-v0``, ``-Select-v0``.

    What the agent does not decide, a dispatcher of the experiment decides. Observations are vectors, whose order
    ``python/src/serving`` says; times are relative to the shortest latency of a request alone, as log2(1 + x). What is
    legal is in ``info["action_mask"]`` and :meth:`action_masks`; whatever is not does the nearest thing that is.

    - free: 0 waits, then an action per model, variant and batch size launches so many of those that were delivered first.
    - route: a site, or, last, rejection.
    - select: a dispatcher of the experiment, for the next window.

    Parameters
    ----------
    experiment
        An experiment on fleets, as a path, a dict or a plan. Each episode is a run of one of its cases, drawn at random.
    role
        What the agent decides; the registered names set it.
    reward
        "quality" pays what an answer to a measured request is worth, from 0 to 1; "loss" the same minus 1 for every
        request that ends.
    time_price_per_s
        What a second costs. Decisions are not equally long, and learners that discount by decision do not know: at a price
        of what the best known rule earns per second, they weigh a long decision against what it displaces.
    dispatchers
        The labels of the dispatchers that decide the rest, by default the first; for select those to choose from, by
        default all.
    wait_us
        Of free: waiting ends at the next multiple of this, or when the queue grows.
    patience_us
        Of free: requests that have waited in a queue for so long are given up.
    oldest
        Of free: how many of the oldest requests of a queue are observed one by one.
    window_us
        Of select: the length of a window.
    max_steps
        Truncates episodes after so many decisions.
    overrides
        Keys of the experiment.

    """

    def __init__(
        self,
        experiment: Experiment | Plan,
        *,
        role: Role,
        reward: Reward = "quality",
        time_price_per_s: float = 0.0,
        dispatchers: Sequence[str] | None = None,
        wait_us: float = 1_000.0,
        patience_us: float | None = None,
        oldest: int = 8,
        window_us: float = 100_000.0,
        max_steps: int | None = None,
        **overrides: Any,
    ) -> None:
        self._batch = _batch(
            prepared(experiment, overrides),
            role,
            1,
            max_steps=max_steps,
            threads=1,
            dispatchers=dispatchers,
            wait_us=wait_us,
            window_us=window_us,
            patience_us=patience_us,
            oldest=oldest,
            reward=reward,
            time_price_per_s=time_price_per_s,
        )
        self.observation_space, self.action_space = _spaces(self._batch)

    def _observation(self) -> NDArray[np.float32]:
        observation: NDArray[np.float32] = self._batch.observations[0].copy()
        return observation

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self._batch.masks[0].copy(), **super()._info()}

    def action_masks(self) -> NDArray[np.bool_]:
        """Return what is legal, as MaskablePPO of sb3-contrib wants it."""
        mask: NDArray[np.bool_] = self._batch.masks[0].astype(bool)
        return mask


class ServingVectorEnv(BatchVectorEnv):
    """Many :class:`ServingEnv`, stepped together on ``threads`` threads; without ``copy``, observations are views."""

    def __init__(
        self,
        experiment: Experiment | Plan,
        *,
        role: Role,
        num_envs: int = 1,
        reward: Reward = "quality",
        time_price_per_s: float = 0.0,
        dispatchers: Sequence[str] | None = None,
        wait_us: float = 1_000.0,
        patience_us: float | None = None,
        oldest: int = 8,
        window_us: float = 100_000.0,
        max_steps: int | None = None,
        threads: int = 1,
        copy: bool = True,
        **overrides: Any,
    ) -> None:
        batch = _batch(
            prepared(experiment, overrides),
            role,
            num_envs,
            max_steps=max_steps,
            threads=threads,
            dispatchers=dispatchers,
            wait_us=wait_us,
            window_us=window_us,
            patience_us=patience_us,
            oldest=oldest,
            reward=reward,
            time_price_per_s=time_price_per_s,
        )
        self._begin(batch, _spaces(batch), copy=copy)

    def _observations(self) -> NDArray[np.float32]:
        return self._kept(self._batch.observations)

    def _infos(self) -> dict[str, Any]:
        return {"action_mask": self._kept(self._batch.masks), **super()._infos()}
