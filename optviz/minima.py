"""Every local minimum of a surface in its box: a grid of starts, damped Newton for all at once, then a check around each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Box = tuple[tuple[float, float], tuple[float, float]]

GRID = 801  # fine enough for Levy 13, whose wells stand a third of a unit apart on a box of 20
PLAIN = 201  # for polynomials: they have few wells, and wide ones
USUAL, STRIP = 150, 40  # operations of a formula that get the full grid; rows that are evaluated at once
ROUNDS, LONGEST = 240, 0.005  # Newton's steps, and how much of the box one may cross: enough to cross it all
MOST = 2_000  # candidates that are followed; a formula rougher than this has no countable minima anyway
RING = np.round(np.exp(2j * np.pi * np.arange(24) / 24), 15)  # rounded: straight up is exactly up


def find_minima(value: Callable, gradient: Callable, hessian: Callable, box: Box, length: int = 0,
                plain: bool = False) -> list[tuple[float, float]]:
    """[(x, y), ...], best first; a curve of equal minima is represented by one of its points. `length` counts the formula's operations,
    and a `plain` one is a polynomial."""
    size = np.array([[box[0][1] - box[0][0]], [box[1][1] - box[1][0]]])
    share = min(1.0, USUAL / max(length, 1))  # a very long formula is searched on a coarser grid
    with np.errstate(all="ignore"):
        points = _candidates(value, gradient, hessian, box, 40 * int((PLAIN if plain else GRID) * share**0.5 / 40) + 1, int(MOST * share))
        points = _newton(value, gradient, hessian, points, size)
        blind = ~_settled(gradient, hessian, points, size)
        points[:, blind] = _compass(value, points[:, blind], size * 1e-3)
        points[:, blind] = _newton(value, gradient, hessian, points[:, blind], size)
        points = _rounded(value, gradient, points, size)
        points = points[:, _inside(points, box, size)]
        points = points[:, _is_minimum(value, points, size)]
        return _distinct(value, hessian, points, size)


def as_deep(depth: Array, best: float) -> Array:
    """Which minima are as deep as the best, but for rounding."""
    return depth - best <= 1e-9 * max(1.0, abs(best))


def grid_values(value: Callable, box: Box, n: int) -> tuple[Array, Array, Array]:
    """x, y and the surface on an n by n grid of the box."""
    x, y = np.meshgrid(np.linspace(*box[0], n), np.linspace(*box[1], n), indexing="ij")
    return x, y, _in_strips(value, x, y)


def _in_strips(function: Callable, x: Array, y: Array) -> Array:
    """A function on a large grid, some rows at a time: a long formula keeps hundreds of intermediate arrays."""
    parts = [np.asarray(function(x[i:i + STRIP], y[i:i + STRIP]), float) for i in range(0, len(x), STRIP)]
    return np.concatenate(parts, axis=-2)


def _settled(gradient: Callable, hessian: Callable, p: Array, size: Array) -> Array:
    """True where the slope is nothing beside what the curvature makes of it within the box: no cusp."""
    (a, b), (_, c) = hessian(*p)
    return np.hypot(*gradient(*p)) <= 1e-12 * (np.abs(a) + np.abs(b) + np.abs(c)) * size.max()


def _candidates(value: Callable, gradient: Callable, hessian: Callable, box: Box, n: int, most: int) -> Array:
    """Grid points no higher than their neighbours, cells across which both slopes change sign, and a coarse lattice besides."""
    x, y, f = grid_values(value, box, n)
    f = np.where(np.isfinite(f), f, np.inf)
    padded = np.pad(f, 1, constant_values=np.inf)
    lowest, strictly = np.isfinite(f), np.zeros(f.shape, bool)
    for i, j in ((0, 1), (1, 0), (1, 2), (2, 1), (0, 0), (0, 2), (2, 0), (2, 2)):
        other = padded[i:i + n, j:j + n]
        lowest &= f <= other
        strictly |= f < other
    points = [_some(x[lowest & strictly], y[lowest & strictly], f[lowest & strictly], most)]

    turns = np.ones((n - 1, n - 1), bool)
    for slope in _in_strips(gradient, x, y):  # a shallow well between grid points shows in its slopes alone
        corners = np.stack([slope[:-1, :-1], slope[1:, :-1], slope[:-1, 1:], slope[1:, 1:]])
        turns &= (corners.min(axis=0) <= 0) & (corners.max(axis=0) >= 0)
    cx, cy = (x[:-1, :-1] + x[1:, 1:])[turns] / 2, (y[:-1, :-1] + y[1:, 1:])[turns] / 2
    (a, b), (_, c) = hessian(cx, cy)
    bowl = (a + c > 0) & (a * c - b * b > -0.1 * (a + c) ** 2)
    points.append(_some(cx[bowl], cy[bowl], value(cx[bowl], cy[bowl]), most))

    lattice = slice(n // 40, n, n // 20)
    points.append(np.stack([x[lattice, lattice][np.isfinite(f[lattice, lattice])], y[lattice, lattice][np.isfinite(f[lattice, lattice])]]))
    return np.concatenate(points, axis=1)


def _some(x: Array, y: Array, f: Array, most: int) -> Array:
    """The lowest of too many."""
    order = np.argsort(f, kind="stable")[:most]
    return np.stack([x[order], y[order]])


def _newton(value: Callable, gradient: Callable, hessian: Callable, start: Array, size: Array) -> Array:
    """Newton's step with the Hessian lifted until it is positive definite, taken only downhill and never across a whole well."""
    ended = start.copy()
    active, p, f = np.arange(start.shape[1]), start, value(*start)
    damping = np.zeros(len(active))
    for _ in range(ROUNDS):
        gx, gy = gradient(*p)
        (a, b), (_, c) = hessian(*p)
        half, centre = np.hypot((a - c) / 2, b), (a + c) / 2
        scale = np.abs(centre) + half + 1e-300
        lift = np.maximum(0.0, 1e-14 * scale - (centre - half)) + damping * scale
        a, c = a + lift, c + lift
        det = a * c - b * b
        step = np.stack([(c * gx - b * gy) / det, (a * gy - b * gx) / det])
        step = np.where(np.isfinite(step), step, 0.0)
        step *= np.minimum(1.0, LONGEST / (np.max(np.abs(step) / size, axis=0) + 1e-300))
        new = p - step
        f_new = value(*new)
        # at the bottom f cannot tell points apart: there the smaller gradient decides
        level = np.abs(f_new - f) <= 1e-13 * (np.abs(f) + np.abs(f_new))
        ngx, ngy = gradient(*new)
        better = np.where(level, ngx**2 + ngy**2 < gx**2 + gy**2, f_new < f)
        p, f = np.where(better, new, p), np.where(better, f_new, f)
        damping = np.where(better, damping / 10, np.maximum(10 * damping, 1e-4))
        damping = np.where(damping < 1e-6, 0.0, damping)
        ended[:, active] = p
        going = (damping < 1e8) & ~(better & np.all(np.abs(step) < 1e-15 * size, axis=0))
        active, p, f, damping = active[going], p[:, going], f[going], damping[going]
        if not len(active):
            break
    return ended


def _compass(value: Callable, p: Array, reach: Array) -> Array:
    """Down without slopes: eight directions, the reach halved when none is lower. It finds cusps, where Newton is blind."""
    f = value(*p)
    reach = np.broadcast_to(reach, p.shape).copy()
    ways = np.stack([RING[::3].real, RING[::3].imag])[:, :, None]
    for _ in range(150):
        around = p[:, None] + ways * reach[:, None]
        heights = value(*around)
        best = np.argmin(np.where(np.isfinite(heights), heights, np.inf), axis=0)
        lowest = np.take_along_axis(heights, best[None], 0)[0]
        better = lowest < f
        p = np.where(better, np.take_along_axis(around, best[None, None], 1)[:, 0], p)
        f = np.where(better, lowest, f)
        reach = np.where(better, reach, reach / 2)
    return p


def _rounded(value: Callable, gradient: Callable, p: Array, size: Array) -> Array:
    """Where fewer digits serve as well or better, fewer: 0 instead of 1e-21 finds a cusp's very tip, and the middle of x^8."""
    for digits in (3, 6, 10):
        q = np.round(p / size, digits) * size
        p = np.where((value(*q) <= value(*p)) & (np.hypot(*gradient(*q)) <= np.hypot(*gradient(*p))), q, p)
    return p


def _inside(p: Array, box: Box, size: Array) -> Array:
    low, high = np.array(box)[:, :1], np.array(box)[:, 1:]
    return np.all((p >= low - 1e-9 * size) & (p <= high + 1e-9 * size), axis=0)


def _is_minimum(value: Callable, p: Array, size: Array) -> Array:
    """True where nothing on small rings is lower, and something is higher: a plain is no minimum, nor is a pole or a lone point."""
    f = value(*p)
    good, higher, rise = np.isfinite(f), np.zeros(p.shape[1], bool), []
    noise = 8 * np.finfo(float).eps * np.abs(f)  # what rounding alone can do
    for radius in (1e-7, 1e-5, 1e-3, 1e-2):
        around = value(p[0] + radius * size[0] * RING.real[:, None], p[1] + radius * size[1] * RING.imag[:, None])
        good &= (radius > 1e-3) | ~np.any(around < f - noise, axis=0)
        higher |= np.any(around > f + noise, axis=0)
        good &= np.isfinite(around).sum(axis=0) >= len(RING) // 4
        rise.append(np.max(np.where(np.isfinite(around), around - f, 0), axis=0))
    return good & higher & (rise[0] <= 0.5 * rise[-1])


def _distinct(value: Callable, hessian: Callable, p: Array, size: Array) -> list[tuple[float, float]]:
    """One point for each minimum, best first; points of one flat-bottomed valley count as one."""
    f = value(*p)
    (a, b), (_, c) = hessian(*p)
    flat = (a + c) / 2 - np.hypot((a - c) / 2, b) < 1e-6 * (np.abs(a) + np.abs(c) + 1e-300)
    level = np.round(f / (1e-9 * (1 + np.abs(f)))) if len(f) else f
    kept: list[int] = []
    for i in np.lexsort((p[1], p[0], level)):
        near = np.max(np.abs(p[:, [i]] - p[:, kept]) / size, axis=0, initial=0) < 1e-6
        one_valley = flat[i] & flat[kept] & (np.abs(f[i] - f[kept]) <= 1e-9 * (1 + np.abs(f[i])))
        if not np.any(near | one_valley):
            kept.append(int(i))
    return [(float(p[0, k]) + 0.0, float(p[1, k]) + 0.0) for k in kept]  # + 0.0 turns -0.0 into 0.0
