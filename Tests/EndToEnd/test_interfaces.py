"""Who can reach the kernel of a command on this host: on all interfaces listens only one that may be behind mapped ports, and
that is said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Open
from own import written
from service import Service, Spec

ADDRESS = "import json, os; print(json.load(open(os.environ['JUPYTER_CONNECTION_FILE']))['ip'])"
SAID = "on all interfaces of this host"


@pytest.fixture
def host(tmp_path: Path) -> Callable[..., Spec]:
    return lambda command, *words: written(tmp_path / "prefix", "-f", "{connection_file}", "--cmd", command, *words)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Nobody sees of it where the kernel will be; it is here."""
    path = tmp_path / "start"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m ipykernel_launcher "$@"\n')
    path.chmod(0o755)
    return path


def test_one_that_is_known_to_be_here(service: Service, host: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(host(f"env {sys.executable} -m ipykernel_launcher")) as notebook:
        assert notebook.text(ADDRESS) == "127.0.0.1"
        (kernel,) = service.status()["kernels"]
        assert kernel["on_all_interfaces"] is False
        assert SAID not in notebook.complaints and SAID not in service.relayd("status")


def test_a_script_that_may_map_ports(
    service: Service, host: Callable[..., Spec], script: Path, open_notebook: Open
) -> None:
    with open_notebook(host(str(script))) as notebook:
        assert notebook.text(ADDRESS) == "0.0.0.0"
        (kernel,) = service.status()["kernels"]
        assert kernel["on_all_interfaces"] is True
        assert SAID in notebook.complaints and SAID in service.relayd("status")
    with open_notebook(host(str(script), "--route", "line")) as notebook:
        assert notebook.text(ADDRESS) == "127.0.0.1"
        assert SAID not in notebook.complaints and SAID not in service.relayd("status")
