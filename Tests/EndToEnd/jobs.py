"""A notebook as a job: nbclient runs it from its first cell to its last, and what stands in it can be read meanwhile."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from notebooks import manager_of
from processes import PATIENCE
from service import Service, Spec, pauses


def plain(text: str) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", text)


class Job:
    """`options` are those of the kernel's start. `look` is asked for relayd's report the moment that a cell has failed,
    while the kernel's session is still there: nbclient ends it right after."""

    def __init__(
        self, service: Service, spec: Spec, folder: Path, *cells: str, manager: type[AsyncKernelManager] = AsyncKernelManager,
        look: Callable[[], dict[str, Any]] | None = None, set_up: Callable[[AsyncKernelManager], None] = lambda _: None,
        **options: Any,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.look = look or service.status
        self.notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        self.manager = manager_of(spec, folder, manager)
        set_up(self.manager)
        self.client = NotebookClient(self.notebook, km=self.manager, timeout=3 * PATIENCE, on_cell_error=self._failed)
        # Given a manager, nbclient leaves it to its owner to end the kernel.
        self.client.owns_km = True
        self.options = {"env": service.environment, "cwd": str(folder)} | options
        # What relayd said of this kernel when a cell failed; of a session that has ended it says nothing.
        self.verdict: dict[str, Any] = {"word": None, "code": None}
        self.error: CellExecutionError | DeadKernelError | None = None

    def _failed(self, **_: Any) -> None:
        report = self.look()
        for kernel in report["kernels"]:
            if kernel["connection_file"] == self.manager.connection_file:
                self.verdict = kernel["verdict"]

    def run(self) -> None:
        with open(self.folder / "stderr", "ab") as stderr:
            try:
                self.client.execute(stderr=stderr, **self.options)
            except (CellExecutionError, DeadKernelError) as error:
                self.error = error

    @property
    def complaints(self) -> str:
        """What the shim wrote."""
        return (self.folder / "stderr").read_text()

    def marks(self, code: str) -> list[str]:
        """In what order the cells were told of this trouble, by its code, and of a trouble's end, by `relayd`. Another may
        come between, where the engine is slow to say what is the matter; none is told twice in a row."""
        told = re.findall(r"^\[(KR-[A-Z-]+|relayd)\]", self.text, re.MULTILINE)
        assert all(one != next for one, next in pairwise(told)), told
        return [mark for mark, _ in groupby(mark for mark in told if mark in (code, "relayd"))]

    @property
    def text(self) -> str:
        """What stands below the cells."""
        outputs = [output for cell in self.notebook.cells for output in list(cell["outputs"])]
        return plain("".join(output["text"] for output in outputs if output["output_type"] == "stream"))

    def until(self, text: str) -> None:
        for _ in pauses(2 * PATIENCE):
            if text in self.text:
                return
            assert self.error is None, f"{text!r} was waited for, and the job has ended: {self.error}"
        raise AssertionError(f"{text!r} was waited for, and this is said: {self.text[-2000:]!r}")


@contextmanager
def at_work(*arguments: Any, **options: Any) -> Iterator[Job]:
    """A job on a thread of its own; at the end it has ended."""
    job = Job(*arguments, **options)
    thread = threading.Thread(target=job.run)
    thread.start()
    try:
        yield job
    except BaseException:
        # nbclient waits for a cell as long as its kernel is there.
        if job.manager.has_kernel:
            job.manager.provisioner.process.terminate()
        raise
    finally:
        thread.join(4 * PATIENCE)
        assert not thread.is_alive(), "the job does not end"
