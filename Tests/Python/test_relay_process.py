"""The relay as a process: it starts, ends and fails by its contract, with or without a kernel."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from clients import connected
from processes import PATIENCE, Line, Relay, ports_of, relay_executable, write_connection


def pair(folder: Path) -> tuple[Path, Path]:
    return write_connection(folder / "front.json", "A"), write_connection(folder / "back.json", "B")


@pytest.mark.parametrize("by", [None, signal.SIGTERM, signal.SIGINT], ids=["eof", "SIGTERM", "SIGINT"])
def test_ends_without_a_kernel(tmp_path: Path, by: signal.Signals | None) -> None:
    relay = Relay([pair(tmp_path)], tmp_path / "relay")
    relay.start()
    relay.stop(by)


def test_ends_with_requests_for_a_kernel_that_never_came(tmp_path: Path) -> None:
    """An unsent heartbeat or request must not hold up the exit."""
    relay = Relay([pair(tmp_path)], tmp_path / "relay")
    relay.start()
    with connected(relay.pairs[0][0], subscribe=False) as client:
        client.execute("1")
        probe = client.connect_hb()
        probe.send(b"ping")
        assert not probe.poll(100), "the relay answered for a kernel that is not there"
        probe.close(linger=0)
        relay.stop()


def test_the_same_ports_serve_again_at_once(tmp_path: Path) -> None:
    files = pair(tmp_path)
    for number in range(5):
        relay = Relay([files], tmp_path / f"relay-{number}")
        relay.start()
        relay.stop()


def test_relative_ipc_front_starts_at_the_working_directory(tmp_path: Path) -> None:
    front = write_connection(tmp_path / "front.json", "A", transport="ipc", ip="here-ipc")
    relay = Relay([(front, write_connection(tmp_path / "back.json", "B"))], tmp_path / "relay")
    relay.start()
    assert sorted(path.name for path in relay.folder.iterdir()) == [f"here-ipc-{n}" for n in range(1, 6)]
    relay.stop()


def test_bare_connections_and_noise_do_no_harm(newest: Line) -> None:
    """VS Code looks at the ports by a raw connection; a browser or a scanner sends what it likes."""
    for port in ports_of(newest.front):
        for noise in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", bytes(range(256)), b"\xff" + b"\x00" * 8):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                probe.sendall(noise)
    with connected(newest.front) as client:
        assert client.execute("1", reply=True, timeout=20)["content"]["status"] == "ok"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    front, back = pair(tmp_path)
    with socket.socket() as taken:
        # A connection that ended on this port a moment ago is not in the way.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", ports_of(front)[2]))
        taken.listen()
        done = subprocess.run([relay_executable(), front, back], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.startswith("KR-PORT-IN-USE"), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_one_file_for_both_sides_is_refused(tmp_path: Path) -> None:
    front, _ = pair(tmp_path)
    done = subprocess.run([relay_executable(), front, front], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert done.stderr.startswith("KR-CONNECTION-LOOP"), done.stderr


def test_jupyter_starts_it_as_a_kernel(newest: Line, tmp_path: Path) -> None:
    """As in the README: Jupyter makes the front's file, and gives the relay a standard input that is at its end."""
    spec = {"argv": [str(relay_executable()), "{connection_file}", str(newest.kernel.connection)], "display_name": "relayed"}
    folder = tmp_path / "kernels" / "relayed"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec | {"language": "python", "interrupt_mode": "message"}))
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
    manager = KernelManager(kernel_name="relayed", kernel_spec_manager=specs)
    manager.start_kernel(stdout=subprocess.DEVNULL)
    try:
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=PATIENCE)
            assert client.execute("6 * 7", reply=True, timeout=PATIENCE)["content"]["status"] == "ok"
        finally:
            client.stop_channels()
    finally:
        # At once: a shutdown request would end the kernel, which other tests use too.
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("arguments", [[], ["front.json"], ["front.json", "back.json", "front.json"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    done = subprocess.run([relay_executable(), *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert done.stdout == "" and done.stderr
