#!/usr/bin/env python3
"""Writes control.json beside itself, from control.md alone.

Nothing here is taken from the Swift sources: the two must agree, and the tests see to it.
"""

import base64
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent

PORTS = {"control": 10000, "hb": 10001, "iopub": 10002, "shell": 10003, "stdin": 10004}
KERNEL = {
    "connectionFile": "/run/user/1000/jupyter/kernel-1.json", "container": "dev", "engine": ["podman", "--remote"],
    "engineEnvironment": {"PATH": "/usr/bin", "DOCKER_HOST": "ssh://box"}, "user": "1000:1000", "workdir": "/work",
    "folder": "/home/me/notebooks", "env": {"A": "b=c", "EMPTY": ""}, "command": "['python', '-f', '{connection_file}']",
    "trailing": ["--x=1"], "ports": PORTS, "transport": "tcp", "route": "bridge", "interrupt": "signal",
    "session": "a.ipynb",
}
LEAST = {
    "connectionFile": "/k.json", "container": "c", "engine": ["docker"], "folder": "/", "trailing": [],
}
FILLED = {
    **LEAST, "engineEnvironment": {}, "env": {}, "ports": {}, "transport": "ipc", "route": "auto", "interrupt": "auto",
}
KEEPSAKE = {"kernel": "k-1", "key": "secret-key", "containerID": "c0ffee", "gate": "g", "token": "secret-token"}


def but(message: dict, /, **changes) -> dict:
    return {k: v for k, v in {**message, **changes}.items() if v != "absent"}


def messages() -> list:
    out = []

    def good(name, direction, message, same_as=None):
        out.append({
            "name": name, "direction": direction, "json": json.dumps(message),
            "canonical": json.dumps(same_as or message, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        })

    def bad(name, direction, message, code="KR-GATE-MESSAGE"):
        text = message if isinstance(message, str) else json.dumps(message)
        out.append({"name": name, "direction": direction, "json": text, "code": code})

    # to relayd
    launch = {"v": 1, "type": "launch", "request": 1, "kernel": KERNEL}
    good("launch", "request", launch)
    good("launch, the least", "request", but(launch, kernel=LEAST), but(launch, kernel=FILLED))
    good("launch with a field of tomorrow", "request", but(launch, kernel={**KERNEL, "colour": "blue"}), launch)
    nothing = {**KERNEL, **dict.fromkeys(["user", "workdir", "command", "session", "env", "route"])}
    good("null is absent", "request", but(launch, kernel=nothing),
         but(launch, kernel={**but(nothing, user="absent", workdir="absent", command="absent", session="absent"), "env": {}, "route": "auto"}))
    resume = {"v": 1, "type": "resume", "request": 1, "kernel": FILLED, "keepsake": KEEPSAKE}
    good("resume", "request", resume)
    signal = {"v": 1, "type": "signal", "signal": 2}
    good("signal by number", "request", signal)
    good("signal by name", "request", but(signal, signal="SIGINT"), signal)
    good("signal by short name", "request", but(signal, signal="INT"), signal)
    good("the highest signal", "request", but(signal, signal=64))
    good("status", "request", {"v": 1, "type": "status", "request": 2**53})
    good("connection", "request", {"v": 1, "type": "connection", "request": 3, "kernel": "k"})
    good("connection of the only kernel", "request", {"v": 1, "type": "connection", "request": 3})
    stop = {"v": 1, "type": "stop", "request": 0, "graceMilliseconds": 600000}
    good("stop", "request", stop)
    good("stop, the least", "request", but(stop, graceMilliseconds="absent"), but(stop, graceMilliseconds=2500))

    bad("another version", "request", but(launch, v=2), "KR-GATE-PROTOCOL")
    bad("no version", "request", but(launch, v="absent"), "KR-GATE-PROTOCOL")
    bad("an unknown type", "request", but(launch, type="dance"), "KR-GATE-MESSAGE-TYPE")
    bad("a report", "request", {"v": 1, "type": "done", "request": 1}, "KR-GATE-MESSAGE-TYPE")
    bad("no type", "request", but(launch, type="absent"))
    bad("no kernel", "request", but(launch, kernel="absent"))
    bad("a kernel that is a string", "request", but(launch, kernel="dev"))
    bad("a kernel in a list", "request", but(launch, kernel=[KERNEL]))
    for request in [-1, 2**53 + 1, 1.5, "1", True, None]:
        bad(f"request {request!r}", "request", but(launch, request=request))
    for field in ["connectionFile", "container", "engine", "folder", "trailing"]:
        bad(f"launch without {field}", "request", but(launch, kernel=but(KERNEL, **{field: "absent"})))
    for field in ["connectionFile", "container", "user", "workdir", "folder", "command", "session", "transport", "route", "interrupt"]:
        bad(f"a number as {field}", "request", but(launch, kernel=but(KERNEL, **{field: 1})))
        bad(f"NUL in {field}", "request", but(launch, kernel=but(KERNEL, **{field: "a\0"})))
    for field in ["engine", "trailing"]:
        bad(f"{field} is a string", "request", but(launch, kernel=but(KERNEL, **{field: "x"})))
        bad(f"a number in {field}", "request", but(launch, kernel=but(KERNEL, **{field: ["x", 1]})))
        bad(f"NUL in {field}", "request", but(launch, kernel=but(KERNEL, **{field: ["x\0"]})))
    bad("no engine", "request", but(launch, kernel=but(KERNEL, engine=[])))
    bad("an empty engine", "request", but(launch, kernel=but(KERNEL, engine=[""])))
    for field in ["env", "engineEnvironment"]:
        for name, value in [("a list", []), ("an empty name", {"": "x"}), ("= in a name", {"A=B": "x"}), ("a number", {"A": 1}),
                            ("null", {"A": None}), ("NUL", {"A": "secret-value\0"}), ("NUL in a name", {"A\0": "x"})]:
            bad(f"{field}: {name}", "request", but(launch, kernel=but(KERNEL, **{field: value})))
    for name, ports in [("negative", {"shell": -1}), ("65536", {"shell": 65536}), ("in quotes", {"shell": "1"}), ("a list", [1])]:
        bad(f"ports: {name}", "request", but(launch, kernel=but(KERNEL, ports=ports)))
    bad("an unknown transport", "request", but(launch, kernel=but(KERNEL, transport="udp")))
    bad("an unknown route", "request", but(launch, kernel=but(KERNEL, route="tunnel")))
    bad("an unknown interrupt", "request", but(launch, kernel=but(KERNEL, interrupt="politely")))
    bad("resume without a keepsake", "request", but(resume, keepsake="absent"))
    for field in KEEPSAKE:
        bad(f"a keepsake without {field}", "request", but(resume, keepsake=but(KEEPSAKE, **{field: "absent"})))
    for number in [0, 65, -1, "SIGNONE", "", None, 2.5]:
        bad(f"signal {number!r}", "request", but(signal, signal=number), "KR-GATE-SIGNAL")
    bad("connection of a number", "request", {"v": 1, "type": "connection", "request": 3, "kernel": 3})
    bad("an endless grace", "request", but(stop, graceMilliseconds=600001))

    # from relayd
    launched = {"v": 1, "type": "launched", "request": 1, "keepsake": KEEPSAKE}
    good("launched", "report", launched)
    failed = {"v": 1, "type": "failed", "request": 1, "code": "KR-CONTAINER-STOPPED", "message": "m", "remedy": "r"}
    good("failed", "report", failed)
    good("failed without a request", "report", but(failed, request="absent"))
    data = base64.b64encode(bytes(range(256))).decode()
    output = {"v": 1, "type": "output", "stream": "stderr", "data": data}
    good("output", "report", output)
    good("output of nothing", "report", but(output, data=""))
    code = {"v": 1, "type": "exited", "code": 3, "oomKilled": False, "left": 0, "tail": "YQ=="}
    good("exited with a code", "report", code)
    good("exited by a signal", "report", {**but(code, code="absent"), "signal": 9, "coreDumped": True, "oomKilled": True, "left": None})
    good("status", "report", {"v": 1, "type": "status", "request": 1, "status": {"kernels": [], "schema_version": 1}})
    good("status of nothing", "report", {"v": 1, "type": "status", "request": 1, "status": None})
    good("connection", "report", {"v": 1, "type": "connection", "request": 1, "kernel": "k", "file": "{\"ip\": \"127.0.0.1\"}"})
    good("done", "report", {"v": 1, "type": "done", "request": 1})

    bad("launched without a keepsake", "report", but(launched, keepsake="absent"))
    bad("launched without a request", "report", but(launched, request="absent"))
    for field in ["code", "message", "remedy"]:
        bad(f"failed without {field}", "report", but(failed, **{field: "absent"}))
    bad("output to stdin", "report", but(output, stream="stdin"))
    bad("output without data", "report", but(output, data="absent"))
    bad("output that is not base64", "report", but(output, data="a"))
    bad("base64 with loose bits", "report", but(output, data="YR=="))
    bad("exited without a cause", "report", but(code, code="absent"))
    for number in [-1, 256, 1.5, "3"]:
        bad(f"exit code {number!r}", "report", but(code, code=number))
    for number in [0, 65]:
        bad(f"exited by signal {number}", "report", but(code, code="absent", signal=number))
    bad("exited with negative remains", "report", but(code, left=-1))
    bad("exited without a tail", "report", but(code, tail="absent"))
    bad("connection without a file", "report", {"v": 1, "type": "connection", "request": 1, "kernel": "k"})
    bad("a request", "report", launch, "KR-GATE-MESSAGE-TYPE")
    return out


(HERE / "control.json").write_text(json.dumps({"format": 1, "messages": messages()}, indent=1) + "\n")
