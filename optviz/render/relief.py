"""A surface in relief without a graphics card: the block of the stage (ui/web/relief.js) before the same camera, in NumPy.

Space: the box is the square [-1/2, 1/2]^2 whatever its sides, and the levels 0 … bands are the heights 0 … RISE.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..palette import Theme
from ..scene import Heat, Path
from .raster import rgb

CELLS = 160
SIDE = CELLS + 1
RISE, FLOOR = 0.4, -0.03
LIFT = 0.0015  # of a trail above the ground
PIECES = 12_000  # of one trail, at most about
MARGIN, FOCUS, DEPTH = 0.94, 1 / math.tan(math.radians(11)), 0.9  # of view: half the angle, half the depth
FINER = 2  # times, when the block is painted: then averaged
STRIP = 1 << 16  # fine pixels painted at once: they stay in the processor's cache
FADE = 24.0  # from the edge of the picture on, a shadow has its strength
BIAS = 0.5 / CELLS  # what lies less than this behind the ground lies on it


class Piece(NamedTuple):
    """A part of a trail as it is drawn."""

    points: np.ndarray  # (n, 2), in the picture
    steps: np.ndarray  # at which it is there
    gone: float  # how long the trail is before
    hidden: bool = False
    dots: np.ndarray = np.empty(0, int)  # which points are to be marked


@dataclass(frozen=True)
class Thread:
    """A trail on the ground: points about a cell apart, each at its step."""

    points: np.ndarray  # (n, 2), in the picture
    steps: np.ndarray
    gone: np.ndarray
    joined: np.ndarray  # to the point before
    hidden: np.ndarray  # on the way from it


class Camera:
    """Where the eye is, and what it sees. The block fills the picture, and just so when it is turned by any yaw."""

    def __init__(self, yaw: float, pitch: float, zoom: float, width: float, height: float):
        self.width, self.height = width, height
        yaw, pitch, aspect = math.radians(yaw), math.radians(pitch), width / height
        cp, sp, cy, sy, k = math.cos(pitch), math.sin(pitch), math.cos(yaw), math.sin(yaw), FOCUS / MARGIN
        self.right, self.up, self.back = np.array([-sy, cy, 0]), np.array([-sp * cy, -sp * sy, cp]), np.array([cp * cy, cp * sy, sp])
        middle = (FLOOR + RISE) / 2
        angle, z = np.linspace(0, math.pi, 25), np.array([[FLOOR - middle], [RISE - middle]])  # the corners, on their circles
        across, flat = math.sqrt(0.5) * np.sin(angle), math.sqrt(0.5) * np.cos(angle)
        near, high = cp * flat + sp * z, cp * z - sp * flat
        wide, above, below = ((near + v).max(initial=0) for v in (across * k / aspect, high * k, -high * k))
        self.far = max(wide, (above + below) / 2)
        self.eye = self.back * self.far + self.up * (above - below) / (2 * k) + [0, 0, middle]
        self.fx, self.fy = FOCUS * zoom / aspect, FOCUS * zoom

    def see(self, x: Any, y: Any, z: Any) -> tuple[Any, Any, Any]:
        """Where points are in the picture, and how far away."""
        d = [v - e for v, e in zip((x, y, z), self.eye, strict=True)]
        across, high, near = (sum(a * v for a, v in zip(axis, d, strict=True)) for axis in (self.right, self.up, self.back))
        return (1 - self.fx * across / near) * self.width / 2, (1 + self.fy * high / near) * self.height / 2, -near

    def foot(self, px: np.ndarray, py: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the block stands on as seen in some columns and rows: x, y and how far away; at the horizon and above it far behind."""
        sx, sy = (2 * px / self.width - 1) / self.fx, ((1 - 2 * py / self.height) / self.fy)[:, None]
        far = (self.eye[2] - FLOOR) / np.maximum(self.back[2] - sy * self.up[2], 1e-6)
        x, y = (e + far * (sy * u - b) + far * r * sx for e, r, u, b in zip(self.eye[:2], self.right, self.up, self.back, strict=False))
        return x, y, far


class Relief:
    """A surface before a camera: where its points are seen, what hides them, and how it is painted."""

    def __init__(self, heat: Heat, theme: Theme, look: Mapping[str, Any], width: float, height: float):
        self.heat, self.theme = heat, theme
        self.camera = Camera(look["yaw"], look["pitch"], look["zoom"], width, height)
        self.piece = 1 / CELLS / max(1, look["zoom"])
        side = np.arange(SIDE) / CELLS - 0.5
        self.levels = self._level(side[None, :], side[:, None])
        self.z = self._rise(self.levels)
        self.rising = abs(self.z[:-1, :-1] - self.z[1:, 1:]) <= abs(self.z[:-1, 1:] - self.z[1:, :-1])
        self.threads: dict[int, Thread] = {}
        self.scale = 0.0  # of what is painted: a file is laid out more than once, and its ground stays

    def _level(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """In bands, and a little beyond them where a height is infinite."""
        (x0, x1), (y0, y1) = self.heat.box
        with np.errstate(all="ignore"):
            f = self.heat.surface.value(x0 + (x + 0.5) * (x1 - x0), y0 + (y + 0.5) * (y1 - y0)) + np.zeros(np.broadcast_shapes(x.shape, y.shape))
        return np.where(np.isinf(f), np.where(f > 0, self.heat.bands + 1.0, -1.0), self.heat.warp(f))

    def _rise(self, u: np.ndarray) -> np.ndarray:
        return np.clip(u / self.heat.bands, 0, 1) * RISE

    def _unit(self, x: Any, y: Any) -> tuple[Any, Any]:
        (x0, x1), (y0, y1) = self.heat.box
        return (x - x0) / (x1 - x0) - 0.5, (y - y0) / (y1 - y0) - 0.5

    def at(self, x: Any, y: Any) -> Any:
        """The drawn height at a point of the square; NaN outside."""
        inside = (abs(x) <= 0.5) & (abs(y) <= 0.5)
        gx, gy = (np.where(inside, v + 0.5, 0) * CELLS for v in (x, y))
        i, j = (np.minimum(g.astype(int), CELLS - 1) for g in (gx, gy))
        s, t, z = gx - i, gy - j, self.z
        a, b, c, d = z[j, i], z[j, i + 1], z[j + 1, i], z[j + 1, i + 1]
        one = np.where(s > t, a + s * (b - a) + t * (d - b), a + t * (c - a) + s * (d - c))
        other = np.where(s + t < 1, a + s * (b - a) + t * (c - a), d + (1 - s) * (c - d) + (1 - t) * (b - d))
        return np.where(inside, np.where(self.rising[j, i], one, other), np.nan)

    # --- places --------------------------------------------------------------------------------------------------------------------

    def place(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Where points of the surface are seen; of one outside the box, its foot."""
        with np.errstate(all="ignore"):
            x, y = self._unit(x, y)
            return self.camera.see(x, y, np.nan_to_num(self.at(x, y)))[:2]

    def hides(self, x: Any, y: Any) -> Any:
        """Whether there is ground between points of the surface and the eye; outside the box there is no surface to be seen."""
        with np.errstate(all="ignore"):
            x, y = self._unit(x, y)
            z = self.at(x, y)
            return np.isnan(z) | self._behind(*self.camera.see(x, y, z + LIFT))

    def _behind(self, px: Any, py: Any, far: Any) -> Any:
        """Whether what is seen at some places of the painted picture is nearer."""
        rows, columns = self.shown.shape
        u, v = px * columns / self.camera.width, py * rows / self.camera.height
        within = (u >= 0) & (v >= 0) & (u < columns) & (v < rows)
        u, v = np.where(within, u, 0), np.where(within, v, 0)
        triangle = np.where(within, self.shown[v.astype(int), u.astype(int)], -1)
        return (triangle >= 0) & ((far - BIAS) * _plane(self.planes[0], triangle, u * FINER, v * FINER) > 1)

    def crowd(self, points: np.ndarray) -> list[np.ndarray]:
        """None: as on the stage, a crowd in relief is its places alone."""
        return []

    def trail(self, path: Path, before: float, now: float) -> Iterator[Piece]:
        """What there is of a trail between two moments; a new piece begins where it leaves the box or hides."""
        if path.entrant not in self.threads:
            self.threads[path.entrant] = self._drape(path)
        t = self.threads[path.entrant]
        ways = np.flatnonzero(t.joined[1:] & (t.steps[1:] > before) & (t.steps[:-1] < now))
        for some in np.split(ways, np.flatnonzero((np.diff(ways) > 1) | np.diff(t.hidden[ways + 1])) + 1):
            if len(some):
                part = slice(some[0], some[-1] + 2)
                moments = np.clip(t.steps[part], before, now)
                x, y, gone = (np.interp(moments, t.steps[part], v[part]) for v in (*t.points.T, t.gone))
                yield Piece(np.column_stack([x, y]), moments, gone[0], bool(t.hidden[some[0] + 1]))

    def _drape(self, path: Path) -> Thread:
        """A trail cut into pieces about as long as a cell, which follow the ground."""
        with np.errstate(all="ignore"):
            p = np.stack(self._unit(*path.points))
            a, way = p[:, :-1], np.diff(p)
            edges = np.sort(np.stack([(-0.5 - a) / way, (0.5 - a) / way]), axis=0)  # of the way: where it enters and leaves each strip
            still = (way == 0) & (abs(a) <= 0.5)
            s = np.where(still, 0, edges[0]).max(axis=0).clip(0)
            t = np.where(still, 1, edges[1]).min(axis=0).clip(max=1)
            length = (t - s) * np.hypot(*way)
        legs = np.flatnonzero((s <= t) & np.isfinite(length))
        s, t, length = s[legs], t[legs], length[legs]
        many = np.maximum(np.ceil(length / max(self.piece, length.sum() / PIECES)), 1).astype(int)
        first = np.cumsum(many + 1) - many - 1
        of = np.repeat(np.arange(len(legs)), many + 1)
        k = np.arange(len(of)) - first[of]
        share = s[of] + (t - s)[of] * k / many[of]
        x, y = np.clip(a[:, legs[of]] + way[:, legs[of]] * share, -0.5, 0.5)
        px, py, far = self.camera.see(x, y, self.at(x, y) + LIFT)
        joined = (k > 0) | (s == 0)[of]
        gone = np.cumsum(joined * np.hypot(np.diff(px, prepend=px[:1]), np.diff(py, prepend=py[:1])))
        return Thread(np.column_stack([px, py]), legs[of] + share, gone, joined, self._behind(px, py, far))

    # --- the block -----------------------------------------------------------------------------------------------------------------

    def pixels(self, scale: float) -> np.ndarray:
        """The block and its shadow, with how much they cover; and from then on what hides what."""
        if scale != self.scale:
            self.scale = scale
            self._paint(scale)
        return self.painted

    def _paint(self, scale: float) -> None:
        """Strip by strip: each triangle writes its number into the pixels it covers, and those that remain are coloured."""
        columns, rows = round(self.camera.width * scale), round(self.camera.height * scale)
        wide, tones = FINER * columns, self._tones()
        corners, normals, levels, walls = self._mesh()
        x, y, far = self.camera.see(*corners.transpose(2, 0, 1))
        x, y = x * (wide / self.camera.width), y * (FINER * rows / self.camera.height)
        self.planes = _planes(x, y, *(v / far for v in (np.ones_like(far), levels, normals[..., 0], normals[..., 1])))
        row, left, right, triangle = _spans(x, y, wide, FINER * rows)
        self.painted, self.shown = np.empty((rows, columns, 4), np.uint8), np.empty((rows, columns), np.int32)
        high = max(STRIP // (FINER * wide), 1)
        for top in range(0, rows, high):
            bottom = min(top + high, rows)
            some = slice(*np.searchsorted(row, [FINER * top, FINER * bottom]))
            widths = right[some] - left[some]
            after = np.cumsum(widths)
            where = np.repeat((row[some] - FINER * top) * wide + left[some] - after + widths, widths)
            where += np.arange(len(where))
            ids = np.full(FINER * (bottom - top) * wide, -1, np.int32)
            ids[where] = np.repeat(triangle[some], widths)  # the nearest comes last
            seen = np.flatnonzero(ids >= 0)
            v, u = np.divmod(seen, wide)
            colours = tones.T @ self._shade(ids[seen], u + 0.5, v + (FINER * top + 0.5), walls, scale)
            at, size = v // FINER * columns + u // FINER, (bottom - top) * columns
            bare = 1 - np.bincount(at, minlength=size) / FINER**2
            dark = bare * self._shadow(np.arange(columns) + 0.5, np.arange(top, bottom) + 0.5, scale).ravel()
            cover, block = 1 - bare + dark, np.flatnonzero(bare < 1)
            strip = self.painted[top:bottom].reshape(-1, 4)
            strip[:] = *np.rint(tones[3]), 0
            strip[:, 3] = np.rint(255 * cover)
            for channel, (colour, shade) in enumerate(zip(colours, tones[3], strict=True)):
                strip[block, channel] = np.rint((np.bincount(at, colour, size)[block] / FINER**2 + shade * dark[block]) / cover[block])
            self.shown[top:bottom] = ids.reshape(-1, wide)[::FINER, ::FINER]

    def _mesh(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Triangles from far to near: their corners, normals and levels, and which of them are walls.

        A way from the eye comes to the cells one by one, ever farther from the eye's own column and row: so they need no sorting.
        """
        gx, gy = (self.camera.eye[:2] + 0.5) * CELLS
        i, j = (np.argsort(-abs(np.arange(CELLS) + 0.5 - g), kind="stable") for g in (gx, gy))
        i, j = (v.ravel() for v in np.meshgrid(i, j))
        a, rising = j * SIDE + i, self.rising[j, i]
        b, c, d = a + 1, a + SIDE, a + SIDE + 1
        one, other = (np.column_stack(v) for v in ((a, b, np.where(rising, d, c)), (np.where(rising, a, b), d, c)))  # parted where it bends less
        near = np.where(rising, gx - i > gy - j, gx - i + gy - j < 1)[:, None]
        top = np.stack([np.where(near, other, one), np.where(near, one, other)], axis=1).reshape(-1, 3)
        x, y = np.meshgrid(*[np.arange(SIDE) / CELLS - 0.5] * 2)
        ground = np.stack([x, y, self.z], axis=2).reshape(-1, 3)
        slopes = -np.stack(np.gradient(self.z, 1 / CELLS)[::-1], axis=2).reshape(-1, 2)
        corners, normals, levels = [ground[top]], [slopes[top]], [self.levels.ravel()[top]]
        whole = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
        for edge, normal in ((whole[0], (0, -1)), (whole[-1], (0, 1)), (whole[:, 0], (-1, 0)), (whole[:, -1], (1, 0))):
            if self.camera.eye[:2] @ normal > 0.5:  # else it is seen from behind
                high = ground[edge]
                low = high * [1, 1, 0] + [0, 0, FLOOR]
                quads = np.stack([high[:-1], low[:-1], high[1:], low[:-1], low[1:], high[1:]], axis=1).reshape(-1, 3, 3)
                corners.append(quads)
                normals.append(np.broadcast_to(np.array(normal, float), (*quads.shape[:2], 2)))
                levels.append(quads[..., 2] / RISE * self.heat.bands)
        walls = np.arange(sum(map(len, corners))) >= len(top)
        return np.concatenate(corners), np.concatenate(normals), np.concatenate(levels), walls

    def _tones(self) -> np.ndarray:
        """Of the valley, the peak, an isoline, shade and light."""
        t = self.theme
        page, valley, peak, isoline, ink = np.array([rgb(colour) for colour in (t.page, t.valley, t.peak, t.isoline, t.ink)], np.float32)
        dark = page.sum() < ink.sum()
        return np.stack([valley, peak, isoline, 0.3 * page if dark else valley + 0.6 * (ink - valley), (peak + ink) / 2 if dark else page])

    def _shadow(self, px: np.ndarray, py: np.ndarray, scale: float) -> np.ndarray:
        """How dark the page is in columns and rows: a soft shadow along the foot of the block."""
        x, y, far = self.camera.foot(px / scale, py / scale)
        x, y = (np.maximum(abs(v.astype(np.float32)) - 0.5, 0) for v in (x, y))
        across, down = (np.minimum(p / scale, side - p / scale) for p, side in ((px, self.camera.width), (py, self.camera.height)))
        room = np.clip(np.minimum(across, down[:, None]) / FADE, 0, 1)  # a picture has more below it than a stage: there is no edge to be seen
        return 0.3 * np.exp(-16 * np.sqrt(x * x + y * y)) * (abs(far - self.camera.far) < DEPTH) * room

    def _shade(self, triangle: np.ndarray, x: np.ndarray, y: np.ndarray, walls: np.ndarray, scale: float) -> np.ndarray:
        """How much of valley, peak, isoline, shade and light there is in fine pixels: bands under a lamp over the viewer's left shoulder."""
        bands, wall = self.heat.bands, walls[triangle].astype(np.float32)
        x, y = x.astype(np.float32), y.astype(np.float32)
        far = 1 / _plane(self.planes[0], triangle, x, y)
        u, nx, ny = (far * _plane(plane, triangle, x, y) for plane in self.planes[1:])
        ux, uy = (far * (self.planes[1, k, triangle] - u * self.planes[0, k, triangle]) for k in (1, 2))
        slope = np.maximum(np.sqrt(ux * ux + uy * uy), 1e-6)
        nearest = np.floor(u + 0.5)
        away = (u - nearest) / slope
        line = np.clip(0.5 * FINER * scale + 0.5 - abs(away), 0, 1) * np.minimum(1, 0.3 / FINER / slope)  # where lines would merge they fade
        line *= ((slope > 1e-5) & (nearest > 0) & (nearest < bands)) * (1 - 0.6 * wall)
        low, high = (np.clip(v / max(bands - 1, 1), 0, 1) for v in (nearest - 1, nearest))
        band = low + (high - low) * np.clip(away + 0.5, 0, 1)
        lamp = -0.6 * self.camera.right + 0.1 * self.camera.back + [0, 0, 0.65]
        lx, ly, lz = (lamp / np.sqrt(lamp @ lamp)).astype(np.float32)
        nz = 1 - wall
        lit = (nx * lx + ny * ly + nz * lz) / np.sqrt(nx * nx + ny * ny + nz) - lz  # level ground keeps its colour
        lit = np.where(wall, 0.45 * lit - 0.1, lit)
        bare = 1 - line
        turned = bare * np.minimum(abs(lit) * 0.62, 0.75)
        bare -= turned
        dark = turned * (lit < 0)
        return np.stack([(1 - band) * bare, band * bare, line, dark, turned - dark])


# --- triangles -----------------------------------------------------------------------------------------------------------------------


def _planes(x: np.ndarray, y: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """(values, 3, triangles): of what is given at the corners (triangles, 3), the value at (0, 0) and the slopes."""
    (x0, x1, x2), (y0, y1, y2) = x.T, y.T
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    area[area == 0] = 1  # seen from its side it has no pixels
    out = np.empty((len(values), 3, len(x)), np.float32)
    for plane, (v0, v1, v2) in zip(out, (v.T for v in values), strict=True):
        across, down = ((v1 - v0) * (y2 - y0) - (v2 - v0) * (y1 - y0)) / area, ((v2 - v0) * (x1 - x0) - (v1 - v0) * (x2 - x0)) / area
        plane[:] = v0 - across * x0 - down * y0, across, down
    return out


def _plane(plane: np.ndarray, triangle: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return plane[0, triangle] + plane[1, triangle] * x + plane[2, triangle] * y


def _spans(x: np.ndarray, y: np.ndarray, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Row, first column, the one after the last, and triangle: where the middle of a pixel is inside; row by row, in the order given.

    A common edge is computed alike for both of its triangles, so that no pixel is left out or counted twice.
    """
    order = np.argsort(y, axis=1)
    (x0, x1, x2), (y0, y1, y2) = (np.take_along_axis(v, order, axis=1).T for v in (x, y))
    begin, end = (np.clip(np.ceil(v - 0.5), 0, rows).astype(int) for v in (y0, y2))
    triangle = np.repeat(np.arange(len(x), dtype=np.int32), end - begin)
    row = np.arange(len(triangle)) - np.repeat(np.cumsum(end - begin) - end, end - begin)
    edges = [(xa, ya, (xb - xa) / np.where(yb > ya, yb - ya, 1)) for xa, ya, xb, yb in ((x0, y0, x2, y2), (x0, y0, x1, y1), (x1, y1, x2, y2))]
    slope, foot = np.stack([s for *_, s in edges]), np.stack([xa - s * (ya - 0.5) for xa, ya, s in edges])
    short = np.where(row + 0.5 < y1[triangle], 1, 2)
    one, other = (foot[edge, triangle] + slope[edge, triangle] * row for edge in (0, short))
    left, right = (np.clip(np.ceil(v - 0.5), 0, columns).astype(int) for v in (np.minimum(one, other), np.maximum(one, other)))
    some = np.flatnonzero(right > left)
    some = some[np.argsort(row[some].astype(np.uint16), kind="stable")]
    return row[some], left[some], right[some], triangle[some]
