"""The stage of a network in a real Chromium: how long a picture of a boundary takes, and how many are seen a second while it plays;
the same of a wall of networks.

Run: make bench, or python benchmarks/network.py
"""

import base64
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

import chromium  # noqa: E402
from networks import message  # noqa: E402

import optviz as ov  # noqa: E402
from optviz.core import T  # noqa: E402
from optviz.learning import Trainer  # noqa: E402
from optviz.render.network_wire import pack_wall  # noqa: E402
from optviz.render.words import WALL  # noqa: E402
from optviz.study import Study  # noqa: E402
from optviz.wall import Cell, Wall, wall_scene  # noqa: E402

WEB = Path(ov.__file__).parent / "ui" / "web"
KINDS = {".js": "text/javascript", ".css": "text/css"}
PAGE = "<!doctype html><meta charset=utf-8><link rel=stylesheet href=network.css>"
#: A stage whose every painted field is timed; `side` fixes how many places a side has.
OPEN = """async ([data, side]) => {
  const { NetworkPlayer } = await import("/netplayer.js"), { opened } = await import("/scene.js");
  window.player = new NetworkPlayer(document.body.appendChild(document.createElement("main")), () => {});
  if (side) player.side = () => side;
  const draw = player.draw.bind(player), paint = player.paint.bind(player);
  let painted = false;
  window.spent = [];
  player.paint = (...given) => { painted = true; paint(...given); };
  player.draw = () => { const began = performance.now(); painted = false; draw(); if (painted) spent.push(performance.now() - began); };
  player.show(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
}"""
#: Play all frames from the first on, as fast as they can be painted: new pictures a second.
PLAY = """async (seconds) => {
  player.play(false); player.go(0); player.speed = 8; player.play(true);
  const began = performance.now();
  spent.length = 0;
  while (performance.now() - began < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    if (!player.playing) { player.go(0); player.play(true); }
  }
  const rate = spent.length / ((performance.now() - began) / 1000);
  player.play(false);
  return [rate, player.seen.grid.columns, player.seen.grid.rows];
}"""

#: The same of several networks: how many pictures of all of them are seen a second, and how many places a side of the smallest has.
OPEN_WALL = """async (data) => {
  const { WallPlayer } = await import("/wallplayer.js");
  document.head.insertAdjacentHTML("beforeend", "<link rel=stylesheet href=wall.css>");
  window.player = new WallPlayer(document.body.appendChild(document.createElement("main")), () => {});
  window.spent = [];
  const draw = player.draw.bind(player), paint = player.paint.bind(player);
  let painted = 0;
  player.paint = (...given) => { painted++; paint(...given); };
  player.draw = () => { const began = performance.now(); painted = 0; draw(); if (painted) spent.push(performance.now() - began); };
  const places = player.places.bind(player);
  player.places = (cell, field, n) => { player.seen = { grid: { columns: n, rows: n } }; return places(cell, field, n); };
  player.show(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
}"""


def wall(rows, columns, layers):
    """A grid of networks as the stage is told of it."""
    studies = [Study("spiral", layers=layers, l2=0.001 * k, n=500, epochs=60) for k in range(rows * columns)]
    cells = [Cell(T(str(k), str(k)), s, s.trainer().run()) for k, s in enumerate(studies)]
    heads = [T(str(k), str(k)) for k in range(max(rows, columns))]
    return pack_wall(wall_scene(Wall(cells, columns, heads[:rows], heads[:columns])), "en", {name: text.en for name, text in WALL.items()})


def main():
    nets = [("2-8-8-1, 100 x 100 places", {"layers": (8, 8)}, 100, 60),
            ("the same, as many places as there is time for", {"layers": (8, 8)}, None, 60),
            ("2-64-64-64-1, the same", {"layers": (64, 64, 64)}, None, 30), ("2-64 x 8-1, the same", {"layers": (64,) * 8}, None, 10)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for name, settings, side, epochs in nets:
            t = Trainer("spiral", epochs=epochs, seed=1, **settings).run()
            page = opened(browser, OPEN, [base64.b64encode(message(t, state="done")).decode(), side])
            rate, columns, rows = page.evaluate(PLAY, 4)
            spent = sorted(page.evaluate("spent"))
            print(f"play {name}: {rate:.0f} new boundaries a second{' (limit 20)' if side else ''}, {columns} x {rows} places, "
                  f"script {statistics.median(spent):.1f} ms a picture, 95 % below {spent[int(0.95 * len(spent))]:.1f} ms")
            page.close()
        for rows, columns, layers in ((3, 4, (20,)), (3, 4, (20, 20)), (8, 8, (20,))):
            data = wall(rows, columns, layers)
            page = opened(browser, OPEN_WALL, base64.b64encode(data).decode())
            rate, side, _ = page.evaluate(PLAY, 4)
            spent = page.evaluate("spent")
            print(f"play {rows} x {columns} networks 2-{'-'.join(map(str, layers))}-1 of 500 points, {len(data) >> 10} KiB: "
                  f"{rate:.0f} pictures of all a second (limit 20), {side} x {side} places each, script {statistics.median(spent):.1f} ms a picture")
            page.close()


def opened(browser, script, given):
    """A page with a stage that has been painted."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.route("http://stage/**", lambda route: route.fulfill(body=PAGE, content_type="text/html") if route.request.url.endswith("/") else
               route.fulfill(path=WEB / route.request.url.split("/")[-1], content_type=KINDS[Path(route.request.url).suffix]))
    page.goto("http://stage/")
    page.evaluate(script, given)
    page.wait_for_function("spent.length > 0")
    return page


if __name__ == "__main__":
    main()
