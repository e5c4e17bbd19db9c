"""Nothing is lost, whatever the size, and however late the client reads."""

from __future__ import annotations

from clients import await_reply, connected, outcome, run
from processes import Line
from volume import MEGABYTE, WRITE, assert_whole


def test_fifty_megabytes_of_output(newest: Line) -> None:
    with connected(newest.front) as client:
        assert_whole(run(client, WRITE.format(count=50, size=MEGABYTE)), 50, MEGABYTE)


def test_fifty_megabytes_read_late(newest: Line) -> None:
    """The cell is done before the client takes its first piece; its queue holds two, so the relay must.

    900 pieces, because ipykernel itself drops what exceeds its own queue of 1,000.
    """
    size = 50 * MEGABYTE // 900
    with connected(newest.front, depth=2) as client:
        request = client.execute(WRITE.format(count=900, size=size))
        reply = await_reply(client.get_shell_msg, request)
        late = outcome(client, request, reply)
        assert_whole(late, 900, size)


def test_many_small_pieces_read_late(newest: Line) -> None:
    """More messages than any default queue: a relay that leaves the holding to libzmq loses some."""
    with connected(newest.front, depth=2) as client:
        request = client.execute(WRITE.format(count=8_000, size=2_000))
        reply = await_reply(client.get_shell_msg, request)
        assert_whole(outcome(client, request, reply), 8_000, 2_000)


def test_a_slow_client_does_not_starve_another(newest: Line) -> None:
    """One client reads nothing at all while another works; both get every byte in the end."""
    with connected(newest.front, depth=2) as slow, connected(newest.front) as quick:
        request = slow.execute(WRITE.format(count=30, size=MEGABYTE))
        reply = await_reply(slow.get_shell_msg, request)
        assert quick.execute("1", reply=True, timeout=20)["content"]["status"] == "ok"
        assert_whole(outcome(slow, request, reply), 30, MEGABYTE)


def test_display_of_twenty_megabytes(newest: Line) -> None:
    code = """
from IPython.display import display
display({"text/plain": "big", "application/x-big": "".join(f"{n:07d}," for n in range(2_500_000))}, raw=True)
"""
    with connected(newest.front) as client:
        (shown,) = run(client, code).of("display_data")
        wanted = "".join(f"{n:07d}," for n in range(2_500_000))
        assert shown["content"]["data"]["application/x-big"] == wanted


def test_five_megabytes_of_code(newest: Line) -> None:
    with connected(newest.front) as client:
        done = run(client, f"len({'y' * (5 * MEGABYTE)!r})")
        assert [result["content"]["data"]["text/plain"] for result in done.of("execute_result")] == ["5000000"]
