"""The app in a browser: what a visitor sees, in both languages, with nothing asked of another machine."""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import running
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parent.parent / "app.py"
PATIENCE = 30_000  # ms; the machine may be busy with other tests
ENGLISH, RUSSIAN = "Descent", "Спуск"


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
        page.locator(".optviz-stage").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert (hosts, errors) == ({"localhost"}, [])


def title(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text, timeout=PATIENCE)


def ground(page):
    return page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")


@pytest.mark.parametrize(("query", "locale", "seen"), [
    ("", "de-DE", ENGLISH), ("", "ru-RU", RUSSIAN), ("?lang=en", "ru-RU", ENGLISH), ("?lang=ru", "en-GB", RUSSIAN),
    ("?lang=xx", "en-GB", ENGLISH), ("?lang=xx", "ru", RUSSIAN)])
def test_the_app_speaks_the_visitors_language(visit, query, locale, seen):
    page = visit(query, locale=locale)
    title(page, seen)
    expect(page.locator("html")).to_have_attribute("lang", "ru" if seen == RUSSIAN else "en", timeout=PATIENCE)


def test_the_switch_changes_the_language_and_the_address_and_leaves_the_history_alone(visit):
    page = visit("?surface=bowl")
    expect(page).to_have_url(re.compile("v=1"), timeout=PATIENCE)
    entries = page.evaluate("history.length")
    for name, seen, language in (("Русский", RUSSIAN, "ru"), ("English", ENGLISH, "en"), ("Русский", RUSSIAN, "ru")):
        page.get_by_role("button", name=name, exact=True).click()
        title(page, seen)
        expect(page).to_have_url(re.compile(rf"surface=bowl.*[?&]lang={language}\b"), timeout=PATIENCE)
    assert page.evaluate("history.length") == entries
    page.reload()
    title(page, RUSSIAN)


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_is_the_systems_until_it_is_flipped_and_stays_flipped(visit, system):
    page = visit(color_scheme=system)
    own = ground(page)
    assert own == {"light": "rgb(253, 253, 252)", "dark": "rgb(15, 22, 28)"}[system]
    flipped = {"light": "rgb(15, 22, 28)", "dark": "rgb(253, 253, 252)"}[system]
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".stApp")).to_have_css("background-color", flipped)
    page.reload()
    expect(page.locator(".stApp")).to_have_css("background-color", flipped, timeout=PATIENCE)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".stApp")).to_have_css("background-color", own)
    assert page.evaluate("localStorage.getItem('optviz-theme')") is None


def test_what_a_link_cannot_give_is_named_quietly_and_put_away(visit):
    page = visit("?surface=bowl&steps=-5&zzz=1" + "&w=" + "x" * 2000)
    note = page.get_by_role("status").filter(has_text="Not everything in the link")
    note.wait_for()
    assert "steps='-5'" in note.inner_text() and "zzz" in note.inner_text()
    assert max(map(len, note.inner_text().splitlines())) <= 150
    expect(page).not_to_have_url(re.compile("zzz"), timeout=PATIENCE)
    page.locator(".st-key-frame-notes").get_by_role("button").click()
    expect(note).to_have_count(0)


def test_a_shared_link_is_this_view_and_its_code_fills_a_lecture_hall(visit):
    page = visit("?surface=bowl&steps=77&lang=ru", viewport={"width": 1280, "height": 720})
    expect(page).to_have_url(re.compile("v=1.*steps=77"), timeout=PATIENCE)
    page.get_by_role("button", name="Поделиться").click()
    code = page.locator(".optviz-qr")
    code.wait_for()
    assert code.bounding_box()["width"] >= 480
    link = page.get_by_test_id("stCode").inner_text().replace("\n", "")
    assert "surface=bowl" in link and "steps=77" in link and "lang" not in link, "whoever opens it reads it in a language of their own"


def test_the_fonts_hold_mathematics_and_cyrillic_in_figures_of_one_width(visit):
    page = visit()
    widths = page.evaluate("""async () => {
        const signs = "θ∇αβγλ‖√≤≥→−×±∞²ЖяĀ∈⟨";
        await document.fonts.load("40px optviz", signs);
        const width = (font, text) => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = `40px ${font}`;
            return pen.measureText(text).width;
        };
        return {same: [..."0123456789"].map((digit) => width("optviz", digit)),
                missing: [...signs].filter((sign) => width("optviz, monospace", sign) !== width("optviz, serif", sign))};
    }""")
    assert len(set(widths["same"])) == 1
    assert widths["missing"] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(visit, width):
    page = visit("?lang=ru", viewport={"width": width, "height": 720})
    title(page, RUSSIAN)
    assert page.locator("html, [data-testid=stMain]").evaluate_all("all => Math.max(...all.map(e => e.scrollWidth))") <= width


@pytest.mark.parametrize("language", ["en", "ru", "xx"])
def test_the_script_runs_without_exceptions(language):
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["lang"] = language
    at.run()
    assert not at.exception
    assert not at.error
    assert [t.value for t in at.title] == [RUSSIAN if language == "ru" else ENGLISH]
