"""What the status report says of a kernel, and how long it took to say so."""

from __future__ import annotations

import time
from typing import Any

from service import Service, pauses

PATIENCE = 15.0


class Witness:
    """Looks at the kernels of one relayd."""

    def __init__(self, service: Service, container: str) -> None:
        self.service = service
        self.container = container

    def kernel(self) -> dict[str, Any]:
        """The newest kernel of the container, which may have ended."""
        report = self.service.status()
        here = [kernel for kernel in report["kernels"] + report["ended"] if kernel["container"] == self.container]
        if not here:
            return {"verdict": {"word": "none yet"}}
        return dict(here[-1] if here[-1] in report["kernels"] else here[0])

    def verdict(self) -> dict[str, Any]:
        return dict(self.kernel()["verdict"])

    def until(self, word: str) -> dict[str, Any]:
        """Wait for a verdict. Prints how long it took, which pytest shows with -rP; `make bench` judges it."""
        began = time.monotonic()
        verdict: dict[str, Any] = {}
        for _ in pauses(PATIENCE):
            verdict = self.verdict()
            if verdict["word"] == word:
                print(f"{word}: {time.monotonic() - began:.1f} s")
                return verdict
        raise AssertionError(f"{word} was waited for, and this is said: {verdict}")

    def pid(self) -> int:
        """Of the kernel's process in its container, once the gate has been asked for it."""
        for _ in pauses(PATIENCE):
            if process := self.kernel().get("process"):
                return int(process["pid"])
        raise AssertionError(f"no process is known: {self.kernel()}")

    def lamps(self) -> dict[str, str]:
        return {rung["hop"]: rung["lamp"] for rung in self.kernel()["ladder"]}
