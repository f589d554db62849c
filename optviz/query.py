"""A URL's query, read field by field: what cannot be used falls back and is noted, or is refused where nobody takes notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from .core import Refused, Setting, T, out_of_range, unknown_name

V = TypeVar("V")
MOST_FIELDS = 200
#: Fields of the app's URL that belong to the frame around a lab, not to a lab's spec.
FRAME = ("lang", "embed", "embed_options")


class Query:
    """The fields of a query that are still to be read."""

    def __init__(self, text: str, notes: list[T] | None = None):
        self.notes = notes
        self.fields: dict[str, list[str]] = {}
        try:
            for name, value in parse_qsl(text.lstrip("?"), keep_blank_values=True, max_num_fields=MOST_FIELDS):
                self.fields.setdefault(name, []).append(value)
        except ValueError:
            self.note(Refused(T(f"the query has more than {MOST_FIELDS} fields and is not read",
                                f"в запросе больше {MOST_FIELDS} полей, он не прочитан")))

    def note(self, refusal: Refused) -> None:
        """Keep what was wrong, or stop at it."""
        if self.notes is None:
            raise refusal
        self.notes.append(refusal.text)

    def drop(self, names: Iterable[str]) -> None:
        """Fields that mean nothing here."""
        for name in names:
            self.fields.pop(name, None)

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return self.fields.pop(name, [])

    def attempt(self, name: str, read: Callable[[str], V], fallback: V) -> V:
        """The last value of a field as `read` understands it, else the fallback."""
        values = self.all(name)
        return self.read(name, values[-1], read, fallback) if values else fallback

    def read(self, name: str, text: str, read: Callable[[str], V], fallback: V) -> V:
        """What `read` makes of a text, else the fallback."""
        try:
            return read(text)
        except Refused as refusal:
            self.note(refusal)
        except (ValueError, TypeError, OverflowError):
            self.note(out_of_range(name, text, T("numbers with commas between them", "числа через запятую")))
        return fallback

    def settings(self, table: Mapping[str, Setting]) -> dict[str, Any]:
        """The settings of a table that are there and can be used."""
        nothing = object()
        read = {name: self.attempt(name, lambda v, name=name, p=p: p.parse(name, v), nothing)  # type: ignore[misc]
                for name, p in table.items() if name in self.fields}
        return {name: value for name, value in read.items() if value is not nothing}

    def rest(self) -> str:
        """The query of the fields that are still to be read."""
        return urlencode([(name, value) for name, values in self.fields.items() for value in values])

    def finish(self, known: Mapping[str, Any]) -> None:
        """Note every field that nobody asked for."""
        for name, values in self.fields.items():
            self.note(unknown_name(name, known, values[-1]))
