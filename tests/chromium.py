"""A Chromium for the browser tests: one that is there, else Playwright's own, else the system's package manager's.

`python tests/chromium.py` makes sure that there is one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
         # Playwright's own (ours replace them), and the address bar's list of suggestions: a page of its own beside every page
         "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,NetworkTimeServiceQuerying,"
         "OptimizationHints,PaintHolding,ThirdPartyStoragePartitioning,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,WebUIOmniboxPopup"]
INSTALLERS = (
    [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"],
    [sys.executable, "-m", "playwright", "install", "chromium"],
    ["sh", "-c", "apt-get update && apt-get install --yes chromium"],
    ["sh", "-c", "sudo -n apt-get update && sudo -n apt-get install --yes chromium"],
    ["sh", "-c", "dnf install --assumeyes chromium || sudo -n dnf install --assumeyes chromium"],
    ["sh", "-c", "apk add chromium || pacman --sync --noconfirm chromium"],
)


def works(path):
    """True when the browser starts."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find():
    """The path of a browser that starts, or None."""
    named = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
    roots = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH"), "~/.cache/ms-playwright", "~/Library/Caches/ms-playwright"]
    own = [path for root in roots if root for pattern in ("*/chrome-*/chrome", "*/chrome-*/headless_shell", "*/chrome-*/chrome-headless-shell",
                                                          "*/chrome-*/*.app/Contents/MacOS/*")
           for path in sorted(Path(root).expanduser().glob(pattern), reverse=True)]
    return next((str(path) for path in [*named, *own] if path and works(path)), None)


def main():
    for install in INSTALLERS:
        if find():
            break
        try:
            subprocess.run(install, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(error, file=sys.stderr)
    path = find()
    print(f"Chromium: {path}" if path else "No Chromium could be installed; install one and run: make test CHROMIUM=/path/to/it")
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
