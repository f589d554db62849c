"""What the README promises."""

import re
from pathlib import Path

import optviz as ov

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")


def test_the_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    names: dict = {}
    exec(code, names)
    assert names["t"].points.shape == (2, 301)


def test_its_numbers_and_links():
    assert f"{len(ov.surfaces)} surfaces, {len(ov.optimizers)} optimizers, {len(ov.schedules)} schedules" in TEXT
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link
