"""What a container may use, how many kernels it may have, and when relayd takes none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import notebooks
from clients import connected, run
from conftest import Open
from containers import Container, docker
from notebooks import Notebook
from own import own_container, until_gone, written
from service import BINARIES, Service, Spec

MEMORY = """
from pathlib import Path
for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
    if Path(limit).exists():
        print(Path(limit).read_text())
"""
PROCESSORS = """
from pathlib import Path
unified, legacy = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu")
quota, period = (
    unified.read_text().split() if unified.exists()
    else [(legacy / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
)
print(int(quota) / int(period))
"""


def reason(notebook: Notebook) -> tuple[str, str]:
    content = run(notebook.client, "1").reply["content"]
    return content["ename"], "\n".join(content["traceback"])


# Memory and processors


def test_limits_are_in_the_cgroup(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    container = up(options=["--memory", "300m", "--cpus", "0.75"])
    with open_notebook(add(container=container)) as notebook:
        assert notebook.text(MEMORY) == str(300 << 20)
        assert notebook.text(PROCESSORS) == "0.75"
        (kernel,) = [kernel for kernel in service.status()["kernels"] if kernel["container"] == container.name]
        assert kernel["memory"]["limit_bytes"] == 300 << 20


def test_words_for_run(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    """They go to the engine as they are, and win over those of `up`."""
    container = up(
        "--memory", "200m", "-e", "K=v w", "--volume", f"{tmp_path}:/shared", "--hostname=else",
        options=["--memory", "300m"],
    )  # fmt: skip
    (tmp_path / "file").write_text("shared")
    with open_notebook(add(container=container)) as notebook:
        assert notebook.text(MEMORY) == str(200 << 20)
        assert notebook.text("import os, socket\nprint(os.environ['K'], socket.gethostname())") == "v w else"
        assert notebook.text("print(open('/shared/file').read())") == "shared"


def test_words_for_run_of_an_image(image: str, open_notebook: Open, tmp_path: Path) -> None:
    """Of a container that one kernel has for itself."""
    words = ["-f", "{connection_file}", "--image", image, "--", "--memory", "200m", "--cpus=0.75"]
    with open_notebook(written(tmp_path / "prefix", *words)) as notebook:
        name = own_container().name
        assert notebook.text(MEMORY) == str(200 << 20)
        assert notebook.text(PROCESSORS) == "0.75"
    until_gone(name)


def test_devices_are_asked_for(service: Service, image: str, tmp_path: Path) -> None:
    """No machine of the tests has any: what the engine is asked for is looked at, by a client that notes it."""
    client = tmp_path / "client"
    client.write_text(f'#!/bin/sh\nfor word; do echo "$word"; done >> {tmp_path}/words\n[ "$1" != run ] && exec docker "$@"\nexit 125\n')
    client.chmod(0o755)
    done = service.attempt("up", "--docker", str(client), "--gpus", "device=0", "--cpus", "2", image, "--", "--gpus=all")
    assert done.returncode == 69
    words = (tmp_path / "words").read_text().splitlines()
    words = words[words.index("run") :]
    assert words[words.index("--gpus") + 1] == "device=0"
    assert words[words.index("--cpus") + 1] == "2"
    assert words.index("--gpus") < words.index("--gpus=all") < words.index(image)


# How many kernels


def test_a_full_container(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    """A gate for each user, and one number for both."""
    container = up(options=["--max-kernels", "2"])
    root, nobody = add(container=container), add("--exec-user", "nobody", "--workdir", "/tmp", container=container)
    with open_notebook(root) as one:
        with open_notebook(nobody) as two, open_notebook(root) as third:
            code, text = reason(third)
            assert code == "KR-CONTAINER-FULL"
            assert f"{container.name} may have 2" in text
            running = [kernel["id"] for kernel in service.status()["kernels"] if kernel["state"] == "running"]
            assert len(running) == 2 and all(identity in text for identity in running), text
            # Neither has a notebook that could be closed.
            for each in (one, two):
                assert f"no notebook; {each.connection}" in text, text
            # One that is killed and started anew has its place again.
            one.manager.restart_kernel(now=True)
            with connected(one.connection) as client:
                assert run(client, "print('again')").text() == "again\n"
            two.run("1")
            (its,) = [kernel["id"] for kernel in service.status()["kernels"] if kernel["user"] == "nobody"]
            service.relayd("end", its)
            # Now there is room.
            assert third.text("print('room')") == "room"


def test_another_relayds_kernels_count(
    up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, fresh_service: Service, tmp_path: Path
) -> None:
    """Its notebooks are nobody's business; that there are some is said."""
    container = up(options=["--max-kernels", "1"])
    spec = add(container=container)
    with open_notebook(spec), notebooks.opened(fresh_service, spec, tmp_path / "stranger") as stranger:
        code, text = reason(stranger)
        assert code == "KR-CONTAINER-FULL"
        assert "1 that others started" in text


# Draining


def test_draining(container: Container, tmp_path: Path, add: Callable[..., Spec], fresh_service: Service) -> None:
    spec = add(container=container)
    with notebooks.opened(fresh_service, spec, tmp_path / "one") as one:
        one.run("kept = 1")
        assert "1 kernel runs" in fresh_service.relayd("drain")
        assert fresh_service.status()["draining"] is True
        assert "relayd drain --off" in fresh_service.relayd("status")
        # What runs goes on, and who comes is told.
        with notebooks.opened(fresh_service, spec, tmp_path / "two") as two:
            code, text = reason(two)
            assert code == "KR-RELAYD-DRAINING"
            assert "relayd drain --off" in text
        assert one.text("print(kept)") == "1"
        command = [BINARIES / "relayd", "drain", "--wait", "--json"]
        waiting = subprocess.Popen(command, env=fresh_service.environment, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
    out, _ = waiting.communicate(timeout=30)
    assert json.loads(out) == {"schema_version": 1, "draining": True, "kernels": 0}
    # The next relayd knows of it, too; and then it is over.
    fresh_service.relayd("stop")
    with notebooks.opened(fresh_service, spec, tmp_path / "three") as three:
        assert reason(three)[0] == "KR-RELAYD-DRAINING"
        fresh_service.relayd("drain", "--off")
        assert three.text("print('taken')") == "taken"
    assert fresh_service.status()["draining"] is False


# Snapshots


def nameless() -> set[str]:
    words = ["--quiet", "--no-trunc", "--filter", "dangling=true", "--filter", "label=io.github.kernelrelay.snapshot"]
    return set(docker("image", "ls", *words).split())


@pytest.fixture
def images() -> Iterator[list[str]]:
    """Those that a test makes; a snapshot that had to give its name up has none any more."""
    before = nameless()
    made: list[str] = []
    yield made
    for name in [*made, *(nameless() - before)]:
        subprocess.run(["docker", "image", "rm", "--force", name], capture_output=True, timeout=60)


def configuration(image: str) -> dict[str, Any]:
    (record,) = json.loads(docker("image", "inspect", image))
    return dict(record["Config"])


def test_a_snapshot(
    images: list[str], up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service,
    image: str,
) -> None:  # fmt: skip
    # An image goes when no container of it is left: `images` comes before `up`, and so ends after it.
    container = up("-e", "SECRET=a-value-of-somebody", options=["--max-kernels", "1", "--max-lifetime", "1d"])
    with open_notebook(add(container=container)) as notebook:
        notebook.run("open('/made', 'w').write('by hand')")
        made = json.loads(service.relayd("snapshot", "--json", container.name))
        images.append(made["image"])
        # It stood still for a moment, and goes on.
        assert notebook.text("print(open('/made').read())") == "by hand"
    assert made["bare"] is True
    assert made["image"].startswith(f"kernelrelay-snapshot/{container.name}:")
    before, after = configuration(image), configuration(made["image"])
    labels = after["Labels"]
    assert labels.pop("io.github.kernelrelay.snapshot") == container.name
    assert labels == (before["Labels"] or {})
    for field in ("Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "WorkingDir"):
        assert after.get(field) == before.get(field)
    assert "a-value-of-somebody" not in docker("image", "inspect", made["image"])
    # Nothing but the image was left.
    assert not docker("image", "ls", "--quiet", "--filter", "dangling=true", "--filter", f"label=io.github.kernelrelay.snapshot={container.name}")

    second = up(image=made["image"])
    with open_notebook(add(container=second)) as notebook:
        assert notebook.text("print(open('/made').read())") == "by hand"
    # What is run from it by hand is nobody's but the person's.
    by_hand = f"{container.name}-by-hand"
    docker("run", "--detach", "--name", by_hand, made["image"])
    try:
        assert "KR-CONTAINER-FOREIGN" in service.attempt("down", by_hand).stderr
    finally:
        docker("rm", "--force", by_hand)


def test_a_snapshots_name(up: Callable[..., Container], service: Service, images: list[str], scratch: str) -> None:
    container = up()
    name = f"{container.name}-state"
    images.append(name)
    printed = service.relayd("snapshot", container.name, name)
    assert printed.splitlines()[-1] == f"relayd up {name}:latest"
    container.run("touch", "/later")
    service.relayd("snapshot", container.name, name)
    assert docker("run", "--rm", name, "ls", "/later") == "/later"
    # Somebody else's image keeps its name.
    done = service.attempt("snapshot", container.name, scratch)
    assert done.returncode == 65
    assert "KR-IMAGE-FOREIGN" in done.stderr and "--replace" in done.stderr
    assert configuration(scratch).get("Labels") is None
    # It has no other, and this test has taken it.
    images.append(docker("image", "inspect", "--format", "{{.Id}}", scratch))
    service.relayd("snapshot", "--replace", container.name, scratch)
    assert configuration(scratch)["Labels"]["io.github.kernelrelay.snapshot"] == container.name


def test_an_engine_that_wants_the_layers(
    up: Callable[..., Container], service: Service, images: list[str], tmp_path: Path
) -> None:
    """Then the image has what the engine puts into it, without what `up` needs; and that is said."""
    client = tmp_path / "client"
    client.write_text('#!/bin/sh\n[ "$1" = load ] && exit 1\nexec docker "$@"\n')
    client.chmod(0o755)
    container = up()
    name = f"{container.name}-whole:1"
    images.append(name)
    done = service.attempt("snapshot", "--docker", str(client), container.name, name)
    assert done.returncode == 0
    assert "its variables and ports are in the image" in done.stderr
    after = configuration(name)
    labels = {key: value for key, value in after["Labels"].items() if key.startswith("io.github.kernelrelay.")}
    assert labels.pop("io.github.kernelrelay.snapshot") == container.name
    assert not any(labels.values())
    assert after["Cmd"] == ["sleep", "infinity"] and after["Entrypoint"] in (None, [], [""])
    assert docker("run", "--rm", name, "echo", "it runs") == "it runs"
