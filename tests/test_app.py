"""The app in a browser: what a visitor sees, in both languages, with nothing asked of another machine."""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import running
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from optviz import optimizers, schedules, surfaces

APP = Path(__file__).parent.parent / "app.py"
PATIENCE = 30_000  # ms; the machine may be busy with other tests


@pytest.fixture(scope="module")
def address():
    with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (_, line):
        yield line


@pytest.fixture
def visit(browser, address):
    """Opens a page; an error in its console or a word to another machine on the way fails the test."""
    contexts, hosts, errors = [], set(), []

    def open_page(query="", **context):
        contexts.append(browser.new_context(**{"locale": "en-GB", **context}))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        contexts[-1].on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        contexts[-1].on("weberror", lambda error: errors.append(str(error.error)))
        page = contexts[-1].new_page()
        page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
        page.goto(address + query)
        page.locator(".katex").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert (hosts, errors) == ({"localhost"}, [])


def headings(page):
    expect(page.get_by_role("heading", level=3)).to_have_count(len(surfaces), timeout=PATIENCE)
    return page.get_by_role("heading", level=3).all_inner_texts()


ENGLISH, RUSSIAN = ([getattr(s.name, language) for s in surfaces.values()] for language in ("en", "ru"))


@pytest.mark.parametrize(("query", "locale", "seen"), [
    ("", "de-DE", ENGLISH), ("", "ru-RU", RUSSIAN), ("?lang=en", "ru-RU", ENGLISH), ("?lang=ru", "en-GB", RUSSIAN),
    ("?lang=xx", "en-GB", ENGLISH), ("?lang=xx", "ru", RUSSIAN)])
def test_the_first_page_lists_all_surfaces_in_the_visitors_language(visit, query, locale, seen):
    assert headings(visit(query, locale=locale)) == seen


def test_the_switch_changes_the_language_and_the_address(visit):
    page = visit()
    for name, seen, language in (("Русский", RUSSIAN, "ru"), ("English", ENGLISH, "en"), ("Русский", RUSSIAN, "ru")):
        page.get_by_role("radio", name=name).click()
        expect(page.get_by_role("heading", level=3).first).to_have_text(seen[0], timeout=PATIENCE)
        assert headings(page) == seen
        expect(page).to_have_url(re.compile(rf"[?&]lang={language}\b"), timeout=PATIENCE)
    page.reload()
    assert headings(page) == RUSSIAN


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ru", 390)])
def test_every_formula_is_drawn_and_fits(visit, language, width):
    page = visit(f"?lang={language}", viewport={"width": width, "height": 800})
    for tab, names in enumerate((surfaces, optimizers, schedules)):
        page.get_by_role("tab").nth(tab).click()
        panel = page.get_by_role("tabpanel")  # the hidden ones are not in the page
        expect(panel.get_by_text(getattr(next(iter(names.values())).name, language), exact=True)).to_be_visible(timeout=PATIENCE)
        expect(panel.locator(".katex-display")).to_have_count(0 if names is schedules else len(names), timeout=PATIENCE)
        for summary in panel.locator("summary").all()[:3]:
            summary.click()
        for definition in names.values():
            assert getattr(definition.name, language) in panel.inner_text()
        assert page.locator(".katex-error").count() == 0
        assert page.locator("html, [data-testid=stMain]").evaluate_all("all => Math.max(...all.map(e => e.scrollWidth))") <= width
        assert panel.locator(".katex-display").evaluate_all("all => Math.max(0, ...all.map(e => e.getBoundingClientRect().right))") <= width


@pytest.mark.parametrize("language", ["en", "ru", "xx"])
def test_the_script_runs_without_exceptions(language):
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["lang"] = language
    at.run()
    assert not at.exception
    assert [s.value for s in at.subheader] == (RUSSIAN if language == "ru" else ENGLISH)
