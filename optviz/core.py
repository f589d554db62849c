"""What every other file stands on: bilingual texts, parameters that know their range, registries, refusals."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, update_wrapper
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")


@dataclass(frozen=True)
class T:
    """A text in both languages; it cannot exist in one only."""

    en: str
    ru: str

    def __post_init__(self) -> None:
        if not (self.en.strip() and self.ru.strip()):
            raise ValueError(f"a text needs both languages: en={self.en!r}, ru={self.ru!r}")


class Refused(ValueError):
    """Something the visitor asked for that cannot be done; `text` says in both languages what to do instead."""

    def __init__(self, text: T):
        super().__init__(text.en)
        self.text = text

    def __str__(self) -> str:
        return self.text.en

    def __reduce__(self) -> tuple[Any, ...]:
        return Refused, (self.text,)  # from another process what counts is the sentence


class Unknown(Refused, KeyError):
    """A key that a registry does not hold: a ValueError to a caller, a KeyError to a mapping."""


@dataclass(frozen=True)
class Range:
    """An interval; ends are closed unless said otherwise, infinity is never inside."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: Any) -> bool:
        """True when every number in `value` lies inside (NaN and infinity never do)."""
        if isinstance(value, float):  # the same without arrays, a hundred times faster
            return (math.isfinite(value) and (value > self.low if self.open_low else value >= self.low)
                    and (value < self.high if self.open_high else value <= self.high))
        a = np.asarray(value)
        inside = np.isfinite(a) & (a > self.low if self.open_low else a >= self.low)
        return bool(np.all(inside & (a < self.high if self.open_high else a <= self.high)))

    def __str__(self) -> str:
        left = "(" if self.open_low or math.isinf(self.low) else "["
        right = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"{left}{self.low:.10g}, {self.high:.10g}{right}"


EXACT = 2**53  # below it every whole number is a float
ANY = Range()
NOT_NEGATIVE = Range(low=0.0)
POSITIVE = Range(low=0.0, open_low=True)
SHARE = Range(0.0, 1.0)
COUNT = Range(1, 10**9)
COUNT_OR_NONE = Range(0, 10**9)
BELOW_ONE = Range(0.0, 1.0, open_high=True)


@dataclass(frozen=True)
class Param:
    """A number that knows its control (low, high, log) and, apart from that, what is possible at all."""

    default: Any
    low: float
    high: float
    log: bool = False
    allowed: Range = ANY
    whole: bool = False
    one: bool = False  # one number for a whole batch: it decides shapes or streams
    optional: bool = False  # None means that it does not happen

    def check(self, keyword: str, value: Any) -> Any:
        """The value as float, int or array; a Refused that names keyword, value and range when it is impossible."""
        if value is None and self.optional:
            return None
        if type(value) is (int if self.whole else float) and -EXACT < value < EXACT and self.allowed.holds(float(value)):
            return value  # nearly all: a page checks hundreds
        a = _number(value)
        if self.one and np.ndim(a):
            raise out_of_range(keyword, value, self.range_text("one number for the whole batch, ", "одно число на весь набор, "))
        if isinstance(a, float) and math.isnan(a) and not isinstance(value, float):
            raise out_of_range(keyword, value, self.range_text("a number in ", "число из "))
        if not self.allowed.holds(a) or (self.whole and np.any(a != np.floor(a))):
            raise out_of_range(keyword, value, self.range_text())
        return int(a) if self.whole and isinstance(a, float) else a

    def parse(self, keyword: str, text: str) -> float | None:
        """The value that a query holds as text."""
        if self.optional and text == "none":
            return None
        try:
            return self.check(keyword, float(text))
        except (ValueError, OverflowError):
            raise out_of_range(keyword, text, self.range_text()) from None

    def range_text(self, en: str = "", ru: str = "") -> T:
        """What is possible, in words."""
        return T(f"{en}integer in {self.allowed}", f"{ru}целое из {self.allowed}") if self.whole else T(f"{en}{self.allowed}", f"{ru}{self.allowed}")


SEED = Param(0, 0, 2**32 - 1, allowed=Range(0, 2**32 - 1), whole=True, one=True)


def _number(value: Any) -> Any:
    """A float, an array of floats, or nan for what is no number."""
    if type(value) in (int, float):
        try:
            return float(value)
        except OverflowError:
            return math.nan
    try:
        a = np.asarray(value)
        if a.dtype.kind not in "iuf":
            return math.nan
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return a.astype(np.float64) if a.ndim else float(a)


@dataclass(frozen=True)
class Choice:
    """A setting that takes one of a few words."""

    default: str
    choices: tuple[str, ...]

    def check(self, keyword: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise out_of_range(keyword, value, T(*["{" + ", ".join(self.choices) + "}"] * 2))
        return value

    parse = check


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    default: bool

    def check(self, keyword: str, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise out_of_range(keyword, value, T("True, False", "True, False"))
        return bool(value)

    def parse(self, keyword: str, text: str) -> bool:
        if text not in ("0", "1"):
            raise out_of_range(keyword, text, T("0, 1", "0, 1"))
        return text == "1"


Setting = Param | Choice
LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def resolve(table: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of a table with its checked value: what is given, else the default; an unknown name is refused."""
    for name in given:
        if name not in table:
            raise unknown_name(name, table, given[name])
    return {name: p.check(name, given[name]) if name in given else p.default for name, p in table.items()}


def words(table: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """The words chosen out of some settings, the rest at their defaults."""
    choices = {name: p for name, p in table.items() if isinstance(p, Choice)}
    return resolve(choices, {name: value for name, value in given.items() if name in choices})


def shown(value: Any) -> str:
    """A value as a sentence can bear it, however long a visitor made it."""
    try:
        text = repr(value[:100] if isinstance(value, str) else value)
    except ValueError:  # an integer of thousands of digits does not even print
        return "…"
    return text if len(text) <= 80 else text[:77] + "..."


class _Answer:
    """What a function came to for some arguments: one value in a list, once it has."""

    def __init__(self) -> None:
        self.lock: Lock = Lock()
        self.value: list[Any] = []


class Once(Generic[P, R]):
    """A function with a cache under which one question is worked on once, however many visitors ask it at the same time."""

    def __init__(self, work: Callable[P, R], maxsize: int):
        update_wrapper(self, work)
        self.work = work
        self.answers: Any = lru_cache(maxsize)(lambda *args, **named: _Answer())

    def __call__(self, *args: P.args, **named: P.kwargs) -> R:
        answer = self.answers(*args, **named)
        with answer.lock:
            if not answer.value:
                answer.value.append(self.work(*args, **named))
            return answer.value[0]

    def forget(self) -> None:
        """Whatever is asked next is worked on anew."""
        self.answers.cache_clear()


def once(maxsize: int) -> Callable[[Callable[P, R]], Once[P, R]]:
    """The decorator."""
    return lambda work: Once(work, maxsize)


def short(value: float) -> str:
    """A number as it is read aloud: −0.02, 10⁻⁸; six digits at most."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    mantissa, _, power = f"{value:.6g}".partition("e")
    mantissa = mantissa.replace("-", "−")
    if not power:
        return mantissa
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if mantissa == "1" else f"{mantissa}·10{raised}"


def rounded(value: float) -> str:
    """A result: three digits, all of a whole number."""
    return short(value if abs(value) < 1e6 and value == round(value) else float(f"{value:.3g}"))


def out_of_range(keyword: str, value: Any, allowed: T) -> Refused:
    """The one sentence for an impossible value."""
    return Refused(T(f"{keyword}={shown(value)} is impossible; allowed: {allowed.en}",
                     f"{keyword}={shown(value)} — недопустимое значение; допустимо: {allowed.ru}"))


def number_of(text: str, allowed: Range = ANY, whole: bool = False) -> float:
    """A number as people type it: 0.5, 0,5, −2, 1e-3, 10^-3, 2·10⁻³."""
    plain = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda power: "^" + power[0].translate(LOWERED), "".join(text.split()))
    plain = re.sub(r"^([+-]?)10\^", r"\g<1>1e", re.sub(r"[·×*]10\^", "e", plain.replace("−", "-").replace(",", ".")))
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if allowed.holds(value) and (not whole or value == round(value)):
        return value
    low, high = (short(end) for end in (allowed.low, allowed.high))
    above, below = ("above", "больше") if allowed.open_low else ("from", "от"), ("below", "меньше") if allowed.open_high else ("up to", "до")
    ends = [T(*(f" {word} {low}" for word in above))] * math.isfinite(allowed.low)
    ends += [T(*(f" {word} {high}" for word in below))] * math.isfinite(allowed.high)
    kind = T("a whole number", "целое число") if whole else T("a number such as 0.05 or 1e-3,", "число, например 0,05 или 1e-3,")
    en, ru = ((getattr(kind, language) + "".join(getattr(end, language) for end in ends)).rstrip(",") for language in ("en", "ru"))
    raise Refused(T(f"“{text.strip()}” cannot be used here; give {en}", f"«{text.strip()}» здесь не подходит; введите {ru}"))


#: What people type who learned the name elsewhere.
ALSO = {"learning_rate": "lr", "eta": "lr", "alpha": "lr", "gamma": "momentum", "beta": "beta1", "betas": "beta1", "nag": "nesterov", "gd": "sgd",
        "epsilon": "eps", "heavy_ball": "momentum", "wd": "weight_decay", "sigma": "noise",
        "hidden": "layers", "hidden_layers": "layers", "dataset": "data",
        "batch_size": "batch", "optim": "optimizer", "initializer": "init", "p": "dropout", "bn": "batchnorm", "early_stopping": "patience"}


def unknown_name(keyword: str, allowed: Mapping[str, Any], value: Any = None) -> Unknown:
    """The one sentence for a keyword or key that nobody knows, with the nearest that somebody does."""
    keyword = keyword[:60]
    near = [name for name in allowed if name == ALSO.get(keyword.lower()) or name.endswith("_" + keyword)]
    near = near or get_close_matches(keyword, list(allowed), n=3, cutoff=0.5)
    keyword = keyword if value is None else f"{keyword}={shown(value)}"
    known = ", ".join(allowed)
    en, ru = (f"; did you mean {', '.join(near)}?", f"; может быть, {', '.join(near)}?") if near else ("", "")
    return Unknown(T(f"unknown name {keyword!r}{en} (allowed: {known})",
                     f"неизвестное имя {keyword!r}{ru} (допустимо: {known})"))




class Registry(Mapping[str, V], Generic[V]):
    """Definitions by key, in teaching order."""

    def __init__(self) -> None:
        self._known: dict[str, V] = {}
        self._bare: dict[str, V] = {}

    def add(self, key: str, definition: V) -> V:
        if key in self._known:
            raise ValueError(f"{key!r} is registered twice")
        self._known[key] = definition
        name = getattr(definition, "name", T(key, key))
        for words in (key, name.en, name.ru):
            self._bare.setdefault(_bare(words), definition)
        return definition

    def __getitem__(self, key: str) -> V:
        if isinstance(key, str):
            if key in self._known:
                return self._known[key]
            bare = _bare(key)  # "Levy 13", "levy-13" and "levy" are one thing to a visitor, and so is its printed name
            if bare and bare in self._bare:
                return self._bare[bare]
            begins = [known for known in self._known if _bare(known).startswith(bare)] if len(bare) >= 4 else []
            if len(begins) == 1:
                return self._known[begins[0]]
        raise unknown_name(str(key), self._known)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"{{{', '.join(self._known)}}}"


def _bare(key: str) -> str:
    return "".join(c for c in key.lower() if c.isalnum())
