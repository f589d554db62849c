"""The wheel: all is inside, and it runs where nothing else is."""

import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import running

ROOT = Path(__file__).parent.parent
SITE = [ROOT / "app.py", *(path for folder in ("pages", "assets", ".streamlit") for path in (ROOT / folder).rglob("*") if path.is_file())]


def call(*command, cwd):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_runs_in_an_empty_environment(tmp_path, browser):
    call(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", ROOT, "-w", tmp_path, cwd=tmp_path)
    wheel, = tmp_path.glob("optviz-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    assert {f"optviz/site/{path.relative_to(ROOT).as_posix()}" for path in SITE if "__pycache__" not in path.parts} <= set(inside)
    assert [name for name in inside if not name.startswith(("optviz/", "optviz-")) or name.endswith(".pyc")] == []

    call(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python, optviz, empty = tmp_path / "venv/bin/python", tmp_path / "venv/bin/optviz", tmp_path / "empty"
    empty.mkdir()
    call(python, "-m", "pip", "install", "--no-compile", "-c", ROOT / "constraints.txt", wheel, cwd=empty)
    assert call(optviz, "--version", cwd=empty).startswith("optviz ")
    assert "rosenbrock" in call(optviz, "list", "surfaces", cwd=empty)
    assert "plateau" in call(python, "-m", "optviz", "list", cwd=empty)
    code = "import optviz as ov; print(ov.descend('bowl', 'adam', steps=3).points.shape, ov.__file__)"
    shape, file = call(python, "-c", code, cwd=empty).rsplit(maxsplit=1)
    assert shape == "(2, 4)" and Path(file).is_relative_to(tmp_path)
    with running(optviz, "app", "--port", "0", cwd=empty) as (_, address):
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("heading", name="Descent", exact=True).wait_for()
        page.close()
    assert list(empty.iterdir()) == []
