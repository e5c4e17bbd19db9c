"""A person's way: JupyterLab in the browser, the kernel's card, and a notebook. Screenshots are in .build/screenshots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from browser import Lab, chromium, served
from clients import sleeping
from containers import Container
from service import Service, Spec

NAME = "Python (in a container)"
WHERE = """import platform, socket
print(f"Python {platform.python_version()} in container {socket.gethostname()}")
[n ** 2 for n in range(10)]"""


@pytest.fixture
def lab(service: Service, add: Callable[..., Spec], tmp_path: Path) -> Iterator[Lab]:
    spec = add("--display-name", NAME)
    with served(service, spec.prefix, tmp_path / "lab") as url, chromium(tmp_path / "chromium") as driver:
        opened = Lab(driver)
        opened.open(url)
        yield opened


@pytest.mark.timeout(400)
def test_a_notebook_in_lab(lab: Lab, container: Container) -> None:
    hostname = container.inspect()["Config"]["Hostname"]
    lab.shoot("launcher")
    lab.pick_in_the_launcher(NAME)

    lab.run(WHERE)
    lab.output(f"in container {hostname}")
    lab.output("[0, 1, 4, 9")

    lab.run("name = input('Your name? ')\nprint(f'Hello {name}!')")
    lab.shoot("input-asked")
    lab.answer("Ada")
    lab.output("Hello Ada!")

    lab.run(sleeping(seconds=600))
    lab.output("asleep")
    lab.shoot("busy")
    lab.interrupt()
    lab.output("KeyboardInterrupt")
    lab.until_idle()
    lab.shoot("interrupted")

    lab.restart()
    lab.until_idle()
    lab.run("'name' in globals()")
    lab.output("False")
    lab.shoot("restarted")


@pytest.mark.timeout(400)
def test_the_picture_for_the_readme(lab: Lab, container: Container) -> None:
    """One clean notebook: where it runs, a question, and its answer."""
    hostname = container.inspect()["Config"]["Hostname"]
    lab.pick_in_the_launcher(NAME)
    lab.run(WHERE)
    lab.output(f"in container {hostname}")
    lab.run("name = input('Your name? ')\nprint(f'Hello {name}, from inside.')")
    lab.answer("Ada")
    lab.output("Hello Ada, from inside.")
    lab.until_idle()
    lab.shoot("lab")
