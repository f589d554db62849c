"""A server for a full room: several processes behind one port, each visitor always at the same one.

One Python process answers on one core. The system itself hands a connection to a process, by the visitor's address: the page, its
socket, its uploads and its downloads all come to the process that holds the visit. It takes Linux to do so; elsewhere one process serves.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

MOST = 4
ATTACH = 51  # SO_ATTACH_REUSEPORT_CBPF, for which Python has no name
POSSIBLE = sys.platform == "linux"


def usual() -> int:
    """How many processes serve a room: one a core, within reason."""
    return min(MOST, len(os.sched_getaffinity(0))) if POSSIBLE else 1


def by_address(first: socket.socket, count: int) -> None:
    """Let the system choose one of `count` sockets of a port by where a connection comes from, as a program of its packet filter."""
    network = 2**32 - 0x100000  # offsets from here are counted from the beginning of the packet
    byte, word, shift, equal, jump, modulo, answer = 0x30, 0x20, 0x74, 0x15, 0x05, 0x94, 0x16
    program = [(byte, 0, 0, network), (shift, 0, 0, 4), (equal, 0, 2, 4),  # the version: 4, or 6
               (word, 0, 0, network + 12), (jump, 0, 0, 1),  # the last four bytes of the sender's address
               (word, 0, 0, network + 20),
               (modulo, 0, 0, count), (answer, 0, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    first.setsockopt(socket.SOL_SOCKET, ATTACH, struct.pack("HP", len(program), ctypes.addressof(code)))


class Server:
    """One process of a room; it ends with the room, even one that is killed, because then nobody holds its input."""

    def __init__(self, bound: socket.socket, script: Path, render: bool):
        self.bound = bound
        code = f"from {__package__}.server import member; member({bound.fileno()}, {str(script)!r}, {render})"
        # its own group, so that Ctrl-C reaches it once, through the room
        self.process = subprocess.Popen([sys.executable, "-P", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        pass_fds=[bound.fileno()], start_new_session=True)

    def ready(self) -> None:
        """Wait until it answers; where it cannot even begin, the room is over, and why it has said itself."""
        assert self.process.stdout
        if not self.process.stdout.readline():
            raise SystemExit(1)

    def end(self) -> None:
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.close()


def shared(bound: socket.socket, count: int) -> list[socket.socket]:
    """A bound socket and others on its port, all listening; itself alone where the system cannot do that."""
    sockets = [bound]
    try:
        if count > 1 and POSSIBLE:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # only now: when it was bound, the port had to be nobody else's
            by_address(bound, count)
            for _ in range(count - 1):
                sockets.append(socket.socket(bound.family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
                for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                    sockets[-1].setsockopt(socket.SOL_SOCKET, option, 1)
                sockets[-1].bind(bound.getsockname())
    except OSError:
        for other in sockets[1:]:
            other.close()
        sockets = [bound]
    for each in sockets:
        each.listen(128)
    return sockets


def serve(sockets: Sequence[socket.socket], script: Path, render: bool, ready: Callable[[], object]) -> None:
    """A process a socket until Ctrl-C, one that dies begun anew; `ready` is called when all answer."""
    servers = [Server(each, script, render) for each in sockets]
    try:
        for server in servers:
            server.ready()
        ready()
        while True:
            time.sleep(0.5)
            for i, server in enumerate(servers):
                if server.process.poll() is not None:
                    servers[i] = Server(server.bound, script, render)
                    servers[i].ready()
    except KeyboardInterrupt:
        pass
    finally:
        for server in servers:
            server.end()
        until = time.monotonic() + 5  # for all together: one that has just begun hears nothing yet
        for server in servers:
            try:
                server.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                server.process.kill()
        for each in sockets:
            each.close()
