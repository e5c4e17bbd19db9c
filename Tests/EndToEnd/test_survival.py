"""What may die between a notebook and its kernel without taking the kernel with it."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections.abc import Callable

import psutil
import pytest

from clients import Message, await_message, await_reply, await_text, connected, run, sleeping, until_heard
from conftest import Open
from containers import Container, docker
from notebooks import Notebook
from processes import PATIENCE
from service import Service, Spec, command_of, link_of, pauses


def until(met: Callable[[], bool], what: str) -> None:
    for _ in pauses(PATIENCE):
        if met():
            return
    pytest.fail(f"{what} did not come about")


def kill_relayd(service: Service, number: int) -> None:
    """Returns when the next one has the kernel."""
    pid = service.status()["pid"]
    os.kill(pid, number)

    def is_replaced() -> bool:
        # Asked of the processes: `relayd status` would start none, and fails in between.
        answer = service.attempt("status", "--json")
        if answer.returncode != 0:
            return False
        now = json.loads(answer.stdout)
        return now["pid"] != pid and [kernel["state"] for kernel in now["kernels"]] == ["running"]

    until(is_replaced, "the next relayd")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_relayd_may_die(notebook: Notebook, service: Service, number: int) -> None:
    notebook.run("kept = 41")
    for kept in (42, 43, 44):
        kill_relayd(service, number)
        until_heard(notebook.client)
        assert notebook.text("kept += 1; print(kept)") == str(kept)
    # Signals go by the new link, too.
    sleep = sleeping()
    request = notebook.client.execute(sleep, stop_on_error=False)
    await_text(notebook.client, "asleep")
    notebook.manager.interrupt_kernel()
    assert await_reply(notebook.client.get_shell_msg, request)["content"]["ename"] == "KeyboardInterrupt"
    assert notebook.text("print(kept)") == "44"


# Says what time it is until it is told to stop.
TICKING = """
import os, time
while not os.path.exists({file!r}):
    print(time.time(), flush=True)
    time.sleep(0.1)
os.unlink({file!r})
"""


def test_a_running_cell_is_answered_by_way_of_the_next_relayd(
    notebook: Notebook, service: Service, container: Container
) -> None:
    file = f"/tmp/stop-{uuid.uuid4().hex}"
    request = notebook.client.execute(TICKING.format(file=file))
    await_message(notebook.client.get_iopub_msg, says_later_than(0))
    kill_relayd(service, signal.SIGKILL)
    # libzmq subscribes again when the socket is looked at, as a client that shows a notebook does all the time. What the cell
    # says now is heard only once it has.
    await_message(notebook.client.get_iopub_msg, says_later_than(time.time()))
    container.run("touch", file)
    assert await_reply(notebook.client.get_shell_msg, request)["content"]["status"] == "ok"
    await_message(
        notebook.client.get_iopub_msg,
        lambda message: message["content"].get("execution_state") == "idle"
        and message["parent_header"].get("msg_id") == request,
    )


def says_later_than(moment: float) -> Callable[[Message], bool]:
    return lambda message: message["msg_type"] == "stream" and float(message["content"]["text"].split()[-1]) > moment


def test_the_link_to_the_gate_may_die(notebook: Notebook, service: Service, container: Container) -> None:
    """The engine's client is killed; a signal then goes by another."""
    relayd = psutil.Process(service.status()["pid"])
    client = link_of(relayd, container)
    client.kill()
    assert notebook.text("print('here')") == "here"
    assert "--join" in command_of(link_of(relayd, container, after=client))
    request = notebook.client.execute(sleeping())
    await_text(notebook.client, "asleep")
    notebook.manager.interrupt_kernel()
    assert await_reply(notebook.client.get_shell_msg, request)["content"]["ename"] == "KeyboardInterrupt"


def test_a_container_that_stops(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    container = up()
    with open_notebook(add("--on-failure", "exit", container=container)) as notebook:
        docker("stop", "--time", "1", container.name)
        assert notebook.end() == 69
        assert "KR-CONTAINER-GONE" in notebook.complaints
        docker("start", container.name)
        container.settle()
        notebook.manager.restart_kernel(now=True)
        # A client of its own: the first one's heartbeat has missed the kernel, and it would call that its death.
        with connected(notebook.connection) as client:
            assert run(client, "print('again')").text() == "again\n"

