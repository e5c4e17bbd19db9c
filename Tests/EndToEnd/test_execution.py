"""What every cell needs, from a kernel in a container."""

from __future__ import annotations

import comms
from clients import await_reply, outcome
from containers import Container
from debugger import hit_a_breakpoint
from notebooks import Notebook
from processes import PATIENCE
from service import pauses
from volume import MEGABYTE, WRITE, assert_whole


def test_a_cell_runs_in_the_container(notebook: Notebook, container: Container) -> None:
    hostname = container.inspect()["Config"]["Hostname"]
    done = notebook.run("import socket, sys\nprint(socket.gethostname())\nprint('aside', file=sys.stderr)\n6 * 7")
    assert done.text() == hostname + "\n"
    assert done.text("stderr") == "aside\n"
    assert [result["content"]["data"]["text/plain"] for result in done.of("execute_result")] == ["42"]


def test_what_the_kernel_knows_of_its_parent(notebook: Notebook) -> None:
    """A pid of the host means nothing in there: ipykernel would watch whoever has that number."""
    assert notebook.text("import os\nprint(os.environ.get('JPY_PARENT_PID') in (None, str(os.getppid())))") == "True"


def test_input(notebook: Notebook) -> None:
    request = notebook.client.execute("print('hello ' + input('who? '))", allow_stdin=True)
    question = await_reply(notebook.client.get_stdin_msg, request)
    assert question["content"]["prompt"] == "who? "
    notebook.client.input("Ada")
    assert outcome(notebook.client, request).text() == "hello Ada\n"


def test_a_breakpoint_is_hit(notebook: Notebook) -> None:
    hit_a_breakpoint(notebook.client)


def test_comms_with_buffers(notebook: Notebook) -> None:
    comms.open_by_the_kernel(notebook.client)
    comms.open_by_the_client(notebook.client)


def test_a_hundred_megabytes_of_output(notebook: Notebook) -> None:
    assert_whole(notebook.run(WRITE.format(count=100, size=MEGABYTE)), 100, MEGABYTE)


def test_output_below_python(notebook: Notebook) -> None:
    """What a library or a child writes to the process's own stdout appears on the shim's, or in the cell."""
    printed = notebook.run("import os, sys\nos.write(1, b'from below\\n')\nsys.stdout.flush()").text()
    # By a way of its own, and it may take longer than the reply.
    for _ in pauses(PATIENCE):
        while notebook.client.iopub_channel.msg_ready():
            printed += notebook.client.get_iopub_msg()["content"].get("text", "")
        if "from below" in printed + (notebook.folder / "stdout").read_text():
            return
    raise AssertionError("it does not appear")
