"""The debugger lives on control: debug_request there, debug_event on iopub, with a real debugpy."""

from __future__ import annotations

from collections.abc import Callable

from clients import connected
from debugger import hit_a_breakpoint
from processes import Line


def test_a_breakpoint_is_hit(fresh: Callable[..., Line]) -> None:
    with connected(fresh().front) as client:
        hit_a_breakpoint(client)
