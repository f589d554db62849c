"""Store: results of heavy runs on disk, by the spec that asked for them, so that tomorrow's lecture opens its map at once.

A file is a NumPy archive without pickles, written whole or not at all; one that cannot be read is as if it were not there, and where
nothing can be written nothing is kept. The oldest go when together they are too large.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

MOST = 2**30  # bytes of all files together
ABOUT = "about"  # the name under which a file tells where its numbers come from
ABANDONED = 3600.0  # seconds after which a file that is half written belongs to nobody


def folder() -> Path:
    """Where they are kept: OPTVIZ_CACHE, else where this system keeps such things."""
    if own := os.environ.get("OPTVIZ_CACHE"):
        return Path(own)
    base = {"darwin": "~/Library/Caches", "win32": os.environ.get("LOCALAPPDATA", "~/AppData/Local")}.get(sys.platform, "~/.cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or base).expanduser() / "optviz"


@cache
def formulas() -> str:
    """A digest of this package's own source: another formula gives other results."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def path_of(spec: str) -> Path:
    """The file of a spec."""
    return folder() / f"{hashlib.sha256(f'{formulas()} {spec}'.encode()).hexdigest()[:40]}.npz"


def load(spec: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The arrays of a spec and what was told about them; None where they are not kept."""
    try:
        path = path_of(spec)
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop(ABOUT)))
        if about.pop("spec") != spec:
            return None
        os.utime(path)  # wanted lately
        return arrays, about
    except Exception:  # zipfile, zlib, tokenize, json: whatever a damaged file, or a system without a home, makes them raise
        return None


def save(spec: str, arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> bool:
    """Keep the arrays of a spec; whether that was possible."""
    made = None
    try:
        path = path_of(spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            made = file.name
            np.savez_compressed(file, allow_pickle=False, **{ABOUT: np.array(json.dumps({**about, "spec": spec}))}, **arrays)
        os.replace(made, path)  # who reads meanwhile has the old file or the new one
        bound(path.parent)
    except (OSError, RuntimeError):  # no room, no right, or no home
        return False
    finally:
        if made:
            with contextlib.suppress(OSError):  # it has its name, mostly
                os.unlink(made)
    return True


def bound(place: Path) -> None:
    """Let go of the files that were wanted longest ago, where all are too large together; and of what another process left half written."""
    found = []
    for path in (*place.glob("*.npz"), *place.glob("*.part")):
        with contextlib.suppress(OSError):  # another process was quicker
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    left = MOST
    for wanted, size, path in sorted(found, reverse=True):
        left -= size
        if left < 0 or (path.suffix == ".part" and time.time() - wanted > ABANDONED):
            with contextlib.suppress(OSError):
                path.unlink()
