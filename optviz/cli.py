"""The command optviz: open the app, list what there is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from . import __version__, optimizers, schedules, surfaces
from .core import Refused

REGISTRIES: Mapping[str, Mapping] = {"surfaces": surfaces, "optimizers": optimizers, "schedules": schedules}


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; allowed: 0 to 65535")
    return number


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("optviz", description="How neural networks are trained, seen.")
    top.add_argument("--version", action="version", version=f"optviz {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="{app,list}")
    app = commands.add_parser("app", help="open the app in a browser")
    app.add_argument("--host", default="localhost", help="the address to listen on (default: this machine only)")
    app.add_argument("--port", type=port, default=8501, help="the port; the next free one if it is taken (default: 8501)")
    listing = commands.add_parser("list", help="print the keys of a registry")
    listing.add_argument("registry", nargs="?", choices=list(REGISTRIES), help="which one (default: all)")
    return top


def show(names: Sequence[str]) -> None:
    for name in names:
        if len(names) > 1:
            print(f"{name}:")
        registry = REGISTRIES[name]
        width = max(map(len, registry))
        for key, definition in registry.items():
            print(f"  {key:{width}}  {definition.name.en} · {definition.name.ru}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 it could not be done, 2 a wrong command line."""
    given = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # names are bilingual, and a bare terminal may be ASCII
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        if given.command == "list":
            show([given.registry] if given.registry else list(REGISTRIES))
        else:
            from .server import serve  # Streamlit takes a second to import; `optviz list` does not need it
            serve(given.host, given.port)
        sys.stdout.flush()
    except BrokenPipeError:  # optviz list | head: the reader has had enough, and Python's own last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Refused, OSError) as error:
        print(f"optviz: {error}", file=sys.stderr)
        return 1
    return 0
