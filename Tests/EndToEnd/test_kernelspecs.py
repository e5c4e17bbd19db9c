"""What `relayd add` writes, and that Jupyter takes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from containers import Container
from service import BINARIES, Service, Spec


def test_what_is_written(add: Callable[..., Spec], container: Container) -> None:
    content = add("--display-name", "Python (dev)").content
    assert Path(content["argv"][0]) == (BINARIES / "relay-shim").resolve()
    assert content["argv"][1:5] == ["-f", "{connection_file}", "--container", container.name]
    assert content["display_name"] == "Python (dev)"
    assert content["metadata"]["debugger"] is True


def test_jupyter_lists_it_with_its_logos(add: Callable[..., Spec]) -> None:
    spec = add()
    program = [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"]
    environment = {**os.environ, "JUPYTER_PATH": str(spec.prefix / "share/jupyter")}
    listed = json.loads(subprocess.run(program, env=environment, capture_output=True, check=True, timeout=60).stdout)
    assert listed["kernelspecs"][spec.name]["spec"]["argv"] == spec.content["argv"]
    assert (spec.folder / "logo-64x64.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["Python (dev)", "Größe 🦉", "a/b\\c", "  ", "-x", "ÄÖÜ"])
def test_a_legal_name_from_any(service: Service, container: Container, tmp_path: Path, name: str) -> None:
    service.relayd("add", "--container", container.name, "--display-name", name, "--prefix", str(tmp_path))
    (folder,) = (tmp_path / "share/jupyter/kernels").iterdir()
    assert Spec(folder.name, tmp_path).content["display_name"] == name
    # Jupyter's own rule: others are not found.
    assert Spec(folder.name, tmp_path).manager().get_kernel_spec(folder.name)


def test_replace_is_asked_for(service: Service, container: Container, tmp_path: Path) -> None:
    arguments = ["add", "--container", container.name, "--name", "mine", "--prefix", str(tmp_path)]
    service.relayd(*arguments)
    again = service.attempt(*arguments)
    assert again.returncode != 0
    assert "--replace" in again.stderr
    service.relayd(*arguments, "--replace", "--display-name", "Another")
    assert Spec("mine", tmp_path).content["display_name"] == "Another"


def test_remove_takes_only_its_own(service: Service, add: Callable[..., Spec]) -> None:
    spec, foreign = add(), Spec("python3", add().prefix)
    foreign.folder.mkdir()
    (foreign.folder / "kernel.json").write_text('{"argv": ["true"], "display_name": "x", "language": "x"}')
    assert spec.name in service.relayd("list", "--prefix", str(spec.prefix))
    assert "KR-SPEC-FOREIGN" in service.attempt("remove", foreign.name, "--prefix", str(spec.prefix)).stderr
    assert foreign.folder.exists()
    service.relayd("remove", spec.name, "--prefix", str(spec.prefix))
    assert not spec.folder.exists()


def test_show_tells_what_will_run(service: Service, container: Container, add: Callable[..., Spec]) -> None:
    spec = add("--env", "COLOUR=blue")
    told = service.relayd("show", spec.name, "--prefix", str(spec.prefix))
    assert container.name in told and str(spec.folder / "kernel.json") in told
    shown = json.loads(service.relayd("show", spec.name, "--json", "--prefix", str(spec.prefix)))["kernelspec"]
    assert shown["argv"] == spec.content["argv"]
    assert "blue" not in " ".join(shown["argv"])
    missing = service.attempt("show", "nobody", "--prefix", str(spec.prefix))
    assert "KR-SPEC-MISSING" in missing.stderr
