"""A command on this host that is docker-compose: what docker_proxy_kernel's generic mode was used for."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import await_reply, await_text, sleeping, until_heard
from conftest import Open
from own import written
from service import ROOT, Service, pauses

COMPOSE = """
version: "3"
services:
  ipykernel:
    image: {image}
    init: true
    volumes:
      - "${{JUPYTER_CONNECTION_FILE}}:${{JUPYTER_CONNECTION_FILE}}"
    ports:
      - "127.0.0.1:${{JUPYTER_CONTROL_PORT_HOST}}:${{JUPYTER_CONTROL_PORT}}"
      - "127.0.0.1:${{JUPYTER_HB_PORT_HOST}}:${{JUPYTER_HB_PORT}}"
      - "127.0.0.1:${{JUPYTER_IOPUB_PORT_HOST}}:${{JUPYTER_IOPUB_PORT}}"
      - "127.0.0.1:${{JUPYTER_SHELL_PORT_HOST}}:${{JUPYTER_SHELL_PORT}}"
      - "127.0.0.1:${{JUPYTER_STDIN_PORT_HOST}}:${{JUPYTER_STDIN_PORT}}"
"""


@pytest.fixture
def project(image: str, tmp_path: Path) -> Iterator[Path]:
    """The compose file, of a project of its own."""
    subprocess.run([ROOT / "Tools/deps", "compose"], check=True, timeout=600)
    file = tmp_path / f"krimage{uuid.uuid4().hex[:8]}" / "compose.yml"
    file.parent.mkdir()
    file.write_text(COMPOSE.format(image=image))
    yield file
    # What docker-compose made for the project, once nothing is in it; `down` would want all the ports.
    command = ["docker", "network", "rm", f"{file.parent.name}_default"]
    for _ in pauses(30):
        removed = subprocess.run(command, capture_output=True, timeout=60)
        if removed.returncode == 0:
            break
    assert removed.returncode == 0, removed.stderr


@pytest.mark.heavy
def test_docker_compose(service: Service, project: Path, open_notebook: Open, tmp_path: Path) -> None:
    command = f"docker-compose -f {project} run --rm -T --service-ports ipykernel python3 -m ipykernel_launcher"
    spec = written(tmp_path / "prefix", "-f", "{connection_file}", "--cmd", command, interrupt_mode="message")
    with open_notebook(spec) as notebook:
        assert notebook.text("import os; print(os.path.exists('/.dockerenv'))") == "True"
        (kernel,) = service.status()["kernels"]
        assert kernel["route"] == "published"
        request = notebook.client.execute(sleeping())
        await_text(notebook.client, "asleep")
        notebook.manager.interrupt_kernel()
        assert await_reply(notebook.client.get_shell_msg, request)["content"]["ename"] == "KeyboardInterrupt"
        notebook.manager.restart_kernel()
        until_heard(notebook.client)
        assert notebook.text("print('os' in globals())") == "False"
