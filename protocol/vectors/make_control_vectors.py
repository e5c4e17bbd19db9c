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
    "onFailure": "exit", "debugPaths": "host", "timeoutMilliseconds": 120000, "session": "a.ipynb",
    "idleTimeoutMilliseconds": 1000, "maxLifetimeMilliseconds": 31622400000,
    "sshAgent": "/tmp/ssh-x/agent.1",
}
LEAST = {
    "connectionFile": "/k.json", "container": "c", "engine": ["docker"], "folder": "/", "trailing": [],
}
FILLED = {
    **LEAST, "engineEnvironment": {}, "env": {}, "ports": {}, "transport": "ipc", "route": "auto", "interrupt": "auto",
    "onFailure": "kernel", "timeoutMilliseconds": 50000,
}
PROJECT = {
    "host": "1000:1000",
    "overrides": {"container": "dev", "command": "R", "user": "1", "workdir": "/w", "env": {"A": "b"}}, "allow": ["dev-*"],
}
KEEPSAKE = {"kernel": "k-1", "key": "secret-key", "containerID": "c0ffee", "relay": "name"}


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
    nothing = {**KERNEL, **dict.fromkeys(["user", "workdir", "command", "session", "sshAgent", "env", "route", "idleTimeoutMilliseconds", "maxLifetimeMilliseconds"])}
    good("null is absent", "request", but(launch, kernel=nothing),
         but(launch, kernel={**but(nothing, user="absent", workdir="absent", command="absent", session="absent", sshAgent="absent", idleTimeoutMilliseconds="absent", maxLifetimeMilliseconds="absent"), "env": {}, "route": "auto"}))
    good("launch of a project's kernel", "request", but(launch, kernel={**KERNEL, "container": "", "project": PROJECT}))
    good("launch of a project's kernel, the least", "request", but(launch, kernel={**KERNEL, "project": {"host": "1:1"}}),
         but(launch, kernel={**KERNEL, "project": {"host": "1:1", "overrides": {"env": {}}, "allow": []}}))
    good("a project that is null", "request", but(launch, kernel={**KERNEL, "project": None}), launch)
    resume = {"v": 1, "type": "resume", "request": 1, "kernel": FILLED, "keepsake": KEEPSAKE}
    good("resume", "request", resume)
    making = but(KERNEL, container="absent", image="debian:12", runArguments=["-v", "/a b:/c", "--memory", "1g"])
    good("launch in a container of its own", "request", but(launch, kernel=making))
    good("launch in one of its own, the least", "request", but(launch, kernel=but(making, runArguments="absent")),
         but(launch, kernel=but(making, runArguments=[])))
    host = but(KERNEL, container="absent", hostEnvironment={"PATH": "/usr/bin", "EMPTY": ""})
    good("launch on the host", "request", but(launch, kernel=host))
    good("launch on the host without an environment", "request", but(launch, kernel=but(host, hostEnvironment={})))
    ways = [PORTS, {**PORTS, "shell": 65535}]
    good("resume on the host", "request", but(resume, kernel=host, keepsake={**KEEPSAKE, "hostPorts": ways}))
    good("resume with no ports", "request", but(resume, keepsake={**KEEPSAKE, "hostPorts": []}), resume)
    good("resume of a kernel with an age", "request", but(resume, keepsake={**KEEPSAKE, "startedMilliseconds": 2**53}))
    good("resume of a project's kernel", "request", but(resume, keepsake={**KEEPSAKE, "container": "compose:shop/work", "user": "1"}))
    good("resume as somebody", "request", but(resume, keepsake={**KEEPSAKE, "user": "1000:1000"}))
    signal = {"v": 1, "type": "signal", "signal": 2}
    good("signal by number", "request", signal)
    good("signal by name", "request", but(signal, signal="SIGINT"), signal)
    good("signal by short name", "request", but(signal, signal="INT"), signal)
    good("the highest signal", "request", but(signal, signal=64))
    good("status", "request", {"v": 1, "type": "status", "request": 2**53})
    good("status with history", "request", {"v": 1, "type": "status", "request": 1, "history": True})
    bad("a history in words", "request", {"v": 1, "type": "status", "request": 1, "history": "yes"}, "KR-GATE-MESSAGE")
    good("metrics", "request", {"v": 1, "type": "metrics", "request": 4})
    page = {"v": 1, "type": "page", "request": 5, "address": "127.0.0.1:9100"}
    good("page", "request", page)
    good("page anywhere", "request", but(page, address="absent"))
    good("page at null", "request", but(page, address=None), but(page, address="absent"))
    good("connection", "request", {"v": 1, "type": "connection", "request": 3, "kernel": "k"})
    good("connection of the only kernel", "request", {"v": 1, "type": "connection", "request": 3})
    logs = {"v": 1, "type": "logs", "request": 4, "kernel": "k", "lines": 1000000, "follow": True}
    good("logs", "request", logs)
    good("logs, the least", "request", {"v": 1, "type": "logs", "request": 4}, but(logs, kernel="absent", lines=100, follow=False))
    good("logs of all kernels", "request", but(logs, kernel=None), but(logs, kernel="absent"))
    good("no lines of the log", "request", but(logs, lines=0))
    good("stderr", "request", {"v": 1, "type": "stderr", "request": 5, "kernel": "k"})
    good("stderr of the only kernel", "request", {"v": 1, "type": "stderr", "request": 5})
    discovery = {"engine": ["podman"], "engineEnvironment": {"A": "b"}, "kernels": "/k", "search": ["/k", "/l"]}
    discover = {"v": 1, "type": "discover", "request": 6, "discovery": discovery}
    good("discover", "request", discover)
    good("discover, the least", "request", but(discover, discovery={"engine": ["docker"], "kernels": "/k"}),
         but(discover, discovery={"engine": ["docker"], "engineEnvironment": {}, "kernels": "/k", "search": []}))
    good("discover no longer", "request", but(discover, discovery="absent"))
    good("discover null", "request", but(discover, discovery=None), but(discover, discovery="absent"))
    stop = {"v": 1, "type": "stop", "request": 0, "graceMilliseconds": 600000}
    good("stop", "request", stop)
    end = {"v": 1, "type": "end", "request": 6, "kernel": "k", "graceMilliseconds": 0}
    good("end", "request", end)
    good("end, the least", "request", but(end, graceMilliseconds="absent"), but(end, graceMilliseconds=2500))
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
    for field in ["connectionFile", "container", "user", "workdir", "folder", "command", "session", "sshAgent", "transport", "route", "interrupt", "onFailure", "debugPaths"]:
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
    bad("an unknown route", "request", but(launch, kernel=but(KERNEL, route="detour")))
    good("launch by the tunnel", "request", but(launch, kernel=but(KERNEL, route="tunnel")))
    bad("an unknown interrupt", "request", but(launch, kernel=but(KERNEL, interrupt="politely")))
    bad("an unknown way to fail", "request", but(launch, kernel=but(KERNEL, onFailure="loudly")))
    good("the container's paths", "request", but(launch, kernel=but(KERNEL, debugPaths="container")), but(launch, kernel=but(KERNEL, debugPaths="absent")))
    bad("an unknown owner of paths", "request", but(launch, kernel=but(KERNEL, debugPaths="mine")))
    for limit in [999, 86400001, 1.5, "50000"]:
        bad(f"a time limit of {limit!r}", "request", but(launch, kernel=but(KERNEL, timeoutMilliseconds=limit)))
    bad("two places", "request", but(launch, kernel={**KERNEL, "image": "debian"}))
    bad("three places", "request", but(launch, kernel={**making, "container": "c", "hostEnvironment": {}}))
    bad("no place", "request", but(launch, kernel=but(making, image="absent")))
    for field, value in [("image", 1), ("image", "a\0"), ("runArguments", "x"), ("runArguments", ["x", 1]), ("runArguments", ["x\0"])]:
        bad(f"{value!r} as {field}", "request", but(launch, kernel={**making, field: value}))
    for value in [[], {"A": 1}, {"A=B": "x"}, {"A": "secret-value\0"}]:
        bad(f"{value!r} as hostEnvironment", "request", but(launch, kernel={**host, "hostEnvironment": value}))
    for value in [PORTS, [1], [{"shell": 65536}], [{"shell": "1"}]]:
        bad(f"{value!r} as hostPorts", "request", but(resume, keepsake={**KEEPSAKE, "hostPorts": value}))
    for field in ["idleTimeoutMilliseconds", "maxLifetimeMilliseconds"]:
        for limit in [999, 0, -1, 31622400001, 1.5, "1000", True]:
            bad(f"{field} of {limit!r}", "request", but(launch, kernel=but(KERNEL, **{field: limit})))
    for age in [-1, 2**53 + 1, "1", 0.5]:
        bad(f"a keepsake from {age!r}", "request", but(resume, keepsake={**KEEPSAKE, "startedMilliseconds": age}))
    for name, project in [("true", True), ("a list", []), ("overrides in a list", {**PROJECT, "overrides": []}), ("allow is a string", {**PROJECT, "allow": "x"}),
                          ("a number allowed", {**PROJECT, "allow": [1]}), ("a variable that is a number", {**PROJECT, "overrides": {"env": {"A": 1}}}),
                          ("nobody is host", but(PROJECT, host="absent")), ("host is a number", but(PROJECT, host=0))]:
        bad(f"a project: {name}", "request", but(launch, kernel=but(KERNEL, project=project)))
    for field in PROJECT["overrides"]:
        bad(f"a number as a project's {field}", "request", but(launch, kernel=but(KERNEL, project={**PROJECT, "overrides": {field: 1}})))
    bad("resume without a keepsake", "request", but(resume, keepsake="absent"))
    for field in KEEPSAKE:
        bad(f"a keepsake without {field}", "request", but(resume, keepsake=but(KEEPSAKE, **{field: "absent"})))
    bad("a keepsake of container 0", "request", but(resume, keepsake=but(KEEPSAKE, container=0)))
    bad("a keepsake of user 0", "request", but(resume, keepsake=but(KEEPSAKE, user=0)))
    for number in [0, 65, -1, "SIGNONE", "", None, 2.5]:
        bad(f"signal {number!r}", "request", but(signal, signal=number), "KR-GATE-SIGNAL")
    bad("metrics without a request", "request", {"v": 1, "type": "metrics"})
    bad("page at a number", "request", but(page, address=9100))
    bad("page with NUL", "request", but(page, address="9100\0"))
    bad("connection of a number", "request", {"v": 1, "type": "connection", "request": 3, "kernel": 3})
    for lines in [-1, 1000001, 1.5, "10"]:
        bad(f"{lines!r} lines", "request", but(logs, lines=lines))
    bad("follow is a number", "request", but(logs, follow=1))
    bad("logs of a number", "request", but(logs, kernel=3))
    bad("logs without a request", "request", but(logs, request="absent"))
    bad("end of the only kernel", "request", but(end, kernel="absent"))
    bad("end of whatever kernel", "request", but(end, kernel=""))
    bad("end after too long", "request", but(end, graceMilliseconds=600001))
    bad("stderr of a number", "request", {"v": 1, "type": "stderr", "request": 5, "kernel": 3})
    for field in ["engine", "kernels"]:
        bad(f"discover without {field}", "request", but(discover, discovery=but(discovery, **{field: "absent"})))
    bad("discover without a request", "request", but(discover, request="absent"))
    bad("discover in words", "request", but(discover, discovery="on"))
    bad("discover by no engine", "request", but(discover, discovery=but(discovery, engine=[])))
    bad("discover into a relative folder", "request", but(discover, discovery=but(discovery, kernels="k")))
    bad("discover beside a relative folder", "request", but(discover, discovery=but(discovery, search=["l"])))
    bad("an endless grace", "request", but(stop, graceMilliseconds=600001))

    # from relayd
    launched = {"v": 1, "type": "launched", "request": 1, "keepsake": KEEPSAKE}
    good("launched", "report", launched)
    good("launched with an age", "report", but(launched, keepsake={**KEEPSAKE, "startedMilliseconds": 0}))
    good("launched in a project's container", "report", but(launched, keepsake={**KEEPSAKE, "container": "label:a=b"}))
    good("launched as somebody", "report", but(launched, keepsake={**KEEPSAKE, "user": "host"}))
    failed = {"v": 1, "type": "failed", "request": 1, "code": "KR-CONTAINER-STOPPED", "message": "m", "remedy": "r"}
    good("failed", "report", failed)
    good("failed without a request", "report", but(failed, request="absent"))
    trouble = {"v": 1, "type": "trouble", "code": "KR-CONTAINER-STOPPED", "message": "m", "remedy": "r"}
    good("trouble", "report", trouble)
    data = base64.b64encode(bytes(range(256))).decode()
    output = {"v": 1, "type": "output", "stream": "stderr", "data": data}
    good("output", "report", output)
    good("output of nothing", "report", but(output, data=""))
    code = {"v": 1, "type": "exited", "code": 3, "oomKilled": False, "left": 0, "tail": "YQ=="}
    good("exited with a code", "report", code)
    good("exited by a signal", "report", {**but(code, code="absent"), "signal": 9, "coreDumped": True, "oomKilled": True, "left": None})
    good("status", "report", {"v": 1, "type": "status", "request": 1, "status": {"kernels": [], "schema_version": 1}})
    good("a part of a status", "report", {
        "v": 1, "type": "status", "request": 1, "status": {"kernels": []}, "more": True,
    })
    good("status of nothing", "report", {"v": 1, "type": "status", "request": 1, "status": None})
    good("metrics", "report", {"v": 1, "type": "metrics", "request": 4, "text": "# EOF"})
    good("page", "report", {"v": 1, "type": "page", "request": 5, "url": "http://127.0.0.1:9100/"})
    good("connection", "report", {"v": 1, "type": "connection", "request": 1, "kernel": "k", "file": "{\"ip\": \"127.0.0.1\"}"})
    entry = {"time": "2026-01-02T03:04:05.678Z", "event": "kernel started", "kernel": "k-1", "facts": {"container": "dev"}}
    about_all = {**entry, "kernel": None, "facts": {}}
    told = {"v": 1, "type": "logs", "request": 4, "entries": [entry, about_all], "missed": 2**53, "more": True}
    good("logs", "report", told)
    good("no logs", "report", but(told, entries=[], missed=0, more=False))
    good("an entry without kernel and facts", "report", but(told, entries=[but(entry, kernel="absent", facts="absent")]), but(told, entries=[about_all]))
    stderr = {"v": 1, "type": "stderr", "request": 5, "kernel": "k-1", "data": data, "before": 0}
    good("stderr", "report", stderr)
    good("done", "report", {"v": 1, "type": "done", "request": 1})

    bad("launched without a keepsake", "report", but(launched, keepsake="absent"))
    bad("launched without a request", "report", but(launched, request="absent"))
    for field in ["code", "message", "remedy"]:
        bad(f"failed without {field}", "report", but(failed, **{field: "absent"}))
        bad(f"trouble without {field}", "report", but(trouble, **{field: "absent"}))
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
    bad("metrics without a text", "report", {"v": 1, "type": "metrics", "request": 4})
    bad("page without an address", "report", {"v": 1, "type": "page", "request": 5})
    bad("connection without a file", "report", {"v": 1, "type": "connection", "request": 1, "kernel": "k"})
    for field in ["time", "event"]:
        bad(f"an entry without {field}", "report", but(told, entries=[but(entry, **{field: "absent"})]))
    bad("an entry that is a string", "report", but(told, entries=["x"]))
    bad("a number as a fact", "report", but(told, entries=[but(entry, facts={"a": 1})]))
    bad("entries that are none", "report", but(told, entries={}))
    bad("logs without missed", "report", but(told, missed="absent"))
    bad("negatively many missed", "report", but(told, missed=-1))
    for field in ["kernel", "data", "before"]:
        bad(f"stderr without {field}", "report", but(stderr, **{field: "absent"}))
    bad("a request", "report", launch, "KR-GATE-MESSAGE-TYPE")
    return out


(HERE / "control.json").write_text(json.dumps({"format": 1, "messages": messages()}, indent=1) + "\n")
