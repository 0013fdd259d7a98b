"""The compiled half of the package; its users are the modules beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

class ConfigError(ValueError):
    """A file, a key, a name or an argument is wrong."""

class RunError(RuntimeError):
    """A run failed, or its results cannot be written."""

class InvariantError(RuntimeError):
    """A bug of mascot: please report it."""

class Plan:
    def __new__(cls, path: Path, overrides: list[tuple[str, str]]) -> Plan: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def schedulers(self) -> list[str]: ...
    @property
    def cases(self) -> list[dict[str, Any]]: ...
    @property
    def cells(self) -> list[tuple[int, str, int]]: ...
    def accelerators(self, case: int) -> list[str]: ...
    def sites(self, case: int) -> list[str]: ...
    def tenants(self, case: int) -> list[str]: ...
    def fleet(self, case: int) -> dict[str, list[dict[str, Any]]]: ...
    def requests(self, case: int, seed: int) -> list[tuple[float, float, str, str]]: ...

class Envs:
    @staticmethod
    def layers(
        plan: Plan,
        num_envs: int,
        max_steps: int | None,
        threads: int,
        max_sub_jobs: int,
        rewards: tuple[float, float, float, float],
    ) -> Envs: ...
    @staticmethod
    def serving(
        plan: Plan,
        role: str,
        num_envs: int,
        max_steps: int | None,
        threads: int,
        dispatchers: list[str] | None,
        times_us: tuple[float, float, float | None],
        oldest: int,
        reward: tuple[str, float],
    ) -> Envs: ...
    @property
    def shape(self) -> tuple[int, int, int, int, int]: ...
    def reset(
        self,
        place: int,
        seed: int | None,
        observations: NDArray[np.float32],
        masks: NDArray[np.int8],
        now_us: NDArray[np.float64],
    ) -> None: ...
    def run_seed(self, place: int) -> int: ...
    def step(
        self,
        actions: NDArray[np.int64],
        observations: NDArray[np.float32],
        masks: NDArray[np.int8],
        rewards: NDArray[np.float64],
        now_us: NDArray[np.float64],
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
    ) -> None: ...

def export_policy(
    path: Path, layers: list[tuple[NDArray[np.float32], NDArray[np.float32], str]], system: str, overwrite: bool
) -> None: ...
def call(arguments: list[str]) -> tuple[str, list[str]]: ...
def simulate(plan: Plan, case: int, seed: int, scheduler: Callable[[dict[str, Any]], Any]) -> dict[str, float | int | str]: ...
def serve(plan: Plan, case: int, seed: int, dispatcher: Callable[[dict[str, Any]], Any]) -> dict[str, float | int | str]: ...
