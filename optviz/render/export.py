"""From a race to a file: options with their ranges, one function for each medium, and nothing half-written."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..core import Refused, T, out_of_range, short, unknown_name
from ..outcome import Outcome, solve
from ..palette import COLOURS, THEMES
from ..race import Race
from ..run import Run
from ..scene import named, race_scene
from .code import with_optviz, with_torch
from .frames import frames
from .gif import gif
from .picture import Look, Picture
from .raster import rgb
from .svg import Svg

SIDES, PIXELS, FRAMES, RATES, FINER = (64, 4096), 3840 * 2160, (1, 1000), (25, 33, 50), (1, 2, 4)
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Options:
    """What of a race is exported, and how."""

    size: tuple[int, int] = (960, 540)
    theme: str = "light"
    language: str = "en"
    scale: int = 1  # pixels a point of a still
    frames: int = 120
    fps: int = 25
    loop: bool = True
    start: int = 0  # the steps between which it plays
    end: int | None = None
    at: int | None = None  # the step of a still; the end
    panel: bool = True
    legend: bool = True
    counter: bool = True
    title: str = ""
    caption: bool = False  # the parameters, under the picture
    torch: bool = False  # the script in plain torch, without optviz

    def __post_init__(self) -> None:
        names = {"size": _whole_pair(self.size), "theme": self.theme in THEMES, "language": self.language in ("en", "ru"),
                 "scale": self.scale in FINER, "frames": _whole(self.frames, *FRAMES), "fps": self.fps in RATES,
                 "title": isinstance(self.title, str) and len(self.title) <= 200,
                 **{n: getattr(self, n) is None or _whole(getattr(self, n), 0, 10_000) for n in ("start", "end", "at")}}
        allowed = {"size": T(f"two numbers from {SIDES[0]} to {SIDES[1]}, together up to {PIXELS} pixels",
                             f"два числа от {SIDES[0]} до {SIDES[1]}, вместе не больше {PIXELS} пикселей"),
                   "theme": T(*[", ".join(THEMES)] * 2), "language": T("en, ru", "en, ru"), "scale": T(*[", ".join(map(str, FINER))] * 2),
                   "frames": T(*[f"{FRAMES[0]} … {FRAMES[1]}"] * 2), "fps": T(*[", ".join(map(str, RATES))] * 2),
                   "title": T("up to 200 letters", "не больше 200 знаков"), **{n: T(*["0 … 10000"] * 2) for n in ("start", "end", "at")}}
        for name, good in names.items():
            if not good:
                raise out_of_range(name, getattr(self, name), allowed[name])
        if self.scale**2 * self.size[0] * self.size[1] > PIXELS * 4:
            raise out_of_range("scale", self.scale, T("less for so large a size", "меньше при таком размере"))


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _whole_pair(size: Any) -> bool:
    return isinstance(size, tuple) and len(size) == 2 and all(_whole(side, *SIDES) for side in size) and size[0] * size[1] <= PIXELS


def export(what: Race | Run | Sequence[Run], to: str | os.PathLike[str] | None = None, medium: str | None = None, progress: Progress | None = None,
           **options: Any) -> Path | bytes:
    """The file, written whole or not at all; or the bytes of a medium."""
    for name in options:
        if name not in {f.name for f in fields(Options)}:
            raise unknown_name(name, {f.name: f for f in fields(Options)}, options[name])
    chosen = Options(**options)
    ending = medium or (Path(to).suffix.removeprefix(".").lower() if to is not None else "")
    if ending not in MEDIA:
        raise unknown_name(ending or "?", MEDIA)
    pieces = MEDIA[ending](solve(race_of(what)), chosen, progress or (lambda share: None))
    if to is None:
        return b"".join(pieces)
    return _written(Path(to), pieces)


def race_of(what: Race | Run | Sequence[Run]) -> Race:
    """Runs side by side as a race; they must share what a race shares."""
    if isinstance(what, Race):
        return what
    races = [Race.from_query(run.to_query()) for run in ([what] if isinstance(what, Run) else what)]
    if not races:
        raise Refused(T("there is no run to show", "нет ни одного спуска, который можно показать"))
    first = races[0]
    if any(other.at(entrants=first.entrants) != first for other in races[1:]):
        raise Refused(T("these runs do not share one surface, start, number of steps and noise",
                        "у этих спусков разные функции, старты, число шагов или шум"))
    return first.at(entrants=[e for race in races for e in race.entrants])


def _written(path: Path, pieces: Iterator[bytes]) -> Path:
    """A file that takes the old one's place when it is whole."""
    with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            for piece in pieces:
                file.write(piece)
            file.close()
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(file.name, 0o666 & ~umask)
            os.replace(file.name, path)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
    return path


# --- pictures ----------------------------------------------------------------------------------------------------------------------


def picture(outcome: Outcome, o: Options) -> Picture:
    """The picture of a race."""
    under = caption(outcome.race, o.language) if o.caption else ""
    return Picture(race_scene(outcome), Look(o.size, o.theme, o.language, o.panel, o.legend, o.counter, o.title.strip(), under))


def caption(race: Race, language: str) -> str:
    """Where, how long and who, at which rate."""
    where = getattr(race.surface.name, language)
    steps = T("{} steps", "шагов: {}")
    who = ", ".join(f"{getattr(short_name, language)} α = {short(e['lr'])}"
                    for e, (_, short_name, _) in zip(race.entrants, named(race), strict=True) if not e.muted)
    return f"{where} · {getattr(steps, language).format(race['steps'])} · {who}"


def moments(race: Race, o: Options) -> np.ndarray:
    """The steps, whole or not, that the frames show."""
    end = min(race["steps"] if o.end is None else o.end, race["steps"])
    if o.start > end:
        raise out_of_range("start", o.start, T(f"0 … {end}", f"0 … {end}"))
    return np.linspace(o.start, end, o.frames) if o.frames > 1 else np.array([float(end)])


def png(outcome: Outcome, o: Options, progress: Progress) -> Iterator[bytes]:
    """A still."""
    (pixels,) = frames(picture(outcome, o), [still(outcome.race, o)], o.scale)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    yield file.getvalue()


def svg(outcome: Outcome, o: Options, progress: Progress) -> Iterator[bytes]:
    """A still, as lines and letters."""
    p = picture(outcome, o)
    canvas = Svg(p.width, p.height, p.theme.page)
    p.lay(canvas)
    p.ground(canvas, 2 * p.unit)
    p.grow(canvas, 0, still(outcome.race, o))
    p.marks(canvas, still(outcome.race, o))
    yield canvas.document(o.size, o.title or caption(outcome.race, o.language))


def still(race: Race, o: Options) -> int:
    """The step of a still."""
    at = o.end if o.at is None else o.at
    return race["steps"] if at is None else min(at, race["steps"])


def animation(outcome: Outcome, o: Options, progress: Progress) -> Iterator[bytes]:
    """A GIF."""
    p, when = picture(outcome, o), moments(outcome.race, o)
    (sample,) = (pixels.copy() for pixels in frames(p, when[-1:]))
    theme = THEMES[o.theme]
    pinned = [rgb(c) for c in (*COLOURS, theme.page, theme.ink, theme.isoline)]
    shown = (_told(pixels, (i + 1) / len(when), progress) for i, pixels in enumerate(frames(p, when)))
    yield from gif(shown, o.size, o.fps, pinned, 0 if o.loop else None, sample)


def _told(pixels: np.ndarray, share: float, progress: Progress) -> np.ndarray:
    progress(share)
    return pixels


# --- numbers -----------------------------------------------------------------------------------------------------------------------


def csv(outcome: Outcome, o: Options, progress: Progress) -> Iterator[bytes]:
    """A line for each step of each run; a run that diverged ends there."""
    yield b"optimizer,name,step,x,y,f,lr\r\n"
    for e, (name, *_), trail in zip(outcome.race.entrants, named(outcome.race), outcome.trails, strict=True):
        if trail is None:
            continue
        label = '"' + getattr(name, o.language).replace('"', '""') + '"'
        last = len(trail.loss) if trail.diverged_at is None else trail.diverged_at
        rates = [*map(repr, trail.lr.tolist()), ""]
        for k, (x, y, f) in enumerate(zip(*trail.points[:, :last].tolist(), trail.loss[:last].tolist(), strict=True)):
            yield f"{e.optimizer},{label},{k},{x!r},{y!r},{f!r},{rates[k]}\r\n".encode()


def npz(outcome: Outcome, o: Options, progress: Progress) -> Iterator[bytes]:
    """Arrays of every run: points_0, loss_0, lr_0, …; and what they are, in `runs` and `query`."""
    file, arrays = io.BytesIO(), dict[str, Any]()
    for i, trail in enumerate(outcome.trails):
        if trail is not None:
            arrays |= {f"points_{i}": trail.points, f"loss_{i}": trail.loss, f"lr_{i}": trail.lr}
    np.savez_compressed(file, runs=np.array([e.word() for e in outcome.race.entrants]), query=np.array(outcome.race.to_query()), **arrays)
    yield file.getvalue()


def python(outcome: Outcome, o: Options, progress: Progress) -> Iterator[bytes]:
    """A script that makes the same descents."""
    yield (with_torch if o.torch else with_optviz)(outcome.race, o.language).encode()


MEDIA: Mapping[str, Callable[[Outcome, Options, Progress], Iterator[bytes]]] = {
    "gif": animation, "png": png, "svg": svg, "csv": csv, "npz": npz, "py": python}
