"""Containers, seen and handled by the engine's own command line."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

# Where a gate may have put a kernel's private folder; see protocol/gate.md.
PRIVATE_PLACES = ("/dev/shm", "/tmp", "/run", "/var/tmp", "/root")


def docker(*arguments: str, timeout: float = 60, stdin: bytes | None = None) -> str:
    done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, timeout=timeout)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def starts_another(command: str) -> bool:
    """Whether this is the container's runtime or its init, which stands for the command that it is to start."""
    return "docker-init -- " in command or command.startswith(("runc", "/proc/self/"))


@dataclass
class Container:
    """A running container, and what was in it before any kernel came."""

    name: str
    standing: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settle()

    def settle(self) -> None:
        """What is in it now stood there before any kernel. The runtime becomes the init, and that starts the command, a moment
        after the engine has said that the container runs."""
        deadline = time.monotonic() + 10
        self.standing = self.processes()
        while all(map(starts_another, self.standing.values())) and time.monotonic() < deadline:
            time.sleep(0.05)
            self.standing = self.processes()

    def inspect(self) -> dict[str, Any]:
        (found,) = json.loads(docker("inspect", self.name))
        return dict(found)

    def run(self, *command: str, user: str = "") -> str:
        return docker("exec", *(["--user", user] if user else []), self.name, *command)

    def changes(self) -> list[str]:
        """What of its files is another than the image's, or new."""
        return sorted(docker("diff", self.name).splitlines())

    def is_there(self) -> bool:
        return self.name in docker("ps", "--all", "--format", "{{.Names}}").split()

    def is_running(self) -> bool:
        return self.name in docker("ps", "--format", "{{.Names}}").split()

    def processes(self) -> dict[int, str]:
        """The command line of each, by the pid that the host knows it by."""
        lines = docker("top", self.name, "-eo", "pid,args").splitlines()[1:]
        return {int(pid): command for pid, command in (line.split(maxsplit=1) for line in lines)}

    def gates(self) -> list[int]:
        return self._gates(self.processes())

    def _gates(self, running: dict[int, str]) -> list[int]:
        return [pid for pid, command in running.items() if re.search(r" gate( --join)? --name ", command) and pid not in self.standing]

    def kernels(self) -> list[str]:
        """What runs besides what stood there before and the gates; a zombie is not counted as running."""
        running = self.processes()
        known = {*self.standing, *self._gates(running)}
        return [command for pid, command in running.items() if pid not in known and "<defunct>" not in command]

    def restart(self) -> None:
        docker("restart", "--time", "1", self.name)
        self.settle()

    def remove(self) -> None:
        if self.is_there():
            docker("rm", "--force", "--volumes", self.name)

    def left(self) -> list[str]:
        """What kernels left in it. Gates may stay warm, one for each user, with the exec that each lives in."""
        try:
            return self._left() if self.is_running() else []
        except AssertionError:
            # One that has a time may end while it is looked at.
            if self.is_running():
                raise
            return []

    def _left(self) -> list[str]:
        left = [f"process in {self.name}: {command}" for command in self.kernels()]
        gates = self.gates()
        executions = self.inspect()["ExecIDs"] or []
        if len(executions) > len(gates):
            left.append(f"{len(executions)} exec sessions in {self.name} for {len(gates)} gates")
        return left + self._files()

    def _files(self) -> list[str]:
        """Private folders and sockets. An image without a shell has no `find`: its container goes as a whole."""
        command = ["docker", "exec", self.name, "find", *PRIVATE_PLACES, "-name", "kr-??????", "-o", "-type", "s"]
        found = subprocess.run(command, capture_output=True, timeout=60, text=True)
        # The engine says on stdout that it found no `find`.
        lines = found.stdout.splitlines() if found.returncode < 126 else []
        return [f"file in {self.name}: {path}" for path in lines]
