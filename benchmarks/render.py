"""A GIF of eight trails against matplotlib's FuncAnimation and PillowWriter that draw the same; then every example's bytes and colours.

Run: make bench, or python benchmarks/render.py
"""

import io
import math
import sys
import tempfile
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from PIL import Image

from optviz.palette import THEMES
from optviz.presets import presets
from optviz.race import Race, entrant_on
from optviz.render.exhibit import exhibit
from optviz.render.export import made, picture
from optviz.render.frames import frames
from optviz.render.options import options
from optviz.surfaces import surfaces

mpl.use("agg")
import matplotlib.pyplot as plt

KEYS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lion")
FASTER, SMALLER, WRONG, LIMIT, NOISY = 20.0, 0.2, 1.0, 1e6, 3e6
MARKERS = "os^DP"


def matplotlib_gif(scene, moments, size, fps):
    """What one writes to have the same: bands and isolines, trails, heads with their names, a legend, a counter, and curves with a cursor."""
    theme, heat = THEMES["light"], scene.heat
    figure, (plane, chart) = plt.subplots(2, 1, figsize=(size[0] / 100, size[1] / 100), dpi=100, height_ratios=[4, 1],
                                          gridspec_kw={"left": 0.08, "right": 0.98, "top": 0.98, "bottom": 0.1, "hspace": 0.35})
    (x0, x1), (y0, y1) = heat.box
    x, y = np.meshgrid(np.linspace(x0, x1, 200), np.linspace(y0, y1, 200))
    height, levels = heat.warp(heat.surface.value(x, y)), np.arange(heat.bands + 1)
    plane.contourf(x, y, height, levels, cmap=mpl.colors.LinearSegmentedColormap.from_list("bands", [theme.valley, theme.peak]))
    plane.contour(x, y, height, levels, colors=theme.isoline, linewidths=0.6)
    plane.set_axis_off()
    plane.plot(*scene.start, "o", color=theme.ink, markersize=12, fillstyle="none")
    plane.text(*scene.start, "  start")
    for dot in scene.dots:
        plane.plot(dot.x, dot.y, "*", color=theme.ink, markersize=14)
        plane.text(dot.x, dot.y, "  optimum")
    chart.set(xlim=(0, scene.steps), ylim=(scene.panel.low, scene.panel.high), yscale="log" if scene.panel.log else "linear",
              xlabel="step", ylabel="loss f")
    growing = []
    for path in scene.paths:
        colour, marker = path.style.colour, MARKERS[path.style.shape]
        chart.plot(path.height - scene.panel.base, color=colour, alpha=0.25, linewidth=1.8)
        growing.append((path, *plane.plot([], [], color=colour, linewidth=2.9, label=path.name.en),
                        *plane.plot([], [], marker, color=colour, markersize=11),
                        plane.text(0, 0, path.short.en, weight="bold", clip_on=True), *chart.plot([], [], color=colour, linewidth=1.8),
                        *chart.plot([], [], "o", color=colour, markersize=6)))
    cursor, counter = chart.axvline(0, color=theme.ink, linewidth=1.1), plane.text(1, -0.06, "", transform=plane.transAxes, ha="right")
    plane.legend(loc="upper center", bbox_to_anchor=(0.4, 0), ncols=4, frameon=False)
    plane.set(xlim=(x0, x1), ylim=(y0, y1))

    def at(moment):
        now = math.floor(moment)
        for path, trail, head, name, curve, end in growing:
            last = min(now, len(path.height) - 1 if path.end is None else path.end - 1)
            px, py = path.points[:, :last + 1]
            trail.set_data(px, py)
            head.set_data(px[-1:], py[-1:])
            name.set_position((px[-1], py[-1]))
            curve.set_data(np.arange(last + 1), path.height[:last + 1] - scene.panel.base)
            end.set_data([last], [path.height[last] - scene.panel.base])
        cursor.set_xdata([moment, moment])
        counter.set_text(f"step {now} of {scene.steps}")

    with tempfile.TemporaryDirectory() as folder:
        FuncAnimation(figure, at, moments, init_func=lambda: None, blit=False).save(path := Path(folder, "race.gif"), PillowWriter(fps=fps))
        plt.close(figure)
        return path.read_bytes()


def timed(work):
    """What is made, and the processor's seconds: other work on the machine counts for less."""
    begun = time.process_time()
    return work(), time.process_time() - begun


def wrong(data, shown, o):
    """How far the colours of a GIF are from those that are drawn, on average and in each channel."""
    film, far = Image.open(io.BytesIO(data)), []
    for k, pixels in enumerate(frames(picture(shown, o), o.moments(shown.scene.steps))):
        film.seek(k)
        far.append(np.abs(np.asarray(film.convert("RGB"), np.int16) - pixels).mean(axis=(0, 1)))
    return np.mean(far, axis=0).max()


def main():
    o = options({})
    shown = exhibit(Race("rosenbrock", None, [entrant_on(surfaces["rosenbrock"], key) for key in KEYS], steps=300))
    when = o.moments(shown.scene.steps)
    theirs, mine, data, peer = math.inf, math.inf, b"", b""
    for _ in range(2):  # in turns, so that a busy machine is busy for both
        for _ in range(3):
            data, seconds = timed(lambda: made(shown, "gif", o))
            mine = min(mine, seconds)
        peer, seconds = timed(lambda: matplotlib_gif(shown.scene, when, o.size, o.fps))
        theirs = min(theirs, seconds)
    print(f"GIF, {len(KEYS)} trails, {len(when)} frames, {o.size[0]} x {o.size[1]}: matplotlib {theirs:.1f} s, {len(peer) / 1e3:.0f} KB, "
          f"optviz {mine:.2f} s, {len(data) / 1e3:.0f} KB: {theirs / mine:.1f} times faster (limit {FASTER:.0f}), "
          f"{len(data) / len(peer):.2f} of the bytes (limit {SMALLER})")
    failed = theirs / mine < FASTER or len(data) > SMALLER * len(peer)
    for key, preset in presets.items():
        shown = exhibit(preset.race)
        data, seconds = timed(lambda shown=shown: made(shown, "gif", o))
        limit, far = NOISY if preset.race["noise"] else LIMIT, wrong(data, shown, o)
        failed |= len(data) > limit or far > WRONG
        print(f"  {key:10} {len(data) / 1e3:6.0f} KB (limit {limit / 1e3:.0f}), {seconds:.2f} s, colours {far:.2f} of 255 away (limit {WRONG:.0f})")
    return failed


if __name__ == "__main__":
    sys.exit("a limit is not held" if main() else 0)
