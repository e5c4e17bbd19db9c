#!/usr/bin/env python3
"""Writes link.json and gate-handshake.json beside itself, from the specifications alone.

Nothing here is taken from the Swift sources: the two must agree, and the tests see to it.
"""

import base64
import json
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent


# --- the link ---------------------------------------------------------------------------------------

def frame(payload: bytes, stream: int = 0) -> bytes:
    return struct.pack(">II", len(payload), stream) + payload


def frames() -> list:
    def vector(name, data, out, error=None, inside=False):
        entry = {
            "name": name,
            "bytes": data.hex(),
            "frames": [{"stream": s, "payload": p.hex()} for s, p in out],
            "insideFrame": inside,
        }
        if error is not None:
            entry["tooLong"] = error
        return entry

    ping = b'{"request":1,"type":"ping","v":1}'
    return [
        vector("nothing", b"", []),
        vector("one control message", frame(ping), [(0, ping)]),
        vector("an empty payload", frame(b""), [(0, b"")]),
        vector("two frames at once", frame(ping) + frame(b"abc", 7), [(0, ping), (7, b"abc")]),
        vector("the highest stream", frame(b"x", 2**32 - 1), [(2**32 - 1, b"x")]),
        vector("every byte", frame(bytes(range(256)), 3), [(3, bytes(range(256)))]),
        vector("half a header", frame(ping)[:5], [], inside=True),
        vector("a header and nothing", frame(ping)[:8], [], inside=True),
        vector("half a payload", frame(b"q") + frame(ping)[:20], [(0, b"q")], inside=True),
        vector("one byte too long", struct.pack(">II", (1 << 20) + 1, 0), [], error=(1 << 20) + 1, inside=True),
        vector("as long as can be said", b"\xff" * 8, [], error=2**32 - 1, inside=True),
        vector("a browser", b"GET / HTTP/1.1\r\n\r\n", [], error=int.from_bytes(b"GET ", "big"), inside=True),
        vector("good, then hostile", frame(b"ok") + b"\x80\0\0\0\0\0\0\0", [(0, b"ok")], error=2**31, inside=True),
    ]


def texts() -> list:
    good = [
        "{}", " [ 1 , 2 ] ", '"\\u00e9\\n\\ud83d\\ude00"', "-0", "1.5e3", "9223372036854775807", "null",
        '{"a":{"b":[true,false,null]}}', '"\u00e9"', "[" * 16 + "]" * 16, '"\\/\\b\\f\\r\\t\\\\"', '"\\u0000"', "1E400"[:2] + "2",
    ]
    bad = [
        "", " ", "{", "[1,]", '{"a":1,}', '{"a" 1}', "{a:1}", "01", "+1", "1.", ".5", "1e", "nul", "NaN", "Infinity",
        '"\\x"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '"\n"', '"abc', "{} {}", '{"a":1,"a":2}', "1e400",
        "[" * 17 + "]" * 17, "[" * 2000, "'a'", "tru", "--1", '"\\u12"', '"\\u+123"', "{,}", "/**/1", "\ufeff{}",
    ]
    raw = ['"\x80"', '"\xc3("', '"\xed\xa0\x80"', '"\xf8\x88\x80\x80\x80"', '"\xc0\xaf"']
    return (
        [{"text": t.encode().hex(), "accept": True} for t in good]
        + [{"text": t.encode().hex(), "accept": False} for t in bad]
        + [{"text": t.encode("latin-1").hex(), "accept": False} for t in raw]
    )


def streams() -> list:
    """What one frame on a stream other than 0 may hold, and what none may."""

    def good(name, payload, kind, **rest):
        return {"name": name, "payload": payload.hex(), "kind": kind, **rest}

    def bad(name, payload):
        return {"name": name, "payload": payload.hex()}

    return [
        good("bytes", b"\x00abc", "bytes", rest=b"abc".hex()),
        good("no bytes", b"\x00", "bytes", rest=""),
        good("every byte", b"\x00" + bytes(range(256)), "bytes", rest=bytes(range(256)).hex()),
        good("a connection", b"\x01ports", "open", purpose="ports"),
        good("a way to the agent", b"\x01agent/k-1.a_B", "open", purpose="agent/k-1.a_B"),
        good("nothing taken", b"\x02" + bytes(8), "taken", total=0),
        good("much taken", b"\x02" + struct.pack(">Q", 2**63 - 1), "taken", total=2**63 - 1),
        good("shut", b"\x03", "shut"),
        good("reset", b"\x04", "reset"),
        bad("an empty payload", b""),
        bad("a kind of tomorrow", b"\x05"),
        bad("the last kind", b"\xff"),
        bad("open to nowhere", b"\x01"),
        bad("open to elsewhere", b"\x01elsewhere"),
        bad("an agent for nobody", b"\x01agent/"),
        bad("an agent for a long name", b"\x01agent/" + b"x" * 65),
        bad("an agent for two lines", b"\x01agent/a\nb"),
        bad("taken in seven bytes", b"\x02" + bytes(7)),
        bad("taken in nine bytes", b"\x02" + bytes(9)),
        bad("more taken than there is", b"\x02" + struct.pack(">Q", 2**63)),
        bad("shut with a rest", b"\x03x"),
        bad("reset with a rest", b"\x04x"),
    ]


TOKEN = "0123456789abcdef0123456789abcdef"
HELLO = {"v": 1, "type": "hello", "token": TOKEN, "ports": {"shell": 10003, "hb": 10001}, "bind": "0.0.0.0", "lingerSeconds": 60,
         "orphanSeconds": 600}
LISTEN = {"ip": "0.0.0.0", "ports": {"shell": 10003, "iopub": 10002, "stdin": 10004, "control": 10000, "hb": 65535}}
SPAWN = {
    "v": 1, "type": "spawn", "request": 1, "kernel": "k-1.a_B", "argv": ["python3", "-f", "{connection_file}"],
    "env": {"A": "b", "GONE": None}, "cwd": "/work", "login": "ada", "transport": "ipc", "key": "secret",
    "signatureScheme": "hmac-sha256", "kernelName": "python3",
}
KERNEL = {
    "kernel": "k", "pid": 7, "state": "running", "transport": "tcp", "connectionFile": "/dev/shm/kr-x/kernel-k.json",
    "connections": 5,
}


def messages() -> list:
    out = []

    def good(name, direction, message, same_as=None):
        canonical = same_as or message
        out.append({
            "name": name, "direction": direction, "json": json.dumps(message),
            "canonical": json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        })

    def bad(name, direction, message, code):
        text = message if isinstance(message, str) else json.dumps(message)
        out.append({"name": name, "direction": direction, "json": text, "code": code})

    def but(message, **changes):
        changed = {**message, **changes}
        return {k: v for k, v in changed.items() if v != "absent"}

    # to the gate
    good("hello", "request", HELLO)
    good("hello, the least", "request", {"v": 1, "type": "hello", "token": TOKEN}, but(HELLO, ports={}))
    good("hello with a field of tomorrow", "request", but(HELLO, colour="blue"), HELLO)
    offer = but(HELLO, window=262144, streams={"1": 0, "4294967295": 2**53})
    good("hello with streams", "request", offer)
    good("hello with none yet", "request", but(offer, streams={}), but(offer, streams="absent"))
    good("hello without a window", "request", but(HELLO, window=0), HELLO)
    bad("a negative window", "request", but(HELLO, window=-1), "KR-GATE-MESSAGE")
    bad("an endless window", "request", but(HELLO, window=16777217), "KR-GATE-MESSAGE")
    for number in ["0", "-1", "01", "+1", "4294967296", "x", ""]:
        bad(f"stream {number!r}", "request", but(offer, streams={number: 0}), "KR-GATE-MESSAGE")
    for count in [-1, 1.5, "0", None]:
        bad(f"{count!r} bytes of a stream", "request", but(offer, streams={"1": count}), "KR-GATE-MESSAGE")
    bad("streams in a list", "request", but(offer, streams=[1]), "KR-GATE-MESSAGE")
    good("spawn", "request", SPAWN)
    good("spawn with an agent", "request", but(SPAWN, agent=True))
    good("spawn without one", "request", but(SPAWN, agent=False), SPAWN)
    bad("an agent by name", "request", but(SPAWN, agent="yes"), "KR-GATE-MESSAGE")
    least = {"v": 1, "type": "spawn", "request": 2, "kernel": "k", "argv": ["k"], "key": ""}
    good("spawn, the least", "request", least,
         {**least, "env": {}, "transport": "ipc", "signatureScheme": "hmac-sha256", "kernelName": ""})
    good("spawn that says where to listen", "request", but(SPAWN, transport="tcp", listen=LISTEN))
    good("spawn with a login without a name", "request", but(SPAWN, login=""))
    good("spawn without a login", "request", but(SPAWN, login=None), but(SPAWN, login="absent"))
    bad("a login that is a number", "request", but(SPAWN, login=1), "KR-GATE-MESSAGE")
    bad("NUL in a login", "request", but(SPAWN, login="a\0"), "KR-GATE-MESSAGE")
    signal = {"v": 1, "type": "signal", "request": 3, "kernel": "k", "signal": 2, "to": "group"}
    good("signal by number", "request", signal)
    good("signal by name", "request", but(signal, signal="SIGINT", to="absent"), signal)
    good("signal by short name", "request", but(signal, signal="USR2", to="process"), but(signal, signal=12, to="process"))
    end = {"v": 1, "type": "end", "request": 4, "kernel": "k", "graceMilliseconds": 0}
    good("end", "request", end)
    good("end, the least", "request", but(end, graceMilliseconds="absent"), but(end, graceMilliseconds=2500))
    for word in ["ping", "status", "vitals", "leave"]:
        good(word, "request", {"v": 1, "type": word, "request": 5})
    good("spawn where there may be few", "request", but(SPAWN, mostKernels=1))
    good("vitals of kernels that are used", "request", {"v": 1, "type": "vitals", "request": 5, "idleMilliseconds": 0})
    for most in [0, -1, 1_000_001, 1.5, "2"]:
        bad(f"at most {most!r} kernels", "request", but(SPAWN, mostKernels=most), "KR-GATE-MESSAGE")
    for idle in [-1, 2**53 + 1, "1"]:
        bad(f"idle for {idle!r}", "request", {"v": 1, "type": "vitals", "request": 5, "idleMilliseconds": idle}, "KR-GATE-MESSAGE")
    good("stop", "request", {"v": 1, "type": "stop", "request": 6, "graceMilliseconds": 100})

    bad("no JSON", "request", "hello", "KR-GATE-MESSAGE")
    bad("a list", "request", "[]", "KR-GATE-MESSAGE")
    bad("no type", "request", {"v": 1}, "KR-GATE-MESSAGE")
    bad("a type that is a number", "request", {"v": 1, "type": 1}, "KR-GATE-MESSAGE")
    bad("an unknown type", "request", {"v": 1, "type": "dance"}, "KR-GATE-MESSAGE-TYPE")
    bad("no version", "request", {"type": "ping", "request": 1}, "KR-GATE-PROTOCOL")
    bad("another version", "request", {"v": 2, "type": "ping", "request": 1}, "KR-GATE-PROTOCOL")
    bad("a version in quotes", "request", {"v": "1", "type": "ping", "request": 1}, "KR-GATE-PROTOCOL")
    bad("a name twice", "request", '{"v":1,"v":1,"type":"ping","request":1}', "KR-GATE-MESSAGE")
    bad("no request", "request", {"v": 1, "type": "ping"}, "KR-GATE-MESSAGE")
    bad("a negative request", "request", {"v": 1, "type": "ping", "request": -1}, "KR-GATE-MESSAGE")
    bad("a broken request", "request", {"v": 1, "type": "ping", "request": 1.5}, "KR-GATE-MESSAGE")
    bad("no token", "request", but(HELLO, token="absent"), "KR-GATE-MESSAGE")
    bad("a short token", "request", but(HELLO, token="x" * 31), "KR-GATE-TOKEN-WEAK")
    bad("a long token", "request", but(HELLO, token="x" * 256), "KR-GATE-TOKEN-WEAK")
    bad("a token with a space", "request", but(HELLO, token="x" * 31 + " "), "KR-GATE-TOKEN-WEAK")
    bad("port 0", "request", but(HELLO, ports={"shell": 0}), "KR-GATE-MESSAGE")
    bad("port 65536", "request", but(HELLO, ports={"shell": 65536}), "KR-GATE-MESSAGE")
    bad("a port in quotes", "request", but(HELLO, ports={"shell": "1"}), "KR-GATE-MESSAGE")
    bad("an unknown channel", "request", but(HELLO, ports={"shel": 1}), "KR-GATE-MESSAGE")
    bad("ports in a list", "request", but(HELLO, ports=[1]), "KR-GATE-MESSAGE")
    for seconds in [0, 86401, 1.5, "600"]:
        bad(f"orphans for {seconds!r}", "request", but(HELLO, orphanSeconds=seconds), "KR-GATE-MESSAGE")
    bad("listen over ipc", "request", but(SPAWN, listen=LISTEN), "KR-GATE-MESSAGE")
    for listen in [[], {"ip": "0.0.0.0"}, {"ports": LISTEN["ports"]}, {**LISTEN, "ip": 1}, {**LISTEN, "ip": "a\0"},
                   {**LISTEN, "ports": {**LISTEN["ports"], "hb": 0}}, {**LISTEN, "ports": {**LISTEN["ports"], "more": 1}}]:
        bad(f"listen {listen!r}", "request", but(SPAWN, transport="tcp", listen=listen), "KR-GATE-MESSAGE")
    bad("an endless linger", "request", but(HELLO, lingerSeconds=10**9), "KR-GATE-MESSAGE")
    for name, kernel in [("empty", ""), ("long", "x" * 65), ("slash", "a/b"), ("dotdot", "../x"), ("space", "a b"), ("unicode", "\u00e9")]:
        bad(f"kernel id: {name}", "request", but(SPAWN, kernel=kernel), "KR-GATE-KERNEL-NAME")
    bad("kernel id with NUL", "request", but(SPAWN, kernel="a\0b"), "KR-GATE-MESSAGE")
    bad("no argv", "request", but(SPAWN, argv="absent"), "KR-GATE-MESSAGE")
    bad("argv is a string", "request", but(SPAWN, argv="python3"), "KR-GATE-MESSAGE")
    bad("argv is empty", "request", but(SPAWN, argv=[]), "KR-GATE-MESSAGE")
    bad("an empty command", "request", but(SPAWN, argv=[""]), "KR-GATE-MESSAGE")
    bad("a number in argv", "request", but(SPAWN, argv=["a", 1]), "KR-GATE-MESSAGE")
    bad("NUL in argv", "request", but(SPAWN, argv=["a", "b\0c"]), "KR-GATE-MESSAGE")
    bad("env with =", "request", but(SPAWN, env={"A=B": "c"}), "KR-GATE-MESSAGE")
    bad("env with an empty name", "request", but(SPAWN, env={"": "c"}), "KR-GATE-MESSAGE")
    bad("env with a number", "request", but(SPAWN, env={"A": 1}), "KR-GATE-MESSAGE")
    bad("env with NUL", "request", but(SPAWN, env={"A": "b\0"}), "KR-GATE-MESSAGE")
    bad("transport udp", "request", but(SPAWN, transport="udp"), "KR-GATE-MESSAGE")
    bad("no key", "request", but(SPAWN, key="absent"), "KR-GATE-MESSAGE")
    bad("signal 0", "request", but(signal, signal=0), "KR-GATE-SIGNAL")
    bad("signal 65", "request", but(signal, signal=65), "KR-GATE-SIGNAL")
    bad("signal SIGNONE", "request", but(signal, signal="SIGNONE"), "KR-GATE-SIGNAL")
    bad("no signal", "request", but(signal, signal="absent"), "KR-GATE-SIGNAL")
    bad("a signal to everybody", "request", but(signal, to="all"), "KR-GATE-MESSAGE")
    bad("a negative grace", "request", but(end, graceMilliseconds=-1), "KR-GATE-MESSAGE")

    # from the gate
    welcome = {
        "v": 1, "type": "welcome", "protocol": 1, "pid": 7, "release": "0.1.0", "uid": 0, "gid": 0, "user": "root",
        "home": "/root", "cwd": "/", "ports": {"shell": 10003}, "kernels": [KERNEL],
    }
    good("welcome", "report", welcome)
    good("welcome with streams", "report", but(welcome, window=262144, streams={"3": 17}))
    bad("welcome with a stream 0", "report", but(welcome, window=1, streams={"0": 17}), "KR-GATE-MESSAGE")
    nameless = but(welcome, user="absent", home="absent", cwd="absent", kernels=[], uid=4294967294)
    good("welcome of a user without a name", "report", nameless)
    failed = {"v": 1, "type": "failed", "request": 1, "code": "KR-GATE-TOKEN", "message": "m", "remedy": "r"}
    good("failed", "report", failed)
    good("failed without a request", "report", but(failed, request="absent"))
    good("spawned", "report", {"v": 1, "type": "spawned", "request": 1, "kernel": "k", "pid": 9, "connectionFile": "/x"})
    text = base64.b64encode(bytes(range(256))).decode()
    good("output", "report", {"v": 1, "type": "output", "kernel": "k", "stream": "stderr", "data": text})
    code = {"v": 1, "type": "exited", "kernel": "k", "code": 3, "oomKilled": False, "left": 0, "tail": "YQ=="}
    good("exited with a code", "report", code)
    by_signal = {**but(code, code="absent"), "signal": 9, "coreDumped": True, "oomKilled": True, "left": None, "tail": ""}
    good("exited by a signal", "report", by_signal)
    good("done", "report", {"v": 1, "type": "done", "request": 1})
    vitals = {"kernel": "k", "pid": 7, "state": "stopped", "cpuMilliseconds": 12, "memoryBytes": 4096}
    good("vitals", "report", {
        "v": 1, "type": "vitals", "request": 1, "kernels": [vitals],
        "memory": {"usedBytes": 5, "limitBytes": 9, "kills": 0},
    })
    ending = {"v": 1, "type": "ending", "limit": "idle", "milliseconds": 300000}
    good("ending for want of use", "report", ending)
    good("ending now", "report", but(ending, limit="lifetime", milliseconds=0))
    bad("ending for no known reason", "report", but(ending, limit="whim"), "KR-GATE-MESSAGE")
    bad("ending some time", "report", but(ending, milliseconds="absent"), "KR-GATE-MESSAGE")
    bad("ended already", "report", but(ending, milliseconds=-1), "KR-GATE-MESSAGE")
    good("vitals without a memory limit", "report", {
        "v": 1, "type": "vitals", "request": 1, "kernels": [],
        "memory": {"usedBytes": 5, "limitBytes": None, "kills": 0},
    })
    good("vitals without a cgroup", "report", {"v": 1, "type": "vitals", "request": 1, "kernels": []})
    bad("vitals with a pid of none", "report", {
        "v": 1, "type": "vitals", "request": 1, "kernels": [vitals | {"pid": 0}],
    }, "KR-GATE-MESSAGE")
    good("pong", "report", {"v": 1, "type": "pong", "request": 1})
    good("status", "report", {
        "v": 1, "type": "status", "request": 1, "uptimeMilliseconds": 5, "kernels": [KERNEL], "counters": {"accepted": 1},
    })
    bad("data that is not base64", "report", {"v": 1, "type": "output", "kernel": "k", "stream": "stdout", "data": "a"}, "KR-GATE-MESSAGE")
    bad("base64 with loose bits", "report", {"v": 1, "type": "output", "kernel": "k", "stream": "stdout", "data": "YR=="}, "KR-GATE-MESSAGE")
    bad("exited without a cause", "report", but(code, code="absent"), "KR-GATE-MESSAGE")
    bad("a hello from the gate", "report", HELLO, "KR-GATE-MESSAGE-TYPE")
    return out


# --- the handshake ----------------------------------------------------------------------------------

def greeting(mechanism: str, server: bool = False, minor: int = 0, major: int = 3) -> bytes:
    return (b"\xff" + (1).to_bytes(8, "big") + b"\x7f" + bytes([major, minor])
            + mechanism.encode().ljust(20, b"\0") + bytes([server]) + bytes(31))


def command(name: str, body: bytes = b"", wide: bool = False) -> bytes:
    payload = bytes([len(name)]) + name.encode() + body
    if wide or len(payload) > 255:
        return b"\x06" + struct.pack(">Q", len(payload)) + payload
    return b"\x04" + bytes([len(payload)]) + payload


def error(reason: str) -> bytes:
    return command("ERROR", bytes([len(reason)]) + reason.encode())


def metadata(**properties: bytes) -> bytes:
    body = b""
    for name, value in properties.items():
        name = name.replace("_", "-").encode()
        body += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return body


def hello(user: str = "k1/shell", password: str = TOKEN) -> bytes:
    return command("HELLO", bytes([len(user)]) + user.encode() + bytes([len(password)]) + password.encode())


def handshakes() -> dict:
    dealer = metadata(Socket_Type=b"DEALER", Identity=b"relay-1")
    initiate = command("INITIATE", dealer)
    plain = greeting("PLAIN")
    welcome = command("WELCOME")
    outer = []

    def client(name, sent, *actions, surplus=b""):
        outer.append({"name": name, "bytes": sent.hex(), "actions": list(actions), "surplus": surplus.hex()})

    def send(data):
        return {"send": data.hex()}

    def auth(user, password):
        return {"authenticate": [user.encode().hex(), password.encode().hex()]}

    def join(body):
        return {"join": body.hex()}

    def refuse(why, reply=b""):
        return {"refuse": why, "reply": reply.hex()}

    good = [auth("k1/shell", TOKEN), send(welcome)]
    client("libzmq's handshake", plain + hello() + initiate, *good, join(dealer))
    client("ZMTP 3.1", greeting("PLAIN", minor=1) + hello() + initiate, *good, join(dealer))
    client("ZMTP 4, which says it understands 3", greeting("PLAIN", major=4) + hello() + initiate, *good, join(dealer))
    client("messages right behind", plain + hello() + initiate + b"\0\x01x", *good, join(dealer), surplus=b"\0\x01x")
    client("no metadata", plain + hello() + command("INITIATE"), *good, join(b""))
    client("wide frames", plain + hello() + command("INITIATE", dealer, wide=True), *good, join(dealer))
    large = metadata(Socket_Type=b"SUB", X_Large=b"y" * 8000)
    client("large metadata", plain + hello() + command("INITIATE", large), *good, join(large))
    client("nothing", b"")
    client("half a greeting", plain[:30])
    client("a greeting alone", plain)
    client("half a HELLO", plain + hello()[:9])
    client("no INITIATE", plain + hello(), *good)

    no = error("400")
    for name, user, password in [
        ("a wrong token", "k1/shell", "x" * 32), ("an empty token", "k1/shell", ""),
        ("a token with more behind", "k1/shell", TOKEN + "x"), ("the beginning of the token", "k1/shell", TOKEN[:-1]),
        ("an unknown kernel", "k2/shell", TOKEN), ("an unknown channel", "k1/shel", TOKEN), ("no channel", "k1", TOKEN),
        ("no user", "", TOKEN), ("one slash more", "k1/shell/", TOKEN), ("only slashes", "//", TOKEN),
        ("both wrong", "k2/shell", "x" * 32),
    ]:
        client(name, plain + hello(user, password) + initiate, auth(user, password), refuse("credentials", no))

    bad, long = error("malformed command"), error("command too long")
    client("a browser", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", refuse("notZMTP"))
    client("TLS", bytes.fromhex("16030100c8010000c40303"), refuse("notZMTP"))
    client("zeros", bytes(64), refuse("notZMTP"))
    client("a signature cut wrong", b"\xff" + bytes(8) + b"\0", refuse("notZMTP"))
    client("ZMTP 2", b"\xff" + bytes(8) + b"\x7f\x01\x05\0\0", refuse("oldZMTP"))
    client("NULL", greeting("NULL") + command("READY", dealer), refuse("mechanism", error("this gate speaks PLAIN")))
    client("CURVE", greeting("CURVE"), refuse("mechanism", error("this gate speaks PLAIN")))
    client("another server", greeting("PLAIN", server=True), refuse("mechanism", error("this gate speaks PLAIN")))
    hidden = bytearray(plain)
    hidden[12 + 19] = 0x41
    client("a name with a tail", bytes(hidden), refuse("mechanism"))
    client("a message before HELLO", plain + b"\0\x05HELLO", refuse("malformed", bad))
    client("flags of tomorrow", plain + b"\x84\x05\x05HELLO", refuse("malformed", bad))
    client("INITIATE first", plain + initiate, refuse("malformed", bad))
    client("READY instead", plain + hello() + command("READY", dealer), *good, refuse("malformed", bad))
    client("HELLO twice", plain + hello() + hello(), *good, refuse("malformed", bad))
    client("an empty command", plain + b"\x04\0", refuse("malformed", bad))
    client("a name longer than its command", plain + b"\x04\x03\xffab", refuse("malformed", bad))
    client("a user longer than HELLO", plain + command("HELLO", b"\xffabc"), refuse("malformed", bad))
    client("a HELLO without password", plain + command("HELLO", b"\x01a"), refuse("malformed", bad))
    client("a HELLO with more behind", plain + command("HELLO", b"\x01a\x01bc"), refuse("malformed", bad))
    client("a HELLO of a terabyte", plain + b"\x06" + struct.pack(">Q", 1 << 40), refuse("tooLong", long))
    client("a HELLO of 2^64-1", plain + b"\x06" + b"\xff" * 8, refuse("tooLong", long))
    client("a HELLO of 1,000 bytes", plain + command("HELLO", bytes(1000)), refuse("tooLong", long))
    client("metadata of 20 kB", plain + hello() + command("INITIATE", bytes(20000)), *good, refuse("tooLong", long))
    for name, body in [
        ("a property without a value", b"\x01a"), ("a value longer than the metadata", b"\x01a\0\0\0\x09x"),
        ("a property without a name", b"\0\0\0\0\x01x"), ("a value of 4 GB", b"\x01a\xff\xff\xff\xff"),
    ]:
        client(name, plain + hello() + command("INITIATE", body), *good, refuse("malformed", bad))

    inner = []
    null = greeting("NULL")
    router = metadata(Socket_Type=b"ROUTER", Identity=b"")
    ready = command("READY", router)
    ours = send(command("READY", dealer))

    def kernel(name, sent, *actions, surplus=b""):
        inner.append({
            "name": name, "metadata": dealer.hex(), "bytes": sent.hex(), "actions": list(actions), "surplus": surplus.hex(),
        })

    kernel("libzmq's handshake", null + ready, ours, {"joined": ready.hex()})
    kernel("ZMTP 3.1", greeting("NULL", minor=1) + ready, ours, {"joined": ready.hex()})
    kernel("messages right behind", null + ready + b"\x01\0\0\x01x", ours, {"joined": ready.hex()}, surplus=b"\x01\0\0\x01x")
    wide = command("READY", router, wide=True)
    kernel("wide frames", null + wide, ours, {"joined": wide.hex()})
    kernel("a greeting alone", null, ours)
    kernel("half a greeting", null[:40])
    kernel("CURVE", greeting("CURVE"), {"refuse": "kernelRefused"})
    kernel("not ZMTP", b"HTTP/1.1 200 OK\r\n", {"refuse": "kernelRefused"})
    kernel("an error", null + error("no"), ours, {"refuse": "kernelRefused"})
    kernel("a message before READY", null + b"\0\x01x", ours, {"refuse": "kernelRefused"})
    kernel("broken metadata", null + command("READY", b"\x05ab"), ours, {"refuse": "kernelRefused"})
    kernel("a READY of a gigabyte", null + b"\x06" + struct.pack(">Q", 1 << 30), ours, {"refuse": "kernelRefused"})

    return {
        "format": 1, "token": TOKEN, "known": "k1", "plainGreeting": greeting("PLAIN", server=True).hex(),
        "nullGreeting": null.hex(), "client": outer, "kernel": inner,
    }


def write(name: str, value) -> None:
    (HERE / name).write_text(json.dumps(value, indent=1) + "\n")


write("link.json", {"format": 1, "frames": frames(), "streams": streams(), "texts": texts(), "messages": messages()})
write("gate-handshake.json", handshakes())
