"""Fixtures: a relay with a kernel behind it, shared where a test leaves it as it was, fresh where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient

from clients import connected
from processes import KERNELS, Line, open_line


@pytest.fixture(scope="session", params=KERNELS)
def line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """One line for each age of ipykernel, shared by the tests that leave the kernel usable."""
    with open_line(tmp_path_factory.mktemp(request.param), request.param) as opened:
        yield opened


@pytest.fixture(scope="session")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The newest ipykernel alone, shared likewise."""
    with open_line(tmp_path_factory.mktemp("newest")) as opened:
        yield opened


@pytest.fixture
def client(line: Line) -> Iterator[BlockingKernelClient]:
    with connected(line.front) as opened:
        yield opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[..., Line]]:
    """Open a line for this test alone: `fresh(version=, front=, back=)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(open_line(tmp_path / "line", **options))


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """Two large byte strings: say where they part, not 50 MB of diff."""
    if op != "==" or not isinstance(left, (bytes, str)) or type(left) is not type(right):
        return None
    if max(len(left), len(right)) < 10_000:
        return None
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return [f"{len(left)} and {len(right)} long, alike up to {same}"]
