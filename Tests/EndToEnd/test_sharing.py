"""Several notebooks in one container, and several clients at one kernel."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pexpect

from clients import connected, outcome, run
from conftest import Open
from containers import Container
from notebooks import Notebook
from service import Service, Spec


def test_three_notebooks_at_once(add: Callable[..., Spec], open_notebook: Open, container: Container) -> None:
    spec = add()
    with ExitStack() as stack:
        three = [stack.enter_context(open_notebook(spec)) for _ in range(3)]
        names = [uuid.uuid4().hex for _ in three]
        asked = [
            notebook.client.execute(f"import time\nname = {name!r}\ntime.sleep(0.2)\nprint(name * 10_000)")
            for notebook, name in zip(three, names, strict=True)
        ]
        done = [outcome(notebook.client, request).text() for notebook, request in zip(three, asked, strict=True)]
        assert [text.strip() for text in done] == [name * 10_000 for name in names]
        assert len(container.kernels()) == 3
        # One ends; the others do not notice.
        three[0].manager.shutdown_kernel()
        assert [notebook.text("print(name)") for notebook in three[1:]] == names[1:]


def test_three_notebooks_are_opened_at_once(add: Callable[..., Spec], open_notebook: Open) -> None:
    spec = add()

    def work(number: int) -> str:
        with open_notebook(spec) as notebook:
            return notebook.text(f"print({number} ** 2)")

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == ["0", "1", "4"]


def attached(service: Service) -> Path:
    """The connection file that `relayd attach` writes for the only kernel that runs."""
    (kernel,) = service.status()["kernels"]
    path = Path(service.relayd("attach", kernel["id"]).split()[-1])
    assert path.stat().st_mode & 0o077 == 0
    return path


def test_a_second_client(notebook: Notebook, service: Service) -> None:
    notebook.run("shared = 'between two'")
    path = attached(service)
    try:
        with connected(path) as second:
            assert run(second, "print(shared)").text() == "between two\n"
    finally:
        path.unlink(missing_ok=True)


def test_jupyter_console(notebook: Notebook, service: Service) -> None:
    notebook.run("shared = 6")
    path = attached(service)
    program = str(Path(sys.executable).with_name("jupyter-console"))
    environment = {**os.environ, "HOME": str(notebook.folder), "JUPYTER_RUNTIME_DIR": str(path.parent), "TERM": "dumb"}
    console = pexpect.spawn(
        program, ["--existing", str(path), "--simple-prompt"], env=environment, encoding="utf-8", timeout=30
    )
    try:
        console.expect(r"In \[\d*\]: ")
        console.sendline("print('the answer', shared * 7)")
        console.expect("the answer 42")
        # Leaving the console leaves the kernel.
        console.expect(r"In \[\d*\]: ")
        console.sendline("exit(keep_kernel=True)")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)
        path.unlink(missing_ok=True)
    assert notebook.text("print(shared)") == "6"


def test_jupyter_execute_runs_a_notebook(
    service: Service, add: Callable[..., Spec], container: Container, tmp_path: Path
) -> None:
    """nbclient from its own command line, as a job would run it: nobody else manages the kernel."""
    cells = ["import socket\nsocket.gethostname()", "x = 6", "print(x)\nx * 7"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path, spec = tmp_path / "job.ipynb", add()
    nbformat.write(notebook, path)
    runtime = tmp_path / "runtime"
    environment = {
        **service.environment,
        "JUPYTER_PATH": str(spec.prefix / "share/jupyter"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
    }
    program = Path(sys.executable).with_name("jupyter-execute")
    command = [program, "--inplace", f"--kernel_name={spec.name}", path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    first, _, third = (cell.outputs for cell in nbformat.read(path, as_version=4).cells)
    assert first[0].data["text/plain"] == repr(container.inspect()["Config"]["Hostname"])
    assert (third[0].text, third[1].data["text/plain"]) == ("6\n", "42")
    assert not list(runtime.glob("kernel-*.json")), "a connection file is left"
