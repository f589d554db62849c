"""The picture by URL: /render/descent.gif?… answers with the file, so that a wiki or a slide can embed a live address.

Pure ASGI around any app. Each picture is drawn once, by one process that has one thread and yields to all others (painter.py); this file
keeps what was drawn, and bounds how much is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import math
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from ..core import T
from ..workers import THREADS
from .painter import LABS, TYPES

PREFIX = "/render"
LONGEST = 8192  # of a query, in bytes
KEPT = 64 * 2**20  # bytes of pictures that are remembered
WAITING = 8  # pictures, besides the one that is drawn
PATIENCE = 30.0  # seconds after which a drawing is ended
BURST, RATE = 30, 0.5  # new pictures that one client may ask for at once, and then in a second
CLIENTS = 4096  # that are told apart
FRESH = 3600  # seconds for which nobody need ask again
PIECE = 2**16  # bytes: no slow reader makes the server hold more of a file for it

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

_FILES = T(*[", ".join(f"{PREFIX}/{lab}.{ending}" for lab in LABS for ending in TYPES)] * 2)
OFF = T("pictures by address are off, because this server listens beyond its own machine; to turn them on start it with --render, as in: "
        "optviz app --host 0.0.0.0 --render",
        "картинки по адресу выключены, потому что сервер доступен не только с этой машины; чтобы включить их, запустите его с --render: "
        "optviz app --host 0.0.0.0 --render")
ELSEWHERE = T("pictures by address are drawn for this machine alone; ask for them at localhost",
              "картинки по адресу рисуются только для этой машины; обращайтесь к localhost")
UNKNOWN = T(f"there is no such picture; there are {_FILES.en}", f"такой картинки нет; есть {_FILES.ru}")
METHOD = T("a picture can only be asked for with GET or HEAD", "картинку можно запросить только методом GET или HEAD")
TOO_LONG = T(f"the query is longer than {LONGEST} characters; leave out what is as the app has it",
             f"запрос длиннее {LONGEST} знаков; уберите из него то, что и так по умолчанию")
TOO_OFTEN = T("too many new pictures were asked for from your address; try again a little later",
              "с вашего адреса запрошено слишком много новых картинок; повторите чуть позже")
BUSY = T("too many pictures are waiting to be drawn; try again a little later", "слишком много картинок ждёт очереди; повторите чуть позже")
SLOW = T(f"the picture was not ready after {PATIENCE:g} s; ask for a smaller size or fewer frames, steps or starts",
         f"картинка не готова и через {PATIENCE:g} с; уменьшите размер, число кадров, шагов или стартов")
ENDING = T("this server is about to end; ask for the picture when it runs again",
           "сервер завершает работу; запросите картинку, когда он снова будет запущен")
BROKEN = T("something broke while this picture was drawn, and has been logged; ask for another one",
           "при рисовании этой картинки что-то сломалось, ошибка записана в журнал; запросите другую")


@dataclass(frozen=True)
class Answer:
    """A picture, or a sentence why there is none."""

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class Drawing(Protocol):
    """Who draws: one picture at a time, and ends it when nobody wants it any more."""

    async def draw(self, job: Mapping[str, str]) -> Answer: ...
    async def close(self) -> None: ...


class Painter:
    """painter.py in a process of its own, begun when it is first needed; it ends with the server, even one that is killed."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.process: asyncio.subprocess.Process | None = None

    async def draw(self, job: Mapping[str, str]) -> Answer:
        """The answer to a job; a process that did not come to one is ended, and the next job begins another."""
        whole = False
        try:
            async with asyncio.timeout(self.patience):
                answer = await self._asked(job)
            whole = True
            return answer
        except TimeoutError:
            return sentence(503, SLOW, job["language"], retry=60)
        except Exception:  # it died, or never began
            logging.getLogger("optviz").exception("a picture failed")
            return sentence(500, BROKEN, job["language"])
        finally:
            if not whole:
                self.end()

    async def _asked(self, job: Mapping[str, str]) -> Answer:
        if self.process is None or self.process.returncode is not None:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", f"{__package__}.painter", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the server; the process goes when its input ends
                env={**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(filter(None, [_HOME, os.environ.get("PYTHONPATH")]))})
        into, out = self.process.stdin, self.process.stdout
        assert into and out
        into.write(json.dumps(job).encode() + b"\n")
        await into.drain()
        head = json.loads(await out.readline())
        body = await out.readexactly(head["length"])
        if head["status"] == 500:
            return sentence(500, BROKEN, job["language"])
        if head["status"] != 200:
            return Answer(head["status"], body + b"\n")
        return Answer(200, body, TYPES[job["ending"]], {"etag": f'"{head["tag"]}"', "cache-control": f"public, max-age={FRESH}",
                                                        "content-disposition": f'inline; filename="{head["name"]}"'})

    def end(self) -> None:
        """Stop, whatever it is at."""
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def close(self) -> None:
        """Stop, and wait until it has."""
        process = self.process
        self.end()
        if process is not None:
            await process.wait()


_HOME = str(Path(__file__).parents[2])  # where the process finds this package


class Shelf:
    """The last pictures, as many as there is room for."""

    def __init__(self, room: int = KEPT) -> None:
        self.room, self.size, self.kept = room, 0, OrderedDict[str, Answer]()

    def get(self, key: str) -> Answer | None:
        if key in self.kept:
            self.kept.move_to_end(key)
        return self.kept.get(key)

    def put(self, key: str, answer: Answer) -> None:
        """Keep one; the longest unasked make room for it."""
        size = len(key) + len(answer.body)
        if size > self.room:
            return
        self.kept[key] = answer
        self.size += size
        while self.size > self.room:
            old, gone = self.kept.popitem(last=False)
            self.size -= len(old) + len(gone.body)


class Buckets:
    """How many new pictures each client may still ask for: a few at once, then one every so often."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.left = clock, OrderedDict[str, tuple[float, float]]()

    def pay(self, client: str) -> float:
        """The seconds until it may ask; 0, and one less is left, where it may now."""
        now = self.clock()
        left, when = self.left.pop(client, (BURST, now))
        left = min(BURST, left + (now - when) * RATE)
        paid = left >= 1
        self.left[client] = (left - paid, now)
        if len(self.left) > CLIENTS:
            self.left.popitem(last=False)
        return 0.0 if paid else (1 - left) / RATE


@dataclass
class Job:
    """A picture that is drawn or waits to be, and how many wait for it."""

    task: asyncio.Task[Answer]
    readers: int = 0


class Pictures:
    """The app with pictures by URL: `on` or not; `local` answers only to the names of this machine, whatever a name server makes of others."""

    def __init__(self, app: Asgi, on: bool = True, local: bool = True, painter: Drawing | None = None, clock: Callable[[], float] = time.monotonic):
        self.app, self.on, self.local, self.painter = app, on, local, painter or Painter()
        self.shelf, self.buckets, self.jobs, self.turn = Shelf(), Buckets(clock), dict[str, Job](), asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["path"] == PREFIX or scope["path"].startswith(PREFIX + "/")):
            if (answer := await self.answer(scope, receive)) is not None:
                await _sent(answer, scope, send)
        else:
            await self.app(scope, receive, send)

    async def close(self) -> None:
        """Nothing is drawn any more: whoever waits is told so."""
        for job in self.jobs.values():
            job.task.cancel()
        await self.painter.close()

    async def answer(self, scope: Message, receive: Receive) -> Answer | None:
        """What to say; None to one who has left."""
        query = scope["query_string"].decode("utf-8", "replace")
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        language = _language(query)
        lab, _, ending = scope["path"].removeprefix(PREFIX + "/").rpartition(".")
        if not self.on:
            return sentence(404, OFF, language)
        if self.local and not _own_name(headers.get(b"host", "")):
            return sentence(403, ELSEWHERE, language)
        if lab not in LABS or ending not in TYPES:
            return sentence(404, UNKNOWN, language)
        if scope["method"] not in ("GET", "HEAD"):
            return sentence(405, METHOD, language, allow="GET, HEAD")
        if len(scope["query_string"]) > LONGEST:
            return sentence(414, TOO_LONG, language)
        job = {"lab": lab, "ending": ending, "query": query, "language": language}
        picture = self.shelf.get(_key(job)) or await self.drawn(job, _client(scope), receive)
        if picture is not None and picture.status == 200 and _has(headers.get(b"if-none-match", ""), picture.headers["etag"]):
            return Answer(304, b"", "", picture.headers)
        return picture

    async def drawn(self, job: Mapping[str, str], client: str, receive: Receive) -> Answer | None:
        """The picture, for which all who ask for the same wait together; when the last of them has left, it is given up."""
        key = _key(job)
        if key not in self.jobs:
            if len(self.jobs) > WAITING:
                return sentence(503, BUSY, job["language"], retry=10)
            if (wait := self.buckets.pay(client)) > 0:
                return sentence(429, TOO_OFTEN, job["language"], retry=wait)
            self.jobs[key] = Job(asyncio.create_task(self._work(job)))
        mine, left = self.jobs[key], asyncio.create_task(_left(receive))
        mine.readers += 1
        try:
            await asyncio.wait([mine.task, left], return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            mine.readers -= 1
            if not mine.readers and not mine.task.done():
                mine.task.cancel()
                del self.jobs[key]
        if mine.task.cancelled():
            return sentence(503, ENDING, job["language"])
        return mine.task.result() if mine.task.done() else None

    async def _work(self, job: Mapping[str, str]) -> Answer:
        """One picture after another."""
        key = _key(job)
        try:
            async with self.turn:
                answer = await self.painter.draw(job)
        finally:
            if (mine := self.jobs.get(key)) and mine.task is asyncio.current_task():  # who was given up has been replaced, perhaps
                del self.jobs[key]
        if answer.status == 200:
            self.shelf.put(key, answer)
        return answer


def _key(job: Mapping[str, str]) -> str:
    return "{lab}.{ending}?{query}".format(**job)


def sentence(status: int, text: T, language: str, retry: float = 0.0, **headers: str) -> Answer:
    """A refusal in one sentence; `retry` says in how many seconds asking again makes sense."""
    again = {"retry-after": str(math.ceil(retry))} if retry else {}
    return Answer(status, getattr(text, language).encode() + b"\n", headers={**headers, **again})


def _language(query: str) -> str:
    """The language to refuse in, also where the query is refused."""
    return "ru" if parse_qs(query).get("lang", [""])[-1] == "ru" else "en"


def _own_name(host: str) -> bool:
    """Whether a Host header names this machine from within."""
    try:
        name = urlsplit("//" + host).hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _client(scope: Message) -> str:
    """Who asks: an address, or a home's network of them where addresses are plenty."""
    host = (scope.get("client") or ("",))[0]
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
    return host


def _has(given: str, tag: str) -> bool:
    """Whether one who has some tags has this one."""
    return given.strip() == "*" or tag in [each.strip().removeprefix("W/") for each in given.split(",")]


async def _left(receive: Receive) -> None:
    """Until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _sent(answer: Answer, scope: Message, send: Send) -> None:
    """The answer with the headers of a careful house: any page may show it, and nothing in it may run."""
    headers = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "cross-origin",
               "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
               "cache-control": "no-store", **answer.headers}
    if answer.status != 304:
        headers |= {"content-type": answer.kind, "content-length": str(len(answer.body))}
    await send({"type": "http.response.start", "status": answer.status, "headers": [(n.encode(), v.encode()) for n, v in headers.items()]})
    body = b"" if scope["method"] == "HEAD" else answer.body
    for at in range(0, len(body), PIECE):
        await send({"type": "http.response.body", "body": body[at:at + PIECE], "more_body": True})
    await send({"type": "http.response.body", "body": b""})
