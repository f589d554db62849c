"""What holds the house up: the floors, a light import, and texts in both languages."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from optviz.cli import REGISTRIES
from optviz.core import T

PACKAGE = Path(__file__).parent.parent / "optviz"
#: A file or folder of the package, and the floor it is on; it imports from there or below.
FLOORS = {"core": 0, "expr": 0, "latex": 0, "chance": 0,
          "autograd": 1, "activations": 1, "initializers": 1, "losses": 1, "penalties": 1, "datasets": 1, "preparing": 1, "augment": 1,
          "nn": 1, "formula": 1, "minima": 1, "surfaces": 1, "schedules": 1, "oracle": 1, "optimizers": 1, "query": 1,
          "backend": 2, "trace": 2, "run": 2, "descent": 2, "race": 2, "outcome": 2, "tune": 2, "presets": 2, "live": 2, "training": 2,
          "objective": 2, "points": 2, "trainer": 2, "learning": 2, "workers": 2, "jobs": 2, "study": 2, "grid": 2, "ending": 2,
          "study_presets": 2, "regular": 2, "boundary": 2, "edits": 2, "pasted": 2, "state_file": 2, "trial": 2, "layers": 2, "probe": 2,
          "scales": 2, "chain": 2, "recurrence": 2, "probe_presets": 2, "rates": 2, "pace": 2, "pace_presets": 2, "batches": 2,
          "inside": 2, "ends": 2, "store": 2, "heavy": 2, "cluster": 2, "basin": 2, "atlas": 2, "sweep": 2, "hunt": 2, "sweep_presets": 2,
          "landscape": 2, "landscape_presets": 2, "vista": 2, "quest": 2, "stability": 2, "explain": 2, "verdict": 2, "names": 2,
          "palette": 3, "gauges": 3, "scene": 3, "network_scene": 3, "wall": 3, "sheet": 3, "regular_sheets": 3, "pace_scene": 3,
          "pace_sheets": 3, "batch_sheets": 3, "layers_sheets": 3, "atlas_sheets": 3, "landscape_scene": 3, "sweep_sheets": 3,
          "render": 4,
          "cli": 5, "server": 5, "room": 5, "ui": 5, "__main__": 5}
#: What is not Python's own, and the lowest floor that may know it. torch is no import anywhere: backend.py asks for it when it is needed.
OUTSIDE = {"numpy": 0, "distributed": 2, "latex2mathml": 4, "PIL": 4, "av": 4, "plotly": 4, "segno": 5, "streamlit": 5, "uvicorn": 5}


def dotted(path):
    """optviz/ui/text.py -> ui.text, optviz/ui/__init__.py -> ui, optviz/__init__.py -> nothing"""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


FILES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = [name for name in FILES if name]  # optviz/__init__.py gathers from every floor


def imports(name):
    """What a file imports, at its top or later: its neighbours by dotted name in the package, all else as it is written."""
    package = ["optviz", *name.split(".")] if FILES[name].name == "__init__.py" else ["optviz", *name.split(".")[:-1]]
    for node in ast.walk(ast.parse(FILES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            whole = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = ".".join([*package[:len(package) - node.level + 1], *filter(None, [node.module])]) if node.level else node.module
            whole = [f"{source}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__"):
            whole = [f"lazily {ast.literal_eval(node.args[0])}"]
        else:
            continue
        for path in whole:
            inner = path.removeprefix("optviz.")
            while path != inner and inner and inner not in FILES:  # a name in a file, not a file
                inner = inner.rpartition(".")[0]
            yield inner if path != inner else path


def floor(name):
    return FLOORS[name.split(".")[0]]


@pytest.mark.parametrize("name", MODULES)
def test_a_file_imports_only_from_its_own_floor_or_below(name):
    assert name.split(".")[0] in FLOORS, f"optviz/{name.replace('.', '/')}.py is on no floor: give it one in FLOORS"
    for imported in imports(name):
        top = imported.split(".")[0]
        if imported == "lazily torch":
            assert name == "backend", f"{name} asks for torch; only backend.py may"
        elif top in FLOORS:
            assert floor(imported) <= floor(name), f"{name} (floor {floor(name)}) imports {imported} (floor {floor(imported)})"
        elif top == "optviz" or not imported:
            assert floor(name) == 5, f"{name} imports the whole of optviz, which imports {name}"
        elif top not in sys.stdlib_module_names:
            assert floor(name) >= OUTSIDE.get(top, 9), f"{name} (floor {floor(name)}) must not import {imported}"


def test_no_file_imports_itself_through_others():
    graph = {name: {other for other in imports(name) if other in MODULES} - {name} for name in MODULES}
    graphlib.TopologicalSorter(graph).prepare()


def test_only_the_ui_and_the_server_know_streamlit():
    assert {name.split(".")[0] for name in MODULES if any(other.startswith("streamlit") for other in imports(name))} == {"ui", "server"}


def test_import_is_fast_and_light():
    code = """if True:
        import sys, time
        begin = time.process_time()  # of this process: other work on the machine must not count
        import optviz
        print(time.process_time() - begin, *{"streamlit", "plotly", "torch", "sympy"} & set(sys.modules))"""
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() for _ in range(5)]
    assert runs[0][1:] == []
    assert min(float(seconds) for seconds, *_ in runs) < 0.5


@pytest.mark.parametrize(("registry", "key"), [(registry, key) for registry, known in REGISTRIES.items() for key in known])
def test_every_text_is_in_both_languages(registry, key):
    texts = {field: text for field, text in vars(REGISTRIES[registry][key]).items() if isinstance(text, T)}
    assert len(texts) >= 2
    for field, text in texts.items():
        assert text.en.strip()
        assert not re.search("[а-яё]", text.en, re.I), f"{field} is in Russian: {text.en}"
        assert re.search("[а-яё]", text.ru, re.I) or (registry, field, text.ru) == ("optimizers", "name", text.en), f"{field} in Russian: {text.ru}"


@pytest.mark.parametrize(("en", "ru"), [("", "x"), ("x", ""), (" ", "x"), ("x", "\n")])
def test_a_text_in_one_language_cannot_be(en, ru):
    with pytest.raises(ValueError, match="both languages"):
        T(en, ru)
