"""Does the code of the guide's chapter do what the chapter says?"""

import doctest
import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT


def test_the_chapter_from_python_is_true(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (ROOT / "src" / "guide" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 5
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "python.md", "src/guide/python.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    told: list[str] = []
    runner.run(examples, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


def test_the_notebook_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path(str(ROOT / "python" / "examples" / "headline.py"))
    assert len(found["runs"]) == 2 * 4 * 4 * 3
    assert found["page"].stat().st_size > 0
    assert found["pictures"]
    assert "learned_gate" in capsys.readouterr().out


@pytest.mark.parametrize(("tool", "language"), [("parallel", "sh"), ("snakemake", "python")])
def test_the_lines_for_clusters_work(tool, language, tmp_path):
    """The shares that GNU parallel and Snakemake start, and the results that are collected."""
    program = os.environ.get("MASCOT_PROGRAM")
    if not program or not shutil.which(tool):
        pytest.skip(f"{tool} and MASCOT_PROGRAM are needed")
    text = (ROOT / "src" / "guide" / "experiments.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n((?:parallel|SHARES).*?)^```$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "experiments").mkdir()
    shutil.copy(ROOT / "experiments" / "quickstart.toml", tmp_path / "experiments")
    (tmp_path / "Snakefile").write_text(block)
    path = os.pathsep.join([str(Path(program).resolve().parent), os.environ["PATH"]])
    # As a user has it: the data are those that the program carries.
    line = "snakemake --cores 2" if tool == "snakemake" else block
    done = subprocess.run(
        ["bash", "-ec", line], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    summary = (tmp_path / "results" / "quickstart" / "summary.csv").read_text()
    assert summary.count("\n") == 1 + 20
