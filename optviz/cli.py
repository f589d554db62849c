"""The command optviz: open the app, list what there is, render a race or a training to a file, or all examples."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from . import __version__, optimizers, schedules, surfaces
from .activations import activations
from .augment import augmentations
from .core import Refused, T, shown, unknown_name
from .datasets import datasets
from .heavy import SCHEDULER
from .initializers import initializers
from .losses import losses
from .penalties import penalties
from .preparing import preparations
from .query import FRAME
from .render.options import OPTIONS

REGISTRIES: Mapping[str, Mapping] = {"surfaces": surfaces, "optimizers": optimizers, "schedules": schedules, "activations": activations,
                                   "initializers": initializers, "losses": losses, "penalties": penalties, "datasets": datasets,
                                   "preparations": preparations, "augmentations": augmentations}


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; allowed: 0 to 65535")
    return number


def count(text: str) -> int:
    """How many processes."""
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; allowed: 1 to 64")
    return number


#: What the command line says of a race, as its URL does.
RACE = {
    "surface": "rosenbrock, ravine, …: see optviz list surfaces", "formula": "an own formula, for example x^2 + 3*sin(y)", "start": "-1.5,2",
    "steps": "how many", "box": "x0,x1,y0,y1: what is seen", "noise": "of each gradient", "seed": "of the noise and the crowd",
    "crowd": "how many more starts", "view": "plane or relief", "yaw": "degrees that the relief is turned",
    "pitch": "degrees that it is seen from above", "zoom": "how near it is", "at": "the step of a still",
    "explain": "whose step is explained by arrows: 0 is the first optimizer",
}
#: What it says of a file: render/options.py knows what is possible.
FILE = {
    "size": "960x540", "theme": "light or dark", "transparent": "no ground behind the picture", "language": "en or ru",
    "scale": "of a still: 1, 2 or 4 pixels a point", "frames": "how many (120)", "seconds": "or how long it lasts",
    "stride": "or how many steps from frame to frame", "fps": "frames a second: 25, 33 or 50", "loop": "plays once",
    "first": "the first step that is played", "last": "the last one", "tail": "how many steps of a trail are seen, the older the fainter (all)",
    "panel": "without the curves under the picture", "legend": "without the names under the picture", "counter": "without the number of the step",
    "arrows": "without the arrows of the explained step", "title": "a text above the picture", "caption": "the parameters under the picture",
    "sliders": "lr,adam.beta1,…: what the reader of a live slide can change", "torch": "a .py in plain torch, without optviz",
}


def file_arguments(group: Any) -> None:
    """What is said of a file."""
    for name, what in FILE.items():
        default = OPTIONS[name].default
        how: dict[str, Any] = {"action": "store_const", "const": not default} if isinstance(default, bool) else {"metavar": name.upper()}
        group.add_argument(f"--no-{name}" if default is True else f"--{name}", dest=f"file_{name}", help=what, **how)


def file_options(given: argparse.Namespace) -> dict[str, Any]:
    """The options of a file that were given."""
    texts = {name: text for name in FILE if (text := getattr(given, f"file_{name}")) is not None}
    return {name: OPTIONS[name].parse(name, text) if isinstance(text, str) else text for name, text in texts.items()}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("optviz", description="How neural networks are trained, seen.")
    top.add_argument("--version", action="version", version=f"optviz {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="{app,gallery,list,render}")
    app = commands.add_parser("app", help="open the app in a browser")
    app.add_argument("--host", default="localhost", help="the address to listen on (default: this machine only)")
    app.add_argument("--render", action="store_true", help="draw pictures by URL also for others, where it listens beyond this machine")
    app.add_argument("--processes", type=count, help="how many serve a room (default: one a core, up to 4; one for this machine alone; Linux only)")
    app.add_argument("--scheduler", metavar="ADDRESS", help="the address of a Dask cluster's scheduler, for heavy runs: tcp://…")
    app.add_argument("--port", type=port, default=8501, help="the port; the next free one if it is taken (default: 8501)")
    rendering = commands.add_parser("render", help="render a race or a training to a file: gif, mp4, webm, png, svg, html, csv, npz, py",
                                    description="Render a race, or a training by its link, to a file. What is not given is as the app has it; "
                                                "what a medium has no use for is ignored.")
    race, picture = rendering.add_argument_group("the race"), rendering.add_argument_group("the picture")
    race.add_argument("--url", help="a link that the app shared, or its query")
    race.add_argument("--optimizer", action="append", metavar="WORD", help="adam:lr=0.05,beta1=0.8,schedule=cosine; once for each")
    for name, what in RACE.items():
        race.add_argument(f"--{name}", help=what)
    rendering.add_argument("-o", "--output", required=True, help="the file, whose ending says which medium; - for standard output")
    rendering.add_argument("--medium", help="which medium, where no ending says it")
    file_arguments(picture)
    showing = commands.add_parser("gallery", help="render every example of the app", description="Render every example of the app into a folder.")
    showing.add_argument("examples", nargs="*", metavar="EXAMPLE", help="which ones (default: all)")
    showing.add_argument("-o", "--output", default="assets/gallery", help="the folder (default: assets/gallery)")
    showing.add_argument("--medium", default="gif", help="gif, mp4, webm, html, png, svg, … (default: gif)")
    file_arguments(showing.add_argument_group("the picture"))
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


def render(given: argparse.Namespace) -> None:
    """Render what the command line says."""
    from .pace import Pace
    from .race import Race
    from .render import render as rendered
    from .study import Study

    link = given.url or ""
    query = urlsplit(link).query if "?" in link or "://" in link else link
    link_language = parse_qs(query).get("lang", [""])[-1]
    fields = [field for field in query.split("&") if field and field.partition("=")[0] not in FRAME]
    for name in RACE:
        if (value := getattr(given, name)) is not None:
            fields = [field for field in fields if field.partition("=")[0] != name] + [f"{name}={quote(value)}"]
    if given.optimizer is not None:
        fields = [field for field in fields if field.partition("=")[0] != "optimizer"] + [f"optimizer={quote(word)}" for word in given.optimizer]
    options = file_options(given)
    if link_language in ("en", "ru"):
        options = {"language": link_language} | options
    lab, text, watched = urlsplit(link).path.rpartition("/")[2] if "?" in link or "://" in link else "", "&".join(fields), sys.stderr.isatty()
    read: dict[str, Callable[[str], Any]] = {"": Race.from_query, "descent": Race.from_query, "boundary": Study.from_query,
                                             "schedules": lambda query: Pace.from_query(query).race}
    if lab not in read:
        raise Refused(T(f"--url: {shown(lab)} is drawn by the app alone; open the link there and press Export",
                        f"--url: {shown(lab)} рисует только само приложение; откройте в нём эту ссылку и нажмите «Экспорт»"))
    spec = read[lab](text)

    def progress(share: float) -> None:
        print(f"\r{share:4.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
    if given.output == "-":
        data = rendered(spec, None, given.medium, progress if watched else None, **options)
        assert isinstance(data, bytes)
        sys.stdout.buffer.write(data)
    else:
        path = rendered(spec, given.output, given.medium, progress if watched else None, **options)
        assert isinstance(path, Path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} KB", file=sys.stderr)


def gallery(given: argparse.Namespace) -> None:
    """Render the examples, in the order of a lecture; the number in front of a name keeps it."""
    from .presets import presets
    from .render import render as rendered
    from .render.export import MEDIA, unwritable

    chosen, options, folder = [presets[key].key for key in given.examples] or list(presets), file_options(given), Path(given.output)
    if given.medium not in MEDIA:
        raise unknown_name(given.medium, MEDIA)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    for number, (key, preset) in enumerate(presets.items(), 1):
        if key in chosen:
            path = rendered(preset.race, folder / f"{number:02}-{key}.{given.medium}", **options)
            assert isinstance(path, Path)
            print(f"{path}: {path.stat().st_size / 1000:.0f} KB", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 it could not be done, 2 a wrong command line."""
    given = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # names are bilingual, and a bare terminal may be ASCII
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        if given.command == "list":
            show([given.registry] if given.registry else list(REGISTRIES))
        elif given.command in ("render", "gallery"):
            (render if given.command == "render" else gallery)(given)
        else:
            from .server import serve  # Streamlit takes a second to import; `optviz list` does not need it
            if given.scheduler:
                os.environ[SCHEDULER] = given.scheduler  # for the processes that do heavy runs
            serve(given.host, given.port, render=given.render, processes=given.processes)
        sys.stdout.flush()
    except BrokenPipeError:  # optviz list | head: the reader has had enough, and Python's own last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Refused, OSError) as error:
        print(f"optviz: {error}", file=sys.stderr)
        return 2 if given.command in ("render", "gallery") else 1
    return 0
