"""Our own way to start Streamlit: under uvicorn, which answers a rerun six times faster than `streamlit run`."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from .core import Refused, T

HERE = Path(__file__).parent
#: Where app.py, pages/ and assets/ are: inside an installed wheel, or beside the package in a checkout.
SITE = HERE / "site" if (HERE / "site").is_dir() else HERE.parent
OPTIONS = {"browser.gatherUsageStats": False, "server.headless": True, "server.fileWatcherType": "none", "client.toolbarMode": "minimal",
           "client.showErrorDetails": "none", "runner.postScriptGC": False}
TRIES = 50


def listen(host: str, port: int) -> socket.socket:
    """A bound socket on the port, or on the next one that is free."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):  # the second: a name that cannot be one, such as a..b
        raise Refused(T(f"--host={host} is no address of this machine; use localhost or 0.0.0.0",
                        f"--host={host} — не адрес этой машины; укажите localhost или 0.0.0.0")) from None
    for candidate in range(port, min(port + TRIES, 65536)) if port else (0,):
        bound = socket.socket(address[0], socket.SOCK_STREAM)
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
        bound.listen(128)
        return bound
    last = min(port + TRIES, 65536) - 1
    raise Refused(T(f"no port from {port} to {last} is free on {host}, or {host} is no address of this machine; choose --port or --host",
                    f"на {host} нет свободного порта от {port} до {last}, или {host} — не адрес этой машины; укажите --port или --host"))


def serve(host: str, port: int) -> None:
    """Run the app until Ctrl-C; the one line printed is its address."""
    with contextlib.suppress(KeyboardInterrupt), listen(host, port) as bound:  # Ctrl-C may come while Streamlit is being imported
        import streamlit as st
        import uvicorn
        from streamlit import config

        for name, value in OPTIONS.items():
            config.set_option(name, value)
        chosen = bound.getsockname()[1]
        config.set_option("server.port", chosen)
        if port not in (0, chosen):
            print(f"Port {port} is taken, using {chosen}.", flush=True)
        shown = "localhost" if host in ("localhost", "127.0.0.1") else f"[{host}]" if ":" in host else host

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                print(f"http://{shown}:{chosen}", flush=True)

        Server(uvicorn.Config(st.App(SITE / "app.py"), log_level="warning", timeout_graceful_shutdown=1)).run(sockets=[bound])
