"""A notebook against a real kernel, with a relay between the two that has a key for each side.

Run it by `make demo`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.connect import write_connection_file
from nbclient import NotebookClient

RELAY = os.environ["KERNELRELAY_EMBEDDED_RELAY"]
CELLS = [
    "import os, platform\nprint(f'Python {platform.python_version()}, process {os.getpid()}, {platform.node()}')",
    "sum(range(10))",
]


class Relayed(AsyncKernelManager):
    """Owns no process: its kernel runs behind the relay already."""

    has_kernel = True


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="kernelrelay-demo-") as folder:
        front, back = (str(Path(folder, name)) for name in ("front.json", "back.json"))
        write_connection_file(front, key=os.urandom(16).hex().encode())
        write_connection_file(back, key=os.urandom(16).hex().encode())
        print(f"kernel    ipykernel on the ports of {back}")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        kernel = subprocess.Popen([sys.executable, "-m", "ipykernel_launcher", "-f", back], **quiet)
        try:
            print(f"relay     {RELAY} {front} {back}")
            relay = subprocess.Popen([RELAY, "--until-eof", front, back], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                if relay.stdout.readline() != "relaying\n":
                    sys.exit("the relay did not start")
                run(front)
            finally:
                report(*relay.communicate(timeout=10))
        finally:
            kernel.terminate()
            kernel.wait(10)
    print("\nThe same from a program of your own: Examples/EmbeddedRelay/main.swift")


def run(front: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    manager = Relayed(connection_file=front, owns_kernel=False)
    manager.load_connection_file()
    client = NotebookClient(notebook, km=manager, timeout=60)
    try:
        client.execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
    for cell in notebook.cells:
        for line in cell.source.splitlines():
            print(f"notebook  >>> {line}")
        for output in cell.outputs:
            print("notebook ", output.get("text", output.get("data", {}).get("text/plain", "")).rstrip())


def report(printed: str, _: str | None) -> None:
    for lane in json.loads(printed)["lanes"]:
        if lane["messages"]:
            print(f"relayed   {lane['channel']:8}{lane['direction']:9}{lane['messages']:4} messages, {lane['bytes']:6} bytes")


if __name__ == "__main__":
    main()
