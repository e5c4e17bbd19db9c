"""From harm to word: how long until the status report, and the notebook, say what has become of a kernel.

Run it by `make bench-verdicts`. Each harm is done to a kernel that is well and has a cell, once for each of two questions:
when `relayd status --json` says the word, and when the reason stands in the notebook. For the second nobody asks for a
report: what a cell is told comes of relayd's own looking. The clock starts before the command that does the harm, so that
what a person would type is in the figures, with up to half a second for docker's client. Launches that come to nothing
are timed from the shim's start. It prints a table, writes bench-verdicts.json, and exits with 1 when one took too long.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Tests/EndToEnd"), str(ROOT / "Tests/Python")]

from jupyter_client import BlockingKernelClient  # noqa: E402

from clients import await_message, await_text, connected  # noqa: E402
from containers import Container, docker  # noqa: E402
from engines import EngineDoor  # noqa: E402
from notebooks import Notebook, launched, opened  # noqa: E402
from service import Service, pauses  # noqa: E402
from slow_reader import not_reading  # noqa: E402
from verdicts import Witness  # noqa: E402

IMAGE = "kernelrelay/debian-ipykernel"
LIGHT = ROOT / "Tests/EndToEnd/light_kernel.py"
SCRATCH = f"kr-bench-scratch-{uuid.uuid4().hex[:8]}"  # an image with nothing in it
MOST = 3.0  # seconds
# A cell that is there until somebody lets it go. It says so first, and does what a file tells it.
CELL = """
import os, time
print('here', os.getpid(), flush=True)
while not os.path.exists('/tmp/go'):
    if os.path.exists('/tmp/do'):
        code = open('/tmp/do').read()
        os.remove('/tmp/do')
        exec(code)
    time.sleep(0.02)
"""


@dataclass
class Place:
    """A kernel in a container, and its notebook. Pids are known before a clock starts."""

    container: Container
    notebook: Notebook
    door: EngineDoor
    kernel: int = 0
    gate: int = 0
    # What a harm has begun, to be ended when it was seen.
    begun: ExitStack = field(default_factory=ExitStack)

    @property
    def name(self) -> str:
        return self.container.name

    def inside(self, command: str) -> None:
        self.container.run("sh", "-c", command)

    def in_the_cell(self, code: str) -> None:
        # Whole at once, or the cell would read half of it.
        self.inside(f"cat > /tmp/doing <<'END'\n{code}\nEND\nmv /tmp/doing /tmp/do")

    def beside_one_who_does_not_read(self) -> None:
        self.begun.enter_context(not_reading(self.notebook.connection))
        self.in_the_cell("for _ in range(900): print('x' * 40_000, flush=True)")


@dataclass(frozen=True)
class Harm:
    name: str
    # The verdict, and the code that the notebook shows: of a line on the cell's stderr, or as its error's name.
    word: str
    code: str | None
    do: Callable[[Place], object]
    # How the kernel, which lives, gets on again.
    undo: Callable[[Place], object] | None = None
    # The code that the kernel runs before; a light kernel runs none.
    cell: str = CELL
    # The kernel is another program than ipykernel.
    is_light: bool = False
    # It goes by the door that can be shut.
    by_door: bool = False


HARMS = [
    Harm("a cell runs", "busy", None, lambda p: p.notebook.client.execute(CELL), cell=""),
    Harm(
        "kernel stopped", "not-answering", "KR-KERNEL-STOPPED",
        lambda p: p.inside(f"kill -STOP {p.kernel}"), lambda p: p.inside(f"kill -CONT {p.kernel}"),
    ),
    Harm(
        "kernel deaf", "not-answering", "KR-KERNEL-SILENT",
        lambda p: p.notebook.client.execute("be silent"), cell="", is_light=True,
    ),
    Harm("kernel killed", "kernel-dead", "KR-KERNEL-KILLED", lambda p: p.inside(f"kill -KILL {p.kernel}")),
    Harm("exit code", "kernel-dead", "KR-KERNEL-FAILED", lambda p: p.in_the_cell("os._exit(3)")),
    Harm("crash", "kernel-dead", "KR-KERNEL-KILLED", lambda p: p.in_the_cell("os.kill(os.getpid(), 11)")),
    Harm(
        "out of memory", "kernel-dead", "KR-KERNEL-OUT-OF-MEMORY",
        lambda p: p.in_the_cell("hoard = bytearray(b'x') * 2_000_000_000"),
    ),
    Harm(
        "container paused", "container-paused", "KR-CONTAINER-PAUSED",
        lambda p: docker("pause", p.name), lambda p: docker("unpause", p.name),
    ),
    Harm("container stopped", "container-stopped", "KR-CONTAINER-GONE", lambda p: docker("stop", p.name)),
    Harm("container removed", "container-gone", "KR-CONTAINER-GONE", lambda p: docker("rm", "--force", "--volumes", p.name)),
    Harm(
        "gate stopped", "gate-lost", "KR-GATE-SILENT",
        lambda p: p.inside(f"kill -STOP {p.gate}"), lambda p: p.inside(f"kill -CONT {p.gate}"),
    ),
    Harm("gate killed", "gate-lost", "KR-GATE-LOST", lambda p: p.inside(f"kill -KILL {p.gate}")),
    Harm(
        "engine ended", "engine-unreachable", "KR-ENGINE-UNREACHABLE",
        lambda p: p.door.shut(), lambda p: p.door.open(), by_door=True,
    ),
    # What the notebook is told of it waits behind what is held for the other, until that one reads or goes.
    Harm("slow client", "slow-client", None, lambda p: p.beside_one_who_does_not_read()),
]  # fmt: skip


def until_told(client: BlockingKernelClient, code: str) -> None:
    def tells(message: dict) -> bool:
        content = message["content"]
        return content.get("ename") == code or content.get("name") == "stderr" and f"[{code}]" in content["text"]

    await_message(client.get_iopub_msg, tells)


def until_over(witness: Witness, word: str) -> None:
    for _ in pauses(30):
        if witness.verdict()["word"] != word:
            return
    raise AssertionError(f"{word} does not end")


@contextmanager
def by_the(door: EngineDoor | None) -> Iterator[None]:
    """Whatever is started inside goes to the engine by this door."""
    if door is None:
        yield
        return
    os.environ["DOCKER_HOST"] = door.host
    try:
        yield
    finally:
        del os.environ["DOCKER_HOST"]


class Bench:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.folder = service.folder / "bench"
        self.folder.mkdir()
        self.door = EngineDoor(self.folder / "door")
        self.container = self.up()

    def up(self) -> Container:
        container = self.service.up(IMAGE, "--memory", "500m", "--memory-swap", "500m")
        docker("cp", str(LIGHT), f"{container.name}:/light_kernel.py")
        return container

    @contextmanager
    def well(self, harm: Harm) -> Iterator[Place]:
        if not self.container.is_running():
            self.container = self.up()
        command = json.dumps(["python3", "/light_kernel.py", "{connection_file}"])
        words = ["--cmd", command] if harm.is_light else []
        spec = self.service.add(self.folder / uuid.uuid4().hex, self.container, *words)
        with by_the(self.door if harm.by_door else None), ExitStack() as stack:
            notebook = stack.enter_context(opened(self.service, spec, self.folder / uuid.uuid4().hex))
            place = Place(self.container, notebook, self.door)
            Witness(self.service, place.name).until("ok")
            (place.gate,) = [gate["pid"] for gate in self.service.status()["gates"] if gate["container"] == place.name]
            if harm.cell:
                notebook.client.execute(harm.cell)
                place.kernel = int(await_text(notebook.client, "here ")["content"]["text"].split()[1])
            yield place
            place.begun.close()
            if harm.undo:
                harm.undo(place)
                until_over(Witness(self.service, place.name), harm.word)
            if self.container.is_running():
                place.inside("touch /tmp/go; sleep 0.2; rm -f /tmp/go /tmp/do")

    def seconds(self, harm: Harm, in_the_notebook: bool) -> float:
        with self.well(harm) as place:
            witness = Witness(self.service, place.name)
            began = time.monotonic()
            harm.do(place)
            if in_the_notebook:
                assert harm.code
                until_told(place.notebook.client, harm.code)
            else:
                witness.until(harm.word)
            return time.monotonic() - began

    # ---- Launches that come to nothing

    def launches(self) -> dict[str, tuple[str, str, Container, list[str]]]:
        """Their word, their code, where they are tried, and how."""
        bare = f"kr-bench-{uuid.uuid4().hex[:8]}"
        docker("run", "--detach", "--init", "--name", bare, IMAGE, "sleep", "infinity")
        without = self.up()
        without.run("sh", "-c", "mv $(python3 -c 'import ipykernel_launcher as l; print(l.__file__)') /tmp/away.py")
        return {
            "ports missing": ("failed", "KR-ROUTE-NONE", self.service.watch(Container(bare)), ["--route", "published"]),
            "ipykernel missing": ("failed", "KR-IPYKERNEL-MISSING", without, []),
            "Python missing": ("failed", "KR-PYTHON-MISSING", self.service.up(SCRATCH), []),
        }

    def launch_seconds(self, word: str, code: str, container: Container, words: list[str], in_the_notebook: bool) -> float:
        spec = self.service.add(self.folder / uuid.uuid4().hex, container, *words)
        began = time.monotonic()
        argv = spec.argv(Path("{connection_file}"))
        with launched(self.service, argv, self.folder / uuid.uuid4().hex, has_kernel=False) as (_, connection):
            if not in_the_notebook:
                Witness(self.service, container.name).until(word)
                return time.monotonic() - began
            with connected(connection) as client:
                client.execute("1")
                until_told(client, code)
                return time.monotonic() - began


def measured(bench: Bench, rounds: int, only: str) -> dict[str, dict[str, object]]:
    """Of each harm its word and the seconds, by where it was looked for."""
    table: dict[str, dict[str, object]] = {}
    rows: list[tuple[str, str, str | None, Callable[[bool], float]]] = [
        (harm.name, harm.word, harm.code, lambda told, harm=harm: bench.seconds(harm, told)) for harm in HARMS
    ]
    rows += [
        (name, row[0], row[1], lambda told, row=row: bench.launch_seconds(*row, told)) for name, row in bench.launches().items()
    ]
    for _ in range(rounds):
        for name, word, code, take in rows:
            if only not in name:
                continue
            row = table.setdefault(name, {"word": word, "status": [], "notebook": []})
            row["status"] += [take(False)]
            row["notebook"] += [take(True)] if code else []
    return table


def shown(table: dict[str, dict[str, object]], rounds: int) -> list[str]:
    """Prints it, and gives the names of those that took too long."""
    print(f"\nseconds until it shows, median and longest of {rounds}; at most {MOST:g}")
    print(f"{'harm':20}{'word':20}{'in the status':>16}{'in the notebook':>18}")
    missed = []
    for name, row in table.items():
        cells = [f"{statistics.median(all):.2f} {max(all):6.2f}" if (all := row[where]) else "-" for where in ("status", "notebook")]
        is_met = max(row["status"] + row["notebook"]) < MOST
        missed += [] if is_met else [name]
        print(f"{name:20}{row['word']:20}{cells[0]:>16}{cells[1]:>18}   {'met' if is_met else 'MISSED'}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description="From harm to word.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="harms with this in their name")
    parser.add_argument("--output", type=Path, default=ROOT / "bench-verdicts.json")
    asked = parser.parse_args()
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    docker("import", "-", SCRATCH, stdin=empty.getvalue())
    service = Service()
    bench: Bench | None = None
    try:
        service.relayd("start")
        bench = Bench(service)
        table = measured(bench, asked.rounds, asked.only)
    finally:
        if bench:
            bench.door.shut()
        service.close()
        docker("image", "rm", SCRATCH)
    asked.output.write_text(json.dumps({"schema_version": 2, "most": MOST, "harms": table}, indent=2) + "\n")
    return 1 if shown(table, asked.rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
