"""Every optimizer against its twin in torch, in the pytorch-optimizer package, or a closed form; and the decks' own claims."""

import math

import numpy as np
import pytest
import pytorch_optimizer as extra
import torch
from references import FORMULAS

import optviz as ov
from optviz.backend import Numpy
from optviz.optimizers.base import Optimizer

OPT = torch.optim
RNG = np.random.default_rng

#: our key -> how torch.optim makes the same, from our hyper-parameters
TWINS = {
    "sgd": lambda p, h: OPT.SGD(p, lr=h["lr"]),
    "momentum": lambda p, h: OPT.SGD(p, lr=h["lr"], momentum=h["momentum"]),
    "nesterov_torch": lambda p, h: OPT.SGD(p, lr=h["lr"], momentum=h["momentum"], nesterov=True),
    "adagrad": lambda p, h: OPT.Adagrad(p, **h),
    "rmsprop": lambda p, h: OPT.RMSprop(p, **h),
    "rmsprop_centered": lambda p, h: OPT.RMSprop(p, **h, centered=True),
    "adadelta": lambda p, h: OPT.Adadelta(p, **h),
    "adam": lambda p, h: OPT.Adam(p, **h),
    "amsgrad": lambda p, h: OPT.Adam(p, **h, amsgrad=True),
    "adamw": lambda p, h: OPT.AdamW(p, **h),
    "adamax": lambda p, h: OPT.Adamax(p, **h),
    "nadam": lambda p, h: OPT.NAdam(p, **h),
    "radam": lambda p, h: OPT.RAdam(p, **h),
    "rprop": lambda p, h: OPT.Rprop(p, **h),
    "asgd": lambda p, h: OPT.ASGD(p, **h),
    "adafactor": lambda p, h: OPT.Adafactor(p, **h),
    "lbfgs": lambda p, h: OPT.LBFGS(p, lr=h["lr"], history_size=h["history_size"], max_iter=1, tolerance_grad=0, tolerance_change=0),
    "signsgd": lambda p, h: extra.SignSGD(p, lr=h["lr"], momentum=0.0),
    "lion": lambda p, h: extra.Lion(p, **h, weight_decouple=True),
    "adabelief": lambda p, h: extra.AdaBelief(p, **h, weight_decay=0.0, rectify=False),
    "yogi": lambda p, h: extra.Yogi(p, **h, weight_decay=0.0),
    "adan": lambda p, h: extra.Adan(p, **h, weight_decouple=False),
    "lookahead": lambda p, h: extra.Lookahead(OPT.Adam(p, lr=h["lr"], betas=h["betas"], eps=h["eps"]), k=h["k"], alpha=h["alpha"]),
    "prodigy": lambda p, h: extra.Prodigy(p, **h),
}
#: where a random draw comes from; the rest stays at its default
DRAWS = {"lr": (1e-3, 0.05), "momentum": (0.3, 0.95), "alpha": (0.5, 0.99), "rho": (0.5, 0.97), "beta1": (0.5, 0.95), "beta2": (0.8, 0.999),
         "beta3": (0.8, 0.999), "eps": (1e-9, 1e-3), "weight_decay": (0.0, 0.1), "lr_decay": (0.0, 0.1), "initial_accumulator_value": (0.0, 0.5),
         "momentum_decay": (1e-3, 0.02), "eta1": (0.3, 0.8), "eta2": (1.05, 1.5), "lambd": (0.0, 0.01), "beta2_decay": (-0.9, -0.3), "d": (1.0, 2.0),
         "eps2": (1e-4, 1e-2), "d_coef": (0.5, 2.0)}


@pytest.fixture(autouse=True)
def double():
    """NAdam, ASGD and new tensors would be float32 otherwise; our own backend must not need it."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def draw(o: Optimizer, seed: int) -> dict:
    """Hyper-parameters of one optimizer; the first draw is its defaults with a lively rate."""
    rng = RNG(seed)
    h = {n: p.default for n, p in o.params.items() if n in DRAWS or n in ("k", "history_size", "step_size1", "step_size2", "eps1", "d0",
                                                                         "initial_accumulator")}
    if seed:
        h |= {n: float(rng.uniform(*DRAWS[n])) for n in h if n in DRAWS}
        h |= {n: int(rng.integers(2, 8)) for n in h if n in ("k", "history_size")}
    else:
        h["lr"] = max(h["lr"], 0.01)
    return h


def grouped(h: dict) -> dict:
    """beta1, beta2 -> betas=(…), as torch takes them."""
    out = dict(h)
    for stem, name in (("beta", "betas"), ("eta", "etas"), ("step_size", "step_sizes")):
        numbers = [out.pop(stem + i) for i in "123" if stem + i in out]
        if numbers:
            out[name] = tuple(numbers)
    if "eps1" in out:
        out["eps"] = (out.pop("eps1"), out.pop("eps2"))
    return out


def torch_run(key, h, start, steps, gradient=None, surface=None):
    """The points of a torch optimizer, on a surface's formula or fed with recorded gradients."""
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = TWINS[key]([p], grouped(h))
    points = [p.detach().numpy().copy()]
    for k in range(steps):
        def closure(k=k):
            optimizer.zero_grad()
            if gradient is None:
                loss = FORMULAS[surface](p[0], p[1])
                loss.backward()
                return loss
            p.grad = torch.tensor(gradient[k])
            return torch.zeros(())
        if key == "lbfgs":
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
        points.append(p.detach().numpy().copy())
    return np.array(points).T


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("key", TWINS)
def test_whole_runs_equal_the_twin(key, seed):
    h = draw(ov.optimizers[key], seed)
    for surface in (("bowl", "rosenbrock"), ("beale", "himmelblau"))[seed % 2]:  # each surface with two draws
        start = {"rosenbrock": (-1.5, 2.0), "himmelblau": (0.5, 0.3)}.get(surface, ov.surfaces[surface].start)
        slow = {**h, "lr": h["lr"] * {"rosenbrock": 0.02, "beale": 0.02}.get(surface, 1) if key not in ("lbfgs", "prodigy") else h["lr"]}
        slow["lr"] = min(slow["lr"], 1e-4) if key in ("sgd", "momentum", "nesterov_torch", "asgd") and surface != "bowl" else slow["lr"]
        steps = 20 if key == "lbfgs" else 40  # its first steps are long and chaotic
        ours = ov.descend(surface, key, start=start, steps=steps, **slow)
        assert ours.diverged_at is None
        np.testing.assert_allclose(ours.points, torch_run(key, slow, start, steps, surface=surface), rtol=1e-9, atol=1e-9, err_msg=f"{surface} {slow}")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("key", [k for k in TWINS if k != "lbfgs"])
def test_recorded_gradients_give_the_twins_steps(key, seed):
    """The same 200 gradients fed to both: no chaos can hide or make a difference."""
    o, h = ov.optimizers[key], draw(ov.optimizers[key], seed)
    gradients = RNG(seed + 10).normal(size=(200, 2)) * np.geomspace(1, 1e-3, 200)[:, None]
    settings, x, state = o.settings(h), np.array([0.7, -1.3]), None
    points = [x]
    for t in range(1, 201):
        state = tuple(o.init(x, settings, np)) if state is None else state
        x, state = o.step(lambda at, t=t: gradients[t - 1], x, state, settings, t, np)
        points.append(x)
    np.testing.assert_allclose(np.array(points).T, torch_run(key, h, points[0], 200, gradients), rtol=1e-10, atol=1e-10)


def test_defaults_are_torchs():
    p = [torch.zeros(2, requires_grad=True)]
    makers = {"sgd": OPT.SGD, "momentum": OPT.SGD, "adagrad": OPT.Adagrad, "rmsprop": OPT.RMSprop, "adadelta": OPT.Adadelta, "adam": OPT.Adam, "adamw": OPT.AdamW,
              "adamax": OPT.Adamax, "nadam": OPT.NAdam, "radam": OPT.RAdam, "rprop": OPT.Rprop, "asgd": OPT.ASGD, "adafactor": OPT.Adafactor, "lbfgs": OPT.LBFGS}
    for key, make in makers.items():
        theirs = make(p).defaults
        ours = grouped({n: q.default for n, q in ov.optimizers[key].params.items()})
        for name in ours.keys() & theirs.keys() - ({"momentum"} if key == "momentum" else set()):
            assert ours[name] == pytest.approx(theirs[name] if key != "adafactor" or name != "eps" else (2.0**-52, theirs[name][1])), (key, name)


@pytest.mark.parametrize("key", ov.optimizers)
def test_every_optimizer_descends_a_bowl(key):
    o = ov.optimizers[key]
    lr = {"adagrad": 0.5, "adadelta": 3.0, "lion": 0.02, "signsgd": 0.02, "prodigy": 1.0, "schedule_free": 0.1}.get(key, max(o.params["lr"].default, 0.02))
    t = ov.descend("bowl", key, start=(1.5, -1.2), steps=1500 if o.traceable else 100, lr=lr)
    assert t.diverged_at is None and t.loss[-1] < 1e-2 * t.loss[0]


@pytest.mark.parametrize("key", ov.optimizers)
def test_every_optimizer_carries_its_texts(key):
    o = ov.optimizers[key]
    assert o.name.en and o.idea.en != o.idea.ru and len(o.paper) > 10 and "\n" not in o.paper
    assert o.params["lr"].allowed.holds(0.0)
    for n, p in o.params.items():
        assert p.check(n, p.default) == p.default
        if not isinstance(p.default, str | None):
            assert p.low <= p.default <= p.high and p.low < p.high, n


def test_teaching_order():
    """From simple to complex, as a lecture goes."""
    keys = list(ov.optimizers)
    order = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam_uncorrected", "adam", "amsgrad", "lion", "sam", "prodigy", "polyak", "newton", "lbfgs"]
    assert [keys.index(k) for k in order] == sorted(keys.index(k) for k in order)
    assert len(keys) == 36


# --- rows 4 to 7 of the syllabus: what the decks print --------------------------------------------------------------------------------


def run(key, steps=40, surface="rosenbrock", start=(-1.5, 2.0), **h):
    return ov.descend(surface, key, start=start, steps=steps, **h)


def test_three_momenta_are_one_at_a_constant_rate():
    e, a = run("momentum", lr=1e-4, momentum=0.8), run("momentum_lr_inside", lr=1e-4, momentum=0.8)
    d = run("momentum_ema", lr=1e-4 / (1 - 0.8), momentum=0.8)
    np.testing.assert_allclose(a.points, e.points, rtol=0, atol=1e-12)
    np.testing.assert_allclose(d.points, e.points, rtol=0, atol=1e-12)
    assert abs(run("momentum", lr=1e-4, schedule="cosine").points - run("momentum_lr_inside", lr=1e-4, schedule="cosine").points).max() > 1e-3


def test_nesterov_of_a_and_d_agree_and_torch_stands_at_the_look_ahead_point():
    a, d = run("nesterov", lr=1e-4, momentum=0.8), run("nesterov", lr=1e-4 / 0.2, momentum=0.8, form="ema")
    np.testing.assert_allclose(d.points, a.points, rtol=0, atol=1e-12)
    ahead = a.points[:, 1:] - 0.8 * a.state["v"]
    np.testing.assert_allclose(run("nesterov_torch", lr=1e-4, momentum=0.8).points[:, 1:], ahead, rtol=0, atol=1e-12)


def test_nesterov_overshoots_less_in_a_ravine():
    signs = {}
    for key in ("momentum", "nesterov"):
        y = ov.descend("ravine", key, start=(2.0, 2.0), surface_b=50, lr=0.005, momentum=0.9, steps=300).points[1]
        y = y[:np.flatnonzero(abs(y) > 0.01)[-1] + 1]
        signs[key] = int((np.diff(np.sign(y)) != 0).sum())
    assert abs(signs["momentum"] - 24) <= 1 and abs(signs["nesterov"] - 4) <= 1


def first_steps(key, n=1, **h):
    """|step| of the first coordinate with a constant gradient of 1 (a linear surface)."""
    t = ov.descend(ov.surface("x"), key, start=(5.0, 0.0), steps=n, **h)
    return -np.diff(t.points[0])


def test_first_steps():
    lr, eps = 1e-3, 1e-14
    assert first_steps("adam", lr=lr, eps=eps)[0] == pytest.approx(lr, rel=1e-9)
    uncorrected, corrected = first_steps("adam_uncorrected", 12, lr=lr, eps=eps), first_steps("adam", 12, lr=lr, eps=eps)
    assert uncorrected[0] / lr == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-9) == pytest.approx(3.16, abs=0.005)
    assert uncorrected[11] / corrected[11] == pytest.approx(6.6, abs=0.05)
    assert first_steps("rmsprop", lr=lr, alpha=0.9, eps=eps)[0] / lr == pytest.approx(3.16, abs=0.005)
    assert first_steps("nadam", lr=lr, eps=eps, form="printed")[0] / lr == pytest.approx(1.9, rel=1e-9)
    inside, outside = first_steps("adadelta", eps=1e-6)[0], first_steps("adadelta", eps=1e-6, eps_place="outside")[0]
    assert inside / outside == pytest.approx(1000, rel=0.01)
    assert first_steps("adam", lr=lr, eps=0.5, eps_place="inside")[0] == pytest.approx(lr / math.sqrt(1.5))
    assert first_steps("adam", lr=lr, eps=0.5, eps_place="unrooted")[0] == pytest.approx(lr / 1.5)
    assert first_steps("adagrad", lr=lr, eps=0.5, eps_place="inside")[0] == pytest.approx(lr / math.sqrt(1.5))


def test_unrooted_cache_is_deck_es_formula():
    """E prints cache without a root in AdaGrad, RMSProp and its almost-Adam."""
    g = 2.0
    s = ov.surface("2*x")
    assert -np.diff(ov.descend(s, "adagrad", start=(5.0, 0.0), steps=1, lr=0.1, eps=0.3, eps_place="unrooted").points[0])[0] == pytest.approx(0.1 * g / (g * g + 0.3))
    step = -np.diff(ov.descend(s, "rmsprop", start=(5.0, 0.0), steps=1, lr=0.1, alpha=0.9, eps=0.3, eps_place="unrooted").points[0])[0]
    assert step == pytest.approx(0.1 * g / (0.1 * g * g + 0.3))


def test_adagrads_rate_never_rises_and_rare_features_keep_it():
    t = run("adagrad", 200, lr=0.1)
    assert (np.diff(t.state["s"], axis=1) >= 0).all()
    o = ov.optimizers["adagrad"]
    h, x, state = o.settings({"lr": 0.1, "eps": 0.0}), np.zeros(2), (np.zeros(2),)
    for k in range(10_000):
        x, state = o.step(lambda at, k=k: np.array([1.0, float(k % 100 == 0)]), x, state, h, k + 1, np)
    assert np.sqrt(state[0][0] / state[0][1]) == pytest.approx(10, rel=1e-12)


# --- row 2: where a quadratic throws each method out --------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("key, threshold", [
    ("sgd", lambda g: 2.0), ("momentum", lambda g: 2 * (1 + g)), ("nesterov", lambda g: (2 + 2 * g) / (1 + 2 * g)),
    ("nesterov_torch", lambda g: (2 + 2 * g) / (1 + 2 * g))])
def test_divergence_thresholds(key, threshold, gamma):
    """alpha times lambda, found by a batch of rates, within 1 %."""
    lam, steps = 20.0, 3000
    rates = threshold(gamma) / lam * np.linspace(0.97, 1.03, 61)
    h = {} if key == "sgd" else {"momentum": gamma}
    end = ov.descend(ov.surface("10*x^2 + y^2"), key, start=(1.0, 0.0), steps=steps, lr=rates, record="end", **h)
    found = rates[np.argmax((np.abs(end.points[0, -1]) > 1) | (end.diverged_at >= 0))]
    assert found * lam == pytest.approx(threshold(gamma), rel=0.01)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_thresholds_of_the_other_readings(gamma):
    """An averaged velocity is stable 1/(1-γ) times further; a step with the old velocity only below αλ = 1-γ."""
    lam = 20.0
    for key, option, threshold in (("momentum_ema", {}, 2 * (1 + gamma) / (1 - gamma)), ("momentum_lr_inside", {"velocity": "old"}, 1 - gamma)):
        t = ov.descend(ov.surface("10*x^2"), key, start=(1.0, 0.0), steps=3000, lr=np.array([0.99, 1.01]) * threshold / lam, momentum=gamma, **option)
        assert abs(t.points[0, -1, 0]) < 1 and (abs(t.points[0, -1, 1]) > 1 or t.diverged_at[1] >= 0)


# --- methods without a twin: closed forms ------------------------------------------------------------------------------------------------


def test_sam_takes_the_gradient_uphill():
    s, x, rho, lr = ov.surfaces["himmelblau"], np.array([0.5, 0.3]), 0.1, 1e-3
    g = np.array(s.gradient(*x))
    up = np.array(s.gradient(*(x + rho * g / np.linalg.norm(g))))
    np.testing.assert_allclose(run("sam", 1, "himmelblau", x, lr=lr, rho=rho).points[:, 1], x - lr * up, rtol=1e-12)


def test_sam_equals_the_package():
    p = torch.tensor([0.5, 0.3], requires_grad=True)
    optimizer = extra.SAM([p], OPT.SGD, rho=0.1, lr=1e-3)
    points = [p.detach().numpy().copy()]
    for _ in range(40):
        def closure():
            optimizer.zero_grad()
            FORMULAS["himmelblau"](p[0], p[1]).backward()
        closure()
        optimizer.step(closure)
        points.append(p.detach().numpy().copy())
    np.testing.assert_allclose(run("sam", 40, "himmelblau", (0.5, 0.3), lr=1e-3, rho=0.1).points, np.array(points).T, rtol=1e-7)


def test_schedule_free_equals_the_package_at_its_average():
    p = torch.tensor([1.5, 1.0], requires_grad=True)
    optimizer = extra.ScheduleFreeSGD([p], lr=0.05, momentum=0.8)
    optimizer.train()
    points = [p.detach().numpy().copy()]
    for _ in range(40):
        optimizer.zero_grad()
        FORMULAS["bowl"](p[0], p[1]).backward()
        optimizer.step()
        optimizer.eval()
        points.append(p.detach().numpy().copy())
        optimizer.train()
    np.testing.assert_allclose(run("schedule_free", 40, "bowl", (1.5, 1.0), lr=0.05, momentum=0.8).points, np.array(points).T, rtol=1e-9, atol=1e-12)


def test_schedule_free_x_is_the_mean_of_z():
    t = run("schedule_free", 30, "bowl", (1.5, 1.0), lr=0.05)
    np.testing.assert_allclose(t.points[:, 1:], np.cumsum(t.state["z"], axis=1) / np.arange(1, 31), atol=1e-12)


def test_polyaks_step_closes_a_quarter_of_the_gap_on_a_bowl():
    """On |x|^2 the step is exactly half the way: the loss falls to a quarter each time."""
    np.testing.assert_allclose(run("polyak", 20, "bowl", (1.5, 1.0)).loss[1:], 3.25 * 0.25 ** np.arange(1, 21), rtol=1e-9)
    deep = run("polyak", 60, "styblinski_tang", (-3.5, -2.0))
    assert deep.loss[-1] == pytest.approx(-78.332, abs=1e-3)  # it knows the surface's own best value
    assert ov.Run("styblinski_tang", "polyak").f_star == pytest.approx(-78.332, abs=1e-3)


@pytest.mark.parametrize("key", ["linesearch", "conjugate_gradient", "newton", "bfgs"])
def test_line_searches_only_go_down(key):
    for surface in ("rosenbrock", "beale", "rastrigin", "saddle", "cliff"):
        loss = ov.descend(surface, key, steps=60).loss
        assert (np.diff(loss) <= 1e-12 * (1 + abs(loss[:-1]))).all() and loss[-1] < loss[0]


def test_armijo_condition_holds():
    s, c = ov.surfaces["rosenbrock"], 1e-4
    t = ov.descend(s, "linesearch", steps=50, c1=c)
    for x, new in zip(t.points.T[:-1], t.points.T[1:], strict=True):
        g = np.array(s.gradient(*x))
        size = np.linalg.norm(new - x) / np.linalg.norm(g)
        assert s.value(*new) <= s.value(*x) - c * size * g @ g + 1e-12
        assert size == 0 or math.log2(size) == pytest.approx(round(math.log2(size)), abs=1e-6)


@pytest.mark.parametrize("key, steps", [("conjugate_gradient", 2), ("newton", 1), ("saddle_free_newton", 1)])
def test_quadratics_are_solved_in_as_many_steps_as_theory_says(key, steps):
    t = ov.descend("rotated_ravine", key, start=(-2.0, 1.0), steps=steps)
    assert np.abs(t.points[:, -1]).max() < 1e-8
    if steps > 1:
        assert np.abs(t.points[:, -2]).max() > 1e-3


def test_bfgs_learns_the_inverse_hessian():
    s = ov.surfaces["rotated_ravine"]
    t = ov.descend(s, "bfgs", start=(-2.0, 1.0), steps=30)
    assert t.loss[-1] < 1e-20
    np.testing.assert_allclose(t.state["b"][:, :, -1] @ np.array(s.hessian(0.0, 0.0)), np.eye(2), atol=1e-4)


def test_at_a_saddle():
    """Newton stays a descent, saddle-free Newton leaves along the ridge's fall, and nobody leaves the ridge itself."""
    for key in ("newton", "saddle_free_newton"):
        t = ov.descend("bounded_saddle", key, start=(1.5, 1.0), steps=60)
        assert t.points[0, -1] == pytest.approx(-math.pi / 2, abs=1e-6)
    for key in set(ov.optimizers) - {"yogi"}:  # its first moment starts at 1e-6, and that is enough
        assert (ov.descend("saddle", key, start=(-1.5, 0.0), steps=50).points[1] == 0).all()


def test_who_leaves_the_saddle_first():
    """Steps until |y| passes 1 from a hair off the ridge: SGD lingers, momentum and the adaptive ones do not."""
    left = {key: int(np.argmax(np.abs(ov.descend("saddle", key, start=(-1.5, 0.001), steps=1500, lr=0.01).points[1]) > 1))
            for key in ("sgd", "momentum", "rmsprop", "adam")}
    assert min(left.values()) > 0 and all(left[key] < 0.6 * left["sgd"] for key in ("momentum", "rmsprop", "adam"))


def test_lookahead_returns_every_k_steps():
    t = run("lookahead", 20, "bowl", (1.5, 1.0), lr=0.1, k=4, alpha=0.5)
    inner = run("adam", 4, "bowl", (1.5, 1.0), lr=0.1)
    np.testing.assert_allclose(t.points[:, :4], inner.points[:, :4])
    np.testing.assert_allclose(t.points[:, 4], (inner.points[:, 0] + inner.points[:, 4]) / 2)
    assert (t.state["slow"][:, 3] == t.points[:, 4]).all() and (t.state["slow"][:, :3].T == t.points[:, 0]).all()


# --- the step contract: one definition on a surface, a flat network, and several networks in lockstep ------------------------------------


def network(p, xs, ys):
    """Loss and gradient of a 2-3-1 tanh network whose 13 weights are one column of p, for each column."""
    w1, b1, w2, b2 = p[:6].reshape(3, 2, -1), p[6:9], p[9:12], p[12]
    hidden = np.tanh(np.einsum("hik,ni->nhk", w1, xs) + b1)
    error = np.einsum("nhk,hk->nk", hidden, w2) + b2 - ys[:, None]
    back = 2 * error[:, None] * w2 * (1 - hidden**2) / len(xs)
    g = np.concatenate([np.einsum("nhk,ni->hik", back, xs).reshape(6, -1), back.sum(0), 2 * np.einsum("nk,nhk->hk", error, hidden) / len(xs),
                        2 * error.mean(0)[None]])
    return (error**2).mean(0), g


class NetworkOracle:
    def __init__(self, xs, ys):
        self.data = xs, ys

    def __call__(self, p):
        return network(p.reshape(13, -1), *self.data)[1].reshape(p.shape)

    def value(self, p):
        return network(p.reshape(13, -1), *self.data)[0].reshape(p.shape[1:])


@pytest.mark.parametrize("key", [k for k in ov.optimizers if "newton" not in k])
def test_the_same_step_trains_one_network_and_many_in_lockstep(key):
    o = ov.optimizers[key]
    rng = RNG(5)
    xs = rng.normal(size=(30, 2))
    grad, many = NetworkOracle(xs, np.sign(xs[:, 0] * xs[:, 1])), rng.normal(size=(13, 4)) * 0.5
    rates = np.geomspace(0.5, 2, 4) * o.params["lr"].default

    def train(x, lr):
        h = o.settings({"lr": lr})
        state = tuple(o.init(x, h, np))
        for t in range(1, 26):
            x, state = o.step(grad, x, state, h, t, np)
        return x
    lockstep = train(many, rates)
    assert lockstep.shape == (13, 4) and np.isfinite(lockstep).all()
    for k in range(4):
        np.testing.assert_allclose(lockstep[:, k], train(many[:, k], float(rates[k])), rtol=1e-6, atol=1e-9)
    if key not in ("polyak", "lbfgs"):  # one believes the best loss to be 0, the other steps twice too far unguarded
        assert (network(lockstep, *grad.data)[0] <= network(many, *grad.data)[0] + 1e-9).all()


@pytest.mark.parametrize("key, make", [("adam", OPT.Adam), ("adafactor", OPT.Adafactor), ("lbfgs", None)])
def test_a_flat_network_equals_torch(key, make):
    rng = RNG(6)
    xs, start = rng.normal(size=(30, 2)), rng.normal(size=13) * 0.5
    grad = NetworkOracle(xs, np.sign(xs[:, 0]))
    p = torch.tensor(start, requires_grad=True)
    optimizer = make([p], lr=0.02) if make else OPT.LBFGS([p], lr=0.5, max_iter=1, tolerance_grad=0, tolerance_change=0)
    o = ov.optimizers[key]
    h, x = o.settings({"lr": 0.02 if make else 0.5}), start
    state = tuple(o.init(x, h, np))
    for t in range(1, 41):
        x, state = o.step(grad, x, state, h, t, np)

        def closure():
            p.grad = torch.tensor(grad(p.detach().numpy()))
            return torch.tensor(float(grad.value(p.detach().numpy())))
        if make:
            closure()
            optimizer.step()
        else:
            optimizer.step(closure)
    np.testing.assert_allclose(x, p.detach().numpy(), rtol=1e-8, atol=1e-9)


def test_the_surface_oracle_of_the_backend_is_the_surfaces():
    slope, height, curvature = Numpy().calls(ov.surfaces["beale"])
    x = RNG(0).normal(size=(2, 5))
    np.testing.assert_array_equal(slope(x), ov.surfaces["beale"].gradient(*x))
    np.testing.assert_array_equal(height(x), ov.surfaces["beale"].value(*x))
    np.testing.assert_array_equal(curvature(x), ov.surfaces["beale"].hessian(*x))
