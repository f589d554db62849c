"""A full room: several processes behind one port, each visitor always at the same one."""

import os
import signal
import socket
import sys
from collections import Counter
from contextlib import closing
from urllib.request import urlopen

import pytest
from conftest import running, stop
from processes import children, gone, until

from optviz import room
from optviz.server import bind

pytestmark = pytest.mark.skipif(not room.POSSIBLE, reason="the system cannot keep visitors apart by their address")
ROOM = (sys.executable, "-m", "optviz", "app", "--host", "0.0.0.0", "--port", "0", "--processes", "2")


def answers(port, place):
    """Whether a visitor at an address is answered."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(place, 0))) as visitor:
        visitor.sendall(b"GET /_stcore/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"200 OK" in visitor.recv(4096)


@pytest.mark.parametrize(("host", "count"), [("0.0.0.0", 2), ("0.0.0.0", 3), ("::", 2)])
def test_who_comes_again_comes_to_the_same_process(host, count):
    if host == "::" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    bound = bind(host, 0)
    port, sockets, seen = bound.getsockname()[1], room.shared(bound, count), []
    for each in sockets:
        each.setblocking(False)
    places = [f"127.0.0.{k}" for k in range(1, 13)] * 3
    visitors = [socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(place, 0)) for place in places]
    for number, each in enumerate(sockets):
        with pytest.raises(BlockingIOError):
            while True:
                accepted, (place, *_) = each.accept()
                accepted.close()
                seen.append((place.removeprefix("::ffff:"), number))
        each.close()
    for visitor in visitors:
        visitor.close()
    homes = Counter(seen)
    assert len(homes) == 12 and set(homes.values()) == {3}, "each always to one"
    assert Counter(number for _, number in homes) == dict.fromkeys(range(count), 12 // count), "and evenly"


def test_a_room_answers_through_all_its_processes_and_ends_as_one():
    with running(*ROOM) as (process, address):
        port, pids = int(address.rpartition(":")[2]), children(process.pid)
        assert len(pids) == 2
        with urlopen(f"http://localhost:{port}", timeout=10) as page:
            assert b"<html" in page.read()
        assert answers(port, "127.0.0.1") and answers(port, "127.0.0.2")
        assert stop(process) == "" and process.returncode == 0
    until(lambda: all(map(gone, pids)))


def test_a_process_that_dies_is_begun_anew():
    with running(*ROOM) as (process, address):
        port, pids = int(address.rpartition(":")[2]), children(process.pid)
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: len(children(process.pid)) == 2 and pids[0] not in children(process.pid))
        assert answers(port, "127.0.0.1") and answers(port, "127.0.0.2")


def test_nobody_is_left_when_the_room_is_killed():
    with running(*ROOM) as (process, _):
        pids = children(process.pid)
        process.kill()
        until(lambda: all(map(gone, pids)))
