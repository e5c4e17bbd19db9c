"""The committed vectors still say what the installed jupyter_client says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.session import Session

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
MESSAGES = json.loads((VECTORS / "messages.json").read_bytes())["vectors"]

# Session refuses these in its own words; the relay has a reason of its own for each.
REFUSALS = {
    "badSignature": (ValueError, "Invalid Signature"),
    "missingSignature": (ValueError, "Unsigned Message"),
    "missingDelimiter": (ValueError, "not in list"),
    "missingParts": ((TypeError, IndexError, ValueError), None),
}


def session(key: str, scheme: str) -> Session:
    return Session(key=key.encode(), signature_scheme=scheme, packer="json", unpacker="json")


def frames_of(vector: dict[str, Any]) -> list[bytes]:
    frames = [bytes.fromhex(frame) for frame in vector["frames"]]
    return frames + frames[-1:] * (vector.get("repeatFrame", 1) - 1)


def named(accept: bool) -> list[Any]:
    chosen = [vector for vector in MESSAGES if vector["expect"]["accept"] is accept]
    return [pytest.param(vector, id=vector["name"]) for vector in chosen]


@pytest.mark.parametrize("vector", named(accept=True))
def test_session_accepts_and_signs_alike(vector: dict[str, Any]) -> None:
    expect, frames = vector["expect"], frames_of(vector)
    receiver = session(vector["key"], vector["scheme"])
    if vector.get("json") is False:
        # The relay judges the envelope alone; so must Session, for once.
        receiver.unpack = lambda _: {"msg_id": "", "msg_type": "", "version": "5.4"}

    identities, rest = receiver.feed_identities(frames)
    message = receiver.deserialize(rest)
    assert len(identities) == expect["identities"]
    assert [bytes(buffer) for buffer in message["buffers"]] == frames[len(identities) + 6 :]
    assert len(message["buffers"]) == expect["buffers"]

    behind = session(expect["resigned"]["key"], expect["resigned"]["scheme"])
    assert behind.sign(rest[1:5]).decode() == expect["resigned"]["signature"]


@pytest.mark.parametrize("vector", named(accept=False))
def test_session_refuses_alike(vector: dict[str, Any]) -> None:
    reason, frames = vector["expect"]["reason"], frames_of(vector)
    receiver = session(vector["key"], vector["scheme"])
    if reason == "tooManyFrames":
        assert len(frames) >= vector["repeatFrame"]  # the relay's own limit: Session has none
        return
    if reason == "missingIdentity":
        # A ROUTER puts the peer's id in front, so Session never meets this one.
        assert vector["routed"]
        assert receiver.feed_identities(frames)[0] == []
        return
    error, words = REFUSALS[reason]
    with pytest.raises(error, match=words):
        receiver.deserialize(receiver.feed_identities(frames)[1])


def test_generator_writes_the_committed_bytes() -> None:
    done = subprocess.run(
        [sys.executable, VECTORS / "make_vectors.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_check_notices_a_difference(tmp_path: Path) -> None:
    script = tmp_path / "make_vectors.py"
    script.write_bytes((VECTORS / "make_vectors.py").read_bytes())
    (tmp_path / "messages.json").write_bytes((VECTORS / "messages.json").read_bytes().replace(b"true", b"false", 1))
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, timeout=60)
    assert done.returncode == 1
