"""A visitor's table: what is read from it, what is refused in one sentence, and that what is written reads back equal."""

import contextlib
import csv
import io
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optviz.core import Refused, T
from optviz.datasets import as_given, dataset
from optviz.pasted import BYTES, CLASSES, LARGEST, LONGEST, as_csv, pasted

TWO = [[1.5, -2.0], [0.25, 7.0]]


@pytest.mark.parametrize("table", [
    "1.5,-2,a\n0.25,7,b", "x,y,label\n1.5,-2,a\n0.25,7,b\n", "X1;X2;Klasse\r\n1,5;-2;a\r\n0,25;7;b\r\n", "1,5\t-2\ta\n,25\t7\tb", "\n\n 1.5 , -2 , a \n\n0.25,7,b\n\n",
    '"1.5","-2","a"\n"0.25","7","b"', "\ufeffx,y,label\n1.5,−2,a\n.25,7.,b", "1.5 -2 a\n  2.5e-1   +7 b", "1.5;-2;a\n0.25;7;b", "1.5,-2,a\r0.25,7,b\r", " \n;;\n1,5;-2;a\n;;\n0,25;7;b"], ids=repr)
def test_a_table_is_read_however_it_is_written(table):
    for source in (table, table.encode(), table.encode("utf-16")):
        data = pasted(source, "mine")
        assert as_given(data) == (TWO, ["a", "b"]) and data.labels == ("a", "b") and data.name == T("mine", "mine")


@pytest.mark.parametrize(("last", "kind", "labels"), [
    (["a", "b"], "classes", ("a", "b")), (["1", "-1"], "classes", (-1, 1)), (["1.0", "3"], "classes", (1, 3)), (["0.5", "1"], "values", ()), (list(map(str, range(11))), "values", ()),
    (["1", "b"], "classes", ("1", "b")), (['"a;b"', "c"], "classes", ("a;b", "c")), (["=CMD('x')!A1", "+1+1"], "classes", ("+1+1", "=CMD('x')!A1")), (["'5", "'=1"], "classes", ("5", "=1")),
    (["'tis", "it"], "classes", ("'tis", "it")), (["<b>x</b>", "$a$"], "classes", ("$a$", "<b>x</b>")), (["да  нет", "a\u202eb"], "classes", ("ab", "да нет")), (["0.5", "a", "b"], "classes", ("0.5", "a", "b"))],
    ids=str)
def test_labels_are_classes_and_numbers_may_be_values(last, kind, labels):
    data = pasted("\n".join(f"{i},{i * i},{label}" for i, label in enumerate(last)))
    assert (data.kind, data.labels, data.size, data.inputs) == (kind, labels, len(last), 2)


def test_a_head_says_that_numbers_are_values_and_two_columns_are_a_curve():
    assert pasted("x,y,value\n1,2,0\n2,3,1").kind == "values"
    curve = pasted("x;y\n1;2\n1,5;4")
    assert (curve.kind, curve.inputs) == ("values", 1) and as_given(curve) == ([[1.0], [1.5]], [[2.0], [4.0]])


def test_an_older_spreadsheets_cyrillic_is_read():
    assert pasted("x;y;класс\n1;2;рыба\n2;3;кошка\n".encode("cp1251")).labels == ("кошка", "рыба")


def test_as_many_points_as_may_be_at_one_place_too():
    assert pasted("1,2,a\n" * 4999 + "1,2,b").size == 5000


MANY = "1,2,a\n"
REFUSED = [
    ("", "no points"), (" \n\t\n", "no points"), ("x,y,label\n", "no points"), ("hello", "no points"), ("1,2,a", "one point only"), ("x,y\n1,2", "one point only"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text file"), (bytes(range(256)), "no text file"), (b"PK\x03\x04xl/sheet.xml", "no text file"), (b"\xff\xfe\x00", "no text file"), ("1,2,\0\n2,3,b", "no text file"),
    (b"1,2,\x98\n2,3,b", "no text file"),
    ("1,2,a\n2,1e308,b", "line 2: '1e308' is too large"), ("1,2,a\n2,1e999,b", "line 2: '1e999' is too large"), ("1e308,1e308,a\n2,3,b", "line 1: '1e308' is too large"),
    ("1,2,0.5\n2,3,-1e30", "line 2: '-1e30' is too large"), ("1,2,a\n2," + "9" * 500 + ",b", "line 2"),
    ("1,2,a\n2,NaN,b", "line 2: 'NaN' is no number"), ("nan,nan,a\n2,3,b", "line 1: 'nan' is no number"), ("1,2,1\n2,3,nan\n3,4,0", "line 2: 'nan' is no number"), ("1,2,a\n-inf,3,b", "line 2: '-inf' is no number"),
    ("1,2,a\n=1+1,3,b", "line 2: '=1+1' is no number"), ("x,y,label\n1,2,a\n\n3,4_0,b", "line 4: '4_0' is no number"), ("1,2,a\n0x10,3,b", "line 2: '0x10'"), ("1,2,a\n١,3,b", "line 2"), ("1,2,a\n,3,b", "line 2: ''"),
    ("abc,2,a\n1,2,b", "line 1: 'abc' is no number"), ("1,2,0.5\n2,3,1.5\n4,5,x", "line 3: 'x' is no number"), ("x,y,value\n1,2,a\n3,4,b", "line 2: 'a' is no number"), ("x,y\n1,b\n3,4", "line 2: 'b' is no number"),
    ("1\n2\n3", "line 1 has columns: 1"), ("1,2,3,4,5\n1,2,3,4,5", "line 1 has columns: 5"), ("1,2,a\n1,2", "line 2 has 2 columns, and line 1 has 3"), ("1,2,a\n1,2,b,c", "line 2 has columns: 4"),
    ("1," * 500_000, "line 1 has columns: 500001"), ("1,2,a\n2,3,a", "one class, 'a'; add points of a second class"), ("1,2,1\n2,3,1", "one class, 1"),
    ("\n".join(f"{i},2,c{i}" for i in range(CLASSES + 1)), "11 different labels"), ("1,2,a\n2,3,", "line 2 has no label"), ("1,2,a\n2,3,\u202e", "line 2 has no label"),
    ("1,2,a\n2,3," + "b" * (LONGEST + 1), "line 2 has a label of 61 characters"), ('1,2,"a\n2,3,b\n3,4,c', "close its quotation mark"), ('1,2,"' + "a" * 200_000, "close its quotation mark"),
    (MANY * 5001, "there are 5001 rows"), (MANY * 10**6, "there are 1000000 rows in 6 MB"), ((MANY * 10**6).encode(), "there are 1000000 rows in 6 MB"), ("x" * (BYTES + 1), "3 MB"),
]


@pytest.mark.parametrize(("table", "words"), REFUSED, ids=lambda part: repr(part[:30]))
def test_what_cannot_be_used_is_refused_in_one_sentence(table, words):
    begun = time.process_time()
    with pytest.raises(Refused, match=re.escape(words)) as refused:
        pasted(table)
    assert time.process_time() - begun < 1
    said = refused.value.text
    assert re.search("[а-я]", said.ru) and len(said.en) < 200 and len(said.ru) < 200 and not re.search(r"[\n\r]", said.en + said.ru)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(source):
    with contextlib.suppress(Refused):
        assert pasted(source).size >= 2


# --- writing ----------------------------------------------------------------------------------------------------------------------------

numbers = st.floats(-LARGEST, LARGEST)
label = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=LONGEST) | st.sampled_from(["=1+1", "+", "-2", "@x", "'", "''=", "5", "1e3", "nan", "x,y", '"', ";"])


@st.composite
def own(draw):
    n = draw(st.integers(2, 8))
    X = draw(st.lists(st.tuples(numbers, numbers), min_size=n, max_size=n))
    kinds = draw(st.lists(label, min_size=2, max_size=4, unique=True) | st.lists(st.integers(-2**53, 2**53), min_size=2, max_size=4, unique=True))
    y = kinds + draw(st.lists(st.sampled_from(kinds), min_size=8, max_size=8))
    return draw(st.sampled_from([dataset(X, y[:n]), dataset(X, [x * x for x, _ in enumerate(X)], kind="values")]) if n > 3 else st.just(dataset(X, y[:n])))


def written(data):
    X, y = as_given(data)
    return as_csv(np.array(X), np.array([data.labels.index(v) for v in y] if data.labels else y), data.labels)


@given(own())
def test_what_is_written_reads_back_equal(data):
    assert pasted(written(data)) == data and pasted(written(data).replace("\n", "\r\n").encode("utf-8-sig")) == data


@given(own())
def test_no_cell_is_a_formula_to_a_spreadsheet(data):
    for cells in csv.reader(io.StringIO(written(data))):
        assert all(cell[0] not in "=@\t\r" and (cell[0] not in "+-" or float(cell)) for cell in cells)


def test_a_curve_reads_back_equal():
    curve = dataset([[0.1], [1 / 3]], [2.0, 5.0], kind="values")
    assert written(curve) == "x,value\n0.1,2.0\n0.3333333333333333,5.0\n" and pasted(written(curve)) == curve


def test_a_cell_of_many_digits_is_read_at_once():
    with pytest.raises(Refused, match="line 2"):
        pasted("x,y,label\n" + "1" * 100_000 + "x,1,a\n2,2,b\n", "long")
