"""Small experiments, and the program to compare with."""

import os
import subprocess
from pathlib import Path

import pytest

from mascot.problems import FangMini

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "experiments" / "quickstart.toml"
SMALL = {"scenarios": ["light"], "loads": [0.6, 0.9], "schedulers": ["edf", "gated"], "seeds": 2, "requests": 60}


# Four sites behind links and two tenants, on devices whose times are given.
RING = {
    "fleets": ["gpu-ring"],
    "scenarios": ["bursty_sites"],
    "dispatchers": [
        {"route": "closest", "variant": "best", "batch": "greedy"},
        {"route": "shortest_queue", "variant": "smallest", "batch": "greedy"},
    ],
    "loads": [1.0],
    "requests": 100,
    "trigger": "on_change",
}


@pytest.fixture(scope="session")
def problem() -> FangMini:
    """The small problem with a known optimum."""
    return FangMini("step", 0.6)


@pytest.fixture(scope="session")
def fang_mini(problem, tmp_path_factory) -> Path:
    """Its experiment: runs of 500 requests."""
    return problem.write(tmp_path_factory.mktemp("fang_mini"), requests=500)


@pytest.fixture
def program():
    """Runs the program; skips where MASCOT_PROGRAM does not say where it is."""
    path = os.environ.get("MASCOT_PROGRAM")
    if not path:
        pytest.skip("MASCOT_PROGRAM is not set: the path of the program")

    def run(*arguments: object) -> subprocess.CompletedProcess:
        words = [path, *(os.fspath(a) if isinstance(a, os.PathLike) else str(a) for a in arguments)]
        return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)

    return run
