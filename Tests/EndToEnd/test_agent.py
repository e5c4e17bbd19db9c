"""The host's ssh agent in the container: without a mount, for one kernel, and for as long as that lives."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from jupyter_client import BlockingKernelClient

from clients import connected, run, until_heard
from containers import Container
from notebooks import launched
from processes import PATIENCE
from service import Service, Spec, link_of, pauses
from test_survival import kill_relayd

LIST = "import subprocess\nprint(subprocess.run(['ssh-add', '-l'], capture_output=True, text=True).stdout)"
WHERE = "import os, stat\npath = os.environ['SSH_AUTH_SOCK']\nprint(path, oct(os.stat(path).st_mode), os.stat(path).st_uid)"


@dataclass
class Agent:
    """A real one, with one key in it."""

    folder: Path
    fingerprint: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "agent"

    @property
    def public_key(self) -> str:
        return (self.folder / "key.pub").read_text()

    def start(self) -> None:
        self.process = subprocess.Popen(["ssh-agent", "-D", "-a", str(self.socket)], stdout=subprocess.DEVNULL)
        for _ in pauses(PATIENCE):
            if self.socket.exists():
                break
        key = self.folder / "key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(self.socket)}
        # A socket is there a moment before anybody listens.
        for _ in pauses(PATIENCE):
            added = subprocess.run(["ssh-add", "-q", key], env=environment, capture_output=True)
            if added.returncode == 0:
                break
        assert added.returncode == 0, added.stderr
        self.fingerprint = subprocess.check_output(["ssh-keygen", "-l", "-f", key], text=True).split()[1]

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None
        self.socket.unlink(missing_ok=True)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    folder = tmp_path / "agent"
    folder.mkdir(mode=0o700)
    one = Agent(folder)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def with_agent(service: Service, agent: Agent, tmp_path: Path) -> Callable[..., object]:
    number = iter(range(10))

    @contextmanager
    def start(spec: Spec) -> Iterator[tuple[subprocess.Popen[bytes], object]]:
        environment = {**service.environment, "SSH_AUTH_SOCK": str(agent.socket)}
        with launched(service, spec.content["argv"], tmp_path / f"shim-{next(number)}", env=environment) as (shim, connection):
            with connected(connection) as client:
                yield shim, client

    return start


def lists(client: BlockingKernelClient, agent: Agent) -> bool:
    """Sooner or later."""
    return any(agent.fingerprint in run(client, LIST).text() for _ in pauses(PATIENCE))


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_ssh_add_lists_the_hosts_keys(
    add: Callable[..., Spec], with_agent: Callable, agent: Agent, container: Container, user: str
) -> None:
    spec = add("--ssh-agent", "--exec-user", user, "--workdir", "/tmp")
    with with_agent(spec) as (_, client), with_agent(add()) as (_, other):
        assert agent.fingerprint in run(client, LIST).text()
        # And signs with one, which is more than to list them.
        sign = (
            "import subprocess\nopen('/tmp/key.pub', 'w').write(KEY)\n"
            "print(subprocess.run(['ssh-add', '-T', '/tmp/key.pub'], capture_output=True, text=True))\n"
            "import os; os.unlink('/tmp/key.pub')"
        )
        assert "returncode=0" in run(client, f"KEY = {agent.public_key!r}\n{sign}").text()
        path, mode, owner = run(client, WHERE).text().split()
        assert (mode, owner) == ("0o140600", {"root": "0", "nobody": "65534"}[user])
        # ipykernel makes it sticky.
        assert container.run("stat", "-c", "%a", os.path.dirname(path)) in ("700", "1700")
        # It is that kernel's alone, and no mount.
        assert run(other, "import os\nprint('SSH_AUTH_SOCK' in os.environ)").text() == "False\n"
        assert str(agent.socket) not in str(container.inspect())
    for _ in pauses(PATIENCE):
        is_there = subprocess.run(["docker", "exec", container.name, "test", "-e", path]).returncode
        if is_there == 1:
            break
    assert is_there == 1


def test_it_outlives_relayd_and_the_link(
    service: Service, container: Container, add: Callable[..., Spec], with_agent: Callable, agent: Agent
) -> None:
    with with_agent(add("--ssh-agent")) as (_, client):
        assert agent.fingerprint in run(client, LIST).text()
        kill_relayd(service, signal.SIGKILL)
        until_heard(client)
        assert lists(client, agent)
        relayd = psutil.Process(service.status()["pid"])
        link = link_of(relayd, container)
        link.kill()
        link_of(relayd, container, after=link)
        # A link that has begun leads nowhere yet.
        assert lists(client, agent)


def test_many_ask_at_once(add: Callable[..., Spec], with_agent: Callable, agent: Agent) -> None:
    ask = (
        "import subprocess\nasked = [subprocess.Popen(['ssh-add', '-l'], stdout=subprocess.PIPE) for _ in range(20)]\n"
        "print(sum(FINGERPRINT in each.communicate()[0].decode() for each in asked))"
    )
    with with_agent(add("--ssh-agent")) as (_, client):
        assert run(client, f"FINGERPRINT = {agent.fingerprint!r}\n{ask}").text() == "20\n"


def test_no_agent_is_said(service: Service, add: Callable[..., Spec], with_agent: Callable, agent: Agent, tmp_path: Path) -> None:
    spec = add("--ssh-agent")
    environment = {**service.environment}
    environment.pop("SSH_AUTH_SOCK", None)
    folder = tmp_path / "without"
    with launched(service, spec.content["argv"], folder, env=environment) as (shim, _):
        assert shim.wait(PATIENCE) == 69
    assert "KR-AGENT-MISSING" in (folder / "stderr").read_text()
    # One that is not there any more is said in the notebook, which goes on once there is one.
    agent.stop()
    with with_agent(spec) as (_, client):
        told = run(client, "1").reply["content"]
        assert told["ename"] == "KR-AGENT-UNREACHABLE"
        agent.start()
        assert agent.fingerprint in run(client, LIST).text()
