"""From click to kernel: how long until a kernel in a container answers, and what two hundred of them cost.

Run it by `make bench-launch`. It prints a table, writes bench-launch.json, and exits with 1 when a kernel was lost or a
target missed. Four ways to the same kernel take turns, another one first in each round, so that drift falls on all alike:

- floor: a bare `docker exec` in a container whose five ports are published. The connection file lies inside before
  the clock starts; nothing that works can do less.
- warm: the kernelspec's own command line, where a gate runs already; and the same by the published ports.
- cold: the same with relayd running and no gate in the container.
- new container: `docker run` with five ports for each kernel, the way of older tools.

The clock starts before the spawn and stops when the first kernel_info_reply is there. Differences are taken within a
round; their median is judged.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import zmq
from jupyter_client.session import Session

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Tests/EndToEnd"), str(ROOT / "Tests/Python")]

from containers import Container, docker  # noqa: E402
from processes import free_ports, write_connection  # noqa: E402
from service import Service, Spec, pauses  # noqa: E402

IMAGE = "kernelrelay/debian-ipykernel"
KERNEL = ["python3", "-Xfrozen_modules=off", "-m", "ipykernel_launcher"]
LIGHT = ROOT / "Tests/EndToEnd/light_kernel.py"
CHANNELS = ("control", "hb", "iopub", "shell", "stdin")
PATIENCE = 60.0
# What is to be reached: percent of a core with all kernels idle; and, in milliseconds, beyond the floor.
MOST_IDLE = 1.0
MOST_BEYOND = {"warm": 0, "warm, published": 0, "cold": 250}


# What was missed, for the exit code.
missed: list[str] = []


def judged(name: str, is_met: bool) -> str:
    if not is_met:
        missed.append(name)
    return "met" if is_met else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(description="From click to kernel.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kernels", type=int, default=200, help="light kernels in one container; 0 leaves them out")
    parser.add_argument("--output", type=Path, default=ROOT / "bench-launch.json")
    asked = parser.parse_args()
    service = Service()
    try:
        service.relayd("start")
        result: dict[str, object] = {"schema_version": 1, "launch": launches(service, asked.rounds)}
        if asked.kernels:
            result["many"] = many(service, asked.kernels)
    finally:
        service.close()
    asked.output.write_text(json.dumps(result, indent=2) + "\n")
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return 1 if missed else 0


# ---- The four ways. Each is a context: inside of it, `argv` and the connection file that a client uses are given.


@dataclass
class Launch:
    argv: list[str]
    connection: Path


Way = Callable[[], "contextmanager[Launch]"]


class Ways:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.folder = service.folder / "bench"
        self.folder.mkdir()
        self.container = service.up(IMAGE)
        self.spec = service.add(self.folder / "prefix", self.container)
        self.published_spec = service.add(self.folder / "prefix", self.container, "--route", "published")
        self.ports = dict(zip(CHANNELS, free_ports(5), strict=True))
        inside = zip(self.ports.values(), range(10_000, 10_005), strict=True)
        self.published = [word for outer, inner in inside for word in ("--publish", f"127.0.0.1:{outer}:{inner}")]
        self.bare = f"kr-bench-{uuid.uuid4().hex[:8]}"
        docker("run", "--detach", "--init", "--name", self.bare, *self.published, IMAGE, "sleep", "infinity")
        service.watch(Container(self.bare))

    def all(self) -> dict[str, Callable[[], object]]:
        return {
            "floor": self.floor,
            "warm": self.warm,
            "warm, published": self.warm_published,
            "cold": self.cold,
            "new container": self.new_container,
        }

    def connection_files(self) -> tuple[Path, Path]:
        """One for the client, and one that says the same for the kernel inside."""
        outer = write_connection(
            self.folder / f"{uuid.uuid4().hex}.json", "a key", **{f"{name}_port": port for name, port in self.ports.items()}
        )
        inner = outer.with_suffix(".inner")
        ports = {f"{name}_port": port for name, port in zip(CHANNELS, range(10_000, 10_005), strict=True)}
        inner.write_text(json.dumps({**json.loads(outer.read_bytes()), "ip": "0.0.0.0", **ports}))
        # ipykernel writes its connection file anew, and refuses one that others may read.
        inner.chmod(0o600)
        return outer, inner

    @contextmanager
    def floor(self) -> Iterator[Launch]:
        outer, inner = self.connection_files()
        docker("cp", str(inner), f"{self.bare}:/connection.json")
        yield Launch(["docker", "exec", "-i", self.bare, *KERNEL, "-f", "/connection.json"], outer)

    @contextmanager
    def warm(self) -> Iterator[Launch]:
        if not self.container.gates():
            # Any kernel warms it.
            connection = self.relayed_file()
            with clicked(self.service, Launch(self.spec.argv(connection), connection)):
                pass
        connection = self.relayed_file()
        yield Launch(self.spec.argv(connection), connection)

    @contextmanager
    def warm_published(self) -> Iterator[Launch]:
        """By the floor's own way in: the route that is chosen otherwise, on this host, has no proxy in it."""
        with self.warm() as launch:
            yield Launch(self.published_spec.argv(launch.connection), launch.connection)

    @contextmanager
    def cold(self) -> Iterator[Launch]:
        self.container.restart()
        connection = self.relayed_file()
        yield Launch(self.spec.argv(connection), connection)

    @contextmanager
    def new_container(self) -> Iterator[Launch]:
        # Its own five ports; those of the bare container are taken.
        ports = free_ports(5)
        outer, inner = self.connection_files()
        content = json.loads(outer.read_bytes()) | {f"{name}_port": port for name, port in zip(CHANNELS, ports, strict=True)}
        outer.write_text(json.dumps(content))
        pairs = zip(ports, range(10_000, 10_005), strict=True)
        publish = [word for outside, inside in pairs for word in ("--publish", f"127.0.0.1:{outside}:{inside}")]
        name = f"kr-bench-{uuid.uuid4().hex[:8]}"
        command = ["docker", "run", "--rm", "--init", "--name", name, *publish, "--volume", f"{inner}:/connection.json"]
        try:
            yield Launch([*command, IMAGE, *KERNEL, "-f", "/connection.json"], outer)
        finally:
            subprocess.run(["docker", "rm", "--force", name], capture_output=True, timeout=60)

    def relayed_file(self) -> Path:
        return write_connection(self.folder / f"{uuid.uuid4().hex}.json", "a key")


# ---- The clock


@contextmanager
def clicked(service: Service, launch: Launch) -> Iterator[float]:
    """Start it, and give the milliseconds until its kernel_info_reply; end it as Jupyter does."""
    with asking(launch.connection) as ask:
        began = time.perf_counter()
        process = subprocess.Popen(
            launch.argv, env=service.environment, cwd=service.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        try:
            ask("shell", "kernel_info_request", {})
            yield (time.perf_counter() - began) * 1_000
        finally:
            ask("control", "shutdown_request", {"restart": False})
            process.wait(PATIENCE)


@contextmanager
def asking(connection: Path) -> Iterator[Callable[[str, str, dict[str, object]], None]]:
    """A client that connects as soon as it can: libzmq's own 100 ms between attempts would be most of a difference."""
    info = json.loads(connection.read_bytes())
    session = Session(key=info["key"].encode())
    context = zmq.Context()
    sockets = {}
    for channel in ("shell", "control"):
        sockets[channel] = context.socket(zmq.DEALER)
        sockets[channel].reconnect_ivl = 2
        sockets[channel].connect(f"tcp://{info['ip']}:{info[f'{channel}_port']}")

    def ask(channel: str, kind: str, content: dict[str, object]) -> None:
        session.send(sockets[channel], kind, content)
        assert sockets[channel].poll(PATIENCE * 1_000), f"no answer to {kind}"
        _, reply = session.recv(sockets[channel])
        assert reply["msg_type"] == kind.replace("_request", "_reply"), reply

    try:
        yield ask
    finally:
        context.destroy(linger=0)


def launches(service: Service, rounds: int) -> dict[str, object]:
    ways = Ways(service)
    names = list(ways.all())
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            with ways.all()[name]() as launch, clicked(service, launch) as milliseconds:
                taken[name].append(milliseconds)
    print(f"\nclick to kernel_info_reply, median of {rounds} rounds")
    print(f"{'':16}{'ms':>8}{'to floor':>10}{'ratio':>8}")
    table = {}
    for name in names:
        beyond = statistics.median(a - b for a, b in zip(taken[name], taken["floor"], strict=True))
        ratio = statistics.median(a / b for a, b in zip(taken[name], taken["floor"], strict=True))
        median = statistics.median(taken[name])
        table[name] = {"median_ms": median, "beyond_floor_ms": beyond, "ratio": ratio, "all_ms": taken[name]}
        most = MOST_BEYOND.get(name)
        verdict = "" if most is None else f"   at most {most:+d}: {judged(name, beyond <= most)}"
        print(f"{name:16}{median:8.0f}{beyond:+10.0f}{ratio:8.2f}{verdict}")
    return table


# ---- Two hundred


def many(service: Service, count: int) -> dict[str, object]:
    """Light kernels in one container, all through its five published ports."""
    container = service.up(IMAGE)
    docker("cp", str(LIGHT), f"{container.name}:/light_kernel.py")
    folder = service.folder / "many"
    command = json.dumps(["python3", "/light_kernel.py", "{connection_file}"])
    spec: Spec = service.add(folder / "prefix", container, "--cmd", command, "--route", "published")
    (daemon,) = service.daemons()
    with ExitStack() as stack:
        before = private(daemon.pid)
        connections = [write_connection(folder / f"{number}.json", "a key") for number in range(count)]
        began = time.perf_counter()
        kernels = [stack.enter_context(running(service, spec.argv(connection))) for connection in connections]
        clients = [stack.enter_context(asking(connection)) for connection in connections]
        for ask in clients:
            ask("shell", "kernel_info_request", {})
        seconds = time.perf_counter() - began
        # Each is asked again while all of them are there.
        for ask in clients:
            ask("shell", "kernel_info_request", {})
        idle = {"relayd": idle_share([daemon.pid]), "gate": idle_share(container.gates()) if os.getuid() == 0 else 0.0}
        lost = sum(kernel.poll() is not None for kernel in kernels)
        each = (private(daemon.pid) - before) / count
        shims = [private(kernel.pid) for kernel in kernels if kernel.poll() is None]
        gate = [private(pid) for pid in container.gates()] if os.getuid() == 0 else []
        for ask in clients:
            ask("control", "shutdown_request", {"restart": False})
        for kernel in kernels:
            kernel.wait(PATIENCE)
    result = {
        "kernels": count,
        "lost": lost,
        "launches_per_second": count / seconds,
        "relayd_private_bytes_per_kernel": each,
        "shim_private_bytes": statistics.median(shims),
        "gate_private_bytes": sum(gate),
        "idle_percent_of_core": idle,
    }
    print(f"\n{count} light kernels in one container, five published ports: {lost} lost, {count / seconds:.1f} a second")
    print(f"relayd {each / 1e6:.2f} MB for each, a shim {statistics.median(shims) / 1e6:.2f} MB, the gate {sum(gate) / 1e6:.2f} MB (private)")
    verdict = judged("idle", idle["relayd"] < MOST_IDLE)
    judged("all kernels there", lost == 0)
    print(f"idle, watched: relayd {idle['relayd']:.2f} % of a core (below {MOST_IDLE:g}: {verdict}), the gate {idle['gate']:.2f} %")
    return result


def idle_share(pids: list[int], seconds: float = 20) -> float:
    """Percent of a core while nobody asks for anything, and has not for a while: kernels are at rest after five seconds."""

    def used() -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)

    time.sleep(8)
    before, began = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - began) * 100


@contextmanager
def running(service: Service, argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        argv, env=service.environment, cwd=service.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def private(pid: int) -> int:
    """What this process alone holds in memory: shared pages of a binary are there once for all."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1_024 for line in lines if line.startswith("Private_"))


if __name__ == "__main__":
    sys.exit(main())
