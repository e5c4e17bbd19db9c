"""Containers that appear in the launcher by themselves, as Jupyter lists them."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from compose import Project, override
from containers import Container, docker
from engines import OwnEngine
from notebooks import opened
from own import own_container, written
from service import BINARIES, Service, Spec, pauses

LABEL = "io.github.kernelrelay.display-name"
# Seconds, for what takes one: an engine that was away is asked again after up to thirty.
TIME = 45.0


@dataclass
class Launcher:
    """Jupyter's user folder of a test's own, and what Jupyter finds in it."""

    service: Service
    data: Path

    @property
    def kernels(self) -> Path:
        return self.data / "kernels"

    def relayd(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        whole = {**self.service.environment, "JUPYTER_DATA_DIR": str(self.data), **environment}
        done = subprocess.run([BINARIES / "relayd", *words], env=whole, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done

    def shown(self) -> dict[str, dict[str, Any]]:
        manager = KernelSpecManager(kernel_dirs=[str(self.kernels)], ensure_native_kernel=False)
        return {name: spec["spec"] for name, spec in manager.get_all_specs().items()}

    def by_title(self) -> dict[str, str]:
        return {spec["display_name"]: name for name, spec in self.shown().items()}

    def until(self, *titles: str, without: str = "") -> dict[str, str]:
        """These, and nothing that begins with `without`; the name of each."""
        found: dict[str, str] = {}
        for _ in pauses(TIME):
            found = self.by_title()
            if set(found) >= set(titles) and not (without and any(title.startswith(without) for title in found)):
                return found
        raise AssertionError(f"{found}\n{(self.service.folder / 'relayd.log').read_text()}")

    def spec(self, title: str) -> Spec:
        # Spec's folder is prefix/share/jupyter/kernels/NAME.
        return Spec(self.until(title)[title], self.data.parent.parent)

    def until_discovery(self, **wanted: object) -> None:
        """What `status` says of it. That follows what is shown, in its time."""
        said: dict[str, Any] = {}
        for _ in pauses(TIME):
            said = self.service.status()["discovery"]
            if wanted.items() <= said.items():
                return
        raise AssertionError(said)


@pytest.fixture
def launcher(fresh_service: Service, tmp_path: Path) -> Launcher:
    data = tmp_path / "share/jupyter"
    (data / "kernels").mkdir(parents=True)
    return Launcher(fresh_service, data)


@pytest.fixture
def labelled(image: str, launcher: Launcher) -> Iterator[Callable[..., str]]:
    """`labelled(TITLE, *arguments of run)`: a container that asks to be shown; its name."""
    started: list[str] = []

    def start(title: str, *arguments: str) -> str:
        name = f"kr-e2e-compose-{uuid.uuid4().hex[:8]}"
        started.append(name)
        docker("run", "--detach", "--init", "--name", name, "--label", f"{LABEL}={title}", *arguments, image, "sleep", "infinity")
        return name

    yield start
    for name in started:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, timeout=60)


def digest(folder: Path) -> str:
    """Of all that is in it, its own facts included."""
    lines = [
        f"{path.relative_to(folder)} {path.lstat().st_mode} {path.lstat().st_ino} {path.lstat().st_mtime_ns} "
        + (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    ]
    return "\n".join(lines)


def test_it_appears_and_leaves(launcher: Launcher, labelled: Callable[..., str], image: str) -> None:
    """Started, stopped, started again, renamed, removed; and what runs in it is the container's kernel."""
    title = f"Data lab {uuid.uuid4().hex[:6]}"
    launcher.relayd("start", "--discover")
    name = labelled(title, "--label", "io.github.kernelrelay.workdir=/opt")
    launcher.until(title)
    # As Jupyter's own program says it.
    listed = json.loads(
        subprocess.run(
            [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"], check=True, capture_output=True, timeout=60,
            env={**os.environ, "JUPYTER_DATA_DIR": str(launcher.data)},
        ).stdout
    )  # fmt: skip
    spec = launcher.spec(title)
    assert listed["kernelspecs"][spec.name]["spec"]["display_name"] == title
    assert "(discovered)" in launcher.relayd("list").stdout
    launcher.service.watch(Container(name))
    with opened(launcher.service, spec, launcher.data / "notebook") as notebook:
        assert notebook.text("import os\nprint(os.getcwd(), os.environ['HOSTNAME'])") == f"/opt {docker('inspect', '--format', '{{.Config.Hostname}}', name)}"
    launcher.service.containers.clear()

    docker("stop", "--time", "0", name)
    launcher.until(without=title)
    docker("start", name)
    launcher.until(title)
    docker("rename", name, f"{name}-x")
    for _ in pauses(TIME):
        if f"{name}-x" in str(launcher.shown()):
            break
    assert f"{name}-x" in launcher.spec(title).content["argv"]
    docker("rm", "--force", f"{name}-x")
    launcher.until(without=title)

    # It does not end by itself, and once it is ended nothing is left.
    other = labelled(title)
    launcher.until(title)
    # What people added they may take away, and discovery's own is none of that.
    launcher.relayd("add", "--container", "somebody", "--name", "mine")
    assert launcher.relayd("remove", "--all").stdout.splitlines() == [f"removed mine  {launcher.kernels / 'mine'}"]
    assert title in launcher.by_title()
    launcher.until_discovery(code=None)
    launcher.relayd("stop")
    assert launcher.shown() == {}
    docker("rm", "--force", other)


def test_the_engine_is_asked_when_its_events_ring(launcher: Launcher, labelled: Callable[..., str], tmp_path: Path) -> None:
    """By the client that was chosen, which is the kernel's too; and not from time to time."""
    asked, answered = tmp_path / "asked", tmp_path / "answered"
    client, mark = tmp_path / "another client", f"kr-e2e-corner={uuid.uuid4().hex}"
    # It sees this test's containers alone, so that nobody else's ring.
    client.write_text(
        f"""#!/bin/sh
echo "$1" >> {asked}
case "$1" in ps|events) set -- "$@" --filter label={mark};; esac
case "$1" in ps|inspect) docker "$@"; code=$?; echo "$1" >> {answered}; exit $code;; esac
exec docker "$@"
"""
    )
    client.chmod(0o755)
    title = f"Data lab {uuid.uuid4().hex[:6]}"
    launcher.relayd("start", "--discover", "--docker", shlex.quote(str(client)))
    name = labelled(title, "--label", mark)
    launcher.until(title)
    spec = launcher.spec(title)
    assert spec.content["argv"][3:] == ["--container", name, "--docker", shlex.quote(str(client)), "--"]
    # Nobody else's containers are seen, and so their number is known.
    launcher.until_discovery(kernels=1, code=None)
    other = labelled(f"{title} b", "--label", mark)
    launcher.until_discovery(kernels=2, code=None)
    assert {title, f"{title} b"} <= set(launcher.by_title())
    docker("rm", "--force", other)
    launcher.until_discovery(kernels=1, code=None)

    # What rang is answered once all that was asked is, and nothing was for a while.
    def is_quiet() -> bool:
        open_questions = [word for word in asked.read_text().split() if word in ("ps", "inspect")]
        is_answered = len(open_questions) == len(answered.read_text().split())
        return is_answered and time.time() - max(file.stat().st_mtime for file in (asked, answered)) > 1.5

    assert any(is_quiet() for _ in pauses(TIME))
    before = asked.read_text()
    until = time.monotonic() + 4
    while time.monotonic() < until:
        # Events as well, and no ring.
        docker("exec", name, "true")
    assert asked.read_text() == before

    launcher.service.watch(Container(name))
    with opened(launcher.service, spec, launcher.data / "notebook") as notebook:
        assert notebook.text("import os\nprint(os.environ['HOSTNAME'])") == docker("inspect", "--format", "{{.Config.Hostname}}", name)
    launcher.service.containers.clear()
    # None but the kernel runs anything in there.
    assert "exec" in asked.read_text().split()[len(before.split()):]
    before = asked.read_text()
    docker("rm", "--force", name)
    launcher.until(without=title)
    assert "ps" in asked.read_text().split()[len(before.split()):]


def test_a_container_of_one_kernel_is_not_for_others(
    launcher: Launcher, labelled: Callable[..., str], image: str, tmp_path: Path
) -> None:
    """Its image may well ask for it; it ends with that kernel, and nobody else's is to run in it."""
    title = f"Data lab {uuid.uuid4().hex[:6]}"
    spec = written(tmp_path / "own", "-f", "{connection_file}", "--image", image, "--", "--label", f"{LABEL}={title}")
    launcher.relayd("start", "--discover")
    with opened(launcher.service, spec, launcher.data / "notebook") as notebook:
        assert docker("inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', own_container().name) == title
        # Whatever is shown after it started was looked for after it started.
        labelled(f"{title} b")
        launcher.until(f"{title} b")
        assert title not in launcher.by_title()
        assert notebook.text("print(6 * 7)") == "42"


def test_a_persons_kernels_are_not_touched(launcher: Launcher, labelled: Callable[..., str], tmp_path: Path) -> None:
    """One by hand, one by `relayd add` and one that is a copy, each where discovery would write; and a file there."""
    title = f"Data lab {uuid.uuid4().hex[:6]}"
    usual = f"discovered-{title.lower().replace(' ', '-')}"
    by_hand = launcher.kernels / usual
    by_hand.mkdir()
    (by_hand / "kernel.json").write_text(json.dumps({"argv": ["true"], "display_name": "By hand", "language": "python"}))
    launcher.relayd("add", "--container", "somebody", "--name", f"{usual}-2", "--display-name", "Somebody")
    (launcher.kernels / f"{usual}-3").write_text("not even a folder")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (launcher.kernels / f"{usual}-4").symlink_to(elsewhere)
    before = {path.name: digest(path) if path.is_dir() else path.read_text() for path in launcher.kernels.iterdir()}
    name = labelled(title)
    launcher.relayd("start", "--discover")
    launcher.until(title, "By hand", "Somebody")
    assert launcher.spec(title).name == f"{usual}-5"
    copy = launcher.kernels / "a-copy"
    subprocess.run(["cp", "-r", launcher.spec(title).folder, copy], check=True)
    before["a-copy"] = digest(copy)
    docker("stop", "--time", "0", name)
    assert any(not (launcher.kernels / f"{usual}-5").exists() for _ in pauses(TIME))
    docker("start", name)
    # Its title is the copy's now.
    launcher.until(f"{title} ({name})")
    launcher.relayd("start", "--no-discover")
    after = {path.name: digest(path) if path.is_dir() else path.read_text() for path in launcher.kernels.iterdir()}
    assert after == before
    assert launcher.service.status()["discovery"] is None


def test_a_killed_relayd_leaves_nothing_for_long(launcher: Launcher, labelled: Callable[..., str]) -> None:
    title = f"Data lab {uuid.uuid4().hex[:6]}"
    name = labelled(title)
    launcher.relayd("start", "--discover")
    launcher.until(title)
    (daemon,) = launcher.service.daemons()
    daemon.send_signal(signal.SIGKILL)
    daemon.wait(10)
    docker("rm", "--force", name)
    # That event is more than the orphaned client of the engine survives.
    for _ in pauses(TIME):
        if not launcher.service.processes():
            break
    assert not launcher.service.processes()
    assert title in launcher.by_title()
    # The next one goes on with what this one was told, and not with what is not there any more.
    other = labelled(f"Next {title}")
    launcher.relayd("start")
    launcher.until(f"Next {title}", without=title)
    # Ended in good order, without kernels: nothing is shown, and the one after that is told nothing.
    (daemon,) = launcher.service.daemons()
    daemon.terminate()
    daemon.wait(10)
    assert launcher.shown() == {}
    launcher.relayd("start")
    assert launcher.service.status()["discovery"] is None
    docker("rm", "--force", other)


def test_what_labels_may_not_do(launcher: Launcher, labelled: Callable[..., str]) -> None:
    """Titles are cut and cleaned; nothing of a label is the engine's client's, or makes a kernel more than its container's user."""
    key = uuid.uuid4().hex[:6]
    title = f"Lab {key} \x1b[31m\u202e\n  with much" + " more" * 50
    hostile = labelled(
        title, "--user", "1234:1234",
        "--label", "io.github.kernelrelay.user=0", "--label", "io.github.kernelrelay.workdir=../etc",
        "--label", "io.github.kernelrelay.command=", "--label", "io.github.kernelrelay.docker=sh -c 'touch /tmp/kr-pwned'",
        "--label", "com.docker.compose.project=../../x", "--label", "com.docker.compose.service=--privileged",
    )  # fmt: skip
    nameless = labelled(" \n ")
    fine = labelled(f"Lab {key} fine", "--label", "io.github.kernelrelay.user=nobody", "--label", "io.github.kernelrelay.command=R --slave")
    launcher.relayd("start", "--discover")
    launcher.until(f"Lab {key} fine")
    # One after the other is written.
    for _ in pauses(TIME):
        by_container = {spec["argv"][4]: spec for spec in launcher.shown().values()}
        if {hostile, fine} <= set(by_container):
            break
    assert nameless not in by_container
    shown = by_container[hostile]
    assert shown["display_name"].startswith(f"Lab {key} [31m with much more") and len(shown["display_name"]) <= 80
    assert shown["argv"][3:] == ["--container", hostile, "--"]
    assert by_container[fine]["argv"][3:] == ["--container", fine, "--user", "nobody", "--cmd", "R --slave", "--"]
    assert by_container[fine]["language"] == "R"
    assert not Path("/tmp/kr-pwned").exists()


def test_a_service_of_compose(launcher: Launcher, image: str, tmp_path: Path) -> None:
    """Shown by what stays of it, so that the kernel is the same after the container was made anew."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, image)
    try:
        project.write(f"version: '2.4'\nservices:\n  work:\n    image: {image}\n    command: sleep infinity\n")
        title = f"Work $HOME {project.name}"
        project.relayd(launcher.service, "compose", "up", "--display-name", title, "work")
        assert override(project)["services"]["work"]["labels"][LABEL] == f"Work $$HOME {project.name}"  # type: ignore[index]
        launcher.relayd("start", KERNELRELAY_DISCOVER="1")
        launcher.until(title)
        spec = launcher.spec(title)
        assert spec.content["argv"][4] == f"compose:{project.name}/work"
        old = project.container("work").inspect()["Id"]
        project.compose(*project.files, "up", "-d", "--force-recreate", "work")
        assert project.container("work").inspect()["Id"] != old
        launcher.until(title)
        assert launcher.spec(title).name == spec.name
        project.compose(*project.files, "rm", "--force", "--stop", "work")
        launcher.until(without=title)
    finally:
        project.remove()


@pytest.mark.timeout(400)
def test_an_engine_restart_is_survived(launcher: Launcher, scratch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was shown stays while the engine is away; afterwards what came and went meanwhile is seen."""
    if not OwnEngine.is_possible():
        pytest.skip("an engine of one's own takes root, dockerd and ip")
    own = OwnEngine(Path(tempfile.mkdtemp(prefix="kernelrelay-engine-")), live_restore=True)
    try:
        own.start()
        own.load(scratch)
        monkeypatch.setenv("DOCKER_HOST", own.host)
        shim = ["--volume", f"{(BINARIES / 'relay-shim').resolve()}:/hold:ro", "--entrypoint", "/hold"]

        def run(title: str) -> None:
            own.docker("run", "--detach", "--network", "none", "--name", title.lower(), "--label", f"{LABEL}={title}", *shim, scratch, "hold")

        run("One")
        launcher.relayd("start", "--discover")
        launcher.until("One")
        own.stop()
        launcher.until_discovery(code="KR-ENGINE-UNREACHABLE")
        assert set(launcher.by_title()) == {"One"}
        own.start()
        run("Two")
        launcher.until("One", "Two")
        own.docker("rm", "--force", "one")
        launcher.until("Two", without="One")
        # Of an engine of its own.
        launcher.until_discovery(kernels=1, code=None)
        launcher.relayd("stop")
    finally:
        monkeypatch.undo()
        own.remove()

