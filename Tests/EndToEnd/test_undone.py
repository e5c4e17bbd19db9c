"""Commands that are interrupted, or whose relayd is killed under them: they believe nothing too early, and leave nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import notebooks
from clients import until_heard
from containers import Container, docker
from service import BINARIES, Service, Spec, pauses


def test_waiting_for_the_last_kernel_while_relayd_is_killed(
    container: Container, tmp_path: Path, add: Callable[..., Spec], fresh_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next relayd is slow to come; until it has, nobody knows of a kernel that runs."""
    slow, armed = tmp_path / "relayd", tmp_path / "armed"
    slow.write_text(f'#!/bin/sh\n[ -e {armed} ] && sleep 3\nexec {BINARIES}/relayd "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("KERNELRELAY_RELAYD", str(slow))
    with notebooks.opened(fresh_service, add(container=container), tmp_path / "one") as notebook:
        notebook.run("kept = 1")
        armed.touch()
        command = [BINARIES / "relayd", "drain", "--wait", "--json"]
        waiting = subprocess.Popen(command, env=fresh_service.environment, stdout=subprocess.PIPE)
        (before,) = fresh_service.daemons()
        os.kill(before.pid, signal.SIGKILL)
        # Answered by way of the next relayd.
        until_heard(notebook.client)
        assert notebook.text("print(kept)") == "1"
        assert fresh_service.status()["pid"] != before.pid
        assert waiting.poll() is None
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0 and json.loads(out)["kernels"] == 0
    # Where none comes that is seen, too.
    fresh_service.relayd("stop")
    assert json.loads(fresh_service.relayd("drain", "--wait", "--json"))["kernels"] == 0


def test_a_snapshot_is_interrupted(up: Callable[..., Container], service: Service, tmp_path: Path) -> None:
    """An engine goes on with a commit when its client is killed: here it is a program of its own that does."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    for fifo in (begun, go):
        os.mkfifo(fifo)
    client = tmp_path / "client"
    client.write_text(
        f"""#!/bin/sh
[ "$1" = commit ] || exec docker "$@"
setsid sh -c 'cat {go}; docker "$@" >{tmp_path}/part; mv {tmp_path}/part {tmp_path}/id' docker "$@" </dev/null >/dev/null 2>&1 &
echo begun > {begun}
until [ -e {tmp_path}/id ]; do sleep 0.1; done
cat {tmp_path}/id
"""
    )
    client.chmod(0o755)
    container = up("-e", "SECRET=planted")
    command = [BINARIES / "relayd", "snapshot", "--docker", str(client), container.name]
    with subprocess.Popen(command, env=service.environment, stderr=subprocess.PIPE, text=True) as taking:
        assert begun.read_text() == "begun\n"
        taking.send_signal(signal.SIGINT)
        assert taking.stderr is not None
        said = taking.stderr.readline()
        go.write_text("")
        rest = taking.stderr.read()
    for _ in pauses(30):
        if (tmp_path / "id").exists():
            break
    made = (tmp_path / "id").read_text().strip()
    assert made.startswith("sha256:")
    images = docker("image", "ls", "--all", "--quiet", "--no-trunc").split()
    if made in images:
        docker("image", "rm", "--force", made)
    assert made not in images
    assert f"kernelrelay-snapshot/{container.name}" not in docker("images", "--format", "{{.Repository}}").split()
    assert taking.returncode != 0 and "removed" in said and "interrupted" in rest
