"""What route.py asks for, drawn in a process of its own: the app stays quick meanwhile, and what takes too long can be ended in its middle."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from .. import pace_presets
from ..core import Refused, T, Unknown
from ..presets import opening
from ..query import FRAME, Query
from .exhibit import Exhibit, exhibit, pace_exhibit, whole
from .export import MEDIA, filename, made
from .options import OPTIONS, PIXELS, Options, options

ENOUGH = 20.0  # seconds that one picture may take, as `cost` guesses them
MEMORY = 2**31  # bytes that the process may ask for: a hostile formula keeps hundreds of arrays at a time
TYPES: Mapping[str, str] = {ending: MEDIA[ending].kind for ending in ("gif", "png", "svg")}
#: What a query may say of the picture, and which option that is; the language is called as in the app's own URL.
PICTURE: Mapping[str, str] = {"lang" if name == "language" else name: name for name in OPTIONS if name not in ("sliders", "torch")}


def descent(query: str) -> Exhibit:
    """The race of a query, from which nobody may be missing."""
    return exhibit(whole(opening(query)))


def schedules(query: str) -> Exhibit:
    """The same of a pace."""
    pace = pace_presets.opening(query)
    whole(pace.race)
    return pace_exhibit(pace)


#: By the name in the path: what a lab makes of its own query, or refuses.
LABS: Mapping[str, Callable[[str], Exhibit]] = {"descent": descent, "schedules": schedules}


def read(query: str) -> tuple[Options, str]:
    """What a query says of the picture, and what it says to the lab; what cannot be used is refused."""
    fields, given = Query(query).fields, dict[str, Any]()
    for name, option in PICTURE.items():
        texts = fields.pop(name, [])
        if len(texts) > 1:
            raise Refused(T(f"{name} is given {len(texts)} times; give it once", f"{name} указано несколько раз ({len(texts)}); укажите один раз"))
        if texts:
            given[option] = OPTIONS[option].parse(name, texts[0])
    for name in FRAME:  # a link that the app shared may have them
        fields.pop(name, None)
    return options(given), urlencode([(name, text) for name, texts in fields.items() for text in texts])


def cost(shown: Exhibit, o: Options, ending: str) -> float:
    """About how many seconds a drawing takes, as measured on a busy machine."""
    return shown.cost(pixels(o, ending), len(o.moments(shown.steps)) if ending == "gif" else 1)


def pixels(o: Options, ending: str) -> int:
    """How many there are in one picture; under the lines of an SVG the surface is twice as fine."""
    return o.size[0] * o.size[1] * {"png": o.scale, "svg": 2}.get(ending, 1) ** 2


def draw(lab: str, ending: str, query: str) -> tuple[str, bytes]:
    """The name and the bytes of a file."""
    o, rest = read(query)
    if (asked := pixels(o, ending)) > PIXELS:
        raise Refused(T(f"this picture has {asked} pixels; by address at most {PIXELS} are drawn, so ask for a smaller size or scale",
                        f"в этой картинке {asked} пикселей; по адресу рисуется не больше {PIXELS}, уменьшите size или scale"))
    try:
        shown = LABS[lab](rest)
    except Unknown as refusal:  # the lab does not know what else could have been meant
        names = ", ".join(PICTURE)
        raise Refused(T(f"{refusal.text.en}; of the picture: {names}", f"{refusal.text.ru}; о картинке: {names}")) from None
    if cost(shown, o, ending) > ENOUGH:
        raise Refused(T("this picture is too much work to be drawn by address; ask for a smaller size or fewer frames, steps or starts",
                        "для картинки по адресу здесь слишком много вычислений; уменьшите размер, число кадров, шагов или стартов"))
    return filename(shown, ending, o), made(shown, ending, o)


def answer(lab: str, ending: str, query: str, language: str) -> tuple[int, str, bytes]:
    """Status, name and bytes: the file, or in one sentence why there is none."""
    try:
        return 200, *draw(lab, ending, query)
    except Refused as refusal:
        text = refusal.text
    except MemoryError:
        text = T("this picture needs too much memory; ask for a smaller size or a shorter formula",
                 "для этой картинки нужно слишком много памяти; уменьшите размер или сократите формулу")
    except Exception:  # it goes to the log, and nobody else need know
        traceback.print_exc()
        return 500, "", b""
    return 400, "", getattr(text, language).encode()


def work() -> None:
    """Answer one job after another, a line of JSON each, until nobody is there to ask."""
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):  # what there is of it on this system
        os.nice(10)
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints to the log
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            jobs.put(line)
        os._exit(0)  # the server is gone, however it went: so is whoever waits for the picture

    threading.Thread(target=listen, daemon=True).start()
    while True:
        status, name, body = answer(**json.loads(jobs.get()))
        head = {"status": status, "name": name, "length": len(body), "tag": hashlib.sha256(body).hexdigest()[:32]}
        out.write(json.dumps(head).encode() + b"\n" + body)
        out.flush()


if __name__ == "__main__":
    work()
