"""Sweeps and other commands: the same bytes, tables and errors as those of the program."""

import ast
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import QUICKSTART, ROOT, SMALL

import mascot


def arguments(overrides: dict) -> list[str]:
    return [f"--set={key}={str(value).replace(chr(39), chr(34))}" for key, value in overrides.items()]


def test_a_run_writes_the_bytes_of_the_program(tmp_path, program):
    logs = ["requests", "layers", "energy"]
    frame = mascot.run(QUICKSTART, out=tmp_path / "here", logs=logs, **SMALL)
    done = program("run", QUICKSTART, "--out", tmp_path / "there", "--quiet", *arguments(SMALL), *[f"--{log}" for log in logs])
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "there").glob("*.csv")}
    assert {"summary.csv", "groups.csv", "accelerators.csv", "requests.csv", "layers.csv", "energy.csv"} <= names
    for name in names:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes(), name
    lines = (tmp_path / "there" / "summary.csv").read_text().splitlines()
    place = lines[0].split(",").index("energy_per_request_uj")
    assert list(frame["energy_per_request_uj"]) == [float(line.split(",")[place]) for line in lines[1:]]
    assert len(frame) == 2 * 2 * 2
    assert set(frame["scheduler"]) == {"edf", "gated"}


def test_a_dict_is_an_experiment(tmp_path):
    told = {"systems": ["hetero-6"], **SMALL}
    of_dict = mascot.run(told)
    of_file = mascot.run(QUICKSTART, **SMALL)
    pd.testing.assert_frame_equal(of_dict, of_file)
    assert not any(tmp_path.iterdir())


def test_values_of_every_kind_arrive():
    from mascot import _toml

    told = {"a": True, "b": [1, 2.5, float("inf")], "c": {"d": 'quoted "x"\n'}, "e": np.float64(0.5), "p": Path("q")}
    lines = _toml.document(told).splitlines()
    assert lines == [
        '"a" = true',
        '"b" = [1, 2.5, inf]',
        '"c" = { "d" = "quoted \\"x\\"\\n" }',
        '"e" = 0.5',
        '"p" = "q"',
    ]
    with pytest.raises(mascot.ConfigError, match=r"`loads\.x`"):
        mascot.run(QUICKSTART, loads={"x": object()})


@pytest.mark.parametrize(
    ("overrides", "named"),
    [({"scenarios": ["ligth"]}, "ligth"), ({"no_such_key": 1}, "no_such_key"), ({"loads": [-1.0]}, "loads")],
)
def test_errors_have_the_text_of_the_program(tmp_path, program, overrides, named):
    told = {**SMALL, **overrides}
    with pytest.raises(mascot.ConfigError, match=named) as raised:
        mascot.run(QUICKSTART, out=tmp_path / "results", **told)
    done = program("run", QUICKSTART, "--out", tmp_path / "results", *arguments(told))
    assert done.returncode == 2
    # The program wraps long lines.
    assert "".join(str(raised.value).split()) in "".join(done.stderr.split())
    assert not (tmp_path / "results").exists()
    assert isinstance(raised.value, ValueError)


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(mascot.ConfigError, match=r"no/such\.toml"):
        mascot.run("no/such.toml")
    with pytest.raises(mascot.ConfigError, match="table 'summery'"):
        mascot.run(QUICKSTART, table="summery")
    with pytest.raises(mascot.ConfigError, match="'metrics'"):
        mascot.run(QUICKSTART, logs=["metrics"])
    with pytest.raises(mascot.ConfigError, match="expected a path or a dict"):
        mascot.run(3)
    with pytest.raises(mascot.ConfigError, match="unrecognized subcommand"):
        mascot.command("frobnicate")
    (tmp_path / "file").write_text("")
    with pytest.raises(mascot.RunError, match="cannot write"):
        mascot.run(QUICKSTART, out=tmp_path / "file" / "folder", **SMALL)


def test_warnings_are_warnings(fang_mini):
    with pytest.warns(UserWarning, match="^scenario `fang_mini` offers .* more than any schedule can carry"):
        frame = mascot.run(fang_mini, table="serving")
    assert (frame["requests"] == 500).any()


def test_other_commands_give_tables(tmp_path):
    costs = mascot.cost_table("alexnet", "eyeriss_like")
    assert {"layer", "cycles", "energy_pj", "mapping"} <= set(costs.columns)
    assert (costs["cycles"] > 0).all()
    arrivals = mascot.trace("light", requests=10, seed=3, rate_per_s=100)
    assert list(arrivals.columns) == ["t_s", "tenant", "network"]
    assert len(arrivals) == 10
    (verdict,) = mascot.validate(ROOT / "accel-models" / "eyeriss_like.toml")
    assert verdict["kind"] == "accelerator"
    (verdict,) = mascot.validate({"systems": ["hetero-6"], **SMALL})
    assert verdict["kind"] == "experiment"
    mascot.run(QUICKSTART, out=tmp_path, **SMALL)
    page = mascot.report(tmp_path, formats=["svg"])
    assert page == tmp_path / "report.html"
    assert page.stat().st_size > 0


def test_a_plan_says_what_would_run():
    plan = mascot.Plan(QUICKSTART, **SMALL)
    assert plan.schedulers == ["edf", "gated"]
    assert list(plan.cases["load"]) == [0.6, 0.9]
    assert (plan.cases["lambda_star_per_s"] > 0).all()
    assert len(plan.cells) == 8
    requests = plan.requests(case=1, seed=2)
    assert requests["arrival_s"].is_monotonic_increasing
    assert (requests["deadline_s"] > requests["arrival_s"]).all()
    with pytest.raises(mascot.ConfigError, match="no case 7"):
        plan.requests(case=7)


def test_a_run_leaves_the_interpreter_to_other_threads():
    beats, done = [], threading.Event()

    def beat() -> None:
        while not done.is_set():
            beats.append(1)
            time.sleep(0.001)

    other = threading.Thread(target=beat)
    other.start()
    mascot.run(QUICKSTART, **SMALL)
    done.set()
    other.join()
    # A run that holds the interpreter lets no beat through.
    assert len(beats) > 3


# Some minutes of cells, each of which is short.
LONG = {**SMALL, "schedulers": ["prema"], "seeds": 2_000, "requests": 300}


@pytest.mark.skipif(os.name != "posix", reason="signals as on Unix")
def test_control_c_ends_a_run(tmp_path):
    script = f"""
        import signal
        import mascot
        # Whoever starts the tests in the background has Ctrl-C ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("ready", flush=True)
        try:
            mascot.run({str(QUICKSTART)!r}, out={str(tmp_path / "out")!r}, jobs=1, **{LONG!r})
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    while not any((tmp_path / "out").rglob("cells/*")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n"
    assert process.returncode == 0
    assert not (tmp_path / "out" / "summary.csv").exists()


def test_package_and_program_have_one_version():
    assert mascot.command("--version") == f"mascot {mascot.__version__}\n"


def test_what_the_stubs_promise_is_there():
    from mascot import _mascot

    tree = ast.parse((Path(mascot.__file__).parent / "_mascot.pyi").read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            members = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            assert members <= set(dir(getattr(_mascot, node.name))), node.name
        elif isinstance(node, ast.FunctionDef):
            assert callable(getattr(_mascot, node.name))
