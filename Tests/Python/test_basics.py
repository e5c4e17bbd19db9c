"""What every cell needs, through the relay, for each age of ipykernel."""

from __future__ import annotations

import threading

import pytest
from jupyter_client import BlockingKernelClient
from jupyter_client.channels import HBChannel

import comms
from clients import ask, await_reply, await_text, outcome, run, sleeping
from processes import Line

SLEEP = sleeping("started")
SPIN = "print('started', flush=True)\nwhile True: pass"


def test_execute_brings_output_and_reply(client: BlockingKernelClient) -> None:
    done = run(client, "import sys\nprint('größe 🦉')\nprint('aside', file=sys.stderr)\n6 * 7")
    assert done.reply["content"]["status"] == "ok"
    assert done.text() == "größe 🦉\n"
    assert done.text("stderr") == "aside\n"
    assert [result["content"]["data"]["text/plain"] for result in done.of("execute_result")] == ["42"]
    states = [status["content"]["execution_state"] for status in done.of("status")]
    assert states == ["busy", "idle"]


def test_an_error_is_told_twice(client: BlockingKernelClient) -> None:
    done = run(client, "1 / 0")
    assert done.reply["content"]["ename"] == "ZeroDivisionError"
    assert [error["content"]["ename"] for error in done.of("error")] == ["ZeroDivisionError"]


def test_metadata_and_parent_come_back(client: BlockingKernelClient) -> None:
    request = client.session.msg("execute_request", {"code": "pass", "silent": False}, metadata={"cellId": "☕"})
    client.shell_channel.send(request)
    done = outcome(client, request["header"]["msg_id"])
    parent = {name: done.reply["parent_header"][name] for name in ("msg_id", "session", "username", "msg_type")}
    assert parent == {name: request["header"][name] for name in parent}


def test_input_asks_and_takes(client: BlockingKernelClient) -> None:
    request = client.execute("print('hello ' + input('who? '))", allow_stdin=True)
    question = await_reply(client.get_stdin_msg, request)
    assert question["msg_type"] == "input_request"
    assert question["content"]["prompt"] == "who? "
    client.input("Ada")
    assert "hello Ada\n" in outcome(client, request).text()


@pytest.mark.parametrize("code", [SLEEP, SPIN], ids=["sleep", "loop"])
def test_interrupt_by_signal(client: BlockingKernelClient, line: Line, code: str) -> None:
    # Old kernels abort for a moment whatever follows an error; the next request is not to be caught by that.
    request = client.execute(code, stop_on_error=False)
    await_text(client, "started")
    line.kernel.interrupt()
    assert outcome(client, request).reply["content"]["ename"] == "KeyboardInterrupt"
    assert run(client, "'alive'").reply["content"]["status"] == "ok"


# ipykernel 5 knows no interrupt_request: Jupyter interrupts it by signal.
@pytest.mark.parametrize("line", ["ipykernel-7", "ipykernel-6"], indirect=True)
@pytest.mark.parametrize("code", [SLEEP, SPIN], ids=["sleep", "loop"])
def test_interrupt_by_message(client: BlockingKernelClient, code: str) -> None:
    request = client.execute(code)
    await_text(client, "started")
    stop = ask(client, "interrupt_request", {})
    assert await_reply(client.get_control_msg, stop)["msg_type"] == "interrupt_reply"
    assert outcome(client, request).reply["content"]["ename"] == "KeyboardInterrupt"


def test_complete(client: BlockingKernelClient) -> None:
    run(client, "relayed_value = 1")
    reply = client.complete("relayed_va", reply=True, timeout=20)
    assert "relayed_value" in reply["content"]["matches"]


def test_inspect(client: BlockingKernelClient) -> None:
    reply = client.inspect("print", reply=True, timeout=20)
    assert reply["content"]["found"]
    assert "text/plain" in reply["content"]["data"]


def test_comm_opened_by_the_kernel(client: BlockingKernelClient) -> None:
    comms.open_by_the_kernel(client)


def test_comm_opened_by_the_client(client: BlockingKernelClient) -> None:
    comms.open_by_the_client(client)


def test_heartbeat(client: BlockingKernelClient, line: Line) -> None:
    """The real HBChannel beats while the kernel computes, and what a ping carries comes back."""
    failed = threading.Event()
    channel = HBChannel(client.context, client.session, client._make_url("hb"))
    channel.time_to_dead = 0.2
    channel.call_handlers = lambda since: failed.set()
    request = client.execute(SLEEP)
    await_text(client, "started")
    channel.start()
    try:
        for word in (b"ping", b"", bytes(range(256))):
            probe = client.connect_hb()
            probe.send(word)
            assert probe.poll(5_000)
            assert probe.recv() == word
            probe.close(linger=0)
        assert not failed.wait(4 * channel.time_to_dead)
        assert channel.is_beating()
    finally:
        channel.stop()
    line.kernel.interrupt()
    outcome(client, request)
