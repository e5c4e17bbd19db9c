"""No key, no token and no variable's value is where others can look, by whatever way a kernel comes to its container.

A way is a row of `WAYS`: a function that makes ready what the way needs, and yields kernels by their kernelspec and folder.
Whoever adds a way to a container adds it here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

import notebooks
from clients import run, until_heard
from compose import Project
from containers import Container, docker
from own import keys_of, own_containers, until_gone, written
from processes import PATIENCE
from service import Service, Spec, pauses
from test_agent import LIST, Agent
from test_survival import kill_relayd
from watch import Watch

PLANTED = {
    # Handed on by name, as a token is.
    "PLANTED_BY_NAME": f"planted-by-name-{uuid.uuid4().hex}",
    # Not asked for by anybody.
    "PLANTED_FOR_NOBODY": f"planted-for-nobody-{uuid.uuid4().hex}",
    # A caller's variable that goes before a project's file.
    "KERNELRELAY_ENV_PLANTED_BEFORE": f"planted-before-{uuid.uuid4().hex}",
}
OF_THE_FILE = f"planted-in-the-file-{uuid.uuid4().hex}"
OF_KERNEL_JSON = f"planted-in-kernel-json-{uuid.uuid4().hex}"


@dataclass
class Place:
    """Where a way is tried."""

    service: Service
    watch: Watch
    image: str
    folder: Path
    prefix: Path
    patch: pytest.MonkeyPatch
    agent: Agent | None = None
    made_here: list[Container] = field(default_factory=list)

    @property
    def containers(self) -> list[Container]:
        """Also the one that a kernel has made: another one for every start, and the one before may be on its way out."""
        for _ in pauses(PATIENCE):
            if len(own := own_containers()) <= 1:
                break
        return [*self.made_here, *(Container(name) for name in own)]

    def add(self, env: dict[str, str | None] | None = None, **said: object) -> Spec:
        """By way of a list: whoever types a value shows it in a command line."""
        name = f"secret-{uuid.uuid4().hex[:8]}"
        variables = {"PLANTED_BY_NAME": None, "PLANTED_WRITTEN": OF_KERNEL_JSON, **(env or {})}
        entry = {"name": name, "docker": self.watch.client, "env": variables, **said}
        (self.folder / "list.json").write_text(json.dumps([entry]))
        self.service.relayd("add", "--from", str(self.folder / "list.json"), "--prefix", str(self.prefix))
        return Spec(name, self.prefix)

    def made(self, container: Container) -> Container:
        self.made_here.append(container)
        return container


Way = Callable[[Place], Iterator[tuple[Spec, Path]]]


def made_by_up(place: Place) -> Iterator[tuple[Spec, Path]]:
    container = place.made(place.service.up(place.image))
    yield place.add(container=container.name), place.folder


def by_hand(place: Place, *run_arguments: str) -> Container:
    name = f"kr-e2e-secret-{uuid.uuid4().hex[:8]}"
    docker("run", "--detach", "--init", "--name", name, *run_arguments, place.image, "sleep", "infinity")
    return place.made(place.service.watch(Container(name)))


def made_by_hand(place: Place) -> Iterator[tuple[Spec, Path]]:
    """The gate is copied in."""
    yield place.add({"HOME": "/tmp"}, container=by_hand(place).name, user="65534"), place.folder


def through_the_tunnel(place: Place) -> Iterator[tuple[Spec, Path]]:
    """And with the ssh agent, by the same link."""
    folder = place.folder.parent / "agent"
    folder.mkdir(mode=0o700)
    place.agent = Agent(folder)
    place.agent.start()
    place.patch.setenv("SSH_AUTH_SOCK", str(place.agent.socket))
    try:
        yield place.add(container=by_hand(place).name, route="tunnel", ssh_agent=True), place.folder
    finally:
        place.agent.stop()


def of_a_project(place: Place) -> Iterator[tuple[Spec, Path]]:
    container = place.made(place.service.up(place.image))
    file = place.folder / ".kernelrelay.json"
    file.write_text(json.dumps({"container": container.name, "env": {"PLANTED_IN_FILE": OF_THE_FILE}}))
    yield place.add(project=True), place.folder


def of_an_image(place: Place) -> Iterator[tuple[Spec, Path]]:
    """Also what a person says to `run`."""
    words = ["-f", "{connection_file}", "--image", place.image, "--docker", place.watch.client, "--env", "PLANTED_BY_NAME"]
    spec = written(place.prefix, *words, "--", "-e", f"PLANTED_WRITTEN={OF_KERNEL_JSON}")
    yield spec, place.folder
    for container in own_containers():
        until_gone(container)


def of_compose(place: Place) -> Iterator[tuple[Spec, Path]]:
    """Its client is looked for by its name."""
    project = Project(place.folder, place.image)
    project.write(f"version: '2.4'\nservices:\n  work:\n    image: {place.image}\n    command: sleep infinity\n")
    try:
        project.relayd(place.service, "compose", "up", "work")
        place.made(project.container("work"))
        yield place.add(container=f"compose:{project.name}/work"), place.folder
    finally:
        project.remove()


def discovered(place: Place) -> Iterator[tuple[Spec, Path]]:
    """relayd writes its kernel.json. No label can give it a variable, nor a client: the kernel has that of Jupyter's PATH."""
    title = f"Secret {uuid.uuid4().hex[:8]}"
    kernels = place.prefix / "share/jupyter/kernels"
    place.patch.setenv("JUPYTER_DATA_DIR", str(kernels.parent))
    (place.folder.parent / "bin").mkdir()
    (place.folder.parent / "bin/docker").symlink_to(place.watch.program)
    place.patch.setenv("PATH", f"{place.folder.parent / 'bin'}:{os.environ['PATH']}")
    # A relayd that a person starts has that person's environment; these variables are Jupyter's.
    with pytest.MonkeyPatch.context() as patch:
        for name in PLANTED:
            patch.delenv(name)
        place.service.relayd("start", "--discover")
    by_hand(place, "--label", f"io.github.kernelrelay.display-name={title}")
    # Others may come and go meanwhile: as Jupyter reads them.
    manager = KernelSpecManager(kernel_dirs=[str(kernels)], ensure_native_kernel=False)
    for _ in pauses(45):
        if found := [name for name, spec in manager.get_all_specs().items() if spec["spec"]["display_name"] == title]:
            break
    yield Spec(found[0], place.prefix), place.folder
    place.service.relayd("start", "--no-discover")


def on_this_host(place: Place) -> Iterator[tuple[Spec, Path]]:
    words = ["-f", "{connection_file}", "--env", "PLANTED_BY_NAME", "--env", "PLANTED_WRITTEN"]
    variables = {"KERNELRELAY_ENV_PLANTED_WRITTEN": OF_KERNEL_JSON}
    yield written(place.prefix, *words, "--cmd", f"{sys.executable} -m ipykernel_launcher", env=variables), place.folder


WAYS: dict[str, Way] = {
    "up": made_by_up, "by-hand": made_by_hand, "tunnel": through_the_tunnel, "project": of_a_project, "image": of_an_image,
    "compose": of_compose, "discovered": discovered, "host": on_this_host,
}  # fmt: skip


def tokens_of(service: Service, containers: list[Container]) -> set[str]:
    """What relayd's gates ask for: protocol/gate.md has no word on how it is made, so this is relayd's own recipe. The test
    holds it against what the gates were given."""
    secret = (service.folder / "secret").read_bytes()
    made = set()
    for place in ("host", *(container.inspect()["Id"] for container in containers)):
        for user in ("0", "65534"):
            made.add(hmac.new(secret, f"token/{place}/{user}".encode(), hashlib.sha256).hexdigest())
    return {secret.decode(), *made}


@contextmanager
def tried(way: Way, place: Place) -> Iterator[tuple[Spec, Path]]:
    steps = way(place)
    try:
        yield next(steps)
    finally:
        for _ in steps:
            pass


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_secret_is_where_others_look(
    fresh_service: Service, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    service = fresh_service
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    work = tmp_path / "work"
    work.mkdir()
    watch = Watch(tmp_path)
    place = Place(service, watch, image, work, tmp_path / "prefix", monkeypatch)
    secrets = {*PLANTED.values(), OF_THE_FILE, OF_KERNEL_JSON}
    with watch, ExitStack() as stack:
        spec, folder = stack.enter_context(tried(way, place))
        seen: dict[str, str] = {}
        with notebooks.opened(service, spec, tmp_path / "notebook", cwd=folder) as notebook:
            names = ("PLANTED_BY_NAME", "PLANTED_WRITTEN", "PLANTED_IN_FILE")
            told = notebook.text(f"import os\nprint(*(os.environ.get(name) for name in {names}))")
            handed_on = (None, None) if way is discovered else (PLANTED["PLANTED_BY_NAME"], OF_KERNEL_JSON)
            assert told == "{} {} {}".format(*handed_on, OF_THE_FILE if way is of_a_project else None)
            if way is of_a_project:
                assert notebook.text("print(os.environ['PLANTED_BEFORE'])") == PLANTED["KERNELRELAY_ENV_PLANTED_BEFORE"]
            if place.agent:
                assert place.agent.fingerprint in notebook.text(LIST)
                secrets.add((place.agent.folder / "key").read_text().splitlines()[2])
            secrets |= {*keys_of(notebook), *tokens_of(service, place.containers)}
            # One that relayd's next takes up, and one that dies: what is said of them is said then.
            (daemon,) = service.daemons()
            seen["relayd's environment"] = str(daemon.environ())
            kill_relayd(service, signal.SIGKILL)
            until_heard(notebook.client)
            assert notebook.text("print(6 * 7)") == "42"
            assert run(notebook.client, "os.kill(os.getpid(), 9)").reply["content"]["ename"] == "KR-KERNEL-KILLED"
            assert notebook.text("import os\nprint(6 * 7)") == "42"
            secrets |= {*keys_of(notebook), *tokens_of(service, place.containers)}
            for container in place.containers:
                seen[f"inspect of {container.name}"] = docker("inspect", container.name)
                last = container.name
            seen["the shim's command line"] = Path(f"/proc/{notebook.shim.pid}/cmdline").read_text()
            seen["status"] = service.relayd("status", "--json")
            seen["status for people"] = service.relayd("status")
            seen["metrics"] = service.relayd("metrics")
            seen["logs"] = service.relayd("logs", "--lines", "1000")
            # What `add` did not write it does not show.
            shown = service.attempt("show", spec.name, "--prefix", str(place.prefix))
            seen["show"] = shown.stdout + shown.stderr
            seen["list"] = service.relayd("list", "--json", "--prefix", str(place.prefix))
            if way is of_a_project:
                seen["show --project"] = service.relayd("show", "--project", str(folder), "--prefix", str(place.prefix))
        kernel_json = (spec.folder / "kernel.json").read_text()
    # What one writes down there oneself is there, and says so; nothing else may be.
    seen["kernel.json"] = kernel_json.replace(OF_KERNEL_JSON, "")
    for log in service.folder.glob("relayd.log*"):
        seen[log.name] = log.read_text()
    for output in ("stdout", "stderr"):
        seen[f"the shim's {output}"] = (tmp_path / "notebook" / output).read_text()
    seen |= watch.seen()
    # What one writes into a shim's words oneself is overwritten once it was read, and a look may come before that.
    seen["command lines"] = "\n".join(
        line.replace(OF_KERNEL_JSON, "") if line.split("\0")[0].endswith("/relay-shim") else line
        for line in seen["command lines"].split("\n")
    )
    if way is not on_this_host:
        assert "inspect" in seen["what the engine's client was told"], "the client that was watched is the one that was used"
        assert last in seen["events of the engine"]
        assert watch.tokens and watch.tokens <= secrets, "the tokens that are looked for are those that were given"
    found = [(where, secret) for where, text in seen.items() for secret in secrets if secret and secret in text]
    assert not found
