"""A notebook on the host whose code runs in a container: started, used, and left standing to go on with.

Run it by `make demo`; `make demo-clean` takes away what it made. IMAGE names another image that has a Python with
ipykernel in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
RELAYD = ROOT / ".build/release/relayd"
VENV = Path(sys.prefix)
CONTAINER, KERNEL, DISPLAY = "kernelrelay-demo", "kernelrelay-demo", "Python (kernelrelay-demo)"
OWN_IMAGE = "kernelrelay/debian-ipykernel"
IMAGE = os.environ.get("IMAGE") or OWN_IMAGE
# Written when the demo has built its image: one that was there before is not the demo's to take away.
BUILT = ROOT / ".build/demo-image"
CELL = "import platform\nprint(f'Python {platform.python_version()} in container {platform.node()}')\nsum(range(10))"


def main() -> None:
    if IMAGE == OWN_IMAGE:
        was_there = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode == 0
        subprocess.run([ROOT / "Tools/image", "debian-ipykernel"], check=True)
        if not was_there:
            BUILT.touch()
    if not is_running():
        # One that was stopped since is of no use any more.
        subprocess.run([RELAYD, "down", CONTAINER], capture_output=True)
        do(RELAYD, "up", "--name", CONTAINER, IMAGE)
    # Under the prefix of the environment that has Jupyter: it is found there, and the home folder stays as it was.
    os.environ["VIRTUAL_ENV"] = str(VENV)
    do(RELAYD, "add", "--container", CONTAINER, "--name", KERNEL, "--display-name", DISPLAY, "--sys-prefix", "--replace")
    run_notebook()
    as_root = " --allow-root" if os.getuid() == 0 else ""
    print(f'\nGo on in JupyterLab, with the kernel "{DISPLAY}":\n')
    print(f"    . {shlex.quote(str(VENV / 'bin/activate'))}")
    print(f'    export PATH={shlex.quote(str(RELAYD.parent))}:"$PATH"    # for the commands that cells and messages name')
    print(f"    jupyter lab{as_root}")
    print("\nmake demo-clean takes away again what the demo made.")


def clean() -> None:
    image = [["docker", "image", "rm", OWN_IMAGE]] if BUILT.exists() else []
    for command in ([RELAYD, "remove", "--prefix", VENV, KERNEL], [RELAYD, "down", CONTAINER], *image):
        show(command)
        # What is not there, or was taken away by hand, is as it should be; so is a program that was never built.
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, capture_output=True)
    BUILT.unlink(missing_ok=True)
    # Other kernels of this user may go by the same relayd; without any it is only waiting to end.
    with contextlib.suppress(FileNotFoundError):
        status = subprocess.run([RELAYD, "status", "--json"], capture_output=True)
        if status.returncode == 0 and not json.loads(status.stdout)["kernels"]:
            show([RELAYD, "stop"])
            subprocess.run([RELAYD, "stop"], capture_output=True)


def is_running() -> bool:
    shown = subprocess.run(["docker", "ps", "--format", "{{.Names}}"], capture_output=True, text=True, check=True)
    return CONTAINER in shown.stdout.split()


def do(*command: object) -> None:
    show(command)
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def show(command: object) -> None:
    words = (str(word).removeprefix(f"{ROOT}/") for word in command)
    print("$", " ".join(shlex.quote(word) for word in words), flush=True)


def run_notebook() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    with tempfile.TemporaryDirectory(prefix="kernelrelay-demo-") as folder:
        NotebookClient(notebook, kernel_name=KERNEL, timeout=60, resources={"metadata": {"path": folder}}).execute()
    (cell,) = notebook.cells
    print()
    for line in cell.source.splitlines():
        print(f"    >>> {line}")
    for output in cell.outputs:
        print("   ", output.get("text", output.get("data", {}).get("text/plain", "")).rstrip())


if __name__ == "__main__":
    clean() if sys.argv[1:] == ["clean"] else main()
