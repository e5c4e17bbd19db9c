"""An engine's client that sees some containers only, as one that belongs to somebody with few of them would."""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path


class Corner:
    """`label` goes to `run`, `client` to `--docker`: of all containers it lists those with the label."""

    def __init__(self, folder: Path) -> None:
        mark = f"kr-e2e-corner={uuid.uuid4().hex}"
        self.label = ["--label", mark]
        self.program = folder / "client"
        self.program.write_text(
            f"""#!/bin/sh
if [ "$1" = ps ]; then shift; set -- ps --filter label={shlex.quote(mark)} "$@"; fi
exec docker "$@"
"""
        )
        self.program.chmod(0o755)

    @property
    def client(self) -> str:
        return shlex.quote(str(self.program))
