"""An engine that is out of reach takes no kernel with it, however long that lasts and whatever has a time to end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import await_reply, await_text, sleeping
from engines import EngineDoor
from notebooks import Notebook, opened
from own import own_container, until_gone, written
from service import Service

# Seconds after which something ends that nobody uses. A launch must come to its gate in as many.
UNUSED = 8


@pytest.fixture
def door(tmp_path: Path) -> Iterator[EngineDoor]:
    door = EngineDoor(tmp_path / "engine")
    yield door
    door.shut()


def client_by(door: EngineDoor) -> list[str]:
    return ["--docker", json.dumps(["env", f"DOCKER_HOST={door.host}", "docker"])]


def interrupted(notebook: Notebook) -> str:
    """A signal goes by the link, which whoever needs it waits for."""
    request = notebook.client.execute(sleeping(), stop_on_error=False)
    await_text(notebook.client, "asleep")
    notebook.manager.interrupt_kernel()
    return str(await_reply(notebook.client.get_shell_msg, request)["content"]["ename"])


@pytest.mark.parametrize("route", ["line", "bridge"] if os.getuid() == 0 else ["bridge"])
def test_a_kernel_that_is_spoken_to_is_no_orphan(
    fresh_service: Service, door: EngineDoor, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    """In a container of its own, which ends when nobody has needed its gate for so long."""
    monkeypatch.setenv("KERNELRELAY_ORPHAN_SECONDS", str(UNUSED))
    spec = written(
        tmp_path / "prefix", "-f", "{connection_file}", "--image", image, "--route", route, *client_by(door)
    )
    with opened(fresh_service, spec, tmp_path / "job") as notebook:
        notebook.run("kept = 42")
        name = own_container().name
        door.shut()
        notebook.run(f"import time\ntime.sleep({UNUSED + 4})")
        assert notebook.text("print(kept)") == "42"
        door.open()
        assert interrupted(notebook) == "KeyboardInterrupt"
        assert notebook.text("print(kept)") == "42"
    until_gone(name)


def test_what_nobody_can_tell_of_counts_as_used(
    fresh_service: Service, door: EngineDoor, image: str, tmp_path: Path
) -> None:
    """A container with an idle time, in which a cell runs that nobody can tell it of."""
    container = fresh_service.up(image, options=["--idle-timeout", f"{UNUSED}s"])
    spec = fresh_service.add(tmp_path / "prefix", container, *client_by(door))
    with opened(fresh_service, spec, tmp_path / "job") as notebook:
        notebook.run("kept = 42")
        door.shut()
        notebook.run(f"import time\ntime.sleep({UNUSED + 4})")
        assert container.is_running()
        door.open()
        assert interrupted(notebook) == "KeyboardInterrupt"
        assert notebook.text("print(kept)") == "42"
