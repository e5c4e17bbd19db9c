"""A launch that fails and a kernel that dies: the notebook says why, and the next cell gets a kernel."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import AsyncKernelManager
from nbclient.exceptions import CellExecutionError, DeadKernelError

from browser import Lab, chromium, served
from clients import await_text, connected, outcome, run, sleeping
from conftest import Open
from containers import Container, docker
from jobs import Job, at_work, plain
from notebooks import Notebook
from processes import PATIENCE
from service import Service, Spec, pauses

WHERE = "import socket\nprint(socket.gethostname())"


def text_of(
    service: Service, spec: Spec, folder: Path, *cells: str, word: str = "failed", **options: Any
) -> str:
    """What nbclient says of a notebook whose cells do not run. `word` is the verdict that stands in the status report then."""
    job = Job(service, spec, folder, *(cells or ("1 + 1",)), **options)
    job.run()
    error = job.error
    assert isinstance(error, CellExecutionError), error
    text = plain(str(error))
    assert error.ename in text
    # The shim says the same, and so does `relayd status`.
    assert f"relay-shim: {error.ename}: {error.evalue}" in job.complaints
    assert (job.verdict["word"], job.verdict["code"]) == (word, error.ename)
    assert error.evalue in job.verdict["text"]
    commands = re.findall("^    (\\S.*)$", text[text.index(f"{error.ename}: {error.evalue}") :], re.MULTILINE)
    # The best of them stands there.
    assert not commands or job.verdict["remedy"].endswith(commands[0])
    return text


def until_state(service: Service, state: str) -> dict[str, Any]:
    """The report's part of the only kernel, once it says this: a reply may be there before it does."""
    for _ in pauses(PATIENCE):
        (kernel,) = service.status()["kernels"]
        if kernel["state"] == state:
            return dict(kernel)
    raise AssertionError(f"{state} was waited for, and this is said: {kernel}")


def stopped(container: Container) -> None:
    docker("stop", "--time", "1", container.name)


def paused(container: Container) -> None:
    docker("pause", container.name)


@pytest.mark.parametrize(
    ("make", "code", "command", "word"),
    [
        (stopped, "KR-CONTAINER-STOPPED", "start", "container-stopped"),
        (paused, "KR-CONTAINER-PAUSED", "unpause", "container-paused"),
    ],
    ids=["stopped", "paused"],
)
def test_a_container_that_does_not_run(
    service: Service,
    up: Callable[..., Container],
    add: Callable[..., Spec],
    open_notebook: Open,
    tmp_path: Path,
    make: Callable[[Container], None],
    code: str,
    command: str,
    word: str,
) -> None:
    container = up()
    spec = add(container=container)
    make(container)
    text = text_of(service, spec, tmp_path / "job", word=word)
    assert code in text
    assert f"    docker {command} {container.name}\n" in text
    # And in a notebook that stays: mended by what it says, the next cell runs.
    with open_notebook(spec) as notebook:
        told = run(notebook.client, "1 + 1")
        assert told.reply["content"]["ename"] == code
        assert [error["content"]["ename"] for error in told.of("error")] == [code]
        docker(command, container.name)
        container.settle()
        assert notebook.text(WHERE) == container.inspect()["Config"]["Hostname"]
        until_state(service, "running")


def test_a_container_that_is_not_there(
    service: Service, run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    container = run_by_hand()
    docker("rename", container.name, container.name + "x")
    spec = add(container=container)
    text = text_of(service, spec, tmp_path / "job", word="container-gone")
    assert "KR-CONTAINER-MISSING" in text
    assert f"relayd add --container {container.name}x" in text
    with open_notebook(spec) as notebook:
        assert run(notebook.client, "1").reply["content"]["ename"] == "KR-CONTAINER-MISSING"
        docker("rename", container.name + "x", container.name)
        assert notebook.text(WHERE) == container.inspect()["Config"]["Hostname"]


def test_no_python(service: Service, scratch: str, up: Callable[..., Container], add: Callable[..., Spec], tmp_path: Path) -> None:
    text = text_of(service, add(container=up(image=scratch)), tmp_path / "job")
    assert "KR-PYTHON-MISSING" in text
    assert scratch in text


def test_no_ipykernel(service: Service, up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path) -> None:
    container = up()
    where = container.run("python3", "-c", "import ipykernel_launcher; print(ipykernel_launcher.__file__)")
    container.run("mv", where, "/tmp/away.py")
    spec = add(container=container)
    text = text_of(service, spec, tmp_path / "job")
    assert "KR-IPYKERNEL-MISSING" in text
    assert f"docker exec {container.name} /usr/bin/python3 -m pip install ipykernel" in text
    with open_notebook(spec) as notebook:
        assert run(notebook.client, "1").reply["content"]["ename"] == "KR-IPYKERNEL-MISSING"
        container.run("mv", "/tmp/away.py", where)
        assert notebook.text("print(6 * 7)") == "42"


def test_no_such_command(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    text = text_of(service, add("--cmd", "no-such-program --really"), tmp_path / "job")
    assert "KR-GATE-COMMAND-NOT-FOUND" in text
    assert "no-such-program" in text


def test_it_died_at_start(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    broken = "['python3', '-c', 'raise SystemExit(\"no licence\")', '{connection_file}']"
    text = text_of(service, add("--cmd", broken), tmp_path / "job")
    assert "KR-KERNEL-START" in text
    assert "exit code 1" in text
    assert "  no licence" in text


def test_the_time_is_over(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    deaf = "['sh', '-c', 'echo still loading; exec sleep 1000', '{connection_file}']"
    text = text_of(service, add("--launch-timeout", "5", "--cmd", deaf), tmp_path / "job")
    assert "KR-LAUNCH-TIMEOUT" in text
    assert "spawn: done" in text
    assert "still loading" in text


def test_no_route(service: Service, run_by_hand: Callable[..., Container], add: Callable[..., Spec], image: str, tmp_path: Path) -> None:
    text = text_of(service, add("--route", "published", container=run_by_hand()), tmp_path / "job")
    assert "KR-ROUTE-NONE" in text
    assert f"relayd up {image}" in text


def test_no_engine(fresh_service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    """One of the caller's own choice: nobody knows here how it is started."""
    environment = {**fresh_service.environment, "DOCKER_HOST": "unix:///nowhere.sock"}
    text = text_of(fresh_service, add(), tmp_path / "job", word="engine-unreachable", env=environment)
    assert "KR-ENGINE-UNREACHABLE" in text
    assert "    docker version\n" in text


def test_the_usual_engine_does_not_run(fresh_service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    """Where its socket is there is one that nobody listens at: for the shim, and for the relayd that it starts."""
    dead = fresh_service.folder / "dead"
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(str(dead))
    spec = add()
    covered = f"mount --bind {dead} /var/run/docker.sock && exec \"$@\""
    apart = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"]), "sh", "-c", covered, "sh"]
    rewritten(spec, lambda argv: [*apart, *argv])
    text = text_of(fresh_service, spec, tmp_path / "job", word="engine-unreachable")
    dead.unlink()
    assert "KR-ENGINE-UNREACHABLE" in text
    assert "    sudo systemctl start docker\n" in text


def rewritten(spec: Spec, change: Callable[[list[str]], list[str]]) -> None:
    file = spec.folder / "kernel.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "argv": change(content["argv"])}))


class Readable(AsyncKernelManager):
    """One whose connection file another user can read."""

    def write_connection_file(self, **options: Any) -> None:
        super().write_connection_file(**options)
        Path(self.connection_file).chmod(0o644)


def test_no_permission(
    fresh_service: Service, add: Callable[..., Spec], somebody: dict[str, Any], tmp_path: Path
) -> None:
    """As somebody whom the engine's socket does not know; who is not root finds a socket that he may not use."""
    spec = add()
    if not somebody:
        locked = fresh_service.folder / "locked"
        with socket.socket(socket.AF_UNIX) as holder:
            holder.bind(str(locked))
            locked.chmod(0)
            environment = {**fresh_service.environment, "DOCKER_HOST": f"unix://{locked}"}
            text = text_of(fresh_service, spec, tmp_path / "job", word="engine-unreachable", env=environment)
        locked.unlink()
    else:
        theirs = {key: somebody[key] for key in ("user", "group", "env")}
        rewritten(spec, lambda argv: [str(fresh_service.folder / "relay-shim"), *argv[1:]])

        def relayd(*words: str) -> str:
            command = [fresh_service.folder / "relayd", *words]
            return subprocess.run(command, check=True, capture_output=True, text=True, **theirs).stdout

        text = text_of(
            fresh_service, spec, tmp_path / "job", word="engine-unreachable", manager=Readable,
            look=lambda: dict(json.loads(relayd("status", "--json"))), extra_groups=[], **theirs,
        )  # fmt: skip
        relayd("stop")
    assert "KR-ENGINE-DENIED" in text
    assert '    sudo usermod -aG docker "$USER"\n' in text


def test_a_port_is_taken(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    """Not shell's and not iopub's: these carry the reason. Once it is free the cell runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]

        def take(manager: AsyncKernelManager) -> None:
            manager.cache_ports = False
            manager.hb_port = taken

        def look_and_end_it() -> dict[str, Any]:
            report = service.status()
            holder.close()
            return report

        job = Job(service, add(), tmp_path / "job", "1 + 1", "print(6 * 7)", look=look_and_end_it, set_up=take)
        job.client.allow_errors = True
        job.run()
    assert job.error is None
    (told,) = job.notebook.cells[0]["outputs"]
    assert told["ename"] == "KR-PORT-IN-USE"
    assert f"    ss -ltnp 'sport = :{taken}'" in plain("\n".join(told["traceback"])).splitlines()
    assert (job.verdict["word"], job.verdict["code"]) == ("failed", "KR-PORT-IN-USE")
    assert job.text == "42\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda number: number.name)
def test_a_signal_under_a_cell(service: Service, add: Callable[..., Spec], tmp_path: Path, number: signal.Signals) -> None:
    cell = f"import ctypes, os, signal\nsignal.signal({number}, signal.SIG_DFL)\n" if number != signal.SIGKILL else "import os\n"
    cells = ("kept = 1", cell + f"os.kill(os.getpid(), {number})", "kept")
    text = text_of(service, add(), tmp_path / "job", *cells, word="kernel-dead")
    assert "KR-KERNEL-KILLED" in text
    assert number.name in text
    assert "The variables are gone" in text


def test_an_exit_under_a_cell(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    cell = "import os\nos.write(2, b'no more licences\\n')\nos._exit(3)"
    text = text_of(service, add(), tmp_path / "job", cell, word="kernel-dead")
    assert "KR-KERNEL-FAILED: the kernel ended by itself: exit code 3" in text
    assert "no more licences" in text
    assert "The next cell starts a new kernel" in text


def test_the_next_cell_has_a_new_kernel(notebook: Notebook, service: Service) -> None:
    notebook.run("kept = 1")
    code = notebook.client.execute("import os\nos._exit(3)")
    behind = notebook.client.execute("kept")
    told = outcome(notebook.client, code).reply["content"]
    assert (told["ename"], told["evalue"]) == ("KR-KERNEL-FAILED", "the kernel ended by itself: exit code 3")
    assert outcome(notebook.client, behind).reply["content"]["status"] == "aborted"
    assert until_state(service, "failed")["verdict"]["code"] == "KR-KERNEL-FAILED"
    assert notebook.text("print('kept' in globals())") == "False"
    assert notebook.shim.poll() is None


def test_a_death_that_nobody_saw(notebook: Notebook, container: Container) -> None:
    """The first cell reports it, and the one after it has a new kernel."""
    pid = notebook.text("import os\nprint(os.getpid())")
    container.run("sh", "-c", f"kill -9 {pid}")
    for _ in pauses(PATIENCE):
        if "KR-KERNEL-KILLED" in notebook.complaints:
            break
    assert run(notebook.client, "1").reply["content"]["ename"] == "KR-KERNEL-KILLED"
    assert notebook.text("print(6 * 7)") == "42"


def test_a_restart_and_an_end_of_what_is_not_there(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    container = up()
    with open_notebook(add(container=container)) as notebook:
        stopped(container)
        for _ in pauses(PATIENCE):
            if "KR-CONTAINER-GONE" in notebook.complaints:
                break
        docker("start", container.name)
        container.settle()
        notebook.manager.restart_kernel()
        with connected(notebook.connection) as client:
            assert run(client, "print(6 * 7)").text() == "42\n"
        stopped(container)
        for _ in pauses(PATIENCE):
            if notebook.complaints.count("KR-CONTAINER-GONE") == 2:
                break
        notebook.manager.shutdown_kernel()
        docker("start", container.name)
        container.settle()


def test_out_of_memory_under_a_cell(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], tmp_path: Path
) -> None:
    small = up("--memory", "256m", "--memory-swap", "256m")
    cell = "hoard = [bytearray(b'x') * 1_000_000 for _ in range(1_000)]"
    text = text_of(service, add(container=small), tmp_path / "job", cell, word="kernel-dead")
    assert "KR-KERNEL-OUT-OF-MEMORY" in text
    command = f"docker update --memory 512m --memory-swap 512m {small.name}"
    assert command in text
    subprocess.run(command, shell=True, check=True, capture_output=True)


WAITS = sleeping(seconds=600)


def gate_killed(container: Container, service: Service) -> None:
    (gate,) = [gate for gate in service.status()["gates"] if gate["container"] == container.name]
    # Nobody is left to clear up behind it.
    container.run("sh", "-c", f"rm -r /dev/shm/kr-??????; kill -KILL {gate['pid']}")


@pytest.mark.parametrize(
    ("harm", "code", "word", "command"),
    [
        (lambda container, _: stopped(container), "KR-CONTAINER-GONE", "container-stopped", "docker start {}"),
        (lambda container, _: container.remove(), "KR-CONTAINER-GONE", "container-gone", "docker ps -a"),
        (gate_killed, "KR-GATE-LOST", "gate-lost", "docker logs --tail 20 {}"),
    ],
    ids=["container-stopped", "container-removed", "gate-killed"],
)
def test_what_carries_the_kernel_ends_under_a_cell(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], tmp_path: Path,
    harm: Callable[[Container, Service], None], code: str, word: str, command: str,
) -> None:
    container = up()
    with at_work(service, add(container=container), tmp_path / "job", WAITS) as job:
        job.until("asleep")
        harm(container, service)
    assert isinstance(job.error, CellExecutionError), job.error
    assert job.error.ename == code
    assert f"    {command.format(container.name)}\n" in plain(str(job.error))
    assert f"relay-shim: {code}: {job.error.evalue}" in job.complaints
    assert (job.verdict["word"], job.verdict["code"]) == (word, code)
    assert command.format(container.name) in job.verdict["remedy"]


def test_the_notebook_goes_on_in_a_container_that_was_stopped(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    container = up()
    with open_notebook(add(container=container)) as notebook:
        request = notebook.client.execute(WAITS)
        await_text(notebook.client, "asleep")
        stopped(container)
        assert outcome(notebook.client, request).reply["content"]["ename"] == "KR-CONTAINER-GONE"
        docker("start", container.name)
        container.settle()
        assert notebook.text("print(6 * 7)") == "42"


def test_exit_is_for_jobs(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    """nbclient then says that the kernel died, and stderr why; a cell that is open is told as well."""
    spec = add("--on-failure", "exit")
    with at_work(service, spec, tmp_path / "job", "import os\nos._exit(3)") as job:
        pass
    assert isinstance(job.error, CellExecutionError | DeadKernelError)
    assert "KR-KERNEL-FAILED" in job.complaints


# In the browser

NAME = "Python (in trouble)"


@pytest.fixture
def troubled(up: Callable[..., Container]) -> Container:
    return up()


@pytest.fixture
def lab(service: Service, add: Callable[..., Spec], troubled: Container, tmp_path: Path) -> Iterator[Lab]:
    spec = add("--display-name", NAME, container=troubled)
    with served(service, spec.prefix, tmp_path / "lab") as url, chromium(tmp_path / "chromium") as driver:
        opened = Lab(driver)
        opened.open(url)
        yield opened


@pytest.mark.timeout(400)
def test_lab_says_why_and_the_next_cell_runs(lab: Lab, troubled: Container) -> None:
    hostname = troubled.inspect()["Config"]["Hostname"]
    stopped(troubled)
    lab.pick_in_the_launcher(NAME)
    lab.run(WHERE)
    lab.output(f"docker start {troubled.name}")
    lab.until_idle()
    lab.shoot("failure-stopped")
    docker("start", troubled.name)
    troubled.settle()
    lab.run(WHERE)
    lab.output(hostname)
    lab.shoot("failure-mended")

    lab.run("import os, signal\nprint('on the brink', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)")
    lab.output("KR-KERNEL-KILLED")
    lab.until_idle()
    lab.shoot("failure-killed")
    lab.run("'signal' in globals()")
    lab.output("False")

    docker("pause", troubled.name)
    lab.restart()
    lab.run("6 * 7")
    lab.output(f"docker unpause {troubled.name}")
    lab.shoot("failure-paused")
    docker("unpause", troubled.name)


@pytest.mark.timeout(400)
def test_lab_says_what_to_install(lab: Lab, troubled: Container) -> None:
    where = troubled.run("python3", "-c", "import ipykernel_launcher; print(ipykernel_launcher.__file__)")
    troubled.run("mv", where, "/tmp/away.py")
    lab.pick_in_the_launcher(NAME)
    lab.run("6 * 7")
    lab.output("-m pip install ipykernel")
    lab.until_idle()
    lab.shoot("failure-no-ipykernel")
    troubled.run("mv", "/tmp/away.py", where)
    lab.run("6 * 7")
    lab.output("42")
