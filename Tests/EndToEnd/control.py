"""The control socket, spoken by hand: protocol/control.md."""

from __future__ import annotations

import json
import socket
import struct

from processes import PATIENCE
from service import Service


def connected_to(service: Service) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(PATIENCE)
    link.connect(str(service.folder / "relayd.sock"))
    return link


def framed(message: object, stream: int = 0) -> bytes:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">II", len(payload), stream) + payload


def answer(link: socket.socket) -> dict:
    def exactly(count: int) -> bytes:
        taken = b""
        while len(taken) < count:
            more = link.recv(count - len(taken))
            assert more, "relayd hung up"
            taken += more
        return taken

    length, _ = struct.unpack(">II", exactly(8))
    return dict(json.loads(exactly(length)))
