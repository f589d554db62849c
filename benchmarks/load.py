"""A room: visitors who each move a slider once a second, about one in ten with heavy runs, against this server and against `streamlit run`.

    python benchmarks/load.py [visitors] [seconds] [ours|streamlit]

What is told: how long a slider's answer takes (half of them, 95 %), how many went wrong, and the server's memory before and after, the
workers that do its heavy runs not counted. Every visitor comes from an address of its own, as in a room. Linux only.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).parent.parent
LIMIT = 0.5  # seconds for 95 % of the answers
PATIENCE = 60.0
LAB = "surface=ravine&start=-8.0,3.0&steps=300"  # the Descent lab with five optimizers and a slider for the surface
HEAVY = 10  # one visitor in about so many


class Visitor:
    """A browser without a picture: it asks, and hears until the page is through."""

    def __init__(self, address: str, number: int):
        self.address, self.number = address, number
        self.place = f"127.0.{number // 250}.{number % 250 + 1}"  # a machine of one's own, as in a room
        self.waits: list[float] = []
        self.wrong = 0

    async def ask(self, socket, page: str, query: str, widget: tuple[str, str] | None = None) -> dict[str, tuple[str, tuple]]:
        """A run of a page; its sliders by label: id, and where they can stand."""
        message = BackMsg()
        message.rerun_script.page_name, message.rerun_script.query_string = page, query
        if widget:
            state = message.rerun_script.widget_states.widgets.add()
            state.id = widget[0]
            state.string_array_value.data.append(widget[1])
        await socket.send(message.SerializeToString())
        sliders = {}
        while True:
            heard = ForwardMsg()
            heard.ParseFromString(await asyncio.wait_for(socket.recv(), PATIENCE))
            kind = heard.WhichOneof("type")
            if kind == "delta" and heard.delta.new_element.WhichOneof("type") == "slider":
                slider = heard.delta.new_element.slider
                sliders[slider.label] = slider.id, tuple(slider.options)
            elif kind == "delta" and heard.delta.new_element.WhichOneof("type") == "exception":
                self.wrong += 1
            elif kind == "script_finished" and heard.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return sliders

    async def visit(self, until: float) -> None:
        """Come, look, and move a slider once a second until the lesson is over."""
        rng = random.Random(self.number)
        try:
            async with websockets.connect(f"ws://{self.address}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE,
                                          local_addr=(self.place, 0)) as socket:
                heavy = self.number % (HEAVY + 1) == 0  # not each at an address that ends alike, which one process would have to serve
                place = ("maps", f"side={64 + self.number}&steps=300") if heavy else ("", LAB)
                sliders = await self.ask(socket, *place)
                while time.monotonic() < until:
                    begun = time.monotonic()
                    name, stops = rng.choice(sorted(sliders.values()))
                    new = await self.ask(socket, *place, (name, rng.choice(stops)))
                    if not heavy:
                        self.waits.append(time.monotonic() - begun)
                    sliders = new or sliders
                    await asyncio.sleep(max(0.0, 1 - (time.monotonic() - begun)) * rng.uniform(0.8, 1.2))
        except (OSError, TimeoutError, websockets.WebSocketException) as failure:
            self.wrong += 1
            print(f"visitor {self.number}: {failure!r}", file=sys.stderr)


async def room(address: str, count: int, seconds: float) -> list[Visitor]:
    """So many visitors, who come one after another within some seconds."""
    visitors = [Visitor(address, k) for k in range(count)]
    until = time.monotonic() + seconds

    async def later(k: int, visitor: Visitor) -> None:
        await asyncio.sleep(5 * k / count)
        await visitor.visit(until)
    await asyncio.gather(*(later(k, visitor) for k, visitor in enumerate(visitors)))
    return visitors


def memory(pid: int) -> float:
    """MiB of a server: of its process, and of those that answer beside it."""
    around = [str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    texts = [Path(f"/proc/{one}/status").read_text() for one in around if "optviz.workers" not in Path(f"/proc/{one}/cmdline").read_text()]
    return sum(int(text.split("VmRSS:")[1].split()[0]) for text in texts if "VmRSS:" in text) / 1024  # not of one that has just ended


def served(kind: str, port: int) -> subprocess.Popen:
    """A server of either kind, ready."""
    command = {"ours": ["-m", "optviz", "app", "--host", "0.0.0.0", "--port", str(port)],
               "streamlit": ["-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"]}[kind]
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    import urllib.request
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return process
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{kind}: no server")


def main() -> None:
    """Both servers, one after the other."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
    for i, kind in enumerate(sys.argv[3:] or ["ours", "streamlit"]):
        port = 8651 + i
        server = served(kind, port)
        try:
            asyncio.run(room(f"127.0.0.1:{port}", 2, 3))  # what only the first visitor pays
            before = memory(server.pid)
            halves = []
            visitors = asyncio.run(room(f"127.0.0.1:{port}", count, seconds / 2))
            halves.append(memory(server.pid))
            visitors += asyncio.run(room(f"127.0.0.1:{port}", count, seconds / 2))
            halves.append(memory(server.pid))
            waits = sorted(w for v in visitors for w in v.waits)
            if not waits:
                print(f"{kind:10} {count} visitors, {seconds:g} s: nobody was answered, {sum(v.wrong for v in visitors)} went wrong", flush=True)
                continue
            p95 = waits[int(0.95 * len(waits))]
            print(f"{kind:10} {count} visitors, {seconds:g} s: {len(waits)} answers, half within {1000 * statistics.median(waits):.0f} ms, "
                  f"95 % within {1000 * p95:.0f} ms (limit {1000 * LIMIT:g}), {sum(v.wrong for v in visitors)} went wrong; memory {before:.0f} MiB, "
                  f"{halves[0]:.0f} after half, {halves[1]:.0f} after all", flush=True)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


if __name__ == "__main__":
    os.environ.setdefault("OPTVIZ_CACHE", os.devnull)  # nothing is kept: every heavy run is run
    main()
