"""The lightest kernel that Jupyter takes for one: python3 light_kernel.py CONNECTION_FILE

It answers kernel_info_request, execute_request (printing the code back) and shutdown_request, and echoes heartbeats; told
to "be deaf", it echoes none from then on; told to "be silent", it does nothing at all before there is a file /tmp/go, for half a
minute at most, and then answers.
A hundred of these show what carries them; a hundred ipykernels show ipykernel.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import uuid

import zmq

DELIMITER = b"<IDS|MSG>"
INFO = {
    "status": "ok",
    "protocol_version": "5.3",
    "implementation": "light",
    "implementation_version": "1",
    "language_info": {"name": "none", "version": "1", "mimetype": "text/plain", "file_extension": ".txt"},
    "banner": "light",
    "help_links": [],
}


def main() -> None:
    with open(sys.argv[-1]) as file:
        info = json.load(file)
    key = info["key"].encode()
    context = zmq.Context()
    poller = zmq.Poller()
    sockets = {}
    for channel in ("shell", "control", "stdin", "iopub", "hb"):
        socket = context.socket(zmq.PUB if channel == "iopub" else zmq.ROUTER)
        separator = ":" if info["transport"] == "tcp" else "-"
        socket.bind(f"{info['transport']}://{info['ip']}{separator}{info[channel + '_port']}")
        sockets[channel] = socket
        if channel != "iopub":
            poller.register(socket, zmq.POLLIN)

    def send(socket, identities, kind, content, parent):
        header = {**parent, "msg_id": uuid.uuid4().hex, "msg_type": kind}
        parts = [json.dumps(part).encode() for part in (header, parent, {}, content)]
        digest = hmac.new(key, b"".join(parts), hashlib.sha256).hexdigest().encode() if key else b""
        socket.send_multipart([*identities, DELIMITER, digest, *parts])

    def publish(kind, content, parent):
        send(sockets["iopub"], [kind.encode()], kind, content, parent)

    def answer(socket):
        frames = socket.recv_multipart()
        split = frames.index(DELIMITER)
        request = json.loads(frames[split + 2])
        content = json.loads(frames[split + 5])
        kind = request["msg_type"]
        if content.get("code") == "be silent":
            for _ in range(600):
                if os.path.exists("/tmp/go"):
                    break
                time.sleep(0.05)
        publish("status", {"execution_state": "busy"}, request)
        reply = {"status": "ok"}
        if kind == "kernel_info_request":
            reply = INFO
        elif kind == "execute_request":
            publish("stream", {"name": "stdout", "text": content["code"]}, request)
            reply = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
            if content["code"] == "be deaf":
                poller.unregister(sockets["hb"])
        elif kind == "shutdown_request":
            reply = {"status": "ok", "restart": content.get("restart", False)}
        send(socket, frames[:split], kind.replace("_request", "_reply"), reply, request)
        publish("status", {"execution_state": "idle"}, request)
        return kind != "shutdown_request"

    going = True
    while going:
        for socket, _ in poller.poll():
            if socket is sockets["hb"]:
                socket.send_multipart(socket.recv_multipart())
            else:
                going = answer(socket) and going
    context.destroy(linger=500)


if __name__ == "__main__":
    main()
