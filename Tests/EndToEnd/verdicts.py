"""What the status report says of a kernel, and how long it took to say so."""

from __future__ import annotations

import time
from typing import Any

from service import Service, pauses

PATIENCE = 15.0


class Witness:
    """Looks at the kernels of one relayd. A verdict that takes more than `seconds` to show is a fault."""

    def __init__(self, service: Service, container: str, seconds: float = PATIENCE) -> None:
        self.service = service
        self.container = container
        self.seconds = seconds

    def kernel(self) -> dict[str, Any]:
        """The newest kernel of the container, which may have ended."""
        report = self.service.status()
        here = [kernel for kernel in report["kernels"] + report["ended"] if kernel["container"] == self.container]
        if not here:
            return {"verdict": {"word": "none yet"}}
        return dict(here[-1] if here[-1] in report["kernels"] else here[0])

    def verdict(self) -> dict[str, Any]:
        return dict(self.kernel()["verdict"])

    def until(self, word: str, seconds: float | None = None, **parts: str) -> dict[str, Any]:
        """Wait for a verdict, each of whose fields that `parts` names has that text in it: what is known first need not be
        all. Prints how long it took, which pytest shows with -rP; `make bench-verdicts` judges it."""
        began = time.monotonic()
        seconds = seconds or self.seconds
        verdict: dict[str, Any] = {}
        for _ in pauses(seconds):
            verdict = self.verdict()
            if verdict["word"] == word and all(part in (verdict[name] or "") for name, part in parts.items()):
                print(f"{' '.join([word, *parts.values()])}: {time.monotonic() - began:.1f} s")
                return verdict
        raise AssertionError(f"{word} {parts or ''} was waited for, {seconds:g} s, and this is said: {verdict}")

    def pid(self) -> int:
        """Of the kernel's process in its container, once the gate has been asked for it."""
        for _ in pauses(PATIENCE):
            if process := self.kernel().get("process"):
                return int(process["pid"])
        raise AssertionError(f"no process is known: {self.kernel()}")

    def until_lamps(self, others: str | None = None, **lamps: str) -> None:
        """Wait until these are so, and where `others` says how, all others too."""
        seen: dict[str, str] = {}
        for _ in pauses(PATIENCE):
            seen = {rung["hop"]: rung["lamp"] for rung in self.kernel()["ladder"]}
            wanted = lamps if others is None else dict.fromkeys(seen, others) | lamps
            if wanted.items() <= seen.items():
                return
        raise AssertionError(f"{lamps}, others {others}: these lamps were waited for, and they are {seen}")
