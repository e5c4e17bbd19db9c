"""A project's file says where its notebooks' kernels run; one kernelspec serves all projects."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import notebooks
from clients import run, until_heard
from conftest import Open
from containers import Container, docker
from service import BINARIES, Service, Spec
from test_survival import kill_relayd

NAME = ".kernelrelay.json"
WHERE = "import socket\nprint(socket.gethostname())"


@pytest.fixture
def kernel(service: Service, tmp_path: Path) -> Spec:
    """The one kernelspec."""
    return of_projects(service, tmp_path / "prefix")


def of_projects(service: Service, prefix: Path, *arguments: str) -> Spec:
    printed = service.relayd("add", "--project", "--prefix", str(prefix), *arguments)
    return Spec(printed.split()[0], prefix)


def project(folder: Path, **values: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(json.dumps(values))
    (folder / NAME).chmod(0o600)
    return folder


def test_one_kernelspec_serves_every_project(
    kernel: Spec, container: Container, run_by_hand: Callable[..., Container], open_notebook: Open, tmp_path: Path
) -> None:
    assert kernel.content["display_name"] == "Container of this project"
    before = (kernel.folder / "kernel.json").read_bytes()
    other = run_by_hand()
    first = project(tmp_path / "first", container=container.name)
    (first / "deep/er").mkdir(parents=True)
    second = project(
        tmp_path / "second",
        container=other.name,
        command=["python3", "-X", "dev", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        user="65534:65534",
        workdir="/var/lib",
        env={"COLOUR": "blue", "HOME": "/tmp"},
    )
    told = "import os, socket, sys\nprint(socket.gethostname(), os.getuid(), os.getcwd(), os.environ.get('COLOUR'), sys.flags.dev_mode)"
    with open_notebook(kernel, cwd=first / "deep/er") as one, open_notebook(kernel, cwd=second) as two:
        assert one.text(told) == f"{container.inspect()['Config']['Hostname']} 0 / None False"
        assert two.text(told) == f"{other.inspect()['Config']['Hostname']} 65534 /var/lib blue True"
    assert (kernel.folder / "kernel.json").read_bytes() == before


def test_the_callers_variables_go_before_the_file(
    service: Service, kernel: Spec, container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_notebook: Open
) -> None:
    folder = project(
        tmp_path / "work", container="not-there", user="nobody", workdir="/nowhere", command="no-such-program",
        env={"COLOUR": "blue", "SHAPE": "round"},
    )  # fmt: skip
    for name, value in {
        "CONTAINER": container.name, "USER": "root", "WORKDIR": "/usr", "ENV_COLOUR": "red", "ENV_MORE": "yes",
        "COMMAND": "python3 -X dev -m ipykernel_launcher -f {connection_file}",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"KERNELRELAY_{name}", value)
    with open_notebook(kernel, cwd=folder) as notebook:
        told = "import os, sys\nprint(os.getuid(), os.getcwd(), [os.environ.get(name) for name in ('COLOUR', 'SHAPE', 'MORE')], sys.flags.dev_mode)"
        assert notebook.text(told) == "0 /usr ['red', 'round', 'yes'] True"


def test_what_is_wrong_is_said_in_the_cell_and_the_next_one_runs(
    kernel: Spec, container: Container, open_notebook: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    with open_notebook(kernel, cwd=folder) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-PROJECT-MISSING" and str(folder) in told["evalue"]
        assert '{"container": "NAME"} into .kernelrelay.json' in "\n".join(told["traceback"])
        (folder / NAME).write_text('{\n  "container": "dev",\n}')
        (folder / NAME).chmod(0o600)
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-PROJECT-JSON" and f"{folder / NAME}, line 3, column 1" in told["evalue"]
        project(folder, container=container.name)
        assert notebook.text(WHERE) == container.inspect()["Config"]["Hostname"]


def gates(service: Service) -> set[tuple[object, ...]]:
    return {tuple(gate[key] for key in ("container", "user", "pid")) for gate in service.status()["gates"]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("docker", "sh -c 'touch {marker}'"), ("engine", ["sh", "-c", "touch {marker}"]), ("host_command", "touch {marker}"),
        ("image", "{image}"), ("args", ["--privileged", "--volume", "/:/host"]), ("mounts", ["/:/host"]),
        ("volumes", ["/:/host"]), ("route", "line"), ("ssh_agent", True), ("pass_env", ["HF_TOKEN"]),
    ],
    ids=lambda each: each if isinstance(each, str) and each.isidentifier() else "",
)  # fmt: skip
def test_the_line_that_a_file_may_not_cross(
    service: Service, kernel: Spec, container: Container, image: str, open_notebook: Open, tmp_path: Path, key: str, value: object
) -> None:
    """No engine's arguments, no mounts, no command of the host's, no container of its own, none of the caller's variables."""
    marker = tmp_path / "crossed"
    value = json.loads(json.dumps(value).replace("{marker}", str(marker)).replace("{image}", image))
    folder = project(tmp_path / "work", container=container.name, **{key: value})
    before = gates(service)
    with open_notebook(kernel, cwd=folder) as notebook:
        told = run(notebook.client, "1").reply["content"]
    assert told["ename"] == "KR-PROJECT-KEY" and key in told["evalue"]
    assert not marker.exists()
    # Those of other tests may close meanwhile.
    assert gates(service) <= before


def test_what_it_may_say_reaches_the_container_alone(
    kernel: Spec, container: Container, open_notebook: Open, tmp_path: Path
) -> None:
    """Its words are words and not a shell's; its variables are not the engine's client's."""
    marker = tmp_path / "crossed"
    hostile = {"DOCKER_HOST": "tcp://127.0.0.1:9", "PATH": "/nowhere:/usr/bin:/bin", "KERNELRELAY_SHIM": str(marker), "X": f"$(touch {marker})"}
    command = ["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}", f"--IPKernelApp.exec_lines=x='`touch {marker}`; $HOME'"]
    folder = project(tmp_path / "work", container=container.name, command=command, env=hostile)
    with open_notebook(kernel, cwd=folder) as notebook:
        assert notebook.text("import os\nprint(os.environ['DOCKER_HOST'], x)") == f"tcp://127.0.0.1:9 `touch {marker}`; $HOME"
    assert not marker.exists()
    for name in ("--privileged", "-v/:/host", ""):
        project(folder, container=name)
        with open_notebook(kernel, cwd=folder) as notebook:
            assert run(notebook.client, "1").reply["content"]["ename"] == "KR-PROJECT-VALUE"


def test_others_do_not_write_it(kernel: Spec, container: Container, open_notebook: Open, tmp_path: Path) -> None:
    folder = project(tmp_path / "work", container=container.name)
    (folder / NAME).chmod(0o666)
    with open_notebook(kernel, cwd=folder) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-PROJECT-FILE" and "chmod go-w" in "\n".join(told["traceback"])
        (folder / NAME).chmod(0o644)
        assert notebook.text("print(6 * 7)") == "42"


def test_kernel_json_says_which_containers_it_may_choose(
    service: Service, container: Container, open_notebook: Open, tmp_path: Path
) -> None:
    kernel = of_projects(service, tmp_path / "prefix", "--allow", "play-*")
    folder = project(tmp_path / "work", container=container.name)
    with open_notebook(kernel, cwd=folder) as notebook:
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-PROJECT-CONTAINER" and container.name in told["evalue"]
        # Its id is not its name.
        project(folder, container=container.inspect()["Id"])
        assert run(notebook.client, "1").reply["content"]["ename"] == "KR-PROJECT-CONTAINER"
    kernel = of_projects(service, tmp_path / "prefix", "--allow", "play-*", "--allow", "kr-e2e-*", "--replace")
    project(folder, container=container.name)
    with open_notebook(kernel, cwd=folder) as notebook:
        assert notebook.text("print(6 * 7)") == "42"


def test_a_project_is_found_again_by_the_next_relayd(
    fresh_service: Service, container: Container, tmp_path: Path
) -> None:
    """The file says something else by then; the kernel is where it was, with its variables."""
    kernel = of_projects(fresh_service, tmp_path / "prefix")
    folder = project(tmp_path / "work", container=container.name, user="65534", env={"HOME": "/tmp"})
    with notebooks.opened(fresh_service, kernel, tmp_path / "notebook", cwd=folder) as notebook:
        notebook.run("kept = 6 * 7")
        project(folder, container="another", user="root")
        kill_relayd(fresh_service, signal.SIGKILL)
        until_heard(notebook.client)
        assert notebook.text("print(kept)") == "42"


def test_its_container_is_made_anew_while_relayd_is_dead(
    service: Service, run_by_hand: Callable[..., Container], kernel: Spec, open_notebook: Open, tmp_path: Path
) -> None:
    """By what the file called it the next relayd finds the new one, and names it."""
    label = f"kr.e2e.{tmp_path.name}=1"
    first = run_by_hand("--label", label)
    former = first.inspect()["Id"][:12]
    folder = project(tmp_path / "work", container=f"label:{label}")
    with open_notebook(kernel, cwd=folder) as notebook:
        notebook.run("1")
        # While the shim sleeps nobody starts the next relayd.
        notebook.shim.send_signal(signal.SIGSTOP)
        (daemon,) = service.daemons()
        daemon.kill()
        docker("rm", "--force", first.name)
        second = run_by_hand("--label", label)
        notebook.shim.send_signal(signal.SIGCONT)
        until_heard(notebook.client)
        told = run(notebook.client, "1").reply["content"]
        assert told["ename"] == "KR-CONTAINER-RECREATED", told
        latter = second.inspect()["Id"][:12]
        assert former in told["evalue"] and latter in told["evalue"]
        assert notebook.text(WHERE) == latter


def test_show_says_where_each_value_came_from(
    service: Service, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    kernel = of_projects(service, prefix, "--exec-user", "host", "--env", "FROM_JUPYTER", "--env", "WRITTEN=planted-1")
    folder = project(tmp_path / "work", container="dev", workdir="/w", env={"COLOUR": "planted-2", "MORE": "planted-3"})
    (folder / "deep").mkdir()
    environment = {
        **service.environment, "KERNELRELAY_CONTAINER": "box", "KERNELRELAY_ENV_MORE": "planted-4", "FROM_JUPYTER": "planted-5",
    }  # fmt: skip

    def show(*arguments: str) -> str:
        command = [BINARIES / "relayd", "show", "--project", *arguments, "--prefix", prefix]
        done = subprocess.run(command, env=environment, cwd=folder / "deep", capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert "planted" not in done.stdout
        return done.stdout

    shown = json.loads(show("--json"))["projects"][0]
    assert shown["file"] == str(folder / NAME)
    assert shown["kernel_json"] == str(kernel.folder / "kernel.json")
    told = {value["name"]: (value.get("value"), value["source"], value["place"]) for value in shown["values"]}
    assert told == {
        "container": ("box", "variable", "KERNELRELAY_CONTAINER"),
        "command": (None, "default", None),
        "user": ("host", "kernel.json", str(kernel.folder / "kernel.json")),
        "workdir": ("/w", "file", str(folder / NAME)),
        "env COLOUR": (None, "file", str(folder / NAME)),
        "env FROM_JUPYTER": (None, "kernel.json", str(kernel.folder / "kernel.json")),
        "env MORE": (None, "variable", "KERNELRELAY_ENV_MORE"),
        "env WRITTEN": (None, "variable", "KERNELRELAY_ENV_WRITTEN"),
    }
    lines = {line.split("  ")[0]: line for line in show(str(folder)).splitlines()}
    assert "box" in lines["container"] and "KERNELRELAY_CONTAINER" in lines["container"]
    assert str(folder / NAME) in lines["workdir"]
    # Another kernel for projects, with values and limits of its own, and a third that may not run here.
    other = of_projects(service, prefix, "--name", "other", "--workdir", "/o", "--allow", "box", "--allow", "d*")
    both = json.loads(show("--json"))["projects"]
    assert {each["kernel_json"] for each in both} == {str(each.folder / "kernel.json") for each in (kernel, other)}
    assert len([line for line in show(str(folder)).splitlines() if line.startswith("kernel.json ")]) == 2
    third = of_projects(service, prefix, "--name", "third", "--allow", "play-*")
    partly = service.attempt("show", "--project", str(folder), "--json", "--prefix", str(prefix))
    assert partly.returncode == 78 and "third: KR-PROJECT-CONTAINER" in partly.stderr
    assert len(json.loads(partly.stdout)["projects"]) == 2
    service.relayd("remove", other.name, third.name, "--prefix", str(prefix))
    # Where it would not start, the same is said as in a cell.
    refused = service.attempt("show", "--project", str(tmp_path), "--prefix", str(prefix))
    assert refused.returncode == 78 and "KR-PROJECT-MISSING" in refused.stderr
    project(folder, image="x")
    refused = service.attempt("show", "--project", str(folder), "--prefix", str(prefix))
    assert refused.returncode == 78 and "KR-PROJECT-KEY" in refused.stderr
    assert "the project's" in service.relayd("show", kernel.name, "--prefix", str(prefix))
    assert "the project's" in service.relayd("list", "--prefix", str(prefix))
