"""Experiments that are ready to run: their cases, cells and requests, and runs with schedulers and dispatchers in Python."""

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

Action: TypeAlias = (
    "tuple[str, int] | tuple[str, float] | tuple[str, int, int] | tuple[str, int, int, int] | tuple[str, int, int, list[int]]"
)
"""("send", request, site), ("reject", request), ("launch", model, variant, number or requests), ("wake", at_us)."""
Dispatcher: TypeAlias = "Callable[[dict[str, Any]], Iterable[Action]]"
"""A dispatcher: it is told what may be known, and returns actions."""


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

    def fleet(self, case: int = 0) -> dict[str, list[dict[str, Any]]]:
        """Return what does not change in a run of a case of a fleet: ``sites``, ``models`` and ``tenants``, by number.

        A model has its batch sizes and its variants, a variant ``service_us``: for each site, None where the model is
        not, the latency alone at each batch size, to which orders are padded.
        """
        return self._inner.fleet(case)

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
        highest priority first. Decisions are charged the base cost of one, and cost much real time.
        """
        return _mascot.simulate(self._inner, case, seed, scheduler)

    def serve(self, dispatcher: Dispatcher, *, case: int = 0, seed: int = 1) -> dict[str, float | int | str]:
        """Run a case of a fleet with a dispatcher that is a Python function; return its metrics.

        They are named as in summary.csv and, for all requests together, in serving.csv. The function is called with a dict
        that has ``now_us`` and a ``moment``:

        ``arrived``
            ``request`` waits at its node. ``sites`` are as they are known there: whether one serves it, the way there and
            back, requests queued and in service, the backlog, and the age of what is known. Its actions are
            ``("send", request, site)`` and ``("reject", request)``, with the ``id`` of the request; without one it waits for
            the next decision at its node.
        ``free``, ``wake``
            ``site`` has ``free_slots`` and ``queues``, each of a model with its requests in the order of delivery and the
            time until the weights of each variant are there. Its actions are ``("launch", model, variant, number)`` for
            those that were delivered first, ``("launch", model, variant, [ids])``, ``("reject", request)`` and
            ``("wake", at_us)``, after which it is asked again.

        Numbers of sites, models, variants and tenants are those of :meth:`fleet`. Decisions are charged the base cost of
        one, and cost much real time.
        """
        return _mascot.serve(self._inner, case, seed, dispatcher)
