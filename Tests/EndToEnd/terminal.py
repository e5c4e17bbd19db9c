"""A terminal for a program under test: a pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte
import pytest

from processes import PATIENCE


class Terminal:
    """The program leads a session of its own and has this as its controlling terminal."""

    def __init__(self, command: list[str], environment: dict[str, str], columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.code: int | None = None
        ready, go = os.pipe()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # Only once the terminal has its size.
            os.read(ready, 1)
            os.execve(command[0], command, environment)
        self.mode = termios.tcgetattr(self.master)
        self.resize(columns, rows)
        os.write(go, b"x")
        os.close(go)
        os.close(ready)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def read(self, seconds: float) -> None:
        while select.select([self.master], [], [], seconds)[0]:
            try:
                more = os.read(self.master, 65536)
            except OSError:
                return
            if not more:
                return
            self.raw += more
            self.stream.feed(more)
            seconds = 0

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, met: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.read(0.1)
            if met():
                return
        pytest.fail(f"{what} did not come about; the screen is\n{self.text}")

    def until_shown(self, *words: str) -> None:
        self.until(lambda: all(word in self.text for word in words), f"{words} on the screen")

    def state(self) -> str:
        """As the system names it: S sleeps, T is stopped, Z has ended."""
        with open(f"/proc/{self.pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def end(self) -> int:
        """The exit code, once it has ended by itself."""
        self.until(self._has_ended, "its end")
        assert self.code is not None
        return self.code

    def _has_ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def close(self) -> None:
        if not self._has_ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def is_restored(self) -> bool:
        """Modes as they were, the first screen, the cursor to be seen."""
        self.read(0.2)
        left, shown = self.raw.rfind(b"\x1b[?1049l"), self.raw.rfind(b"\x1b[?25h")
        entered = self.raw.rfind(b"\x1b[?1049h")
        return termios.tcgetattr(self.master) == self.mode and left > entered and shown > entered


@contextmanager
def terminal(command: list[str], environment: dict[str, str], columns: int = 80, rows: int = 24, **more: str) -> Iterator[Terminal]:
    plain = {name: value for name, value in environment.items() if name not in ("NO_COLOR", "LC_ALL", "LC_CTYPE")}
    opened = Terminal(command, {**plain, "TERM": "xterm-256color", "LANG": "C.UTF-8", **more}, columns, rows)
    try:
        yield opened
    finally:
        opened.close()
