"""Containers as they are found in life, and those in which no kernel can be."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Open
from containers import Container, docker
from notebooks import launched, refused
from processes import PATIENCE
from service import Service, Spec

CODE = re.compile(r"KR-[A-Z0-9-]+")


def works(spec: Spec, open_notebook: Open) -> None:
    with open_notebook(spec) as notebook:
        assert notebook.text("print(6 * 7)") == "42"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--read-only"], id="read-only"),
        pytest.param(["--read-only", "--tmpfs", "/tmp:noexec"], id="read-only-and-noexec-tmp"),
        pytest.param(["--tmpfs", "/tmp:noexec,nosuid,nodev"], id="noexec-tmp"),
        pytest.param(["--user", "1234:1234"], id="not-root"),
        pytest.param(["--user", "1234:1234", "--read-only", "--cap-drop", "ALL"], id="nothing-allowed"),
        pytest.param(["--security-opt", "no-new-privileges", "--pids-limit", "200"], id="no-new-privileges"),
    ],
)
def test_hardened_containers(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, arguments: list[str]
) -> None:
    works(add(container=up(*arguments)), open_notebook)


def test_a_container_started_by_hand(
    service: Service, run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    """With the flags as a shell takes them from `$(relayd ports)`. The gate is copied in, and found there again."""
    by_hand = run_by_hand(*service.relayd("ports").split())
    spec = add("--route", "published", container=by_hand)
    works(spec, open_notebook)
    works(spec, open_notebook)
    # What a running one has can be asked for.
    shown = service.relayd("ports", by_hand.name)
    for port in ("10000", "10001", "10002", "10003", "10004"):
        assert port in shown


def test_a_restarted_container(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    restarted = up()
    spec = add(container=restarted)
    works(spec, open_notebook)
    restarted.restart()
    works(spec, open_notebook)


def test_a_read_only_container_without_the_gate(
    service: Service, run_by_hand: Callable[..., Container], add: Callable[..., Spec], tmp_path: Path
) -> None:
    """There is no place to copy it to; or there is, and it works. Silence is the only wrong answer."""
    locked = run_by_hand("--read-only", "--tmpfs", "/tmp:noexec")
    code, complaint = refused(service, add("--on-failure", "exit", container=locked).content["argv"], tmp_path / "shim")
    assert code == 69
    assert CODE.findall(complaint)[:1] == ["KR-GATE-READ-ONLY"], complaint


def test_from_scratch(
    scratch: str, service: Service, up: Callable[..., Container], add: Callable[..., Spec], tmp_path: Path
) -> None:
    """No shell and no libc: the static binary keeps the container alive, is its gate, and here its kernel, too.

    As a kernel it says its version and ends, and that is what the shim says and how it ends.
    """
    container = up(image=scratch)
    (gate,) = {mount["Destination"] for mount in container.inspect()["Mounts"]}
    command = json.dumps([gate, "--version"])
    with launched(service, add("--on-failure", "exit", "--cmd", command, container=container).content["argv"], tmp_path / "shim") as (shim, _):
        assert shim.wait(PATIENCE) == 0
    assert "protocol 1" in (tmp_path / "shim/stdout").read_text()


def stopped(container: Container) -> None:
    docker("stop", "--time", "1", container.name)


def paused(container: Container) -> None:
    docker("pause", container.name)


def removed(container: Container) -> None:
    container.remove()


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [(stopped, 69, "KR-CONTAINER-STOPPED"), (paused, 75, "KR-CONTAINER-PAUSED"), (removed, 68, "KR-CONTAINER-MISSING")],
    ids=["stopped", "paused", "missing"],
)
def test_a_container_that_cannot(
    service: Service,
    up: Callable[..., Container],
    add: Callable[..., Spec],
    tmp_path: Path,
    make: Callable[[Container], None],
    status: int,
    code: str,
) -> None:
    """The one line on stderr is what VS Code shows, and all that a user gets to know."""
    container = up()
    spec = add("--on-failure", "exit", container=container)
    make(container)
    exit_code, complaint = refused(service, spec.content["argv"], tmp_path / "shim")
    assert exit_code == status
    assert CODE.findall(complaint)[:1] == [code], complaint
    assert container.name in complaint


def test_an_engine_that_does_not_answer(
    fresh_service: Service, add: Callable[..., Spec], tmp_path: Path
) -> None:
    environment = {**fresh_service.environment, "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    with launched(fresh_service, add("--on-failure", "exit").content["argv"], tmp_path / "shim", env=environment) as (shim, _):
        assert shim.wait(PATIENCE) == 72
    assert "KR-ENGINE-UNREACHABLE" in (tmp_path / "shim/stderr").read_text()


def test_down_takes_only_what_up_made(service: Service, run_by_hand: Callable[..., Container]) -> None:
    by_hand = run_by_hand()
    done = service.attempt("down", by_hand.name)
    assert done.returncode == 65
    assert "KR-CONTAINER-FOREIGN" in done.stderr
    assert by_hand.is_running()


def test_up_publishes_on_loopback_alone(container: Container) -> None:
    bound = [binding for bindings in container.inspect()["NetworkSettings"]["Ports"].values() for binding in bindings]
    assert len(bound) == 5
    assert {binding["HostIp"] for binding in bound} == {"127.0.0.1"}
    assert not {int(binding["HostPort"]) for binding in bound} & set(range(32_768, 61_000))
    assert all(not mount["RW"] for mount in container.inspect()["Mounts"])
    assert subprocess.run(["docker", "exec", container.name, "true"], timeout=30).returncode == 0
