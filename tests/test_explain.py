"""The step-through: every shown number is the engine's own, every arrow means what it says."""

import ast
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from test_trace import VARIANTS

import optviz as ov
from optviz.backend import backend
from optviz.descent import Problem
from optviz.explain import explain, kinds
from optviz.latex import plain, symbol
from optviz.oracle import Disturbance
from optviz.palette import COLOURS
from optviz.render.mathml import mathml
from optviz.run import Run

STEPS = 12
CIRCUMSTANCES = [{}, {"schedule": "cosine", "noise": 0.3, "clip_norm": 2.0}, {"schedule": "plateau", "noise_relative": 0.2, "clip_value": 1.5}]


def shown(e, k):
    """What stands on the page at step k, by the number of its place."""
    return [v.numbers[..., k] for v in e.values]


@pytest.mark.parametrize("key, options", VARIANTS, ids=str)
@pytest.mark.parametrize("extra", CIRCUMSTANCES, ids=["plain", "noisy", "fed"])
def test_the_shown_numbers_reproduce_every_line_and_the_step(key, options, extra):
    """Each printed right side, computed alone from the shown numbers that it names, gives the shown result; the last one the trail's next point."""
    o, run = ov.optimizers[key], Run("himmelblau", key, (0.5, 0.3), STEPS, **options, **extra)
    trail, e = ov.descend(run), explain(run)
    p = Problem(run.surface, (run.optimizer, run.start, run.steps, run.schedule), dict(run.settings), "all")
    given, (slope, height, curvature), lines = p.given(p.values), backend("numpy").calls(run.surface), o.lines(**options)
    assert len(e.lines) == len(lines)
    space: dict = {}
    for other in ov.optimizers.values():
        space |= other.step.__globals__
    for k in range(e.steps):
        numbers, t = shown(e, k), k + 1
        disturb = Disturbance(*(None if part is None else part[:, 0] for part in p.noise(np.zeros(1), np.array([t]), p.values)), *given[2:4])

        def oracle(x, disturb=disturb):
            return disturb(np.array(slope(x)), np)
        oracle.value, oracle.hessian = height, curvature
        names = {"x": trail.points[:, k], "h": given.h._replace(lr=trail.lr[k]), "t": t, "xp": np, "grad": oracle}
        first = [np.asarray(v)[..., 0] for v in o.init(np.array(run.start)[:, None], given.h, np)]
        names |= {name: trail.state[name][..., k - 1] if k else first[i] for i, name in enumerate(o.state)}
        for line, spelled in zip(lines, e.lines, strict=True):
            shown_as = re.search(r"⟦(\d+)⟧", spelled.result)  # a long memory is a letter alone
            used = [int(j) for j in re.findall(r"⟦(\d+)⟧", spelled.numbers)]
            largest = max((np.abs(numbers[j]).max() for j in used), default=1)  # RAdam takes 1992 from 1999, both rounded
            close = {"rtol": 1e-12, "atol": 1e-12 * max(1, largest), "err_msg": line.latex}
            for j in used:  # what it is computed from is shown, and is what it says
                if (name := e.values[j].name) in names:
                    np.testing.assert_allclose(numbers[j], names["h"].lr if name == "lr" else names[name], **close)
            names[line.target] = eval(compile(ast.Expression(line.value), "line", "eval"), {**space, **names})
            if shown_as is None:
                assert key == "lbfgs" and np.size(names[line.target]) > 4
                continue
            np.testing.assert_allclose(numbers[int(shown_as[1])], names[line.target], **close)
            names[line.target] = numbers[int(shown_as[1])]  # the next line is computed from what stands here
        np.testing.assert_allclose(names["x"], trail.points[:, k + 1], rtol=1e-12, atol=1e-12)


def test_every_name_of_a_line_is_a_number_on_the_page():
    for key, options in VARIANTS:
        e = explain(Run("himmelblau", key, (0.5, 0.3), 3, **options))
        for line, spelled in zip(ov.optimizers[key].lines(**options), e.lines, strict=True):
            places = {e.values[int(j)].name for j in re.findall(r"⟦(\d+)⟧", spelled.numbers)}
            named = {n.id for n in ast.walk(line.value) if isinstance(n, ast.Name)} & {v.name for v in e.values}
            assert isinstance(line.value, ast.Name) or named - places <= {"past_s", "past_y", "keep", *(["t"] if key == "lbfgs" else [])}, (key, line.latex, named - places)


def test_noise_and_clipping_stand_in_the_line_of_the_gradient():
    run = Run("himmelblau", "sgd", (0.5, 0.3), 5, noise=3.0, clip_norm=2.0)
    e = explain(run)
    line = e.lines[0]
    assert line.symbols == (r"\textcolor{#r1}{g} \leftarrow \operatorname{clip}_{\lVert\cdot\rVert \le 2}\left("
                            r"\nabla f\left(\textcolor{#r0}{\theta}\right) + \sigma \xi\right)")
    raw, noise = (e.values[int(j)].numbers for j in re.findall(r"⟦(\d+)⟧", line.numbers))
    told = e.values[int(re.search(r"⟦(\d+)⟧", line.result)[1])].numbers
    np.testing.assert_allclose(raw, ov.surfaces["himmelblau"].gradient(*ov.descend(run).points[:, :5]))
    length = np.hypot(*(raw + noise))
    np.testing.assert_allclose(told, (raw + noise) * np.minimum(1, 2 / length), rtol=1e-12)
    assert [(a.label, a.faint) for a in e.arrows] == [("−∇f", True), ("−g", False), ("Δθ", False)]


def test_a_long_memory_is_no_table_and_an_unknown_name_is_itself():
    e = explain(Run("rosenbrock", "lbfgs", (-1.0, 1.0), 300))
    shapes = tuple(v.numbers.shape[:-1] for v in e.values)
    assert sum(mathml(text, shapes).count("<mtr>") for line in e.lines for text in vars(line).values() if text) < 60
    assert [plain(symbol(name)) for name in ("velocity", "my_state", "eps", "m_hat")] == ["velocity", "my_state", "ε", "m\u0302"]


# --- arrows ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key, arrows, spots", [
    ("sgd", ["−g", "Δθ"], []),
    ("momentum", ["−g", "−v", "Δθ"], []),
    ("momentum_lr_inside", ["−g", "Δθ = −v"], []),
    ("nesterov", ["−g", "Δθ = −v"], ["θ\u0303"]),
    ("adam", ["−g", "−m\u0302", "Δθ"], []),
    ("adadelta", ["−g", "Δθ = −δ"], []),
    ("sam", ["−g", "−g↑", "Δθ"], ["θ↑"]),
    ("lookahead", ["−g", "−m\u0302", "Δθ"], ["θ\u0303", "φ"]),
    ("newton", ["−g", "d", "Δθ"], []),
    ("bfgs", ["−g", "d", "Δθ = s"], []),
    ("schedule_free", ["−g", "Δθ"], ["y", "z"]),
])
def test_every_term_with_a_direction_is_an_arrow(key, arrows, spots):
    e = explain(Run("himmelblau", key, (0.5, 0.3), 30))
    assert ([a.label for a in e.arrows], [s.label for s in e.spots]) == (arrows, spots)


def test_arrows_start_where_they_belong_and_point_where_the_step_goes():
    e = explain(Run("ravine", "nesterov", (8.0, 3.0), 20))
    gradient, step = e.arrows
    ahead = e.spots[0].value
    assert (gradient.start, step.start) == (ahead, 0)
    x, moved = e.values[0].numbers, e.values[step.value].numbers
    np.testing.assert_allclose(x[:, :-1] + moved[:, :-1], x[:, 1:], rtol=1e-12)
    np.testing.assert_allclose(e.values[gradient.value].numbers, ov.surfaces["ravine"].gradient(*e.values[ahead].numbers))
    assert (gradient.sign, step.sign) == (-1, 1)
    for o in ov.optimizers.values():  # a direction of any optimizer is drawn so that it falls, on a plane slope
        e = explain(Run(ov.surface("x+2*y"), o.key, (0.0, 0.0), 3))
        for a in e.arrows:
            v = a.sign * e.values[a.value].numbers[:, 0]
            assert v @ [1, 2] <= 0, (o.key, a.label)


def test_one_unit_is_one_scale_and_no_size_is_an_arrow():
    told = {o.key: dict(zip([line.target for line in o.lines()], kinds(o, tuple(o.options({}).items())), strict=True)) for o in ov.optimizers.values()}
    assert {told["adam"][name].unit for name in ("g", "m", "m_hat")} == {"gradient"}
    assert told["nesterov"]["v"].unit == told["adadelta"]["delta"].unit == "own"
    for key, sizes in {"adam": "v v_hat", "adagrad": "s", "rmsprop_centered": "s spread", "rprop": "agree s", "radam": "l", "adamax": "u"}.items():
        for name in sizes.split():
            assert told[key][name][:2] == (False, 0) and told[key][name].pair, (key, name)
    assert all(kind["x"].place for kind in told.values())


# --- the rate of each coordinate --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key, rate", [
    ("adagrad", lambda s, h, t: h.lr / (np.sqrt(s["s"]) + h.eps)),
    ("rmsprop", lambda s, h, t: h.lr / (np.sqrt(s["s"]) + h.eps)),
    ("adam", lambda s, h, t: h.lr / (np.sqrt(s["v"] / (1 - h.beta2**t)) + h.eps)),
    ("adamw", lambda s, h, t: h.lr / (np.sqrt(s["v"] / (1 - h.beta2**t)) + h.eps)),
    ("adam_uncorrected", lambda s, h, t: h.lr * (1 - h.beta1**t) / (np.sqrt(s["v"]) + h.eps)),
    ("adan", lambda s, h, t: h.lr / (np.sqrt(s["v"] / (1 - h.beta3**t)) + h.eps)),
    ("adamax", lambda s, h, t: h.lr / s["u"]),
    ("rprop", lambda s, h, t: np.where(s["g_old"] == 0, 0, s["s"])),
])
def test_the_rate_of_each_coordinate(key, rate):
    run = Run("beale", key, (1.0, 1.5), 25)
    trail, h = ov.descend(run), ov.optimizers[key].settings({name: v for name, v in run.settings if name in ov.optimizers[key].params})
    np.testing.assert_allclose(explain(run).rates, rate(trail.state, h, np.arange(1.0, 26)), rtol=1e-12)


def test_on_a_plane_a_step_is_its_rate_times_the_gradient():
    """Every gradient there is (1, 2): so the step is (1, 2) times what it is where every gradient is 1 and the sizes are the same."""
    plane, tried = ov.surface("x + 2*y"), 0
    for key in ov.optimizers:
        run = Run(plane, key, (0.3, 0.2), 12, **{"adamw": {"weight_decay": 0.0}, "lookahead": {"k": 20}}.get(key, {}))
        rates = explain(run).rates
        if rates is None or key == "rprop":  # which goes as far for any gradient
            continue
        tried += 1
        np.testing.assert_allclose(-np.diff(ov.descend(run).points), rates * [[1], [2]], rtol=1e-4 if key == "yogi" else 1e-9, err_msg=key)
    assert tried > 14


def test_adagrads_rates_never_grow_and_plain_methods_have_none():
    assert (np.diff(explain(Run("beale", "adagrad", (1.0, 1.5), 50)).rates) <= 0).all()
    for key in ("sgd", "momentum", "nesterov", "newton", "bfgs", "signsgd", "sam"):
        assert explain(Run("beale", key, (1.0, 1.5), 5)).rates is None


# --- the ends, and how it is written -----------------------------------------------------------------------------------------------------


def test_a_run_that_leaves_the_numbers_is_explained_up_to_there():
    run = Run("rosenbrock", "sgd", (-2.0, 2.0), 50, lr=1.0)
    e, trail = explain(run), ov.descend(run)
    assert e.steps == trail.diverged_at - 1 and all(np.isfinite(v.numbers).all() for v in e.values)


@pytest.mark.parametrize("key, options", VARIANTS, ids=str)
def test_lines_become_mathml_with_a_place_for_every_number(key, options):
    e = explain(Run("himmelblau", key, (0.5, 0.3), 3, noise=0.1, clip_value=1.0, **options))
    shapes = tuple(v.numbers.shape[:-1] for v in e.values)
    for line in e.lines:
        for text in filter(None, vars(line).values()):
            tree = ElementTree.fromstring(mathml(text, shapes).replace("&nbsp;", " "))
            places = [(int(n.get("data-value")), int(n.get("data-part"))) for n in tree.iter() if n.get("data-value")]
            wanted = [(j, part) for j in map(int, re.findall(r"⟦(\d+)⟧", text)) for part in range(int(np.prod(shapes[j])))]
            assert sorted(places) == sorted(wanted)
            assert "⟦" not in "".join(tree.itertext()) and "\\" not in "".join(tree.itertext())
            assert {n.get("class") for n in tree.iter() if n.get("class")} <= {f"r{i}" for i in range(len(COLOURS))}
