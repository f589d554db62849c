"""Visitors of the decision-boundary lab: what 200 resets leave behind, who waits for whose training, and what a closed tab still costs.

Run: make bench, or python benchmarks/visit.py (Linux: it reads /proc)
"""

import os
import re
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

import chromium  # noqa: E402
from conftest import PATIENCE, running  # noqa: E402

SMALL = "/boundary?lang=en&data=circle&layers=8,8&epochs=400"
HEAVY = "/boundary?lang=en&data=spiral&n=1000&layers=64,64,64&epochs=10000&batch=32&at=0"
RESETS, EVERY = 200, 50
PRESSES = 30
#: What the page tells us without being asked to: when a key went down, and how often the stage has painted since.
WATCH = """
Object.assign(window, { pressed: 0, drawn: 0 });
addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  if (this.canvas.className === "top") window.drawn++;
  return clear.apply(this, box);
};
"""
#: A machine of its own for whoever trains: here all browsers share the server's cores, so theirs draw four times a second.
ELSEWHERE = "window.requestAnimationFrame = (f) => setTimeout(() => f(performance.now()), 250); window.cancelAnimationFrame = clearTimeout;"
TICKS = os.sysconf("SC_CLK_TCK")


def below(pid):
    """A process and all that it began."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    out = [pid]
    for one in out:
        out += [child for child, parent in parents.items() if parent == one]
    return out


def memory(pid):
    """MiB of its own that a process has, and those that it began."""
    return [int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{p}/status").read_text())[1]) / 1024 for p in below(pid)]


def spent(pid):
    """Processor seconds of a process and all that it began."""
    fields = [Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split() for p in below(pid)]
    return sum(int(f[11]) + int(f[12]) for f in fields) / TICKS


def resets(page, pid):
    """Train a little and begin again, with the same weights or with others; what the server and the page hold on the way."""
    tools, count, stage = page.context.new_cdp_session(page), page.locator(".count"), page.locator("section[role=application]")
    for done in range(RESETS + 1):
        if done % EVERY == 0:
            tools.send("HeapProfiler.collectGarbage")
            heap, nodes = tools.send("Runtime.getHeapUsage")["usedSize"] / 2**20, tools.send("Memory.getDOMCounters")["nodes"]
            app, *others = memory(pid)
            print(f"after {done} resets: app {app:.0f} MiB, its workers {sum(others):.0f} MiB; page {heap:.1f} MiB of objects, {nodes} nodes",
                  flush=True)
        stage.focus()
        page.keyboard.press("s" if done % 2 else "r")
        expect(count).to_have_text(re.compile("pass 0 "))
        page.keyboard.press("Space")
        expect(count).to_have_text(re.compile(r"pass [1-9]\d "))
        page.keyboard.press("Space")


def answers(page):
    """Milliseconds from a key on the noise slider to the new picture."""
    slider, times = page.get_by_role("slider", name="Noise of the data"), []
    for i in range(PRESSES):
        slider.focus()
        page.evaluate("window.drawn = 0")
        page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
        page.wait_for_function("window.drawn > 0", polling="raf", timeout=PATIENCE)
        times.append(page.evaluate("performance.now() - window.pressed"))
        time.sleep(0.5)
    return sorted(times[2:])


def main():
    with sync_playwright() as playwright, running(sys.executable, "-m", "optviz", "app", "--port", "0") as (process, address):
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)

        def visit(query, script, **options):
            page = browser.new_context(viewport={"width": 1280, "height": 720}, **options).new_page()
            page.set_default_timeout(PATIENCE)
            page.add_init_script(script)
            page.goto(address + query)
            page.locator("section[role=application]").wait_for()
            time.sleep(2)
            return page

        page, trainings = visit(SMALL, WATCH), []
        resets(page, process.pid)
        for count in (0, 1, 3):
            while len(trainings) < count:
                trainings.append(visit(HEAVY, ELSEWHERE))
                trainings[-1].locator("section[role=application]").focus()
                trainings[-1].keyboard.press("Space")
            time.sleep(3 * bool(count))
            for training in trainings:
                expect(training.locator(".count")).not_to_have_text("")
            seen, before, began = [t.locator(".count").inner_text() for t in trainings], spent(process.pid), time.perf_counter()
            times = answers(page)
            share = (spent(process.pid) - before) / (time.perf_counter() - began)
            passes = [f"{a} to {b.locator('.count').inner_text()}" for a, b in zip(seen, trainings, strict=True)]
            print(f"a slider beside {count} trainings: median {statistics.median(times):.0f} ms, 95 % below {times[int(0.95 * len(times))]:.0f} ms; "
                  f"server and workers on {share:.2f} cores; {'; '.join(passes)}", flush=True)
        for training in trainings:
            training.context.close()
        for second in range(1, 9):
            before = spent(process.pid)
            time.sleep(1)
            print(f"second {second} after the tabs were closed: {100 * (spent(process.pid) - before):.0f} % of a core", flush=True)


if __name__ == "__main__":
    main()
