"""A kernel that publishes as fast as it is let: python3 burst_kernel.py CONNECTION_FILE

Told on shell to `execute` the code "COUNT SIZE", it publishes COUNT messages with an unsigned buffer of SIZE bytes each,
numbered, and waits for whoever is slow. It echoes heartbeats and answers kernel_info_request and shutdown_request.
"""

import hashlib
import hmac
import json
import sys
import uuid

import zmq

DELIMITER = b"<IDS|MSG>"
INFO = {
    "status": "ok", "protocol_version": "5.3", "implementation": "burst", "implementation_version": "1",
    "language_info": {"name": "none", "version": "1", "mimetype": "text/plain", "file_extension": ".txt"},
    "banner": "burst", "help_links": [],
}


class Kernel:
    def __init__(self, info: dict) -> None:
        self.key = info["key"].encode()
        self.context = zmq.Context()
        self.sockets = {}
        for channel in ("shell", "control", "stdin", "iopub", "hb"):
            socket = self.context.socket(zmq.XPUB if channel == "iopub" else zmq.ROUTER)
            if channel == "iopub":
                # Waits instead of dropping: what is measured is the way, and all of it is to arrive.
                socket.setsockopt(zmq.XPUB_NODROP, 1)
            separator = ":" if info["transport"] == "tcp" else "-"
            socket.bind(f"{info['transport']}://{info['ip']}{separator}{info[channel + '_port']}")
            self.sockets[channel] = socket

    def frames(self, kind: str, content: dict, parent: dict) -> list[bytes]:
        header = {**parent, "msg_id": uuid.uuid4().hex, "msg_type": kind}
        parts = [json.dumps(part).encode() for part in (header, parent, {}, content)]
        return [DELIMITER, hmac.new(self.key, b"".join(parts), hashlib.sha256).hexdigest().encode(), *parts]

    def publish(self, kind: str, content: dict, parent: dict, *buffers: bytes) -> None:
        self.sockets["iopub"].send_multipart([kind.encode(), *self.frames(kind, content, parent), *buffers], copy=False)

    def burst(self, code: str, parent: dict) -> None:
        count, size = map(int, code.split())
        buffer = bytes(size)
        for number in range(count):
            self.publish("display_data", {"number": number}, parent, buffer)

    def answer(self, socket: zmq.Socket) -> bool:
        frames = socket.recv_multipart()
        split = frames.index(DELIMITER)
        request, content = json.loads(frames[split + 2]), json.loads(frames[split + 5])
        kind = request["msg_type"]
        self.publish("status", {"execution_state": "busy"}, request)
        if kind == "execute_request":
            self.burst(content["code"], request)
        reply = INFO if kind == "kernel_info_request" else {"status": "ok", "execution_count": 1, "restart": False}
        socket.send_multipart([*frames[:split], *self.frames(kind.replace("_request", "_reply"), reply, request)])
        self.publish("status", {"execution_state": "idle"}, request)
        return kind != "shutdown_request"

    def run(self) -> None:
        poller = zmq.Poller()
        for channel in ("shell", "control", "hb"):
            poller.register(self.sockets[channel], zmq.POLLIN)
        going = True
        while going:
            for socket, _ in poller.poll():
                if socket is self.sockets["hb"]:
                    socket.send_multipart(socket.recv_multipart())
                else:
                    going = self.answer(socket) and going
        self.context.destroy(linger=500)


if __name__ == "__main__":
    with open(sys.argv[-1]) as file:
        Kernel(json.load(file)).run()
