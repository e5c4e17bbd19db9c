"""What a person sees of the kernels: status, top and logs, in pipes and in terminals of any size."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from conftest import Open
from notebooks import Notebook
from processes import PATIENCE
from service import BINARIES, Service, Spec, pauses
from terminal import Terminal, terminal

RELAYD = str(BINARIES / "relayd")
SIZES = [(80, 24), (120, 40), (40, 10)]


def in_terminal(service: Service, *words: str, columns: int = 80, rows: int = 24, **more: str) -> AbstractContextManager[Terminal]:
    return terminal([RELAYD, *words], service.environment, columns, rows, **more)


def kernel_of(service: Service, notebook: Notebook) -> str:
    """The id of a kernel that works, and has shown so."""
    notebook.text("print(1 + 1)")
    (kernel,) = service.status()["kernels"]
    return str(kernel["id"])


def test_status_in_a_pipe_has_everything_and_no_escapes(service: Service, notebook: Notebook) -> None:
    kernel = kernel_of(service, notebook)
    printed = service.relayd("status")
    title, line = printed.splitlines()[:2]
    assert title.split()[:5] == ["KERNEL", "NOTEBOOK", "CONTAINER", "ROUTE", "VERDICT"]
    assert line.startswith(kernel) and service.containers[0].name in line
    assert "\x1b" not in printed


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_status_fits_the_terminal(service: Service, notebook: Notebook, columns: int, rows: int) -> None:
    kernel = kernel_of(service, notebook)
    # On a machine that has much to do a beat is late now and then.
    for _ in pauses(PATIENCE):
        with in_terminal(service, "status", columns=columns, rows=rows) as shown:
            assert shown.end() == 0
            written = re.sub(r"\x1b\[[0-9;]*m", "", shown.raw.decode()).splitlines()
        assert written[0].startswith("KERNEL") and written[1].startswith(kernel[:6])
        assert max(map(len, written)) <= columns
        if "ok" in written[1].split():
            return
    raise AssertionError(written)


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_status_without_escapes(service: Service, notebook: Notebook, plain: dict[str, str]) -> None:
    kernel_of(service, notebook)
    with in_terminal(service, "status", **plain) as shown:
        assert shown.end() == 0
        assert b"\x1b" not in shown.raw


def test_status_is_watched_in_a_terminal(service: Service, notebook: Notebook) -> None:
    kernel = kernel_of(service, notebook)
    with in_terminal(service, "status", "--watch", "0.2") as shown:
        shown.until_shown("KERNEL", kernel[:6])
        shown.until(lambda: shown.raw.count(b"KERNEL") > 3, "its repetition")
        shown.until(lambda: shown.text.count("KERNEL") == 1, "a screen that is painted over")
        shown.send(signal.SIGINT)
        assert shown.end() == -signal.SIGINT


def test_status_is_watched_in_a_pipe_though_relayd_goes(fresh_service: Service) -> None:
    command = [RELAYD, "status", "--watch=0.1"]
    with subprocess.Popen(command, env=fresh_service.environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        lines = iter(watching.stdout.readline, "")
        try:
            assert next(lines).startswith("--- 2")
            assert "KR-RELAYD-ABSENT" in next(lines)
            fresh_service.relayd("start")
            assert any(line == "no kernel runs\n" for line in lines)
            fresh_service.relayd("stop")
            assert any("KR-RELAYD-ABSENT" in line for line in lines)
        finally:
            watching.kill()


def test_watched_as_json_each_line_is_a_report(service: Service, notebook: Notebook) -> None:
    kernel = kernel_of(service, notebook)
    command = [RELAYD, "status", "--json", "--watch", "0.1"]
    with subprocess.Popen(command, env=service.environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            for _ in range(3):
                assert [each["id"] for each in json.loads(watching.stdout.readline())["kernels"]] == [kernel]
        finally:
            watching.kill()


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_top_at_every_size(service: Service, notebook: Notebook, columns: int, rows: int) -> None:
    kernel = kernel_of(service, notebook)
    with in_terminal(service, "top", columns=columns, rows=rows) as shown:
        shown.until_shown("relayd", "1 kernel", "> ", " ok", "? help")
        shown.type("?")
        shown.until_shown("Keys")
        shown.type("\x1b")
        shown.until_shown("> ")
        shown.type("\r")
        shown.until_shown(kernel, "Esc back")
        shown.type("\x1b")
        shown.until_shown("? help")
        shown.type("q")
        assert shown.end() == 0
        assert shown.is_restored()


def test_top_follows_the_size_of_the_terminal(service: Service, notebook: Notebook) -> None:
    kernel_of(service, notebook)
    with in_terminal(service, "top") as shown:
        shown.until_shown("1 kernel", "> ", "? help")
        for columns, rows in [(120, 40), (40, 10), (20, 5), (100, 30)]:
            shown.resize(columns, rows)
            shown.until(lambda: shown.lines[-1].startswith("? help") and shown.lines[0].startswith("relayd"), "the screen anew")
        shown.until_shown("1 kernel", "> ")
        shown.type("q")
        assert shown.end() == 0


def test_top_shows_the_ladder(service: Service, notebook: Notebook) -> None:
    kernel = kernel_of(service, notebook)
    with in_terminal(service, "top", columns=120, rows=50) as shown:
        shown.until_shown("1 kernel", "> ")
        shown.type("\r")
        shown.until_shown("LADDER", "relay", "engine", "container", "gate", "process", "heartbeat", "traffic")
        shown.until_shown("ROUND TRIP", "CHANNEL", "shell", "iopub", "LAUNCH", "spawn", "PROCESS")
        shown.type("q")
        assert shown.end() == 0


def test_top_without_colour_and_beyond_ascii(service: Service, notebook: Notebook) -> None:
    kernel_of(service, notebook)
    with in_terminal(service, "top", NO_COLOR="1", LC_ALL="C") as shown:
        shown.until_shown("1 kernel", "> ")
        shown.type("q")
        assert shown.end() == 0
        assert shown.raw.isascii()
        assert not re.search(rb"\x1b\[[0-9;]*m", shown.raw)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGSEGV, -11), (signal.SIGABRT, -6)],
)
def test_top_leaves_the_terminal_as_it_was(service: Service, number: signal.Signals, code: int) -> None:
    with in_terminal(service, "top") as shown:
        shown.until_shown("no kernel runs")
        shown.send(number)
        assert shown.end() == code
        assert shown.is_restored()


def test_top_gives_the_terminal_back_while_it_is_stopped(service: Service) -> None:
    with in_terminal(service, "top") as shown:
        shown.until_shown("no kernel runs")
        shown.type("\x1a")
        shown.until(lambda: shown.state() == "T", "its stop")
        assert shown.is_restored()
        shown.screen.reset()
        shown.send(signal.SIGCONT)
        shown.until_shown("relayd", "no kernel runs", "? help")
        shown.type("q")
        assert shown.end() == 0
        assert shown.is_restored()


def test_top_stays_when_relayd_goes_and_comes(fresh_service: Service) -> None:
    with in_terminal(fresh_service, "top", "--every", "0.2") as shown:
        shown.until_shown("relayd does not run")
        for _ in range(2):
            fresh_service.relayd("start")
            shown.until_shown("no kernel runs")
            fresh_service.relayd("stop")
            shown.until_shown("relayd does not run")
        shown.type("q")
        assert shown.end() == 0


def test_top_says_when_relayd_does_not_answer(fresh_service: Service) -> None:
    fresh_service.relayd("start")
    pid = fresh_service.status()["pid"]
    with in_terminal(fresh_service, "top") as shown:
        shown.until_shown("no kernel runs")
        os.kill(pid, signal.SIGSTOP)
        try:
            shown.until_shown("relayd does not answer")
            shown.type("?")
            shown.until_shown("Keys")
        finally:
            os.kill(pid, signal.SIGCONT)
        shown.type("\x1b")
        shown.until_shown("no kernel runs")
        shown.until(lambda: "does not answer" not in shown.text, "its answer")
        shown.type("q")
        assert shown.end() == 0


def test_top_needs_a_terminal(service: Service) -> None:
    done = service.attempt("top")
    assert done.returncode == 69 and "status --watch" in done.stderr


@contextmanager
def following(service: Service, *words: str) -> Iterator[Iterator[str]]:
    command = [RELAYD, "logs", "-f", *words]
    with subprocess.Popen(command, env=service.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as told:
        assert told.stdout is not None
        try:
            yield iter(told.stdout.readline, "")
        finally:
            told.kill()


def test_logs_tell_of_a_kernel(service: Service, notebook: Notebook) -> None:
    kernel = kernel_of(service, notebook)
    lines = service.relayd("logs", kernel[:6]).splitlines()
    assert lines and all(f"kernel={kernel}" in line for line in lines)
    assert any(" kernel started " in line for line in lines)
    entries = [json.loads(line) for line in service.relayd("logs", "--json", kernel).splitlines()]
    assert {entry["kernel"] for entry in entries} == {kernel}
    assert len(service.relayd("logs", "--lines", "1", kernel).splitlines()) == 1


@pytest.mark.timeout(60)
def test_logs_are_followed(service: Service, notebook: Notebook) -> None:
    kernel = kernel_of(service, notebook)
    with following(service, kernel) as lines:
        assert " kernel started " in next(lines)
        notebook.manager.shutdown_kernel(now=True)
        assert any(" kernel ended " in line for line in lines)


@pytest.mark.timeout(60)
def test_logs_are_followed_from_one_relayd_to_the_next(fresh_service: Service) -> None:
    fresh_service.relayd("start")
    first = fresh_service.status()["pid"]
    with following(fresh_service) as lines:
        assert any(f" serving pid={first} " in line for line in lines)
        fresh_service.relayd("stop")
        fresh_service.relayd("start")
        second = fresh_service.status()["pid"]
        assert any(f" serving pid={second} " in line for line in lines)


def test_logs_of_a_relayd_that_has_ended(fresh_service: Service) -> None:
    fresh_service.relayd("start")
    fresh_service.relayd("stop")
    done = fresh_service.attempt("logs")
    assert done.returncode == 0
    assert " serving " in done.stdout and " ending " in done.stdout
    assert "no relayd runs" in done.stderr
    events = [json.loads(line)["event"] for line in fresh_service.attempt("logs", "--json").stdout.splitlines()]
    assert events[0] == "serving" and events[-1] == "ending"


def test_the_log_file_is_set_aside(fresh_service: Service) -> None:
    log = fresh_service.folder / "relayd.log"
    fresh_service.relayd("start")
    with open(log, "a") as file:
        file.write("x" * (4 << 20) + "\n")
    # Any event will do: a kernel that cannot be started.
    shim = [str(BINARIES / "relay-shim"), "-f", "/nowhere.json", "--container", "nobody"]
    subprocess.run(shim, env=fresh_service.environment, capture_output=True, timeout=PATIENCE)
    fresh_service.relayd("stop")
    former = log.with_name("relayd.log.1")
    assert former.stat().st_size > 4 << 20 and former.stat().st_mode & 0o777 == 0o600
    assert log.stat().st_size < 1 << 20 and " ending " in log.read_text()


def test_stderr_of_a_kernel_that_has_ended(service: Service, add: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(add("--on-failure", "exit")) as notebook:
        kernel = kernel_of(service, notebook)
        # Past ipykernel, which takes what is written to descriptor 2 for output of the cell.
        code = "import os, sys; os.write(sys.stderr._original_stdstream_copy, b'last words \\x1b[31m\\n'); os._exit(3)"
        notebook.client.execute(code)
        assert notebook.end() == 3
    for _ in pauses(PATIENCE):
        if not service.status()["kernels"]:
            break
    assert "last words \x1b[31m\n" in service.attempt("logs", "--stderr", kernel[:8]).stdout
    with in_terminal(service, "logs", "--stderr", kernel) as shown:
        assert shown.end() == 0
        shown.read(0.2)
        assert "last words" in shown.text and b"\x1b" not in shown.raw
