"""What the README promises."""

import re
from pathlib import Path

import optviz as ov

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")


def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    names: dict = {}
    exec(code, names)
    assert names["t"].points.shape == (2, 301) and (tmp_path / "race.gif").stat().st_size < 1_000_000


def test_its_numbers_and_links():
    assert f"{len(ov.surfaces)} surfaces, {len(ov.optimizers)} optimizers, {len(ov.schedules)} schedules" in TEXT
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link
