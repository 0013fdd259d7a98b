"""Small problems with a known optimum, to check a learner and an environment with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from mascot._mascot import ConfigError

Shape = Literal["ramp", "step"]

_SLOT_US = 1_000
_VARIANTS = {
    "opaque_small": (0.70, (1, 1, 2, 2)),
    "opaque_mid": (0.85, (2, 3, 3, 4)),
    "opaque_large": (1.00, (3, 4, 5, 6)),
}
_WORTH = {"ramp": (4, 10), "step": (6, 6)}

# By exact policy iteration over the 1,024 states of the problem; tests/data/fang_mini.csv has the same numbers, and the
# engine gives them when it plays the tabulated policies (tests/serve/fang_mini.rs).
_OPTIMA = {
    ("ramp", 0.2): 0.954029,
    ("ramp", 0.4): 0.893401,
    ("ramp", 0.6): 0.843541,
    ("ramp", 0.8): 0.816390,
    ("step", 0.2): 0.995904,
    ("step", 0.4): 0.962445,
    ("step", 0.6): 0.918561,
    ("step", 0.8): 0.881157,
}
# The best thresholds on the queue, for mid and for small variants, and what they come to, from the same table.
_SWITCHES = {
    ("ramp", 0.2): ((2, 4), 0.942506),
    ("ramp", 0.4): ((2, 4), 0.876083),
    ("ramp", 0.6): ((2, 8), 0.831438),
    ("ramp", 0.8): ((1, 5), 0.809319),
    ("step", 0.2): ((3, 4), 0.988926),
    ("step", 0.4): ((3, 4), 0.931875),
    ("step", 0.6): ((3, 4), 0.881209),
    ("step", 0.8): ((2, 4), 0.856478),
}


class FangMini:
    """A small serving problem, after Fang et al. (2017), whose optimum is known exactly.

    One device, three variants of a model, batches of up to 4. At most one request arrives in a slot of a millisecond,
    with probability p, and is given up when it has waited 10 slots. An answer is worth its accuracy, up to a delay of 6
    slots (step), or up to 4 and then less and less until 10 (ramp). The numbers are ours.
    """

    def __init__(self, shape: Shape, p: float) -> None:
        if (shape, p) not in _OPTIMA:
            known = ", ".join(f"{of} {at}" for of, at in _OPTIMA)
            raise ConfigError(f"FangMini({shape!r}, {p!r}): known optima are those of {known}")
        self.shape, self.p = shape, p

    @property
    def optimum(self) -> float:
        """The mean worth per request of the best of all policies."""
        return _OPTIMA[self.shape, self.p]

    @property
    def best_switch(self) -> float:
        """The mean worth per request of the best rule by the length of the queue."""
        return _SWITCHES[self.shape, self.p][1]

    @property
    def options(self) -> dict[str, Any]:
        """The options of mascot/Serving-Free-v0 that make it this problem.

        A second costs what the best switch earns in it, so that a learner that discounts by decision, at 0.95, prefers
        the policy that is best by time: exactly, within 0.1 % of the optimum.
        """
        price = 1e6 / _SLOT_US * self.p * self.best_switch
        return {"wait_us": _SLOT_US, "patience_us": 10 * _SLOT_US, "oldest": 10, "time_price_per_s": price}

    def write(self, folder: str | os.PathLike[str], *, requests: int = 10_000) -> Path:
        """Write its files into a folder; return the path of the experiment, a run of so many requests."""
        root = Path(folder)
        for path, text in self._files(requests).items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return root / "experiments" / "fang_mini.toml"

    def _files(self, requests: int) -> dict[str, str]:
        full, zero = (slots * _SLOT_US for slots in _WORTH[self.shape])
        delay = f'"linear", full_us = {full}, zero_us = {zero}' if full < zero else '"deadline"'
        rows = [
            f"{variant},all,opaque_device,{batch},{slots * _SLOT_US * 1_000},0,1"
            for variant, (_, services) in _VARIANTS.items()
            for batch, slots in enumerate(services, 1)
        ]
        variants = [
            f'[[variant]]\nnetwork = "{variant}"\naccuracy = {accuracy}\n' for variant, (accuracy, _) in _VARIANTS.items()
        ]
        (mid, small), _ = _SWITCHES[self.shape, self.p]
        source = 'source = "Ours, after Fang et al. (2017): mascot.problems"\n'
        return {
            "accel-models/systems/fang_mini.csv": "network,layer,accelerator,batch,cycles,dram_bytes,energy_pj\n"
            + "\n".join(rows)
            + "\n",
            "accel-models/systems/fang_mini.toml": f'name = "fang_mini"\n{source}dram_bandwidth_gbps = inf\n'
            'cost = "fang_mini.csv"\n[[accelerator]]\nmodel = "opaque_device"\ncount = 1\n',
            "workloads/models/fang_mini.toml": f'name = "fang_mini"\nmetric = "invented"\n{source}batches = [1, 2, 3, 4]\n'
            + "".join(variants),
            "workloads/scenarios/fang_mini.toml": f'name = "fang_mini"\n{source}'
            f'utility = {{ delay = {{ kind = {delay} }}, accuracy = "absolute" }}\n'
            f'[[tenant]]\nname = "all"\nmodel = "fang_mini"\nnode = "home"\nsla = "absolute"\ntarget_us = {zero}\n'
            f'arrivals = {{ kind = "bernoulli", p = {self.p}, slot_us = {_SLOT_US} }}\n',
            "fleets/fang_mini.toml": f'name = "fang_mini"\n{source}[[node]]\nname = "home"\n'
            '[[site]]\nname = "home"\nnode = "home"\nsystem = "fang_mini"\nslots = 1\n',
            "experiments/fang_mini.toml": 'fleets = ["fang_mini"]\nscenarios = ["fang_mini"]\ndispatchers = [\n'
            f'  {{ variant = {{ rule = "switch", thresholds = [{mid}, {small}] }}, batch = "greedy" }},\n]\n'
            'trigger = "on_change"\ndecision_cost = "ideal"\nlate = "finish"\n'
            f"requests = {requests}\nwarmup_requests = 0\ndrain_requests = 20\n",
        }
