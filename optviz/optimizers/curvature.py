"""Methods that ask for more than the gradient: the loss itself, or how the slope bends."""

from typing import Any

import numpy as np

from ..core import POSITIVE, Param, Range, T
from .base import dot, norm1, optimizer, rate, ratio

TRIES = 40  # of a line search; even 0.6^40 of a step is no step
_ARMIJO: dict[str, Any] = {"c1": Param(1e-4, 1e-6, 0.5, log=True, allowed=Range(0.0, 1.0, True, True)),
           "shrink": Param(0.5, 0.1, 0.6, allowed=Range(0.0, 0.6, open_low=True))}
_SYMBOLS = {"c1": "c", "shrink": r"\tau", "slope": "f'_d", "damping": r"\mu", "curvature": "f''_d",
            "backtrack": r"\operatorname{Armijo}", "learned": r"\operatorname{BFGS}", "keep": r"\kappa", "history_size": "n"}
_DAMPING = Param(0.1, 1e-6, 10.0, log=True, allowed=POSITIVE)


def backtrack(grad, x, d, slope, size, h, xp):
    """The first of size, size·shrink, size·shrink², … that Armijo accepts: f falls by c1 of what the slope promised."""
    f, size = grad.value(x), size + 0 * slope
    for _ in range(TRIES):
        size = xp.where(grad.value(x + size * d) <= f + h.c1 * size * slope, size, h.shrink * size)
    return xp.where(grad.value(x + size * d) <= f, size, 0 * size)


def against(change, matrix, g, xp):
    """-Q c(Λ)⁻¹ Qᵀ g for a symmetric matrix QΛQᵀ: Newton's direction with changed eigenvalues."""
    matrix = xp.moveaxis(xp.where(xp.isfinite(matrix), matrix, 0), (0, 1), (-2, -1))
    values, q = xp.linalg.eigh(matrix)
    along = xp.moveaxis((q.mT @ xp.moveaxis(g, 0, -1)[..., None])[..., 0], -1, 0)
    along = along / change(xp.moveaxis(values, -1, 0))
    return -xp.moveaxis((q @ xp.moveaxis(along, 0, -1)[..., None])[..., 0], -1, 0)


def shifted(h, xp):
    """Lift all eigenvalues alike, until the smallest is as positive as it was negative, and at least the damping."""
    return lambda values: values - values[:1] + xp.clip(xp.abs(values[:1]), min=h.damping)


def mirrored(h, xp):
    """The magnitude of each eigenvalue: a direction that curves down is left, not sought."""
    return lambda values: xp.clip(xp.abs(values), min=h.damping)


@optimizer(T("Polyak's step", "Шаг Поляка"),
           T("As far as would reach the known best value if the slope stayed: no rate to tune, but f* must be known (a surface knows its own).",
             "Ровно до известного наилучшего значения, если бы уклон не менялся: шаг не настраивают, но нужно знать f*."),
           symbols={"f_star": "f^*"}, exact=True, lr=rate(1.0), f_star=Param(None, -100.0, 100.0, optional=True))
def polyak(grad, x, state, h, t, xp):
    """Polyak 1969, Minimization of unsmooth functionals."""
    g = grad(x)
    f = grad.value(x)
    size = ratio(xp.clip(f - h.f_star, min=0), dot(g, g), xp)
    return x - h.lr * size * g, ()


@optimizer(T("Line search", "Дробление шага (правило Армихо)"),
           T("Try a long step against the gradient and halve it until the loss falls enough.",
             "Попробовать длинный шаг против градиента и дробить его, пока функция потерь не упадёт достаточно."),
           traceable=False, symbols=_SYMBOLS, lr=rate(1.0), **_ARMIJO)
def linesearch(grad, x, state, h, t, xp):
    """Armijo 1966, Minimization of functions having Lipschitz continuous first partial derivatives."""
    g = grad(x)
    slope = -dot(g, g)
    size = backtrack(grad, x, -g, slope, h.lr, h, xp)
    return x - size * g, ()


@optimizer(T("Conjugate gradients", "Метод сопряжённых градиентов"),
           T("Each direction undoes nothing of the one before: a quadratic of two variables is solved in two steps.",
             "Каждое направление сохраняет достигнутое на предыдущем: квадратичная функция двух переменных решается за два шага."),
           state="g_old d", traceable=False, symbols=_SYMBOLS | {"beta": r"\beta"}, lr=rate(1e-2), **_ARMIJO)
def conjugate_gradient(grad, x, state, h, t, xp):
    """Polak & Ribière 1969, Note sur la convergence de méthodes de directions conjuguées."""
    g_old, d = state
    g = grad(x)
    beta = xp.clip(ratio(dot(g, g - g_old), dot(g_old, g_old), xp), min=0)
    d = beta * d - g
    d = xp.where(dot(d, g) < 0, d, -g)
    slope = dot(d, g)
    curvature = dot(grad(x + h.lr * d) - g, d) / h.lr
    size = xp.where(curvature > 0, ratio(-slope, curvature, xp), h.lr)
    size = backtrack(grad, x, d, slope, size, h, xp)
    g_old = g
    return x + size * d, (g_old, d)


@optimizer(T("Newton", "Метод Ньютона"),
           T("Step to the bottom of the local quadratic; where that is no bowl, or nearly flat, it is lifted until it is one.",
             "Шаг на дно локальной квадратичной модели; где она не выпукла или почти плоска, к гессиану добавляют сдвиг."),
           traceable=False, symbols=_SYMBOLS, lr=rate(1.0), damping=_DAMPING, **_ARMIJO)
def newton(grad, x, state, h, t, xp):
    """Nocedal & Wright 2006, Numerical Optimization, section 3.4: Newton with a modified Hessian."""
    g = grad(x)
    d = against(shifted(h, xp), grad.hessian(x), g, xp)
    slope = dot(d, g)
    size = backtrack(grad, x, d, slope, h.lr, h, xp)
    return x + size * d, ()


@optimizer(T("Saddle-free Newton", "Бесседловой метод Ньютона"),
           T("Newton with the magnitudes of the curvatures: from a saddle it goes down, where plain, unmodified Newton goes to it.",
             "Ньютон с модулями кривизн: от седла он уходит вниз, а метод Ньютона без поправок к нему притягивается."),
           traceable=False, symbols=_SYMBOLS, lr=rate(1.0), damping=_DAMPING)
def saddle_free_newton(grad, x, state, h, t, xp):
    """Dauphin et al. 2014, Identifying and attacking the saddle point problem (arXiv:1406.2572)."""
    g = grad(x)
    d = against(mirrored(h, xp), grad.hessian(x), g, xp)
    return x + h.lr * d, ()


def learned(b, s, y, xp):
    """BFGS's new inverse Hessian: what it learned from moving s and seeing the gradient change by y."""
    sy = dot(s, y)
    rho = ratio(1, sy, xp)
    by = times(b, y)
    outer = s[:, None] * s[None]
    cross = by[:, None] * s[None] + s[:, None] * by[None]
    return xp.where(sy > 1e-10, b + (rho + rho * rho * dot(y, by)) * outer - rho * cross, b)


def times(b, g):
    """The product of a matrix (P, P, *batch) and a vector (P, *batch)."""
    return (b * g[None]).sum(1)


def unit(x, xp):
    """The unit matrix for each member of x's batch."""
    return xp.eye(len(x), device=x.device).reshape(len(x), len(x), *[1] * (x.ndim - 1)) + 0 * x[0]


@optimizer(T("BFGS", "BFGS"),
           T("Learns the curvature from how the gradient changed, and steps as Newton would with it.",
             "Узнаёт кривизну по изменению градиента и шагает с ней, как Ньютон."),
           state="b s g_old", init=lambda x, h, xp: [unit(x, xp), 0 * x, 0 * x], traceable=False, symbols=_SYMBOLS | {"b": "H"},
           lr=rate(1.0), **_ARMIJO)
def bfgs(grad, x, state, h, t, xp):
    """Broyden, Fletcher, Goldfarb & Shanno 1970."""
    b, s, g_old = state
    g = grad(x)
    b = learned(b, s, g - g_old, xp)
    d = -times(b, g)
    slope = dot(d, g)
    size = backtrack(grad, x, d, slope, h.lr, h, xp)
    s = size * d
    g_old = g
    return x + s, (b, s, g_old)


def remember(memory, new, keep, xp):
    """The newest vector first, the oldest dropped; members that have nothing new to keep are left as they are."""
    return xp.where(keep, xp.concatenate([new[None], memory[:-1]]), memory)


def recall(g, past_s, past_y, gamma, t, xp):
    """The two loops of L-BFGS: -H g from the remembered moves alone."""
    latest = np.max(t) if np.ndim(t) else t  # of several steps at once: what one of them has not filled yet is 0, and adds nothing
    filled = range(min(int(latest) - 1, len(past_s)))
    sy = (past_s * past_y).sum(1)
    rho = ratio(1, sy, xp)
    q, along = -g, {}
    for i in filled:
        along[i] = rho[i] * dot(past_s[i], q)
        q = q - along[i] * past_y[i]
    q = gamma * q
    for i in reversed(filled):
        q = q + past_s[i] * (along[i] - rho[i] * dot(past_y[i], q))
    return q


@optimizer(T("L-BFGS", "L-BFGS"),
           T("BFGS that keeps only the last few moves instead of a matrix: it fits large networks.",
             "BFGS, который хранит лишь несколько последних шагов вместо матрицы: годится для больших сетей."),
           state="past_s past_y s g_old gamma",
           init=lambda x, h, xp: [xp.stack([0 * x] * h.history_size)] * 2 + [0 * x, 0 * x, 1 + 0 * x[0]],
           traceable=False, symbols=_SYMBOLS | {"past_s": "S", "past_y": "Y", "gamma": r"\gamma"},
           lr=rate(1.0), history_size=Param(100, 1, 100, allowed=Range(1.0, 100.0), whole=True, one=True))
def lbfgs(grad, x, state, h, t, xp):
    """Liu & Nocedal 1989, On the limited memory BFGS method for large scale optimization; a fixed rate, as in torch."""
    past_s, past_y, s, g_old, gamma = state
    g = grad(x)
    y = g - g_old
    keep = dot(s, y) > 1e-10
    past_s = remember(past_s, s, keep, xp)
    past_y = remember(past_y, y, keep, xp)
    gamma = xp.where(keep, ratio(dot(s, y), dot(y, y), xp), gamma)
    d = recall(g, past_s, past_y, gamma, t, xp)
    size = h.lr * xp.where(t < 2, xp.clip(ratio(1, norm1(g), xp), max=1), 1)
    s = size * d
    g_old = g
    return x + s, (past_s, past_y, s, g_old, gamma)
