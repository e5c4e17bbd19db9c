"""A container for one kernel: made with it, its alone, and gone with it, whoever of those concerned is killed."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

from clients import await_reply, connected, outcome, run, until_heard
from conftest import Open
from containers import Container, docker
from notebooks import Notebook, launched, manager_of, refused
from own import assert_no_key_is_seen, command_lines, own_container, until_gone, until_none_is_left, written
from processes import PATIENCE
from service import Service, Spec, pauses


@pytest.fixture(autouse=True)
def no_container_left() -> Iterator[None]:
    yield
    left = until_none_is_left()
    for name in left:
        docker("rm", "--force", "--volumes", name)
    assert not left


@pytest.fixture
def own(image: str, tmp_path: Path) -> Callable[..., Spec]:
    """`own(*options)`: a kernel.json for the suite's image; what stands behind `--` is for `run`."""
    return lambda *words: written(tmp_path / "prefix", "-f", "{connection_file}", "--image", image, *words)


def executed(service: Service, spec: Spec, folder: Path, *cells: str) -> list[str]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    manager = manager_of(spec, folder, AsyncKernelManager)
    client = NotebookClient(notebook, km=manager, timeout=PATIENCE)
    client.owns_km = True
    client.execute(env=service.environment, cwd=str(folder))
    return ["".join(output["text"] for output in cell.outputs) for cell in notebook.cells]


def test_a_kernel_json_of_docker_proxy_kernel(service: Service, image: str, tmp_path: Path) -> None:
    """As it was written for that program, but for its first words; the client is a script that adds some of its own."""
    script = tmp_path / "my docker"
    script.write_text('#!/bin/sh\necho "$1" >> "$0.calls"\nexec docker "$@"\n')
    script.chmod(0o755)
    given = tmp_path / "given"
    given.mkdir()
    (given / "note").write_text("from the host")
    argv = [
        "/home/andy/note2/bin/python", "-m", "docker_proxy_kernel",
        "-f", "{connection_file}",
        "--image", image,
        "--docker", f"'{script}'",
        "--cmd", "['/usr/bin/python3', '-m', 'ipykernel']",
        "--", "-v", f"{given}:/data", "-e", "K=v w",
    ]  # fmt: skip
    spec = written(tmp_path / "prefix", *argv[3:])
    cell = "import os; print(os.environ['K'], '|', open('/data/note').read(), '|', os.path.exists('/.dockerenv'))"
    assert executed(service, spec, tmp_path / "job", cell) == ["v w | from the host | True\n"]
    assert "run" in Path(f"{script}.calls").read_text().split()
    assert until_none_is_left() == []


def test_what_it_is(own: Callable[..., Spec], open_notebook: Open) -> None:
    secret = "a value that nobody else may read"
    words = ["--shell", "7003", "--env", "S=1" + secret, "--", "-e", "T=2" + secret, "--env=U=3" + secret, "-ieV=4" + secret]
    with open_notebook(own("--route", "published", *words, "--hostname", "mine")) as notebook:
        container = own_container()
        assert container.name.startswith("kernelrelay-debian-ipykernel-")
        found = container.inspect()
        bindings = found["HostConfig"]["PortBindings"]
        assert sorted(bindings) == ["10000/tcp", "10001/tcp", "10002/tcp", "10004/tcp", "7003/tcp"]
        assert {binding["HostIp"] for (binding,) in bindings.values()} == {"127.0.0.1"}
        assert found["HostConfig"]["AutoRemove"] and found["HostConfig"]["Init"]
        told = notebook.text("import os, socket\nprint(socket.gethostname(), *(os.environ[name][:5] for name in 'STUV'))")
        assert told == "mine 1a va 2a va 3a va 4a va"
        # The values are nowhere but in the kernel; the names may be seen.
        lines = command_lines()
        assert secret not in lines and secret not in json.dumps(found)
        assert_no_key_is_seen(notebook, json.dumps(found))
        assert "S=...\0" in lines and "T=...\0--env=U=...\0-ieV=..." in lines
    assert until_none_is_left() == []


def test_it_is_shown(service: Service, own: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(own()):
        name = own_container().name
        assert [kernel["container"] for kernel in service.status()["kernels"]] == [name]
        assert name[:16] in service.relayd("status")
        # It is no container of `up`.
        assert "KR-CONTAINER-FOREIGN" in service.attempt("down", name).stderr


def test_a_restart_is_another_container(own: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(own()) as notebook:
        notebook.run("open('/tmp/mark', 'w').close()")
        before = own_container().name
        notebook.manager.restart_kernel()
        until_heard(notebook.client)
        assert own_container().name != before
        assert notebook.text("import os; print(os.path.exists('/tmp/mark'))") == "False"
        until_gone(before)


def test_it_goes_when_the_shim_is_killed(service: Service, own: Callable[..., Spec], tmp_path: Path) -> None:
    with launched(service, own().argv(Path("{connection_file}")), tmp_path / "job") as (shim, connection):
        with connected(connection) as client:
            run(client, "1")
        name = own_container().name
        shim.kill()
        shim.wait(PATIENCE)
        until_gone(name)


def test_relayd_may_be_killed(service: Service, own: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(own()) as notebook:
        notebook.run("kept = 42")
        name = own_container().name
        os.kill(service.status()["pid"], signal.SIGKILL)
        until_heard(notebook.client)
        assert notebook.text("print(kept)") == "42"
    # The next relayd knows that it is to be removed.
    until_gone(name)


def killed(service: Service, shim: psutil.Popen) -> None:
    """All that would have ended a kernel, at one moment."""
    for pid in (service.status()["pid"], shim.pid):
        os.kill(pid, signal.SIGKILL)
    shim.wait(PATIENCE)


# As long has a launch to come to its gate.
ORPHAN_SECONDS = 8


@pytest.fixture
def forgetful_service(fresh_service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """One whose gates wait only seconds for somebody to come back."""
    monkeypatch.setenv("KERNELRELAY_ORPHAN_SECONDS", str(ORPHAN_SECONDS))
    yield fresh_service
    # The one that was killed has left its socket.
    fresh_service.relayd("start")


def test_it_goes_when_all_are_killed(forgetful_service: Service, own: Callable[..., Spec], tmp_path: Path) -> None:
    with launched(forgetful_service, own().argv(Path("{connection_file}")), tmp_path / "job") as (shim, connection):
        with connected(connection) as client:
            run(client, "1")
            name = own_container().name
            # As long as somebody uses it it stays.
            run(client, f"import time; time.sleep({ORPHAN_SECONDS + 2})")
        killed(forgetful_service, shim)
        until_gone(name, ORPHAN_SECONDS + 30)


def test_orphans_among_others(
    forgetful_service: Service, up: Callable[..., Container], tmp_path: Path, add: Callable[..., Spec]
) -> None:
    """In a container that others use the kernels end, and the container stays."""
    container = up()
    with launched(forgetful_service, add(container=container).argv(Path("{connection_file}")), tmp_path / "job") as (shim, connection):
        with connected(connection) as client:
            run(client, "1")
        assert container.kernels()
        killed(forgetful_service, shim)
        for _ in pauses(ORPHAN_SECONDS + 30):
            if not container.kernels():
                break
        assert not container.kernels() and container.is_running()


def test_a_container_that_is_removed_under_its_kernel(own: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(own()) as notebook:
        before = own_container().name
        request = notebook.client.execute("import time; time.sleep(60)")
        docker("rm", "--force", before)
        told = outcome(notebook.client, request)
        assert told.reply["content"]["ename"] == "KR-CONTAINER-GONE"
        assert notebook.text("print('another')") == "another"
        assert own_container().name != before


def test_an_engine_that_refuses(service: Service, own: Callable[..., Spec], open_notebook: Open, tmp_path: Path) -> None:
    """Its client exits with 125: the cell says why, and a job's shim ends with a code of its own."""
    with open_notebook(own("--", "--no-such-option")) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-RUN-REFUSED"
        assert "unknown flag: --no-such-option" in told["evalue"]
    spec = own("--on-failure", "exit", "--", "--user", "nobody-of-this-name")
    code, complaint = refused(service, spec.argv(Path("{connection_file}")), tmp_path / "job")
    assert code == 69
    assert "KR-RUN-REFUSED" in complaint and "nobody-of-this-name" in complaint


def test_an_image_that_is_not_there(service: Service, image: str, open_notebook: Open, tmp_path: Path) -> None:
    spec = written(tmp_path / "prefix", "-f", "{connection_file}", "--image", image + "s")
    with open_notebook(spec) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-IMAGE-MISSING"
        assert f"near to that name: {image}" in "\n".join(told["traceback"])


@pytest.mark.parametrize("client", ['["env", "X=1", "docker"]', "['env', 'X=1', 'docker']"], ids=["json", "python"])
def test_a_client_that_is_a_list(service: Service, own: Callable[..., Spec], tmp_path: Path, client: str) -> None:
    assert executed(service, own("--docker", client), tmp_path / "job", "print(6 * 7)") == ["42\n"]


def test_by_relayd_add(service: Service, image: str, open_notebook: Open, tmp_path: Path) -> None:
    words = ["add", "--image", image, "--name", "e2e-own", "--prefix", str(tmp_path), "--", "--hostname", "mine", "-e", "K=v w"]
    done = service.attempt(*words)
    assert done.returncode == 0, done.stderr
    assert "the value of K stands in kernel.json" in done.stderr
    spec = Spec("e2e-own", tmp_path)
    assert "v w" not in " ".join(spec.content["argv"])
    assert f"image {image}" in service.relayd("show", spec.name, "--prefix", str(tmp_path))
    with open_notebook(spec) as notebook:
        assert notebook.text("import os, socket; print(socket.gethostname(), os.environ['K'])") == "mine v w"
