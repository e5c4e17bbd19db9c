"""With --on-failure exit the shim ends as its kernel ends, says why, and takes everything with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients import connected, run
from conftest import Open
from containers import Container
from notebooks import Notebook, launched
from processes import PATIENCE
from service import Service, Spec, pauses

# One child, one that left the group, and one that left parent and session as well.
FAMILY = """
import os, subprocess
subprocess.Popen(["sleep", "1001"])
subprocess.Popen(["sleep", "1002"], start_new_session=True)
subprocess.Popen(["setsid", "--fork", "sleep", "1003"])
"""


@pytest.fixture
def exiting(add: Callable[..., Spec], open_notebook: Open) -> Iterator[Notebook]:
    with open_notebook(add("--on-failure", "exit")) as opened:
        yield opened


def test_the_exit_code_is_the_kernels(exiting: Notebook) -> None:
    exiting.client.execute("import os\nos._exit(3)")
    assert exiting.end() == 3
    (line,) = [line for line in exiting.complaints.splitlines() if "KR-" in line]
    assert "3" in line


@pytest.mark.parametrize("ends", [False, True], ids=["the notebook stays", "the shim ends"])
def test_a_kernel_is_ended_by_its_name(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service, ends: bool
) -> None:
    """By whoever runs relayd; with all that it started, and no other."""
    container = up()
    spec = add(*(["--on-failure", "exit"] if ends else []), container=container)
    with open_notebook(add(container=container)) as other:
        other.run("kept = 1")
        others = ids(service, container)
        before = set(container.kernels())
        with open_notebook(spec) as notebook:
            notebook.run("kept = 2\n" + FAMILY)
            (its,) = ids(service, container) - others
            assert service.relayd("end", its) == f"ended {its}"
            assert set(container.kernels()) == before
            if ends:
                assert notebook.end() == 69
                assert "KR-KERNEL-ENDED" in notebook.complaints
            else:
                reason = run(notebook.client, "print(kept)").reply["content"]
                assert reason["ename"] == "KR-KERNEL-ENDED"
                assert notebook.text("print('kept' in globals())") == "False"
        assert other.text("print(kept)") == "1"


def ids(service: Service, container: Container) -> set[str]:
    return {kernel["id"] for kernel in service.status()["kernels"] if kernel["container"] == container.name}


def test_a_name_that_no_kernel_has(service: Service) -> None:
    for words, code in [
        (["end"], "KR-USAGE"),
        (["end", "one", ""], "KR-USAGE"),
        (["end", "nobody", "nor-him"], "KR-KERNEL-UNKNOWN"),
    ]:
        refused = service.attempt(*words)
        assert refused.returncode != 0
        assert code in refused.stderr
        if "nor-him" in words:
            assert "nobody is not ended" in refused.stderr and "nor-him is not ended" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_is_the_kernels(exiting: Notebook, number: signal.Signals) -> None:
    # Python and IPython have handlers of their own for some.
    default = f"signal.signal({number.value}, signal.SIG_DFL)\n" if number != signal.SIGKILL else ""
    exiting.client.execute(f"import os, signal\n{default}os.kill(os.getpid(), {number.value})")
    assert exiting.end() in (-number, 128 + number)


def test_out_of_memory_says_so(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    small = up("--memory", "256m", "--memory-swap", "256m")
    with open_notebook(add("--on-failure", "exit", container=small)) as notebook:
        notebook.client.execute("hoard = [bytearray(b'x') * 1_000_000 for _ in range(1_000)]")
        assert notebook.end() in (-signal.SIGKILL, 128 + signal.SIGKILL)
        assert "memory" in notebook.complaints
        assert small.is_running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
def test_the_group_of_the_shim_ends_all(notebook: Notebook, container: Container, number: signal.Signals) -> None:
    notebook.run(FAMILY)
    assert len(container.kernels()) >= 4
    os.killpg(notebook.shim.pid, number)
    notebook.end()
    for _ in pauses(PATIENCE):
        if not container.kernels():
            break
    assert container.kernels() == []


def test_what_a_kernel_leaves_behind_ends_with_it(notebook: Notebook, container: Container) -> None:
    notebook.run(FAMILY)
    notebook.client.execute("os._exit(0)")
    assert notebook.end() == 0
    assert container.kernels() == []


def test_the_end_of_the_container(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    ending = up()
    with open_notebook(add("--on-failure", "exit", container=ending)) as notebook:
        ending.remove()
        assert notebook.end() == 69
        assert "KR-CONTAINER-GONE" in notebook.complaints


def test_stdin_and_session_do_not_matter(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    """VS Code makes no session for its kernels, and ends them by SIGTERM alone."""
    argv = add().argv(Path("{connection_file}"))
    with launched(service, argv, tmp_path / "code", start_new_session=False) as (shim, connection):
        with connected(connection) as client:
            assert run(client, "print(1)").text() == "1\n"
        shim.terminate()
        shim.wait(PATIENCE)
