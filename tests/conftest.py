"""What several test files share: a browser, and the app in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import chromium
import pytest
from hypothesis import settings
from playwright.sync_api import expect, sync_playwright
from streamlit.components.v2 import manifest_scanner

import optviz

settings.register_profile("same", derandomize=True, deadline=None, max_examples=60)  # the same examples on every machine; --hypothesis-profile=default tries others
settings.load_profile("same")
PATIENCE = 90_000  # ms; heavy work stands back behind the other tests, and the machine may be busy with more than them
expect.set_options(timeout=PATIENCE)
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")  # whether the app is below a page's own address, Streamlit finds out by asking


@pytest.fixture(scope="session", autouse=True)
def kept(tmp_path_factory):
    """Heavy results are kept where nobody looks for them again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPTVIZ_CACHE", str(tmp_path_factory.mktemp("kept")))
        yield


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; without one the browser tests fail, they are never skipped."""
    path = chromium.find()
    assert path, "no Chromium was found; run: python tests/chromium.py"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)


@pytest.fixture(scope="session")
def address():
    """Where the app is served."""
    with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (_, line):
        yield line


@pytest.fixture(scope="session")
def free():
    """Contexts that no test uses now, by what makes them: one that knows the app has its scripts at hand, fetched and compiled."""
    return defaultdict(list)


def whole(page):
    """Wait until a page's run is over; until then parts of the one before are there."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


@pytest.fixture
def visit(browser, address, free):
    """Opens a page as somebody new; an error in its console or a word to another machine on the way fails the test."""
    taken, hosts, errors = [], set(), []
    heard = {"request": lambda request: hosts.add(urlsplit(request.url).hostname),
             "console": lambda message: errors.append(message.text) if message.type == "error" and not PROBES.search(message.location["url"]) else None,
             "weberror": lambda error: errors.append(str(error.error))}

    def open_page(query="", script="", **options):
        options = {"locale": "en-GB", **options}
        others = free[repr(sorted(options.items()))]
        context = others.pop() if others else browser.new_context(**options)
        taken.append((context, others))
        context.set_default_timeout(PATIENCE)
        for event, listener in heard.items():
            context.on(event, listener)
        page = context.new_page()
        page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
        page.add_init_script(script)
        page.goto(address + query)
        page.locator(".optviz-stage").first.wait_for()
        return page

    yield open_page
    for context, others in taken:
        for page in context.pages:
            page.evaluate("localStorage.clear()")
            page.close()
        context.clear_cookies()
        for event, listener in heard.items():
            context.remove_listener(event, listener)
        others.append(context)
    assert (hosts, errors) == ({"localhost"}, [])


WEB = Path(optviz.__file__).parent / "ui" / "web"
KINDS = {".js": "text/javascript", ".css": "text/css", "": "text/html"}


@pytest.fixture
def modules(browser):
    """Opens a page that may import the stages' modules and wears one of their style sheets; an error in its console fails the test."""
    contexts, errors = [], []

    def serve(style, route):
        name = route.request.url.removeprefix("http://stage/")
        if name:
            route.fulfill(path=WEB / name, content_type=KINDS[Path(name).suffix])
        else:
            route.fulfill(body=f"<!doctype html><meta charset=utf-8><link rel=icon href=data:><link rel=stylesheet href={style}>", content_type="text/html")

    def show(style, **context):
        contexts.append(browser.new_context(**{"viewport": {"width": 860, "height": 720}, **context}))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        contexts[-1].on("weberror", lambda error: errors.append(str(error.error)))
        page = contexts[-1].new_page()
        page.route("http://stage/**", partial(serve, style))
        page.goto("http://stage/")
        return page

    yield show
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def scanned():
    """The components of the installed packages are looked for once: AppTest would read the metadata of all packages for every page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@contextmanager
def running(*command, **options):
    """A process that serves the app without a terminal, and the first line that it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}  # with it, a line that nobody flushed would come, too
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
                          **options) as process:
        watchdog = threading.Timer(60, process.kill)  # a line that never comes shall fail the test, not stop it
        watchdog.start()
        line = process.stdout.readline().strip()
        watchdog.cancel()
        try:
            yield process, line
        finally:
            stop(process)


def stop(process):
    """What Ctrl-C does; the rest of what the process printed."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise
