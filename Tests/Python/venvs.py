"""Make the virtual environments of the tests under .build/venvs, each only when it is missing or stale.

One for the tests with the newest ipykernel, and one for each older ipykernel: kernels of different
ages cannot share an environment. Only the standard library, for this runs before there is any.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / ".build" / "venvs"
ENVIRONMENTS = {
    "main": "requirements.txt",
    "ipykernel-6": "requirements-ipykernel-6.txt",
    "ipykernel-5": "requirements-ipykernel-5.txt",
    "ipykernel-4": "requirements-ipykernel-4.txt",
}


def make(name: str, requirements: Path) -> None:
    folder = TARGET / name
    stamp = folder / "requirements.sha256"
    # The interpreter counts too: an environment made by another Python is stale.
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"making {folder.relative_to(TARGET.parents[1])} from {requirements.name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    subprocess.run(install, check=True)
    stamp.write_text(wanted)  # last: an install that broke off is made again


if __name__ == "__main__":
    for name, file in ENVIRONMENTS.items():
        make(name, HERE / file)
