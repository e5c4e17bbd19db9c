"""A jupyter_client at the front of a relay, and what a test asks of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client import BlockingKernelClient

from processes import PATIENCE

Message = dict[str, Any]


@dataclass
class Outcome:
    """Everything that one request brought back."""

    reply: Message
    messages: list[Message] = field(default_factory=list)

    def of(self, msg_type: str) -> list[Message]:
        return [message for message in self.messages if message["msg_type"] == msg_type]

    def text(self, name: str = "stdout") -> str:
        streams = (message["content"] for message in self.of("stream"))
        return "".join(stream["text"] for stream in streams if stream["name"] == name)


@contextmanager
def connected(
    connection: Path, *, subscribe: bool = True, depth: int | None = None, patience: float = PATIENCE
) -> Iterator[BlockingKernelClient]:
    """A client with all channels open and, unless `subscribe` is off, known to hear iopub.

    `depth` is how many messages its sockets queue: a small one makes it a client that reads late.
    """
    context = zmq.Context()
    if depth is not None:
        context.rcvhwm = depth
    client = BlockingKernelClient(context=context, connection_file=str(connection))
    client.load_connection_file()
    # A kernel drops its input_request, and waits for the answer for ever, while stdin is not yet
    # connected. This makes stdin alone writable only once it is; the others must never block a send.
    context.immediate = 1
    stdin = client.stdin_channel.socket
    context.immediate = 0
    client.start_channels()
    try:
        if subscribe:
            assert stdin.poll(patience * 1_000, zmq.POLLOUT), "stdin does not connect"
            until_heard(client, patience)
        yield client
    finally:
        client.stop_channels()
        context.destroy(linger=0)


def until_heard(client: BlockingKernelClient, patience: float = PATIENCE) -> None:
    """Ask until iopub brings the answer too: a subscription takes its own way and its own time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        request = client.kernel_info()
        heard = time.monotonic() + 1
        while (left := heard - time.monotonic()) > 0:
            try:
                message = client.get_iopub_msg(timeout=left)
            except Empty:
                break
            if idle_after(message, request):
                await_reply(client.get_shell_msg, request)
                return
    raise AssertionError("the kernel does not answer")


def idle_after(message: Message, request: str) -> bool:
    return (
        message["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
        and message["parent_header"].get("msg_id") == request
    )


def sleeping(word: str = "asleep", *, seconds: int = 60) -> str:
    """A cell that says the word and sleeps, to be interrupted. It does so in pieces: a signal that comes after Python has
    looked for one, and before the system's call has begun, is seen at the call's end only, whoever sent it and however."""
    return f"import time\nprint({word!r}, flush=True)\nany(time.sleep(0.5) for _ in range({2 * seconds}))"


def await_message(
    receive: Callable[..., Message], found: Callable[[Message], bool], patience: float = PATIENCE
) -> Message:
    """The first message that fits; what comes before it is somebody else's."""
    deadline = time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        try:
            message = receive(timeout=left)
        except Empty:
            break
        if found(message):
            return message
    raise AssertionError("the awaited message did not come")


def await_reply(receive: Callable[..., Message], request: str, patience: float = PATIENCE) -> Message:
    return await_message(receive, lambda message: message["parent_header"].get("msg_id") == request, patience)


def await_text(client: BlockingKernelClient, text: str) -> Message:
    return await_message(client.get_iopub_msg, lambda message: text in message["content"].get("text", ""))


def ask(client: BlockingKernelClient, msg_type: str, content: Message, **options: Any) -> str:
    """Send a control request and give its id."""
    request = client.session.msg(msg_type, content, **options)
    client.control_channel.send(request)
    return str(request["header"]["msg_id"])


def outcome(
    client: BlockingKernelClient, request: str, reply: Message | None = None, patience: float = PATIENCE
) -> Outcome:
    """Collect a request's messages up to its idle, and its reply unless that has been taken already."""
    messages: list[Message] = []

    def take(message: Message) -> bool:
        if message["parent_header"].get("msg_id") == request:
            messages.append(message)
        return idle_after(message, request)

    await_message(client.get_iopub_msg, take, patience)
    return Outcome(reply or await_reply(client.get_shell_msg, request, patience), messages)


def run(client: BlockingKernelClient, code: str, **options: Any) -> Outcome:
    return outcome(client, client.execute(code, **options))
