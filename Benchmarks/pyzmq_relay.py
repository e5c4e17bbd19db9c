"""A re-signing relay as a competent Python programmer would write it on pyzmq.

Usage: pyzmq_relay.py FRONT.json BACK.json

One poller, one thread. Frames are taken without copying, the HMAC is keyed once and copied for each message, a
message is parsed no further than its delimiter, and each turn drains a socket before it polls again (in bounded
bursts, control first). What it sends has no high-water mark, so nothing is lost and nothing blocks the loop; what it
receives has the default one, so a flood waits in the kernel and not in here.
Prints `relaying` once bound and ends at the end of its standard input.
"""

import hashlib
import hmac
import json
import sys

import zmq

DELIMITER = b"<IDS|MSG>"
BURST = 100


class Signer:
    def __init__(self, key):
        self.keyed = hmac.new(key.encode(), digestmod=hashlib.sha256) if key else None

    def sign(self, parts):
        if self.keyed is None:
            return b""
        code = self.keyed.copy()
        for part in parts:
            code.update(part.buffer)
        return code.hexdigest().encode()


def endpoint(info, channel):
    separator = ":" if info["transport"] == "tcp" else "-"
    return f"{info['transport']}://{info['ip']}{separator}{info[channel + '_port']}"


def forward(source, target, verifier, signer):
    """Moves up to BURST messages, each verified under one key and signed under the other."""
    for _ in range(BURST):
        try:
            frames = source.recv_multipart(zmq.DONTWAIT, copy=False)
        except zmq.Again:
            return
        for split, frame in enumerate(frames):
            if len(frame) == 9 and frame.bytes == DELIMITER:
                break
        else:
            continue
        parts = frames[split + 2 : split + 6]
        if len(parts) < 4:
            continue
        if verifier.keyed is not None:
            if not hmac.compare_digest(verifier.sign(parts), frames[split + 1].bytes):
                continue
        frames[split + 1] = signer.sign(parts)
        target.send_multipart(frames, copy=False)


def pass_on(source, target):
    """Moves what carries no signature: heartbeats and subscriptions."""
    for _ in range(BURST):
        try:
            target.send_multipart(source.recv_multipart(zmq.DONTWAIT))
        except zmq.Again:
            return


def main():
    with open(sys.argv[1]) as file:
        front_info = json.load(file)
    with open(sys.argv[2]) as file:
        back_info = json.load(file)
    outer, inner = Signer(front_info["key"]), Signer(back_info["key"])
    context = zmq.Context()
    poller = zmq.Poller()
    routes = {}
    identity = f"pyzmq-relay-{front_info['shell_port']}".encode()
    for channel in ("control", "stdin", "shell", "iopub", "hb"):
        front = context.socket(zmq.XPUB if channel == "iopub" else zmq.ROUTER)
        back = context.socket(zmq.XSUB if channel == "iopub" else zmq.DEALER)
        for socket in (front, back):
            socket.linger = 0
            socket.sndhwm = 0
            poller.register(socket, zmq.POLLIN)
        if channel in ("shell", "stdin"):
            back.setsockopt(zmq.ROUTING_ID, identity)
        front.bind(endpoint(front_info, channel))
        back.connect(endpoint(back_info, channel))
        if channel == "hb":
            routes[front] = lambda a=front, b=back: pass_on(a, b)
            routes[back] = lambda a=back, b=front: pass_on(a, b)
        elif channel == "iopub":
            routes[front] = lambda a=front, b=back: pass_on(a, b)
            routes[back] = lambda a=back, b=front: forward(a, b, inner, outer)
        else:
            routes[front] = lambda a=front, b=back: forward(a, b, outer, inner)
            routes[back] = lambda a=back, b=front: forward(a, b, inner, outer)
    poller.register(sys.stdin.fileno(), zmq.POLLIN)
    print("relaying", flush=True)
    while True:
        for source, _ in poller.poll():
            route = routes.get(source)
            if route is None:
                context.destroy(linger=0)
                return
            route()


if __name__ == "__main__":
    main()
