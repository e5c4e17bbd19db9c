"""What is said is true at the moment at which it is read: while a container goes away, after a trouble is over, of a kernel
that has ended, of one that an earlier relayd started."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from clients import await_message, await_reply, await_text, run, sleeping, until_heard
from conftest import Open
from containers import Container, docker
from jobs import at_work, plain
from notebooks import Notebook, launched, opened
from own import own_container, until_gone, written
from processes import PATIENCE
from service import Service, Spec, pauses
from verdicts import Witness

WAITS = """
import os, time
print('pid', os.getpid(), flush=True)
while not os.path.exists('/tmp/go'): time.sleep(0.01)
print('done')
"""


def kernel_of(service: Service, connection: Path) -> dict:
    """Its part of the report; empty before there is one."""
    kernels = service.status()["kernels"]
    return next((each for each in kernels if each["connection_file"] == str(connection)), {})


def words(notebook: Notebook, request: str) -> str:
    """The error that a cell is answered with, as it stands in the notebook."""
    error = await_message(
        notebook.client.get_iopub_msg,
        lambda message: message["msg_type"] == "error" and message["parent_header"].get("msg_id") == request,
    )
    return plain("\n".join(error["content"]["traceback"]))


# While a container goes away


@pytest.mark.parametrize("place", ["shared", "own"])
def test_a_cell_is_told_nothing_that_would_interrupt_it(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], image: str, tmp_path: Path, place: str
) -> None:
    if place == "shared":
        container = up()
        spec = add(container=container)
    else:
        spec = written(tmp_path / "own", "-f", "{connection_file}", "--image", image)
    with at_work(service, spec, tmp_path / "job", WAITS) as job:
        job.until("pid ")
        if place == "shared":
            docker("stop", "--time", "1", container.name)
        else:
            container = own_container()
            docker("rm", "--force", "--volumes", container.name)
    said = job.text + plain(str(job.error))
    assert "KR-CONTAINER-GONE" in said
    assert "kill -" not in said and "docker run" not in said, said
    if place == "own":
        until_gone(container.name)


# When a trouble is over


def test_a_trouble_is_told_in_its_cell_and_in_no_other(
    service: Service, container: Container, add: Callable[..., Spec], tmp_path: Path
) -> None:
    """The remedy and the end of the cell come between two looks of relayd's; so do the next cells."""
    container.run("rm", "-f", "/tmp/go")
    quick = ["print('quick')"] * 4
    with at_work(service, add(), tmp_path / "job", WAITS, *quick) as job:
        job.until("pid ")
        pid = job.text.split()[1]
        container.run("sh", "-c", f"kill -STOP {pid}")
        job.until("[KR-KERNEL-STOPPED]")
        container.run("sh", "-c", f"touch /tmp/go; kill -CONT {pid}")
    container.run("rm", "-f", "/tmp/go")
    assert job.error is None
    texts = ["".join(output["text"] for output in cell["outputs"]) for cell in job.notebook.cells]
    assert job.marks("KR-KERNEL-STOPPED") == ["KR-KERNEL-STOPPED", "relayd"], texts[0]
    assert texts[1:] == ["quick\n"] * 4


# What has ended


def test_the_ended_say_how(
    service: Service, add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    def ended(connection: Path) -> dict:
        for _ in pauses(PATIENCE):
            found = [each for each in service.status()["ended"] if each["id"] == ids[connection]]
            if found:
                return dict(found[0]["verdict"])
        raise AssertionError("it does not end")

    ids: dict[Path, str] = {}
    with open_notebook(add()) as closed:
        shut = closed.connection
        ids[shut] = kernel_of(service, shut)["id"]
    with open_notebook(add("--on-failure", "exit")) as leaving:
        left = leaving.connection
        ids[left] = kernel_of(service, left)["id"]
        leaving.client.execute("import os\nos._exit(0)")
        assert leaving.end() == 0
    spec = written(tmp_path / "prefix", "-f", "{connection_file}", "--image", "kernelrelay/there-is-none")
    with open_notebook(spec) as never:
        lacking = never.connection
        assert run(never.client, "1").reply["content"]["ename"] == "KR-IMAGE-MISSING"
        ids[lacking] = kernel_of(service, lacking)["id"]
    assert (ended(shut)["text"], ended(shut)["code"]) == ("shut down", None)
    assert (ended(left)["text"], ended(left)["code"]) == ("exited 0", None)
    verdict = ended(lacking)
    assert verdict["text"].startswith("never started: KR-IMAGE-MISSING: ")
    assert (verdict["word"], verdict["code"]) == ("failed", "KR-IMAGE-MISSING")


# A young kernel


def test_memory_is_not_told_before_it_is_the_kernels(
    service: Service, image: str, tmp_path: Path
) -> None:
    """In a container of its own everything is new; what is looked at often is seen on its way."""
    spec = written(tmp_path / "prefix", "-f", "{connection_file}", "--image", image)
    seen = []
    with launched(service, spec.argv(Path("{connection_file}")), tmp_path / "shim") as (_, connection):
        for _ in pauses(PATIENCE):
            kernel = kernel_of(service, connection)
            seen.append((kernel.get("process") or {}).get("memory_bytes"))
            if seen[-1]:
                break
        until = own_container().name
    until_gone(until)
    assert seen[0] is None and seen[-1], seen
    assert all(figure is None or figure > 30_000_000 for figure in seen), seen


# A job, and relayd's own end


def test_a_job_is_promised_no_other_kernel(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    container = up()
    with open_notebook(add("--on-failure", "exit", container=container)) as notebook:
        request = notebook.client.execute(sleeping())
        await_text(notebook.client, "asleep")
        (gate,) = [gate for gate in service.status()["gates"] if gate["container"] == container.name]
        folder = container.run("sh", "-c", "echo /dev/shm/kr-??????")
        container.run("sh", "-c", f"kill -KILL {gate['pid']}")
        said = words(notebook, request)
        assert "KR-GATE-LOST" in said
        assert "next cell" not in said and "--on-failure exit" in said
        assert "KR-GATE-ABSENT" not in said and "relay-shim" not in said
        assert notebook.end() == 69
        assert "KR-GATE-ABSENT" not in notebook.complaints
        for _ in pauses(PATIENCE):
            if not container.kernels():
                break
        container.run("sh", "-c", f"rm -rf {folder}")


def test_relayd_stop_says_so_in_the_notebook(
    fresh_service: Service, container: Container, tmp_path: Path
) -> None:
    spec = fresh_service.add(tmp_path / "prefix", container)
    with opened(fresh_service, spec, tmp_path / "one") as notebook:
        request = notebook.client.execute(sleeping())
        await_text(notebook.client, "asleep")
        printed = fresh_service.relayd("stop")
        said = words(notebook, request)
        assert await_reply(notebook.client.get_shell_msg, request)["content"]["ename"] == "KR-RELAYD-STOPPED"
        assert "relayd was stopped by `relayd stop`, and its kernels with it" in said
        assert "KR-KERNEL-KILLED" not in said and "crashed" not in said
        assert notebook.end() == 69
        assert "KR-RELAYD-STOPPED" in notebook.complaints and "KR-KERNEL-KILLED" not in notebook.complaints
        lines = printed.splitlines()
        assert lines[0] == "stopped"
        assert "1 kernel was ended" in lines[1] and "relayd drain" in lines[1]


def test_a_kernel_is_as_old_as_it_is(service: Service, notebook: Notebook) -> None:
    before = kernel_of(service, notebook.connection)
    assert before["resumed"] is False
    pid = service.status()["pid"]
    for _ in pauses(PATIENCE):
        before = kernel_of(service, notebook.connection)
        if before["uptime_seconds"] > 4:
            break
    os.kill(pid, signal.SIGKILL)
    for _ in pauses(PATIENCE):
        if service.attempt("status", "--json").returncode == 0:
            after = kernel_of(service, notebook.connection)
            if after.get("state") == "running":
                break
    assert after["resumed"] is True
    assert after["uptime_seconds"] >= before["uptime_seconds"] - 1
    until_heard(notebook.client)
    assert notebook.text("print(1)") == "1"


# A limit that came later


def test_a_memory_limit_that_was_set_later(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    container = up()
    with open_notebook(add(container=container)) as notebook:
        notebook.run("1")
        docker("update", "--memory", "200m", "--memory-swap", "200m", container.name)
        request = notebook.client.execute("hoard = [bytearray(b'x') * 1_000_000 for _ in range(1_000)]")
        said = words(notebook, request)
        assert "KR-KERNEL-OUT-OF-MEMORY" in said and ": 200m" in said
        assert f"docker update --memory 400m --memory-swap 400m {container.name}" in said
        witness = Witness(service, container.name)
        verdict = witness.until("kernel-dead", code="KR-KERNEL-OUT-OF-MEMORY")
        assert verdict["command"] == verdict["remedy"] and verdict["command"].startswith("docker update ")
