"""From a race or a training to a file: one function for each medium, and nothing half-written."""

from __future__ import annotations

import io
import os
import secrets
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
from ..race import LOOK as RACE
from ..race import Race
from ..run import Run
from ..study import LOOK as STUDY
from .exhibit import Exhibit, exhibit, race_of, whole
from .film import film
from .frames import blank, cut_out, frames
from .gif import HOLD, gif
from .network_exhibit import training_exhibit
from .options import Options, options
from .raster import rgb
from .slide import slide
from .svg import Svg

Progress = Callable[[float], None]
SHADES = 8  # between two colours of a GIF: fewer colours are fewer bytes, and more of them stay as they are


def export(what: Any, to: str | os.PathLike[str] | None = None, medium: str | None = None, progress: Progress | None = None,
           **given: Any) -> Path | bytes:
    """The file, written whole or not at all; or the bytes of a medium."""
    looks = RACE if isinstance(what, (Race, Run, Sequence)) else STUDY
    look = {name: given.pop(name) for name in looks if name in given}
    chosen = options(given)
    ending = medium or (Path(to).suffix.removeprefix(".").lower() if to is not None else "")
    if ending not in MEDIA:
        raise unknown_name(ending or "?", MEDIA)
    shown: Exhibit = exhibit(whole(race_of(what).at(**look))) if looks is RACE else training_exhibit(what, look)
    return made(shown, ending, chosen, progress) if to is None else _written(Path(to), MEDIA[ending].make(shown, chosen, progress or _silent))


def made(shown: Exhibit, medium: str, o: Options, progress: Progress | None = None) -> bytes:
    """A file as bytes."""
    return b"".join(MEDIA[medium].make(shown, shown.fitted(o), progress or _silent))


def _silent(share: float) -> None:
    """Nobody wants to know how far it is."""


def _written(path: Path, pieces: Iterator[bytes]) -> Path:
    """A file that takes the old one's place when it is whole; what is no file, such as a pipe, takes the bytes when they are all there."""
    place = path.resolve()
    try:
        if place.exists() and not place.is_file():
            place.write_bytes(b"".join(pieces))
            return path
        new = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        with open(new, "xb") as file:
            try:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.replace(new, place)
            except BaseException:
                os.unlink(new)
                raise
    except OSError as error:
        raise unwritable(path, error) from None
    return path


def unwritable(path: Path, error: OSError) -> Refused:
    """Why there is no file."""
    why = (error.strerror or str(error)).lower()
    return Refused(T(f"{path} cannot be written: {why}; choose another place", f"не удаётся записать {path}; выберите другое место"))


def filename(shown: Exhibit, ending: str, o: Options) -> str:
    """What a file is called: rosenbrock-sgd-adam.gif, rosenbrock-sgd-adam-step-40.png."""
    step = still(shown, o)
    told = f"-{shown.counted}-{step}" if ending in ("png", "svg") and step != shown.steps else "-torch" if ending == "py" and o.torch else ""
    return f"{shown.name}{told}.{ending}"


# --- pictures ----------------------------------------------------------------------------------------------------------------------


def still(shown: Exhibit, o: Options) -> int:
    """The step of a still: where the stage stands, else the last."""
    at = o.last if shown.stands is None else shown.stands
    return shown.steps if at is None else min(at, shown.steps)


def png(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A still."""
    p, when = shown.picture(o), still(shown, o)
    pixels = cut_out(p, when, o.scale) if o.transparent else next(frames(p, [when], o.scale))
    file, told = io.BytesIO(), PngInfo()
    told.add_itxt("Comment", shown.query)
    Image.fromarray(pixels).save(file, "PNG", optimize=True, pnginfo=told)
    yield file.getvalue()


def svg(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A still, as lines and letters."""
    p = shown.picture(o)
    canvas = Svg(p.width, p.height, p.page)
    p.lay(canvas)
    p.ground(canvas, 2 * p.unit)
    p.grow(canvas, 0, still(shown, o))
    p.marks(canvas, still(shown, o))
    yield canvas.document(o.size, o.title or getattr(shown.caption, o.language), shown.query)


def animation(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A GIF."""
    p, when = shown.picture(o, card=o.transparent), o.moments(shown.steps)
    some = when[::-max(len(when) // 4, 1)] if p.anew else when[-1:]  # else the last picture has all that the others have
    under = blank(p, shades=SHADES)
    sample = np.concatenate([pixels.copy() for pixels in frames(p, sorted(some), under=under)])
    clear = cut_out(p, when[0])[:, :, 3] < 128 if o.transparent else None
    theme = THEMES[o.theme]
    pinned = [rgb(c) for c in (*COLOURS, theme.page, theme.ink, theme.isoline)]
    shapes = _told(frames(p, when, under=under), len(when), progress)
    yield from gif(shapes, o.size, o.fps, pinned, 0 if o.loop else None, sample, clear, shown.query, HOLD if o.loop else 0.0)


def _film(shown: Exhibit, o: Options, progress: Progress, container: str) -> Iterator[bytes]:
    """A film."""
    if o.transparent:
        raise Refused(T("a film has no transparent background; choose GIF, PNG, SVG or HTML",
                        "у видео не бывает прозрачного фона; выберите GIF, PNG, SVG или HTML"))
    when = o.moments(shown.steps)
    told = {"title": o.title or getattr(shown.caption, o.language), "comment": shown.query}
    yield film(_told(frames(shown.picture(o), when), len(when), progress), o.size, o.fps, container, told)


def _told(pictures: Iterator[np.ndarray], many: int, progress: Progress) -> Iterator[np.ndarray]:
    """Frames, each with a word of how far it is."""
    for i, pixels in enumerate(pictures):
        progress((i + 1) / many)
        yield pixels


def live(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A slide."""
    yield slide(shown.slide(o), o, getattr(shown.caption, o.language), shown.query)


# --- numbers -----------------------------------------------------------------------------------------------------------------------


def csv(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A table."""
    for line in shown.table(o.language):
        yield line.encode()


def npz(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """Arrays."""
    file = io.BytesIO()
    np.savez_compressed(file, **shown.arrays())
    yield file.getvalue()


def python(shown: Exhibit, o: Options, progress: Progress) -> Iterator[bytes]:
    """A script that makes the same."""
    if not shown.scripts:
        raise Refused(T("a script makes one training; export one of these alone",
                        "программа делает одно обучение; экспортируйте одно из них отдельно"))
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
    "html": Medium(live, "text/html", T("HTML, a live slide: the stage itself in one file", "HTML — живой слайд: сама сцена в одном файле")),
    "png": Medium(png, "image/png", T("PNG, a still", "PNG — кадр")),
    "svg": Medium(svg, "image/svg+xml", T("SVG, a still for print", "SVG — кадр для печати")),
    "csv": Medium(csv, "text/csv", T("CSV, a table of numbers", "CSV — таблица чисел")),
    "npz": Medium(npz, "application/octet-stream", T("NPZ, arrays for NumPy", "NPZ — массивы для NumPy")),
    "py": Medium(python, "text/x-python", T("Python code", "Код на Python")),
}
