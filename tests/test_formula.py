"""A visitor's formula: each allowed function on each machine against SymPy, and everything hostile refused in time."""

import math
import re
import time

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import optviz as ov
from optviz.backend import backend

#: One formula for each allowed word, with arguments that stay in its domain.
WORDS = ["sin(x*y)", "cos(x - y^2)", "tan(x/3)*y", "exp(x*y/4)", "log(x^2 + y^2 + 1)", "sqrt(x^2 + 2*y^2 + 1)", "abs(x*y)", "sign(x)*y^2",
         "tanh(x + y)", "sinh(x)*y", "cosh(x*y/3)", "min(x^2, y + 1)", "max(x*y, x - y, 0.5)", "x^3 - y^-2/(x^2 + 1)", "2^(x/2)*y",
         "(x^2 + 1)^(y/3)", "(x^2 + 1)^1.5*y", "abs(x)^0.7*y", "e^x + pi*y", "-x^2**1 - -y", "x/y", "1e-3*x + .5*y + 3.", "sqrt(abs(x*y))",
         "abs(sin(x) - max(x, y)^2)", "sign(x*y)*abs(x)", "min(max(x, -1), 1)*y"]
GRID = np.random.default_rng(1).uniform(0.2, 1.9, (2, 40)) * np.random.default_rng(2).choice([-1, 1], (2, 40))


def by_sympy(text):
    """f, its gradient and Hessian as functions, by SymPy; jumps have slope 0, which SymPy writes as delta functions."""
    x, y = sp.symbols("x y", real=True)
    names = {"x": x, "y": y, "e": sp.E, "pi": sp.pi, "abs": sp.Abs, "min": sp.Min, "max": sp.Max}
    f = sp.sympify(text.replace("^", "**"), locals=names)

    def smooth(g):
        return g.replace(sp.DiracDelta, lambda *a: sp.Integer(0))
    gradient = [smooth(sp.diff(f, v)) for v in (x, y)]
    hessian = [smooth(sp.diff(g, v)) for g in gradient for v in (x, y)]
    steps = {"Heaviside": lambda a, *_: np.heaviside(a, 0.5), "DiracDelta": lambda *a: 0}
    return [[sp.lambdify((x, y), g, [steps, "numpy"]) for g in group] for group in ([f], gradient, hessian)]


def close(ours, reference):
    np.testing.assert_allclose(ours, np.broadcast_to(reference, np.shape(ours)), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("text", WORDS)
def test_each_function_with_its_derivatives_on_each_machine(text):
    s, (x, y) = ov.surface(text), GRID
    f, gradient, hessian = ([g(x, y) for g in group] for group in by_sympy(text))
    close(s.value(x, y), f[0])
    close(s.gradient(x, y), np.stack([np.broadcast_to(g, x.shape) for g in gradient]))
    close(np.reshape(s.hessian(x, y), (4, -1)), np.stack([np.broadcast_to(h, x.shape) for h in hessian]))
    slope, height, curvature = backend("torch").calls(s)
    p = torch.tensor(GRID)
    close(height(p).numpy(), s.value(x, y))
    close(slope(p).numpy(), s.gradient(x, y))
    close(curvature(p).numpy(), s.hessian(x, y))
    for a, b in GRID.T.tolist()[:5]:
        close(s.value(a, b), s.value(np.array(a), np.array(b)))
        close(s.gradient(a, b), np.array(s.gradient(np.array(a), np.array(b))))
        close(s.hessian(a, b), np.array(s.hessian(np.array(a), np.array(b))))


def test_each_function_in_javascript(browser):
    page = browser.new_page()
    for text in WORDS:
        s = ov.surface(text)
        script = f"points => {{ const s = {s.javascript}; return points.map(([x, y]) => [s.height(x, y), ...s.slope(x, y)]); }}"
        got = page.evaluate(script, GRID.T.tolist())
        close(np.array(got).T, np.stack([s.value(*GRID), *s.gradient(*GRID)]))
    page.close()


CUSPS = [
    ("abs(x) + abs(y)", (0, 0)), ("sqrt(x^2 + y^2)", (0, 0)), ("max(x, -x)", (0, 0)), ("min(x, 2*x)", (0, 0)), ("sqrt(abs(x))", (0, 0)),
    ("abs(x)^0.5 + y", (0, 1)), ("max(x, 0) + y", (0, 1)), ("max(x + 1, 1 + x) + y", (1, 1)), ("abs(y)^1.5", (0, 0)), ("abs(x)^(y + 2)", (0, 0))]


@pytest.mark.parametrize("text, slope", CUSPS)
def test_the_gradient_at_a_cusp_is_zero(text, slope):
    s = ov.surface(text)
    assert s.gradient(0.0, 0.0) == slope
    assert np.array(s.gradient(np.zeros(1), np.zeros(1)))[:, 0].tolist() == list(slope)


def test_the_gradient_at_a_cusp_is_zero_in_javascript(browser):
    page = browser.new_page()
    for text, slope in CUSPS:
        assert page.evaluate(f"() => ({ov.surface(text).javascript}).slope(0, 0)") == pytest.approx(slope)
    page.close()


@pytest.mark.parametrize("text, says", [
    ("", "empty"), ("   ", "empty"), ("x +", "cannot be read"), ("2x", r"\* between.*character 2"), ("x y", r"\* between"),
    ("(x)(y)", r"\* between"), ("x(y)", r"\* between"), ("3 sin(x)", r"\* between"), ("sin x", "brackets"), ("sin", "brackets"),
    ("x < y", "not allowed"), ("x = y", "not allowed"), ("x # y", "not allowed"), ("x; y", "not allowed"), ("x\\y", "not allowed"),
    ("'x'", "not allowed"), ("x.real", "not allowed"), ("[x]", "not allowed"), ("z + 1", "unknown name 'z'"),
    ("__import__('os')", "unknown name"), ("lambda", "unknown name"), ("x if y else x", "unknown name|between"), ("eval(x)", "unknown name"),
    ("1e999*x", "too large"), ("x^101", "beyond"), ("x^-101", "beyond"), ("9^9^9^9^9", "beyond"), ("(x", "not closed"), ("x)", "no opening"),
    ("min(x)", "two values"), ("sin(x, y)", "one value"), ("x, y", "commas"), ("x//y", "nothing to its left.*character 3"), ("x*/y", "nothing to its left"), ("0,5*x", "point"), ("max(0,5*x, y)", "point"), ("x,y", "decimal point is a point.*character 1"), ("ln(x)", "write log"), ("2*tg(x)", "write tan"), ("()", "cannot be read|expression"),
    ("x" + "+x" * 500, "longer"), ("(" * 60 + "x" + ")" * 60, "deeper"), ("-" * 80 + "x", "deeper"),
    ("sin(" * 55 + "x" + ")" * 55, "deeper"), ("x^x^" * 55 + "x", "deeper"), ("log(-1 - x^2)", "finite nowhere"),
    ("sqrt(-1)", "finite nowhere"), ("1/0", "finite nowhere"), ("0/0 + x", "finite nowhere"), ("x*", "cannot be read"),
    ("*x", "cannot be read"), ("x^^y", "cannot be read"), ("min(x,,y)", "cannot be read"), ("1__0", r"\* between|unknown"),
    ("0x10", r"\* between|unknown"), ("1j*x", r"\* between|unknown"), ("x²", "not allowed"), ("𝑥", "not allowed"), ("007*x", "cannot be read")])
def test_a_bad_formula_is_refused_with_a_reason(text, says):
    begun = time.perf_counter()
    with pytest.raises(ov.FormulaError, match=says) as caught:
        ov.surface(text)
    assert time.perf_counter() - begun < 1
    assert isinstance(caught.value, ValueError)
    assert any("а" <= c <= "я" for c in caught.value.text.ru)


@pytest.mark.parametrize("text, place", [("x^2+y^2+sin(x)^101", 16), ("x^2*y^2+max(x)", 9), ("x    +  2y", 10), ("  x**2 + z", 10), ("x^2 + x^2 + sin(x, y)", 13)])
def test_the_place_is_that_of_what_was_typed(text, place):
    with pytest.raises(ov.FormulaError) as caught:
        ov.surface(text)
    assert caught.value.position + 1 == place and f"символ {place}" in caught.value.text.ru


@pytest.mark.parametrize("text", [*WORDS, "x*x*x*y", "x*y*y*y", "1e-8*1e-8*x", "+x - -y*+x", "exp(x)^2*exp(x)*exp(x)", "(-x)^2", "sqrt(x)^3", "abs(x)*abs(x)"])
def test_latex_is_balanced_and_never_stacks_powers(text):
    latex = ov.surface(text).latex
    depth = 0
    for c in latex:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0 and latex.count(r"\left") == latex.count(r"\right") and re.search(r"\^\{[^{}]*\}\^", latex) is None


def test_latex_keeps_signs():
    assert ov.surface("+x - +y").latex == "x - y" and ov.surface("x*x*x").latex == "x^{3}" and ov.surface("2*x*x*y").latex == "2 x^{2} y"


def test_nan_goes_through_min_max_and_sign_alike():
    """Numbers and arrays agree where a part of the formula has no value."""
    for text in ("max(1e308*x*10 - 1e308*x*10, y)", "min(1e308*x*10 - 1e308*x*10, y)", "sign(1e308*x*10 - 1e308*x*10) + y"):
        s = ov.surface(text)
        assert math.isnan(s.value(1.0, 1.0)) and np.isnan(s.value(np.ones(1), np.ones(1)))[0] and s.value(0.0, 0.0) == 0


def test_a_long_flat_formula_is_fine():
    s = ov.surface("+".join(["x*y"] * 249))
    assert s.value(1.0, 2.0) == 498 and s.gradient(1.0, 2.0) == (498, 249)
    assert ov.surface("*".join(["x"] * 100)).value(1.0, 0.0) == 1
    assert s.latex.count("x y") == 249


def test_what_a_russian_keyboard_types():
    assert ov.surface("х**2 − у·е").value(3.0, 1.0) == 9 - math.e
    assert ov.surface("соs(х) + ехр(у)").value(0.0, 0.0) == 2


def test_box_and_start():
    s = ov.surface("x^2", box=((-1, 2), (0, 5)))
    assert s.box == ((-1, 2), (0, 5)) and all(low < v < high for v, (low, high) in zip(s.start, s.box, strict=True))
    for box in [((1, 1), (0, 1)), ((2, 1), (0, 1)), ((0, math.nan), (0, 1)), ((0, math.inf), (0, 1)), (1, 2), "box", None]:
        with pytest.raises(ValueError):
            ov.surface("x^2", box=box)
    for start in [(1,), 5, (1, 2, 3), (math.nan, 1), ([1, 2], [3, 4]), "ab"]:
        with pytest.raises(ValueError):
            ov.surface("x^2", start=start)
    for wrong in (None, 3, ["x"], b"x"):
        with pytest.raises(ov.FormulaError):
            ov.surface(wrong)


def test_a_flat_and_a_linear_formula():
    flat = ov.surface("3")
    assert flat.value(1.0, 1.0) == 3 and flat.gradient(1.0, 1.0) == (0, 0) and flat.minima == []
    assert np.array_equal(flat.gradient(np.zeros(3), np.zeros(3))[0], np.zeros(3))
    assert ov.surface("x - y").minima == []
    assert len(ov.surface("x^2").minima) == 1
    assert ov.surface("x^4 + y^4").minima[0] == pytest.approx((0, 0), abs=1e-3)


def test_minima_of_an_own_formula():
    assert ov.surface("(x - 1)^2 + 3*(y + 0.5)^2").minima == [pytest.approx((1, -0.5), abs=1e-9)]
    assert ov.surface("x^2").minima[0][0] == 0 and ov.surface("sqrt(x) + sqrt(y)").minima == [(0, 0)]
    assert ov.surface("max(x^2,1)").value(2.0, 0.0) == 4 and ov.surface("min(x,10,5)").value(7.0, 0.0) == 5
    for text in ("x^2+y^2+1e8", "1e-13*(x^2+y^2)", "x^6+y^6", "x^6+y^2", "x^8+y^2"):
        assert ov.surface(text).minima == [(0, 0)], text
    assert ov.surface("1e12*(x-1)^2+(y-1)^2").minima == [pytest.approx((1, 1), abs=1e-9)]
    assert ov.surface("abs(x-y)+(x-1)^2").minima == [pytest.approx((1, 1), abs=1e-6)]  # along a kink heights alone lead: half the digits
    assert ov.surface("abs(x^2-1)+y^2").minima == [pytest.approx((-1, 0), abs=1e-9), pytest.approx((1, 0), abs=1e-9)]
    assert ov.surface("tan(x)").minima == [] and all(x > 0 for x, _ in ov.surface("x^x + y^2").minima)
    assert ov.surface("abs(x - 0.3) + abs(y)").minima == [pytest.approx((0.3, 0), abs=1e-9)]
    wells = ov.surface("cos(3*x) + cos(3*y)").minima
    assert len(wells) == 4 and all(abs(abs(v) - math.pi / 3) < 1e-9 for m in wells for v in m)


PIECES = st.sampled_from(["x", "y", "1", "2.5", "1e3", "0", "pi", "e", "+", "-", "*", "/", "^", "**", "(", ")", ",",
                          "sin(", "exp(", "log(", "sqrt(",
                          "abs(", "min(", "max(", "tan(", "sign(", " ", "__", "0x",
                          "\n", "\x00", "1e400", "9^9^9", "é", "ю", ";", "#", "'", "[x for x in y]"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=40)))
@example("x^x^x^x^x")
@example("exp(exp(exp(exp(exp(x)))))")
@example("tan(tan(tan(tan(1/x))))/tan(y)")
def test_hostile_formulas_never_raise_anything_else(text):
    begun = time.perf_counter()
    try:
        s = ov.surface(text)
    except ov.FormulaError:
        pass
    else:
        s.value(0.1, 0.2)
        s.hessian(np.zeros(3), np.ones(3))
        assert s.latex and s.javascript
    assert time.perf_counter() - begun < 3
