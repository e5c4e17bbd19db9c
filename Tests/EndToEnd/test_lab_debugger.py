"""A person debugs in JupyterLab, by clicks: a file of the host's that is mounted in the kernel's container, and a cell.

Lab opens as a source what the kernel has loaded, and no other file, so that its breakpoints are in those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Keys

from browser import Lab, chromium, served
from containers import Container
from service import Service, Spec

NAME = "Python (its debugger has the host's paths)"
MODULE = "def twice(n):\n    m = n * 2\n    return m\n"
LOAD = "import sys\nsys.path.insert(0, '/inside')\nimport doubling\nprint(doubling.__file__)"
CALL = "n = 21\nresult = doubling.twice(n)\nresult"

SOURCE = ".lm-DockPanel-widget:not(.jp-NotebookPanel)"
CELL = ".jp-Notebook .jp-Cell.jp-mod-active"
TAB = ".lm-DockPanel-tabBar .lm-TabBar-tab"
FRAME = ".jp-DebuggerCallstackFrame.selected .jp-DebuggerCallstackFrame"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "doubling.py"
    path.parent.mkdir()
    path.write_text(MODULE)
    return path


@pytest.fixture
def lab(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], file: Path, tmp_path: Path
) -> Iterator[Lab]:
    container = up("--volume", f"{file.parent}:/inside")
    spec = add("--display-name", NAME, "--debug-paths", "host", container=container)
    with served(service, spec.prefix, tmp_path / "lab") as url, chromium(tmp_path / "chromium") as driver:
        opened = Lab(driver)
        opened.open(url)
        yield opened


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_breakpoints_set_by_clicks_in_lab(lab: Lab, file: Path) -> None:
    lab.pick_in_the_launcher(NAME)
    lab.run(LOAD)
    lab.output("/inside/doubling.py")
    lab.find(".jp-DebuggerBugButton").click()

    lab.find(".jp-Debugger-KernelSources-Filter").click()
    lab.press("doubling")
    lab.find(f'.jp-DebuggerKernelSource-source:only-child[title="{file}"]', "doubling").click()
    lab.find(f'{TAB}.lm-mod-current[title="{file}"]', "doubling.py")
    lab.find(f"{SOURCE} .cm-content", "m = n * 2")
    click_beside(lab, SOURCE, line=2)
    lab.find(f'.jp-DebuggerBreakpoint[title="{file}"] .jp-DebuggerBreakpoint-line', "2")

    lab.find(TAB, "Untitled.ipynb").click()
    lab.type(CALL)
    click_beside(lab, CELL, line=2)
    lab.find(".jp-DebuggerBreakpoint-source", "Cell [ ]")
    lab.press(Keys.SHIFT, Keys.ENTER)

    until_stopped(lab, "<module>", "Cell [*]:2", "result = doubling.twice(n)")
    lab.shoot("debugger-in-a-cell")
    go_on(lab)
    until_stopped(lab, "twice", f"{file}:2", "m = n * 2")
    lab.shoot("debugger-in-a-file")
    go_on(lab)

    lab.find(TAB, "Untitled.ipynb").click()
    lab.output("42")
    lab.find(".jp-InputPrompt", "[2]:")
    lab.shoot("debugger-done")


def click_beside(lab: Lab, editor: str, line: int) -> None:
    """In the gutter, whose first row is there for its width only; and the mark shows."""
    row = f"{editor} .cm-breakpoint-gutter .cm-gutterElement:nth-child({line + 1})"
    ActionChains(lab.driver).move_to_element(lab.find(row)).click().perform()
    lab.find(f"{row} .cm-breakpoint-icon")


def until_stopped(lab: Lab, name: str, place: str, line: str) -> None:
    """As the stack has it, and the editor, which is in front."""
    lab.find(f"{FRAME}-location", place)
    lab.find(f"{FRAME}-name", name)
    lab.find(".jp-DebuggerEditor-highlight", line)


def go_on(lab: Lab) -> None:
    lab.find('[data-command="debugger:continue"][title^="Continue"]').click()
