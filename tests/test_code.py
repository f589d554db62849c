"""The scripts that a visitor takes home: what they print and every point of every run, against optviz itself."""

import ast
import contextlib
import io
import math
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import optviz as ov
from optviz.core import Choice, T
from optviz.expr import ARRAYS
from optviz.optimizers.base import dot, optimizer, rate
from optviz.palette import STYLES
from optviz.race import MOST_ENTRANTS, Entrant, Race, entrant_on
from optviz.render.code import MOST_NOISE, TORCH, TWINS, twin, with_optviz, with_torch

SURFACES = ("bowl", "rosenbrock", "beale", "rotated_ravine", "cliff")
#: Every operator and function of the grammar, cusps and kinks met on the way, and what Python alone would not compute.
FORMULAS = [
    "-(x + y)^2 + x^4 + y^4 - -x*2/3", "x^2 - (x*y - (y - 1))/(2*(1 + x^2))/(3/(1 + y^2)) + (x^2)^(y/9) + (-x)^2", "x - (y - 1)^2*-1 + (-y)^2", "2^x + 2^-x + 0.5^y + e^y + (x^2 + 0.1)^y", "3*x^2*2/5/7*2^3^0.5 + y^2/(1 + x^2)",
    "sin(x) + cos(y) + tan(x/9) + sinh(x/2) + cosh(y) + tanh(x*y) + log(1 + x^2) + exp(-y^2) + sign(x - 1)*y", "exp(2)*x^2 + sqrt(2)*y^2 + pi + sign(-2)*abs(-x)",
    "max(abs(x), abs(y))", "min(x^2 + y^2, (x - 1)^2 + 0.5, 20) + max(x, -1.8)", "sqrt(x^2 + y^2) + abs(x)^0.5 + abs(y)^1.5 + abs(x)^abs(y)",
    "0*log(x) + x^2 + y^2", "min(x^2 + y^2, 1/0)", "max(x^2 + y^2, min(3, 2), -5)", "min(x^2*1e30*1e-30 + 10000000000000000000000*1e-22*y^2, 10^100*10^100*10^100*10^100)",
    "3", "x", "1/2 - y^2", "x^-2 + x^0 + y^2", "/".join(["sqrt(x*y + 9)"] * 20), "x^2+" + "sin(" * 40 + "y" + ")" * 40,
]


@pytest.fixture(autouse=True)
def single():
    """The scripts set torch's default, which others here must not inherit."""
    yield
    torch.set_default_dtype(torch.float32)


def play(script):
    """The names that a script leaves, and what it prints."""
    said, space = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(said):
        exec(compile(script, "script", "exec"), space)  # our own text
    return space, said.getvalue()


def imported(script):
    """What a script imports."""
    nodes = list(ast.walk(ast.parse(script)))
    assert not any(isinstance(n, ast.ImportFrom) or (isinstance(n, ast.Name) and n.id in ("exec", "eval", "__import__")) for n in nodes)
    return {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}


def check(race, language="en", tolerance=1e-9):
    """Both scripts run and give optviz's own numbers; -> the torch script."""
    theirs, plain = with_optviz(race, language), with_torch(race, language)
    assert imported(theirs) == {"optviz"} and imported(plain) <= {"torch", "math", "sys"}
    (short, said), (bare, told) = play(theirs), play(plain)
    assert list(short["runs"]) == list(bare["runs"]) and len(bare["runs"]) == len(race.entrants)
    for run, trail, points in zip(race.runs, short["runs"].values(), bare["runs"].values(), strict=True):
        ours = ov.descend(run)
        np.testing.assert_array_equal(trail.points, ours.points)
        assert len(points) == (run.steps + 1 if ours.diverged_at is None else ours.diverged_at), run
        np.testing.assert_allclose(np.array(points).T, ours.points[:, :len(points)], rtol=tolerance, atol=tolerance, err_msg=str(run))
    number = re.compile(r"[-+.\de]+(?=,|$)")
    for one, other in zip(said.splitlines(), told.splitlines(), strict=True):
        assert number.sub("", one) == number.sub("", other)
        assert [float(v) for v in number.findall(one)] == pytest.approx([float(v) for v in number.findall(other)], rel=1e-5, abs=1e-7)
    return plain


def entrants(*words, **settings):
    return [Entrant(word, **settings) for word in words]


# --- every optimizer, every option ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "key"), [*enumerate(ov.optimizers)])
def test_every_optimizer_runs_alike(k, key):
    for name in (SURFACES[k % 5], SURFACES[(k + 2) % 5]):  # all surfaces meet all kinds of steps
        script = check(Race(name, entrants=[entrant_on(ov.surfaces[name], key)], steps=8), "ru" if name == "bowl" else "en")
        assert ("torch.optim." in script) == (key in TWINS) and (f"def {key}(" in script) == (key not in TWINS)


@pytest.mark.parametrize("key, option, word", [(key, n, word) for key, o in ov.optimizers.items() for n, p in o.params.items() if isinstance(p, Choice)
                                               for word in p.choices if word != p.default])
def test_every_option_runs_alike(key, option, word):
    script = check(Race("himmelblau", start=(0.5, 0.3), entrants=[Entrant(key, **{option: word}, lr=0.01), Entrant(key, lr=0.01)], steps=10))
    assert f"def {key}_{word}(" in script


@pytest.mark.parametrize(("seed", "key"), [*enumerate(ov.optimizers)])
def test_other_hyper_parameters_run_alike(key, seed):
    rng, settings = np.random.default_rng(seed), {}
    for n, p in ov.optimizers[key].params.items():
        if not isinstance(p, Choice) and not p.optional:
            drawn = float(np.exp(rng.uniform(np.log(max(p.low, 1e-9)), np.log(p.high)))) if p.log else float(rng.uniform(p.low, p.high))
            settings[n] = int(drawn) if p.whole else drawn
    settings["lr"] = float(rng.uniform(0.001, 0.02))
    check(Race("himmelblau", start=(0.5, 0.3), entrants=[Entrant(key, **settings)], steps=6))


@pytest.mark.parametrize("key, settings", [("momentum", {"momentum": 0.0}), ("nesterov_torch", {"momentum": 0.0}), ("adafactor", {"d": 0.5}), ("adam", {"eps": 0.0}),
                                           ("radam", {"beta2": 0.0}), ("rprop", {"lr": 0.0}), ("conjugate_gradient", {"lr": 0.0}), ("sam", {"rho": 0.0})])
def test_extremes_that_torch_may_refuse_run_alike(key, settings):
    check(Race("beale", entrants=[Entrant(key, **{"lr": 0.01, **settings})], steps=8))


def test_a_twin_is_used_only_where_it_is_one():
    own = [Entrant("rprop", "cosine"), Entrant("asgd", "sqrt"), Entrant("adafactor", d=0.5), Entrant("nesterov_torch", momentum=0.0), Entrant("adam", eps_place="inside")]
    assert [twin(run) for run in Race(entrants=own).runs] == [None] * 5
    assert None not in [twin(run) for run in Race(entrants=entrants("rprop", "asgd", "adafactor", "nesterov_torch", "adam", "lbfgs")).runs]


# --- every schedule ------------------------------------------------------------------------------------------------------------------------


SCHEDULES = {"step": {"step_size": 3}, "multistep": {"milestone1": 4, "milestone2": 9}, "exponential": {"gamma": 0.8}, "polynomial": {"total_iters": 10, "power": 2.3},
             "linear": {"total_iters": 0, "end_factor": 0.2}, "cosine": {"T_max": 9, "eta_min": 1e-3}, "warm_restarts": {"T_0": 3, "T_mult": 2}, "one_cycle": {"pct_start": 0.0},
             "triangular": {"step_size_up": 3}, "triangular2": {"step_size_up": 2}, "exp_range": {"step_size_up": 4}, "warmup_cosine": {"warmup": 5}, "noam": {"warmup": 6},
             "plateau": {"patience": 1, "factor": 0.5, "cooldown": 2, "min_lr": 1e-3}}


@pytest.mark.parametrize("key", ov.schedules)
@pytest.mark.parametrize("given", [{}, SCHEDULES], ids=["defaults", "others"])
def test_every_schedule_runs_alike(key, given):
    settings = {f"schedule_{n}": v for n, v in given.get(key, {}).items()}
    racers = [Entrant(o, key, lr=0.05, **settings) for o in ("adam", "asgd", "rprop", "lion", "newton")]
    script = check(Race("styblinski_tang", entrants=[*racers, Entrant("rmsprop", lr=0.05)], steps=16))
    assert ("def scheduled(" in script) == (key != "constant") and ("def fed(" in script) == (key == "plateau")


def test_plateau_alone_and_rates_that_leave_the_floats():
    script = check(Race("rastrigin", entrants=[Entrant("signsgd", "plateau", lr=0.3, schedule_patience=0, schedule_factor=0.7)], steps=20))
    assert "def scheduled(" not in script and len(set(ov.descend(Race("rastrigin", entrants=[Entrant("signsgd", "plateau", lr=0.3, schedule_patience=0)], steps=20).runs[0]).lr)) > 1
    endless = Race("bowl", entrants=[Entrant("signsgd", "exponential", schedule_gamma=1e30), Entrant("adam", "triangular2", schedule_step_size_up=1)], steps=20)
    assert "nan_to_num" in check(endless)
    assert "nan_to_num" not in with_torch(Race("bowl", entrants=[Entrant("adam", "triangular2")]))


# --- noise and clipping --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"clip_norm": 0.7}, {"clip_value": 0.5}, {"clip_norm": 1.5, "clip_value": 1.0}], ids=str)
@pytest.mark.parametrize("noise", [{}, {"noise": 0.3, "seed": 5}, {"noise_relative": 0.4}, {"noise": 0.3, "noise_relative": 0.4}], ids=str)
def test_noise_and_clipping_run_alike(limits, noise):
    racers = [Entrant(o, lr=0.02, **limits) for o in ("momentum", "nesterov", "lbfgs", "bfgs")]
    check(Race("himmelblau", start=(0.5, 0.3), entrants=[*racers, Entrant("sgd", lr=0.01), Entrant("sam", lr=0.01)], steps=10, **noise), "ru")


def test_much_noise_is_refused_in_both_languages():
    most = MOST_NOISE // 2
    check(Race(entrants=entrants("adam"), steps=most, noise=0.1), tolerance=1e-6)
    for race, steps in ((Race(entrants=entrants("adam"), steps=most + 1, noise=0.1), most),
                        (Race(entrants=entrants("adam"), steps=most, noise=0.1, noise_relative=0.1), most // 2)):
        with pytest.raises(ov.Refused) as refused:
            with_torch(race)
        assert f"at most {steps} steps" in refused.value.text.en and f"не больше {steps} шагов" in refused.value.text.ru
        assert "noise=0.1" in with_optviz(race).replace('"noise": ', "noise=")


# --- every surface -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f[:40])
def test_own_formulas_run_alike(formula):
    s = ov.surface(formula)
    for start in [(-1.8, 1.8), *[(0.0, 0.5)] * math.isfinite(s.value(0.0, 0.5))]:
        check(Race(s, start=start, entrants=entrants("sgd", "adam", "nesterov", "newton", lr=0.01), steps=6))


@pytest.mark.parametrize("s", [ov.surfaces["ackley"], ov.surface("sqrt(x^2 + y^2) + abs(x)^0.5 + abs(y)^1.5"), ov.surface("max(x, y) + abs(x - y) + max(abs(x), x)")],
                         ids=lambda s: s.formula[:30])
def test_from_a_cusp_nobody_moves(s):
    """optviz takes the slope there as 0; autograd alone would say nan."""
    race = Race(s, start=(0.0, 0.0), entrants=entrants("sgd", "adam", "nesterov", "newton", lr=0.01), steps=3)
    check(race)
    assert all(point == [0.0, 0.0] for points in play(with_torch(race))[0]["runs"].values() for point in points)


def test_the_longest_formula_is_printed():
    check(Race(ov.surface("+".join(["x*y"] * 249)), entrants=entrants("nesterov", lr=1e-4), steps=2))


@pytest.mark.parametrize("key", [*ov.surfaces, *FORMULAS], ids=lambda key: key[:40])
def test_a_surface_and_its_derivatives_are_the_surfaces(key):
    """At many points, not only where runs pass."""
    s = ov.surfaces[key] if key in ov.surfaces else ov.surface(key)
    space, _ = play(with_torch(Race(s, entrants=[Entrant("newton")], steps=1)))
    for x, y in np.random.default_rng(0).uniform(*np.array(s.box).T, (12, 2)):
        point = torch.tensor([x, y])
        np.testing.assert_allclose(space["surface"](*point), s.value(x, y), rtol=1e-12)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(space["gradient"](point), s.gradient(x, y), rtol=1e-8, atol=1e-8)
            np.testing.assert_allclose(space["hessian"](point), s.hessian(x, y), rtol=1e-7, atol=1e-7)


def test_parameters_boxes_and_starts_are_told():
    for s in (ov.surfaces["ravine"].at(b=3.5), ov.surfaces["rotated_ravine"].at(angle=-20, condition=7.25)):
        script = check(Race(s, start=(-1.25, 0.75), entrants=entrants("sgd", "polyak", "newton", lr=0.05), steps=8))
        assert all(f"    {n} = {v!r}" in script for n, v in s.settings.items())
    box = ((4.0, 9.0), (-1.0, 3.0))  # the best value there is that of the box: Polyak's step knows it
    race = Race(ov.surface("x^4/100 - sin(3*x) + y^2", box), entrants=entrants("polyak"), box=box, steps=8)
    assert "box=((4.0, 9.0), (-1.0, 3.0))" in with_optviz(race)
    check(race)
    assert "box" not in with_optviz(Race(ov.surface("x^2 + y^2"), entrants=entrants("adam")))


def test_only_what_is_not_default_is_told_to_optviz():
    race = Race("rosenbrock", entrants=[Entrant("adam"), Entrant("adam", "cosine", lr=0.02, beta1=0.8, schedule_T_max=50, clip_norm=2.0)], steps=20, seed=3)
    calls = [n for n in ast.walk(ast.parse(with_optviz(race))) if isinstance(n, ast.Call) and ast.unparse(n.func) == "ov.descend"]
    assert [[k.arg for k in call.keywords] for call in calls] == [["lr", None], ["schedule", "lr", "beta1", "clip_norm", "schedule_T_max", None]]
    assert '"seed"' not in with_optviz(race) and '"seed": 3' in with_optviz(race.at(noise=0.1))


# --- races ---------------------------------------------------------------------------------------------------------------------------------


def test_twins_of_one_kind_and_nobody_at_all():
    same = [Entrant("adam", lr=0.01), Entrant("adam", lr=0.02), Entrant("adam", lr=0.02), Entrant("nesterov", form="ema"), Entrant("nesterov"), Entrant("nesterov", momentum=0.5)]
    for language in ("en", "ru"):
        script = check(Race("beale", entrants=same, steps=10), language)
    assert script.count("def nesterov_ema(") == script.count("def nesterov(") == 1
    assert play(with_torch(Race(entrants=[])))[1] == play(with_optviz(Race(entrants=[])))[1] == ""


@pytest.mark.parametrize("language", ["en", "ru"])
def test_who_diverges_is_said_to(language):
    racers = [*entrants("sgd", "momentum", "nesterov", "momentum_ema", lr=0.5), Entrant("adam", lr=0.1), Entrant("adam", lr=1e200), Entrant("schedule_free", lr=9.0)]
    for s in ("rosenbrock", "beale"):
        race = Race(s, entrants=racers, steps=60)
        check(race, language)
        said = play(with_torch(race, language))[1]
        assert sum({"en": "diverged at step", "ru": "расходится на шаге"}[language] in line for line in said.splitlines()) >= 4


def crowd(i):
    """Races that together have every optimizer and every schedule."""
    keys = list(ov.optimizers)[i * MOST_ENTRANTS:(i + 1) * MOST_ENTRANTS]
    rules = list(ov.schedules)
    return Race("himmelblau", (0.5, 0.3), [
        Entrant(key, rules[k % len(rules)], lr=0.01, clip_norm=5.0, warmup_steps=2 * (k % 3 == 0)) for k, key in enumerate(keys)], steps=4, noise=0.1)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("i", range(3))
def test_a_script_reads_well(i, language):
    """Nothing is defined twice, no line is long, and every function says what it does in the reader's language."""
    script = check(crowd(i), language)
    functions = [n for n in ast.parse(script).body if isinstance(n, ast.FunctionDef)]
    names = [f.name for f in functions]
    assert len(set(names)) == len(names)
    assert max(map(len, script.splitlines())) <= 100 and not re.search(r"[ \t]$", script, re.M) and script.endswith("\n")
    said = {f.name: ast.get_docstring(f) for f in functions} | {"script": ast.get_docstring(ast.parse(script)), "comment": re.search("^# (.+)", script, re.M)[1]}
    for name, text in said.items():
        assert text and (bool(re.search("[а-яё]", text, re.I)) == (language == "ru")), name
    for text in (script, with_optviz(crowd(i), language)) if language == "en" else ():
        assert not re.search("[а-яё]", text, re.I)


def test_a_script_runs_alone(tmp_path):
    """In a process of its own, as a student runs it."""
    race = Race(entrants=entrants("momentum", "adam", "lion"), steps=20)
    for name, script in (("theirs.py", with_optviz(race, "ru")), ("plain.py", with_torch(race, "ru"))):
        (tmp_path / name).write_text(script, "utf-8")
        done = subprocess.run([sys.executable, "-X", "utf8", "-W", "error", name], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.stderr == "" and len(done.stdout.splitlines()) == 3 and done.stdout == play(script)[1]


# --- a visitor's text ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ['"""\nimport os\n"""', "a\\", 'a"', "a\rprint(1)", "a\u2028print(1)", "a\0b", "\\N{LATIN SMALL LETTER A}"])
def test_no_name_leaves_its_place(name):
    """A surface's name is a text that a definition of somebody else's may bring."""
    plain = replace(ov.surfaces["bowl"], name=T("Bowl", "Чаша"))
    hostile = replace(plain, name=T(name, name))
    shapes = []
    for s in (plain, hostile):
        tree = ast.parse(with_torch(Race(s, entrants=entrants("adam", "lion"), steps=2)))
        for f in ast.walk(tree):
            if isinstance(f, ast.FunctionDef) and f.name == "surface":
                f.body.pop(0)
        shapes.append(ast.dump(tree))
    assert shapes[0] == shapes[1]


def test_a_formula_is_never_pasted():
    """As torch it is printed from its tree, to optviz it goes as a string."""
    formula = "x**2   +\t(((y)))^2 - 0*log(x)"
    race = Race(ov.surface(formula), entrants=entrants("adam"))
    (call,) = [n for n in ast.walk(ast.parse(with_optviz(race))) if isinstance(n, ast.Call) and ast.unparse(n.func) == "ov.surface"]
    assert ast.literal_eval(call.args[0]) == race.surface.formula
    assert "return x ** 2 + y ** 2 - 0.0\n" in with_torch(race)
    for bad in ("__import__('os')", "x + y\nimport os", "x if y else y", "(lambda: x)()", "x.real", "f'{x}'"):
        hand_made = replace(race.surface, formula=bad)
        with pytest.raises(ov.Refused):  # FormulaError, before anything is printed
            with_torch(Race(hand_made, entrants=entrants("adam")))


# --- what others may add --------------------------------------------------------------------------------------------------------------------


def test_every_operation_of_a_graph_has_a_print():
    assert TORCH.keys() == ARRAYS.keys()


SHARPNESS = 0.25


def softened(g, h, xp):
    return g / (1 + h.softness * xp.sqrt(dot(g, g)) + SHARPNESS)


def test_a_new_optimizer_brings_its_own_code(monkeypatch):
    """Nothing here knows it: its step, helpers and numbers are read from its source, its memory from its first value."""
    monkeypatch.setitem(STYLES, "soft", STYLES["sgd"])
    try:
        @optimizer(T("Soft", "Мягкий"), T("Softens long gradients.", "Смягчает длинные градиенты."), state="count far", lr=rate(0.1), softness=rate(0.5),
                   init=lambda x, h, xp: [0 * x[0] + 2, h.softness * x])
        def soft(grad, x, state, h, t, xp):
            count, far = state
            g = softened(grad(x), h, xp)
            count = count + xp.where(t > 3, 1, 0)
            far = xp.maximum(far, xp.abs(g)) / count
            return x - h.lr * (g + 0.01 * far), (count, far)
        script = check(Race("beale", entrants=entrants("soft", "adam"), steps=8))
        assert "SHARPNESS = 0.25" in script and "def softened(g, softness):" in script and "def dot(a, b):" in script
    finally:
        ov.optimizers._known.pop("soft", None)
