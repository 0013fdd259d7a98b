"""What all environments for Gymnasium have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mascot.envs._batch import Batch, seeds_of

Obs = TypeVar("Obs")
Act = TypeVar("Act")

_LARGEST_SEED = 2**63 - 1


class BatchEnv(gymnasium.Env[Obs, Act], Generic[Obs, Act]):
    """One environment. Each episode is a run; the episodes under a seed are always the same."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012, Gymnasium declares it so
    _batch: Batch

    def _observation(self) -> Obs:
        raise NotImplementedError

    def _info(self) -> dict[str, Any]:
        return {"now_us": float(self._batch.now_us[0])}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Start the next episode; under a seed, its first."""
        is_new = self._np_random is None
        super().reset(seed=seed, options=options)
        if seed is None and is_new:
            seed = int(self.np_random.integers(_LARGEST_SEED))
        self._batch.reset(0, seed)
        return self._observation(), {"run_seed": self._batch.run_seed(0), **self._info()}

    def step(self, action: Act) -> tuple[Obs, float, bool, bool, dict[str, Any]]:
        """Take an action, and run to the next decision."""
        batch = self._batch
        batch.step(action)
        reward = float(batch.rewards[0, 0])
        ended = bool(batch.terminated[0]), bool(batch.truncated[0])
        return self._observation(), reward, *ended, self._info()


class BatchVectorEnv(VectorEnv[Any, Any, Any]):
    """Many environments that are stepped together in Rust; one whose episode is over starts the next in its next step."""

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012
    _batch: Batch

    def _begin(self, batch: Batch, spaces: tuple[gymnasium.Space[Any], gymnasium.Space[Any]], *, copy: bool) -> None:
        self._batch, self._copy = batch, copy
        self.num_envs = len(batch.terminated)
        self.single_observation_space, self.single_action_space = spaces
        self.observation_space = batch_space(spaces[0], self.num_envs)
        self.action_space = batch_space(spaces[1], self.num_envs)

    def _kept(self, array: NDArray[Any]) -> NDArray[Any]:
        return array.copy() if self._copy else array

    def _observations(self) -> Any:
        raise NotImplementedError

    def _infos(self) -> dict[str, Any]:
        return {"now_us": self._kept(self._batch.now_us)}

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode in each environment; under seeds, their first."""
        is_new = self._np_random is None
        super().reset(seed=seed if isinstance(seed, int) else None, options=options)
        if seed is None and is_new:
            seed = [int(each) for each in self.np_random.integers(_LARGEST_SEED, size=self.num_envs)]
        for place, each in enumerate(seeds_of(seed, self.num_envs)):
            self._batch.reset(place, each)
        return self._observations(), self._infos()

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Step all environments."""
        batch = self._batch
        batch.step(actions)
        rewards, ended = batch.rewards[:, 0], (batch.terminated, batch.truncated)
        kept = self._kept
        return self._observations(), kept(rewards), kept(ended[0]), kept(ended[1]), self._infos()
