"""How long kernels and containers may be there, what counts as use, and what a notebook is told of the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from browser import Lab, chromium, served
from clients import Message, await_message, await_text, outcome, run, until_heard
from conftest import Open
from containers import Container, docker
from notebooks import Notebook
from processes import PATIENCE
from service import Service, Spec, pauses
from test_survival import kill_relayd, until

# Half of each time goes by before it is told, and in it a kernel must start and a cell be sent.
IDLE = 8
LIFETIME = 30


def told(notebook: Notebook, code: str) -> Message:
    """The warning, as iopub brings it."""
    return await_message(
        notebook.client.get_iopub_msg,
        lambda message: message["msg_type"] == "stream" and code in message["content"]["text"],
        patience=PATIENCE + LIFETIME / 2,
    )


def answered(notebook: Notebook, code: str = "1") -> Message:
    """What a cell is answered, whatever it is."""
    return run(notebook.client, code).reply["content"]


def logged(service: Service, event: str, kernel: str) -> list[float]:
    """When relayd noted this of a kernel: its own clock, and not that of a test that waits for its turn."""
    lines = (service.folder / "relayd.log").read_text().splitlines()
    return [
        datetime.fromisoformat(line.split()[0]).timestamp() for line in lines if f" {event} kernel={kernel} " in line
    ]


def until_ended(container: Container) -> None:
    for _ in pauses(PATIENCE):
        if not container.is_running():
            return
    pytest.fail(f"{container.name} runs on")


def until_without_kernel(container: Container) -> None:
    for _ in pauses(PATIENCE):
        if not container.kernels():
            return
    pytest.fail(f"{container.name} has {container.kernels()}")


@contextmanager
def asked_how_it_is(notebook: Notebook) -> Iterator[None]:
    """As front ends do all the time, whether anybody is there or not: kernel_info, comm_info and heartbeats."""
    over = threading.Event()
    client = notebook.manager.client()
    client.start_channels()
    client.hb_channel.unpause()

    def ask() -> None:
        while not over.wait(0.3):
            client.kernel_info()
            client.comm_info()
            client.session.send(client.control_channel.socket, "kernel_info_request", {})

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
        # One that had no time for its own pings for a while thinks that nobody answers until the next one.
        assert any(client.hb_channel.is_beating() for _ in pauses(PATIENCE))
    finally:
        over.set()
        asking.join()
        client.stop_channels()


def test_an_idle_kernel_ends(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    container = up()
    with open_notebook(add("--idle-timeout", f"{IDLE}s", container=container)) as notebook:
        # A cell that runs is use for as long as it runs, however long that is, and whether it prints or not.
        assert notebook.text(f"import time\ntime.sleep({IDLE + 2})\nprint('done')") == "done"
        request = notebook.client.execute("kept = 1")
        outcome(notebook.client, request)
        with asked_how_it_is(notebook):
            warning = told(notebook, "KR-KERNEL-IDLE")
        assert warning["parent_header"]["msg_id"] == request
        assert warning["content"]["name"] == "stderr"
        until_without_kernel(container)

        def is_said() -> bool:
            (kernel,) = [kernel for kernel in service.status()["kernels"] if kernel["container"] == container.name]
            return (kernel["verdict"]["word"], kernel["verdict"]["code"]) == ("kernel-dead", "KR-KERNEL-IDLE")

        until(is_said, "the verdict")
        # As of any death the next cell is told, and the one after it has a new kernel.
        reason = answered(notebook, "print(kept)")
        assert reason["ename"] == "KR-KERNEL-IDLE"
        assert f"{IDLE} s" in reason["evalue"]
        assert "--idle-timeout" in "\n".join(reason["traceback"])
        assert notebook.text("print('kept' in globals())") == "False"
        assert "KR-KERNEL-IDLE" in notebook.complaints


def test_use_puts_the_end_off(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    """Also when it was told already; and a question for completions is use."""
    with open_notebook(add("--idle-timeout", f"{IDLE}s", container=up())) as notebook:
        notebook.run("kept = 1")
        for _ in range(2):
            told(notebook, "KR-KERNEL-IDLE")
            notebook.client.complete("ke")
            notebook.client.get_shell_msg(timeout=PATIENCE)
        assert notebook.text("print(kept)") == "1"


def test_a_running_cell_is_use_for_the_next_relayd_too(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    with open_notebook(add("--idle-timeout", f"{IDLE}s", container=up())) as notebook:
        # Also for long enough after the next one has come.
        sleep = f"time.sleep({IDLE + 5})"
        request = notebook.client.execute(f"import time\nprint('asleep', flush=True)\n{sleep}\nkept = 1")
        await_text(notebook.client, "asleep")
        kill_relayd(service, signal.SIGKILL)
        notebook.client.iopub_channel.socket.poll(1_000)
        reply = await_message(
            notebook.client.get_shell_msg, lambda message: message["parent_header"].get("msg_id") == request
        )
        assert reply["content"]["status"] == "ok"
        assert notebook.text("print(kept)") == "1"


def test_a_lifetime_ends_and_does_not_begin_anew(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    """However much it is used, and though relayd was killed meanwhile."""
    container = up()
    with open_notebook(add("--max-lifetime", f"{LIFETIME}s", container=container)) as notebook:
        # Long enough to tell from a lifetime that began anew, and before the warning.
        notebook.run("import time\ntime.sleep(3)\nkept = 1")
        (kernel,) = [kernel["id"] for kernel in service.status()["kernels"] if kernel["container"] == container.name]
        kill_relayd(service, signal.SIGKILL)
        until_heard(notebook.client)
        request = notebook.client.execute("print('here', flush=True)\ntime.sleep(60)")
        warning = told(notebook, "KR-KERNEL-LIFETIME")
        assert warning["parent_header"]["msg_id"] == request
        # The cell that runs is told at once.
        done = outcome(notebook.client, request, patience=PATIENCE + LIFETIME / 2)
        assert done.reply["content"]["ename"] == "KR-KERNEL-LIFETIME"
        _, taken_up = logged(service, "kernel started", kernel)[-2:]
        (warned,) = logged(service, "kernel warned", kernel)
        assert warned - taken_up < LIFETIME / 2, "half of a lifetime that began anew"
        until_without_kernel(container)
        assert notebook.text("print('kept' in globals())") == "False"


def test_a_job_ends_with_its_kernel(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(add("--max-lifetime", f"{IDLE}s", "--on-failure", "exit", container=up())) as notebook:
        assert notebook.end() == 69
        assert "KR-KERNEL-LIFETIME" in notebook.complaints


def test_an_idle_container_ends(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    unused, container = (up(options=["--idle-timeout", f"{IDLE}s"]) for _ in range(2))
    with open_notebook(add(container=container)) as notebook:
        request = notebook.client.execute(f"import time\ntime.sleep({IDLE + 2})\nkept = 1")
        assert outcome(notebook.client, request).reply["content"]["status"] == "ok"
        # This one had no kernel, and needs no relayd.
        until_ended(unused)
        with asked_how_it_is(notebook):
            warning = told(notebook, "KR-CONTAINER-IDLE")
        assert warning["parent_header"]["msg_id"] == request
        until_ended(container)
        state = container.inspect()["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 0)
        reason = answered(notebook)
        assert reason["ename"] == "KR-CONTAINER-IDLE"
        assert f"docker start {container.name}" in "\n".join(reason["traceback"])
        # Nothing is lost but what was in memory.
        docker("start", container.name)
        container.settle()
        assert notebook.text("print('again')") == "again"


def test_a_containers_lifetime(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    container = up(options=["--max-lifetime", f"{LIFETIME}s"])
    with open_notebook(add(container=container)) as notebook:
        request = notebook.client.execute("import time\ntime.sleep(60)")
        warning = told(notebook, "KR-CONTAINER-LIFETIME")
        assert warning["parent_header"]["msg_id"] == request
        done = outcome(notebook.client, request, patience=PATIENCE + LIFETIME / 2)
        assert done.reply["content"]["ename"] == "KR-CONTAINER-LIFETIME"
        until_ended(container)
        assert answered(notebook)["ename"] == "KR-CONTAINER-STOPPED"


def test_a_kept_command_has_no_end(service: Service, image: str) -> None:
    done = service.attempt("up", "--keep-command", "--idle-timeout", "2h", image)
    assert done.returncode == 64
    assert "KR-USAGE" in done.stderr and "--keep-command" in done.stderr


@pytest.mark.parametrize("text", ["0", "500ms", "1w", "-1", "2h30m", "", "367d", "99999999999999999999d"])
def test_times_that_are_none(service: Service, container: Container, text: str) -> None:
    done = service.attempt("add", "--container", container.name, "--prefix", "/nowhere", f"--idle-timeout={text}")
    assert done.returncode == 64
    assert "--idle-timeout takes seconds" in done.stderr
    assert not os.path.exists("/nowhere")


@pytest.mark.heavy
def test_lab_shows_the_warning_below_the_last_cell(add: Callable[..., Spec], service: Service, tmp_path: Path) -> None:
    """Though that cell has long been answered, and Lab asks the kernel how it is all the time."""
    spec = add("--display-name", "Python (for a while)", "--idle-timeout", "50s")
    with served(service, spec.prefix, tmp_path / "lab") as url, chromium(tmp_path / "chromium") as driver:
        lab = Lab(driver)
        lab.open(url)
        lab.pick_in_the_launcher("Python (for a while)")
        lab.run("print('done')")
        lab.output("done")
        lab.output("KR-KERNEL-IDLE")
        lab.shoot("idle-warning")
