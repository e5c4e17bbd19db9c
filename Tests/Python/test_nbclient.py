"""A whole notebook by nbclient, whose kernel is reached through the relay alone."""

from __future__ import annotations

import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

from processes import Line


class Relayed(AsyncKernelManager):
    """A manager that owns no process: its kernel runs behind the relay already."""

    has_kernel = True  # or nbclient would start one


def test_a_notebook_runs(line: Line) -> None:
    cells = ["x = 6", "print(x)\nx * 7", "from IPython.display import HTML\nHTML('<b>ö</b>')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    manager = Relayed(connection_file=str(line.front), owns_kernel=False)
    manager.load_connection_file()
    runner = NotebookClient(notebook, km=manager, timeout=30)
    try:
        runner.execute()
    finally:
        if runner.kc is not None:
            runner.kc.stop_channels()
    first, second, third = (cell.outputs for cell in notebook.cells)
    assert first == []
    assert [output.output_type for output in second] == ["stream", "execute_result"]
    assert (second[0].text, second[1].data["text/plain"]) == ("6\n", "42")
    assert third[0].data["text/html"] == "<b>ö</b>"
