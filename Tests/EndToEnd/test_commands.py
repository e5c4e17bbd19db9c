"""What is started inside: --cmd in its three forms, and kernels from other places than the image's own Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import environments
from clients import await_text, outcome
from conftest import Open
from containers import Container, docker
from notebooks import Notebook, refused
from service import Service, Spec

LAUNCH = ["python3", "-X", "dev", "-m", "ipykernel_launcher"]
FORMS = {
    "json": json.dumps([*LAUNCH, "-f", "{connection_file}"]),
    "python": repr([*LAUNCH, "-f", "{connection_file}"]),
    "shell-words": "python3 -X 'dev' -m ipykernel_launcher -f {connection_file}",
    # Without the placeholder `-f FILE` is appended.
    "json-without-file": json.dumps(LAUNCH),
    "shell-words-without-file": " ".join(LAUNCH),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_forms_of_a_command(add: Callable[..., Spec], open_notebook: Open, form: str) -> None:
    with open_notebook(add("--cmd", form)) as notebook:
        assert notebook.text("import sys\nprint(sys.flags.dev_mode)") == "True"


def test_words_that_a_shell_would_change(add: Callable[..., Spec], open_notebook: Open) -> None:
    """No shell is between: a word arrives as it is."""
    odd = "$HOME `id` 'single' \"double\" * ; é"
    command = json.dumps(["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}", f"--IPKernelApp.exec_lines=odd = {odd!r}"])
    with open_notebook(add("--cmd", command)) as notebook:
        assert notebook.text("print(odd)") == odd


@pytest.fixture(scope="module")
def elsewhere(service: Service, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    name = "kernelrelay/e2e-environments"
    environments.make(image, name, tmp_path_factory.mktemp("packages"))
    container = service.up(name)
    yield container
    service.containers.remove(container)
    service.relayd("down", container.name)
    docker("image", "rm", "--force", name)


def test_a_virtual_environment(elsewhere: Container, add: Callable[..., Spec], open_notebook: Open) -> None:
    """Its ipykernel is newer than the image's; a path to its python is all that it takes."""
    spec = add("--cmd", f"{environments.VENV}/bin/python -m ipykernel_launcher", container=elsewhere)
    with open_notebook(spec) as notebook:
        told = notebook.text("import sys, ipykernel\nprint(sys.prefix, ipykernel.__version__)")
        assert told == f"{environments.VENV} 7.4.0"


def test_an_environment_in_the_manner_of_conda(
    elsewhere: Container, add: Callable[..., Spec], open_notebook: Open
) -> None:
    """`python` is found on the PATH that activation would set."""
    path = f"{environments.CONDA}/bin:/usr/bin:/bin"
    activation = ["--env", f"PATH={path}", "--env", f"CONDA_PREFIX={environments.CONDA}"]
    with open_notebook(add(*activation, "--cmd", "python -m ipykernel_launcher", container=elsewhere)) as notebook:
        told = notebook.text("import os, sys, ipykernel\nprint(sys.prefix, ipykernel.__version__, os.environ['CONDA_PREFIX'])")
        assert told == f"{environments.CONDA} 7.4.0 {environments.CONDA}"
        assert environments.CONDA in notebook.text("import shutil\nprint(shutil.which('python'))")


@pytest.fixture
def r(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, image_with_r: str
) -> Iterator[Notebook]:
    """R, which has one thread: it beats no heart while it computes."""
    command = json.dumps(["R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"])
    with open_notebook(add("--cmd", command, container=up(image=image_with_r))) as notebook:
        yield notebook


def test_r_computes(r: Notebook) -> None:
    assert r.text("cat(R.version$language, sum(1:10), '\\n')") == "R 55"


def test_r_is_interrupted(r: Notebook) -> None:
    request = r.client.execute("cat('started\\n'); flush(stdout()); Sys.sleep(60)", stop_on_error=False)
    await_text(r.client, "started")
    r.manager.interrupt_kernel()
    outcome(r.client, request)
    assert r.text("cat('alive\\n')") == "alive"


def test_a_command_that_is_not_there(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    code, complaint = refused(service, add("--on-failure", "exit", "--cmd", "no-such-program --really").content["argv"], tmp_path / "shim")
    assert code == 69
    assert "KR-GATE-COMMAND-NOT-FOUND" in complaint
    assert "no-such-program" in complaint
