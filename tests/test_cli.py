"""The command line, run as a visitor runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest
from conftest import running, stop

import optviz
from optviz.cli import REGISTRIES
from optviz.server import bind

OPTVIZ = (sys.executable, "-m", "optviz")


def run(*arguments, **environment):
    return subprocess.run([*OPTVIZ, *arguments], capture_output=True, encoding="utf-8", timeout=60, env={**os.environ, **environment})


@pytest.mark.parametrize("name", REGISTRIES)
def test_list_prints_every_key_with_its_names(name):
    done = run("list", name)
    assert (done.returncode, done.stderr) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows == {key: f"{definition.name.en} · {definition.name.ru}" for key, definition in REGISTRIES[name].items()}


def test_list_prints_all_registries():
    done = run("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^(\w+):$", done.stdout, re.M) == list(REGISTRIES)
    assert re.findall(r"^  (\w+) ", done.stdout, re.M) == [key for registry in REGISTRIES.values() for key in registry]


@pytest.mark.parametrize("environment", [
    {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_names_are_printed_on_a_terminal_that_knows_ascii_only(environment):
    done = run("list", "surfaces", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Чаша" in done.stdout


def test_a_reader_that_leaves_early_is_no_error():
    with subprocess.Popen([*OPTVIZ, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")


def test_version():
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"optviz {optviz.__version__}\n", "")


@pytest.mark.parametrize(("arguments", "said"), [
    ((), "required"), (("nothing",), "nothing"), (("list", "nothing"), "nothing"), (("list", "--nothing"), "--nothing"),
    (("app", "--port", "x"), "'x'"), (("app", "--port", "70000"), "70000 is no port; allowed: 0 to 65535"),
    (("app", "--port", "-1"), "-1 is no port; allowed: 0 to 65535")])
def test_a_wrong_command_line_exits_2_and_says_why(arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", "", "192.0.2.1"])
def test_an_impossible_host_exits_1_with_one_sentence(host):
    done = run("app", "--port", "0", "--host", host)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"optviz: .*address of this machine.*\n", done.stderr)
    assert host in done.stderr


def test_the_app_prints_its_address_serves_and_ends_on_ctrl_c():
    with running(*OPTVIZ, "app", "--port", "0") as (process, line):
        assert re.fullmatch(r"http://localhost:\d+", line)
        with urlopen(line, timeout=30) as answer:
            assert answer.status == 200
            assert b"<html" in answer.read()
        begin = time.monotonic()
        assert stop(process) == ""
        assert process.returncode == 0
        assert time.monotonic() - begin < 5


def test_ctrl_c_while_starting_is_no_error():
    with subprocess.Popen([sys.executable, "-X", "importtime", "-m", "optviz", "app", "--port", "0"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "streamlit" in line:  # its first module is there, most of them are not
                process.send_signal(signal.SIGINT)
                break
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_taken_port_moves_to_the_next_and_says_so():
    with bind("localhost", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with running(*OPTVIZ, "app", "--port", str(port)) as (process, line):
            said = re.fullmatch(r"Port (\d+) is taken, using (\d+)\.", line)
            assert said and int(said[1]) == port < int(said[2])
            assert process.stdout.readline() == f"http://localhost:{said[2]}\n"
            with socket.create_connection(("localhost", int(said[2])), timeout=10):
                pass


def test_small_answers_are_sent_at_once():
    with bind("localhost", 0) as bound:
        bound.listen()
        with socket.create_connection(bound.getsockname()):
            pass
        accepted, _ = bound.accept()
        accepted.close()
    assert accepted.proto == socket.IPPROTO_TCP, "asyncio sets TCP_NODELAY on no other: every answer in two pieces would take 40 ms more"
