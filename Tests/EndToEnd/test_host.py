"""`--cmd` without a container: the command runs on this host, and its kernel is there or behind ports that it maps."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from clients import await_reply, await_text, connected, outcome, run, sleeping, until_heard
from conftest import Open
from containers import docker
from notebooks import launched, refused
from own import assert_no_key_is_seen, until_gone, written
from processes import PATIENCE
from service import Service, Spec, pauses
from test_agent import LIST, WHERE, Agent, lists
from test_agent import agent as agent  # a fixture
from test_survival import kill_relayd
from volume import MEGABYTE, WRITE, assert_whole

# A kernel of this host; no container has this interpreter.
KERNEL = f"{sys.executable} -m ipykernel_launcher"
CHANNELS = ("CONTROL", "HB", "IOPUB", "SHELL", "STDIN")
PORTS = f"import os\nprint(*(os.environ[f'JUPYTER_{{channel}}_PORT{{side}}'] for side in ('', '_HOST') for channel in {CHANNELS}))"

# Behind a cell that writes: the answer is counted when all has been written, on the other stream.
AT_ONCE = """
import subprocess
asked = [subprocess.Popen(["ssh-add", "-l"], stdout=subprocess.PIPE) for _ in range({count})]
print(sum({fingerprint!r} in each.communicate()[0].decode() for each in asked), file=sys.stderr)
"""


@pytest.fixture
def host(tmp_path: Path) -> Callable[..., Spec]:
    return lambda command, *words: written(tmp_path / "prefix", "-f", "{connection_file}", "--cmd", command, *words)


def test_a_kernel_of_this_host(
    service: Service, host: Callable[..., Spec], open_notebook: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "everything")
    with open_notebook(host(KERNEL, "--env", "MINE=too")) as notebook:
        told = notebook.text("import os; print(os.environ['OF_THE_CALLER'], os.environ['MINE'], os.getcwd())")
        assert told == f"everything too {notebook.folder}"
        request = notebook.client.execute("print(input('who? '))", allow_stdin=True)
        assert await_reply(notebook.client.get_stdin_msg, request)["content"]["prompt"] == "who? "
        notebook.client.input("Ada")
        assert outcome(notebook.client, request).text() == "Ada\n"
        sleep = sleeping()
        # The next cell is not to be aborted with it.
        request = notebook.client.execute(sleep, stop_on_error=False)
        await_text(notebook.client, "asleep")
        notebook.manager.interrupt_kernel()
        assert await_reply(notebook.client.get_shell_msg, request)["content"]["ename"] == "KeyboardInterrupt"
        # Its sockets are private, and its key is in no command line.
        file = notebook.text("print(os.environ['JUPYTER_CONNECTION_FILE'])")
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert '"ipc"' in Path(file).read_text()
        assert_no_key_is_seen(notebook)
        (kernel,) = service.status()["kernels"]
        assert kernel["container"] == "this host" and kernel["route"] == "line"
        notebook.manager.restart_kernel()
        until_heard(notebook.client)
        assert notebook.text("print('os' in globals())") == "False"
    assert not Path(file).exists()


def test_relayd_may_be_killed(service: Service, host: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(host(KERNEL)) as notebook:
        notebook.run("kept = 42")
        os.kill(service.status()["pid"], signal.SIGKILL)
        until_heard(notebook.client)
        assert notebook.text("print(kept)") == "42"


def test_by_the_tunnel(service: Service, host: Callable[..., Spec], open_notebook: Open) -> None:
    """What is large both ways at once, and in pieces; and by another relayd."""
    with open_notebook(host(KERNEL, "--route", "tunnel")) as notebook:
        route = service.status()["kernels"][0]["route"]
        assert route == "tunnel"
        for _ in range(3):
            asked = notebook.client.execute(WRITE.format(count=20, size=MEGABYTE))
            length = notebook.client.execute(f"print(len('{'y' * 5 * MEGABYTE}'))")
            assert_whole(outcome(notebook.client, asked), 20, MEGABYTE)
            assert outcome(notebook.client, length).text() == f"{5 * MEGABYTE}\n"
        for number in range(100):
            assert notebook.text(f"print({number})") == str(number)
        notebook.run("kept = 42")
        kill_relayd(service, signal.SIGKILL)
        until_heard(notebook.client)
        assert notebook.text("print(kept)") == "42"
        assert_whole(notebook.run(WRITE.format(count=20, size=MEGABYTE)), 20, MEGABYTE)


@pytest.mark.parametrize("route", ["line", "tunnel"])
def test_the_ssh_agent(service: Service, host: Callable[..., Spec], agent: Agent, tmp_path: Path, route: str) -> None:
    """Of whoever started the kernel, by the gate's link, beside what a tunnel carries over the same."""
    spec = host(KERNEL, "--route", route, "--ssh-agent")
    environment = {**service.environment, "SSH_AUTH_SOCK": str(agent.socket)}
    with launched(service, spec.content["argv"], tmp_path / "shim", env=environment) as (_, connection):
        with connected(connection) as client:
            path, mode, _ = run(client, WHERE).text().split()
            assert path != str(agent.socket) and mode == "0o140600"
            assert agent.fingerprint in run(client, LIST).text()
            # Many at once, while much is written.
            ask = AT_ONCE.format(count=20, fingerprint=agent.fingerprint)
            for _ in range(3):
                done = run(client, f"{WRITE.format(count=10, size=MEGABYTE)}\n{ask}")
                assert done.text("stderr") == "20\n"
                assert_whole(done, 10, MEGABYTE)
            kill_relayd(service, signal.SIGKILL)
            until_heard(client)
            assert lists(client, agent)
    for _ in pauses(PATIENCE):
        if not Path(path).exists():
            break
    assert not Path(path).exists()


def sleeper(file: Path) -> str:
    """A command that leaves group, session and parent, and says in the file who it is; returns when it has."""
    return f"setsid --fork sh -c 'echo $$ > {file}; exec sleep 1234' && while ! test -s {file}; do sleep 0.05; done"


def is_alive(pid: int | str, mark: str) -> bool:
    """Not as a zombie, and not a stranger who has its number now."""
    try:
        return mark in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def test_its_whole_tree_ends_with_it(service: Service, host: Callable[..., Spec], tmp_path: Path) -> None:
    file = tmp_path / "sleeper"
    spec = host(json.dumps(["sh", "-c", f"{sleeper(file)}; exit 3"]), "--on-failure", "exit")
    code, complaint = refused(service, spec.argv(Path("{connection_file}")), tmp_path / "job")
    assert code == 3, complaint
    assert not is_alive(file.read_text().strip(), "1234")


def test_its_whole_tree_ends_with_the_shim(service: Service, host: Callable[..., Spec], tmp_path: Path) -> None:
    file = tmp_path / "sleeper"
    with launched(service, host(KERNEL).argv(Path("{connection_file}")), tmp_path / "job") as (shim, connection):
        with connected(connection) as client:
            kernel = run(client, f"import os\nprint(os.getpid())\nignored = os.system({sleeper(file)!r})").text().strip()
        family = {kernel: "ipykernel", file.read_text().strip(): "1234"}
        assert all(is_alive(pid, mark) for pid, mark in family.items())
        shim.kill()
        shim.wait(PATIENCE)
        for _ in pauses(PATIENCE):
            if not any(is_alive(pid, mark) for pid, mark in family.items()):
                break
        assert not any(is_alive(pid, mark) for pid, mark in family.items())


def test_two_that_listen_on_ports_of_this_host(host: Callable[..., Spec], open_notebook: Open) -> None:
    """Nobody knows where such a command's kernel will listen; here it is this host, and each gets ports of its own."""
    spec = host(f"env {KERNEL}")
    with open_notebook(spec) as one, open_notebook(spec) as other:
        ports = one.text(PORTS).split()
        assert ports[:5] == ["10000", "10001", "10002", "10003", "10004"]
        others = other.text(PORTS).split()
        assert others[:5] == others[5:]
        assert len({*ports, *others}) == 15


def test_renumbered(host: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(host(f"env {KERNEL}", "--shell", "7003", "--hb=7001")) as notebook:
        assert notebook.text(PORTS).split()[:5] == ["10000", "7001", "10002", "7003", "10004"]


def test_a_command_that_maps_its_ports(
    service: Service, image: str, host: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    script, name = tmp_path / "in-a-container", f"kr-e2e-maps-{uuid.uuid4().hex[:8]}"
    ports = " ".join(f'-p "127.0.0.1:$JUPYTER_{channel}_PORT_HOST:$JUPYTER_{channel}_PORT"' for channel in CHANNELS)
    file = "$JUPYTER_CONNECTION_FILE"
    script.write_text(f'#!/bin/sh\nexec docker run --rm -i --init --name {name} -v "{file}:{file}" {ports} {image} "$@"\n')
    script.chmod(0o755)
    with open_notebook(host(f"{script} python3 -m ipykernel_launcher")) as notebook:
        assert notebook.text("import os; print(os.path.exists('/.dockerenv'))") == "True"
        (kernel,) = service.status()["kernels"]
        assert kernel["route"] == "published"
        notebook.run("kept = 42")
        os.kill(service.status()["pid"], signal.SIGKILL)
        until_heard(notebook.client)
        assert notebook.text("print(kept)") == "42"
        assert_no_key_is_seen(notebook, docker("inspect", name))
    until_gone(name)


def test_a_kernel_that_does_not_see_the_file(
    image: str, host: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    """All is mapped but the file: the kernel makes one of its own, and listens where nobody looks."""
    script, name = tmp_path / "in-a-container", f"kr-e2e-blind-{uuid.uuid4().hex[:8]}"
    ports = " ".join(f'-p "127.0.0.1:$JUPYTER_{channel}_PORT_HOST:$JUPYTER_{channel}_PORT"' for channel in CHANNELS)
    script.write_text(f'#!/bin/sh\nexec docker run --rm -i --init --name {name} {ports} {image} "$@"\n')
    script.chmod(0o755)
    try:
        with open_notebook(host(f"{script} python3 -m ipykernel_launcher", "--launch-timeout", "12")) as notebook:
            told = outcome(notebook.client, notebook.client.execute("1"), patience=12 + PATIENCE).reply["content"]
            assert told["ename"] == "KR-LAUNCH-TIMEOUT"
            assert "the kernel must get to see the file JUPYTER_CONNECTION_FILE" in "\n".join(told["traceback"])
        # The command gets its time to stop its container.
        until_gone(name, 20)
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, timeout=60)


def test_what_it_says(service: Service, host: Callable[..., Spec], open_notebook: Open, tmp_path: Path) -> None:
    with open_notebook(host("no-such-program")) as notebook:
        request = notebook.client.execute("1")
        told = await_reply(notebook.client.get_shell_msg, request)["content"]
        assert told["ename"] == "KR-GATE-COMMAND-NOT-FOUND"
        assert "on this host: no-such-program" in told["evalue"]
