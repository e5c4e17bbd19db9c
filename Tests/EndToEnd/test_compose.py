"""Services of compose: the file that makes them ready, and containers that are found again when they are made anew."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients import await_text, connected, outcome, run, sleeping, until_heard
from compose import Project, client_with_compose, is_there, override
from conftest import Open
from containers import Container, docker
from service import Service, Spec, pauses

WHERE = "import socket\nprint(socket.gethostname())"
# In comments, anchors and an interpolated value: what a program that writes YAML anew would not give back.
FILE = """\
# The project's own, and nobody else's.
{version}x-common: &common
    image: "${{KR_IMAGE:-{image}}}"   # from outside
services:
  work:
    <<: *common
    command: [sleep, infinity]
    ports: ["127.0.0.1::8080"]
    labels: {{ role: notebook-{name} }}
  other:
    <<: *common
    command: sleep infinity
    network_mode: {mode}
"""


@pytest.fixture
def project(image: str, tmp_path: Path, service: Service) -> Iterator[Project]:
    if not is_there():
        pytest.fail("docker-compose is missing: Tools/deps compose")
    made = Project(tmp_path / "Project One", image)
    made.folder.mkdir()
    made.write(FILE.format(image=image, name=made.name, version="version: '2.4'\n", mode="host"))
    yield made
    for container in service.containers:
        if container.name.startswith(made.name):
            assert not container.left()
    service.containers[:] = [each for each in service.containers if not each.name.startswith(made.name)]
    made.remove()


def added(service: Service, tmp_path: Path, reference: str, *words: str) -> Spec:
    name = f"e2e-compose-{os.urandom(4).hex()}"
    service.relayd("add", "--container", reference, "--name", name, "--prefix", str(tmp_path / "prefix"), *words)
    return Spec(name, tmp_path / "prefix")


def hostname(container: Container) -> str:
    return str(container.inspect()["Config"]["Hostname"])


def test_a_service_is_made_ready(project: Project, service: Service, tmp_path: Path, open_notebook: Open) -> None:
    """The file, `up`, and a cell in the service; and nothing of the project's is another than before."""
    project.write("A=1\n", ".env")
    before = project.digests()
    said = project.relayd(service, "compose", "up", "work").stdout
    assert project.digests() == before
    # Its own command and port stay.
    work = service.watch(project.container("work"))
    found = work.inspect()
    assert found["Config"]["Cmd"] == ["sleep", "infinity"]
    assert found["HostConfig"]["Init"] is True
    assert found["Config"]["Labels"]["role"] == f"notebook-{project.name}"
    published = found["NetworkSettings"]["Ports"]
    ours = [published[f"{port}/tcp"] for port in range(10_000, 10_005)]
    assert {binding["HostIp"] for (binding,) in ours} == {"127.0.0.1"}
    assert published["8080/tcp"]
    assert [(mount["Destination"], mount["RW"]) for mount in found["Mounts"]] == [("/.kernelrelay/relay-shim", False)]

    (line,) = [line for line in said.splitlines() if line.startswith("relayd add")]
    reference = shlex.split(line)[3]
    assert reference == f"compose:{project.name}/work"
    spec = added(service, tmp_path, reference, "--route", "published")
    assert spec.content["display_name"] == f"Python ({project.name}/work)"
    with open_notebook(spec) as notebook:
        assert notebook.text(WHERE) == hostname(work)
        (kernel,) = service.status()["kernels"]
        assert (kernel["container"], kernel["route"]) == (work.name, "published")


@pytest.mark.parametrize("version", ["", "version: '3.7'\n"], ids=["none", "3.7"])
def test_every_format(project: Project, service: Service, version: str) -> None:
    """Written, and read by compose together with the project's own; the second time with the same ports."""
    project.write(FILE.format(image=project.image, name=project.name, version=version, mode="bridge"))
    before = project.digests()
    said = json.loads(project.relayd(service, "compose", "--json", "work", "other").stdout)
    assert said["services"]["work"]["container"] == f"compose:{project.name}/work"
    assert project.digests() == before
    first = override(project)
    assert set(project.compose(*project.files, "config", "--services").split()) == {"other", "work"}
    project.relayd(service, "compose", "work", "other")
    assert override(project) == first
    hosts = [int(port.split(":")[1]) for each in ("work", "other") for port in first["services"][each]["ports"]]  # type: ignore[index]
    assert len(set(hosts)) == 10 and set(hosts) <= set(range(20_000, 30_000))


def test_services_of_earlier_calls_stay(project: Project, service: Service) -> None:
    """Or the next `up -d` would make their containers anew, without ports, gate and labels; as long as there are such."""
    project.write(FILE.format(image=project.image, name=project.name, version="version: '2.4'\n", mode="bridge"))
    project.relayd(service, "compose", "--shell", "7000", "--display-name", "Work", "work")
    first = override(project)["services"]
    project.relayd(service, "compose", "other")
    second = override(project)["services"]
    assert set(second) == {"work", "other"} and second["work"] == first["work"]  # type: ignore[call-overload,index]
    project.write(f"version: '2.4'\nservices:\n  other:\n    image: {project.image}\n")
    project.relayd(service, "compose", "other")
    assert override(project)["services"] == {"other": second["other"]}  # type: ignore[index]


def test_both_ways_of_compose(project: Project, service: Service, tmp_path: Path) -> None:
    """`docker compose` where the client knows the word, else docker-compose; the printed command starts it."""
    client = client_with_compose(tmp_path)
    said = json.loads(project.relayd(service, "compose", "--json", "--docker", str(client), "work").stdout)
    assert said["command"][:2] == [str(client), "compose"]
    assert json.loads(project.relayd(service, "compose", "--json", "work").stdout)["command"][0] == "docker-compose"
    done = subprocess.run(
        said["command"], cwd=project.folder, env={**os.environ, **project.environment}, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    # Ports that its own container has are kept.
    again = json.loads(project.relayd(service, "compose", "--json", "work").stdout)
    assert again["services"] == said["services"]
    # A client that knows no compose has a reason to say.
    refused = project.relayd(service, "compose", "--docker", "/bin/false", "work", check=False)
    assert refused.returncode == 71 and "KR-COMPOSE-MISSING" in refused.stderr


def test_what_is_refused(project: Project, service: Service) -> None:
    before = project.digests()
    missing = project.relayd(service, "compose", "wrok", check=False)
    assert "KR-COMPOSE-SERVICE" in missing.stderr and "work" in missing.stderr.split("there are:")[1]
    assert not (project.folder / "compose.kernelrelay.yml").exists()
    # Another's file of that name stays.
    foreign = project.write("services: {}\n", "compose.kernelrelay.yml")
    refused = project.relayd(service, "compose", "work", check=False)
    assert refused.returncode == 65 and "KR-COMPOSE-FOREIGN" in refused.stderr
    assert foreign.read_text() == "services: {}\n"
    elsewhere = project.relayd(service, "compose", "-o", "ours.yml", "work")
    assert "ours.yml" in elsewhere.stdout
    (project.folder / "ours.yml").unlink()
    # What compose itself cannot read is said in its words, and nothing is written.
    project.write("services: [\n", "broken.yml")
    broken = project.relayd(service, "compose", "-f", "broken.yml", "-o", "ours.yml", "work", check=False)
    assert "KR-COMPOSE-FAILED" in broken.stderr
    assert not (project.folder / "ours.yml").exists()
    (project.folder / "broken.yml").unlink()
    assert project.digests() == before
    # As compose does it looks in the folders above, too; and there is another's file.
    below = project.folder / "below"
    below.mkdir()
    refused = project.relayd(service, "compose", "work", check=False, folder=below)
    assert "KR-COMPOSE-FOREIGN" in refused.stderr
    nowhere = project.relayd(service, "compose", "work", check=False, folder=Path("/"))
    assert nowhere.returncode == 65 and "KR-COMPOSE-FILES" in nowhere.stderr


def test_a_service_on_the_host_network(
    project: Project, service: Service, tmp_path: Path, open_notebook: Open
) -> None:
    """It publishes nothing, and needs nothing published: what its gate binds is this host's own loopback."""
    project.relayd(service, "compose", "up", "other")
    assert "ports" not in override(project)["services"]["other"]  # type: ignore[index]
    other = service.watch(project.container("other"))
    spec = added(service, tmp_path, f"compose:{project.name}/other", "--route", "published")
    with open_notebook(spec) as notebook:
        notebook.run("kept = 6 * 7")
        assert notebook.text("print(kept)") == "42"
        (kernel,) = service.status()["kernels"]
        assert kernel["route"] == "published"
        (gate,) = [gate for gate in service.status()["gates"] if gate["container"] == other.name]
        # Nobody but this host's own programs comes to it.
        listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        found = {
            line.split()[3].rsplit(":", 1)[0]
            for line in listening.splitlines()
            if int(line.split()[3].rsplit(":", 1)[1]) in gate["ports"].values()
        }
        assert found == {"127.0.0.1"}


def recreate(project: Project) -> None:
    project.compose(*project.files, "up", "-d", "--force-recreate", "work")


def test_a_service_that_is_made_anew(project: Project, service: Service, tmp_path: Path, open_notebook: Open) -> None:
    """The notebook is told so once; the cell after that, and a restart, are in the new container."""
    project.relayd(service, "compose", "up", "work")
    old = project.container("work")
    with open_notebook(added(service, tmp_path, f"compose:{project.name}/work")) as notebook:
        notebook.run("kept = 1")
        first = hostname(old)
        assert notebook.text(WHERE) == first
        # Removed first, and told to be; what is told is kept true until somebody hears it.
        project.compose(*project.files, "rm", "--force", "--stop", "work")
        for _ in pauses(20):
            if "KR-CONTAINER-GONE" in notebook.complaints:
                break
        assert "docker compose up -d work" in notebook.complaints
        project.compose(*project.files, "up", "-d", "work")
        new = service.watch(project.container("work"))
        second = hostname(new)
        assert second != first
        for _ in pauses(20):
            (kernel,) = service.status()["kernels"]
            if kernel["verdict"]["code"] == "KR-CONTAINER-RECREATED":
                break
        told = run(notebook.client, "print(kept)").reply["content"]
        assert told["ename"] == "KR-CONTAINER-RECREATED"
        assert first in told["evalue"] and second in told["evalue"]
        assert "variables are gone" in "\n".join(told["traceback"])
        assert notebook.text(WHERE) == second
        assert run(notebook.client, "kept").reply["content"]["ename"] == "NameError"
        # At once, under a running cell, and with a restart.
        request = notebook.client.execute(sleeping(seconds=600))
        await_text(notebook.client, "asleep")
        recreate(project)
        newest = service.watch(project.container("work"))
        service.containers.remove(new)
        told = outcome(notebook.client, request).reply["content"]
        # compose may take so long between the two that no other is there yet; the next test has one that is.
        assert told["ename"] in ("KR-CONTAINER-RECREATED", "KR-CONTAINER-GONE"), told
        notebook.manager.restart_kernel(now=True)
        # A client of its own: the first one's heartbeat has missed the kernel that went.
        with connected(notebook.connection) as client:
            assert run(client, WHERE).text().strip() == hostname(newest)
        assert service.status()["kernels"][-1]["container"] == newest.name


def test_a_name_that_is_another_container_at_once(
    run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    """The other one is there when the first goes, under a running cell: that cell is told all of it."""
    container, successor = run_by_hand(), run_by_hand()
    with open_notebook(add(container=container)) as notebook:
        first, second = hostname(container), hostname(successor)
        request = notebook.client.execute(sleeping(seconds=600))
        await_text(notebook.client, "asleep")
        docker("rename", container.name, f"{container.name}-before")
        docker("rename", successor.name, container.name)
        docker("rm", "--force", f"{container.name}-before")
        container.settle()
        told = outcome(notebook.client, request).reply["content"]
        assert told["ename"] == "KR-CONTAINER-RECREATED", told
        assert first in told["evalue"] and second in told["evalue"]
        assert notebook.text(WHERE) == second


def test_a_name_that_is_another_container(
    service: Service, image: str, run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    """Removed, and run again under the same name: said as well, also by a relayd that was not there."""
    container = run_by_hand()

    def again() -> None:
        docker("rm", "--force", container.name)
        docker("run", "--detach", "--init", "--name", container.name, image, "sleep", "infinity")
        container.settle()

    with open_notebook(add(container=container)) as notebook:
        notebook.run("1")
        # While the shim sleeps nobody starts the next relayd.
        notebook.shim.send_signal(signal.SIGSTOP)
        (daemon,) = service.daemons()
        daemon.kill()
        again()
        notebook.shim.send_signal(signal.SIGCONT)
        # A subscription comes back later than a request does.
        until_heard(notebook.client)
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-CONTAINER-RECREATED", told
        assert notebook.text(WHERE) == hostname(container)


def test_by_a_label(project: Project, service: Service, tmp_path: Path, open_notebook: Open, run_by_hand: Callable[..., Container]) -> None:
    """Any label leads to a container; to two it leads to neither, and to none it says what was looked for."""
    key = f"kr.e2e.{project.name}"
    spec = added(service, tmp_path, f"label:{key}=one")
    with open_notebook(spec) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-CONTAINER-MISSING" and f"{key}=one" in told["evalue"]
        first = run_by_hand("--label", f"{key}=one")
        assert notebook.text(WHERE) == hostname(first)
    second = run_by_hand("--label", f"{key}=one")
    asked = service.attempt("ports", f"label:{key}=one")
    assert asked.returncode == 65 and "KR-CONTAINER-AMBIGUOUS" in asked.stderr
    assert first.name in asked.stderr and second.name in asked.stderr
    docker("stop", "--time", "0", first.name)
    # The one that runs is meant.
    assert second.name in service.relayd("ports", "--json", f"label:{key}")
    docker("start", first.name)
    first.settle()


def test_a_service_that_is_not_there(project: Project, service: Service, tmp_path: Path, open_notebook: Open) -> None:
    project.relayd(service, "compose", "up", "work")
    service.watch(project.container("work"))
    with open_notebook(added(service, tmp_path, f"compose:{project.name}/wrok")) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-CONTAINER-MISSING"
        assert f"relayd add --container compose:{project.name}/work" in re.sub("\x1b\\[[0-9;]*m", "", "\n".join(told["traceback"]))
    malformed = service.attempt("add", "--container", "compose:dev", "--prefix", str(tmp_path / "prefix"))
    assert malformed.returncode != 0 and "compose:PROJECT/SERVICE" in malformed.stderr
