"""The way to a kernel that needs no port and no address: over the gate's own link."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

import notebooks
from clients import Message, Outcome, await_message, await_reply, connected, outcome, run
from conftest import Open
from containers import Container
from notebooks import Notebook, launched
from service import Service, Spec, link_of
from test_many import light as light  # a fixture
from test_survival import until
from volume import MEGABYTE, WRITE, assert_whole

# Seconds for ten that start at one moment, and for a hundred megabytes, on whatever machine this is.
PATIENCE_WITH_TEN = 120.0


@pytest.fixture
def add(service: Service, container: Container, tmp_path: Path) -> Callable[..., Spec]:
    """As everywhere, by the tunnel."""

    def write(*arguments: str, container: Container = container) -> Spec:
        return service.add(tmp_path / "prefix", container, "--route", "tunnel", *arguments)

    return write


@pytest.fixture
def open_notebook(service: Service, tmp_path: Path) -> Open:
    number = iter(range(100))

    @contextmanager
    def open_one(spec: Spec, **options: Path) -> Iterator[Notebook]:
        with notebooks.opened(service, spec, tmp_path / f"notebook-{next(number)}", **options) as notebook:
            # Others may be on their way at the same time.
            routes = {kernel["connection_file"]: kernel["route"] for kernel in service.status()["kernels"]}
            assert routes[str(notebook.connection)] == "tunnel"
            yield notebook

    return open_one


def test_it_is_chosen_by_itself(
    run_by_hand: Callable[..., Container], fresh_service: Service, somebody: dict[str, object], tmp_path: Path
) -> None:
    """For a container without a port and without a network, and somebody who may not look into it."""
    alone = run_by_hand("--network", "none")
    service = Service(fresh_service.folder)
    argv = service.add(tmp_path / "prefix", alone).content["argv"]
    relayd = Path(argv[0]).with_name("relayd")
    if somebody:
        argv[0], relayd = str(fresh_service.folder / "relay-shim"), fresh_service.folder / "relayd"
    options = {"env": fresh_service.environment} | somebody
    try:
        with launched(fresh_service, argv, tmp_path / "shim", **somebody) as (_, connection):
            with connected(connection) as client:
                assert run(client, "print(6 * 7)").text() == "42\n"
                assert_whole(run(client, WRITE.format(count=5, size=MEGABYTE)), 5, MEGABYTE)
                status = subprocess.run(
                    [relayd, "status", "--json"], capture_output=True, text=True, check=True, **options
                ).stdout
        assert '"route":"tunnel"' in status.replace(" ", "")
    finally:
        subprocess.run([relayd, "stop"], check=True, **options)


def test_ten_kernels_at_once(service: Service, light: Callable[..., Spec], tmp_path: Path) -> None:
    ten_answer(service, light(), tmp_path)


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_ten_real_kernels_at_once(service: Service, add: Callable[..., Spec], tmp_path: Path) -> None:
    """With ten megabytes from each of them, which come at the same time."""
    ten_answer(service, add("--launch-timeout", "120"), tmp_path, WRITE.format(count=10, size=MEGABYTE))


def ten_answer(service: Service, spec: Spec, folder: Path, code: str = "") -> None:
    with ExitStack() as stack:
        clients = []
        for number in range(10):
            _, connection = stack.enter_context(launched(service, spec.content["argv"], folder / str(number)))
            clients.append(connection)
        clients = [stack.enter_context(connected(connection, patience=PATIENCE_WITH_TEN)) for connection in clients]
        assert [kernel["route"] for kernel in service.status()["kernels"]] == ["tunnel"] * 10
        asked = [client.execute(code or f"number {number}") for number, client in enumerate(clients)]
        for number, (client, request) in enumerate(zip(clients, asked, strict=True)):
            done = outcome(client, request, patience=PATIENCE_WITH_TEN)
            if code:
                assert_whole(done, 10, MEGABYTE)
            else:
                assert done.text() == f"number {number}"


def test_a_slow_client_holds_up_nobody_else(add: Callable[..., Spec], open_notebook: Open, service: Service) -> None:
    """One kernel's output is not read, and fills all that there is for it; the other's cells pass, and its output."""
    spec = add()
    with open_notebook(spec) as slow, open_notebook(spec) as quick:
        # A subscriber that never reads, with a queue of one message.
        with connected(slow.connection, subscribe=False, depth=1):
            # More than the relay and all queues and windows on the way hold.
            request = slow.client.execute(WRITE.format(count=3000, size=MEGABYTE // 10) + "import time\ntime.sleep(600)")

            def is_held_up() -> bool:
                held = [kernel["channels"]["iopub"]["to_client"]["held_bytes"] for kernel in service.status()["kernels"]]
                return max(held) >= 60 * MEGABYTE

            until(is_held_up, "the full hold")
            for number in range(20):
                assert quick.text(f"print({number})") == str(number)
            assert_whole(quick.run(WRITE.format(count=20, size=MEGABYTE)), 20, MEGABYTE)
            assert is_held_up()
            # And an interrupt gets through to the one that nobody reads.
            slow.manager.interrupt_kernel()
            assert await_reply(slow.client.get_shell_msg, request)["content"]["ename"] == "KeyboardInterrupt"


# Writes that wait after the first of each part, and the word that the part's last is written.
PARTS, IN_PART = 3, 20
IN_PARTS = f"""
import os, sys, time
for number in range({PARTS * IN_PART}):
    part, place = divmod(number, {IN_PART})
    while place == 1 and not os.path.exists(f"{{FOLDER}}/go-{{part}}"):
        time.sleep(0.01)
    sys.stdout.write(f"{{number:09d}}:" + "x" * ({MEGABYTE} - 11) + "\\n")
    sys.stdout.flush()
    if place == {IN_PART - 1}:
        open(f"{{FOLDER}}/written-{{part}}", "w").close()
print(input("? "), file=sys.stderr)
"""


def test_a_lost_link_loses_nothing(
    add: Callable[..., Spec], open_notebook: Open, service: Service, up: Callable[..., Container]
) -> None:
    """The engine's client is killed in the middle of each part of the output, and with a question open; the next link goes
    on where it was.

    In the middle for certain: a part's first piece has come over this link when it is stopped, and the part's last is
    written when it is killed. What it held is lost with it.
    """
    container = up()
    with open_notebook(add(container=container)) as notebook:
        relayd = psutil.Process(service.status()["pid"])
        request = notebook.client.execute("FOLDER = '/tmp'\n" + IN_PARTS, allow_stdin=True)
        heard: list[Message] = []

        def until_piece(number: int) -> None:
            def take(message: Message) -> bool:
                heard.append(message)
                return message["content"].get("text", "").startswith(f"{number:09d}:")

            await_message(notebook.client.get_iopub_msg, take)

        for part in range(PARTS):
            until_piece(part * IN_PART)
            client = link_of(relayd, container)
            client.suspend()
            written = f"while ! test -e /tmp/written-{part}; do sleep 0.05; done"
            container.run("sh", "-c", f"touch /tmp/go-{part}; {written}")
            client.kill()
            link_of(relayd, container, after=client)
        await_reply(notebook.client.get_stdin_msg, request)
        # With nothing but the question on its way.
        client = link_of(relayd, container)
        client.kill()
        link_of(relayd, container, after=client)
        notebook.client.input("still there")
        done = outcome(notebook.client, request)
        assert done.reply["content"]["status"] == "ok"
        whole = Outcome(done.reply, [message for message in heard if message["parent_header"].get("msg_id") == request] + done.messages)
        assert_whole(whole, PARTS * IN_PART, MEGABYTE)
        # To be told that its gate was silent, where the machine took its time over a part, is no loss.
        assert "still there\n" in whole.text("stderr")
        assert notebook.client.is_alive()


def test_a_slow_kernel_holds_up_nobody_else(
    add: Callable[..., Spec], open_notebook: Open, service: Service, up: Callable[..., Container]
) -> None:
    """One kernel reads nothing until all the room on the way to it is full; the other, behind the same gate, takes cells,
    large ones too, and gives its output. What waited arrives when the first one reads again, all of it and once."""
    container = up()
    spec = add(container=container)
    with open_notebook(spec) as slow, open_notebook(spec) as quick:
        assert [gate["container"] for gate in service.status()["gates"]].count(container.name) == 1
        pid = slow.text("import os\nseen = []\nprint(os.getpid())")
        container.run("sh", "-c", f"kill -STOP {pid}")
        # More than the relay's queue, the windows and the buffers of sockets hold.
        padding = {"padding": "x" * (MEGABYTE // 10)}
        count = 600
        for number in range(count):
            content = {"code": f"seen.append({number})", "silent": True}
            slow.client.shell_channel.send(slow.client.session.msg("execute_request", content, metadata=padding))

        def is_held_up() -> bool:
            kernels = {kernel["connection_file"]: kernel for kernel in service.status()["kernels"]}
            return kernels[str(slow.connection)]["channels"]["shell"]["to_kernel"]["held_messages"] > 0

        until(is_held_up, "the full way to the kernel")
        for number in range(20):
            assert quick.text(f"print({number})") == str(number)
        assert quick.text(f"print(len('{'y' * 5 * MEGABYTE}'))") == str(5 * MEGABYTE)
        assert_whole(quick.run(WRITE.format(count=20, size=MEGABYTE)), 20, MEGABYTE)
        assert is_held_up()
        container.run("sh", "-c", f"kill -CONT {pid}")
        # Behind all of them.
        asked = slow.client.execute(f"print(seen == list(range({count})))")
        assert outcome(slow.client, asked, patience=60).text() == "True\n"


def test_another_users_gate_holds_the_ports(
    up: Callable[..., Container], service: Service, open_notebook: Open, tmp_path: Path
) -> None:
    """Said as what it is; and both ways on are ways."""
    container = up()

    def add(*arguments: str) -> Spec:
        return service.add(tmp_path / "prefix", container, *arguments)

    with ExitStack() as stack:
        first = stack.enter_context(notebooks.opened(service, add("--route", "published"), tmp_path / "first"))
        spec = add("--exec-user", "nobody", "--workdir", "/tmp", "--route", "published")
        second = stack.enter_context(notebooks.opened(service, spec, tmp_path / "second"))
        told = run(second.client, "1 + 1").reply["content"]
        assert told["ename"] == "KR-PORTS-FOREIGN"
        assert any("--route tunnel" in line for line in told["traceback"])
        for choice in ("tunnel", "auto"):
            spec = add("--exec-user", "nobody", "--workdir", "/tmp", "--route", choice)
            third = stack.enter_context(notebooks.opened(service, spec, tmp_path / choice))
            assert third.text("import os\nprint(os.getuid())") == "65534"
        assert first.text("print(6 * 7)") == "42"
