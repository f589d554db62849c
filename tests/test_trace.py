"""One formula, many machines: NumPy, traced Python, traced arrays, torch and JavaScript in Chromium run the same steps."""

import ast
import json

import numpy as np
import pytest

import optviz as ov
from optviz import descent
from optviz.expr import Graph
from optviz.optimizers.base import Optimizer
from optviz.trace import JAVASCRIPT_LOOP, Plan, javascript_activation, javascript_step, python_step

TRACED = [k for k, o in ov.optimizers.items() if o.traceable]
VARIANTS = [(key, {}) for key in ov.optimizers] + [
    ("nesterov", {"form": "ema"}), ("momentum_lr_inside", {"velocity": "old"}), ("nadam", {"form": "printed"}), ("adam", {"eps_place": "inside"}), ("adam_uncorrected", {"eps_place": "unrooted"}),
    ("adagrad", {"eps_place": "unrooted"}), ("adadelta", {"eps_place": "outside"})]
STEPS = 25  # enough for every branch: warm-ups, look-ahead, rates that fall
#: All that can be done to gradients and rates.
EXTRAS = [{}, {"noise": 0.3, "noise_relative": 0.2, "seed": 7, "schedule": "plateau", "warmup_steps": 5, "schedule_patience": 1, "schedule_factor": 0.7},
          {"clip_norm": 0.5, "schedule": "warmup_cosine"}, {"clip_value": 0.2, "noise": 0.1}]
RATE = {**dict.fromkeys(("momentum", "nesterov", "nesterov_torch"), 0.003), "momentum_lr_inside": 5e-4, "lion": 0.01, "adadelta": 1.0, "prodigy": 1.0, "schedule_free": 0.02}


def settings(key, extra):
    """Lively but not chaotic; near its end a line search decides by the last bit, so those run short."""
    return {"lr": RATE.get(key, 0.02), "steps": STEPS if key in TRACED else 8, **extra}


def on_numpy_arrays(surface, key, **given):
    """The plain loop over whole vectors, with nothing traced."""
    plain = Optimizer(**{f: getattr(ov.optimizers[key], f) for f in Optimizer.__dataclass_fields__} | {"traceable": False})
    return ov.descend(surface, plain, **given)


def alike(a, b, tolerance=1e-9):
    for name in ("points", "loss", "gradients", "lr"):
        ours, other = getattr(a, name), getattr(b, name)
        np.testing.assert_allclose(ours, other, rtol=tolerance, atol=tolerance, err_msg=name)
    for name, remembered in a.state.items():
        np.testing.assert_allclose(remembered, b.state[name], rtol=tolerance, atol=tolerance, err_msg=name)


def test_which_optimizers_cannot_be_traced():
    assert set(ov.optimizers) - set(TRACED) == {"linesearch", "conjugate_gradient", "newton", "saddle_free_newton", "bfgs", "lbfgs"}
    with pytest.raises(ValueError, match="cannot be traced"):
        python_step(Plan(ov.optimizers["bfgs"], ov.schedules["constant"]))


@pytest.mark.parametrize("extra", EXTRAS, ids=str)
@pytest.mark.parametrize("key, options", VARIANTS, ids=str)
def test_machines_agree(key, options, extra):
    given = settings(key, {**extra, **options})
    single = ov.descend("himmelblau", key, start=(0.5, 0.3), **given)
    batch = ov.descend("himmelblau", key, start=(np.array([0.5, 1.0]), np.array([0.3, -2.0])), **given)
    for name in ("points", "gradients", "lr"):
        np.testing.assert_allclose(getattr(batch, name)[..., 0], getattr(single, name), rtol=1e-9, atol=1e-9, err_msg=name)
    alike(on_numpy_arrays("himmelblau", key, start=(0.5, 0.3), **given), single)
    torched = ov.descend("himmelblau", key, start=(np.array([0.5, 1.0]), np.array([0.3, -2.0])), backend="torch", **given)
    alike(torched, batch, 1e-8)


@pytest.mark.parametrize("surface", ov.surfaces)
def test_single_run_equals_its_column(surface):
    """Not chaotic here (gentle rates), so to 1e-12."""
    for key in ("sgd", "adam", "rprop", "adafactor", "bfgs"):
        s = ov.surfaces[surface]
        starts = np.array(s.start)[:, None] * np.array([1.0, 0.9, 0.8])
        batch = ov.descend(s, key, start=starts, steps=30, lr=1e-4 if key != "bfgs" else 0.1)
        for k in range(3):
            single = ov.descend(s, key, start=starts[:, k], steps=30, lr=1e-4 if key != "bfgs" else 0.1)
            np.testing.assert_allclose(batch.points[..., k], single.points, rtol=1e-12, atol=1e-12)


def test_javascript_runs_the_same_steps(browser):
    """Every traceable optimizer with noise, clipping and plateau, on several surfaces, in a real browser."""
    page = browser.new_page()
    for surface, start in (("himmelblau", (0.5, 0.3)), ("rosenbrock", (-1.5, 2.0)), ("ackley", (-1.5, 2.0))):
        s, jobs, ours = ov.surfaces[surface], [], []
        for key, options in [(k, o) for k, o in VARIANTS if k in TRACED]:
            for extra in EXTRAS:
                given = settings(key, {**extra, **options})
                given["lr"] *= 0.01 if surface == "rosenbrock" else 1
                problem = descent.Problem(s, (key, start, given["steps"], given.get("schedule", "constant")),
                                          {n: v for n, v in given.items() if n not in ("steps", "schedule")}, "all")
                plan, numbers = problem.plan, problem.given(problem.values)
                traced, _, _ = python_step(plan)
                noise = [part for part in problem.noise(np.zeros(STEPS), np.arange(1, STEPS + 1), problem.values) if part is not None]
                jobs.append(f"descend(surface, {javascript_step(plan)}, {start[0]}, {start[1]}, {STEPS}, "
                            f"{json.dumps(dict(zip(traced.fixed, problem.fixed(traced.fixed, numbers), strict=True)))}, "
                            f"{np.broadcast_to(problem.rate(np.arange(STEPS), numbers), STEPS).tolist()}, {np.concatenate(noise).T.tolist() if noise else '[]'})")
                ours.append((key, extra, problem.solve("numpy")))
        got = page.evaluate(f"() => {{ {JAVASCRIPT_LOOP} const surface = {s.javascript}; return [{', '.join(jobs)}]; }}")
        assert len(got) == len(TRACED + [v for v in VARIANTS if v[1]]) * len(EXTRAS)
        for (key, extra, t), js in zip(ours, got, strict=True):
            rows = np.array(js["rows"], float).T
            assert js["diverged"] == t.diverged_at, (surface, key, extra)
            if t.diverged_at is not None:  # Polyak's step trusts the length that clipping took away
                assert key == "polyak" and ("clip_norm" in extra or "clip_value" in extra)
                continue
            np.testing.assert_allclose(rows[:2], t.points[:, 1:], rtol=1e-9, atol=1e-9, err_msg=f"{surface} {key} {extra}")
            np.testing.assert_allclose(rows[-2:], t.gradients, rtol=1e-8, atol=1e-8, err_msg=f"{surface} {key} {extra}")
            np.testing.assert_allclose(js["loss"], t.loss, rtol=1e-9, atol=1e-9)
    page.close()


def test_javascript_freezes_a_diverging_run(browser):
    plan = Plan(ov.optimizers["sgd"], ov.schedules["constant"])
    page = browser.new_page()
    js = page.evaluate(f"() => {{ {JAVASCRIPT_LOOP} return descend({ov.surfaces['rosenbrock'].javascript}, {javascript_step(plan)}, "
                       f"-2, 2, 30, {{h_lr: 1}}, {[1.0] * 30}); }}")
    page.close()
    ours = ov.descend("rosenbrock", "sgd", start=(-2.0, 2.0), lr=1.0, steps=30)
    assert js["diverged"] == ours.diverged_at
    np.testing.assert_allclose(np.array(js["rows"]).T[:2], ours.points[:, 1:], rtol=1e-9)


def test_javascript_has_the_same_activations(browser):
    """Each with its defaults and with other settings, on a grid that reaches where exp overflows; a trained slope comes as an argument."""
    others = {"leaky_relu": {"slope": 0.3}, "prelu": {"alpha": 0.6}, "elu": {"alpha": 2.5}, "maxout": {"pieces": 3}}
    z, jobs, ours = np.concatenate([np.linspace(-8, 8, 201), [-800.0, -40.0, 40.0, 800.0]]), [], []
    for key, a in ov.activations.items():
        for given in ({}, *([others[key]] if key in others else [])):
            h = a.settings(given)
            pieces = [z, z[::-1], np.roll(z, 7)][:a.pieces(h)]
            learned = [getattr(h, name) for name in a.learned]
            args = ", ".join([*(f"{p.tolist()}[i]" for p in pieces), *map(repr, learned)])
            jobs.append(f"{z.tolist()}.map((_, i) => ({javascript_activation(a, h)})({args}))")
            ours.append((key, a.value(np.stack(pieces, -1) if len(pieces) > 1 else z, **given)))
    page = browser.new_page()
    got = page.evaluate(f"() => [{', '.join(jobs)}]")
    page.close()
    assert len(got) == len(ov.activations) + len(others)
    for (key, y), js in zip(ours, got, strict=True):
        np.testing.assert_allclose(np.array(js, float), y, rtol=1e-12, atol=1e-12, err_msg=key)


# --- the explanation is the source ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key, options", VARIANTS, ids=str)
def test_every_line_is_explained(key, options):
    """The lines are the step's own: they set each state name, end with x, and every name in them has a symbol of its own."""
    o = ov.optimizers[key]
    lines = o.lines(**options)
    assert lines[-1].target == "x" and lines[-1].latex.startswith(r"\theta \leftarrow")
    told = {line.target for line in lines}
    assert set(o.state) - {"start", "mu_product"} <= told
    used = {n.id for line in lines for n in ast.walk(line.value) if isinstance(n, ast.Name)}
    used |= {n.attr for line in lines for n in ast.walk(line.value) if isinstance(n, ast.Attribute) and n.attr in o.params}
    named = [n for n in (*dict.fromkeys([*o.state, *o.terms, *o.params]), "x", "t") if n in used]
    symbols = [o.symbol(n) for n in named]
    assert len(set(symbols)) == len(symbols), sorted(zip(symbols, named, strict=True))
    for line in lines:
        assert "mathrm" not in line.latex, line.latex
        assert line.latex.count("{") == line.latex.count("}") and line.latex.count(r"\left") == line.latex.count(r"\right") + line.latex.count(r"\leftarrow")


def test_lines_read_as_the_lecture_writes():
    adam = ov.optimizers["adam"].latex()
    assert adam[1] == r"m \leftarrow \beta_{1} m + \left(1 - \beta_{1}\right) g"
    assert adam[2] == r"v \leftarrow \beta_{2} v + \left(1 - \beta_{2}\right) g^{2}"
    assert adam[-1] == r"\theta \leftarrow \theta - \frac{\alpha \hat{m}}{\sqrt{\hat{v}} + \varepsilon}"
    assert ov.optimizers["adam"].latex(eps_place="inside")[-1] == r"\theta \leftarrow \theta - \frac{\alpha \hat{m}}{\sqrt{\hat{v} + \varepsilon}}"
    assert ov.optimizers["momentum_ema"].latex()[1] == r"v \leftarrow \gamma v + \left(1 - \gamma\right) g"
    assert ov.optimizers["nesterov"].latex() == (
        r"\tilde{\theta} \leftarrow \theta - \gamma v", r"g \leftarrow \nabla f\left(\tilde{\theta}\right)", r"v \leftarrow \gamma v + \alpha g",
        r"\theta \leftarrow \theta - v")
    assert ov.optimizers["nesterov"].latex(form="ema")[0] == r"\tilde{\theta} \leftarrow \theta - \alpha \gamma v"


# --- the graph ------------------------------------------------------------------------------------------------------------------------------


def test_a_value_stands_once_and_folds_without_rounding():
    g = Graph()
    x = g.symbol("x")
    assert x * x + 1 is x * x + 1 and x + 0 is x and 1 * x is x and g.make("neg", -x) is x and x - (-x) is x + x
    assert (x * 0).value == 0 and (g.number(0.1) + 0.2).value == 0.1 + 0.2 and x**1 is x and x**2 is x * x
    assert (1 / g.number(0)).value == np.inf and np.isnan((g.number(-1) ** 0.5).value)
    with pytest.raises(TypeError, match="xp.where"):
        bool(x > 0)
