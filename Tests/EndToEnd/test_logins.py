"""Being somebody in a container: a kernel's HOME and shell environment are its user's, known in there or not."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clients import connected, run
from conftest import SOMEBODY, Open
from containers import Container
from notebooks import launched
from processes import VENVS
from service import BINARIES, Service, Spec

LOOK = """
import getpass, json, os, pathlib, stat
home = pathlib.Path.home()
facts = home.stat()
print(json.dumps({
    "ids": [os.getuid(), os.getgid()], "groups": os.getgroups(), "home": str(home), "expanded": os.path.expanduser("~"),
    "owner": [facts.st_uid, facts.st_gid], "mode": stat.S_IMODE(facts.st_mode), "writable": os.access(home, os.W_OK),
    "user": getpass.getuser(), "names": [os.environ.get("USER"), os.environ.get("LOGNAME")],
    "shell": os.environ.get("SHELL"), "path": os.environ["PATH"],
    "xdg": [name for name in os.environ if name.startswith("XDG_")],
}))
"""


def look(client: Any) -> dict[str, Any]:
    return dict(json.loads(run(client, LOOK).text()))


@contextmanager
def kernel_of_the_caller(
    service: Service, somebody: dict[str, Any], argv: list[str], folder: Path, cwd: Path
) -> Iterator[Any]:
    """A client of a kernel that the caller, who is not root where that can be had, has started as himself."""
    if somebody:
        argv = [str(service.folder / "relay-shim"), *argv[1:]]
        # Nobody knows the id on the host, either: what he is called is what his login has set.
        somebody = {**somebody, "env": {**somebody["env"], "LOGNAME": "ada", "USER": "ada"}}
    try:
        with launched(service, argv, folder, cwd=cwd, **somebody) as (_, connection):
            with connected(connection) as client:
                yield client
    finally:
        # The folder is his: nobody else may talk to his relayd.
        program = (service.folder if somebody else BINARIES) / "relayd"
        subprocess.run([program, "stop"], check=True, **({"env": service.environment} | somebody))


def know(container: Container, name: str, uid: int) -> None:
    container.run("useradd", "--create-home", "--uid", str(uid), "--shell", "/bin/bash", "--groups", "games", name)


def test_an_id_that_the_container_does_not_know(
    up: Callable[..., Container], add: Callable[..., Spec], fresh_service: Service, somebody: dict[str, Any], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    project.chmod(0o777)
    # HOME and a cache of the image's own user, as images set them.
    mounted = up("--volume", f"{project}:/inside", "--env", "HOME=/root", "--env", "XDG_CACHE_HOME=/root/.cache")
    argv = add("--exec-user", "host", container=mounted).content["argv"]
    with kernel_of_the_caller(fresh_service, somebody, argv, tmp_path / "shim", project) as client:
        seen = look(client)
        # The notebook's folder is the kernel's, by the mount.
        run(client, "with open('written', 'w') as file: file.write('x')")
        run(client, "!mkdir made && echo x > made/by-a-shell")
        assert run(client, "!echo $HOME $USER ~").text().split() == [seen["home"], seen["user"], seen["home"]]
        assert run(client, "with open(os.path.expanduser('~/kept'), 'w') as file: print(file.write('x'))").text() == "1\n"
    uid, gid = (SOMEBODY, SOMEBODY) if somebody else (os.getuid(), os.getgid())
    for path in ("written", "made", "made/by-a-shell"):
        facts = (project / path).stat()
        assert (facts.st_uid, facts.st_gid) == (uid, gid), path
    assert seen["ids"] == [uid, gid]
    if somebody:
        assert seen["home"] == seen["expanded"] == f"/var/tmp/kernelrelay-home-{uid}"
        assert (seen["owner"], seen["mode"], seen["writable"]) == ([uid, gid], 0o700, True)
        assert (seen["user"], seen["names"]) == ("ada", ["ada", "ada"])
        assert seen["shell"] == "/bin/bash"
        assert seen["xdg"] == []
        assert seen["groups"] in ([], [gid])
    assert seen["path"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_the_private_home_outlives_the_kernel(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    alone = up()
    for expected in ("False", "True"):
        with open_notebook(add("--exec-user", "4712:4713", container=alone)) as notebook:
            # Without a name anywhere, the number is the name.
            assert notebook.text("import getpass, os\nprint(getpass.getuser(), os.environ['USER'])") == "4712 4712"
            assert notebook.text("print(os.path.exists(os.path.expanduser('~/kept')))") == expected
            notebook.run("with open(os.path.expanduser('~/kept'), 'w') as file: file.write('x')")
    assert alone.run("stat", "-c", "%u:%g %a", "/var/tmp/kernelrelay-home-4712") == "4712:4713 700"


def test_an_id_that_the_container_knows(
    up: Callable[..., Container], add: Callable[..., Spec], fresh_service: Service, somebody: dict[str, Any], tmp_path: Path
) -> None:
    """By the container's name, which is what its own programs say; a login's HOME and SHELL."""
    known = up("--env", "HOME=/root")
    uid = SOMEBODY if somebody else os.getuid()
    if somebody:
        know(known, "grace", uid)
    argv = add("--exec-user", "host", container=known).content["argv"]
    with kernel_of_the_caller(fresh_service, somebody, argv, tmp_path / "shim", tmp_path) as client:
        seen = look(client)
        name = run(client, "!id -un").text().strip()
    assert seen["user"] == seen["names"][0] == seen["names"][1] == name
    if somebody:
        assert (name, seen["home"], seen["shell"]) == ("grace", "/home/grace", "/bin/bash")
        # uid:gid brings no other groups, unlike a name.
        assert seen["groups"] in ([], [uid])


@pytest.mark.parametrize("user", ["grace", "4714"])
def test_a_user_by_name_and_by_number(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, user: str
) -> None:
    """An exec leaves HOME to the image where that sets one: root's, for somebody else."""
    known = up("--env", "HOME=/root")
    know(known, "grace", 4714)
    with open_notebook(add("--exec-user", user, container=known)) as notebook:
        seen = look(notebook.client)
    assert (seen["ids"][0], seen["home"], seen["user"], seen["shell"]) == (4714, "/home/grace", "grace", "/bin/bash")
    assert seen["owner"][0] == 4714 and 60 in seen["groups"]


def test_a_shell_that_only_says_no(add: Callable[..., Spec], open_notebook: Open) -> None:
    """Debian's nobody has nologin, and a home that is not there."""
    with open_notebook(add("--exec-user", "nobody")) as notebook:
        seen = look(notebook.client)
        assert notebook.text("!echo $SHELL") == "/bin/bash"
    assert (seen["user"], seen["shell"], seen["writable"]) == ("nobody", "/bin/bash", True)
    assert seen["home"] == "/var/tmp/kernelrelay-home-65534"


def test_what_the_kernelspec_sets_comes_last(add: Callable[..., Spec], open_notebook: Open) -> None:
    with open_notebook(add("--exec-user", "4711", "--env", "HOME=/tmp", "--env", "SHELL=/bin/dash")) as notebook:
        seen = look(notebook.client)
    assert (seen["home"], seen["shell"]) == ("/tmp", "/bin/dash")


def test_a_root_that_cannot_be_written(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open) -> None:
    locked = up("--read-only")
    with open_notebook(add("--exec-user", "4711:4711", container=locked)) as notebook:
        seen = look(notebook.client)
        assert notebook.text("import pathlib\nprint(pathlib.Path.home().joinpath('x').write_text('x'))") == "1"
    assert (seen["home"], seen["writable"], seen["user"]) == ("/dev/shm/kernelrelay-home-4711", True, "4711")


def test_pip_install_user(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path) -> None:
    """Into the user's own site, from which the next kernel imports."""
    wheel = tmp_path / "wheels" / "from_a_wheel-1-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("from_a_wheel.py", "answer = 42\n")
        file.writestr("from_a_wheel-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: from-a-wheel\nVersion: 1\n")
        file.writestr("from_a_wheel-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("from_a_wheel-1.dist-info/RECORD", "")
    for path in (wheel, wheel.parent, tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    # Debian's image has no pip: the suite's own is shown to it.
    (pip,) = (VENVS / "main").glob("lib/python3*/site-packages/pip")
    shown = up("--volume", f"{pip.resolve()}:/pip/pip:ro", "--volume", f"{wheel.parent}:/wheels:ro")
    spec = add("--exec-user", "4711:4711", container=shown)
    with open_notebook(spec) as notebook:
        notebook.run(
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-m', 'pip', 'install', '--user', '--no-index', '--break-system-packages',\n"
            "    '/wheels/from_a_wheel-1-py3-none-any.whl'], check=True, env={**__import__('os').environ, 'PYTHONPATH': '/pip'})"
        )
    with open_notebook(spec) as notebook:
        assert notebook.text("import from_a_wheel\nprint(from_a_wheel.answer)") == "42"
        assert notebook.text("print(from_a_wheel.__file__)").startswith("/var/tmp/kernelrelay-home-4711/.local/")
