"""The Descent lab in a real Chromium: a slider's way to the picture against the same picture as a Plotly figure, live drag, frame times.

Run: make bench, or python benchmarks/stage.py
"""

import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

import chromium  # noqa: E402
from conftest import running  # noqa: E402

KEYS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lion")

#: What the page tells us without being asked to: when a key went down, when the stage drew, how long its frames took.
WATCH = """
Object.assign(window, { pressed: 0, drawn: 0, drawnAt: 0, spent: [] });
addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
const ask = window.requestAnimationFrame.bind(window), clear = CanvasRenderingContext2D.prototype.clearRect;
window.requestAnimationFrame = (f) => ask((now) => {
  const began = performance.now(), before = window.drawn;
  f(now);
  if (window.drawn > before) window.spent.push(performance.now() - began);
});
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  if (this.canvas.className === "top") { window.drawn++; window.drawnAt = performance.now(); }
  return clear.apply(this, box);
};
"""
#: Move the start at every frame for some seconds and count the new pictures.
DRAG = """async ([x, y, seconds]) => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => (e.shadowRoot ? [e, ...all(e.shadowRoot)] : [e]));
  const top = all(document).find((e) => e.className === "top" && e.tagName === "CANVAS"), box = top.getBoundingClientRect();
  top.setPointerCapture = () => {};
  const fire = (type, dx, dy) => top.dispatchEvent(new PointerEvent(type,
    { clientX: box.left + x + dx, clientY: box.top + y + dy, pointerId: 1, bubbles: true, composed: true }));
  fire("pointerdown", 0, 0);
  fire("pointermove", 9, 9);
  window.spent = []; window.drawn = 0;
  const began = performance.now();
  for (let n = 0; performance.now() - began < 1000 * seconds; n++) {
    await new Promise(requestAnimationFrame);
    fire("pointermove", 60 * Math.sin(n / 9), 40 * Math.cos(n / 9));
  }
  const rate = window.drawn / ((performance.now() - began) / 1000);
  fire("pointerup", 0, 0);
  return rate; }"""
RACE = "?lang=en&surface=rosenbrock&steps=300&at=300&" + "&".join(f"optimizer={key}" for key in KEYS)
PRESSES = 21


def pressed(page, slider, painted):
    """Milliseconds from each press of a key on a slider to its picture."""
    times = []
    for i in range(PRESSES):
        slider.focus()
        page.evaluate("window.drawn = 0")
        page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
        page.wait_for_function(painted, arg=i, polling="raf", timeout=20_000)
        times.append(page.evaluate("(performance.now() - window.pressed)"))
        time.sleep(0.4)
    return times[1:]


def main():
    serve = "from pathlib import Path; from optviz.server import serve; serve('localhost', 0, Path({!r}))"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)

        def opened(address, width=1280, height=720):
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            page.add_init_script(WATCH)
            began = time.perf_counter()
            page.goto(address)
            return page, began

        with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (_, address), \
                running(sys.executable, "-c", serve.format(str(HERE / "plotly_race.py"))) as (_, peer):
            page, began = opened(address + RACE)
            page.wait_for_function("window.drawn > 0", polling="raf")
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
            print(f"first visit after the server's start: first paint {paint:.2f} s (limit 2.5), the race drawn {time.perf_counter() - began:.2f} s")
            other, _ = opened(peer + RACE)
            other.locator(".gtitle").wait_for(timeout=30_000)
            page.get_by_role("button", name="Adam α").first.click()
            slider = page.get_by_role("slider", name="learning rate").first
            slider.wait_for()
            time.sleep(2)
            ours, theirs = [], []
            for _ in range(2):  # in turns, so that a busy machine is busy for both
                ours += pressed(page, slider, "() => window.drawn > 0")
                title = "() => { const t = document.querySelector('.gtitle')?.textContent; return t && t !== window.title && (window.title = t); }"
                other.evaluate("window.title = document.querySelector('.gtitle').textContent")
                theirs += pressed(other, other.get_by_role("slider").first, title)
            mine, peers = statistics.median(ours), statistics.median(theirs)
            print(f"slider to picture, {len(KEYS)} x 300: the lab {mine:.0f} ms, Plotly with 60 frames {peers:.0f} ms: "
                  f"{mine / peers:.2f} of it (limit 0.25)")

            page, _ = opened(address + RACE)
            page.wait_for_function("window.drawn > 0", polling="raf")
            page.keyboard.press("Tab")
            time.sleep(1)
            rate = page.evaluate(DRAG, [300, 120, 3])
            spent = sorted(page.evaluate("window.spent"))
            print(f"live drag, {len(KEYS)} x 300: {rate:.0f} new pictures a second (limit 50), "
                  f"script {statistics.median(spent):.1f} ms a frame, 95 % below {spent[int(0.95 * len(spent))]:.1f} ms (limit 8)")
            for steps in (300, 5000):
                page, _ = opened(address + RACE.replace("steps=300&at=300", f"steps={steps}"))
                page.wait_for_function("window.drawn > 0", polling="raf")
                time.sleep(1)
                page.evaluate("window.spent = []; window.drawn = 0")
                time.sleep(3)
                spent = sorted(page.evaluate("window.spent"))
                print(f"play, {len(KEYS)} x {steps}: {page.evaluate('window.drawn') / 3:.0f} frames a second, "
                      f"script {statistics.median(spent):.1f} ms a frame, 95 % below {spent[int(0.95 * len(spent))]:.1f} ms")


if __name__ == "__main__":
    main()
