"""A notebook that nbclient runs while something is in the way of its kernel: the cell says what, and then goes on.

Nobody asks relayd for a report from the harm to the word in the notebook: what a cell is told comes of relayd's own looking.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from containers import Container, docker
from jobs import Job, at_work
from service import Service, Spec, pauses
from slow_reader import not_reading

LIGHT = Path(__file__).with_name("light_kernel.py")
CELL = """
import os, time
print('pid', os.getpid(), flush=True)
while not os.path.exists('/tmp/go'): time.sleep(0.05)
print('done')
"""
OVER = "\n[relayd] it goes on\n"


@pytest.fixture
def alone(up: Callable[..., Container]) -> Container:
    return up()


def told(job: Job, code: str) -> tuple[str, str]:
    """Sentence and remedy, as soon as they stand in the notebook."""
    began = time.monotonic()
    job.until(f"\n[{code}] ")
    print(f"{code}: {time.monotonic() - began:.1f} s")
    line = re.search(rf"^\[{code}\] (.+?)\. (.+)$", job.text, re.MULTILINE)
    assert line, job.text
    return line[1], line[2]


def go_on(job: Job, container: Container) -> None:
    job.until(OVER)
    container.run("touch", "/tmp/go")


def assert_done(job: Job, code: str) -> None:
    """In this order, and each once."""
    assert job.error is None
    assert job.marks(code) == [code, "relayd"], job.text
    assert job.text.rindex(OVER) < job.text.index("\ndone\n")


@pytest.mark.parametrize("harm", ["pause", "stop-kernel", "stop-gate"])
def test_what_the_cell_says_mends_it(
    service: Service, alone: Container, add: Callable[..., Spec], tmp_path: Path, harm: str
) -> None:
    with at_work(service, add(container=alone), tmp_path / "job", CELL) as job:
        job.until("pid ")
        pid = job.text.split()[1]
        (gate,) = [gate["pid"] for gate in service.status()["gates"] if gate["container"] == alone.name]
        if harm == "pause":
            code = "KR-CONTAINER-PAUSED"
            docker("pause", alone.name)
            said = told(job, code)
            assert said == (f"the container {alone.name} is paused", f"docker unpause {alone.name}")
        elif harm == "stop-kernel":
            code = "KR-KERNEL-STOPPED"
            alone.run("sh", "-c", f"kill -STOP {pid}")
            said = told(job, code)
            assert said == ("its process is stopped", f"docker exec {alone.name} sh -c 'kill -CONT {pid}'")
        else:
            code = "KR-GATE-SILENT"
            alone.run("sh", "-c", f"kill -STOP {gate}")
            said = told(job, code)
            assert said[0] == f"the gate in {alone.name} does not answer, and the container runs"
        subprocess.run(said[1], shell=True, check=True, capture_output=True)
        go_on(job, alone)
    assert_done(job, code)


def test_a_kernel_that_is_alive_and_deaf(
    service: Service, alone: Container, add: Callable[..., Spec], tmp_path: Path
) -> None:
    """It has taken the cell, computes nothing, and says nothing, not even that it is busy."""
    docker("cp", str(LIGHT), f"{alone.name}:/light_kernel.py")
    spec = add("--cmd", json.dumps(["python3", "/light_kernel.py", "{connection_file}"]), container=alone)
    with at_work(service, spec, tmp_path / "job", "be silent") as job:
        text, _ = told(job, "KR-KERNEL-SILENT")
        assert text == "it answers no heartbeat, and its process lives"
        alone.run("touch", "/tmp/go")
    assert job.error is None
    assert "\nbe silent" in job.text
    # It has ended, whatever its kernel said of itself.
    assert job.marks("KR-KERNEL-SILENT") == ["KR-KERNEL-SILENT", "relayd"]


def test_another_client_that_does_not_read(
    service: Service, alone: Container, add: Callable[..., Spec], tmp_path: Path
) -> None:
    """What the cell is told waits with its output, until that client reads or goes."""
    log = service.folder / "relayd.log"
    flood = CELL + "for _ in range(900): print('x' * 40_000, flush=True)\nwhile os.path.exists('/tmp/go'): time.sleep(0.05)\n"
    with at_work(service, add(container=alone), tmp_path / "job", flood) as job:
        job.until("pid ")
        before = log.stat().st_size
        with not_reading(Path(job.manager.connection_file)):
            alone.run("touch", "/tmp/go")
            for _ in pauses(20):
                if b"word=slow-client" in log.read_bytes()[before:]:
                    break
        text, remedy = told(job, "KR-CLIENT-SLOW")
        alone.run("rm", "/tmp/go")
    assert job.error is None
    assert re.fullmatch(r"a client on iopub at 127\.0\.0\.1:\d+ does not read: .+ are held for it", text)
    assert remedy
    assert job.text.count("x" * 40_000) == 900
