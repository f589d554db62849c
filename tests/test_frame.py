"""The frame and the server without the lab: headers, configuration, errors, the spec in session and URL."""

import re
import socket
import sys
import tomllib
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from conftest import running, stop
from streamlit.testing.v1 import AppTest

from optviz.palette import THEMES
from optviz.server import SITE, policy

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))
FAILING = """
import streamlit as st
from optviz.ui import frame

def page():
    raise RuntimeError("a secret of the house")

frame.header()
frame.guarded(st.navigation([st.Page(page, title="x")]).run)
"""


def free_port():
    with socket.create_server(("localhost", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def served():
    with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (_, line):
        yield line


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/host-config", "/_stcore/bidi-components/optviz.frame/frame.js",
                                  "/_stcore/bidi-components/optviz.frame/fonts/text.woff2", "/_stcore/bidi-components/no/such", "/favicon.png"])
def test_every_answer_is_guarded(served, path):
    try:
        with urlopen(served + path, timeout=30) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'self'"
    assert "frame-ancestors" not in rules, "slides opened from disk may frame the app, too, which even * forbids"
    assert not re.search(r"https?:|wss?:|\*", " ".join(rules.values()))
    assert "'unsafe-inline'" not in rules["script-src"]
    assert (path == "/") == ("rel=preload" in headers.get("Link", ""))


def test_the_policy_knows_every_inline_script():
    assert policy("<script>a</script> <script>b</script>").count("'sha256-") == 2
    assert "'sha256-" not in policy("<script src='x'></script>")


def test_a_page_that_fails_tells_the_visitor_nothing_and_the_log_everything(tmp_path, browser):
    script = tmp_path / "app.py"
    script.write_text(FAILING, "utf-8")
    code = f"from pathlib import Path; from optviz.server import serve; serve('localhost', 0, Path({str(script)!r}))"
    with running(sys.executable, "-c", code) as (process, address):
        page = browser.new_page(locale="ru-RU")
        page.goto(address)
        page.get_by_text("Здесь что-то сломалось").wait_for()
        seen = page.locator("body").inner_text()
        page.close()
        logged = stop(process)
    assert "secret" not in seen and "Traceback" not in seen
    assert "RuntimeError: a secret of the house" in logged and "Traceback" in logged


def test_streamlit_run_is_dressed_and_silent_too(tmp_path, browser):
    port, hosts = free_port(), set()
    with running(sys.executable, "-m", "streamlit", "run", str(SITE / "app.py"), "--server.port", str(port), "--server.headless", "true", cwd=tmp_path):
        context = browser.new_context(color_scheme="dark")
        context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page = context.new_page()
        for _ in range(100):
            try:
                page.goto(f"http://localhost:{port}")
                break
            except Exception:  # not there yet
                page.wait_for_timeout(200)
        page.get_by_role("button", name="Light or dark").wait_for()
        colour = page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")
        context.close()
    page_colour = THEMES["dark"].page
    assert colour == f"rgb({', '.join(str(int(page_colour[i:i + 2], 16)) for i in (1, 3, 5))})"
    assert hosts == {"localhost"}


def test_options_stand_in_one_place():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"] == {"showErrorDetails": "none", "toolbarMode": "minimal"}
    assert CONFIG["runner"]["postScriptGC"] is False
    assert all(re.fullmatch(r"/_stcore/bidi-components/optviz\.frame/fonts/\w+\.woff2", face["url"]) for face in CONFIG["theme"]["fontFaces"])


def test_fonts_are_small_and_licensed():
    folder = ROOT / "optviz/ui/web/fonts"
    assert sum(path.stat().st_size for path in folder.glob("*.woff2")) < 300_000
    used = {Path(face["url"]).name for face in CONFIG["theme"]["fontFaces"]} | set(re.findall(r"\w+\.woff2", (folder.parent / "frame.css").read_text("utf-8")))
    assert used == {path.name for path in folder.glob("*.woff2")}
    licence = (folder / "LICENSE.md").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in licence and "BITSTREAM VERA" in licence


def lab():
    import streamlit as st

    from optviz.core import T
    from optviz.ui import frame

    def read(query, notes):
        if query:
            notes.extend(T(f"bad {part}", f"плохо {part}") for part in query.split("&"))
        return query

    st.text(frame.spec_of(read, "lab"))
    frame.notes("lab")
    st.button("new", on_click=lambda: frame.put("lab", "new=1"))
    frame.address("lab", "new=1")


def test_the_url_is_read_once_and_then_the_session_holds_the_truth():
    at = AppTest.from_function(lab)
    at.query_params["a"] = ["1", "2 &"]
    at.query_params["lang"] = "ru"
    at.query_params["embed_options"] = "dark_theme"
    at.run()
    assert not at.exception
    assert at.text[0].value == "a=1&a=2+%26"
    assert "плохо a=1" in at.get("html")[0].proto.body
    at.query_params["a"] = "9"
    at.run()
    assert at.text[0].value == "a=1&a=2+%26"
    at.button[0].click().run()
    assert len(at.get("html")) == 0, "the note was put away"
    at.button[0].click().run()
    assert at.text[0].value == "new=1"


def late():
    """A button's callback, and then one of a control that was made for the spec before, whose value a browser tells again."""
    import streamlit as st

    from optviz.ui.controls import Desk
    from optviz.ui.frame import put
    desk = Desk("demo", lambda query, found: "one")
    told = desk.bound("word", desk.spec, lambda spec, given: given)
    put("demo", "two")
    told["on_change"]()
    st.text(desk.spec)
    st.session_state[told["key"]] = "three"
    told["on_change"]()
    st.text(desk.spec)


def test_only_a_visitor_changes_a_spec_that_was_changed_from_elsewhere():
    at = AppTest.from_function(late).run()
    assert [element.value for element in at.text] == ["two", "three"]


def test_a_link_is_forgotten_with_its_story():
    def lab():
        import streamlit as st

        from optviz.core import T
        from optviz.ui.frame import notes, put, spec_of, story
        spec_of(lambda query, found: found.append(T("bad", "плохо")), "lab")
        notes("lab")
        st.text(story("lab"))
        for fresh in (False, True):
            st.button(str(fresh), on_click=put, args=("lab", None, False, fresh))
    at = AppTest.from_function(lab).run()
    assert at.text[0].value == "1" and len(at.get("html")) == 1
    at.button[1].click().run()
    assert at.text[0].value == "1" and len(at.get("html")) == 1
    at.button[2].click().run()
    assert at.text[0].value == "2" and len(at.get("html")) == 0


def test_many_and_long_notes_stay_short_on_the_screen():
    at = AppTest.from_function(lab)
    at.query_params["a"] = ["<b>" + "x" * 500] * 30
    at.run()
    body = at.get("html")[0].proto.body
    assert body.count("<li>") == 5 and "26" in body
    assert len(body) < 1500 and "<b>" not in body
