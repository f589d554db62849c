"""Every surface against the formula written again for torch, central differences, and the published minima."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from references import COUNTS, CUSPS, FORMULAS, MINIMA

import optviz as ov

EVERY = pytest.mark.parametrize("key", ov.surfaces)


def somewhere(s, n=200):
    """Points all over the box, a little beyond it too."""
    (x0, x1), (y0, y1) = s.box
    u = np.random.default_rng(3).uniform(-0.05, 1.05, (2, n))
    return x0 + u[0] * (x1 - x0), y0 + u[1] * (y1 - y0)


def close(ours, reference, tolerance=1e-11):
    reference = np.asarray(reference)
    np.testing.assert_allclose(ours, reference, rtol=tolerance, atol=tolerance * (1 + np.abs(reference).max()))


def test_every_surface_has_a_reference():
    assert set(FORMULAS) == set(ov.surfaces)


@EVERY
def test_value_gradient_and_hessian_equal_torch_autograd(key):
    s = ov.surfaces[key]
    x, y = somewhere(s)
    tx, ty = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, y))
    f = FORMULAS[key](tx, ty)
    gx, gy = torch.autograd.grad(f.sum(), (tx, ty), create_graph=True)
    second = [torch.autograd.grad(g.sum(), (tx, ty), retain_graph=True, allow_unused=True) for g in (gx, gy)]
    second = [[np.zeros_like(x) if h is None else h.numpy() for h in row] for row in second]
    close(s.value(x, y), f.detach().numpy())
    close(s.gradient(x, y), [gx.detach().numpy(), gy.detach().numpy()])
    close(s.hessian(x, y), second)


@EVERY
def test_gradient_and_hessian_equal_central_differences(key):
    s = ov.surfaces[key]
    x, y = somewhere(s, 60)
    e = 1e-5
    gradient = [(s.value(x + e, y) - s.value(x - e, y)) / (2 * e), (s.value(x, y + e) - s.value(x, y - e)) / (2 * e)]
    ahead, behind = (s.gradient(x + e, y), s.gradient(x, y + e)), (s.gradient(x - e, y), s.gradient(x, y - e))
    hessian = (np.array(ahead) - np.array(behind)) / (2 * e)
    close(s.gradient(x, y), gradient, 1e-6)
    close(s.hessian(x, y), hessian, 1e-6)


@EVERY
def test_a_number_and_an_array_give_the_same(key):
    s = ov.surfaces[key]
    x, y = somewhere(s, 20)
    for i, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        assert isinstance(s.value(a, b), float)
        close(s.value(a, b), s.value(x, y)[i], 1e-13)
        close(s.gradient(a, b), [g[i] for g in s.gradient(x, y)], 1e-13)
        close(s.hessian(a, b), [[h[i] for h in row] for row in s.hessian(x, y)], 1e-11)  # 1 - tanh² loses digits
    assert s.value(x.reshape(4, 5), y.reshape(4, 5)).shape == (4, 5)
    assert s.gradient(x[:, None], y)[0].shape == (20, 20)


@pytest.mark.parametrize("key", MINIMA)
def test_published_minima_are_found(key):
    s = ov.surfaces[key]
    for place, value in MINIMA[key]:
        near = min(s.minima, key=lambda m: np.hypot(m[0] - place[0], m[1] - place[1]))
        assert near == pytest.approx(place, abs=6e-4)
        assert s.value(*near) == pytest.approx(value, abs=6e-5 if abs(value) < 10 else 6e-4)
    assert s.value(*s.minima[0]) == pytest.approx(min(v for _, v in MINIMA[key]), abs=6e-4)


@EVERY
def test_minima_are_minima(key):
    """In the box, best first, to 1e-9: flat there, bending up, nothing lower around; at a cusp the gradient is 0 by definition."""
    s = ov.surfaces[key]
    values = [s.value(*m) for m in s.minima]
    assert all(b - a > -1e-9 * (1 + abs(a)) for a, b in itertools.pairwise(values))
    for m in s.minima:
        assert all(low <= v <= high for v, (low, high) in zip(m, s.box, strict=True))
        if m == pytest.approx(CUSPS.get(key, (np.inf, np.inf)), abs=1e-9):
            assert m == CUSPS[key] and s.gradient(*m) == (0.0, 0.0)
            continue
        (a, b), (_, c) = s.hessian(*m)
        bend = np.linalg.eigvalsh([[a, b], [b, c]])
        assert bend[0] >= -1e-6 * bend[1]
        assert np.hypot(*s.gradient(*m)) <= 1e-9 * max(bend[1], 1e-3)
        ring = np.exp(2j * np.pi * np.arange(32) / 32) * 1e-3
        assert (s.value(m[0] + ring.real, m[1] + ring.imag) >= s.value(*m) - 1e-12).all()


@pytest.mark.parametrize("key", COUNTS)
def test_all_minima_are_found(key):
    assert len(ov.surfaces[key].minima) == COUNTS[key]


def test_levy_13_is_complete():
    """Levy 13 is even about (1, 1) in both directions, and so must its thousand minima be; shallow ones are missed first."""
    near = {(round(x - 1, 6) + 0.0, round(y - 1, 6) + 0.0) for x, y in ov.surfaces["levy_13"].minima if abs(x - 1) < 9 and abs(y - 1) < 9}
    assert len(near) > 1000
    assert len(ov.surfaces["levy_13"].minima) == 1179  # found alike from grids of 801, 1001 and 1201 points
    assert near == {(-x + 0.0, y) for x, y in near} == {(x, -y + 0.0) for x, y in near}


def test_the_plateau_has_a_ring_of_minima_beside_its_cusp():
    s = ov.surfaces["plateau"]
    centre, ring = s.minima
    assert centre == pytest.approx((0, 0), abs=1e-9)
    assert np.hypot(*ring) == pytest.approx(0.6633, abs=1e-4)
    assert s.value(*ring) == pytest.approx(0.38829, abs=1e-5)


@EVERY
def test_start_and_texts(key):
    s = ov.surfaces[key]
    for start in s.starts:
        assert all(low <= v <= high for v, (low, high) in zip(start, s.box, strict=True))
        assert np.hypot(*s.gradient(*start)) > 0
    assert s.start == s.starts[0]
    assert s.latex and s.name.en and s.name.ru and s.lesson.en and s.lesson.ru


def test_the_cliff_is_gentle_steep_and_flat():
    s = ov.surfaces["cliff"]
    slope = np.hypot(*s.gradient(np.array([-3.0, 1.0, 2.5]), np.zeros(3)))
    assert slope[0] < 0.35 and slope[1] > 50 and slope[2] < 0.02


def test_parameters():
    ravine, turned = ov.surfaces["ravine"], ov.surfaces["rotated_ravine"]
    assert ravine.at(b=100).value(1.0, 2.0) == 401 and ravine.value(1.0, 2.0) == 41
    assert ravine.at(b=10) == ravine and hash(ravine.at(b=10)) == hash(ravine) and ravine.at(b=7) != ravine
    for angle in (0, 30, 45, 90):
        (a, b), (_, c) = turned.at(angle=angle, condition=50).hessian(0.3, 0.4)
        assert np.linalg.eigvalsh([[a, b], [b, c]]) == pytest.approx([1, 50])
        gentle = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        np.testing.assert_allclose(np.array([[a, b], [b, c]]) @ gentle, gentle, atol=1e-12)
    assert "b = 100" in ravine.at(b=100).latex
    with pytest.raises(ValueError, match=r"(?s)slope.*allowed: b"):
        ravine.at(slope=3)
    with pytest.raises(ValueError, match=r"b=-1.*\(0, inf\)"):
        ravine.at(b=-1)


def test_latex_reads_as_the_lecture_writes():
    assert ov.surfaces["rosenbrock"].latex == r"\left(1 - x\right)^{2} + 100 \left(y - x^{2}\right)^{2}"
    assert ov.surfaces["bowl"].latex == "x^{2} + y^{2}"
    assert ov.surface("-x/(2*y)").latex == r"-\frac{x}{2 y}"
    assert ov.surface("sin(x)^2 - (x - y) - 2*-y").latex == r"\sin^{2}\left(x\right) - \left(x - y\right) - 2 \left(-y\right)"
    assert ov.surface("min(x, y, 1)/sqrt(abs(x))").latex == r"\frac{\min\left(x, y, 1\right)}{\sqrt{\left|x\right|}}"
    assert ov.surface("2^(x+1)*(x/y)^2").latex == r"2^{x + 1} \left(\frac{x}{y}\right)^{2}"


def test_results_are_the_callers_own():
    s = ov.surfaces["bowl"]
    v = s.value(np.ones(3), np.ones(3))
    v += 1
    s.gradient(np.ones(3), np.ones(3))[0][:] = 7
    s.minima.append((9, 9))
    assert s.minima == [(0, 0)] and s.value(1.0, 1.0) == 2


def test_a_surface_travels_to_another_process():
    s = ov.surfaces["ravine"].at(b=7)
    s.value(1.0, 1.0), s.minima
    assert pickle.loads(pickle.dumps(s)) == s


@pytest.mark.parametrize("key", ov.surfaces)
def test_recommended_rates_do_what_they_promise(key):
    """Down, within three boxes, without divergence; a surface without a minimum, or with other parameters, has none."""
    s = ov.surfaces[key]
    if not s.minima:
        assert s.recommended_lr("adam") is None
        return
    assert key not in ("ravine",) or s.at(b=1000).recommended_lr("sgd") is None
    for optimizer in ov.optimizers:
        if (lr := s.recommended_lr(optimizer)) is not None:
            t = ov.descend(s, optimizer, lr=lr)
            assert t.diverged_at is None and t.loss[-1] < t.loss[0], optimizer
            for side, v in zip(s.box, t.points, strict=True):
                assert np.abs(v - sum(side) / 2).max() <= 1.5 * (side[1] - side[0]), optimizer


def test_keys_forgive_spelling():
    assert ov.surfaces["Levy 13"] is ov.surfaces["levy_13"]
    assert ov.surfaces["levy"] is ov.surfaces["levy_13"] and ov.surfaces["Чаша"] is ov.surfaces["bowl"] and ov.optimizers["Импульс"].key == "momentum"
    with pytest.raises(KeyError, match="rosenbrock"):
        ov.surfaces["rosenbrok"]
    assert "nothing" not in ov.surfaces
