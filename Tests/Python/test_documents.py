"""What the documents say that tests show, tests do."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_compatibility_names_tests_that_are_there() -> None:
    written = (path.read_text() for folder in ("EndToEnd", "Python") for path in (ROOT / "Tests" / folder).glob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", "\n".join(written), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/compatibility.md").read_text()))
    assert len(named) > 50
    assert named - there == set()
