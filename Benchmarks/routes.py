"""What each way to a kernel costs: a kernel in a container, by every route in turn.

Run it by `make bench-routes`. It prints a table and writes bench-routes.json. The kernel and the client are small programs
of Python, the same for every route, and both hash nothing but what the protocol signs: the buffers are unsigned. So
the rows tell routes apart, and not kernels. Ratios are taken within a round, each of which begins with another route;
their median is shown. Every message is counted. What an exec's output alone carries is measured beside: the tunnel goes
through one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import zmq

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Tests/EndToEnd"), str(ROOT / "Tests/Python")]

from clients import connected, outcome  # noqa: E402
from containers import docker  # noqa: E402
from notebooks import launched  # noqa: E402
from service import Service, Spec  # noqa: E402

IMAGE = "kernelrelay/debian-ipykernel"
KERNEL = ROOT / "Benchmarks/burst_kernel.py"
ROUTES = ("line", "bridge", "published", "tunnel")
BEATS, SMALL, LARGE = 3000, (40_000, 300), (400, 1_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description="What each way to a kernel costs.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--routes", default=",".join(ROUTES))
    parser.add_argument("--output", type=Path, default=ROOT / "bench-routes.json")
    asked = parser.parse_args()
    routes = asked.routes.split(",")
    service = Service()
    try:
        service.relayd("start")
        container = service.up(IMAGE)
        docker("cp", str(KERNEL), f"{container.name}:/burst_kernel.py")
        command = json.dumps(["python3", "/burst_kernel.py", "{connection_file}"])
        folder = service.folder / "bench"
        specs = {
            route: service.add(folder / "prefix", container, "--cmd", command, "--route", route) for route in routes
        }
        rounds: list[dict[str, dict[str, float]]] = []
        alone: list[float] = []
        for number in range(asked.rounds):
            order = routes[number % len(routes) :] + routes[: number % len(routes)]
            alone.append(exec_alone(container.name))
            rounds.append({route: measured(service, specs[route], folder / f"{number}-{route}") for route in order})
    finally:
        service.close()
    result = {"schema_version": 1, "rounds": rounds, "table": table(rounds, routes), "exec_alone_mb_per_second": alone}
    print(f"an exec's output alone: {statistics.median(alone):,.0f} MB/s")
    asked.output.write_text(json.dumps(result, indent=2) + "\n")


def measured(service: Service, spec: Spec, folder: Path) -> dict[str, float]:
    with launched(service, spec.content["argv"], folder) as (_, connection), connected(connection) as client:
        heart = client.context.socket(zmq.DEALER)
        info = json.loads(connection.read_bytes())
        heart.connect(f"tcp://{info['ip']}:{info['hb_port']}")
        trips = sorted(trip(heart) for _ in range(BEATS))
        heart.close(linger=0)
        return {
            "round trip, p50, µs": trips[len(trips) // 2] * 1e6,
            "round trip, p99, µs": trips[len(trips) * 99 // 100] * 1e6,
            "300 B messages a second": SMALL[0] / burst(client, *SMALL),
            "1 MB buffers, MB/s": LARGE[0] * LARGE[1] / 1e6 / burst(client, *LARGE),
        }


def trip(heart: zmq.Socket) -> float:
    began = time.perf_counter()
    heart.send(b"beat")
    heart.recv()
    return time.perf_counter() - began


def burst(client, count: int, size: int) -> float:
    """Seconds from the request to its last message. Nothing is parsed while the clock runs."""
    socket = client.iopub_channel.socket
    began = time.perf_counter()
    request = client.execute(f"{count} {size}")
    arrived, messages = 0, []
    while arrived < count:
        frames = socket.recv_multipart(copy=False)
        arrived += frames[0].buffer == b"display_data"
        # Kept without its buffer, to be looked at afterwards.
        messages.append(frames[6])
    seconds = time.perf_counter() - began
    numbers = [json.loads(bytes(content)).get("number") for content in messages]
    assert [number for number in numbers if number is not None] == list(range(count)), "lost, or out of order"
    outcome(client, request)
    return seconds


def exec_alone(container: str) -> float:
    """Megabytes a second of what an exec writes, through the engine and its client."""
    megabytes = 400
    command = ["docker", "exec", "-i", container, "head", "-c", f"{megabytes}000000", "/dev/zero"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        while process.stdout.read1(1 << 16):
            pass
    return megabytes / (time.perf_counter() - began)


def table(rounds: list[dict[str, dict[str, float]]], routes: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    base = "published" if "published" in routes else routes[0]
    rows: dict[str, dict[str, dict[str, float]]] = {}
    print(f"\n{'':28}" + "".join(f"{route:>20}" for route in routes) + f"   (and the ratio to {base})")
    for name in rounds[0][base]:
        rows[name] = {
            route: {
                "median": statistics.median(one[route][name] for one in rounds),
                "ratio": statistics.median(one[route][name] / one[base][name] for one in rounds),
            }
            for route in routes
        }
        cells = "".join(f"{each['median']:>12,.0f} ({each['ratio']:.2f})" for each in rows[name].values())
        print(f"{name:28}{cells}")
    return rows


if __name__ == "__main__":
    main()
