"""Many at once: one relayd for all, and none lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import connected, run
from containers import Container, docker
from notebooks import launched
from service import Service, Spec

# Seconds for all of them to start at one moment, on whatever machine this is.
PATIENCE_WITH_MANY = 90.0
LIGHT = Path(__file__).with_name("light_kernel.py")


@pytest.fixture
def light(up: Callable[..., Container], add: Callable[..., Spec]) -> Callable[..., Spec]:
    """A kernelspec of the light kernel, in a container of its own: `light(*options)`."""
    container = up()
    docker("cp", str(LIGHT), f"{container.name}:/light_kernel.py")
    command = json.dumps(["python3", "/light_kernel.py", "{connection_file}"])
    return lambda *options: add("--cmd", command, *options, container=container)


def all_answer(service: Service, spec: Spec, count: int, folder: Path) -> None:
    with ExitStack() as stack:
        # All are started before the first is asked.
        shims = [
            stack.enter_context(launched(service, spec.content["argv"], folder / str(number))) for number in range(count)
        ]
        for number, (shim, connection) in enumerate(shims):
            with connected(connection, patience=PATIENCE_WITH_MANY) as client:
                assert run(client, f"number {number}").text() == f"number {number}"
            assert shim.poll() is None
        assert len(service.daemons()) == 1
        assert len(service.status()["kernels"]) == count


def test_fifty_shims_at_once_start_one_relayd(
    fresh_service: Service, light: Callable[..., Spec], tmp_path: Path
) -> None:
    assert fresh_service.daemons() == []
    all_answer(fresh_service, light(), 50, tmp_path / "shims")


@pytest.mark.timeout(300)
def test_a_hundred_kernels_in_one_container(
    service: Service, light: Callable[..., Spec], tmp_path: Path
) -> None:
    all_answer(service, light("--route", "published"), 100, tmp_path / "shims")
