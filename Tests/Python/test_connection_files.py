"""The broken and the good connection files: what the relay says of each, and what jupyter_client does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient

from processes import relay_executable

FOLDER = Path(__file__).parents[1] / "Fixtures" / "connection"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_bytes())
GOOD = sorted(name for name, verdict in EXPECTED.items() if verdict["ok"])
BROKEN = sorted(name for name, verdict in EXPECTED.items() if not verdict["ok"])


def test_every_file_has_a_verdict_and_every_verdict_a_file() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*EXPECTED, "expected.json"}


@pytest.mark.parametrize("name", GOOD)
def test_jupyter_client_loads_the_good_ones(name: str) -> None:
    client = BlockingKernelClient()
    client.load_connection_file(str(FOLDER / name))
    assert all(client.ports)


@pytest.mark.parametrize("name", BROKEN)
def test_relay_refuses_the_broken_ones_with_their_code(name: str, tmp_path: Path) -> None:
    good = FOLDER / "good-tcp.json"
    done = subprocess.run(
        [relay_executable(), FOLDER / name, good],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        timeout=10,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(EXPECTED[name]["code"]), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_relay_names_a_missing_file(tmp_path: Path) -> None:
    missing = tmp_path / "kernel-gone.json"
    done = subprocess.run(
        [relay_executable(), missing, FOLDER / "good-tcp.json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode != 0
    assert done.stderr.startswith("KR-CONNECTION-")
    assert missing.name in done.stderr
