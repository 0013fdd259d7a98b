"""Experiments as files or dicts, with overrides."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from mascot import _toml
from mascot._mascot import ConfigError

Experiment: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any]"
"""The path of an experiment file, or its contents as a dict."""


@contextmanager
def written(experiment: Experiment, overrides: Mapping[str, Any]) -> Iterator[tuple[Path, list[tuple[str, str]]]]:
    """Give the path of the experiment's file, and the overrides as TOML; the file of a dict is there meanwhile."""
    literals = [(key, _toml.literal(value, key)) for key, value in overrides.items()]
    if isinstance(experiment, str | os.PathLike):
        yield Path(experiment), literals
        return
    if not isinstance(experiment, Mapping):
        raise ConfigError(f"experiment {experiment!r}: expected a path or a dict")
    with tempfile.TemporaryDirectory(prefix="mascot-") as folder:
        path = Path(folder) / "experiment.toml"
        path.write_text(_toml.document(experiment), encoding="utf-8")
        yield path, literals
