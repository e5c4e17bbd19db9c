"""A kernel as Jupyter starts it: by its kernelspec, through a KernelManager, with a client beside it."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient, KernelManager

from clients import Outcome, connected, run
from processes import PATIENCE, endpoints_left, ports_of, write_connection
from service import Service, Spec, pauses

# Seconds until a kernel is heard: a little more than a launch has before it is given up.
LAUNCH = 60.0


@dataclass
class Notebook:
    manager: KernelManager
    client: BlockingKernelClient
    folder: Path

    def run(self, code: str, **options: Any) -> Outcome:
        done = run(self.client, code, **options)
        assert done.reply["content"]["status"] == "ok", done.reply["content"]
        return done

    def text(self, code: str) -> str:
        return self.run(code).text().strip()

    @property
    def connection(self) -> Path:
        return Path(self.manager.connection_file)

    @property
    def ports(self) -> list[int]:
        return ports_of(self.connection)

    @property
    def shim(self) -> subprocess.Popen[bytes]:
        process = self.manager.provisioner.process
        assert process is not None
        return process

    def end(self) -> int:
        """Wait until the shim has ended by itself, and give its code as Popen does."""
        return self.shim.wait(PATIENCE)

    @property
    def complaints(self) -> str:
        return (self.folder / "stderr").read_text()


def manager_of(spec: Spec, folder: Path, make: type[KernelManager] = KernelManager) -> KernelManager:
    folder.mkdir(parents=True, exist_ok=True)
    manager = make(kernel_name=spec.name, kernel_spec_manager=spec.manager())
    manager.connection_file = str(folder / "connection.json")
    return manager


@contextmanager
def opened(service: Service, spec: Spec, folder: Path, cwd: Path | None = None) -> Iterator[Notebook]:
    """A started kernel with a client that hears it. At the end it is shut down as Jupyter does, and all is gone."""
    manager = manager_of(spec, folder)
    # Open for as long as it lives: a restart hands them on again.
    with open(folder / "stdout", "ab") as stdout, open(folder / "stderr", "ab") as stderr:
        manager.start_kernel(env=service.environment, cwd=str(cwd or folder), stdout=stdout, stderr=stderr)
        connection = Path(manager.connection_file)
        # Jupyter removes its own at the end, and the ports are still to be looked at.
        copy = folder / "copy.json"
        copy.write_bytes(connection.read_bytes())
        try:
            with connected(copy, patience=LAUNCH) as client:
                yield Notebook(manager, client, folder)
        except BaseException:
            print((folder / "stderr").read_text())
            raise
        finally:
            # A manager that a test has shut down has no process any more, and cannot be asked again.
            if manager.has_kernel:
                shim = manager.provisioner.process
                manager.shutdown_kernel()
                if shim is not None:
                    shim.wait(PATIENCE)
    # The shim's end is the ports' end, at once.
    assert not endpoints_left(copy, folder)
    assert not connection.exists()


@contextmanager
def launched(
    service: Service, argv: list[str], folder: Path, *, cwd: Path | None = None, has_kernel: bool = True, **options: Any
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The same without Jupyter: the program that kernel.json names, and its connection file. `{connection_file}`
    in `argv` becomes the file; `has_kernel` is off where no kernel comes; `options` are Popen's."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = write_connection(folder / "connection.json", uuid.uuid4().hex)
    if "user" in options:
        connection.chmod(0o644)
    argv = [word.replace("{connection_file}", str(connection)) for word in argv]
    with open(folder / "stdout", "ab") as stdout, open(folder / "stderr", "ab") as stderr:
        shim = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=cwd or folder,
            **{"env": service.environment, "start_new_session": True} | options,
        )
    try:
        yield shim, connection
    finally:
        shim.terminate()
        try:
            shim.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            shim.kill()
            shim.wait(PATIENCE)
            raise
    # One that was killed could not wait for its ports, and one without a kernel waits for nothing.
    for _ in pauses(PATIENCE if shim.returncode == -signal.SIGKILL or not has_kernel else 0):
        if not endpoints_left(connection, folder):
            break
    assert not endpoints_left(connection, folder)


def refused(service: Service, argv: list[str], folder: Path) -> tuple[int, str]:
    """The code and the complaint of a shim that cannot start its kernel."""
    with launched(service, argv, folder) as (shim, _):
        code = shim.wait(PATIENCE)
    return code, (folder / "stderr").read_text()
