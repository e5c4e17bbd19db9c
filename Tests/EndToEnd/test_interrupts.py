"""An interrupt reaches the kernel in every way in which clients send one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clients import await_text, outcome, sleeping
from conftest import Open
from notebooks import Notebook
from service import Spec

SLEEP = sleeping("started")
LOOP = "print('started', flush=True)\nwhile True: pass"
CODES = [pytest.param(SLEEP, id="sleep"), pytest.param(LOOP, id="loop")]


def interrupted(notebook: Notebook, code: str, interrupt: Callable[[], None]) -> None:
    for _ in range(2):
        request = notebook.client.execute(code, stop_on_error=False)
        await_text(notebook.client, "started")
        interrupt()
        assert outcome(notebook.client, request).reply["content"]["ename"] == "KeyboardInterrupt"
    assert notebook.text("print('alive')") == "alive"


@pytest.mark.parametrize("mode", ["signal", "message"])
@pytest.mark.parametrize("code", CODES)
def test_interrupt(add: Callable[..., Spec], open_notebook: Open, mode: str, code: str) -> None:
    spec = add("--interrupt-mode", mode)
    assert spec.content["interrupt_mode"] == mode
    with open_notebook(spec) as notebook:
        interrupted(notebook, code, notebook.manager.interrupt_kernel)


@pytest.mark.parametrize("code", CODES)
def test_interrupt_as_vs_code_sends_it(notebook: Notebook, code: str) -> None:
    """On shell, where a kernel that computes would read it too late."""
    session, shell = notebook.client.session, notebook.client.shell_channel.socket
    interrupted(notebook, code, lambda: session.send(shell, "interrupt_request", {}))


def test_interrupt_of_a_child_in_the_foreground(notebook: Notebook) -> None:
    """A signal is for the kernel's group, as it is for a local kernel."""
    code = "import subprocess\nprint('started', flush=True)\nsubprocess.run(['sleep', '60'])"
    interrupted(notebook, code, notebook.manager.interrupt_kernel)
