"""The ways by which bytes reach a kernel, each by name, and the one that is chosen."""

from __future__ import annotations

import os
from collections.abc import Callable

from clients import await_reply, outcome
from conftest import Open
from containers import Container
from notebooks import Notebook
from service import Service, Spec, pauses
from volume import MEGABYTE, WRITE, assert_whole


def works(notebook: Notebook) -> None:
    request = notebook.client.execute("print(input('? '))", allow_stdin=True)
    await_reply(notebook.client.get_stdin_msg, request)
    notebook.client.input("through")
    assert outcome(notebook.client, request).text() == "through\n"
    assert_whole(notebook.run(WRITE.format(count=5, size=MEGABYTE)), 5, MEGABYTE)
    # A client that had no time for its own pings for a while thinks so until the next one.
    assert any(notebook.client.hb_channel.is_beating() for _ in pauses(10))


def route(service: Service, notebook: Notebook) -> str:
    routes = {kernel["connection_file"]: kernel["route"] for kernel in service.status()["kernels"]}
    return str(routes[str(notebook.connection)])


def test_a_route_by_name(up: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service) -> None:
    """In a container where no other user came first, and has its ports."""
    container = up()
    for name in ("published", "bridge", "line", "tunnel"):
        with open_notebook(add("--route", name, container=container)) as notebook:
            works(notebook)
            assert route(service, notebook) == name


def test_the_best_route_is_chosen(add: Callable[..., Spec], open_notebook: Open, service: Service) -> None:
    """On the engine's own host root may look into the container; another user has its address at least."""
    with open_notebook(add("--route", "auto")) as notebook:
        works(notebook)
        assert route(service, notebook) in ({"line"} if os.getuid() == 0 else {"bridge", "published"})


def test_auto_is_what_is_chosen_without_a_word(
    add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    with open_notebook(add()) as notebook:
        plain = route(service, notebook)
        works(notebook)
    with open_notebook(add("--route", "auto")) as notebook:
        assert route(service, notebook) == plain


def test_without_a_network_there_is_still_a_way(
    run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open, service: Service
) -> None:
    """What another user than root has, test_tunnel.py shows besides."""
    with open_notebook(add(container=run_by_hand("--network", "none"))) as notebook:
        works(notebook)
        assert route(service, notebook) == ("line" if os.getuid() == 0 else "tunnel")


def test_one_published_port_serves_all_channels(
    run_by_hand: Callable[..., Container], add: Callable[..., Spec], open_notebook: Open
) -> None:
    """The user name carries the channel; which port it came by does not matter."""
    one = run_by_hand("--publish", "127.0.0.1::10003")
    with open_notebook(add("--route", "published", container=one)) as notebook:
        works(notebook)


def test_a_kernel_on_tcp(add: Callable[..., Spec], open_notebook: Open) -> None:
    """For kernels that know no Unix sockets: it listens on the container's loopback, and the gate leads there."""
    with open_notebook(add("--transport", "tcp")) as notebook:
        listening = "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.instance().transport)"
        assert notebook.text(listening) == "tcp"
