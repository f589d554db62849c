"""Controls bound to a spec: each shows one part of it, and what a visitor does with it makes a new spec."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import streamlit as st

from ..core import BELOW_ONE, Choice, Param, Refused, Setting, T
from ..optimizers import Optimizer
from ..schedules import Schedule
from .frame import put, spec_of
from .text import language, say

S = TypeVar("S")
NOTE, OPEN = "controls-note", "controls-open"
WEB = Path(__file__).parent / "web"

# --- words --------------------------------------------------------------------------------------------------------------------------

#: What every parameter of every optimizer and schedule is called; "owner.name" where one name means two things.
NAMES = {
    "lr": T("learning rate", "скорость обучения"), "momentum": T("momentum", "импульс"), "weight_decay": T("weight decay", "затухание весов"),
    "velocity": T("step with the velocity", "шаг делает скорость"), "form": T("form", "запись"), "lr_decay": T("rate decay", "убывание скорости"),
    "eps": T("against division by zero", "защита от деления на ноль"), "eps_place": T("place of ε", "место ε"),
    "initial_accumulator_value": T("accumulator at the start", "накопитель в начале"),
    "initial_accumulator": T("second moment at the start", "второй момент в начале"),
    "alpha": T("memory of squares", "память о квадратах"), "asgd.alpha": T("power of the decay", "степень убывания"),
    "lookahead.alpha": T("share of the way", "доля пути"), "rho": T("memory", "память"), "sam.rho": T("radius of the climb", "радиус подъёма"),
    "beta1": T("memory of gradients", "память о градиентах"), "beta2": T("memory of squares", "память о квадратах"),
    "adan.beta2": T("memory of changes", "память об изменениях"), "adan.beta3": T("memory of squares", "память о квадратах"),
    "lion.beta2": T("memory of the momentum", "память импульса"),
    "momentum_decay": T("warming of the momentum", "разогрев импульса"), "eta1": T("shrink factor", "множитель уменьшения"),
    "eta2": T("growth factor", "множитель роста"), "step_size1": T("shortest step", "наименьший шаг"),
    "step_size2": T("longest step", "наибольший шаг"),
    "lambd": T("decay", "затухание"), "beta2_decay": T("power of the memory", "степень памяти"), "eps1": T("floor of squares", "порог квадратов"),
    "eps2": T("floor of the size", "порог размера"), "d": T("cap of the step", "предел шага"), "k": T("steps between", "шагов между сверками"),
    "d0": T("first distance", "начальное расстояние"), "d_coef": T("factor of the distance", "множитель расстояния"),
    "f_star": T("best value (else the surface's own)", "наилучшее значение (иначе своё у поверхности)"),
    "c1": T("sufficient decrease", "достаточное убывание"), "shrink": T("shrink factor", "множитель дробления"),
    "damping": T("damping", "сдвиг гессиана"), "history_size": T("moves remembered", "шагов в памяти"),
    "step_size": T("steps between drops", "шагов между снижениями"), "gamma": T("factor γ", "множитель γ"),
    "milestone1": T("first drop at step", "первое снижение на шаге"), "milestone2": T("second drop at step", "второе снижение на шаге"),
    "total_iters": T("length in steps (0: all)", "длина в шагах (0 — весь запуск)"), "power": T("power", "степень"),
    "start_factor": T("share at the start", "доля в начале"), "end_factor": T("share at the end", "доля в конце"),
    "T_max": T("length in steps (0: all)", "длина в шагах (0 — весь запуск)"), "eta_min": T("lowest rate", "наименьшая скорость"),
    "T_0": T("first period", "первый период"), "T_mult": T("growth of the period", "рост периода"),
    "pct_start": T("share of the rise", "доля подъёма"),
    "div_factor": T("rise from 1/…", "подъём от 1/…"), "final_div_factor": T("fall to another 1/…", "спад ещё до 1/…"),
    "step_size_up": T("steps of the rise", "шагов подъёма"), "base_factor": T("lower share", "нижняя доля"),
    "warmup": T("steps of warm-up", "шагов разогрева"), "factor": T("factor", "множитель"), "patience": T("patience in steps", "терпение в шагах"),
    "threshold": T("what counts as better", "что считать улучшением"), "cooldown": T("rest in steps", "отдых в шагах"),
    "min_lr": T("lowest rate", "наименьшая скорость"), "plateau.eps": T("least change", "наименьшее изменение"),
    "clip_norm": T("clip the gradient's length", "ограничить длину градиента"),
    "clip_value": T("clip each coordinate", "ограничить каждую координату"),
    "b": T("steepness", "крутизна"), "condition": T("condition number", "число обусловленности"), "angle": T("angle, °", "угол, °"),
}
#: What the words that a setting chooses among are called.
WORDS = {
    "outside": T("outside the root", "вне корня"), "inside": T("under the root", "под корнем"), "unrooted": T("no root at all", "без корня"),
    "new": T("of this step", "этого шага"), "old": T("of the step before", "предыдущего шага"), "lr_inside": T("rate inside", "α внутри"),
    "ema": T("averaged", "скользящее среднее"), "warming": T("with warming", "с разогревом"), "printed": T("as in the paper", "как в статье"),
    "around": T("a cloud around the start", "облако вокруг старта"), "grid": T("a grid over the box", "сетка по области"),
}


def name_of(owner: Optimizer | Schedule, name: str) -> T:
    """What a parameter is called."""
    return NAMES.get(f"{owner.key}.{name}") or NAMES[name]


def label_of(o: Optimizer, name: str) -> str:
    """Symbol and name of an optimizer's parameter, in the visitor's language."""
    symbol = o.symbol(name)
    return say(name_of(o, name)) if r"\mathrm" in symbol else f"${symbol}$ {say(name_of(o, name))}"


# --- numbers ------------------------------------------------------------------------------------------------------------------------

RATIOS = (1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 2.8, 3.2, 3.5, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0)  # a decade of a logarithmic slider
COARSE = (1.0, 2.0, 5.0)  # where there are many decades
NEAR_ONE = (*(i / 20 for i in range(18)), *(i / 100 for i in range(90, 99)), *(i / 1000 for i in range(990, 1000)), 0.9995, 0.9999)
DIVISIONS = 100  # of a linear slider


@lru_cache(maxsize=256)
def places(p: Param) -> tuple[float, ...]:
    """The values where a slider stops."""
    if p.allowed == BELOW_ONE:
        return NEAR_ONE
    if p.log:
        first, last = math.floor(math.log10(p.low)), math.ceil(math.log10(p.high))
        values = [float(f"{r}e{k}") for k in range(first, last + 1) for r in (RATIOS if last - first <= 8 else COARSE)]
    else:
        fine = 10.0 ** math.floor(math.log10((p.high - p.low) / DIVISIONS))
        step = fine * next(r for r in (1, 2, 5, 10) if (p.high - p.low) / (r * fine) <= DIVISIONS)
        values = [float(f"{p.low + i * step:.10g}") for i in range(round((p.high - p.low) / step) + 1)]
    return tuple(sorted({int(v) if p.whole else v for v in values if p.low <= v <= p.high} | {p.low, p.high}))


def short(value: float) -> str:
    """A number as it is read aloud: 0.02, 10⁻⁸; three digits, more where it has them."""
    text = f"{value:.3g}" if float(f"{value:.3g}") == value else f"{value:.6g}"
    mantissa, _, power = text.partition("e")
    if not power:
        return text
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if mantissa == "1" else f"{mantissa}·10{raised}"


# --- widgets ------------------------------------------------------------------------------------------------------------------------


class Desk(Generic[S]):
    """The controls of one page. The spec in the session is the truth; a widget is set from it before it is made."""

    def __init__(self, page: str, read: Callable[[str, list[T]], S]):
        self.page, self.read = page, read
        st.html(WEB / "controls.css")

    @property
    def spec(self) -> S:
        return spec_of(self.read, self.page)

    def edit(self, change: Callable[[S], S], push: bool = False) -> None:
        """In a callback: another spec; where it is refused, the old one stays and one sentence says why."""
        st.session_state.pop(NOTE, None)
        try:
            put(self.page, change(self.spec), push)
        except Refused as refusal:
            st.session_state[NOTE] = refusal.text

    def note(self) -> None:
        """Why the last change was refused."""
        if (text := st.session_state.get(NOTE)) is not None:
            st.warning(say(text), icon=":material/info:")

    def bound(self, key: str, value: Any, change: Callable[[S, Any], S]) -> dict[str, Any]:
        """The keywords that tie a widget to a value of the spec."""
        key = f"{self.page}-{key}"
        if st.session_state.get(key) != value or key not in st.session_state:  # an equal one is left alone: setting it would stop a drag
            st.session_state[key] = value

        def heard() -> None:
            if (given := st.session_state[key]) is not None:
                self.edit(lambda spec: change(spec, given))
        return {"key": key, "on_change": heard}

    def setting(self, key: str, label: str, p: Setting, value: Any, change: Callable[[S, Any], S]) -> None:
        """The control that suits a setting."""
        if isinstance(p, Choice):
            st.selectbox(label, p.choices, format_func=lambda word: say(WORDS[word]), **self.bound(key, value, change))
        elif p.optional:
            middle = math.sqrt(p.low * p.high) if p.log else (p.low + p.high) / 2
            st.checkbox(label, **self.bound(f"{key}-on", value is not None, lambda spec, on: change(spec, middle if on else None)))
            if value is not None:
                self.slider(key, label, p, value, change, label_visibility="collapsed")
        elif p.whole and not p.log:
            st.number_input(label, int(p.allowed.low), int(p.allowed.high), step=1, **self.bound(key, value, change))
        else:
            self.slider(key, label, p, value, change)

    def slider(self, key: str, label: str, p: Param, value: Any, change: Callable[[S, Any], S], **how: Any) -> None:
        """A slider that stops at round numbers and at the value it has, wherever that lies."""
        st.select_slider(label, sorted({*places(p), value}), format_func=short, **self.bound(key, value, change), **how)

    def number(self, key: str, label: str, value: float, change: Callable[[S, float], S], **how: Any) -> None:
        """A field for an exact number."""
        step = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.1
        st.number_input(label, step=max(step, 1e-12), format="%.6g", **self.bound(key, float(value), change), **how)

    def button(self, key: str, label: T, change: Callable[[S], S], icon: str | None = None,
               then: Callable[[], None] | None = None, **how: Any) -> None:
        """A button that changes the spec."""
        def heard() -> None:
            self.edit(change, push=True)
            if then:
                then()
        st.button(say(label), key=f"{self.page}-{key}", icon=icon, on_click=heard, **how)

    # --- folds: st.expander is made anew, and loses the focus, when its heading changes; this one's heading may tell its state ------------

    def is_open(self, key: str) -> bool:
        """Whether a fold is open."""
        return f"{self.page}-{key}" in st.session_state.setdefault(OPEN, set())

    def turn(self, key: str, opened: bool) -> None:
        """Open or close a fold."""
        (set.add if opened else set.discard)(st.session_state.setdefault(OPEN, set()), f"{self.page}-{key}")

    @contextmanager
    def fold(self, key: str, heading: str) -> Iterator[bool]:
        """`with desk.fold(…) as opened: if opened: …`: nothing inside is made while it is closed."""
        opened = self.is_open(key)
        with st.container(key=f"fold-{self.page}-{key}", gap=None):
            st.button(heading, key=f"{self.page}-{key}-fold", icon=f":material/{'expand_more' if opened else 'chevron_right'}:", type="tertiary",
                      width="stretch", on_click=self.turn, args=(key, not opened))
            if opened:
                with st.container(key=f"folded-{self.page}-{key}", gap="small"):
                    yield True
            else:
                yield False


# --- texts --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabText:
    """What a lab says: a title, at most three sentences, and what to look for under a heading of its own."""

    title: str
    prose: str
    heading: str
    points: str


def lab_text(page: str, lab: str) -> LabText:
    """The text of assets/text/<lab>.<language>.md, which stands two folders from a page's own file."""
    return _read(Path(page).parent.parent / "assets" / "text" / f"{lab}.{language()}.md")


@lru_cache(maxsize=64)
def _read(path: Path) -> LabText:
    """A line `# title`, prose, a line `## heading`, points."""
    head, _, tail = path.read_text("utf-8").partition("\n## ")
    title, _, prose = head.removeprefix("# ").partition("\n")
    heading, _, points = tail.partition("\n")
    return LabText(title.strip(), prose.strip(), heading.strip(), points.strip())
