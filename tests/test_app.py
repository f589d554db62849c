"""The app in a browser: what a visitor sees, in both languages, with nothing asked of another machine."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parent.parent / "app.py"
ENGLISH, RUSSIAN = "Descent", "Спуск"


def title(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def ground(page):
    return page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")


@pytest.mark.parametrize(("query", "locale", "seen"), [
    ("", "de-DE", ENGLISH), ("", "ru-RU", RUSSIAN), ("?lang=en", "ru-RU", ENGLISH), ("?lang=ru", "en-GB", RUSSIAN),
    ("?lang=xx", "en-GB", ENGLISH), ("?lang=xx", "ru", RUSSIAN)])
def test_the_app_speaks_the_visitors_language(visit, query, locale, seen):
    page = visit(query, locale=locale)
    title(page, seen)
    expect(page.locator("html")).to_have_attribute("lang", "ru" if seen == RUSSIAN else "en")


@pytest.mark.parametrize("system", ["dark"])
def test_the_theme_is_the_systems_until_it_is_flipped_and_stays_flipped(visit, system):
    page = visit(color_scheme=system)
    own = ground(page)
    assert own == {"light": "rgb(253, 253, 252)", "dark": "rgb(15, 22, 28)"}[system]
    flipped = {"light": "rgb(15, 22, 28)", "dark": "rgb(253, 253, 252)"}[system]
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".stApp")).to_have_css("background-color", flipped)
    page.reload()
    expect(page.locator(".stApp")).to_have_css("background-color", flipped)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".stApp")).to_have_css("background-color", own)
    assert page.evaluate("localStorage.getItem('optviz-theme')") is None


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


@pytest.mark.parametrize("language", ["en", "ru", "xx"])
def test_the_script_runs_without_exceptions(language):
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["lang"] = language
    at.run()
    assert not at.exception
    assert not at.error
    assert [t.value for t in at.title] == [RUSSIAN if language == "ru" else ENGLISH]
