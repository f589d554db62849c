"""What may be chosen of a file: one table, which a call, the command line, a URL and the app's panel all read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..core import Choice, Flag, Param, Range, T, out_of_range, resolve
from ..palette import THEMES

SIDES, PIXELS = (64, 4096), 3840 * 2160
FRAMES = 1000
STEPS = Range(0, 10_000)
FRAMES_UNLESS_ASKED = 120


class Option(Protocol):
    """As core's settings: a default, and what a value or a text comes to."""

    @property
    def default(self) -> Any: ...
    def check(self, keyword: str, value: Any) -> Any: ...
    def parse(self, keyword: str, text: str) -> Any: ...


@dataclass(frozen=True)
class OneOf:
    """One of a few numbers."""

    default: int
    choices: Sequence[int]

    def check(self, keyword: str, value: Any) -> int:
        if isinstance(value, bool) or value not in self.choices:
            raise out_of_range(keyword, value, T(*[", ".join(map(str, self.choices))] * 2))
        return int(value)

    def parse(self, keyword: str, text: str) -> int:
        return self.check(keyword, next((n for n in self.choices if str(n) == text), text))


@dataclass(frozen=True)
class Size:
    """Width and height, as 960x540 in a text."""

    default: tuple[int, int]

    def check(self, keyword: str, value: Any) -> tuple[int, int]:
        good = isinstance(value, Sequence) and len(value) == 2 and all(
            isinstance(side, int) and not isinstance(side, bool) and SIDES[0] <= side <= SIDES[1] for side in value)
        if not good or value[0] * value[1] > PIXELS:
            raise out_of_range(keyword, value, T(f"width × height, each from {SIDES[0]} to {SIDES[1]}, up to {PIXELS} pixels in all",
                                                 f"ширина × высота, каждая от {SIDES[0]} до {SIDES[1]}, в произведении не больше {PIXELS}"))
        return value[0], value[1]

    def parse(self, keyword: str, text: str) -> tuple[int, int]:
        sides = text.lower().replace("×", "x").split("x")
        return self.check(keyword, tuple(map(int, sides)) if all(s.isdecimal() and len(s) < 9 for s in sides) else text)


@dataclass(frozen=True)
class Words:
    """A text; signs that cannot be printed become spaces."""

    most: int
    default: str = ""

    def check(self, keyword: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > self.most:
            raise out_of_range(keyword, value, T(f"up to {self.most} letters", f"не больше {self.most} знаков"))
        return "".join(sign if sign.isprintable() else " " for sign in value)

    parse = check


@dataclass(frozen=True)
class Names:
    """Some names, with commas between them in a text."""

    most: int
    default: tuple[str, ...] = ()

    def check(self, keyword: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > self.most or not all(isinstance(name, str) for name in value):
            raise out_of_range(keyword, value, T(f"up to {self.most} names", f"не больше {self.most} имён"))
        return tuple(value)

    def parse(self, keyword: str, text: str) -> tuple[str, ...]:
        return self.check(keyword, tuple(name.strip() for name in text.split(",") if name.strip()))


OPTIONS: Mapping[str, Option] = {
    "size": Size((960, 540)), "theme": Choice("light", tuple(THEMES)), "transparent": Flag(False), "language": Choice("en", ("en", "ru")),
    "scale": OneOf(1, (1, 2, 4)),
    "frames": Param(None, 1, 400, log=True, allowed=Range(1, FRAMES), whole=True, one=True, optional=True),
    "seconds": Param(None, 1, 20, log=True, allowed=Range(0.02, 60), one=True, optional=True),
    "stride": Param(None, 0.1, 100, log=True, allowed=Range(0.01, 10_000), one=True, optional=True),
    "fps": OneOf(25, (25, 33, 50)), "loop": Flag(True),
    "first": Param(0, 0, 5000, allowed=STEPS, whole=True, one=True),
    "last": Param(None, 0, 5000, allowed=STEPS, whole=True, one=True, optional=True),
    "tail": Param(None, 5, 500, log=True, allowed=Range(1, 10_000), whole=True, one=True, optional=True),
    **dict.fromkeys(("panel", "legend", "counter", "arrows"), Flag(True)),
    "title": Words(200), "caption": Flag(False), "sliders": Names(12), "torch": Flag(False),
}


@dataclass(frozen=True)
class Options:
    """What of a scene is exported, and how; see OPTIONS for what is possible."""

    size: tuple[int, int]
    theme: str
    transparent: bool  # the page behind the picture, not the surface
    language: str
    scale: int  # pixels a point of a still
    frames: int | None  # how many; else `seconds` at `fps`, or one every `stride` steps
    seconds: float | None
    stride: float | None
    fps: int
    loop: bool
    first: int  # the steps between which it plays
    last: int | None
    tail: int | None  # how many steps of a trail are seen, the older the fainter; all
    panel: bool
    legend: bool
    counter: bool
    arrows: bool  # of the step that is explained, where one is
    title: str
    caption: bool  # the parameters, under the picture
    sliders: tuple[str, ...]  # settings that a live slide lets its reader change: lr, adam.beta1
    torch: bool  # the script in plain torch, without optviz

    def __post_init__(self) -> None:
        if self.scale**2 * self.size[0] * self.size[1] > PIXELS * 4:
            raise out_of_range("scale", self.scale, T("less for so large a size", "меньше при таком размере"))
        asked = [name for name in ("frames", "seconds", "stride") if getattr(self, name) is not None]
        if len(asked) > 1:
            raise out_of_range(asked[1], getattr(self, asked[1]), T(f"nothing beside {asked[0]}", f"ничего, если задано {asked[0]}"))

    def moments(self, steps: int) -> list[float]:
        """The steps, whole or not, that the frames show."""
        last = min(steps if self.last is None else self.last, steps)
        if self.first > last:
            raise out_of_range("first", self.first, T(f"0 … {last}", f"0 … {last}"))
        long = last - self.first
        if self.stride is not None:
            many = int(long / self.stride) + 1
            if many > FRAMES:
                raise out_of_range("stride", self.stride, T(f"{long / (FRAMES - 1):.3g} or more for {long} steps",
                                                            f"не меньше {long / (FRAMES - 1):.3g} при числе шагов {long}"))
            out = [self.first + self.stride * k for k in range(many)]
            return out if out[-1] == last else [*out[:FRAMES - 1], float(last)]
        many = self.frames or (round(self.seconds * self.fps) if self.seconds is not None else FRAMES_UNLESS_ASKED)
        if many > FRAMES:
            raise out_of_range("seconds", self.seconds, T(f"up to {FRAMES / self.fps:.3g} at {self.fps} frames a second",
                                                          f"не больше {FRAMES / self.fps:.3g} при {self.fps} кадрах в секунду"))
        return [self.first + long * k / (many - 1) for k in range(many)] if many > 1 else [float(last)]


def options(given: Mapping[str, Any]) -> Options:
    """The options that are given, the others as they are."""
    return Options(**resolve(OPTIONS, given))  # type: ignore[arg-type]
