"""Our own way to start Streamlit: under uvicorn, which answers a rerun six times faster than `streamlit run`."""

from __future__ import annotations

import base64
import contextlib
import gc
import hashlib
import ipaddress
import os
import re
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from . import room
from .core import Refused, T
from .render.route import Asgi, Message, Pictures, Receive, Send

HERE = Path(__file__).parent
#: Where app.py, pages/ and assets/ are: inside an installed wheel, or beside the package in a checkout.
SITE = HERE / "site" if (HERE / "site").is_dir() else HERE.parent
#: What is only right for a served app; all else stands in .streamlit/config.toml, which `streamlit run` reads, too.
OPTIONS = {"server.headless": True, "server.fileWatcherType": "none"}
TRIES = 50
FONT = "/_stcore/bidi-components/optviz.frame/fonts/text.woff2"
MODULES = [f"/_stcore/bidi-components/optviz.stage/{name}.js" for name in
           ("stage", "player", "hands", "plane", "chart", "explain", "gauges", "relief", "scene")]


def bind(host: str, port: int) -> socket.socket:
    """A bound socket on the port, or on the next one that is free; it does not listen yet."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):  # the second: a name that cannot be one, such as a..b
        raise Refused(T(f"--host={host} is no address of this machine; use localhost or 0.0.0.0",
                        f"--host={host} — не адрес этой машины; укажите localhost или 0.0.0.0")) from None
    for candidate in range(port, min(port + TRIES, 65536)) if port else (0,):
        bound = socket.socket(address[0], socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sends at once only what it knows to be TCP
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((address[4][0], candidate))
        except PermissionError:
            bound.close()
            raise Refused(T(f"--port={candidate} needs more rights; use a port above 1023",
                            f"--port={candidate}: не хватает прав; выберите порт больше 1023")) from None
        except OSError:
            bound.close()
            continue
        return bound
    last = min(port + TRIES, 65536) - 1
    raise Refused(T(f"no port from {port} to {last} is free on {host}, or {host} is no address of this machine; choose --port or --host",
                    f"на {host} нет свободного порта от {port} до {last}, или {host} — не адрес этой машины; укажите --port или --host"))


def policy(page: str) -> str:
    """What a page may load: everything from here, nothing from elsewhere; the stage compiles formulas to JavaScript.

    No word about frames: any slide may hold the app, also one opened from disk, which even `frame-ancestors *` would forbid.
    """
    inline = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in re.findall(r"<script>(.*?)</script>", page, re.S)]
    scripts = " ".join(["'self'", "'unsafe-eval'", *(f"'sha256-{digest}'" for digest in inline)])
    return (f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
            "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'")


def guarded(app: Asgi, page: str) -> Asgi:
    """The app with the headers of a careful house; the page asks for its font and its stage before Streamlit has been loaded."""
    always = [(b"x-content-type-options", b"nosniff"), (b"content-security-policy", policy(page).encode())]
    wanted = [f'<{FONT}>; rel=preload; as=font; type="font/woff2"; crossorigin', *(f"<{name}>; rel=modulepreload" for name in MODULES)]
    preload = (b"link", ", ".join(wanted).encode())

    async def guard(scope: Message, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in always}
                headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in own]
                html = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)
                message["headers"] = [*headers, *always, *[preload] * html]
            await send(message)

        await app(scope, receive, answer if scope["type"] == "http" else send)

    return guard


def warm() -> None:
    """What the first visitor would wait for: libraries are loaded, and the race that opens the app is run."""
    from .outcome import solve
    from .presets import opening
    from .scene import race_scene

    race_scene(solve(opening("")))
    gc.collect()
    gc.freeze()  # what is here now stays: no collection looks at it again


def answer(bound: socket.socket, script: Path, render: bool, ready: Callable[[], object]) -> None:
    """Answer what comes to a socket; `ready` is called when it can."""
    # Ctrl-C while Streamlit is being imported: as an exception it could be lost in a library that catches everything.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    import streamlit as st
    import uvicorn
    from streamlit import config

    app = st.App(script)  # first: it tells Streamlit where the configuration file is
    for name, value in OPTIONS.items():
        config.set_option(name, value)
    config.set_option("server.port", bound.getsockname()[1])

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await pictures.close()  # else whoever waits for one would hold the server up
            await super().shutdown(sockets)

    warm()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    page = (Path(st.__file__).parent / "static/index.html").read_text("utf-8")
    pictures = Pictures(guarded(app, page), render or alone(bound), alone(bound))
    # uvicorn takes uvloop where there is one; compressing what goes through a hall's own network takes longer than sending it
    Server(uvicorn.Config(pictures, log_level="warning", timeout_graceful_shutdown=1, ws_per_message_deflate=False)).run(sockets=[bound])


def member(number: int, script: str, render: bool) -> None:
    """One of a room's processes, with an open socket's number."""
    def watch() -> None:
        os.read(0, 1)  # until nobody holds the other end: the room is over
        os.kill(os.getpid(), signal.SIGINT)

    def ready() -> None:
        print(flush=True)
        os.dup2(2, 1)  # whatever prints from now on prints to the log

    threading.Thread(target=watch, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt), socket.socket(fileno=number) as bound:
        answer(bound, Path(script), render, ready)


def alone(bound: socket.socket) -> bool:
    """Whether only this machine can reach a socket."""
    return ipaddress.ip_address(bound.getsockname()[0]).is_loopback


def serve(host: str, port: int, script: Path = SITE / "app.py", render: bool = False, processes: int | None = None) -> None:
    """Run the app until Ctrl-C; the one line printed is its address. Pictures by URL are drawn for this machine, for others with `render`.

    A room, whom others than this machine reach, gets several processes.
    """
    with contextlib.suppress(KeyboardInterrupt), bind(host, port) as bound:
        chosen = bound.getsockname()[1]
        if port not in (0, chosen):
            print(f"Port {port} is taken, using {chosen}.", flush=True)
        shown = "localhost" if host in ("localhost", "127.0.0.1") else f"[{host}]" if ":" in host else host
        if processes is None:
            processes = 1 if alone(bound) else room.usual()
        sockets = room.shared(bound, processes)

        def ready() -> None:
            print(f"http://{shown}:{chosen}", flush=True)

        if len(sockets) > 1:
            room.serve(sockets, script, render, ready)
        else:
            answer(bound, script, render, ready)
