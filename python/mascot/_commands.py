"""The commands of the program as functions."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mascot import _mascot
from mascot._experiment import Experiment, written
from mascot._mascot import ConfigError

if TYPE_CHECKING:
    import pandas as pd

_WARNING = "warning: "
_TABLES = (
    "summary", "groups", "accelerators", "requests", "layers", "energy", "serving", "answers", "steps", "links",
)  # fmt: skip
_LOGS = ("requests", "layers", "energy")


def command(*arguments: str | os.PathLike[str]) -> str:
    """Run any command of the program, such as ``command("rank", "results/grid135.csv")``; return what it prints.

    Warnings become Python's, Ctrl-C cancels it, and it uses all cores without the interpreter.
    """
    text, notes = _mascot.call([os.fspath(each) for each in arguments])
    for note in notes:
        if note.startswith(_WARNING):
            warnings.warn(note.removeprefix(_WARNING), stacklevel=3)
        else:
            print(note, file=sys.stderr)
    return text


def run(
    experiment: Experiment,
    *,
    out: str | os.PathLike[str] | None = None,
    table: str = "summary",
    logs: Collection[str] = (),
    jobs: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **overrides: Any,
) -> pd.DataFrame:
    """Run an experiment on all cores, and return a table of its results: a row per cell.

    Parameters
    ----------
    experiment
        The path of an experiment file, or its contents as a dict.
    out
        The folder of the results, which is resumed and written as ``mascot run --out`` does. Without one, nothing is kept.
    table
        The CSV file that is returned: summary, groups, accelerators, or serving and links of fleets; also requests,
        layers and energy, if they are in ``logs``.
    logs
        Logs to write: requests, layers, energy.
    jobs
        The number of threads; all cores by default. Results do not depend on it.
    overwrite
        Whether results of another experiment in the folder may be overwritten.
    progress
        Whether a bar on the terminal shows the progress.
    overrides
        Keys of the experiment, such as ``loads=[0.5, 0.9]`` or ``seeds=3``.

    """
    if table not in _TABLES:
        raise ConfigError(f"table {table!r}: expected one of {', '.join(_TABLES)}")
    if wrong := [log for log in logs if log not in _LOGS]:
        raise ConfigError(f"logs: {wrong[0]!r}: expected some of {', '.join(_LOGS)}")
    with ExitStack() as stack:
        path, literals = stack.enter_context(written(experiment, overrides))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mascot-")) if out is None else out)
        arguments = ["run", str(path), "--out", str(folder)]
        arguments += [f"--set={key}={value}" for key, value in literals]
        arguments += [f"--{log}" for log in logs]
        arguments += [] if jobs is None else [f"--jobs={jobs}"]
        arguments += ["--overwrite"] * overwrite + ["--quiet"] * (not progress)
        command(*arguments)
        return _read(folder / f"{table}.csv")


def validate(experiment: Experiment | str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Check a data file, all files below a folder, or an experiment as a dict; return what is said of each.

    Of an experiment that is also its saturation rate, and the utilisation at its loads.
    """
    with written(experiment, {}) as (path, _):
        told: list[dict[str, Any]] = json.loads(command("validate", "--json", path))
        return told


def cost_table(
    network: str,
    accelerator: str,
    *,
    batch: int = 1,
    objective: str = "edp",
    bandwidth_gbps: float = 32.0,
    fusion: str = "post",
    precision: str | None = None,
) -> pd.DataFrame:
    """Return the cost of each layer of a network on an accelerator, with its mapping, as ``mascot cost table --csv`` does."""
    arguments = [f"--network={network}", f"--accelerator={accelerator}", f"--batch={batch}"]
    arguments += [f"--objective={objective}", f"--bandwidth={bandwidth_gbps}", f"--fusion={fusion}"]
    arguments += [] if precision is None else [f"--precision={precision}"]
    return _read(io.StringIO(command("cost", "table", "--csv", *arguments)))


def trace(
    scenario: str | os.PathLike[str],
    *,
    requests: int = 1000,
    seed: int = 1,
    load: float | None = None,
    system: str | None = None,
    rate_per_s: float | None = None,
    columns: Collection[str] = (),
) -> pd.DataFrame:
    """Return the requests of a scenario as ``mascot trace gen`` writes them: t_s, tenant, network."""
    arguments = [f"--requests={requests}", f"--seed={seed}"]
    options: Mapping[str, object] = {"load": load, "system": system, "rate": rate_per_s}
    arguments += [f"--{key}={value}" for key, value in options.items() if value is not None]
    arguments += [f"--columns={','.join(columns)}"] if columns else []
    return _read(io.StringIO(command("trace", "gen", scenario, *arguments)))


def report(
    folder: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    formats: Collection[str] = ("svg",),
    x: str | None = None,
    y: Collection[str] = (),
    facet: str | None = None,
    only: Mapping[str, object] | None = None,
) -> Path:
    """Write report.html and its pictures for the results of a run; return the path of the page."""
    arguments = [f"--format={','.join(formats)}"]
    options: Mapping[str, object] = {"out": out, "x": x, "facet": facet}
    arguments += [f"--{key}={value}" for key, value in options.items() if value is not None]
    arguments += [f"--y={metric}" for metric in y]
    arguments += [f"--only={key}={value}" for key, value in (only or {}).items()]
    return Path(command("report", folder, *arguments).strip())


def _read(source: Path | io.StringIO) -> pd.DataFrame:
    import pandas as pd

    # From pandas 3 on that is the default, and the option is deprecated.
    is_default = int(pd.__version__.split(".")[0]) >= 3
    return pd.read_csv(source) if is_default else pd.read_csv(source, float_precision="round_trip")
