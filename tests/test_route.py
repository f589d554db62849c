"""The picture by URL: what is answered, what is refused and how, and that asking much costs the app little."""

import asyncio
import io
import os
import re
import signal
import sys
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import pytest
from conftest import running
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image
from processes import children, gone, until

import optviz as ov
from optviz.core import Refused, T
from optviz.optimizers import optimizers
from optviz.presets import presets
from optviz.race import LOOK, TABLE, Entrant, Race
from optviz.render import painter as at_work
from optviz.render.options import OPTIONS, options
from optviz.render.painter import ENOUGH, LABS, PICTURE, TYPES, answer, cost, descent, read
from optviz.render.route import BROKEN, BURST, ELSEWHERE, ENDING, LONGEST, METHOD, OFF, RATE, SLOW, UNKNOWN, WAITING, Answer, Painter, Pictures, Shelf
from optviz.schedules import schedules
from optviz.surfaces import surfaces

RACE = Race("himmelblau", (0.0, 0.5), [Entrant("sgd", lr=0.01), Entrant("adam", lr=0.3)], steps=40)
QUERY = RACE.to_query() + "&size=320x180&frames=3"
HOSTILE = "\"'><script>top.ran = 1</script>]]>&lt;&#60;&amp;<!--\x00\x1b\u202e\ufffe<image href=\"x\" onerror=\"top.ran = 1\"/>"


class Fake:
    """Draws nothing, when it is told to; remembers what it was asked for, and how often it was given up."""

    def __init__(self, ready=True, body=b"picture"):
        self.jobs, self.given_up, self.ready, self.body = [], 0, asyncio.Event(), body
        if ready:
            self.ready.set()

    async def draw(self, job):
        self.jobs.append(job["query"])
        try:
            await self.ready.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return Answer(200, self.body, "image/gif", {"etag": '"tag"'})

    async def close(self):
        pass


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"the app"})


async def ask(pictures, path="/render/descent.gif", query="", method="GET", client="192.0.2.7", leaves=None, **headers):
    """Status, headers and body, None where the client has left before."""
    told = []

    async def receive():
        await (leaves or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message):
        told.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "localhost:8501", **headers}.items()]
    await pictures({"type": "http", "path": path, "query_string": query.encode(), "method": method, "headers": named, "client": (client, 1)}, receive, send)
    if not told:
        return None
    start, *rest = told
    assert [part.get("more_body", False) for part in rest] == [True] * (len(rest) - 1) + [False]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, b"".join(part["body"] for part in rest)


def run(story):
    """A story to its end, though not for ever; in a thread, for a browser of another test may have a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(story, 60)).result()


async def drawn(*questions, patience=60.0):
    """The answers of a real painter, one after another."""
    painter = Painter(patience)
    pictures = Pictures(app, painter=painter)
    answers = [await ask(pictures, **question) for question in questions]
    await painter.close()
    return answers


async def settle():
    """Everybody has done what can be done now."""
    for _ in range(20):
        await asyncio.sleep(0)


# --- pictures --------------------------------------------------------------------------------------------------------------------------


def test_a_picture_is_the_file_that_the_command_line_makes():
    gif, png, svg = run(drawn({"query": QUERY}, {"path": "/render/descent.png", "query": QUERY}, {"path": "/render/descent.svg", "query": QUERY}))
    for (status, headers, body), ending in zip((gif, png, svg), TYPES, strict=True):
        assert status == 200 and headers["content-type"] == TYPES[ending]
        assert headers["content-disposition"] == f'inline; filename="himmelblau-sgd-adam.{ending}"'
        assert body == ov.render(RACE, medium=ending, size=(320, 180), frames=3)


def test_a_query_alone_is_what_the_app_shows_under_it():
    assert descent("").query == next(iter(presets.values())).race.to_query()
    assert descent(RACE.to_query()).query == RACE.to_query()


@pytest.mark.parametrize("key", presets)
def test_every_preset_is_answered_within_the_bounds(key):
    query = presets[key].race.to_query()
    for ending in TYPES:
        assert cost(descent(query), options({}), ending) < ENOUGH
    status, name, body = answer("descent", "gif", query + "&size=160x90&frames=2", "en")
    assert (status, Image.open(io.BytesIO(body)).size) == (200, (160, 90)), body
    assert re.fullmatch(r"[a-z0-9_-]+\.gif", name)


@pytest.mark.parametrize(("name", "text"), {
    "size": "640x360", "theme": "dark", "transparent": "1", "lang": "ru", "scale": "2", "frames": "5", "seconds": "1.5", "stride": "2.5", "fps": "50",
    "loop": "0", "first": "3", "last": "30", "tail": "9", "panel": "0", "legend": "0", "counter": "0", "arrows": "0", "title": "Тест", "caption": "1"}.items())
def test_every_option_of_a_picture_can_be_said(name, text):
    said, rest = read(f"surface=bowl&{name}={quote(text)}&optimizer=sgd&optimizer=adam")
    assert rest == "surface=bowl&optimizer=sgd&optimizer=adam"
    option = PICTURE[name]
    assert getattr(said, option) == OPTIONS[option].parse(name, text) != OPTIONS[option].default
    assert said == options({option: getattr(said, option)})


def test_no_name_means_two_things():
    lab = {"v", "surface", "formula", "box", "start", "optimizer", "schedule", "untuned", "muted", *TABLE, *LOOK}
    lab |= {f"surface_{name}" for s in surfaces.values() for name, _ in s.params} | {f"schedule_{name}" for s in schedules.values() for name in s.params}
    lab |= {name for key in optimizers for name in Entrant(key).table}
    assert not lab & set(PICTURE)
    assert set(PICTURE.values()) == set(OPTIONS) - {"sliders", "torch"}


# --- what is refused -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "query", "said"), [
    ("gif", "a=1", "size"), ("gif", "thme=dark", "theme"), ("gif", "theme=blue", "theme='blue'"), ("gif", "size=1x1", "size"), ("gif", "size=", "size"),
    ("gif", "frames=5&frames=6", "frames is given 2 times"), ("gif", "frames=5&seconds=1", "seconds"), ("gif", "frames=0", "frames"),
    ("gif", "first=400", "first"), ("gif", "lang=de", "lang='de'"), ("gif", "language=ru", "language"), ("gif", "torch=1", "torch"),
    ("gif", "steps=1e9", "steps"), ("gif", "optimizer=moon", "moon"), ("gif", "optimizer=adam:x%0a%0d=3", "x"),
    ("gif", "formula=x**", "formula"), ("gif", "formula=__import__('os')", "import"), ("gif", "start=nan,1", "start"), ("gif", "explain=9", "explain"),
    ("gif", "title=" + "x" * 201, "title"), ("gif", "&".join(f"a{i}=1" for i in range(300)), "200 fields"), ("png", "scale=3", "scale"),
    ("gif", "size=1920x1080&frames=1000", "too much work"), ("gif", "crowd=500&" + "&".join(["optimizer=sgd"] * 16), "too much work"),
    ("gif", "steps=10000&" + "&".join(["optimizer=sgd"] * 16), "too much work"), ("png", "size=1920x1080&scale=4", "pixels"),
    ("svg", "size=2560x1440", "pixels"), ("png", "%ff=%ff&%00", "unknown name"),
    ("gif", "fps=" + "9" * 5000, "fps"), ("png", "scale=" + "9" * 5000, "scale")])
def test_nonsense_is_refused_in_one_sentence(path, query, said):
    refused(path, query, said)


def test_a_race_that_takes_too_long_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sys.modules["optviz.outcome"], "BUDGET", 0.08)  # seconds
    refused("gif", "steps=100&optimizer=newton&optimizer=bfgs", "Too much work")


def refused(path, query, said):
    for language in ("en", "ru"):
        status, name, body = answer("descent", path, query, language)
        text = body.decode()
        assert (status, name) == (400, "") and text.isprintable() and "Traceback" not in text
        assert (language == "ru" and re.search("[а-яё]", text)) or said in text, text


@pytest.mark.parametrize(("error", "said"), [(MemoryError, "memory"), (RuntimeError("a secret"), ""), (RecursionError, "")])
def test_what_breaks_says_nothing_of_how(error, said, monkeypatch, capsys):
    def broken(query):
        raise error
    monkeypatch.setattr(at_work, "LABS", {"descent": broken})
    status, _, body = answer("descent", "gif", "", "en")
    assert status == (400 if said else 500) and said in body.decode() and b"secret" not in body
    assert ("Traceback" in capsys.readouterr().err) == (not said)


@pytest.mark.parametrize(("question", "status", "text"), [
    ({"path": "/render"}, 404, UNKNOWN), ({"path": "/render/"}, 404, UNKNOWN), ({"path": "/render/moon.gif"}, 404, UNKNOWN),
    ({"path": "/render/descent.exe"}, 404, UNKNOWN), ({"path": "/render/descent"}, 404, UNKNOWN), ({"path": "/render/../descent.gif"}, 404, UNKNOWN),
    ({"path": "/render/descent.py"}, 404, UNKNOWN), ({"method": "POST"}, 405, METHOD), ({"method": "PUT"}, 405, METHOD),
    ({"host": "evil.example"}, 403, ELSEWHERE), ({"host": "127.0.0.1.evil.example"}, 403, ELSEWHERE), ({"host": "localhost@evil.example"}, 403, ELSEWHERE),
    ({"host": "192.0.2.1:8501"}, 403, ELSEWHERE), ({"host": ""}, 403, ELSEWHERE), ({"host": "[::1"}, 403, ELSEWHERE)])
def test_refusals_need_no_painter(question, status, text):
    async def story():
        fake = Fake()
        for language in ("en", "ru"):
            got, headers, body = await ask(Pictures(app, painter=fake), **{"query": f"lang={language}", **question})
            assert (got, body.decode(), headers["content-type"]) == (status, getattr(text, language) + "\n", "text/plain; charset=utf-8")
            assert headers["cache-control"] == "no-store" and (headers.get("allow") == "GET, HEAD") == (status == 405)
        assert fake.jobs == []
    run(story())


def test_a_long_query_is_refused_before_it_is_read():
    async def story():
        fake = Fake()
        pictures = Pictures(app, painter=fake)
        assert (await ask(pictures, query="title=" + "x" * (LONGEST - 6)))[0] == 200
        assert (await ask(pictures, query="title=" + "x" * (LONGEST - 5)))[0] == 414
        assert len(fake.jobs) == 1
    run(story())


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:80", "[::1]:8501", "LOCALHOST"])
def test_this_machine_has_several_names(host):
    assert run(ask(Pictures(app, painter=Fake()), host=host))[0] == 200


def test_off_says_how_to_turn_it_on_and_beyond_this_machine_any_name_is_good():
    assert run(ask(Pictures(app, False, False, Fake())))[::2] == (404, OFF.en.encode() + b"\n")
    assert run(ask(Pictures(app, True, False, Fake()), host="wiki.example"))[0] == 200


def test_all_else_goes_to_the_app():
    for path in ("/", "/descent", "/renderer", "/_stcore/health"):
        assert run(ask(Pictures(app, False, painter=Fake()), path=path, host="evil.example", method="POST"))[::2] == (299, b"the app")


def test_a_plain_text_is_guarded_like_a_picture():
    for question in ({}, {"method": "HEAD"}, {"if_none_match": '"tag"'}, {"path": "/render/x"}, {"method": "PUT"}, {"host": "x"}):
        _, headers, _ = run(ask(Pictures(app, painter=Fake()), **question))
        assert headers["x-content-type-options"] == "nosniff" and headers["cross-origin-resource-policy"] == "cross-origin"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@given(some.text(max_size=300) | some.lists(some.tuples(some.sampled_from([*PICTURE, *TABLE, *LOOK, "surface", "formula", "box", "start", "optimizer", "x"]),
                                                         some.text(max_size=20) | some.floats().map(str) | some.sampled_from(["adam:lr=1", "1,2", "bowl"]))).map(urlencode))
def test_whatever_is_asked_is_read_or_refused(query):
    try:
        said, rest = read(query)
        Race.from_query(rest)
    except Refused as refusal:
        assert refusal.text.en.isprintable() and refusal.text.ru.isprintable()
    else:
        assert said == options({name: getattr(said, name) for name in OPTIONS})


# --- caches ----------------------------------------------------------------------------------------------------------------------------


def test_head_and_tags_and_how_long_it_stays_fresh():
    async def story():
        painter = Painter(60.0)
        pictures = Pictures(app, painter=painter)
        _, headers, body = await ask(pictures, query=QUERY)
        assert re.fullmatch(r'"[0-9a-f]{32}"', headers["etag"]) and headers["cache-control"] == "public, max-age=3600"
        assert headers["content-length"] == str(len(body))
        status, same, nothing = await ask(pictures, query=QUERY, method="HEAD")
        assert (status, same, nothing) == (200, headers, b"")
        for given_tags in (headers["etag"], "W/" + headers["etag"], f'"other", {headers["etag"]}', "*"):
            status, short, nothing = await ask(pictures, query=QUERY, if_none_match=given_tags)
            assert (status, nothing, short["etag"], short["cache-control"]) == (304, b"", headers["etag"], headers["cache-control"])
            assert not {"content-length", "content-type"} & set(short)
        assert (await ask(pictures, query=QUERY, if_none_match='"other"'))[0] == 200
        _, other, _ = await ask(pictures, query=QUERY + "&theme=dark")
        assert other["etag"] != headers["etag"]
        await painter.close()
    run(story())


def test_twenty_who_ask_the_same_wait_for_one_drawing():
    async def story():
        fake = Fake(ready=False, body=b"x" * 200_000)
        pictures = Pictures(app, painter=fake)
        asking = [asyncio.create_task(ask(pictures, query="size=320x180", client=f"192.0.2.{k}")) for k in range(20)]
        await settle()
        fake.ready.set()
        answers = [await task for task in asking] + [await ask(pictures, query="size=320x180")]
        assert fake.jobs == ["size=320x180"] and all(got[::2] == (200, fake.body) for got in answers)
    run(story())


def test_the_shelf_holds_what_it_has_room_for():
    shelf = Shelf(100)
    shelf.put("a", Answer(200, b"x" * 39))
    shelf.put("b", Answer(200, b"x" * 39))
    assert shelf.get("a")
    shelf.put("c", Answer(200, b"x" * 39))
    assert shelf.get("a") and shelf.get("c") and not shelf.get("b"), "what was asked for longest ago goes first"
    shelf.put("d", Answer(200, b"x" * 100))
    assert shelf.get("a") and not shelf.get("d"), "what is too large for it takes nothing else away"
    assert shelf.size == sum(len(key) + len(kept.body) for key, kept in shelf.kept.items()) == 80


def test_a_refusal_is_not_kept():
    async def story():
        async def refuse(job):
            return Answer(400, b"no\n")
        pictures = Pictures(app, painter=Fake())
        pictures.painter.draw = refuse
        assert (await ask(pictures, query="a"))[0] == 400 and not pictures.shelf.kept and not pictures.jobs
    run(story())


# --- bounds ----------------------------------------------------------------------------------------------------------------------------


def test_the_queue_has_an_end_and_who_leaves_frees_a_place():
    async def story():
        fake = Fake(ready=False)
        pictures = Pictures(app, painter=fake)
        leaves = [asyncio.Event() for _ in range(WAITING + 1)]
        asking = [asyncio.create_task(ask(pictures, query=f"title={k}", leaves=leaves[k])) for k in range(WAITING + 1)]
        await settle()
        status, headers, body = await ask(pictures, query="title=new&lang=ru")
        assert status == 503 and int(headers["retry-after"]) > 0 and re.search("[а-я]", body.decode())
        joins = asyncio.create_task(ask(pictures, query="title=3"))
        await settle()
        leaves[5].set()
        assert await asking.pop(5) is None
        late = asyncio.create_task(ask(pictures, query="title=new"))
        await settle()
        assert not late.done() and (await ask(pictures, query="title=newer"))[0] == 503
        fake.ready.set()
        assert {(await task)[0] for task in [*asking, joins, late]} == {200}
        assert fake.jobs == [f"title={k}" for k in (0, 1, 2, 3, 4, 6, 7, 8, "new")] and not pictures.jobs and not fake.given_up
    run(story())


def test_a_drawing_is_given_up_when_nobody_waits_for_it_any_more():
    async def story():
        fake, leave = Fake(ready=False), [asyncio.Event(), asyncio.Event()]
        pictures = Pictures(app, painter=fake)
        asking = [asyncio.create_task(ask(pictures, leaves=event)) for event in leave]
        await settle()
        leave[0].set()
        await settle()
        assert asking[0].done() and not fake.given_up
        leave[1].set()
        await settle()
        assert asking[1].done() and fake.given_up == 1 and not pictures.jobs
        fake.ready.set()
        assert (await ask(pictures))[0] == 200
    run(story())


def test_one_client_cannot_ask_for_everything():
    async def story():
        now = [0.0]
        pictures = Pictures(app, painter=Fake(), clock=lambda: now[0])
        assert [(await ask(pictures, query=f"title={k}"))[0] for k in range(BURST)] == [200] * BURST
        status, headers, _ = await ask(pictures, query="title=new")
        assert status == 429 and headers["retry-after"] == str(round(1 / RATE))
        assert (await ask(pictures, query="title=3"))[0] == 200, "what is there costs nothing"
        assert (await ask(pictures, query="title=new", client="192.0.2.8"))[0] == 200
        now[0] += 0.9 / RATE
        assert (await ask(pictures, query="title=newer"))[0] == 429
        now[0] += 0.2 / RATE
        assert (await ask(pictures, query="title=newer"))[0] == 200
        assert (await ask(pictures, query="title=newest"))[0] == 429
        now[0] += 1e6
        assert [(await ask(pictures, query=f"lang=ru&title={k}"))[0] for k in range(BURST + 1)] == [200] * BURST + [429], "no more is saved up"
        assert [(await ask(pictures, query=f"title=v6 {k}", client=f"2001:db8::{k}"))[0] for k in range(BURST + 1)] == [200] * BURST + [429]
        assert (await ask(pictures, query="title=v6", client="2001:db8:0:1::1"))[0] == 200
    run(story())


def test_a_drawing_that_takes_too_long_is_ended():
    async def story():
        painter = Painter(60.0)
        pictures = Pictures(app, painter=painter)
        assert (await ask(pictures, query=QUERY))[0] == 200  # it has begun
        process, painter.patience = painter.process, 0.3
        begin = time.monotonic()
        status, headers, body = await ask(pictures, query="size=1280x720&steps=5000&lang=ru")
        assert (status, body.decode()) == (503, SLOW.ru + "\n") and int(headers["retry-after"]) > 0 and time.monotonic() - begin < 5
        assert await process.wait() == -signal.SIGKILL
        painter.patience = 60.0
        assert (await ask(pictures, query=QUERY + "&theme=dark"))[0] == 200 and painter.process.pid != process.pid
        await painter.close()
    run(story())


def test_a_painter_that_dies_is_replaced(caplog):
    async def story():
        painter = Painter(60.0)
        pictures = Pictures(app, painter=painter)
        assert (await ask(pictures, query=QUERY))[0] == 200
        asking = asyncio.create_task(ask(pictures, query="size=1280x720&steps=5000"))
        await asyncio.sleep(0.2)
        os.kill(painter.process.pid, signal.SIGKILL)
        assert (await asking)[::2] == (500, BROKEN.en.encode() + b"\n")
        assert (await ask(pictures, query=QUERY + "&theme=dark"))[0] == 200
        await painter.close()
    run(story())
    assert "a picture failed" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_the_painter_has_one_thread_besides_the_one_that_listens_and_yields():
    async def story():
        painter = Painter(60.0)
        assert (await ask(Pictures(app, painter=painter), query=QUERY))[0] == 200
        about = Path(f"/proc/{painter.process.pid}")
        assert re.search(r"^Threads:\s+2$", (about / "status").read_text(), re.M)
        assert re.search(r"^Max address space\s+2147483648\s", (about / "limits").read_text(), re.M)
        assert os.getpriority(os.PRIO_PROCESS, painter.process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpgid(painter.process.pid) != os.getpgid(0), "Ctrl-C in the server's terminal would reach it, too"
        await painter.close()
    run(story())


def test_who_waits_when_the_server_ends_is_told_so():
    async def story():
        painter = Painter(60.0)
        pictures = Pictures(app, painter=painter)
        assert (await ask(pictures, query=QUERY))[0] == 200
        process = painter.process
        asking = [asyncio.create_task(ask(pictures, query=f"size=1280x720&steps=5000&title={k}")) for k in range(3)]
        await settle()
        await pictures.close()
        assert [(await task)[::2] for task in asking] == [(503, ENDING.en.encode() + b"\n")] * 3
        assert process.returncode == -signal.SIGKILL and painter.process is None
    run(story())


# --- hostile titles --------------------------------------------------------------------------------------------------------------------


def test_a_title_is_text_whatever_it_holds(browser, tmp_path):
    status, _, body = answer("descent", "svg", QUERY + "&title=" + quote(HOSTILE), "en")
    assert status == 200
    tree = ElementTree.fromstring(body)
    assert {element.tag.partition("}")[2] for element in tree.iter()} <= {"svg", "title", "desc", "rect", "image", "path", "circle", "text"}
    assert not {name for element in tree.iter() for name in element.attrib if name.startswith("on")}
    shown = HOSTILE.replace("\x00", " ").replace("\x1b", " ").replace("\u202e", " ").replace("\ufffe", " ")
    words = " ".join(shown.split())
    assert " ".join(tree[0].text.split()) == words
    said = " ".join(element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")).replace("\xa0", " ")
    assert "<script>top.ran = 1</script>" in said and '<image href="x" onerror="top.ran = 1"/>' in said
    (tmp_path / "title.svg").write_bytes(body)
    (tmp_path / "page.html").write_text(f"<body>{body.decode().partition('?>')[2]}</body>", "utf-8")  # within a page, where no policy holds it
    for file in ("title.svg", "page.html"):
        page = browser.new_page()
        page.goto((tmp_path / file).as_uri())
        assert page.evaluate("[typeof top.ran, document.scripts.length, document.querySelectorAll('svg').length > 0]") == ["undefined", 0, True]
        page.close()


# --- a real server ---------------------------------------------------------------------------------------------------------------------


def get(url, **headers):
    try:
        with urlopen(Request(url, headers=headers), timeout=60) as got:
            return got.status, got.headers, got.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_a_server_draws_and_leaves_nobody_behind_when_it_is_killed(browser, tmp_path):
    slide = tmp_path / "slide.html"
    with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (process, address):
        picture = f"{address}/render/descent.gif?{QUERY}"
        assert not children(process.pid), "nobody paints before somebody asks"
        status, headers, body = get(picture)
        assert status == 200 and body[:6] == b"GIF89a" and headers.get_all("Content-Security-Policy") == [headers["Content-Security-Policy"]]
        assert "sandbox" in headers["Content-Security-Policy"]
        assert get(picture, **{"If-None-Match": headers["ETag"]})[0] == 304 and get(picture, Host="evil.example")[0] == 403
        page = browser.new_page()
        slide.write_text(f'<img src="{picture.replace("&", "&amp;")}" onload="this.seen = true">', "utf-8")
        page.goto(slide.as_uri())
        page.wait_for_function("document.querySelector('img').seen")
        assert page.evaluate("document.querySelector('img').naturalWidth") == 320
        page.goto(f"{address}/render/descent.svg?{QUERY}&title={quote(HOSTILE)}")
        assert page.evaluate("document.documentElement.tagName") == "svg"
        page.close()
        (painter,) = children(process.pid)
        process.kill()
        process.wait()
        until(lambda: gone(painter))


def test_ctrl_c_while_drawing_ends_both_without_a_word():
    with running(sys.executable, "-m", "optviz", "app", "--port", "0") as (process, address):
        with ThreadPoolExecutor() as pool:
            asking = [pool.submit(get, f"{address}/render/descent.gif?size=1280x720&steps=5000&title={k}") for k in range(3)]
            while not (painters := children(process.pid)):
                time.sleep(0.05)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=20)[0] == "" and process.returncode == 0
            assert [task.result()[0] for task in asking] == [503] * 3
        assert all(map(gone, painters))


@pytest.mark.parametrize(("arguments", "status"), [((), 404), (("--render",), 200)])
def test_beyond_this_machine_it_draws_only_when_asked_for(arguments, status):
    with running(sys.executable, "-m", "optviz", "app", "--host", "0.0.0.0", "--port", "0", *arguments) as (_, line):
        got, _, body = get(f"http://127.0.0.1:{line.rpartition(':')[2]}/render/descent.png?{QUERY}", Host="wiki.example")
    assert got == status and (b"--render" in body) == (status == 404)


def test_the_table_of_labs_is_all_that_a_new_lab_needs():
    assert all(re.fullmatch(r"[a-z_]+", lab) and lab in UNKNOWN.en for lab in LABS) and isinstance(UNKNOWN, T)


def test_the_readme_has_an_address_that_is_answered():
    (source,) = re.findall(r'<img src="http://localhost:8501(/render/\w+\.gif)\?([^"]+)">', (Path(__file__).parent.parent / "README.md").read_text("utf-8"))
    status, _, body = answer(*source[0].removeprefix("/render/").split("."), source[1], "en")
    assert status == 200 and Image.open(io.BytesIO(body)).n_frames == 60


def test_a_drawing_that_breaks_gives_its_place_back():
    class Broken(Fake):
        async def draw(self, job):
            raise RuntimeError("no such loop")

    async def story():
        pictures = Pictures(app, painter=Broken())
        for k in range(2 * WAITING):
            with pytest.raises(RuntimeError):
                await ask(pictures, query=f"seed={k}")
        assert not pictures.jobs
    run(story())
