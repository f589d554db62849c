"""From a race to a file: one function for each medium, and nothing half-written."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core import Refused, T, unknown_name
from ..palette import COLOURS, THEMES
from ..race import LOOK, Race
from ..run import Run
from .exhibit import Exhibit, exhibit, race_of
from .film import film
from .frames import blank, cut_out, frames
from .gif import gif
from .options import Options, options
from .picture import Look, Picture
from .raster import rgb
from .slide import slide
from .svg import Svg

Progress = Callable[[float], None]
SHADES = 8  # between two colours of a GIF: fewer colours are fewer bytes, and more of them stay as they are


def export(what: Race | Run | Sequence[Run], to: str | os.PathLike[str] | None = None, medium: str | None = None, progress: Progress | None = None,
           **given: Any) -> Path | bytes:
    """The file, written whole or not at all; or the bytes of a medium."""
    look = {name: given.pop(name) for name in LOOK if name in given}
    chosen = options(given)
    ending = medium or (Path(to).suffix.removeprefix(".").lower() if to is not None else "")
    if ending not in MEDIA:
        raise unknown_name(ending or "?", MEDIA)
    shown = exhibit(race_of(what).at(**look))
    return made(shown, ending, chosen, progress) if to is None else _written(Path(to), MEDIA[ending].make(shown, chosen, progress or _silent))


def made(shown: Exhibit, medium: str, o: Options, progress: Progress | None = None) -> bytes:
    """A file as bytes."""
    return b"".join(MEDIA[medium].make(shown, o, progress or _silent))


def _silent(share: float) -> None:
    """Nobody wants to know how far it is."""


def _written(path: Path, pieces: Iterator[bytes]) -> Path:
    """A file that takes the old one's place when it is whole."""
    try:
        file = tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115  it is moved
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with file:
            for piece in pieces:
                file.write(piece)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(file.name, 0o666 & ~umask)
        os.replace(file.name, path)
    except BaseException as error:
        os.unlink(file.name)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return path


def _unwritable(path: Path, error: OSError) -> Refused:
    why = (error.strerror or str(error)).lower()
    return Refused(T(f"{path} cannot be written: {why}; choose another place", f"не удаётся записать {path}: {why}; выберите другое место"))


def filename(shown: Exhibit, ending: str, o: Options) -> str:
    """What a file is called: rosenbrock-sgd-adam.gif, rosenbrock-sgd-adam-step-40.png."""
    step = still(shown, o)
    told = f"-step-{step}" if ending in ("png", "svg") and step != shown.scene.steps else "-torch" if ending == "py" and o.torch else ""
    return f"{shown.name}{told}.{ending}"


# --- pictures ----------------------------------------------------------------------------------------------------------------------


def picture(shown: Exhibit, o: Options, card: bool = False) -> Picture:
    """What is drawn."""
    under = getattr(shown.caption, o.language) if o.caption else ""
    return Picture(shown.scene, Look(o.size, o.theme, o.language, o.panel, o.legend, o.counter, o.title, under, o.tail, o.arrows, o.transparent,
                                     card))


def still(shown: Exhibit, o: Options) -> int:
    """The step of a still: where the stage stands, else the last."""
    at = shown.scene.look.get("at")
    steps = shown.scene.steps
    return min(steps if o.last is None else o.last, steps) if at is None else min(int(str(at)), steps)


def png(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A still."""
    p, when = picture(shown, o), still(shown, o)
    pixels = cut_out(p, when, o.scale) if o.transparent else next(frames(p, [when], o.scale))
    file, told = io.BytesIO(), PngInfo()
    told.add_itxt("Comment", shown.query)
    Image.fromarray(pixels).save(file, "PNG", optimize=True, pnginfo=told)
    yield file.getvalue()


def svg(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A still, as lines and letters."""
    p = picture(shown, o)
    canvas = Svg(p.width, p.height, p.page)
    p.lay(canvas)
    p.ground(canvas, 2 * p.unit)
    p.grow(canvas, 0, still(shown, o))
    p.marks(canvas, still(shown, o))
    yield canvas.document(o.size, o.title or getattr(shown.caption, o.language), shown.query)


def animation(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A GIF."""
    p, when = picture(shown, o, card=o.transparent), o.moments(shown.scene.steps)
    some = when[::-max(len(when) // 4, 1)] if o.tail else when[-1:]  # the last picture has all trails, but of those that fade only the ends
    under = blank(p, shades=SHADES)
    sample = np.concatenate([pixels.copy() for pixels in frames(p, sorted(some), under=under)])
    clear = cut_out(p, when[0])[:, :, 3] < 128 if o.transparent else None
    theme = THEMES[o.theme]
    pinned = [rgb(c) for c in (*COLOURS, theme.page, theme.ink, theme.isoline)]
    shapes = _told(frames(p, when, under=under), len(when), progress)
    yield from gif(shapes, o.size, o.fps, pinned, 0 if o.loop else None, sample, clear, shown.query)


def _film(shown: Exhibit, o: Options, progress: Progress, container: str) -> Iterator[bytes]:
    """A film."""
    if o.transparent:
        raise Refused(T("a film has no transparent background; choose GIF, PNG, SVG or HTML",
                        "у видео не бывает прозрачного фона; выберите GIF, PNG, SVG или HTML"))
    when = o.moments(shown.scene.steps)
    told = {"title": o.title or getattr(shown.caption, o.language), "comment": shown.query}
    yield film(_told(frames(picture(shown, o), when), len(when), progress), o.size, o.fps, container, told)


def _told(pictures: Iterator[np.ndarray], many: int, progress: Progress) -> Iterator[np.ndarray]:
    """Frames, each with a word of how far it is."""
    for i, pixels in enumerate(pictures):
        progress((i + 1) / many)
        yield pixels


# --- numbers -----------------------------------------------------------------------------------------------------------------------


def csv(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A line for each step of each run; a run that diverged ends there."""
    yield b"optimizer,name,step,x,y,f,lr\r\n"
    for path in shown.scene.paths:
        label = '"' + getattr(path.name, o.language).replace('"', '""') + '"'
        key = shown.words[path.entrant].partition(":")[0]
        last = len(path.height) if path.end is None else path.end
        rates = [*map(repr, path.rate.tolist()), ""]
        for k, (x, y, f) in enumerate(zip(*path.points[:, :last].tolist(), path.height[:last].tolist(), strict=True)):
            yield f"{key},{label},{k},{x!r},{y!r},{f!r},{rates[k]}\r\n".encode()


def npz(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """Arrays of every run: points_0, loss_0, lr_0, …; and what they are, in `runs` and `query`."""
    file, arrays = io.BytesIO(), dict[str, Any]()
    for path in shown.scene.paths:
        arrays |= {f"points_{path.entrant}": path.points, f"loss_{path.entrant}": path.height, f"lr_{path.entrant}": path.rate}
    np.savez_compressed(file, runs=np.array(shown.words), query=np.array(shown.query), **arrays)
    yield file.getvalue()


def python(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A script that makes the same descents."""
    yield shown.scripts["torch" if o.torch else "optviz"](o.language).encode()


@dataclass(frozen=True)
class Medium:
    """What an ending stands for: how such a file is made, what browsers call it, and what it is for."""

    make: Callable[[Exhibit, Options, Progress], Iterator[bytes]]
    kind: str
    name: T


#: By the ending of a file.
MEDIA: Mapping[str, Medium] = {
    "gif": Medium(animation, "image/gif", T("GIF, for any slide", "GIF — для любого слайда")),
    "mp4": Medium(partial(_film, container="mp4"), "video/mp4", T("MP4, a film", "MP4 — видео")),
    "webm": Medium(partial(_film, container="webm"), "video/webm", T("WebM, a film for the web", "WebM — видео для веба")),
    "html": Medium(slide, "text/html", T("HTML, a live slide: the stage itself in one file", "HTML — живой слайд: сама сцена в одном файле")),
    "png": Medium(png, "image/png", T("PNG, a still", "PNG — кадр")),
    "svg": Medium(svg, "image/svg+xml", T("SVG, a still for print", "SVG — кадр для печати")),
    "csv": Medium(csv, "text/csv", T("CSV, a table of the steps", "CSV — таблица шагов")),
    "npz": Medium(npz, "application/octet-stream", T("NPZ, arrays for NumPy", "NPZ — массивы для NumPy")),
    "py": Medium(python, "text/x-python", T("Python code", "Код на Python")),
}
