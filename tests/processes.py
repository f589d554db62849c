"""What the system tells of processes, and waiting for it."""

import time
from contextlib import suppress
from pathlib import Path


def until(true, seconds=90):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)


def stat(pid):
    """State, parent, group and so on of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def gone(pid):
    """Whether it has ended, even if nobody has asked for its status yet."""
    try:
        return stat(pid)[0] == "Z"
    except OSError:
        return True


def children(parent):
    """The processes that one has begun: asked of each of them, as the list that a thread has of its own goes to another when it ends."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if stat(path.name)[1] == str(parent):
                found.append(int(path.name))
    return sorted(found)
