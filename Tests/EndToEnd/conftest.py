"""What the suite stands on: an engine, an image, one relayd and one container; and proof that every test leaves
them as it found them."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import notebooks
from containers import Container, docker
from notebooks import Notebook
from service import BINARIES, ROOT, Service, Spec, until_nothing_left

SOMEBODY = 4711  # a uid that no image knows

# Whoever starts the suite by nohup, or in a script's background, has its programs ignore signals that are tested.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def engine() -> None:
    for program in ("relayd", "relay-shim"):
        if not (BINARIES / program).exists():
            pytest.exit(f"{BINARIES / program} is missing: make build", 1)
    answer = subprocess.run(["docker", "info"], capture_output=True, timeout=30)
    if answer.returncode != 0:
        pytest.exit("no Docker engine answers; `make test-e2e` starts one and stops it", 1)


def made(name: str) -> str:
    subprocess.run([ROOT / "Tools/image", name], check=True, timeout=600)
    return f"kernelrelay/{name}"


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    return made("debian-ipykernel")


@pytest.fixture(scope="session")
def image_with_r(engine: None) -> str:
    return made("debian-r")


@pytest.fixture(scope="session")
def services() -> Iterator[list[Service]]:
    """Every relayd of this run, so that what is left can be looked for with all of them."""
    made: list[Service] = []
    yield made
    while made:
        made.pop().close()


@pytest.fixture(scope="session")
def service(engine: None, services: list[Service]) -> Service:
    """The relayd that most tests share."""
    standing = Service()
    services.append(standing)
    standing.relayd("start")
    return standing


@pytest.fixture(scope="session")
def container(service: Service, image: str) -> Container:
    """The container that most tests share."""
    return service.up(image)


@pytest.fixture(autouse=True)
def nothing_left(services: list[Service], service: Service, container: Container) -> Iterator[None]:
    """After every test: no kernel, shim, second relayd or gate, exec session, socket or private folder.

    It is set up before any other fixture of a test, and so looks when those have cleaned up.
    """
    yield
    left = until_nothing_left(services)
    if left:
        for each in services:
            each.clear()
        pytest.fail("left behind:\n" + "\n".join(left))


@pytest.fixture
def fresh_service(services: list[Service]) -> Iterator[Service]:
    """A runtime folder in which no relayd has been yet."""
    fresh = Service()
    services.append(fresh)
    yield fresh
    services.remove(fresh)
    fresh.close()


@pytest.fixture
def up(service: Service, image: str) -> Iterator[Callable[..., Container]]:
    """A container for this test alone, by `relayd up`: `up(*arguments of run, image=, options=)`."""
    started: list[Container] = []

    def start(*run_arguments: str, image: str = image, options: Sequence[str] = ()) -> Container:
        started.append(service.up(image, *run_arguments, options=options))
        return started[-1]

    yield start
    left = until_nothing_left([service])
    for container in started:
        service.containers.remove(container)
        if container.is_there():
            service.relayd("down", container.name)
        assert not container.is_there()
    assert not left, left


@pytest.fixture
def run_by_hand(service: Service, image: str) -> Iterator[Callable[..., Container]]:
    """A container that somebody started without `relayd up`; nothing of this project is in it."""
    started: list[Container] = []

    def start(*run_arguments: str, image: str = image) -> Container:
        name = f"kr-e2e-hand-{uuid.uuid4().hex[:8]}"
        docker("run", "--detach", "--init", "--name", name, *run_arguments, image, "sleep", "infinity")
        started.append(service.watch(Container(name)))
        return started[-1]

    yield start
    left = until_nothing_left([service])
    for container in started:
        service.containers.remove(container)
        container.remove()
    assert not left, left


@pytest.fixture
def somebody(fresh_service: Service, tmp_path: Path) -> dict[str, object]:
    """How to start the shim as a user who is neither root nor known inside the container: Popen's options."""
    if os.getuid() != 0:
        return {}
    # The repository may be in root's own folder: what he runs must be where he can come.
    for name in ("relayd", "relay-shim"):
        shutil.copy(BINARIES / name, fresh_service.folder / name)
    home = fresh_service.folder / "home"
    home.mkdir()
    for path in (fresh_service.folder, home):
        os.chown(path, SOMEBODY, SOMEBODY)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    # Who may use the engine is its socket's group's matter.
    groups = [os.stat("/var/run/docker.sock").st_gid]
    environment = {**fresh_service.environment, "HOME": str(home)}
    return {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": groups, "env": environment}


@pytest.fixture
def scratch() -> Iterator[str]:
    """An image with nothing in it at all."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    name = f"kr-e2e-scratch-{uuid.uuid4().hex[:8]}"
    docker("import", "-", name, stdin=empty.getvalue())
    yield name
    docker("image", "rm", name)


@pytest.fixture
def add(service: Service, container: Container, tmp_path: Path) -> Callable[..., Spec]:
    """A kernelspec by `relayd add`: `add(*arguments, container=)`. It goes with the test's folder."""

    def write(*arguments: str, container: Container = container) -> Spec:
        return service.add(tmp_path / "prefix", container, *arguments)

    return write


Open = Callable[..., AbstractContextManager[Notebook]]


@pytest.fixture
def open_notebook(service: Service, tmp_path: Path) -> Open:
    """`open_notebook(spec, cwd=)`: a kernel started by Jupyter, and a client."""

    def open_one(spec: Spec, **options: Path) -> AbstractContextManager[Notebook]:
        return notebooks.opened(service, spec, tmp_path / f"notebook-{uuid.uuid4().hex[:8]}", **options)

    return open_one


@pytest.fixture
def notebook(add: Callable[..., Spec], open_notebook: Open) -> Iterator[Notebook]:
    """One in the shared container, with everything as `relayd add` chooses it."""
    with open_notebook(add()) as opened:
        yield opened
