"""Restart and shutdown, by Jupyter's hand and by its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from jupyter_client.ioloop import AsyncIOLoopKernelManager

from clients import await_text, connected, run, until_heard
from containers import Container
from notebooks import Notebook, manager_of
from processes import PATIENCE, endpoints_left, ports_of
from service import Service, Spec

LEAVE_ONE = """
import os, subprocess
subprocess.Popen(["sleep", "1000"], start_new_session=True)
print(os.getpid())
"""


def test_five_restarts(notebook: Notebook, container: Container) -> None:
    ports, pids = notebook.ports, set()
    for _ in range(5):
        pids.add(notebook.text(LEAVE_ONE))
        notebook.manager.restart_kernel()
        assert notebook.ports == ports
        until_heard(notebook.client)
        assert notebook.text("print('os' in globals())") == "False"
        (kernel,) = container.kernels()
        assert "ipykernel" in kernel, "something is left from before the restart"
    assert len(pids) == 5


def test_restart_at_once(notebook: Notebook) -> None:
    """Lab's restart in the middle of a cell: no shutdown_request, SIGKILL, and the same ports within a moment."""
    ports = notebook.ports
    notebook.client.execute("while True: pass")
    notebook.manager.restart_kernel(now=True)
    assert notebook.ports == ports
    until_heard(notebook.client)


def test_shutdown_is_quick_and_clean(notebook: Notebook, container: Container) -> None:
    """The request alone ends it: Jupyter does not come to its signals."""
    reply = notebook.client.shutdown(reply=True, timeout=PATIENCE)
    assert reply["msg_type"] == "shutdown_reply"
    assert notebook.end() == 0
    assert not endpoints_left(notebook.folder / "copy.json", notebook.folder)
    assert container.kernels() == []


def test_a_dead_kernel_is_started_again(
    service: Service, add: Callable[..., Spec], container: Container, tmp_path: Path
) -> None:
    """With `--on-failure exit` jupyter_server's restarter sees the shim end, and starts another on the same ports."""

    async def die_and_return() -> None:
        manager = manager_of(add("--on-failure", "exit"), tmp_path / "server", AsyncIOLoopKernelManager)
        manager.restarter_class.poll_interval = 0.5
        await manager.start_kernel(env=service.environment, cwd=str(tmp_path))
        connection, restarted = Path(manager.connection_file), asyncio.Event()
        ports = ports_of(connection)
        manager.add_restart_callback(restarted.set)
        try:
            first = await asyncio.to_thread(die, connection)
            await asyncio.wait_for(restarted.wait(), PATIENCE)
            assert ports_of(connection) == ports
            assert await asyncio.to_thread(pid, connection) != first
        finally:
            await manager.shutdown_kernel()

    asyncio.run(die_and_return())


def pid(connection: Path) -> str:
    with connected(connection) as client:
        return run(client, "import os\nprint(os.getpid())").text()


def die(connection: Path) -> str:
    with connected(connection) as client:
        died = run(client, "import os\nprint(os.getpid())").text()
        # libzmq sends by a thread of its own, which SIGKILL would not let finish.
        client.execute(
            "import os, signal, threading\nprint('dying', flush=True)\n"
            "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()"
        )
        await_text(client, "dying")
        return died
