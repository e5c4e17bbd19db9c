"""Output of a known size, each piece of its own content."""

from __future__ import annotations

import hashlib

from clients import Outcome

MEGABYTE = 1_000_000

# Each write is flushed, so that it makes a message of its own. The pieces differ, so a lost, doubled or
# swapped one changes the digest.
WRITE = """
import sys
for number in range({count}):
    sys.stdout.write(f"{{number:09d}}:" + "x" * ({size} - 11) + "\\n")
    sys.stdout.flush()
"""


def written(count: int, size: int) -> str:
    return "".join(f"{number:09d}:" + "x" * (size - 11) + "\n" for number in range(count))


def assert_whole(done: Outcome, count: int, size: int) -> None:
    text, wanted = done.text(), written(count, size)
    assert len(text) == len(wanted)
    assert hashlib.sha256(text.encode()).digest() == hashlib.sha256(wanted.encode()).digest()
