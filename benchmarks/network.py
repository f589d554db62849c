"""The stage of a network in a real Chromium: how long a picture of a boundary takes, and how many are seen a second while it plays.

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
from optviz.learning import Trainer  # noqa: E402

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


def main():
    nets = [("2-8-8-1, 100 x 100 places", {"layers": (8, 8)}, 100, 60),
            ("the same, as many places as there is time for", {"layers": (8, 8)}, None, 60),
            ("2-64-64-64-1, the same", {"layers": (64, 64, 64)}, None, 30), ("2-64 x 8-1, the same", {"layers": (64,) * 8}, None, 10)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for name, settings, side, epochs in nets:
            t = Trainer("spiral", epochs=epochs, seed=1, **settings).run()
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.route("http://stage/**", lambda route: route.fulfill(body=PAGE, content_type="text/html") if route.request.url.endswith("/") else
                       route.fulfill(path=WEB / route.request.url.split("/")[-1], content_type=KINDS[Path(route.request.url).suffix]))
            page.goto("http://stage/")
            page.evaluate(OPEN, [base64.b64encode(message(t, state="done")).decode(), side])
            page.wait_for_function("spent.length > 0")
            rate, columns, rows = page.evaluate(PLAY, 4)
            spent = sorted(page.evaluate("spent"))
            print(f"play {name}: {rate:.0f} new boundaries a second{' (limit 20)' if side else ''}, {columns} x {rows} places, "
                  f"script {statistics.median(spent):.1f} ms a picture, 95 % below {spent[int(0.95 * len(spent))]:.1f} ms")
            page.close()


if __name__ == "__main__":
    main()
