"""A visitor's points as a table of text: read, or refused in one sentence that names the line; and written so that it reads back equal.

A row is x, y and a label, or x and its value. Whatever stands in a table is text: nothing in it is evaluated, here or, of a table written
here, in a spreadsheet.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .core import Refused, T, short, shown
from .datasets import ROWS, Dataset, dataset

BYTES = 2**21  # of a table
LONGEST = 60  # characters of a label
DIGITS = 400  # of a number
CLASSES = 10  # that a picture can tell apart
LARGEST = 1e18  # on the stage, which reckons in single precision, its square is a number, too
SEPARATORS = "\t;, "  # of those that a line can be read with, the first; beside all but the comma, a comma is a decimal sign
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE)
BINARY = re.compile(r"[\0-\x08\x0e-\x1f]")
WANTED = T("give x, y and a label in each row, or x and its value", "нужны x, y и метка в каждой строке или x и его значение")


class Row(NamedTuple):
    """A row of a table, and the number of its line."""

    line: int
    cells: list[str]


# --- reading ----------------------------------------------------------------------------------------------------------------------------


def pasted(source: str | bytes, name: str | None = None) -> Dataset:
    """The data set of a table; labels are classes, but numbers with a fraction or of more than ten kinds are values."""
    if len(source) > BYTES:
        raise _too_many(source.count(b"\n") if isinstance(source, bytes) else source.count("\n"), len(source))
    rows, comma = _rows(text_of(source))
    head = _head(rows, comma)
    rows = rows[bool(head):]
    if not rows:
        raise Refused(T(f"there are no points in this table; {WANTED.en}", f"в таблице нет точек; {WANTED.ru}"))
    if len(rows) > ROWS:
        raise _too_many(len(rows), len(source))
    for row in rows:
        _check_columns(row, rows[0])
    if len(rows) == 1:
        raise Refused(T("there is one point only; give at least two", "точка всего одна; нужны хотя бы две"))
    inputs = [[_number(row, cell, comma) for cell in row.cells[:2 if len(row.cells) == 3 else 1]] for row in rows]
    labels = _targets(rows, comma, curve=len(rows[0].cells) == 2 or head[-1:] == ["value"])
    return dataset(inputs, labels, name, "values" if isinstance(labels[0], float) else "classes")


def text_of(source: str | bytes) -> str:
    """What a text file says; what is none is refused."""
    text = source
    if isinstance(source, bytes):
        utf16 = source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        for encoding in ["utf-16"] if utf16 else ["utf-8", "cp1251"]:
            try:
                text = source.decode(encoding)
                break
            except UnicodeDecodeError:
                pass
    if isinstance(text, bytes) or BINARY.search(text):
        raise Refused(T("this is no text file; save a table as CSV, with x, y and a label in each row",
                        "это не текстовый файл; сохраните таблицу как CSV: в каждой строке x, y и метка"))
    return text.removeprefix("\ufeff")


def _too_many(rows: int, size: int) -> Refused:
    return Refused(T(f"there are {rows} rows in {math.ceil(size / 2**20)} MB; give up to {ROWS} rows and {BYTES >> 20} MB",
                     f"строк в таблице {rows}, мегабайт {math.ceil(size / 2**20)}; можно не больше {ROWS} строк и {BYTES >> 20} МБ"))


def _rows(text: str) -> tuple[list[Row], bool]:
    """The rows of a text that are not empty, and whether a comma in them is a decimal sign."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = _separator(first[:1000])
    return [row for row in _parsed(text, separator) if any(row.cells)], separator != ","


def _parsed(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            if any("\n" in cell or "\r" in cell for cell in cells):
                raise csv.Error
            yield Row(reader.line_num, [cell.strip() for cell in cells])
    except csv.Error:
        raise Refused(T(f"a cell has not ended by line {reader.line_num}; close its quotation mark",
                        f"ячейка не закончилась и в строке {reader.line_num}; закройте её кавычку")) from None


def _separator(line: str) -> str:
    """The sign that stands between the cells of a line: one that leaves two numbers at its beginning, else one that leaves two or three cells."""
    def cells(sign: str) -> list[str]:
        return next(iter(_parsed(line, sign))).cells if line else []
    possible = [sign for sign in SEPARATORS if 2 <= len(cells(sign)) <= 3]
    numeric = [sign for sign in possible if all(_value(cell, sign != ",") is not None for cell in cells(sign)[:2])]
    return [*numeric, *possible, ","][0]


def _head(rows: list[Row], comma: bool) -> list[str]:
    """The names of the columns, where the first row holds no numbers but names."""
    first = rows[0].cells if rows else [""]
    return [] if any(_value(cell, comma) is not None for cell in first[:2]) else [cell.lower() for cell in first]


def _value(cell: str, comma: bool) -> float | None:
    """The number that a cell says, NaN and infinity among them."""
    if len(cell) > DIGITS:
        return None
    cell = cell.replace("−", "-")
    if comma:
        cell = cell.replace(",", ".")
    return float(cell) if NUMBER.fullmatch(cell) else None


def _number(row: Row, cell: str, comma: bool) -> float:
    """A number that can be drawn."""
    value = _value(cell, comma)
    if value is None or not (math.isfinite(value) or cell[-1].isdecimal()):
        raise Refused(T(f"line {row.line}: {shown(cell)} is no number; give finite numbers only",
                        f"строка {row.line}: {shown(cell)} — не число; допустимы только конечные числа"))
    if not abs(value) <= LARGEST:
        raise Refused(T(f"line {row.line}: {shown(cell)} is too large to be drawn; give numbers up to {short(LARGEST)}",
                        f"строка {row.line}: {shown(cell)} не изобразить; нужны числа не больше {short(LARGEST)}"))
    return value


def _check_columns(row: Row, first: Row) -> None:
    if not 2 <= (count := len(row.cells)) <= 3:
        raise Refused(T(f"line {row.line} has columns: {count}; {WANTED.en}", f"в строке {row.line} столбцов: {count}; {WANTED.ru}"))
    if count != len(first.cells):
        raise Refused(T(f"line {row.line} has {count} columns, and line {first.line} has {len(first.cells)}; give every row as many",
                        f"в строке {row.line} столбцов {count}, а в строке {first.line} их {len(first.cells)}; в каждой строке должно быть поровну"))


def _targets(rows: Sequence[Row], comma: bool, curve: bool) -> list[Any]:
    """What is to be predicted: values, or the labels of at least two classes."""
    said = [_value(row.cells[-1], comma) for row in rows]
    numeric = sum(value is not None for value in said)
    fractions = any(value is not None and not value.is_integer() for value in said)
    if curve or numeric == len(rows) or (fractions and 2 * numeric > len(rows)):
        numbers = [_number(row, row.cells[-1], comma) for row in rows]
        if curve or fractions or len(set(numbers)) > CLASSES:
            return numbers
        labels: list[Any] = [int(number) for number in numbers]
    else:
        labels = [_label(row) for row in rows]
    kinds = set(labels)
    if len(kinds) == 1:
        raise Refused(T(f"every point is of one class, {shown(labels[0])}; add points of a second class",
                        f"все точки одного класса: {shown(labels[0])}; добавьте точки второго класса"))
    if len(kinds) > CLASSES:
        raise Refused(T(f"there are {len(kinds)} different labels; give 2 to {CLASSES}, or a number in every row",
                        f"разных меток здесь {len(kinds)}; нужно от 2 до {CLASSES} или число в каждой строке"))
    return labels


def _label(row: Row) -> str:
    """A class's name as it can be shown."""
    cell = row.cells[-1]
    label = "".join(sign for sign in " ".join(cell.split()) if sign.isprintable())
    if label.startswith("'") and _guarded(label[1:]):
        label = label[1:]
    if not label:
        raise Refused(T(f"line {row.line} has no label; name the class of its point", f"в строке {row.line} нет метки; назовите класс точки"))
    if len(label) > LONGEST:
        raise Refused(T(f"line {row.line} has a label of {len(label)} characters; use up to {LONGEST}",
                        f"в строке {row.line} метка длиной {len(label)}; нужно не больше {LONGEST} знаков"))
    return label


# --- writing ----------------------------------------------------------------------------------------------------------------------------


def as_csv(x: np.ndarray, y: np.ndarray, labels: Sequence[Any] = ()) -> str:
    """Points (n, 1 or 2) as a table; y holds class indices where there are labels, else values."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*"xy"[:x.shape[1]], "label" if labels else "value"])
    last = [safe(labels[i]) for i in y.tolist()] if labels else [repr(value) for value in y.ravel().tolist()]
    table.writerows([*map(repr, point), target] for point, target in zip(x.tolist(), last, strict=True))
    return out.getvalue()


def safe(label: Any) -> str:
    """A label as a cell that no spreadsheet takes for a formula, and that is no number where the label is none."""
    return f"'{label}" if isinstance(label, str) and _guarded(label) else str(label)


def _guarded(label: str) -> bool:
    """Whether a text has to be told from a formula or a number by an apostrophe before it."""
    return label.startswith(tuple("=+-@'")) or _value(label, comma=True) is not None
