"""Write messages.json: what a relay must accept, refuse and sign, judged by jupyter_client itself.

    python protocol/vectors/make_vectors.py            writes the file
    python protocol/vectors/make_vectors.py --check    exits 1 when the committed file differs

Signatures come from jupyter_client.session.Session, never from code of our own: a vector is
evidence only when somebody else made it. Dates, ids and keys are fixed, so that two runs write
the same bytes. The fields of a vector are explained in protocol/wire.md.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from jupyter_client.session import DELIM, Session

TARGET = Path(__file__).with_name("messages.json")

SCHEME = "hmac-sha256"
KEY = "a0436f6c-1916-498b-8eb9-e81ab9368e84"
OTHER_KEY = "5ca1ab1e-0dd5-4f2e-8a7b-0123456789ab"
IDENTITY = b"\x00k\x8bEg"  # the shape that libzmq gives a peer without an id of its own

# Every constructor of hashlib that Session takes and that makes a digest of fixed length.
HASHES = (
    "md5", "sha1", "sha224", "sha256", "sha384", "sha512",
    "sha3_224", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s",
)  # fmt: skip

Vector = dict[str, Any]
Frames = list[bytes]


def session(key: str, scheme: str = SCHEME) -> Session:
    # "json" by name: Session prefers orjson where that is installed, and writes other bytes with it.
    return Session(
        key=key.encode(), signature_scheme=scheme, packer="json", unpacker="json",
        session="11111111-2222-3333-4444-555555555555", username="ada",
    )  # fmt: skip


def header(msg_type: str, number: int = 1) -> dict[str, Any]:
    return {
        "msg_id": f"11111111-2222-3333-4444-555555555555_4711_{number}",
        "msg_type": msg_type,
        "username": "ada",
        "session": "11111111-2222-3333-4444-555555555555",
        "date": "2026-01-02T03:04:05.678901Z",
        "version": "5.4",
    }


def message(
    *,
    key: str = KEY,
    scheme: str = SCHEME,
    identities: Frames | None = None,
    content: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    parent: dict[str, Any] | None = None,
    head: dict[str, Any] | None = None,
    buffers: Frames | None = None,
) -> Frames:
    """The frames that Session puts on the wire."""
    signer = session(key, scheme)
    parts = signer.msg(
        "execute_request",
        content={"code": "1 + 1", "silent": False} if content is None else content,
        header=head or header("execute_request"),
        parent=parent or {},
        metadata=metadata or {},
    )
    return signer.serialize(parts, [IDENTITY] if identities is None else identities) + (buffers or [])


def sign(parts: Frames, key: str = KEY, scheme: str = SCHEME) -> bytes:
    return session(key, scheme).sign(parts)


def vector(name: str, frames: Frames, key: str, scheme: str, routed: bool, expect: dict[str, Any]) -> Vector:
    return {
        "name": name,
        "scheme": scheme,
        "key": key,
        "routed": routed,
        "frames": [frame.hex() for frame in frames],
        "expect": expect,
    }


def accepted(
    name: str,
    frames: Frames,
    *,
    key: str = KEY,
    scheme: str = SCHEME,
    routed: bool = True,
    to_key: str = OTHER_KEY,
    to_scheme: str = SCHEME,
    json_frames: bool = True,
) -> Vector:
    at = frames.index(DELIM)
    parts = frames[at + 2 : at + 6]
    resigned = {"scheme": to_scheme, "key": to_key, "signature": sign(parts, to_key, to_scheme).decode()}
    expect = {"accept": True, "identities": at, "buffers": len(frames) - at - 6, "resigned": resigned}
    made = vector(name, frames, key, scheme, routed, expect)
    if not json_frames:
        made["json"] = False  # the envelope is sound, the frames in it are not JSON
    return made


def refused(name: str, frames: Frames, reason: str, *, key: str = KEY, routed: bool = True) -> Vector:
    return vector(name, frames, key, SCHEME, routed, {"accept": False, "reason": reason})


def flipped(frames: Frames, index: int, byte: int = 2, bit: int = 0) -> Frames:
    """The same frames with one bit turned over."""
    changed = bytearray(frames[index])
    changed[byte] ^= 1 << bit
    return [*frames[:index], bytes(changed), *frames[index + 1 :]]


def contents() -> list[Vector]:
    unicode = {"code": "print('naïve ☕ 🦉 𝒳 👩🏽‍🚀 שלום مرحبا \u202e\u0000\u2028')"}
    subshell = {**header("execute_request"), "subshell_id": "8f0c1d1e-9a51-4a44-9b05-7d2a5e3b6f10"}
    parent = header("execute_request", 7)
    return [
        accepted("ascii", message()),
        accepted("unicode", message(content=unicode, metadata={"ключ": "値", "🗝": "𐍈"})),
        accepted("parent-and-metadata", message(parent=parent, metadata={"cellId": "b1946ac9"})),
        accepted("subshell-in-header", message(head=subshell)),
        accepted("large-content", message(content={"code": "x = 1\n" * 2_000})),
    ]


def buffers() -> list[Vector]:
    every_byte = bytes(range(256))
    several = [b"", every_byte, DELIM, b"\x00" * 64, b""]
    return [
        accepted("buffer-empty", message(buffers=[b""])),
        accepted("buffer-every-byte", message(buffers=[every_byte])),
        accepted("buffers-several", message(buffers=several)),
        # Buffers are not signed: a changed, an added and a removed one pass.
        accepted("buffer-tampered", flipped(message(buffers=[every_byte]), 7)),
        accepted("buffer-added", [*message(buffers=[every_byte]), b"one more"]),
    ]


def envelopes() -> list[Vector]:
    topic = b"kernel.8f0c1d1e-9a51-4a44-9b05-7d2a5e3b6f10.stream"
    odd = [b"\x00\xff\r\n\t ", bytes(range(1, 256)), b"", "é🦉".encode()]
    lookalikes = [b"<IDS|MSG", b"<ids|msg>", DELIM + b" ", DELIM + b"\x00"]
    return [
        accepted("identities-several", message(identities=[b"relay", b"proxy", IDENTITY])),
        accepted("identities-odd-bytes", message(identities=odd)),
        accepted("identity-empty", message(identities=[b""])),
        accepted("identities-like-the-delimiter", message(identities=lookalikes)),
        accepted("iopub-topic", message(identities=[topic]), routed=False),
        accepted("iopub-no-topic", message(identities=[]), routed=False),
        accepted("iopub-topic-empty", message(identities=[b""]), routed=False),
    ]


def keys() -> list[Vector]:
    digits = "00112233445566778899"
    long = "long key, hashed before use. " * 9
    unsigned = message(key="")
    signature_there = [*unsigned[:2], b"not looked at", *unsigned[3:]]
    return [
        accepted("key-empty-both", unsigned, key="", to_key=""),
        accepted("key-empty-to-signed", unsigned, key=""),
        accepted("key-empty-ignores-signature", signature_there, key=""),
        accepted("signed-to-key-empty", message(), to_key=""),
        accepted("key-digits", message(key=digits), key=digits, to_key="7"),
        accepted("key-one-byte", message(key="k"), key="k"),
        accepted("key-of-block-size", message(key="b" * 64), key="b" * 64, to_key="c" * 65),
        accepted("key-long", message(key=long), key=long, to_key=long[::-1]),
        accepted("key-unicode", message(key="clé 🗝"), key="clé 🗝", to_key="ключ"),
        accepted("key-with-whitespace", message(key=" k\n"), key=" k\n", to_key="k"),
    ]


def hashes() -> list[Vector]:
    made = []
    for index, name in enumerate(HASHES):
        scheme, behind = f"hmac-{name}", f"hmac-{HASHES[index - 1]}"
        made.append(accepted(f"hash-{name}", message(scheme=scheme), scheme=scheme, to_scheme=behind))
    # Longer than the widest block (144 bytes, sha3_224), so each hash has to shorten its key.
    key = "k" * 200
    for name in HASHES:
        scheme = f"hmac-{name}"
        frames = message(scheme=scheme, key=key)
        made.append(accepted(f"hash-{name}-key-long", frames, scheme=scheme, key=key, to_scheme=scheme))
    return made


def empty_frames() -> list[Vector]:
    nothing = [b"", b"", b"", b""]
    four = message()[3:]
    # The hash runs over the frames end to end, so their borders are not signed: a limit of the
    # protocol that a relay neither repairs nor hides.
    moved = [four[0][:-1], four[0][-1:] + four[1], *four[2:]]
    return [
        accepted("frames-empty", [IDENTITY, DELIM, sign(nothing), *nothing], json_frames=False),
        accepted("frame-border-moved", [IDENTITY, DELIM, sign(four), *moved], json_frames=False),
        accepted("frames-not-json", [IDENTITY, DELIM, sign([b"\xff"] * 4), *[b"\xff"] * 4], json_frames=False),
        accepted(
            "key-empty-frames-not-json",
            [IDENTITY, DELIM, b"", b"\xff", b"", b"{", b"\x00"],
            key="",
            json_frames=False,
        ),
    ]


def tampered() -> list[Vector]:
    frames = message(parent=header("execute_request", 7), metadata={"cellId": "b1946ac9"}, buffers=[b"buffer"])
    names = {3: "header", 4: "parent-header", 5: "metadata", 6: "content"}
    made = [refused(f"tampered-{name}", flipped(frames, at), "badSignature") for at, name in names.items()]
    signature = frames[2]

    def signed(name: str, other: bytes) -> Vector:
        return refused(f"signature-{name}", [*frames[:2], other, *frames[3:]], "badSignature")

    made += [
        signed("first-bit", flipped(frames, 2, byte=0)[2]),
        signed("last-bit", flipped(frames, 2, byte=63)[2]),
        signed("uppercase", signature.upper()),
        signed("truncated", signature[:-1]),
        signed("half", signature[:32]),
        signed("one-longer", signature + b"0"),
        signed("with-nul", signature + b"\x00"),
        signed("with-space", b" " + signature[:-1]),
        signed("raw-digest", bytes.fromhex(signature.decode())),
        signed("zeros", b"0" * 64),
        signed("of-other-key", sign(frames[3:7], OTHER_KEY)),
        signed("of-other-hash", sign(frames[3:7], KEY, "hmac-sha512")),
        signed("of-key-with-newline", sign(frames[3:7], KEY + "\n")),
        signed("covers-buffers", sign(frames[3:])),
        refused("signature-empty", [*frames[:2], b"", *frames[3:]], "missingSignature"),
        refused("swapped-header-parent", [*frames[:3], frames[4], frames[3], *frames[5:]], "badSignature"),
        refused("swapped-metadata-content", [*frames[:5], frames[6], frames[5], *frames[7:]], "badSignature"),
        refused("frame-inserted", [*frames[:3], b"{}", *frames[3:]], "badSignature"),
        refused("frame-removed", [*frames[:5], *frames[6:]], "badSignature"),
    ]
    return made


def broken() -> list[Vector]:
    frames = message()
    four = frames[3:]
    return [
        refused("delimiter-missing", [IDENTITY, *frames[2:]], "missingDelimiter"),
        refused("delimiter-alike", [IDENTITY, b"<IDS|MSG>\x00", *frames[2:]], "missingDelimiter"),
        refused("one-empty-frame", [b""], "missingDelimiter"),
        refused("all-frames-empty", [b""] * 8, "missingDelimiter"),
        refused("delimiter-doubled", [IDENTITY, DELIM, *frames[1:]], "badSignature"),
        refused("identity-is-the-delimiter", [b"relay", DELIM, IDENTITY, *frames[1:]], "badSignature"),
        refused("identity-missing", frames[1:], "missingIdentity"),
        refused("identity-missing-delimiter-doubled", [DELIM, *frames[1:]], "missingIdentity"),
        refused("identity-missing-unsigned", message(key="", identities=[]), "missingIdentity", key=""),
        refused("parts-none", [IDENTITY, DELIM], "missingParts"),
        refused("parts-signature-only", [IDENTITY, DELIM, sign([])], "missingParts"),
        refused("parts-one", [IDENTITY, DELIM, sign(four[:1]), *four[:1]], "missingParts"),
        refused("parts-three-well-signed", [IDENTITY, DELIM, sign(four[:3]), *four[:3]], "missingParts"),
        refused("parts-three-unsigned", [IDENTITY, DELIM, b"", *four[:3]], "missingParts", key=""),
        refused("parts-none-iopub", [b"topic", DELIM], "missingParts", routed=False),
        refused("tampered-iopub", flipped(message(identities=[b"topic"]), 6), "badSignature", routed=False),
        refused("delimiter-missing-iopub", frames[2:], "missingDelimiter", routed=False),
        {**refused("frames-too-many", [*frames, b"x"], "tooManyFrames"), "repeatFrame": 10_000},
        {**refused("identities-too-many", [b"x"], "tooManyFrames"), "repeatFrame": 10_000},
    ]


def document() -> bytes:
    # The warning that signing is off is the point of some vectors.
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    groups = (contents, buffers, envelopes, keys, hashes, empty_frames, tampered, broken)
    vectors = [made for group in groups for made in group()]
    names = [made["name"] for made in vectors]
    assert len(names) == len(set(names)), "two vectors share a name"
    text = json.dumps({"format": 1, "vectors": vectors}, indent=1, ensure_ascii=True)
    return text.encode() + b"\n"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        if TARGET.is_file() and TARGET.read_bytes() == document():
            return 0
        print(f"{TARGET.name} is not what make_vectors.py writes: run it and commit the result", file=sys.stderr)
        return 1
    if arguments:
        print(__doc__, file=sys.stderr)
        return 64
    TARGET.write_bytes(document())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
