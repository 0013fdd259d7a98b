"""Does the code of the guide's chapter do what the chapter says?"""

import doctest
import re
import runpy

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
