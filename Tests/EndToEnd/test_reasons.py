"""What keeps a kernel away has a code of its own, for a job that sees the shim's end and for whoever reads the notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients import connected, run
from containers import Container, docker
from notebooks import launched
from processes import PATIENCE
from service import Service, Spec


@dataclass(frozen=True)
class Reason:
    code: str
    status: int
    remedy: str
    words: tuple[str, ...] = ()
    host: str | None = None


REASONS = {
    "missing": Reason("KR-CONTAINER-MISSING", 68, "docker ps -a"),
    "stopped": Reason("KR-CONTAINER-STOPPED", 69, "docker start"),
    "paused": Reason("KR-CONTAINER-PAUSED", 75, "docker unpause"),
    "no client": Reason("KR-ENGINE-MISSING", 72, "/nowhere/docker", words=("--docker", "/nowhere/docker")),
    "no engine": Reason("KR-ENGINE-UNREACHABLE", 72, "/nowhere.sock", host="unix:///nowhere.sock"),
}


@pytest.mark.parametrize("kind", REASONS)
def test_each_has_an_exit_code_and_a_text(
    service: Service, run_by_hand: Callable[..., Container], add: Callable[..., Spec], tmp_path: Path, kind: str
) -> None:
    reason = REASONS[kind]
    container = run_by_hand()
    job = add("--on-failure", "exit", *reason.words, container=container)
    notebook = add(*reason.words, container=container)
    environment = service.environment | ({"DOCKER_HOST": reason.host} if reason.host else {})
    if kind == "missing":
        container.remove()
    elif kind == "stopped":
        docker("stop", "--time", "1", container.name)
    elif kind == "paused":
        docker("pause", container.name)
    try:
        with launched(service, job.content["argv"], tmp_path / "job", env=environment) as (shim, _):
            assert shim.wait(PATIENCE) == reason.status
        (told,) = (tmp_path / "job" / "stderr").read_text().splitlines()
        assert told.startswith(f"relay-shim: {reason.code}: ")
        with launched(service, notebook.content["argv"], tmp_path / "notebook", env=environment) as (shim, connection):
            with connected(connection) as client:
                (error,) = run(client, "1 + 1").of("error")
                # It lives until it is told to end, and then its ports are free.
                assert shim.poll() is None
                client.shutdown()
                assert shim.wait(PATIENCE) == 0
        assert error["content"]["ename"] == reason.code
        assert reason.remedy in "\n".join(error["content"]["traceback"])
    finally:
        if kind == "paused":
            docker("unpause", container.name)


def test_the_catalogue_tells_them_apart() -> None:
    """Two of the five are one: there is no engine. The text says which."""
    assert len({reason.status for reason in REASONS.values()}) == 4
