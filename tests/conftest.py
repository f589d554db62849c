"""What several test files share: a browser, and the app in a process of its own."""

import os
import signal
import subprocess
import threading
from contextlib import contextmanager

import chromium
import pytest
from hypothesis import settings
from playwright.sync_api import sync_playwright

settings.register_profile("same", derandomize=True, deadline=None)  # the same examples on every machine; --hypothesis-profile=default tries others
settings.load_profile("same")


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; without one the browser tests fail, they are never skipped."""
    path = chromium.find()
    assert path, "no Chromium was found; run: python tests/chromium.py"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)


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
