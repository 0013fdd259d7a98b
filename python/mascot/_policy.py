"""Nets that were learned in Python, as policies that the program runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mascot import _mascot
from mascot._mascot import ConfigError

Layers: TypeAlias = "Sequence[tuple[Any, Any, str]] | Mapping[str, Any]"
"""Layers as (weight, bias, activation), or the ``state_dict`` of an ``nn.Sequential``."""


def export_policy(
    path: str | os.PathLike[str],
    layers: Layers,
    *,
    system: str,
    activation: str = "tanh",
    overwrite: bool = False,
) -> Path:
    """Write a feed-forward net as a policy of the scheduler ``mlp``; return the path of its manifest.

    The net sees what ``mascot/Layers-v0`` shows of one layer of a request: its row of ``sub_jobs``, and ``queue`` after it. It
    gives a score to each accelerator, and last to holding the request; the highest that is legal is the action. The program
    runs the same net for every row: ``schedulers=[{"name": "mlp", "policy": path}]``.

    Parameters
    ----------
    path
        ``NAME`` or ``NAME.toml``: the manifest ``NAME.toml`` and the weights ``NAME.safetensors`` are written, both or neither.
    layers
        Layers from the input to the output, each a weight of shape (outputs, inputs), a bias or None, and an activation:
        linear, relu, softsign or tanh. Or the ``state_dict`` of an ``nn.Sequential`` of linear layers with ``activation``
        between them. Numbers of 16 or 64 bits are rounded to 32.
    system
        The system, by name or path, for whose accelerators the net was made.
    activation
        The activation of all layers but the last of a ``state_dict``, whose last layer is linear.
    overwrite
        Whether files that are there are replaced.

    """
    told = os.fspath(path)
    manifest = Path(f"{told.removesuffix('.toml').removesuffix('.safetensors')}.toml")
    listed = _of_state(layers, activation) if isinstance(layers, Mapping) else layers
    if isinstance(listed, str) or not isinstance(listed, Sequence) or not listed:
        raise ConfigError(f"layers: expected a list of (weight, bias, activation) or a state_dict, got {listed!r}")
    _mascot.export_policy(manifest, [_layer(number, each) for number, each in enumerate(listed)], system, overwrite)
    return manifest


def _of_state(state: Mapping[str, Any], activation: str) -> list[tuple[Any, Any, str]]:
    """Return the layers of a state_dict, whose order is that of its modules."""
    names: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        module, _, part = str(key).rpartition(".")
        if part not in ("weight", "bias"):
            raise ConfigError(f"layers: `{key}` is no weight or bias of a linear layer")
        names.setdefault(module, {})[part] = value
    if wrong := [module for module, parts in names.items() if "weight" not in parts]:
        raise ConfigError(f"layers: there is no `{wrong[0]}.weight`")
    last = len(names) - 1
    return [
        (parts["weight"], parts.get("bias"), activation if number < last else "linear")
        for number, parts in enumerate(names.values())
    ]


def _layer(number: int, layer: Any) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    if isinstance(layer, str) or not isinstance(layer, Sequence) or len(layer) != 3 or not isinstance(layer[2], str):
        raise ConfigError(f"layer {number}: expected (weight, bias, activation), got {layer!r}")
    weight = _array(f"layer {number}: the weight", layer[0], 2)
    bias = layer[1] if layer[1] is not None else np.zeros(len(weight), np.float32)
    return weight, _array(f"layer {number}: the bias", bias, 1), layer[2]


def _array(name: str, given: Any, dimensions: int) -> NDArray[np.float32]:
    # Tensors of PyTorch, wherever they are; it is not imported for that.
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    array = np.asarray(given)
    if array.dtype.kind != "f":
        raise ConfigError(f"{name} holds {array.dtype}: expected floating-point numbers")
    if array.ndim != dimensions or array.size == 0:
        raise ConfigError(f"{name} has the shape {array.shape}: expected {dimensions} dimensions, none of length 0")
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(single).all():
        wrong = array[~np.isfinite(single)][0]
        raise ConfigError(f"{name} holds {wrong}: expected finite numbers of 32 bits")
    return single
