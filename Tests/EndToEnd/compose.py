"""A compose project of a test's own, and the two ways of running compose.

Debian has docker-compose 1.29 and no plugin for the engine's client. A script stands for a client that has one: its word
`compose` runs the same docker-compose, and every other word is the client's.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from containers import Container, docker
from service import BINARIES, Service

CLIENT_WITH_COMPOSE = """#!/bin/sh
if [ "$1" = compose ]; then shift; exec docker-compose "$@"; fi
exec /usr/bin/env docker "$@"
"""


@dataclass
class Project:
    folder: Path
    image: str
    name: str = field(default_factory=lambda: f"krcompose{uuid.uuid4().hex[:8]}")

    def write(self, text: str, name: str = "docker-compose.yml") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def relayd(
        self, service: Service, *words: str, check: bool = True, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [BINARIES / "relayd", *words], cwd=folder or self.folder, env={**service.environment, **self.environment},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done

    @property
    def environment(self) -> dict[str, str]:
        return {"COMPOSE_PROJECT_NAME": self.name}

    def compose(self, *words: str) -> str:
        done = subprocess.run(
            ["docker-compose", *words], cwd=self.folder, env={**os.environ, **self.environment}, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def files(self) -> list[str]:
        """The project's own and ours, as compose takes them."""
        return ["-f", "docker-compose.yml", "-f", "compose.kernelrelay.yml"]

    def container(self, service: str) -> Container:
        filters = [f"label=com.docker.compose.{key}={value}" for key, value in (("project", self.name), ("service", service))]
        (name,) = docker("ps", "--filter", filters[0], "--filter", filters[1], "--format", "{{.Names}}").split()
        return Container(name)

    def digests(self) -> dict[str, str]:
        """Of every file that is not ours."""
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() + oct(path.stat().st_mode)
            for path in self.folder.iterdir()
            if path.is_file() and path.name != "compose.kernelrelay.yml"
        }

    def remove(self) -> None:
        ids = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()
        if ids:
            docker("rm", "--force", "--volumes", *ids)
        networks = docker("network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()
        if networks:
            docker("network", "rm", *networks)


def override(project: Project) -> dict[str, object]:
    """Ours, without the line in front that says whose it is."""
    text = (project.folder / "compose.kernelrelay.yml").read_text()
    assert text.startswith("# Written by `relayd compose`")
    return dict(json.loads(text.split("\n", 1)[1]))


def client_with_compose(folder: Path) -> Path:
    script = folder / "docker-with-compose"
    script.write_text(CLIENT_WITH_COMPOSE)
    script.chmod(0o755)
    return script


def is_there() -> bool:
    return shutil.which("docker-compose") is not None
