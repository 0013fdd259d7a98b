"""Experiments that are ready to run: their cases, cells and requests, and runs with schedulers in Python."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from mascot import _mascot
from mascot._experiment import Experiment, written

if TYPE_CHECKING:
    import pandas as pd

Assignment: TypeAlias = "tuple[int, int | None] | tuple[int, int | None, float]"
"""A sub-job by its place, an accelerator by number, or None to hold its request, and optionally a priority."""
Scheduler: TypeAlias = "Callable[[dict[str, Any]], Iterable[Assignment]]"
"""A scheduler: it is told what may be known, and returns assignments."""


class Plan:
    """An experiment whose names are resolved, whose layers are mapped, and whose cases are ready to run."""

    def __init__(self, experiment: Experiment, **overrides: Any) -> None:
        with written(experiment, overrides) as (path, literals):
            self._inner = _mascot.Plan(path, literals)
        for note in self._inner.notes:
            warnings.warn(note, stacklevel=2)

    @property
    def schedulers(self) -> list[str]:
        """The labels of the schedulers, or of the dispatchers of fleets."""
        return self._inner.schedulers

    @property
    def cases(self) -> pd.DataFrame:
        """A row per case: system, scenario, QoS level, load, saturation rate lambda* in requests per second, seeds."""
        import pandas as pd

        return pd.DataFrame(self._inner.cases)

    @property
    def cells(self) -> pd.DataFrame:
        """A row per cell: the number of its case, its scheduler and its seed."""
        import pandas as pd

        return pd.DataFrame(self._inner.cells, columns=["case", "scheduler", "seed"])

    def accelerators(self, case: int = 0) -> list[str]:
        """Return the names of the accelerators of a case; none of a fleet."""
        return self._inner.accelerators(case)

    def sites(self, case: int = 0) -> list[str]:
        """Return the names of the sites of a case; none of a system."""
        return self._inner.sites(case)

    def tenants(self, case: int = 0) -> list[str]:
        """Return the names of the tenants of a case."""
        return self._inner.tenants(case)

    def requests(self, case: int = 0, seed: int = 1) -> pd.DataFrame:
        """Return the requests of a run: arrival_s, deadline_s, tenant, network; without those that follow others."""
        import pandas as pd

        columns = ["arrival_s", "deadline_s", "tenant", "network"]
        return pd.DataFrame(self._inner.requests(case, seed), columns=columns)

    def simulate(self, scheduler: Scheduler, *, case: int = 0, seed: int = 1) -> dict[str, float | int | str]:
        """Run a case with a scheduler that is a Python function; return its metrics, named as in summary.csv.

        The function is called at every decision with a dict: ``now_us``; ``jobs``, the requests in flight; ``sub_jobs``,
        the layers that may be assigned, each with the place of its job and ``alone_us``, its latency on each
        accelerator, infinite where it cannot run; and ``accelerators``. An accelerator starts the layer with the
        highest priority first. Decisions in Python cost no simulated time, and much real time.
        """
        return _mascot.simulate(self._inner, case, seed, scheduler)
