"""What is the matter with a kernel, made with the real thing: each verdict, and the way back from it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from clients import await_reply, sleeping
from conftest import Open
from containers import Container, docker
from control import answer, connected_to, framed
from figures import figures, total
from notebooks import Notebook, launched
from processes import PATIENCE
from service import Service, Spec, command_of, pauses
from slow_reader import not_reading
from verdicts import Witness

LIGHT = Path(__file__).with_name("light_kernel.py")
# Three are promised, and `make bench-verdicts` is the proof of that. What else a machine does at the moment must fail no test.
AT_MOST = 8.0  # seconds


@pytest.fixture
def alone(up: Callable[..., Container]) -> Container:
    """A container for one test: the verdict of its only kernel is looked for by its name."""
    return up()


@pytest.fixture
def witness(service: Service, alone: Container) -> Witness:
    return Witness(service, alone.name, AT_MOST)


@pytest.fixture
def patient(alone: Container, add: Callable[..., Spec], open_notebook: Open, witness: Witness):
    """A kernel that is well."""
    with open_notebook(add(container=alone)) as notebook:
        witness.until("ok")
        yield notebook


def a_new_kernel(notebook: Notebook) -> None:
    """Of a death that no cell saw the next one tells; the one after it has a new kernel."""
    for _ in range(2):
        notebook.client.execute_interactive("1", output_hook=lambda message: None, timeout=60)


def inside(container: Container, command: str) -> None:
    container.run("sh", "-c", command)


def test_a_kernel_that_is_well(patient: Notebook, witness: Witness) -> None:
    patient.run("1")
    for _ in pauses(PATIENCE):
        kernel = witness.kernel()
        # On a machine that has much to do a beat is late now and then.
        is_well = kernel["verdict"]["word"] == "ok" and {rung["lamp"] for rung in kernel["ladder"]} == {"good"}
        if is_well and kernel["round_trip"]["count"] > 1 and kernel["process"]:
            break
    assert kernel["verdict"]["word"] == "ok"
    assert kernel["verdict"]["code"] is None
    assert kernel["verdict"]["remedy"] is None
    assert {rung["hop"] for rung in kernel["ladder"]} == {
        "relay", "engine", "container", "gate", "process", "heartbeat", "traffic",
    }  # fmt: skip
    assert {rung["lamp"] for rung in kernel["ladder"]} == {"good"}, kernel["ladder"]
    assert 0 < kernel["round_trip"]["p50_ms"] <= kernel["round_trip"]["p99_ms"]
    assert kernel["reply_time"]["shell"]["count"] >= 1
    assert kernel["process"]["pid"] == int(patient.text("import os\nprint(os.getpid())"))
    assert kernel["process"]["memory_bytes"] > 10_000_000
    assert kernel["memory"]["used_bytes"] > 10_000_000
    assert kernel["activity"]["busy_seconds"] is None
    assert kernel["activity"]["shell_reply_seconds_ago"] is not None
    assert kernel["channels"]["shell"]["to_kernel"]["messages"] >= 1
    phases = [phase["name"] for phase in kernel["launch"]["phases"]]
    assert phases == ["bind", "inspect", "gate", "spawn", "route", "connect"]
    assert kernel["launch"]["total_milliseconds"] > 0


def test_ten_minutes_are_kept(patient: Notebook, service: Service, witness: Witness) -> None:
    def history() -> dict:
        with connected_to(service) as link:
            link.sendall(framed({"v": 1, "type": "status", "request": 1, "history": True}))
            report = answer(link)["status"]
        (kernel,) = [each for each in report["kernels"] if each["container"] == witness.container]
        return dict(kernel["history"])

    assert "history" not in witness.kernel()
    for _ in pauses(PATIENCE):
        kept = history()
        if any(kept["round_trip_ms"]) and len(kept["verdicts"]) > 2 and kept["verdicts"][-1] == "ok":
            break
    assert kept["every_seconds"] == 2
    assert len(kept["verdicts"]) == len(kept["round_trip_ms"]) == len(kept["messages_per_second"]) > 2
    assert any(kept["round_trip_ms"])
    assert kept["verdicts"][-1] == "ok"


def test_busy(patient: Notebook, witness: Witness) -> None:
    patient.client.execute(sleeping())
    verdict = witness.until("busy")
    assert verdict["code"] is None
    for _ in pauses(PATIENCE):
        if (busy := witness.kernel()["activity"]["busy_seconds"] or 0) > 0.5:
            break
    assert 0.5 < busy < PATIENCE
    patient.manager.interrupt_kernel()
    assert witness.until("ok")["since_seconds"] < AT_MOST


def test_busy_without_a_word(patient: Notebook, witness: Witness) -> None:
    """A cell that holds Python's lock lets nobody say that the kernel is busy."""
    patient.client.execute("import ctypes\nctypes.PyDLL(None).sleep(60)")
    witness.until("busy")
    # The system's call ends with a signal, whoever holds the lock.
    patient.manager.interrupt_kernel()
    witness.until("ok")


def test_one_that_misses_beats_while_it_computes_is_busy(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, image_with_r: str
) -> None:
    """R has one thread, which echoes no heartbeat while it computes."""
    container = up(image=image_with_r)
    command = "['R', '--slave', '-e', 'IRkernel::main()', '--args', '{connection_file}']"
    witness = Witness(service, container.name, AT_MOST)
    with open_notebook(add("--cmd", command, container=container)) as notebook:
        witness.until("ok")
        notebook.client.execute("while (!file.exists('/tmp/go')) {}")
        witness.until("busy")
        said = set()
        for _ in pauses(PATIENCE):
            kernel = witness.kernel()
            said.add(kernel["verdict"]["word"])
            lamps = {rung["hop"]: rung["lamp"] for rung in kernel["ladder"]}
            if kernel["round_trip"]["lost"] > 0 and lamps["heartbeat"] == "warn":
                break
        assert said == {"busy"}
        assert kernel["round_trip"]["lost"] > 0
        assert lamps["heartbeat"] == "warn"
        inside(container, "touch /tmp/go")
        witness.until("ok")


def test_stopped(patient: Notebook, alone: Container, witness: Witness) -> None:
    inside(alone, f"kill -STOP {witness.pid()}")
    verdict = witness.until("not-answering", code="KR-KERNEL-STOPPED")
    witness.until_lamps(process="bad")
    # What is said to mend it does.
    subprocess.run(verdict["remedy"], shell=True, check=True)
    witness.until("ok")
    assert patient.text("print(1)") == "1"


def test_alive_and_deaf(
    service: Service, alone: Container, witness: Witness, add: Callable[..., Spec], open_notebook: Open
) -> None:
    docker("cp", str(LIGHT), f"{alone.name}:/light_kernel.py")
    command = json.dumps(["python3", "/light_kernel.py", "{connection_file}"])
    with open_notebook(add("--cmd", command, container=alone)) as notebook:
        witness.until("ok")
        notebook.run("be deaf")
        witness.until("not-answering", code="KR-KERNEL-SILENT")
        witness.until_lamps(heartbeat="bad", others="good")
        # It is told, and left alone: what it still does works.
        assert notebook.text("still here") == "still here"


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("import os\nos._exit(3)", "KR-KERNEL-FAILED", "exit code 3"),
        ("import os\nos.kill(os.getpid(), 11)", "KR-KERNEL-KILLED", "SIGSEGV"),
    ],
    ids=["exit", "signal"],
)
def test_dead(patient: Notebook, witness: Witness, end: str, code: str, said: str) -> None:
    patient.client.execute(end)
    witness.until("kernel-dead", code=code, text=said)
    witness.until_lamps(process="bad")


def test_out_of_memory(
    service: Service, up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    small = up("--memory", "200m", "--memory-swap", "200m")
    witness = Witness(service, small.name, AT_MOST)
    with open_notebook(add(container=small)) as notebook:
        witness.until("ok")
        for _ in pauses(PATIENCE):
            if memory := witness.kernel()["memory"]:
                break
        assert memory["limit_bytes"] == 200 * 1024 * 1024
        notebook.client.execute("hoard = [bytearray(b'x') * 1_000_000 for _ in range(1_000)]")
        witness.until("kernel-dead", code="KR-KERNEL-OUT-OF-MEMORY")


def test_one_that_ended_is_told_of_afterwards(
    service: Service, alone: Container, witness: Witness, add: Callable[..., Spec], open_notebook: Open
) -> None:
    with open_notebook(add("--on-failure", "exit", container=alone)) as notebook:
        witness.until("ok")
        notebook.client.execute("import os\nos._exit(3)")
        assert notebook.end() == 3
    # The shim is told before relayd has taken note of the end.
    for _ in pauses(PATIENCE):
        if found := [each for each in service.status()["ended"] if each["container"] == alone.name]:
            break
    (ended,) = found
    assert (ended["verdict"]["word"], ended["verdict"]["code"]) == ("kernel-dead", "KR-KERNEL-FAILED")


def test_paused(patient: Notebook, alone: Container, witness: Witness) -> None:
    docker("pause", alone.name)
    try:
        verdict = witness.until("container-paused", code="KR-CONTAINER-PAUSED")
        assert verdict["remedy"].endswith(f"docker unpause {alone.name}")
        witness.until_lamps(container="bad", engine="good")
    finally:
        docker("unpause", alone.name)
    witness.until("ok")
    assert patient.text("print(1)") == "1"


def test_the_container_is_stopped(patient: Notebook, alone: Container, witness: Witness) -> None:
    docker("stop", "--time", "1", alone.name)
    witness.until("container-stopped", remedy=f"docker start {alone.name}")
    witness.until_lamps(container="bad")
    docker("start", alone.name)
    alone.settle()
    a_new_kernel(patient)
    witness.until("ok")


def test_the_container_is_removed(patient: Notebook, alone: Container, witness: Witness) -> None:
    docker("rm", "--force", alone.name)
    witness.until("container-gone", code="KR-CONTAINER-")


def test_the_gate_is_stopped(patient: Notebook, alone: Container, witness: Witness, service: Service) -> None:
    (gate,) = [gate for gate in service.status()["gates"] if gate["container"] == alone.name]
    inside(alone, f"kill -STOP {gate['pid']}")
    verdict = witness.until("gate-lost", code="KR-GATE-SILENT", text="and the container runs")
    witness.until_lamps(gate="bad", container="good")
    hops = witness.kernel()["hop_time"]
    assert hops["gate"]["count"] > 0 and hops["engine"]["count"] > 0 and hops["engine"]["p50_ms"] > 1
    # What is said to mend it does.
    subprocess.run(verdict["remedy"], shell=True, check=True)
    witness.until("ok")


def test_the_gate_is_killed(patient: Notebook, alone: Container, witness: Witness, service: Service) -> None:
    (gate,) = [gate for gate in service.status()["gates"] if gate["container"] == alone.name]
    folder = alone.run("sh", "-c", "echo /dev/shm/kr-??????")
    inside(alone, f"kill -KILL {gate['pid']}")
    witness.until("gate-lost", code="KR-GATE-LOST")
    for _ in pauses(PATIENCE):
        # An ipykernel whose gate is gone ends by itself.
        if not alone.kernels():
            break
    a_new_kernel(patient)
    witness.until("ok")
    # Nobody was left to clear up behind it.
    inside(alone, f"rm -rf {folder}")


def test_a_slow_client(patient: Notebook, witness: Witness, service: Service) -> None:
    """It is named by its address, and the notebook beside it goes on once it is gone."""
    with not_reading(patient.connection):
        patient.client.execute("for _ in range(900): print('x' * 40_000, flush=True)")
        verdict = witness.until("slow-client", code="KR-CLIENT-SLOW", text="on iopub at 127.0.0.1:")
        # The command that is told shows whose it is: this very process's.
        shown = subprocess.run(verdict["remedy"], shell=True, check=True, capture_output=True, text=True).stdout
        assert f"pid={os.getpid()}," in shown
        held = witness.kernel()["channels"]["iopub"]["to_client"]
        assert held["held_bytes"] > 0 and held["held_messages"] > 0
        lane = {"channel": "iopub", "direction": "to_client"}
        for _ in pauses(PATIENCE):
            # The flood takes its time.
            told = figures(service.relayd("metrics") + "\n")
            if total(told, "kernelrelay_held_messages", **lane) > 100:
                break
        assert total(told, "kernelrelay_held_bytes", **lane) > 1_000_000
        assert total(told, "kernelrelay_held_messages", **lane) > 100
        assert total(told, "kernelrelay_kernels", verdict="slow-client") == 1
    while patient.client.get_iopub_msg(timeout=30)["content"].get("execution_state") != "idle":
        pass
    witness.until("ok")


def test_failed_and_starting(
    service: Service, alone: Container, witness: Witness, add: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = add("--launch-timeout", "4", "--cmd", "['sh', '-c', 'exec sleep 1000', '{connection_file}']", container=alone)
    with launched(service, spec.argv(Path("{connection_file}")), tmp_path / "shim", has_kernel=False):
        assert witness.until("starting")["code"] is None
        # Not before its time is over.
        witness.until("failed", seconds=4 + AT_MOST, code="KR-LAUNCH-TIMEOUT")


def test_the_report_is_as_the_contract_says(patient: Notebook, service: Service) -> None:
    report = service.status()
    assert report["schema_version"] == 2
    assert report["resources"]["memory_bytes"] > 1_000_000
    assert report["resources"]["threads"] > 1
    documented = (Path(__file__).parents[2] / "protocol/status.md").read_text()
    for kernel in report["kernels"]:
        for field in kernel:
            assert f"`{field}`" in documented, field
    key = json.loads(patient.connection.read_bytes())["key"]
    assert key not in json.dumps(report)


@pytest.mark.heavy
def test_an_engine_that_is_gone_for_long(
    service: Service, alone: Container, witness: Witness, add: Callable[..., Spec], open_notebook: Open, tmp_path: Path
) -> None:
    """Longer than its gate is looked for in haste: the kernel is not given up, and keeps its variables."""
    down, client = tmp_path / "down", tmp_path / "docker"
    client.write_text(f'#!/bin/sh\n[ ! -e {down} ] || exit 1\nexec docker "$@"\n')
    client.chmod(0o755)
    with open_notebook(add("--docker", str(client), container=alone)) as notebook:
        notebook.run("kept = 6 * 7")
        witness.until("ok")
        down.touch()
        # With its engine the link goes.
        links = psutil.Process(service.status()["pid"]).children()
        (link,) = [child for child in links if alone.inspect()["Id"] in command_of(child)]
        link.kill()
        witness.until("engine-unreachable", code="KR-ENGINE-")
        request = notebook.client.execute("print(kept)")
        until = time.monotonic() + 26
        while time.monotonic() < until:
            assert witness.verdict()["word"] == "engine-unreachable"
            time.sleep(0.5)
        assert witness.kernel()["state"] == "running"
        down.unlink()
        # It is looked for with longer and longer pauses.
        witness.until("ok", seconds=PATIENCE)
        assert await_reply(notebook.client.get_shell_msg, request)["content"]["status"] == "ok"
        assert notebook.text("print(kept)") == "42"
