"""Comms, the way of widgets: both sides open one, and buffers travel beside the message as they are."""

from __future__ import annotations

import os

from jupyter_client import BlockingKernelClient

from clients import await_message, run

BUFFERS = [bytes(range(256)), b"", os.urandom(70_000), b"<IDS|MSG>"]

KERNEL_COMM = """
try:
    from comm import create_comm
except ImportError:
    from ipykernel.comm import Comm as create_comm
buffers = [bytes(range(256)), b"", b"<IDS|MSG>"]
opened = create_comm(target_name="from.kernel", data={"n": 1}, buffers=buffers)
opened.on_msg(lambda message: opened.send({"echo": True}, buffers=[bytes(b) for b in message["buffers"]]))
"""

CLIENT_COMM = """
def target(comm, message):
    comm.send({"opened": True}, buffers=[bytes(b) for b in message["buffers"]])
    comm.on_msg(lambda message: comm.send({"echo": True}, buffers=[bytes(b)[::-1] for b in message["buffers"]]))
get_ipython().kernel.comm_manager.register_target("from.client", target)
"""


def send_comm(client: BlockingKernelClient, msg_type: str, content: dict[str, object]) -> str:
    message = client.session.msg(msg_type, content)
    client.session.send(client.shell_channel.socket, message, buffers=BUFFERS)
    return str(message["header"]["msg_id"])


def buffers_of(client: BlockingKernelClient, request: str) -> list[bytes]:
    def is_answer(message: dict[str, object]) -> bool:
        return message["msg_type"] == "comm_msg" and message["parent_header"].get("msg_id") == request

    return [bytes(buffer) for buffer in await_message(client.get_iopub_msg, is_answer)["buffers"]]


def open_by_the_kernel(client: BlockingKernelClient) -> None:
    opened = run(client, KERNEL_COMM).of("comm_open")[0]
    assert [bytes(buffer) for buffer in opened["buffers"]] == [bytes(range(256)), b"", b"<IDS|MSG>"]
    request = send_comm(client, "comm_msg", {"comm_id": opened["content"]["comm_id"], "data": {}})
    assert buffers_of(client, request) == BUFFERS


def open_by_the_client(client: BlockingKernelClient) -> None:
    run(client, CLIENT_COMM)
    opening = {"comm_id": "c0ffee", "target_name": "from.client", "data": {}}
    assert buffers_of(client, send_comm(client, "comm_open", opening)) == BUFFERS
    request = send_comm(client, "comm_msg", {"comm_id": "c0ffee", "data": {}})
    assert buffers_of(client, request) == [buffer[::-1] for buffer in BUFFERS]
