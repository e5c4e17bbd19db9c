"""A debugger on the host and a kernel in a container: with `--debug-paths host` both mean the same file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients import await_message, outcome
from conftest import Open
from containers import Container
from debugger import Debugger, event, hit_a_breakpoint
from notebooks import Notebook
from processes import VENVS
from service import Spec

MODULE = "def twice(n):\n    m = n * 2\n    return m\n"
CALL = "import sys\nsys.path[:0] = ['/inside', '/inner']\nimport {module}\n{module}.twice(21)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a module in it, and one in a folder that is mounted elsewhere besides."""
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    (folder / "outer_module.py").write_text(MODULE)
    (folder / "deep" / "deep_module.py").write_text(MODULE)
    return folder


@pytest.fixture
def mounts(project: Path, tmp_path: Path) -> list[str]:
    """What a kernel writes for cells lies under a mount, too."""
    (tmp_path / "scratch").mkdir()
    shown = {project: "/inside", project / "deep": "/inner", tmp_path / "scratch": "/tmp"}
    return [word for outside, inside in shown.items() for word in ("--volume", f"{outside}:{inside}")]


@pytest.fixture
def mounted(up: Callable[..., Container], mounts: list[str]) -> Container:
    return up(*mounts)


@pytest.fixture
def debugged(mounted: Container, add: Callable[..., Spec], open_notebook: Open) -> Iterator[Notebook]:
    with open_notebook(add("--debug-paths", "host", container=mounted)) as notebook:
        yield notebook


@pytest.mark.parametrize(("module", "inside"), [("outer_module", "/inside/"), ("deep_module", "/inner/")])
def test_a_breakpoint_in_a_file_of_the_hosts(debugged: Notebook, project: Path, module: str, inside: str) -> None:
    hit_in_a_module(debugged, project, module, inside)


def test_a_folder_that_was_mounted_by_a_link(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, project: Path, tmp_path: Path
) -> None:
    """An editor has the path without it; what the debugger tells has the name that the engine was given."""
    (tmp_path / "link").symlink_to(project)
    mounted = up("--volume", f"{tmp_path / 'link'}:/inside")
    with open_notebook(add("--debug-paths", "host", container=mounted)) as notebook:
        debugger = Debugger(notebook.client)
        debugger.attach()
        for folder in (project, tmp_path / "link"):
            assert debugger.send("source", source={"path": str(folder / "outer_module.py")})["content"] == MODULE


@pytest.mark.heavy
@pytest.mark.parametrize(("environment", "version"), [("ipykernel-6", "6.29.5"), ("main", "7.4.0")])
def test_other_ipykernels(
    up: Callable[..., Container],
    add: Callable[..., Spec],
    open_notebook: Open,
    project: Path,
    mounts: list[str],
    environment: str,
    version: str,
) -> None:
    """The suite's own, shown to the image's Python, which is of the same release."""
    (packages,) = (VENVS / environment).resolve().glob("lib/python3.11/site-packages")
    container = up(*mounts, "--volume", f"{packages}:/packages:ro", "--env", "PYTHONPATH=/packages")
    with open_notebook(add("--debug-paths", "host", container=container)) as notebook:
        assert notebook.text("import ipykernel\nprint(ipykernel.__version__)") == version
        hit_in_a_module(notebook, project, "outer_module", "/inside/")
        hit_a_breakpoint(notebook.client)


def hit_in_a_module(debugged: Notebook, project: Path, module: str, inside: str) -> None:
    """As an editor does it: by the host's path, and without knowing of any other."""
    client = debugged.client
    (path,) = (str(file) for file in project.rglob(f"{module}.py"))
    debugger = Debugger(client)
    debugger.attach()
    placed = debugger.send("setBreakpoints", source={"path": path}, breakpoints=[{"line": 2}], sourceModified=False)
    assert placed["breakpoints"][0]["verified"]
    assert [point["source"] for point in debugger.send("debugInfo")["breakpoints"]] == [path]
    debugger.send("configurationDone")

    request = client.execute(CALL.format(module=module))
    stopped = await_message(client.get_iopub_msg, event("stopped"))["content"]["body"]
    assert stopped["reason"] == "breakpoint"
    frames = debugger.send("stackTrace", threadId=stopped["threadId"])["stackFrames"]
    assert (frames[0]["name"], frames[0]["line"], frames[0]["source"]["path"]) == ("twice", 2, path)
    # The cell that called is a file of the kernel's own, and stays one, although a mount shows it.
    (caller,) = (frame for frame in frames if frame["source"]["path"].startswith("/tmp/ipykernel_"))
    assert caller["name"] == "<module>"
    assert debugger.send("source", source={"path": path})["content"] == MODULE
    debugger.send("continue", threadId=stopped["threadId"])
    done = outcome(client, request)
    assert [result["content"]["data"]["text/plain"] for result in done.of("execute_result")] == ["42"]
    modules = debugger.send_bare("modules")["modules"]
    assert [found["path"] for found in modules if found["name"] == module] == [path]
    debugger.send("disconnect", restart=False, terminateDebuggee=False)
    # The kernel itself knows of the container's paths alone.
    assert debugged.text(f"print({module}.__file__)") == f"{inside}{module}.py"


def test_cells_are_debugged_as_before(debugged: Notebook) -> None:
    hit_a_breakpoint(debugged.client)


def test_without_the_switch_paths_are_the_containers(
    mounted: Container, add: Callable[..., Spec], open_notebook: Open, project: Path
) -> None:
    with open_notebook(add(container=mounted)) as notebook:
        debugger = Debugger(notebook.client)
        debugger.attach()
        debugger.send("configurationDone")
        assert debugger.send("source", source={"path": "/inside/outer_module.py"})["content"] == MODULE
        notebook.run(CALL.format(module="outer_module"))
        modules = debugger.send_bare("modules")["modules"]
        assert [found["path"] for found in modules if found["name"] == "outer_module"] == ["/inside/outer_module.py"]
        debugger.send("disconnect", restart=False, terminateDebuggee=False)
