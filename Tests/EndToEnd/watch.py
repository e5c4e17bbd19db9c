"""What everybody on the machine can see while something runs: command lines, and what the engine tells of itself."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType


class Watch:
    """Between its beginning and its end: every command line of the machine, as often as they can be read; every event
    of the engine; and word for word what relayd told the engine's client, with its environment, by way of `client`. What goes
    to a gate over the client's stdin is kept apart: that is where a token may be.

    A client lives for some 20 ms, and may be missed by whoever looks at /proc; one that writes itself down is not. What a
    person's own `relayd add` asks has that person's environment, as everything that is typed.
    """

    def __init__(self, folder: Path) -> None:
        self.told = folder / "told"
        self.told.touch()
        self.stdin = folder / "stdin"
        self.stdin.touch()
        self.events = folder / "events"
        self.program = folder / "watched-client"
        self.program.write_text(
            f"""#!/bin/sh
if tr '\\0' ' ' < /proc/$PPID/cmdline | grep -q ' serve '; then
    {{ printf '%s\\n' "$@"; tr '\\0' '\\n' < /proc/$$/environ; }} >> {shlex.quote(str(self.told))}
    case " $* " in *" gate "*)
        # The client stays the process that relayd has started.
        way=$(mktemp -u {shlex.quote(str(folder))}/way-XXXXXXXX)
        mkfifo "$way"
        exec 3<&0
        tee -a {shlex.quote(str(self.stdin))} <&3 3<&- > "$way" &
        exec < "$way" 3<&-
        rm "$way"
    esac
fi
exec {shlex.quote(shutil.which("docker") or "docker")} "$@"
"""
        )
        self.program.chmod(0o755)
        self.command_lines: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @property
    def client(self) -> str:
        """For `--docker`."""
        return shlex.quote(str(self.program))

    def __enter__(self) -> Watch:
        self._file = open(self.events, "wb")
        # From a moment on: it may take a while until it listens.
        command = ["docker", "events", "--since", str(int(time.time())), "--format", "{{json .}}"]
        self._listener = subprocess.Popen(command, stdout=self._file, stdin=subprocess.DEVNULL)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._listener.terminate()
        self._listener.wait(30)
        self._file.close()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            for name in os.listdir("/proc"):
                if name.isdigit():
                    try:
                        self.command_lines.add(Path(f"/proc/{name}/cmdline").read_bytes())
                    except OSError:
                        continue

    @property
    def tokens(self) -> set[str]:
        """Those that gates were given, each in a `hello`."""
        return {token.decode() for token in re.findall(rb'"token" *: *"([^"]+)"', self.stdin.read_bytes())}

    def seen(self) -> dict[str, str]:
        return {
            "command lines": b"\n".join(self.command_lines).decode(errors="replace"),
            "what the engine's client was told": self.told.read_text(errors="replace"),
            "events of the engine": self.events.read_text(errors="replace"),
        }
