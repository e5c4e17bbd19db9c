"""The engine ends under a kernel, and comes back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError

from engines import OwnEngine
from jobs import at_work, plain
from service import Service
from verdicts import Witness

Start = Callable[[bool], OwnEngine]


@pytest.fixture
def start_engine(monkeypatch: pytest.MonkeyPatch, image: str) -> Iterator[Start]:
    """`start_engine(live_restore)`: an engine of one's own, and from then on every client asks that one."""
    if not OwnEngine.is_possible():
        pytest.fail("an engine of one's own takes root, dockerd and ip")
    own: list[OwnEngine] = []

    def start(live_restore: bool) -> OwnEngine:
        own.append(OwnEngine(Path(tempfile.mkdtemp(prefix="kernelrelay-engine-")), live_restore))
        own[-1].start()
        own[-1].load(image)
        monkeypatch.setenv("DOCKER_HOST", own[-1].host)
        return own[-1]

    yield start
    monkeypatch.undo()
    for engine in own:
        engine.remove()


CELL = """
import os, time
print('pid', os.getpid(), flush=True)
while not os.path.exists('/tmp/go'): time.sleep(0.05)
print('done')
"""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("live_on", [True, False], ids=["containers-live-on", "containers-end-with-it"])
def test_the_engine_ends_under_a_cell(
    start_engine: Start, fresh_service: Service, image: str, tmp_path: Path, live_on: bool
) -> None:
    """Where containers live on so does the kernel, and a notebook that nbclient runs says what is in the way and goes on.
    Where they end with it, as Docker has it unless it is told otherwise, the cell says what can be known, first and in the
    end."""
    engine = start_engine(live_on)
    container = fresh_service.up(image)
    witness = Witness(fresh_service, container.name)
    with at_work(fresh_service, fresh_service.add(tmp_path / "prefix", container), tmp_path / "job", CELL) as job:
        job.until("pid ")
        engine.stop()
        job.until("\n[KR-ENGINE-UNREACHABLE] the engine does not answer: ")
        witness.until("engine-unreachable", code="KR-ENGINE-UNREACHABLE")
        witness.until_lamps(engine="bad")
        engine.start()
        if live_on:
            # Where the engine has not kept it, nobody else can be blamed.
            assert container.is_running()
            job.until("\n[relayd] it goes on\n")
            witness.until("busy")
            container.run("touch", "/tmp/go")
    if live_on:
        assert job.error is None
        assert job.text.endswith("\ndone\n")
    else:
        assert isinstance(job.error, CellExecutionError), job.error
        assert job.error.ename == "KR-CONTAINER-GONE"
        assert f"    docker start {container.name}\n" in plain(str(job.error))
        assert (job.verdict["word"], job.verdict["code"]) == ("container-stopped", "KR-CONTAINER-GONE")
    fresh_service.take_down()
    fresh_service.containers.clear()
