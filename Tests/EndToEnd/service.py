"""A relayd of the suite's own, and what its command line does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.kernelspec import KernelSpecManager

from containers import Container

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("KERNELRELAY_BINARIES", ROOT / ".build/release"))


@dataclass(frozen=True)
class Spec:
    """A kernelspec under a prefix of its own."""

    name: str
    prefix: Path

    @property
    def folder(self) -> Path:
        return self.prefix / "share/jupyter/kernels" / self.name

    @property
    def content(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "kernel.json").read_bytes()))

    def argv(self, connection: Path) -> list[str]:
        return [word.replace("{connection_file}", str(connection)) for word in self.content["argv"]]

    def manager(self) -> KernelSpecManager:
        """One that sees this prefix and nothing else of the machine."""
        return KernelSpecManager(kernel_dirs=[str(self.folder.parent)], ensure_native_kernel=False)


@dataclass
class Service:
    """One runtime folder, and so one relayd. Everything that is started for it carries the folder's name in its
    environment; that is how what is left of it is found."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kernelrelay-e2e-")))
    containers: list[Container] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KERNELRELAY_RUNTIME_DIR": str(self.folder)}

    def attempt(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        command = [BINARIES / "relayd", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=timeout)

    def relayd(self, *arguments: str, timeout: float = 60) -> str:
        done = self.attempt(*arguments, timeout=timeout)
        assert done.returncode == 0, f"relayd {' '.join(arguments)}: {done.returncode}, {done.stderr}"
        return done.stdout.strip()

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.relayd("status", "--json")))

    def up(self, image: str, *run_arguments: str, options: Sequence[str] = ()) -> Container:
        name = f"kr-e2e-{uuid.uuid4().hex[:8]}"
        printed = self.relayd("up", "--name", name, *options, image, *(["--", *run_arguments] if run_arguments else []))
        assert printed.split()[-1] == name
        return self.watch(Container(name))

    def watch(self, container: Container) -> Container:
        self.containers.append(container)
        return container

    def add(self, prefix: Path, container: Container, *arguments: str) -> Spec:
        name = f"e2e-{uuid.uuid4().hex[:8]}"
        self.relayd("add", "--container", container.name, "--name", name, "--prefix", str(prefix), *arguments)
        return Spec(name, prefix)

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("KERNELRELAY_RUNTIME_DIR") == str(self.folder):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def daemons(self) -> list[psutil.Process]:
        serving = {each.pid: each for each in self.processes() if command_of(each).split()[1:2] == ["serve"]}
        # What relayd starts has its command line for a moment.
        return [process for process in serving.values() if parent_of(process) not in serving]

    def strangers(self) -> list[psutil.Process]:
        """What is there besides relayd, and what relayd itself keeps for the containers that stand."""
        known = {process.pid for daemon in self.daemons() for process in (daemon, *daemon.children(recursive=True))}
        strangers = [process for process in self.processes() if process.pid not in known]
        # A gate on this host outlives the relayd that started it, as one in a container does; the next relayd has it.
        gates = [process for process in strangers if command_of(process).startswith("relay-shim gate --name ")]
        kept = {gate.pid for gate in gates[: len(self.daemons())]}
        return [process for process in strangers if process.pid not in kept]

    def left(self) -> list[str]:
        daemons = self.daemons()
        left = [f"process {process.pid}: {command_of(process)}" for process in self.strangers()]
        left += [f"{len(daemons)} relayds for {self.folder}"] if len(daemons) > 1 else []
        sockets = [path for path in self.folder.rglob("*") if path.is_socket()]
        left += [f"socket {path}" for path in sockets] if len(sockets) > len(daemons) else []
        return left + self.sessions() + [line for container in self.containers for line in container.left()]

    def sessions(self) -> list[str]:
        """What relayd still has to do for kernels whose shims and processes are gone already."""
        if not self.daemons():
            return []
        answer = self.attempt("status", "--json")
        # One that ends at this moment has none.
        return [f"session {kernel['id']}" for kernel in json.loads(answer.stdout)["kernels"]] if answer.returncode == 0 else []

    def clear(self) -> None:
        """Take away what a test left, so that the next one is not judged for it."""
        for process in self.strangers():
            process.kill()
        for container in self.containers:
            if container.is_running() and container.left():
                container.restart()

    def take_down(self) -> None:
        for container in self.containers:
            # `down` refuses what `up` did not make.
            if self.attempt("down", container.name).returncode != 0:
                container.remove()

    def close(self) -> None:
        """Everything goes: the containers, relayd, its folder; and nothing may be left of them."""
        self.take_down()
        self.attempt("stop")
        # A gate on this host whose relayd a test has killed, and which no later one has needed, waits for a minute.
        for process in self.processes():
            if command_of(process).startswith("relay-shim gate --name "):
                process.terminate()
        _, alive = psutil.wait_procs(self.processes(), timeout=30)
        left = [f"process {process.pid}: {command_of(process)}" for process in alive]
        for process in alive:
            process.kill()
        left += [f"socket {path}" for path in self.folder.rglob("*") if path.is_socket()]
        left += [f"container {container.name}" for container in self.containers if container.is_there()]
        shutil.rmtree(self.folder)
        assert not left, "\n".join(left)


def command_of(process: psutil.Process) -> str:
    """Empty for one that has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def parent_of(process: psutil.Process) -> int:
    """0 for one that has ended meanwhile."""
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def link_of(relayd: psutil.Process, container: Container, after: psutil.Process | None = None) -> psutil.Process:
    """The engine's client that leads to relayd's gate in a container: another than `after`, the one that has been lost.
    Gates of other users and places may be kept still, and others may be asked of the same container."""
    identity = container.inspect()["Id"]
    links: list[psutil.Process] = []
    for _ in pauses(20):
        commands = [(child, command_of(child)) for child in relayd.children() if child != after]
        links = [child for child, words in commands if identity in words and " gate " in words and "--user" not in words]
        if len(links) == 1:
            return links[0]
    raise AssertionError(f"no single link to {container.name}: {[command_of(link) for link in links]}")


def until_nothing_left(services: list[Service]) -> list[str]:
    """What is left when it had its time to go: an engine takes a moment to see the end of an exec."""
    left: list[str] = []
    for _ in pauses(seconds=30):
        left = [line for service in services for line in service.left()]
        if not left:
            break
    return left


def pauses(seconds: float) -> Iterator[None]:
    """For what announces itself to nobody: look, wait a little, look again."""
    deadline = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline:
        time.sleep(0.1)
        yield
