"""Kernels that have a container of their own: their kernel.json, and what the engine has of them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import psutil

from containers import Container, docker
from notebooks import Notebook
from service import BINARIES, Spec, pauses

LABEL = "io.github.kernelrelay.kernel"


def written(prefix: Path, *words: str, **fields: Any) -> Spec:
    """A kernel.json as a person writes it: relay-shim and the words."""
    spec = Spec(f"hand-{uuid.uuid4().hex[:8]}", prefix)
    spec.folder.mkdir(parents=True)
    argv = [str(BINARIES / "relay-shim"), *words]
    content = {"argv": argv, "display_name": spec.name, "language": "python", **fields}
    (spec.folder / "kernel.json").write_text(json.dumps(content))
    return spec


def own_containers() -> list[str]:
    """Those that the programs under test have made, whatever state they are in."""
    # Another suite may use the engine at the same time; its program is another. Asked once for all: by the next question
    # one may be gone.
    program = str((BINARIES / "relay-shim").resolve())
    listed = docker("ps", "--all", "--no-trunc", "--filter", f"label={LABEL}", "--format", "{{.Names}}\t{{.Mounts}}")
    found = (line.split("\t") for line in listed.splitlines())
    return [name for name, mounts in found if program in mounts.split(",")]


def own_container() -> Container:
    """The only one; that of a kernel that has ended may be on its way out."""
    names: list[str] = []
    for _ in pauses(30):
        names = own_containers()
        if len(names) == 1:
            return Container(names[0])
    raise AssertionError(f"not one container: {names}")


def until_none_is_left() -> list[str]:
    """What is left when it had its time to go."""
    names: list[str] = []
    for _ in pauses(10):
        names = own_containers()
        if not names:
            break
    return names


def until_gone(name: str, seconds: float = 30) -> None:
    for _ in pauses(seconds):
        if name not in docker("ps", "--all", "--format", "{{.Names}}").split():
            return
    raise AssertionError(f"{name} is still there")


def command_lines() -> str:
    """What everybody can read of all that runs."""
    lines = []
    for process in psutil.process_iter():
        try:
            lines.append("\0".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(lines)


def keys_of(notebook: Notebook) -> set[str]:
    """The notebook's, and the other one, which its kernel has."""
    theirs = notebook.text("import json, ipykernel\nprint(json.load(open(ipykernel.get_connection_file()))['key'])")
    return {json.loads(notebook.connection.read_bytes())["key"], theirs}


def assert_no_key_is_seen(notebook: Notebook, *besides: str) -> None:
    """In no command line, and in nothing that is `besides`."""
    keys = keys_of(notebook)
    assert len(keys) == 2 and all(keys), "each side has a key of its own"
    assert not [key for key in keys for text in (command_lines(), *besides) if key in text]
