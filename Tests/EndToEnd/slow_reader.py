"""A client that connects and does not read.

What a test has a kernel say to it has fewer than a thousand messages: beyond them ipykernel drops what a busy machine's relay
has not taken yet, and that would be blamed on the client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq


@contextmanager
def not_reading(connection: Path) -> Iterator[None]:
    """A subscriber that takes its connection's first bytes, and then nothing."""
    info = json.loads(connection.read_bytes())
    context = zmq.Context()
    # The smallest pipe and buffer, so that what is not read shows soon.
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.RCVHWM, 1)
    subscriber.setsockopt(zmq.RCVBUF, 4096)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    monitor = subscriber.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    subscriber.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
    try:
        assert monitor.poll(20_000), "the subscriber does not connect"
        yield
    finally:
        subscriber.disable_monitor()
        context.destroy(linger=0)
