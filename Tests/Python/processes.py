"""The processes of an end-to-end test: a kernel, a relay in front of it, and proof that both are gone."""

from __future__ import annotations

import json
import os
import random
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
from jupyter_client.connect import write_connection_file

VENVS = Path(__file__).resolve().parents[2] / ".build" / "venvs"
# Each stands for an age of ipykernel: see the requirement files.
KERNELS = {"ipykernel-7": "main", "ipykernel-6": "ipykernel-6", "ipykernel-5": "ipykernel-5"}
PATIENCE = 20.0  # seconds; far more than anything here takes, so only a fault reaches it


def relay_executable() -> Path:
    """The relay under test. Without one the tests fail: a skipped test proves nothing."""
    named = os.environ.get("KERNELRELAY_EMBEDDED_RELAY", "")
    if not named or not os.access(named, os.X_OK):
        pytest.fail(f"KERNELRELAY_EMBEDDED_RELAY must name the embedded-relay executable, not {named!r}")
    return Path(named).resolve()


given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on and that were not given out before, from below the range that the kernel gives
    outgoing connections.

    A port from that range can be taken as the source of a connection while its owner restarts; a
    loopback connection even connects to itself that way.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        if port not in given and is_free(port):
            given.add(port)
            found.append(port)
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only a listener counts, as for libzmq
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_connection(path: Path, key: str, **options: Any) -> Path:
    """A connection file as jupyter_client writes it; `curve=True` gives it a CURVE key pair."""
    channels = ("shell", "iopub", "stdin", "control", "hb")
    if options.pop("curve", False):
        options["curve_publickey"], options["curve_secretkey"] = zmq.curve_keypair()
    ports = range(1, 6) if options.get("transport") == "ipc" else free_ports(5)
    options = {f"{channel}_port": port for channel, port in zip(channels, ports, strict=True)} | options
    options.setdefault("ip", "127.0.0.1")
    write_connection_file(str(path), key=key.encode(), **options)
    return path


def ports_of(connection: Path) -> list[int]:
    content = json.loads(connection.read_bytes())
    return [content[name] for name in sorted(content) if name.endswith("_port")]


def endpoints_left(connection: Path, folder: Path) -> list[str]:
    """What still stands of a connection file's five endpoints; `folder` is where relative ipc paths start."""
    content = json.loads(connection.read_bytes())
    ports = ports_of(connection)
    if content["transport"] == "ipc":
        return [str(path) for port in ports if (path := folder / f"{content['ip']}-{port}").exists()]
    return [str(port) for port in ports if not is_free(port)]


def end(process: subprocess.Popen[bytes]) -> list[int]:
    """Kill a process with everything under it, and give the pids that are still there afterwards."""
    family: list[psutil.Process] = []
    if process.poll() is None:
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            pass
    process.wait(PATIENCE)
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    return [member.pid for member in alive]


@dataclass
class Kernel:
    """A real ipykernel, in a session of its own as Jupyter would start it."""

    connection: Path
    folder: Path
    version: str = "ipykernel-7"
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        python = VENVS / KERNELS[self.version] / "bin" / "python"
        if not python.exists():
            pytest.fail(f"{python} is missing: run {Path(__file__).with_name('venvs.py')}")
        # IPYTHONDIR: no history file is shared between tests. TMPDIR: the debugger leaves files of cells there. JPY_PARENT_PID would make it watch us.
        environment = {**os.environ, "IPYTHONDIR": str(self.folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(self.folder), "TMPDIR": str(self.folder)}
        environment.pop("JPY_PARENT_PID", None)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [python, "-m", "ipykernel_launcher", "-f", self.connection, "--HistoryManager.enabled=False"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        return self.folder / "kernel.log"

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        left = end(self.process)
        assert not left, f"processes of the kernel are left: {left}"
        assert not endpoints_left(self.connection, self.folder) or self.is_ipc

    @property
    def is_ipc(self) -> bool:
        return bool(json.loads(self.connection.read_bytes())["transport"] == "ipc")


@dataclass
class Relay:
    """The relay process, from the line `relaying` to a line of counters for each pair."""

    pairs: list[tuple[Path, Path]]
    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.folder.mkdir()
        files = [file for pair in self.pairs for file in pair]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [relay_executable(), "--until-eof", *files],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
            )
        said = self._first_line()
        if said != b"relaying\n":
            end(self.process)
            pytest.fail(f"the relay did not start: {said!r}, {self.log.read_text()}")

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def _first_line(self) -> bytes:
        assert self.process.stdout
        line, deadline = b"", time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n") and selector.select(deadline - time.monotonic()):
                byte = os.read(self.process.stdout.fileno(), 1)
                if not byte:
                    break
                line += byte
        return line

    def stop(self, by: signal.Signals | None = None) -> list[dict[str, Any]]:
        """End it, by EOF on its stdin or by a signal, and give the counters that it prints for each pair."""
        if by is not None:
            self.process.send_signal(by)
        try:
            said, _ = self.process.communicate(timeout=PATIENCE)  # closes stdin
        except subprocess.TimeoutExpired:
            end(self.process)
            pytest.fail(f"the relay did not end: {self.log.read_text()}")
        assert self.process.returncode == 0, (self.process.returncode, self.log.read_text())
        counters = [json.loads(line) for line in said.splitlines()]
        assert len(counters) == len(self.pairs) and all(counters), said
        for front, _ in self.pairs:
            assert not endpoints_left(front, self.folder)
        assert list(self.folder.iterdir()) == [], "the relay left files where it ran"
        return counters


@dataclass
class Line:
    """One kernel behind one relay, and the connection file for clients."""

    folder: Path
    front: Path
    kernel: Kernel
    relay: Relay


@contextmanager
def open_line(
    folder: Path,
    version: str = "ipykernel-7",
    front: dict[str, Any] | None = None,
    back: dict[str, Any] | None = None,
) -> Iterator[Line]:
    """Start a kernel on one connection file and a relay on another; end both in reverse order."""
    folder.mkdir(parents=True, exist_ok=True)
    # Two keys and ten ports, so nothing passes except through the relay.
    front_file = write_connection(folder / "front.json", **{"key": "front-key-A", **(front or {})})
    back_file = write_connection(folder / "back.json", **{"key": "back-key-B", **(back or {})})
    kernel = Kernel(back_file, folder, version)
    relay = Relay([(front_file, back_file)], folder / "relay")
    kernel.start()
    try:
        relay.start()
        try:
            yield Line(folder, front_file, kernel, relay)
        except BaseException:
            end(relay.process)  # the failed test is the news, not what it leaves in the relay
            raise
        if relay.process.poll() is None:
            relay.stop()
    finally:
        kernel.stop()
