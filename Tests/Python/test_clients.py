"""Several clients on one kernel, several kernels in one process, and clients that have no business here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import zmq

from clients import ask, await_message, await_reply, connected, outcome, run
from processes import PATIENCE, Kernel, Line, Relay, write_connection


def test_two_clients_have_their_own_replies_and_input(line: Line) -> None:
    with connected(line.front) as one, connected(line.front) as two:
        asking = {client: client.execute("print(input('? '))", allow_stdin=True) for client in (one, two)}
        clients = {client.stdin_channel.socket: client for client in asking}
        poller = zmq.Poller()
        for socket in clients:
            poller.register(socket, zmq.POLLIN)
        # Either may be asked first, and the second only when the first has answered.
        for number in range(2):
            ((socket, _),) = poller.poll(PATIENCE * 1_000)
            client = clients[socket]
            question = client.get_stdin_msg(timeout=0)
            assert question["parent_header"]["msg_id"] == asking[client]
            client.input(f"answer {number}")
            assert outcome(client, asking.pop(client)).text() == f"answer {number}\n"
        assert not asking
        for client in (one, two):
            assert not client.stdin_channel.socket.poll(0)
            assert not client.shell_channel.socket.poll(0)


def test_every_client_hears_the_output_of_all(line: Line) -> None:
    with connected(line.front) as one, connected(line.front) as two:
        request = one.execute("print('for all')")
        heard = await_message(two.get_iopub_msg, lambda m: m["content"].get("text", "") == "for all\n")
        assert heard["parent_header"]["msg_id"] == request
        outcome(one, request)


def test_a_client_may_return_with_its_identity(line: Line) -> None:
    """jupyter_server reconnects shell, control and stdin under the identity that it had."""
    with connected(line.front) as client:
        client.shell_channel.socket.close(linger=0)
        for _ in range(3):
            socket = client.connect_shell(identity=b"the-same-again")
            request = client.session.send(socket, "kernel_info_request")
            assert socket.poll(10_000)
            reply = client.session.recv(socket)[1]
            assert reply["parent_header"]["msg_id"] == request["header"]["msg_id"]
            socket.close(linger=0)
        client._shell_channel = None


def test_a_subscriber_is_welcomed(fresh: Callable[..., Line]) -> None:
    """ipykernel >= 7.2 greets a subscription that is new to it, and the greeting bears the front's key.

    Its XPUB is not verbose: it hears of a topic only when nobody had it before. So the client here is
    the first; a second one beside it is not greeted by a kernel without a relay either.
    """
    with connected(fresh().front, subscribe=False) as client:
        welcome = await_message(client.get_iopub_msg, lambda message: message["msg_type"] == "iopub_welcome")
        assert welcome["content"] == {"subscription": ""}
        assert welcome["parent_header"] == {}


def test_a_later_subscriber_is_welcomed(fresh: Callable[..., Line]) -> None:
    """A notebook is closed and opened again: the kernel, left by all, would greet the one who returns."""
    line = fresh()
    with connected(line.front):
        pass
    with connected(line.front, subscribe=False) as client:
        await_message(client.get_iopub_msg, lambda message: message["msg_type"] == "iopub_welcome")


def test_subshells_keep_their_id(newest: Line) -> None:
    with connected(newest.front) as client:
        made = await_reply(client.get_control_msg, ask(client, "create_subshell_request", {}))
        subshell = made["content"]["subshell_id"]
        # The main shell waits for a value that only the subshell can give, so both run at once.
        waiting = client.execute("import threading\ngate = threading.Event()\nprint('waiting')\ngate.wait(20)")
        await_message(client.get_iopub_msg, lambda m: m["content"].get("text") == "waiting\n")
        request = client.session.msg("execute_request", {"code": "gate.set()", "silent": False})
        request["header"]["subshell_id"] = subshell
        client.shell_channel.send(request)
        replies = {}
        while len(replies) < 2:
            reply = client.get_shell_msg(timeout=20)
            replies[reply["parent_header"]["msg_id"]] = reply
        assert replies[request["header"]["msg_id"]]["parent_header"]["subshell_id"] == subshell
        assert replies[waiting]["content"]["status"] == "ok"
        gone = ask(client, "delete_subshell_request", {"subshell_id": subshell})
        assert await_reply(client.get_control_msg, gone)["content"]["status"] == "ok"


def test_a_client_with_a_wrong_key_gets_nothing(newest: Line, tmp_path: Path) -> None:
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps({**json.loads(newest.front.read_bytes()), "key": "guessed"}))
    with connected(newest.front) as client, connected(forged, subscribe=False) as stranger:
        stranger.execute("forged = True")
        ask(stranger, "interrupt_request", {})
        # A round trip of a client with the right key: whatever the stranger could get, it has by then.
        done = run(client, "print('forged' in globals())")
        assert done.text() == "False\n"
        assert not stranger.shell_channel.socket.poll(200)
        assert not stranger.control_channel.socket.poll(0)


def test_two_kernels_in_one_relay_process(tmp_path: Path) -> None:
    files = {name: write_connection(tmp_path / f"{name}.json", f"key of {name}") for name in ("f1", "b1", "f2", "b2")}
    pairs = [(files["f1"], files["b1"]), (files["f2"], files["b2"])]
    kernels = [Kernel(back, tmp_path / back.stem) for _, back in pairs]
    relay = Relay(pairs, tmp_path / "relay")
    with ExitStack() as stack:
        for kernel in kernels:
            kernel.folder.mkdir()
            kernel.start()
            stack.callback(kernel.stop)
        relay.start()
        stack.callback(relay.stop)
        clients = [stack.enter_context(connected(front)) for front, _ in pairs]
        names = [str(uuid.uuid4()) for _ in pairs]
        for client, name in zip(clients, names, strict=True):
            run(client, f"name = {name!r}")
        assert [run(client, "print(name)").text().strip() for client in clients] == names


HASHES = ["hmac-md5", "hmac-sha512", "hmac-sha3_256", "hmac-blake2b"]
FRONTS_AND_BACKS: list[Any] = [
    pytest.param({"key": ""}, {}, id="unsigned-in-front"),
    pytest.param({}, {"key": ""}, id="unsigned-behind"),
    pytest.param({"key": ""}, {"key": ""}, id="unsigned-both"),
    pytest.param({"transport": "ipc", "ip": "front"}, {}, id="ipc-in-front"),
    pytest.param({}, {"transport": "ipc", "ip": "back"}, id="ipc-behind"),
    pytest.param({"curve": True}, {}, id="curve-in-front"),
    pytest.param({"curve": True}, {"curve": True}, id="curve-both"),
    pytest.param({"transport": "ipc", "ip": "front", "curve": True}, {}, id="curve-over-ipc"),
    pytest.param({"ip": "localhost"}, {}, id="localhost"),
    *(pytest.param({"signature_scheme": name}, {}, id=name) for name in HASHES),
]


@pytest.mark.parametrize(("front", "back"), FRONTS_AND_BACKS)
def test_fronts_and_backs_of_every_kind(
    fresh: Callable[..., Line], tmp_path: Path, front: dict[str, Any], back: dict[str, Any]
) -> None:
    for side in (front, back):
        if side.get("transport") == "ipc":
            side["ip"] = str(tmp_path / side["ip"])
    with connected(fresh(front=front, back=back).front) as client:
        request = client.execute("print(input('? '))", allow_stdin=True)
        await_reply(client.get_stdin_msg, request)
        client.input("through")
        assert outcome(client, request).text() == "through\n"
        assert client.hb_channel.is_beating()
        assert ask(client, "kernel_info_request", {})
        assert client.get_control_msg(timeout=20)["msg_type"] == "kernel_info_reply"


def test_a_plain_client_cannot_enter_a_curve_front(fresh: Callable[..., Line], tmp_path: Path) -> None:
    line = fresh(front={"curve": True})
    plain = tmp_path / "plain.json"
    content = json.loads(line.front.read_bytes())
    plain.write_text(json.dumps({name: value for name, value in content.items() if not name.startswith("curve_")}))
    with connected(line.front) as client, connected(plain, subscribe=False) as stranger:
        stranger.execute("forged = True")
        assert run(client, "print('forged' in globals())").text() == "False\n"
        assert not stranger.shell_channel.socket.poll(200)
