"""The debugging front end of a notebook: its requests go over control, the events come by iopub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_client import BlockingKernelClient

from clients import Message, ask, await_message, await_reply, outcome

CELL = "def twice(n):\n    m = n * 2\n    return m\n\ntwice(21)"


class Debugger:
    """The requests of a debugging front end, numbered as the protocol wants."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.seq = 0

    def send(self, command: str, **arguments: Any) -> Message:
        content = self._ask(command, arguments)
        assert content["success"], content
        return dict(content.get("body") or {})

    def send_bare(self, command: str, **arguments: Any) -> Message:
        """For one whose reply is a body and nothing else."""
        return dict(self._ask(command, arguments)["body"])

    def _ask(self, command: str, arguments: Message) -> Message:
        self.seq += 1
        body = {"type": "request", "seq": self.seq, "command": command, "arguments": arguments}
        reply = await_reply(self.client.get_control_msg, ask(self.client, "debug_request", body))
        assert reply["msg_type"] == "debug_reply"
        return dict(reply["content"])

    def attach(self) -> None:
        capabilities = self.send(
            "initialize", clientID="test", adapterID="", pathFormat="path", linesStartAt1=True, columnsStartAt1=True
        )
        assert capabilities["supportsConfigurationDoneRequest"]
        self.send("attach")


def event(name: str) -> Callable[[Message], bool]:
    return lambda message: message["msg_type"] == "debug_event" and message["content"]["event"] == name


def hit_a_breakpoint(client: BlockingKernelClient) -> None:
    """Set a breakpoint in a cell, run into it, look around, and go on to the cell's end."""
    debugger = Debugger(client)
    debugger.attach()
    path = debugger.send("dumpCell", code=CELL)["sourcePath"]
    placed = debugger.send("setBreakpoints", source={"path": path}, breakpoints=[{"line": 2}], sourceModified=False)
    assert placed["breakpoints"][0]["verified"]
    debugger.send("configurationDone")

    request = client.execute(CELL)
    stopped = await_message(client.get_iopub_msg, event("stopped"))["content"]["body"]
    assert stopped["reason"] == "breakpoint"
    frames = debugger.send("stackTrace", threadId=stopped["threadId"])["stackFrames"]
    assert (frames[0]["name"], frames[0]["line"]) == ("twice", 2)

    debugger.send("continue", threadId=stopped["threadId"])
    done = outcome(client, request)
    assert done.reply["content"]["status"] == "ok"
    assert [result["content"]["data"]["text/plain"] for result in done.of("execute_result")] == ["42"]
    debugger.send("disconnect", restart=False, terminateDebuggee=False)
