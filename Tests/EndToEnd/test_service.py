"""relayd itself: who may talk to it, what it makes of nonsense, when it ends, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from containers import Container, docker
from control import answer, connected_to, framed
from notebooks import Notebook, launched
from processes import PATIENCE
from service import BINARIES, Service, Spec, command_of, pauses

SOMEBODY = 4711


def test_its_files_are_its_users_alone(notebook: Notebook, service: Service) -> None:
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in service.folder.iterdir() if not path.is_dir()}
    assert modes.keys() >= {"relayd.sock", "relayd.log", "secret", "serve.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(service.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="http"),
        pytest.param(framed(b"\xff" * 100), id="not-json"),
        pytest.param(framed({"v": 2, "type": "status", "request": 1}), id="another-version"),
        pytest.param(framed({"v": 1, "type": "dance", "request": 1}), id="unknown-type"),
        pytest.param(framed({"v": 1, "type": "launch", "request": 1, "kernel": {}}), id="empty-launch"),
        pytest.param(framed({"v": 1, "type": "signal", "signal": 9}), id="no-kernel"),
        pytest.param(framed({"v": 1, "type": "resume", "request": 1, "kernel": 1, "keepsake": []}), id="wrong-types"),
        pytest.param(framed(b"x" * 1000, stream=7), id="unknown-stream"),
        pytest.param(struct.pack(">II", 1 << 31, 0), id="endless-frame"),
        pytest.param(framed(b'{"v":1,"type":"status"}')[:-3], id="cut-off"),
    ],
)
def test_nonsense_harms_nobody(service: Service, nonsense: bytes) -> None:
    pid = service.status()["pid"]
    with connected_to(service) as link:
        link.sendall(nonsense)
        link.shutdown(socket.SHUT_WR)
        while told := link.recv(65536):
            assert b"KR-" in told
    assert service.status()["pid"] == pid


def test_a_question_after_nonsense_is_answered(service: Service) -> None:
    with connected_to(service) as link:
        link.sendall(framed({"v": 1, "type": "dance"}) + framed({"v": 1, "type": "status", "request": 5}))
        assert answer(link)["code"] == "KR-GATE-MESSAGE-TYPE"
        assert answer(link)["request"] == 5


@pytest.fixture
def somebodys(fresh_service: Service) -> Iterator[Service]:
    """A relayd of another user's."""
    assert os.getuid() == 0, "only root can be two users"
    program = fresh_service.folder / "relayd"
    shutil.copy(BINARIES / "relayd", program)
    os.chown(fresh_service.folder, SOMEBODY, SOMEBODY)
    as_somebody = {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": [], "env": fresh_service.environment}
    subprocess.run([program, "start"], check=True, timeout=PATIENCE, **as_somebody)
    yield fresh_service
    subprocess.run([program, "stop"], check=True, timeout=PATIENCE, **as_somebody)


def test_another_user_is_not_heard(somebodys: Service) -> None:
    """Not even root, whom no mode of a file keeps out."""
    with connected_to(somebodys) as link, pytest.raises((AssertionError, ConnectionError)):
        # It may have hung up before a word was said.
        link.sendall(framed({"v": 1, "type": "status", "request": 1}))
        answer(link)


def test_one_serves(service: Service) -> None:
    second = service.attempt("serve")
    assert second.returncode == 69
    assert "KR-RELAYD-RUNNING" in second.stderr
    pid = service.status()["pid"]
    service.relayd("start")
    assert service.status()["pid"] == pid


def test_nobody_there(fresh_service: Service) -> None:
    asked = fresh_service.attempt("status")
    assert asked.returncode == 69
    assert "KR-RELAYD-ABSENT" in asked.stderr
    assert fresh_service.relayd("stop") == "no relayd runs"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["top"], 69, "KR-TERMINAL-MISSING: there is no terminal to draw on. Without one: relayd status --watch."),
        (["logs", "zz"], 65, "KR-KERNEL-UNKNOWN: no such kernel runs: zz."),
        (["add", "dev"], 64, "--container is missing, or --image: --container dev?"),
        (["add", "--container", "dev", "--user", "host"], 64, "who it is in the container: --exec-user host"),
    ],
)
def test_slips_are_told_by_name(service: Service, words: list[str], code: int, says: str) -> None:
    done = service.attempt(*words)
    assert done.returncode == code
    assert says in done.stderr


def test_an_image_that_is_not_here(service: Service, tmp_path: Path) -> None:
    """It may be fetched; a slip in its name shows now."""
    image = "kernelrelay/no-such-image"
    done = service.attempt("add", "--image", image, "--prefix", str(tmp_path))
    assert done.returncode == 0
    assert f"its image is not here, and its first start has to fetch it: {image}" in done.stderr


def test_a_name_that_is_taken(service: Service, container: Container, image: str) -> None:
    """The commands of a remedy have the container's name, and can be typed as they are."""
    assert f"relayd down {container.name}" in service.attempt("up", "--name", container.name, image).stderr
    assert "KR-CONTAINER-TAKEN" in service.attempt("up", "--name", container.name, image).stderr


def test_it_ends_when_nobody_needs_it(fresh_service: Service) -> None:
    fresh_service.relayd("start", "--idle", "1")
    (daemon,) = fresh_service.daemons()
    daemon.wait(PATIENCE)
    assert not (fresh_service.folder / "relayd.sock").exists()


def test_status_for_people(notebook: Notebook, service: Service, container: Container) -> None:
    lines = service.relayd("status").splitlines()
    assert lines[0].split() == ["KERNEL", "NOTEBOOK", "CONTAINER", "ROUTE", "VERDICT", "NOW", "P99", "MSG/S", "BYTES/S", "MEMORY", "UP"]
    (kernel,) = service.status()["kernels"]
    (line,) = [line for line in lines[1:] if kernel["id"] in line]
    assert container.name in line and kernel["verdict"]["word"] in line and kernel["route"] in line


def test_stop_ends_everything(fresh_service: Service, add: Callable[..., Spec], container: Container, tmp_path: Path) -> None:
    fresh_service.relayd("start")
    with launched(fresh_service, add().content["argv"], tmp_path / "shim") as (shim, _):
        for _ in pauses(PATIENCE):
            if [kernel["state"] for kernel in fresh_service.status()["kernels"]] == ["running"]:
                break
        fresh_service.relayd("stop")
        assert shim.wait(PATIENCE) == 69
    assert fresh_service.daemons() == []


def test_a_paused_container_holds_up_nobody(
    up: Callable[..., Container], service: Service, add: Callable[..., Spec], tmp_path: Path
) -> None:
    """Its gate answers nothing: the shim's end must still free the ports, and the kernel ends when it can."""
    container = up()
    with launched(service, add(container=container).content["argv"], tmp_path / "shim") as (shim, _):
        for _ in pauses(PATIENCE):
            if [kernel["state"] for kernel in service.status()["kernels"]] == ["running"]:
                break
        docker("pause", container.name)
        os.killpg(shim.pid, signal.SIGKILL)
        shim.wait(PATIENCE)
    docker("unpause", container.name)
    for _ in pauses(PATIENCE):
        if not service.status()["kernels"]:
            return
    pytest.fail("the kernel is still there")


def test_no_secret_is_where_others_look(
    service: Service, add: Callable[..., Spec], container: Container, tmp_path: Path
) -> None:
    spec = add("--env", "PASSED_ON", "--env", "WRITTEN=a-value-in-kernel-json")
    spoken = json.loads((spec.folder / "kernel.json").read_bytes())
    environment = {**service.environment, **spoken["env"], "PASSED_ON": "a-value-of-jupyters"}
    with launched(service, spec.content["argv"], tmp_path / "shim", env=environment) as (_, connection):
        for _ in pauses(PATIENCE):
            if [kernel["state"] for kernel in service.status()["kernels"]] == ["running"]:
                break
        folder = next(path for path in container.run("find", "/dev/shm", "-name", "*.json").splitlines())
        secrets = {
            "a-value-of-jupyters",
            "a-value-in-kernel-json",
            json.loads(connection.read_bytes())["key"],
            json.loads(container.run("cat", folder))["key"],
            (service.folder / "secret").read_text(),
        }
        seen = {
            "command lines": " ".join(command_of(process) for process in psutil.process_iter()),
            "inspect": docker("inspect", container.name),
            "log": (service.folder / "relayd.log").read_text(),
            "status": service.relayd("status", "--json"),
        }
    for where, text in seen.items():
        for secret in secrets:
            assert secret not in text, where
