"""What a container of one kernel takes from its image, as `docker run IMAGE COMMAND` would: the entry point, and settings of
the engine's runtime."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients import await_text, outcome, run, sleeping
from conftest import Open
from notebooks import Notebook, refused
from own import own_container, until_none_is_left, written
from service import Service, Spec

SETS = """FROM {image}
RUN printf '#!/bin/sh\\nexport BY_ENTRYPOINT="before $1"\\nexec "$@"\\n' > /entry && chmod 755 /entry
ENTRYPOINT ["/entry"]
"""
# The init that an engine mounts for --init stays there, as the kernel's parent.
STAYS = 'FROM {image}\nENTRYPOINT ["/sbin/docker-init", "--"]\n'
IS_KERNEL = 'FROM {image}\nENTRYPOINT ["python3", "-m", "ipykernel_launcher"]\n'

TOLD = "import os; print(os.environ.get('BY_ENTRYPOINT'), os.environ.get('A'))"


@pytest.fixture(autouse=True)
def no_container_left() -> Iterator[None]:
    yield
    assert not until_none_is_left()


@pytest.fixture
def built(image: str) -> Iterator[Callable[[str], str]]:
    """`built(recipe)`: the name of an image that is made of the suite's, and goes with the test."""
    names: list[str] = []

    def build(recipe: str) -> str:
        names.append(f"kr-e2e-entry-{uuid.uuid4().hex[:8]}")
        command = ["docker", "build", "--quiet", "--tag", names[-1], "-"]
        subprocess.run(command, input=recipe.format(image=image).encode(), check=True, capture_output=True, timeout=120)
        return names[-1]

    yield build
    for name in names:
        subprocess.run(["docker", "image", "rm", "--force", name], capture_output=True, timeout=60)


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., Spec]:
    return lambda image, *words: written(tmp_path / "prefix", "-f", "{connection_file}", "--image", image, *words)


def is_interrupted(notebook: Notebook) -> None:
    request = notebook.client.execute(sleeping(), stop_on_error=False)
    await_text(notebook.client, "asleep")
    notebook.manager.interrupt_kernel()
    assert outcome(notebook.client, request).reply["content"]["ename"] == "KeyboardInterrupt"
    assert notebook.text("print('goes on')") == "goes on"


def ended(service: Service, spec: Spec, folder: Path) -> int:
    return refused(service, spec.argv(Path("{connection_file}")), folder)[0]


def test_one_that_execs_the_command(
    service: Service, built: Callable[[str], str], own: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    name = built(SETS)
    with open_notebook(own(name, "--cmd", "['/usr/bin/python3', '-m', 'ipykernel']")) as notebook:
        assert notebook.text(TOLD) == "before /usr/bin/python3 None"
        is_interrupted(notebook)
    with open_notebook(own(name)) as notebook:
        assert notebook.text(TOLD) == "before python3 None"
    # Signals and exit codes are the kernel's, as without one.
    for number, end in enumerate(["exit 7", "kill -9 $$"]):
        spec = own(name, "--on-failure", "exit", "--cmd", f"sh -c '{end}'")
        assert ended(service, spec, tmp_path / f"job-{number}") == (7 if number == 0 else -signal.SIGKILL)


def test_another_than_the_images(built: Callable[[str], str], own: Callable[..., Spec], open_notebook: Open) -> None:
    """As `--entrypoint` of `run` has it: one word, or none."""
    name = built(SETS)
    with open_notebook(own(name, "--", "--entrypoint", "")) as notebook:
        assert notebook.text(TOLD) == "None None"
    spec = own(name, "--cmd", "A=b python3 -m ipykernel_launcher", "--", "--entrypoint=/usr/bin/env")
    with open_notebook(spec) as notebook:
        assert notebook.text(TOLD) == "None b"


def test_one_that_is_not_there(image: str, own: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(own(image, "--", "--entrypoint", "/no/such-entry")) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-GATE-COMMAND-NOT-FOUND" and "/no/such-entry" in told["evalue"]
        assert "-name such-entry" in "\n".join(told["traceback"])


def test_one_that_stays(
    service: Service, built: Callable[[str], str], own: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    name = built(STAYS)
    with open_notebook(own(name)) as notebook:
        parent = notebook.text("import os; print(open(f'/proc/{os.getppid()}/cmdline').read())")
        assert "docker-init" in parent
        is_interrupted(notebook)
    # It is the process whose end is seen, and says of a signal what a shell does.
    spec = own(name, "--on-failure", "exit", "--cmd", "sh -c 'kill -9 $$'")
    assert ended(service, spec, tmp_path / "job") == 128 + signal.SIGKILL


def test_one_that_is_the_kernel(built: Callable[[str], str], own: Callable[..., Spec], open_notebook: Open) -> None:
    name = built(IS_KERNEL)
    for words in ([], ["--cmd", "--debug -f {connection_file}"]):
        with open_notebook(own(name, *words)) as notebook:
            assert notebook.text("print(6 * 7)") == "42"


def test_settings_of_nvidias_runtime(own: Callable[..., Spec], image: str, open_notebook: Open) -> None:
    """It reads them from the container's environment, where no other variable of the kernel's stands."""
    with open_notebook(own(image, "--", "-e", "NVIDIA_VISIBLE_DEVICES=void", "-e", "OTHER=planted")) as notebook:
        found = own_container().inspect()["Config"]["Env"]
        assert "NVIDIA_VISIBLE_DEVICES=void" in found
        assert not any("planted" in variable for variable in found)
        told = notebook.text("import os; print(os.environ['NVIDIA_VISIBLE_DEVICES'], os.environ['OTHER'])")
        assert told == "void planted"
