"""Kernels of many ages in containers of their own: what has changed in ipykernel in eight years is nothing to a relay."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from clients import await_reply, await_text, outcome, sleeping, until_heard
from conftest import Open
from containers import docker
from own import assert_no_key_is_seen, own_containers, until_gone, written
from processes import VENVS
from service import Spec

# By the environment that has it; 6.17 is the image's own.
AGES = {
    "4.10": VENVS / "ipykernel-4", "5.5": VENVS / "ipykernel-5", "6.17": None, "6.29": VENVS / "ipykernel-6",
    "7.4": VENVS / "main",
}  # fmt: skip


@pytest.fixture
def aged(image: str, tmp_path: Path, request: pytest.FixtureRequest) -> Spec:
    folder = AGES[request.param]
    if folder is None:
        return written(tmp_path / "prefix", "-f", "{connection_file}", "--image", image)
    # At the paths that its scripts name, with the interpreter that made it.
    python = folder / "bin/python"
    places = {VENVS.resolve()}
    if sys.base_prefix != "/usr":
        places.add(Path(sys.base_prefix))
    elif docker("run", "--rm", "--entrypoint", "python3", image, "-V") != "Python " + sys.version.split()[0]:
        pytest.skip("the image has another Python than this host, and cannot use its environments")
    mounts = [word for place in sorted(places) for word in ("-v", f"{place}:{place}:ro")]
    command = f"['{folder.resolve()}/bin/python', '-m', 'ipykernel']"
    assert python.exists()
    return written(
        tmp_path / "prefix", "-f", "{connection_file}", "--image", image, "--cmd", command, "--", *mounts
    )


@pytest.mark.heavy
@pytest.mark.parametrize("aged", AGES, indirect=True)
@pytest.mark.parametrize("mode", ["signal", "message"])
def test_an_ipykernel(aged: Spec, open_notebook: Open, request: pytest.FixtureRequest, mode: str) -> None:
    version = request.node.callspec.params["aged"]
    if mode == "message":
        content = {**aged.content, "interrupt_mode": "message"}
        (aged.folder / "kernel.json").write_text(json.dumps(content))
    with open_notebook(aged) as notebook:
        before = own_containers()
        assert notebook.text("import ipykernel; print(ipykernel.__version__)").startswith(version)
        assert_no_key_is_seen(notebook, docker("inspect", *before))
        assert notebook.run("6 * 7").of("execute_result")[0]["content"]["data"]["text/plain"] == "42"

        asked = notebook.client.execute("print('hello ' + input('who? '))", allow_stdin=True)
        assert await_reply(notebook.client.get_stdin_msg, asked)["content"]["prompt"] == "who? "
        notebook.client.input("Ada")
        assert outcome(notebook.client, asked).text() == "hello Ada\n"

        asked = notebook.client.complete("impor")
        assert "import" in await_reply(notebook.client.get_shell_msg, asked)["content"]["matches"]

        asked = notebook.client.execute(sleeping())
        await_text(notebook.client, "asleep")
        notebook.manager.interrupt_kernel()
        assert await_reply(notebook.client.get_shell_msg, asked)["content"]["ename"] == "KeyboardInterrupt"

        notebook.manager.restart_kernel()
        until_heard(notebook.client)
        assert notebook.text("print('time' in globals())") == "False"
        assert own_containers() != before
    for name in before:
        until_gone(name)
