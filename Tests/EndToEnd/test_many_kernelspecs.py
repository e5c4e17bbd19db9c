"""Kernelspecs by the dozen: those of a list, those of all running containers, and away with all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from clients import run
from conftest import Open
from containers import Container, docker
from processes import VENVS
from service import Service, Spec
from own import own_container, written
from several import Corner

FOREIGN = '{"argv": ["true"], "display_name": "x", "language": "x"}'


def kernels(prefix: Path) -> dict[str, bytes]:
    """By name, what each kernel.json under a prefix says."""
    return {file.parent.name: file.read_bytes() for file in sorted(prefix.glob("share/jupyter/kernels/*/kernel.json"))}


def put_foreign(prefix: Path) -> None:
    folder = prefix / "share/jupyter/kernels/foreign"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(FOREIGN)


def test_the_kernels_of_a_list(service: Service, container: Container, open_notebook: Open, tmp_path: Path) -> None:
    listed = [
        {"container": container.name, "name": "plain"},
        {"container": container.name, "display_name": "As nobody", "user": "65534", "workdir": "/var/lib",
         "env": {"COLOUR": "blue", "HOME": "/tmp", "FROM_JUPYTER": None}},
        {"project": True, "allow": ["dev"]},
    ]  # fmt: skip
    (tmp_path / "list.json").write_text(json.dumps(listed))
    prefix = tmp_path / "prefix"
    printed = service.relayd("add", "--from", str(tmp_path / "list.json"), "--prefix", str(prefix))
    assert [line.split()[0] for line in printed.splitlines()] == ["plain", "as-nobody", "container-of-this-project"]
    with open_notebook(Spec("as-nobody", prefix)) as notebook:
        assert notebook.text("import os\nprint(os.getuid(), os.getcwd(), os.environ['COLOUR'])") == "65534 /var/lib blue"


@pytest.mark.parametrize(
    ("last", "code", "says"),
    [
        ({"container": "c", "colour": "blue"}, "KR-USAGE", "entry 3: unknown key “colour”"),
        ({"container": "c", "name": "python3"}, "KR-SPEC-NAME", "entry 3"),
        ({"container": "c", "name": "one"}, "KR-SPEC-EXISTS", "one"),
        ({"container": "c", "name": "foreign"}, "KR-SPEC-FOREIGN", "foreign"),
        ({"container": "c", "command": "a 'b"}, "KR-COMMAND", "entry 3"),
        ({}, "KR-USAGE", "entry 3: --container is missing"),
        ("c", "KR-USAGE", "entry 3: it is no object"),
    ],
)
def test_all_of_a_list_or_none(service: Service, tmp_path: Path, last: object, code: str, says: str) -> None:
    prefix = tmp_path / "prefix"
    put_foreign(prefix)
    listed = [{"container": "c", "name": "one"}, {"container": "c", "name": "two"}, last]
    (tmp_path / "list.json").write_text(json.dumps(listed))
    refused = service.attempt("add", "--from", str(tmp_path / "list.json"), "--prefix", str(prefix), "--replace")
    assert refused.returncode != 0 and code in refused.stderr and says in refused.stderr, refused.stderr
    assert kernels(prefix) == {"foreign": FOREIGN.encode()}
    assert [path.name for path in (prefix / "share/jupyter").iterdir()] == ["kernels"]


def test_a_kernel_for_each_that_runs(
    service: Service,
    scratch: str,
    up: Callable[..., Container],
    run_by_hand: Callable[..., Container],
    image_with_r: str,
    open_notebook: Open,
    tmp_path: Path,
) -> None:
    corner = Corner(tmp_path)
    python = run_by_hand(*corner.label)
    r = run_by_hand(*corner.label, image=image_with_r)
    empty = up(*corner.label, image=scratch)
    paused = run_by_hand(*corner.label)
    # What a xeus kernel leaves: a kernelspec in its prefix, and a program that is no Python's ipykernel.
    xeus = {
        "argv": ["/usr/local/bin/xlight", "-f", "{connection_file}"], "display_name": "Light \u001b[2J", "language": "none",
        "env": {"SHADE": "pale"},
    }  # fmt: skip
    spec = "/usr/local/share/jupyter/kernels/xlight"
    python.run("mkdir", "-p", spec)
    light = (Path(__file__).parent / "light_kernel.py").read_text()
    for path, text in ((f"{spec}/kernel.json", json.dumps(xeus)), ("/usr/local/bin/xlight", "#!/usr/bin/python3\n" + light)):
        docker("exec", "--interactive", python.name, "sh", "-c", f"cat > {path} && chmod 755 {path}", stdin=text.encode())
    docker("pause", paused.name)
    prefix = tmp_path / "prefix"
    put_foreign(prefix)
    arguments = ["add", "--all", "--docker", corner.client, "--prefix", str(prefix)]
    before = {each.name: each.changes() for each in (python, r, empty, paused)}
    printed = service.relayd(*arguments)
    assert {each.name: each.changes() for each in (python, r, empty, paused)} == before
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert "no python, no R, no kernelspec" in lines[empty.name]
    assert "KR-CONTAINER-PAUSED" in lines[paused.name]
    written = kernels(prefix)
    (light_name,) = [name for name in written if name.startswith("light")]
    names = {"python": f"python-{python.name}", "r": f"r-{r.name}", "light": light_name}
    assert set(written) == {"foreign", *names.values()}
    with open_notebook(Spec(names["python"], prefix)) as notebook:
        assert notebook.text("import socket\nprint(socket.gethostname())") == python.inspect()["Config"]["Hostname"]
    with open_notebook(Spec(names["r"], prefix)) as notebook:
        assert notebook.text("cat(R.version$language)") == "R"
    with open_notebook(Spec(names["light"], prefix)) as notebook:
        assert notebook.text("said back") == "said back"
    light_spec = Spec(names["light"], prefix).content
    assert "\u001b" not in light_spec["display_name"] and light_spec["language"] == "none"

    # Again: nothing is another.
    again = service.relayd(*arguments)
    assert again.count(" is there") == 3 and "no kernel was written" in again
    assert kernels(prefix) == written
    # What a person changed is left, unless that is said.
    service.relayd("add", "--container", "other", "--name", names["r"], "--prefix", str(prefix), "--replace")
    assert "says something else" in service.relayd(*arguments)
    assert kernels(prefix)[names["r"]] != written[names["r"]]
    service.relayd(*arguments, "--replace")
    assert kernels(prefix) == written
    docker("unpause", paused.name)

    removed = service.relayd("remove", "--all", "--prefix", str(prefix))
    assert {line.split()[1] for line in removed.splitlines()} == set(names.values())
    assert kernels(prefix) == {"foreign": FOREIGN.encode()}
    assert "no kernel was written" in service.relayd("remove", "--all", "--prefix", str(prefix))


def test_what_holds_for_all(service: Service, run_by_hand: Callable[..., Container], tmp_path: Path) -> None:
    corner = Corner(tmp_path)
    container = run_by_hand(*corner.label)
    prefix = tmp_path / "prefix"
    service.relayd("add", "--all", "--docker", corner.client, "--prefix", str(prefix), "--exec-user", "host", "--on-failure", "exit")
    argv = Spec(f"python-{container.name}", prefix).content["argv"]
    assert argv[argv.index("--user") + 1] == "host" and argv[argv.index("--on-failure") + 1] == "exit"
    for word in ("--container=x", "--name=x", "--cmd=x", "--project", "--nonsense"):
        refused = service.attempt("add", "--all", word, "--prefix", str(prefix))
        assert refused.returncode == 64 and "KR-USAGE" in refused.stderr


def test_a_container_that_has_its_kernel_gets_no_other(
    service: Service, run_by_hand: Callable[..., Container], tmp_path: Path
) -> None:
    """By whatever name and reference; another command is another kernel."""
    corner = Corner(tmp_path)
    named, labelled, other = run_by_hand(*corner.label), run_by_hand(*corner.label, "--label", "krlab=1"), run_by_hand(*corner.label)
    where = ["--docker", corner.client, "--prefix", str(tmp_path / "prefix")]
    service.relayd("add", "--container", named.name, "--name", "mine", *where)
    service.relayd("add", "--container", "label:krlab=1", "--name", "lab", *where)
    service.relayd("add", "--container", other.name, "--name", "bare", "--cmd", "python3 -m ipykernel_launcher -f {connection_file}", *where)
    printed = service.relayd("add", "--all", *where)
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert "mine is a kernel of it already" in lines[named.name]
    assert "lab is a kernel of it already" in lines[labelled.name]
    assert set(kernels(tmp_path / "prefix")) == {"mine", "lab", "bare", f"python-{other.name}"}


def test_a_copy_is_a_persons_own(service: Service, tmp_path: Path) -> None:
    """What began as a copy of one of ours has our mark, and another name in it."""
    place = ("--prefix", str(tmp_path))
    service.relayd("add", "--container", "dev", "--name", "ours", *place)
    folder = tmp_path / "share/jupyter/kernels"
    shutil.copytree(folder / "ours", folder / "mine")
    content = json.loads((folder / "mine/kernel.json").read_text())
    (folder / "mine/kernel.json").write_text(json.dumps({**content, "display_name": "Mine"}))
    before = kernels(tmp_path)
    refused = service.attempt("add", "--container", "dev", "--name", "mine", "--replace", *place)
    assert refused.returncode == 73 and "KR-SPEC-FOREIGN" in refused.stderr
    refused = service.attempt("remove", "mine", *place)
    assert refused.returncode == 73 and "KR-SPEC-FOREIGN" in refused.stderr
    assert kernels(tmp_path) == before
    assert service.relayd("remove", "--all", *place) == f"removed ours  {folder / 'ours'}"
    assert kernels(tmp_path) == {"mine": before["mine"]}


def test_a_container_of_one_kernel_is_for_no_other(
    service: Service, image: str, open_notebook: Open, tmp_path: Path
) -> None:
    """It is passed over by --all, and whoever names it is told why not: it ends with the kernel that it was made for."""
    corner = Corner(tmp_path)
    first = written(tmp_path / "own", "-f", "{connection_file}", "--image", image, "--", *corner.label)
    with open_notebook(first) as notebook:
        assert notebook.text("print(6 * 7)") == "42"
        own = own_container()
        printed = service.relayd("add", "--all", "--docker", corner.client, "--prefix", str(tmp_path / "all"))
        (line,) = [line for line in printed.splitlines() if line.startswith(own.name)]
        assert "skipped: KR-CONTAINER-RESERVED" in line and "no kernel was written" in printed
        assert kernels(tmp_path / "all") == {}
        added = service.attempt("add", "--container", own.name, "--name", "second", "--prefix", str(tmp_path / "all"))
        assert added.returncode == 0 and "KR-CONTAINER-RESERVED" in added.stderr
        with open_notebook(Spec("second", tmp_path / "all")) as second:
            told = run(second.client, "1").reply["content"]
            assert told["ename"] == "KR-CONTAINER-RESERVED" and own.name in told["evalue"]
            assert "relayd add --image" in "\n".join(told["traceback"])
        assert notebook.text("print(6 * 7)") == "42"


def test_no_engine_to_look_into(service: Service, tmp_path: Path) -> None:
    refused = service.attempt("add", "--all", "--docker", f"env DOCKER_HOST=unix://{tmp_path}/nobody.sock docker", "--prefix", str(tmp_path))
    assert refused.returncode == 72 and "KR-ENGINE-UNREACHABLE" in refused.stderr
    assert kernels(tmp_path) == {}


@pytest.mark.heavy
def test_a_xeus_kernel_is_found_and_runs(
    service: Service, run_by_hand: Callable[..., Container], open_notebook: Open, tmp_path: Path
) -> None:
    """The real one: it is no ipykernel, listens by libzmq in C++, and only its kernelspec tells of it."""
    corner = Corner(tmp_path)
    container = run_by_hand(*corner.label)
    version = container.run("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    packages = tmp_path / "packages"
    pip = [VENVS / "main/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    choice = ["--python-version", version, "--implementation", "cp", "--target", packages, "xeus-python==0.19.0"]
    subprocess.run([*pip, *choice], check=True, timeout=170)
    docker("cp", f"{packages}/share", f"{container.name}:/usr/local/")
    shutil.rmtree(packages / "share")
    docker("cp", f"{packages}/.", f"{container.name}:/usr/local/lib/python{version}/dist-packages/")
    prefix = tmp_path / "prefix"
    service.relayd("add", "--all", "--docker", corner.client, "--prefix", str(prefix))
    (name,) = [name for name in kernels(prefix) if "xpython" in name and "raw" not in name]
    with open_notebook(Spec(name, prefix)) as notebook:
        assert notebook.text("import sys\nprint(6 * 7, 'ipykernel' in sys.modules)") == "42 False"
