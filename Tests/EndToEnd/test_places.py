"""Where a kernel works, as whom, and with which environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from clients import connected, run
from conftest import SOMEBODY, Open
from containers import Container
from notebooks import launched
from service import BINARIES, Service, Spec

def test_the_notebooks_folder_through_a_bind_mount(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    """The notebook's folder on the host is the kernel's folder inside, where a mount shows the one in the other."""
    deep = tmp_path / "project" / "sub folder"
    deep.mkdir(parents=True)
    mounted = up("--volume", f"{tmp_path / 'project'}:/inside")
    with open_notebook(add(container=mounted), cwd=deep) as notebook:
        assert notebook.text("import os\nprint(os.getcwd())") == "/inside/sub folder"
        notebook.run("with open('result', 'w') as file: file.write('from inside')")
    assert (deep / "result").read_text() == "from inside"


def test_a_folder_that_was_mounted_by_a_link(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    """As homes often are: the engine has the link's name, and the notebook's folder is known without it."""
    (tmp_path / "disk" / "project").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    mounted = up("--volume", f"{tmp_path / 'home' / 'project'}:/inside")
    for folder in (tmp_path / "disk" / "project", tmp_path / "home" / "project"):
        with open_notebook(add(container=mounted), cwd=folder) as notebook:
            assert notebook.text("import os\nprint(os.getcwd())") == "/inside"


def test_the_deepest_mount_counts(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    (tmp_path / "project" / "data").mkdir(parents=True)
    mounted = up("--volume", f"{tmp_path / 'project'}:/one", "--volume", f"{tmp_path / 'project/data'}:/two")
    with open_notebook(add(container=mounted), cwd=tmp_path / "project" / "data") as notebook:
        assert notebook.text("import os\nprint(os.getcwd())") == "/two"


def test_a_folder_that_is_not_inside(add: Callable[..., Spec], open_notebook: Open, tmp_path: Path) -> None:
    """The container knows nothing of it: the kernel starts all the same, where the image says."""
    with open_notebook(add(), cwd=tmp_path) as notebook:
        assert notebook.text("import os\nprint(os.getcwd())") == "/"


def test_workdir_is_obeyed(add: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(add("--workdir", "/var/lib")) as notebook:
        assert notebook.text("import os\nprint(os.getcwd())") == "/var/lib"


def test_another_user(add: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(add("--workdir", "/tmp", "--exec-user", "nobody")) as notebook:
        assert notebook.text("import os\nprint(os.getuid())") == "65534"


def test_the_caller_owns_what_is_written(
    up: Callable[..., Container],
    add: Callable[..., Spec],
    fresh_service: Service,
    somebody: dict[str, object],
    tmp_path: Path,
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    project.chmod(0o777)
    mounted = up("--volume", f"{project}:/inside")
    argv = add("--workdir", "/inside", "--exec-user", "host", container=mounted).content["argv"]
    if somebody:
        argv[0] = str(fresh_service.folder / "relay-shim")
    folder = tmp_path / "shim"
    with launched(fresh_service, argv, folder, cwd=project, **somebody) as (_, connection):
        with connected(connection) as client:
            done = run(client, "with open('mine', 'w') as file: file.write('x')\nimport os\nprint(os.getuid())")
    # The folder is his: nobody else may talk to his relayd.
    subprocess.run([fresh_service.folder / "relayd" if somebody else BINARIES / "relayd", "stop"], check=True, **({"env": fresh_service.environment} | somebody))
    uid = os.getuid() or SOMEBODY
    assert done.text() == f"{uid}\n"
    assert (project / "mine").stat().st_uid == uid
    assert mounted.is_running()


def test_environment_with_a_value(add: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(add("--env", "COLOUR=blue = green", "--env", "EMPTY=")) as notebook:
        assert notebook.text("import os\nprint([os.environ['COLOUR'], os.environ['EMPTY']])") == "['blue = green', '']"


def test_environment_from_the_caller(
    service: Service, add: Callable[..., Spec], tmp_path: Path
) -> None:
    """A bare name hands on the caller's value; what the caller has not, the kernel has not."""
    argv = add("--env", "SECRET", "--env", "ABSENT").content["argv"]
    environment = {**service.environment, "SECRET": "a token from the caller"}
    environment.pop("ABSENT", None)
    with launched(service, argv, tmp_path / "shim", env=environment) as (shim, connection):
        with connected(connection) as client:
            done = run(client, "import os\nprint(os.environ['SECRET'], os.environ.get('ABSENT'))")
            assert done.text() == "a token from the caller None\n"
            # It stands in nobody's command line, where every user of the machine could read it.
            for process in service.processes():
                assert "a token from the caller" not in " ".join(process.cmdline())
