"""What several test files share: a browser, and the app in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import chromium
import pytest
from hypothesis import settings
from playwright.sync_api import expect, sync_playwright

settings.register_profile("same", derandomize=True, deadline=None)  # the same examples on every machine; --hypothesis-profile=default tries others
settings.load_profile("same")
PATIENCE = 30_000  # ms; the machine may be busy with other tests
expect.set_options(timeout=PATIENCE)
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")  # whether the app is below a page's own address, Streamlit finds out by asking


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


@pytest.fixture
def visit(browser, address):
    """Opens a page; an error in its console or a word to another machine on the way fails the test."""
    contexts, hosts, errors = [], set(), []

    def open_page(query="", script="", **context):
        contexts.append(browser.new_context(**{"locale": "en-GB", **context}))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        contexts[-1].on("console", lambda message: errors.append(message.text) if message.type == "error" and not PROBES.search(message.location["url"])
                        else None)
        contexts[-1].on("weberror", lambda error: errors.append(str(error.error)))
        page = contexts[-1].new_page()
        page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
        page.add_init_script(script)
        page.goto(address + query)
        page.locator(".optviz-stage").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert (hosts, errors) == ({"localhost"}, [])


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
