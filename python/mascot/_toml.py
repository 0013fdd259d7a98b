"""Values as TOML, on one line: what experiments and overrides are written in."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from mascot._mascot import ConfigError


def literal(value: Any, key: str) -> str:
    """Return a value as a TOML literal; the error of another kind of value names its key."""
    if isinstance(value, str | os.PathLike):
        return json.dumps(os.fspath(value), ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_name(of)} = {literal(each, f'{key}.{of}')}" for of, each in value.items()) + " }"
    if hasattr(value, "tolist"):
        return literal(value.tolist(), key)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ", ".join(literal(each, key) for each in value) + "]"
    raise ConfigError(f"`{key}`: {value!r} is no text, number, bool, list or dict")


def document(table: Mapping[str, Any]) -> str:
    """Return a table as a TOML document."""
    return "".join(f"{_name(key)} = {literal(value, str(key))}\n" for key, value in table.items())


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise ConfigError(f"the key {key!r} is no text")
    return json.dumps(key, ensure_ascii=False)
