"""Controls bound to a spec: each shows one part of it, and what a visitor does with it makes a new spec."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st

from ..core import ANY, Choice, Flag, Param, Range, Refused, T, number_of, short
from ..names import WORDS, name_of, places
from ..optimizers import Optimizer
from ..training import Key, Several, Widths
from .frame import SPECS, WEB, framed, put, spec_of, story
from .text import language, plain, say, unbroken

S = TypeVar("S")
NOTE, OPEN, VERSIONS, LAST = "controls-note", "controls-open", "controls-versions", "controls-last"
KEYS = 40  # of a widget in turn: few, so that a long visit stays small; enough that a browser has forgotten the last of that name
TOLD = "controls-told"  # the name of the example that is on, for whoever shows the picture alone
LONGEST = 40  # signs of a number
STYLE = f"<style>{(WEB / 'controls.css').read_text('utf-8')}</style>"  # as a path, it would be read anew in every run


def label_of(o: Optimizer, name: str) -> str:
    """Symbol and name of an optimizer's parameter, in the visitor's language."""
    symbol = o.symbol(name)
    return say(name_of(o, name)) if r"\mathrm" in symbol else f"${symbol}$ {say(name_of(o, name))}"


class Desk(Generic[S]):
    """The controls of one page. The spec in the session is the truth; a widget is set from it before it is made."""

    idle: frozenset[str] = frozenset()  # the keys of what has no say for now

    def __init__(self, page: str, read: Callable[[str, list[T]], S]):
        framed()
        self.page, self.read = page, read
        st.html(STYLE)

    @property
    def spec(self) -> S:
        return spec_of(self.read, self.page)

    def started(self, first: S) -> S:
        """The spec of controls that the URL does not tell: at first the one given."""
        if self.page not in st.session_state.get(SPECS, {}):
            put(self.page, first)
        return self.spec

    def edit(self, change: Callable[[S], S], push: bool = False, fresh: bool = False) -> None:
        """In a callback: another spec; where it is refused, the old one stays and one sentence says why."""
        st.session_state.pop(NOTE, None)
        try:
            put(self.page, change(self.spec), push or fresh, fresh)
        except Refused as refusal:
            st.session_state[NOTE] = refusal.text

    def note(self) -> None:
        """Why the last change was refused."""
        if (text := st.session_state.get(NOTE)) is not None:
            st.warning(plain(say(text)), icon=":material/info:")

    def bound(self, key: str, value: Any, change: Callable[[S, Any], S], fresh: bool = False, about: object = None) -> dict[str, Any]:
        """The keywords that tie a widget to a value of the spec.

        Where the spec was changed from elsewhere, the widget is made anew under another key: set in place, it would go on to report
        its old value until the page has heard of the new one, and so undo the change. A text `about` something stays as it was typed,
        refused or not, until it is about something else.
        """
        versions = st.session_state.setdefault(VERSIONS, {})
        stem = f"{self.page}-{key}"
        version, before, _ = versions.get(stem, (0, None, None))
        at = f"{stem}-{version}"
        if at not in st.session_state or (st.session_state[at] != value and (about is None or about != before)):
            st.session_state.pop(at, None)
            version = (version + 1) % KEYS
            at = f"{stem}-{version}"
            st.session_state[at] = value
        versions[stem] = version, about, st.session_state[at]

        def heard() -> None:
            given, (now, _, known) = st.session_state.get(at), versions[stem]
            if given is not None and now == version and given != known:  # a browser tells its old values, too, with whatever else is done
                versions[stem] = version, about, given
                self.edit(lambda spec: change(spec, given), fresh=fresh)
        return {"key": at, "on_change": heard, "disabled": key.removesuffix("-on") in self.idle}

    def setting(self, key: str, label: str, p: Any, value: Any, change: Callable[[S, Any], S], names: Mapping[str, T] | None = None) -> None:
        """The control that suits a setting; `names` say what its words are called."""
        if isinstance(p, Flag):
            st.checkbox(label, value, **self.bound(key, value, change))
        elif isinstance(p, Several):
            said = {word: say(name) for word, name in (names or {}).items()}
            st.pills(label, list(said), selection_mode="multi", format_func=said.__getitem__, default=list(value),
                     **self.bound(key, list(value), lambda spec, some: change(spec, tuple(some))))
        elif isinstance(p, Widths):
            text = ", ".join(map(str, value))
            st.text_input(label, text, **self.bound(key, text, lambda spec, text: change(spec, p.parse(key, text.replace(" ", ","))), about=value))
        elif isinstance(p, (Choice, Key)):
            self.choose(key, label, names or {word: WORDS[word] for word in getattr(p, "choices", ())}, value, change)
        elif p.optional:
            middle = math.sqrt(p.low * p.high) if p.log else (p.low + p.high) / 2
            middle = round(middle) if p.whole else middle
            st.checkbox(label, value is not None, **self.bound(f"{key}-on", value is not None, lambda spec, on: change(spec, middle if on else None)))
            if value is not None:
                self.slider(key, label, p, value, change, label_visibility="collapsed")
        elif p.whole and not p.log:
            self.number(key, label, int(value), change, p.allowed, True)
        else:
            self.slider(key, label, p, value, change)

    def choose(self, key: str, label: str, options: Mapping[str, T], value: str | None, change: Callable[[S, str], S],
               fresh: bool = False, **how: Any) -> None:
        """One of a few, or many, by name."""
        names = {option: say(name) for option, name in options.items()}
        chosen = list(names).index(value) if value in names and not fresh else None  # what stands for something can't be cleared
        st.selectbox(label, list(names), index=chosen, format_func=names.__getitem__, **self.bound(key, value, change, fresh), **how)

    def slider(self, key: str, label: str, p: Param, value: Any, change: Callable[[S, Any], S], **how: Any) -> None:
        """A slider that stops at round numbers and at the value it has, wherever that lies."""
        stops = {stop for stop in places(p) if short(stop) != short(value)} | {value}  # Streamlit knows a stop by what it prints
        # Two quick reruns, and a page may never hear of the value that was set: then it shows the default, and tells it as a visitor's choice.
        st.select_slider(label, sorted(stops), value, format_func=short, **self.bound(key, value, change), **how)

    def number(self, key: str, label: str, value: float, change: Callable[[S, Any], S], allowed: Range = ANY, whole: bool = False,
               **how: Any) -> None:
        """A field for an exact number, with all its digits."""
        text = str(value) if whole else f"{value:.15g}"  # Streamlit's own field cuts digits, and takes 1e9 for 1

        def typed(spec: S, text: str) -> S:
            given = number_of(text, allowed, whole)
            return change(spec, int(given) if whole else given)
        st.text_input(label, text, max_chars=LONGEST, **self.bound(key, text, typed), **how)

    def button(self, key: str, label: T, change: Callable[[S], S], icon: str | None = None,
               then: Callable[[], None] | None = None, fresh: bool = False, **how: Any) -> None:
        """A button that changes the spec."""
        def heard() -> None:
            self.edit(change, push=True, fresh=fresh)
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
            st.button(heading, key=f"heading-{self.page}-{key}", icon=f":material/{'expand_more' if opened else 'chevron_right'}:", type="tertiary",
                      width="stretch", on_click=self.turn, args=(key, not opened))
            if opened:
                with st.container(key=f"under-{self.page}-{key}", gap="small"):
                    yield True
            else:
                yield False


class Lens(Desk[S]):
    """The controls of a part of another desk's spec."""

    def __init__(self, outer: Desk[Any], name: str, get: Callable[[Any], S], into: Callable[[Any, S], Any]):
        self.outer, self.page, self.get, self.into, self.idle = outer, f"{outer.page}-{name}", get, into, outer.idle

    @property
    def spec(self) -> S:
        return self.get(self.outer.spec)

    def edit(self, change: Callable[[S], S], push: bool = False, fresh: bool = False) -> None:
        self.outer.edit(lambda whole: self.into(whole, change(self.get(whole))), push, fresh)


# --- examples -----------------------------------------------------------------------------------------------------------------------


class Example(NamedTuple, Generic[S]):
    """A spec worth showing: what to do with it, and what can then be seen."""

    name: T
    do: T
    see: T
    spec: S


def examples(desk: Desk[S], table: Mapping[str, Example[S]], shown_by: Callable[[S], str | None]) -> None:
    """Examples in the order of a lecture; what to do and to see with the one that is on."""
    on, last, now = shown_by(desk.spec), st.session_state.setdefault(LAST, {}), story(desk.page)
    if on:
        last[desk.page] = on, now
    known, then = last.get(desk.page, (None, now))
    shown = known if then == now else None  # another story is no change of the one before
    with st.container(key="lab-presets", horizontal=True, gap="xsmall", vertical_alignment="center"):
        desk.choose("preset", say(T("Examples", "Примеры")), {key: example.name for key, example in table.items()}, shown,
                    lambda _, key: table[key].spec, fresh=True, placeholder=say(T("Choose an example", "Выберите пример")),
                    label_visibility="collapsed")

        def turned(by: int) -> Callable[[S], S]:
            def turn(_: S) -> S:  # from a spec of one's own, to the first or the last
                keys = list(table)
                return table[keys[(keys.index(shown) + by) % len(keys)] if shown else keys[min(by, 0)]].spec
            return turn
        for key, words, icon, by in (("previous", T("Previous example", "Предыдущий пример"), "chevron_left", -1),
                                     ("next", T("Next example", "Следующий пример"), "chevron_right", 1)):
            desk.button(key, words, turned(by), f":material/{icon}:", fresh=True, type="tertiary", help=say(words))
            if by < 0:
                st.markdown(f":small[{list(table).index(shown) + 1 if shown else '–'} / {len(table)}]", width="content")
        if shown:
            again, spec = T("Again", "Заново") if on else T("As it was", "Как было"), table[shown].spec
            icon = f":material/{'replay' if on else 'undo'}:"
            desk.button("again", again, lambda _: spec, icon, fresh=True, type="tertiary", help=say(again))
    st.session_state[TOLD] = table[shown].name if shown else None
    if shown:
        changed = "" if on else f":primary[{say(T('Changed.', 'Изменено.'))}] "
        st.markdown(f":small[{changed}**{unbroken(say(table[shown].do))}** {unbroken(say(table[shown].see))}]")


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
