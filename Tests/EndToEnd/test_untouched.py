"""What is not ours stays as it is: containers, images, kernelspecs, compose files, and the files of projects."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import notebooks
from compose import Project
from conftest import SOMEBODY, Open
from containers import Container, docker
from own import written
from service import BINARIES, Service, Spec, pauses
from several import Corner

DISPLAY_NAME = "io.github.kernelrelay.display-name"
COMPOSE = "services:\n  web:\n    image: {image}\n    command: [sleep, infinity]\n"


def files(*folders: Path) -> dict[str, tuple[str, int, int, str]]:
    """Each file's mode, owner, time of its last change, and content."""
    found = {}
    for folder in folders:
        for path in sorted([folder, *folder.rglob("*")]):
            facts = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[str(path)] = (oct(facts.st_mode), facts.st_uid, facts.st_mtime_ns, content)
    return found


def container_facts(container: Container) -> dict[str, object]:
    facts = container.inspect()
    # Sessions that have ended are forgotten by the engine when it likes.
    del facts["ExecIDs"]
    return {"inspect": facts, "files": container.changes(), "processes": container.processes()}


def names_of_images(foreign: str) -> set[str]:
    """With the id of each; without those that another suite makes for a moment."""
    lines = docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
    passing = ("kr-e2e-", "kernelrelay-snapshot/", "<none>")
    found = {line for line in lines if line.startswith(foreign) or not line.startswith(passing)}
    assert any(line.startswith(foreign) for line in found)
    return found


@pytest.fixture
def foreign_image(image: str) -> Iterator[str]:
    name = f"kr-e2e-foreign-{uuid.uuid4().hex[:8]}:mine"
    docker("tag", image, name)
    yield name
    docker("rmi", name)


def test_what_is_not_ours_is_as_before(
    fresh_service: Service, run_by_hand: Callable[..., Container], foreign_image: str, image: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """By every word that adds, removes, makes and takes down, each with and without success."""
    service, corner, title = fresh_service, Corner(tmp_path), f"Theirs {uuid.uuid4().hex[:8]}"
    prefix, theirs = tmp_path / "prefix", tmp_path / "theirs"
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(prefix / "share/jupyter"))
    foreign = run_by_hand(
        *corner.label, "--label", "com.docker.compose.project=theirs", "--label", f"{DISPLAY_NAME}={title}",
        "--publish", "127.0.0.1::9999", image=foreign_image,
    )  # fmt: skip
    asleep = run_by_hand(*corner.label)
    docker("pause", asleep.name)
    kernels = prefix / "share/jupyter/kernels"
    # Besides one of any name those that `add --all` and discovery would like to have.
    named = [kernels / name for name in ("foreign", f"python-{foreign.name}", f"discovered-{title.lower().replace(' ', '-')}")]
    for kernel in named:
        kernel.mkdir(parents=True)
        (kernel / "kernel.json").write_text('{"argv": ["true"], "display_name": "x", "language": "x"}')
    theirs.mkdir()
    composed = Project(theirs, foreign_image)
    composed.write(COMPOSE.format(image=foreign_image), "compose.yaml")
    composed.write("{}", "taken.yml")
    (theirs / ".kernelrelay.json").write_text(json.dumps({"container": foreign.name}))
    in_theirs = sorted(theirs.iterdir())

    def seen() -> dict[str, object]:
        return {
            "files": files(*named, *in_theirs),
            "containers": {each.name: container_facts(each) for each in (foreign, asleep)},
            "image": json.loads(docker("image", "inspect", foreign_image)),
            "base": json.loads(docker("image", "inspect", image)),
        }

    def discovered() -> list[str]:
        return [file.parent.name for file in kernels.glob("*/kernel.json") if title in file.read_text()]

    place = ["--prefix", str(prefix)]
    (tmp_path / "list.json").write_text(json.dumps([{"container": foreign.name, "name": "ours"}, {"project": True}]))
    before = seen()
    images = names_of_images(foreign_image)
    snapshot = f"kr-e2e-snapshot-{uuid.uuid4().hex[:8]}:ours"

    service.relayd("add", "--container", foreign.name, "--name", "single", *place)
    assert service.attempt("add", "--container", foreign.name, "--name", "foreign", "--replace", *place).returncode == 73
    service.relayd("add", "--from", str(tmp_path / "list.json"), *place)
    assert "and not ours" in service.relayd("add", "--all", "--replace", "--docker", corner.client, *place)
    service.relayd("show", "--project", str(theirs), *place)
    assert service.attempt("remove", "foreign", *place).returncode == 73
    assert service.attempt("down", foreign.name).returncode == 65
    made = service.relayd("up", "--name", f"kr-e2e-{uuid.uuid4().hex[:8]}", foreign_image).split()[-1]
    service.relayd("ports", foreign.name)
    service.relayd("down", made)
    removed = service.relayd("remove", "--all", *place)

    service.relayd("start", "--discover", "--docker", corner.client)
    for _ in pauses(45):
        if discovered():
            break
    assert len(discovered()) == 1
    service.relayd("start", "--no-discover")
    for _ in pauses(45):
        if not discovered():
            break
    service.relayd("snapshot", foreign.name, snapshot)
    try:
        assert "KR-IMAGE-FOREIGN" in service.attempt("snapshot", foreign.name, foreign_image).stderr
    finally:
        docker("rmi", snapshot)
    with notebooks.opened(service, written(tmp_path / "own", "-f", "{connection_file}", "--image", foreign_image), tmp_path / "job") as notebook:
        service.relayd("drain")
        assert notebook.text("open('/new', 'w').close()\nprint(6 * 7)") == "42"
        service.relayd("drain", "--off")
    try:
        assert "KR-COMPOSE-FOREIGN" in composed.relayd(service, "compose", "-f", "compose.yaml", "-o", "taken.yml", "web", check=False).stderr
        composed.relayd(service, "compose", "up", "-f", "compose.yaml", "web")
        assert composed.container("web").is_running()
    finally:
        composed.remove()

    assert {line.split()[1] for line in removed.splitlines()} == {"single", "ours", "container-of-this-project"}
    assert seen() == before
    assert images <= names_of_images(foreign_image)
    assert made not in docker("ps", "--all", "--format", "{{.Names}}").split()
    assert sorted(kernels.iterdir()) == sorted(named)
    assert sorted(theirs.iterdir()) == sorted([*in_theirs, theirs / "compose.kernelrelay.yml"])


@pytest.mark.parametrize("user", ["root", str(SOMEBODY)])
def test_what_a_kernel_leaves_in_a_foreign_container(
    run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, user: str
) -> None:
    """Exactly what docs/containers.md says; and all of it is new, but for the folders that it lies in."""
    foreign = run_by_hand()
    before = container_facts(foreign)
    spec = add("--exec-user", user, "--workdir", "/", "--env", "PYTHONDONTWRITEBYTECODE=1", container=foreign)
    with open_notebook(spec) as notebook:
        home = notebook.text("import os\nprint(os.environ['HOME'])")
    after = container_facts(foreign)
    program = hashlib.sha256((BINARIES / "relay-shim").read_bytes()).hexdigest()[:16]
    expected = {f"A /.kernelrelay-{program}"}
    if user == "root":
        expected.add("C /root")
    else:
        assert home == f"/var/tmp/kernelrelay-home-{user}"
        expected |= {"C /var", "C /var/tmp", f"A {home}"}
    # What an ipykernel writes by itself, wherever it runs.
    changes = {line for line in after["files"] if not line.startswith(f"A {home}/.ipython")} - set(before["files"])
    assert changes == expected
    assert after["inspect"] == before["inspect"]
    # The gate stays for a while, for the next one.
    gates = foreign.gates()
    assert {pid: line for pid, line in after["processes"].items() if pid not in gates} == before["processes"]


def test_a_kernel_leaves_its_kernelspec_and_project_alone(
    open_notebook: Open, container: Container, tmp_path: Path, service: Service
) -> None:
    printed = service.relayd("add", "--project", "--prefix", str(tmp_path / "prefix"))
    spec = Spec(printed.split()[0], tmp_path / "prefix")
    work = tmp_path / "work"
    work.mkdir()
    (work / ".kernelrelay.json").write_text(json.dumps({"container": container.name}))
    before = files(tmp_path / "prefix", work)
    inspected = container.inspect()
    with open_notebook(spec, cwd=work) as notebook:
        assert notebook.text("print(6 * 7)") == "42"
    after = container.inspect()
    assert files(tmp_path / "prefix", work) == before
    for facts in (inspected, after):
        del facts["ExecIDs"]
    assert after == inspected
