"""Another engine, by its own client: what `--docker` takes besides Docker's."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients import await_text, outcome, run, sleeping
from conftest import Open
from notebooks import opened, refused
from service import Service, Spec
from test_discovery import LABEL, Launcher
from test_discovery import launcher as launcher  # a fixture

pytestmark = pytest.mark.heavy
BRIDGE = Path("/sys/class/net/cni-podman0")
# As many as Podman asks for by itself are more than whoever runs in a container may have.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


@dataclass(frozen=True)
class Podman:
    """A Podman with images and containers of its own: whose other ones there are is nobody's business here."""

    folder: Path

    @property
    def client(self) -> str:
        """Several words, with runc: the crun of Debian 12 wants more of a host than a container is."""
        return f"podman --runtime runc --root '{self.folder}/root' --runroot '{self.folder}/run'"

    def __call__(self, *words: str, stdin: int | None = None, timeout: float = 120) -> str:
        command = ["podman", "--runtime", "runc", "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", *words]
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()


@pytest.fixture(scope="module")
def podman(image: str) -> Iterator[Podman]:
    if shutil.which("podman") is None:
        pytest.skip("no podman here: Tools/deps podman")
    # A socket's name has an end, and pytest's folders are deep.
    folder = Path(tempfile.mkdtemp(prefix="kr-podman-", dir="/var/tmp"))
    had_bridge = BRIDGE.exists()
    engine = Podman(folder)
    try:
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            assert saved.stdout
            engine("load", stdin=saved.stdout.fileno())
        yield engine
    finally:
        engine("rm", "--all", "--force", "--time", "1")
        engine("rmi", "--all", "--force")
        if not had_bridge and BRIDGE.exists():
            subprocess.run(["ip", "link", "delete", BRIDGE.name], check=True, timeout=10)
        subprocess.run(["umount", "--recursive", folder / "root/overlay"], capture_output=True, timeout=10)
        shutil.rmtree(folder)


@pytest.fixture
def container(service: Service, podman: Podman, image: str) -> Iterator[str]:
    name = f"kr-podman-{uuid.uuid4().hex[:8]}"
    service.relayd("up", "--docker", podman.client, "--name", name, f"localhost/{image}", "--", *LIMITS, timeout=120)
    yield name
    service.relayd("down", "--docker", podman.client, name)
    assert podman("ps", "--all", "--quiet") == ""


@pytest.fixture
def spec(service: Service, podman: Podman, container: str, tmp_path: Path) -> Spec:
    return added(service, podman, container, tmp_path)


def added(service: Service, podman: Podman, container: str, tmp_path: Path, *words: str) -> Spec:
    name = f"podman-{uuid.uuid4().hex[:8]}"
    place = ("--name", name, "--prefix", str(tmp_path / "prefix"))
    service.relayd("add", "--docker", podman.client, "--container", container, *place, *words)
    return Spec(name, tmp_path / "prefix")


def test_a_notebook_in_podman(service: Service, podman: Podman, container: str, spec: Spec, open_notebook: Open) -> None:
    with open_notebook(spec) as notebook:
        assert notebook.text("import socket\nprint(socket.gethostname())") == podman("inspect", "--format", "{{.Config.Hostname}}", container)
        request = notebook.client.execute(sleeping(seconds=600), stop_on_error=False)
        await_text(notebook.client, "asleep")
        notebook.manager.interrupt_kernel()
        outcome(notebook.client, request)
        assert len(notebook.text("print('x' * 10_000_000)")) == 10_000_000
        (kernel,) = service.status()["kernels"]
        assert kernel["state"] == "running"
    assert "ipykernel" not in podman("top", container, "args")


def test_another_user_in_podman(service: Service, podman: Podman, container: str, open_notebook: Open, tmp_path: Path) -> None:
    with open_notebook(added(service, podman, container, tmp_path, "--exec-user", "4711:4711")) as notebook:
        told = notebook.text("import getpass, os\nprint(os.getuid(), getpass.getuser(), os.path.expanduser('~'))")
    assert told == "4711 4711 /var/tmp/kernelrelay-home-4711"


def test_podmans_reasons_have_the_same_codes(
    service: Service, podman: Podman, container: str, open_notebook: Open, tmp_path: Path
) -> None:
    job = added(service, podman, container, tmp_path, "--on-failure", "exit").content["argv"]

    def told() -> tuple[int, str]:
        code, complaint = refused(service, job, tmp_path / uuid.uuid4().hex)
        return code, complaint.split(": ")[1]

    podman("pause", container)
    assert told() == (75, "KR-CONTAINER-PAUSED")
    podman("unpause", container)
    podman("stop", "--time", "1", container)
    assert told() == (69, "KR-CONTAINER-STOPPED")
    podman("rename", container, f"{container}x")
    assert told() == (68, "KR-CONTAINER-MISSING")
    podman("rename", f"{container}x", container)
    podman("start", container)
    with open_notebook(added(service, podman, container, tmp_path)) as notebook:
        assert run(notebook.client, "print(6 * 7)").text() == "42\n"


def test_what_podman_runs_is_discovered(launcher: Launcher, podman: Podman, image: str) -> None:
    """It words its events in its own way; and who found the container is who starts its kernel."""
    title, name = f"Podman lab {uuid.uuid4().hex[:6]}", f"kr-podman-{uuid.uuid4().hex[:8]}"
    launcher.relayd("start", "--discover", "--docker", podman.client)
    label = f"{LABEL}={title}"
    podman("run", "--detach", "--init", "--name", name, *LIMITS, "--label", label, f"localhost/{image}", "sleep", "infinity")
    try:
        launcher.until(title)
        with opened(launcher.service, launcher.spec(title), launcher.data / "notebook") as notebook:
            assert notebook.text("print(6 * 7)") == "42"
        podman("stop", "--time", "1", name)
        launcher.until(without=title)
        podman("start", name)
        launcher.until(title)
    finally:
        podman("rm", "--force", "--time", "1", name)
    launcher.until(without=title)
