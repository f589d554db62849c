"""A visitor's own data on the boundary lab's page: pasted, opened, kept, given back; without a browser, and in one."""

import re

import numpy as np
import pytest
from conftest import whole
from playwright.sync_api import expect
from test_boundary import lab, study, widget

from optviz.datasets import as_given
from optviz.pasted import pasted
from optviz.state_file import opened, saved
from optviz.study import EDITED, OWN, Study

TABLE = "x,y,label\n1,2,да\n2,-1,нет\n3,0.5,=СУММ(A1)\n-4,1,да\n"
pytestmark = pytest.mark.usefixtures("scanned")


def own_panel(query="", language="en"):
    """The page with the panel of own data open."""
    at = lab(query, language)
    return at.button(key="heading-boundary-own").click().run()


def take(at, table):
    at.text_area(key="own-text").set_value(table)
    (button,) = [button for button in at.button if "own-paste" in button.key]
    return button.click().run()


def test_own_data_are_kept_while_the_visit_lasts():
    at = take(own_panel("data=circle&n=50"), TABLE)
    own = study(at)["data"]
    assert not at.exception and not at.warning and own == pasted(TABLE) and study(at)["n"] == 4
    data = widget(at, "selectbox", "data")
    assert data.options[-1] == "Your data (4 points)" and data.value.startswith("own")
    at = data.set_value("xor").run()
    assert study(at)["data"].key == "xor" and widget(at, "selectbox", "data").options[-1] == "Your data (4 points)"
    at = widget(at, "selectbox", "data").select("Your data (4 points)").run()
    assert study(at)["data"] == own and not at.exception
    at = take(at, TABLE + "0,0,да")
    assert widget(at, "selectbox", "data").options[-1] == "Your data (5 points)" and study(at)["n"] == 5
    at = take(at, TABLE)
    at.session_state["frame-specs"].pop("boundary")  # as Back does
    at.query_params.clear()
    at.query_params.update({"data": "own", "n": "3", "lang": "en"})
    at = at.run()
    assert study(at)["data"] == own and study(at)["n"] == 3


@pytest.mark.parametrize(("table", "words"), [("1,2,a\n2,x,b", "строка 2: 'x' — не число"), ("", "в таблице нет точек"), ('{"format":1}', "это не файл, сохранённый в optviz")])
def test_what_is_refused_is_said_beside_it_and_the_old_picture_stays(table, words):
    at = own_panel("data=circle", "ru")
    before = study(at)
    at = take(at, table)
    assert study(at) == before and [words in warning.value.replace("\\", "").replace("\u2060", "") for warning in at.warning] == [True]
    at = take(at, TABLE)
    assert study(at)["data"] == pasted(TABLE) and not at.warning


def test_a_file_opens_and_what_of_it_cannot_be_used_is_noted():
    s = Study(pasted(TABLE), layers=(7,), loss="ce", weights=np.arange(45.0))
    at = take(own_panel(), saved(s))
    assert study(at) == s and not at.exception and not at.warning
    at = take(at, saved(s).replace("lr=0.03", "lr=wide"))
    assert study(at)["data"] == s["data"] and any("lr=" in element.proto.body for element in at.get("html"))


def test_whole_numbers_are_classes_or_values_as_the_visitor_says():
    at = take(own_panel(), "1,2,0\n2,3,1\n3,4,1")
    labels = study(at)["data"]
    assert labels.labels == (0, 1)
    at = widget(at, "selectbox", "own-kind").set_value("values").run()
    assert study(at)["data"].kind == "values" and as_given(study(at)["data"]) == (as_given(labels)[0], [[0.0], [1.0], [1.0]])
    at = widget(at, "selectbox", "own-kind").set_value("classes").run()
    assert study(at)["data"] == labels
    at = take(at, TABLE)
    assert not [box for box in at.selectbox if "own-kind" in box.key]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_a_link_lacks_is_found_where_its_sentence_says(language):
    heading = own_panel(language=language).button(key="heading-boundary-own").label
    assert all(heading in re.search("[“«](.*)[”»]", getattr(text, language))[1] for text in (OWN, EDITED))


# --- in a browser -----------------------------------------------------------------------------------------------------------------------


def unfold(page):
    page.locator(".st-key-heading-boundary-own button").click()
    page.locator("textarea").wait_for()


def upload(page, name, content):
    field = page.locator(".st-key-own-file input[type=file]")
    expect(field).to_have_count(1)  # the one before it stays, unseen, until the page is whole
    field.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})


def chosen(page, text):
    """Wait until these data are chosen."""
    page.locator(f"input[aria-label='Данные'][value='{text}']").wait_for()
    whole(page)


def test_points_travel_by_paste_and_by_file_and_come_back_the_same(visit):
    page = visit("/boundary?data=xor&layers=2&loss=logistic&epochs=30&weights=1,-1,0.5,2,0,0.25,1,-2,0.125&lang=ru")
    unfold(page)
    page.locator("textarea").fill("1,5;2;1\n-2;-1,5;0\n0;1;1\n")
    page.get_by_role("button", name="Взять эти точки").click()
    page.wait_for_url(re.compile("data=own&.*n=3"))
    upload(page, "bad.csv", "x,y,label\n1,2,да\n1,=2+2,нет".encode())
    expect(page.get_by_text(re.compile(r"строка 3:.* '=2\+2' — не число; допустимы только конечные числа"))).to_be_visible()
    upload(page, "two.csv", "x,y,label\n1,2,0\n-2,-1.5,1\n0.125,1,1\n3,-3,0\n".encode("utf-16"))
    chosen(page, "two.csv (точек: 4)")
    with page.expect_download() as points:
        page.get_by_role("button", name="Точки (CSV)").click()
    with page.expect_download() as whole:
        page.get_by_role("button", name="Сохранить всё").click()
    X, y = as_given(pasted(points.value.path().read_bytes()))
    assert sorted(zip(X, y, strict=True)) == [([-2.0, -1.5], 1), ([0.125, 1.0], 1), ([1.0, 2.0], 0), ([3.0, -3.0], 0)]
    content = whole.value.path().read_bytes()
    s = opened(content)
    assert s.weights == (1.0, -1.0, 0.5, 2.0, 0.0, 0.25, 1.0, -2.0, 0.125) and s["data"].size == 4
    page.get_by_role("button", name="Поделиться").click()
    expect(page.get_by_role("dialog").get_by_text("собственных данных в ссылке нет")).to_be_visible()

    page = visit("/boundary?lang=ru")
    unfold(page)
    upload(page, "boundary.json", content)
    chosen(page, "two.csv (точек: 4)")
    expect(page.locator(".count")).to_have_text("эпоха 0 из 30")
    with page.expect_download() as again:
        page.get_by_role("button", name="Сохранить всё").click()
    assert again.value.path().read_bytes() == content
