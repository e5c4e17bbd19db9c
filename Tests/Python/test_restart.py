"""The kernel dies, ends or comes late; the relay stays, and finds the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from jupyter_client.channels import HBChannel

from clients import await_reply, await_text, connected, outcome, run, until_heard
from processes import PATIENCE, Kernel, Line, Relay, write_connection


def test_a_killed_kernel_is_found_again(fresh: Callable[..., Line]) -> None:
    line = fresh()
    with connected(line.front) as client:
        run(client, "before = True")
        client.execute("print('started', flush=True)\nimport time\ntime.sleep(60)")
        await_text(client, "started")
        line.kernel.kill()

        dead = threading.Event()
        channel = HBChannel(client.context, client.session, client._make_url("hb"))
        channel.time_to_dead = 0.2
        channel.call_handlers = lambda since: dead.set()
        channel.start()
        try:
            # The relay does not answer for a kernel that is gone.
            assert dead.wait(PATIENCE)
        finally:
            channel.stop()

        line.kernel.start()
        until_heard(client)
        done = run(client, "print('before' in globals())")
        assert done.text() == "False\n"
        asking = client.execute("print(input('? '))", allow_stdin=True)
        await_reply(client.get_stdin_msg, asking)
        client.input("again")
        assert outcome(client, asking).text() == "again\n"


def test_three_restarts_in_a_row(fresh: Callable[..., Line]) -> None:
    line = fresh()
    with connected(line.front) as client:
        for number in range(3):
            assert run(client, f"print({number})").text() == f"{number}\n"
            line.kernel.kill()
            line.kernel.start()
            until_heard(client)


def test_the_relay_may_be_first(tmp_path: Path) -> None:
    """The front is bound before there is a kernel; what a client asks meanwhile is answered in the end."""
    front, back = write_connection(tmp_path / "front.json", "A"), write_connection(tmp_path / "back.json", "B")
    relay, kernel = Relay([(front, back)], tmp_path / "relay"), Kernel(back, tmp_path)
    relay.start()
    try:
        with connected(front, subscribe=False) as client:
            request = client.execute("print('at last')")
            kernel.start()
            try:
                done = outcome(client, request)
                assert done.text() == "at last\n"
                states = [status["content"]["execution_state"] for status in done.of("status")]
                assert states == ["busy", "idle"], "the first busy was lost"
            finally:
                kernel.stop()
    finally:
        relay.stop()


def test_the_last_words_arrive(fresh: Callable[..., Line]) -> None:
    """A shutdown's reply comes through although its sender ends right after it."""
    line = fresh()
    with connected(line.front) as client:
        reply = client.shutdown(reply=True, timeout=PATIENCE)
        assert reply["msg_type"] == "shutdown_reply"


def test_shutdown_by_a_cell_brings_its_reply(fresh: Callable[..., Line]) -> None:
    line = fresh()
    with connected(line.front) as client:
        done = run(client, "print('bye')\nexit()")
        assert done.text() == "bye\n"
        assert done.reply["content"]["status"] == "ok"
