"""The status page, as a person sees it, as a program reads it, and as a stranger finds it."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jupyter_client import BlockingKernelClient
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from browser import SCREENSHOTS, chromium
from clients import ask as request, await_text, connected, run, sleeping
from containers import Container, docker
from figures import figures, total
from notebooks import launched
from processes import PATIENCE
from service import Service, Spec, pauses

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><svg onload=\"document.title='owned'\">.ipynb"


def ask(url: str, path: str = "/", method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


Work = Callable[..., AbstractContextManager[BlockingKernelClient]]


@pytest.fixture
def work(service: Service, add: Callable[..., Spec], tmp_path: Path) -> Work:
    """`work(name, container=)`: a notebook by that name with its kernel, and a client to run cells with."""

    @contextmanager
    def open_one(name: str, **options: Any) -> Iterator[BlockingKernelClient]:
        spec = add(**options)
        folder = tmp_path / f"work-{time.monotonic_ns()}"
        environment = {**service.environment, **spec.content.get("env", {}), "JPY_SESSION_NAME": name}
        with launched(service, spec.content["argv"], folder, env=environment) as (_, connection):
            with connected(connection) as client:
                yield client

    return open_one


# Figures


def test_figures_outlive_their_kernels(service: Service, work: Work) -> None:
    before = figures(service.relayd("metrics") + "\n")
    with work("counted.ipynb") as client:
        run(client, "print('x' * 1000)")
        # A stranger's, and one of a client that has no key.
        for signature in (b"0" * 64, b""):
            client.shell_channel.socket.send_multipart([b"<IDS|MSG>", signature, b"{}", b"{}", b"{}", b"{}"])
        awaited = [
            ("kernelrelay_rejected_total", {"reason": "badSignature"}),
            ("kernelrelay_rejected_total", {"reason": "missingSignature"}), ("kernelrelay_heartbeat_seconds_count", {}),
            ("kernelrelay_launch_seconds_count", {"phase": "connect"}), ("kernelrelay_gate_seconds_count", {}),
        ]
        for _ in pauses(PATIENCE):
            during = figures(service.relayd("metrics") + "\n")
            # On a machine that has much to do a beat is late now and then, and the kernel is not well for a moment.
            is_well = total(during, "kernelrelay_kernels", verdict="ok") == 1
            if is_well and all(total(during, name, **labels) > total(before, name, **labels) for name, labels in awaited):
                break
        else:
            pytest.fail(f"a forged message, a heartbeat or a launch is not counted, or the kernel is not well: {during}")
        report = service.status()
        (kernel,) = report["kernels"]
        assert kernel["channels"]["shell"]["to_kernel"]["dropped"] == {"badSignature": 1, "missingSignature": 1}
        assert total(during, "kernelrelay_kernels") == 1
        assert total(during, "kernelrelay_gates", state="open") == len(report["gates"]) > 0
        assert total(during, "kernelrelay_build_info", release=report["release"], protocol="1") == 1
    for _ in pauses(PATIENCE):
        after = figures(service.relayd("metrics") + "\n")
        if total(after, "kernelrelay_kernels") == 0:
            break
    assert total(after, "kernelrelay_kernels") == 0
    for name in ("messages_total", "bytes_total", "rejected_total", "heartbeat_seconds_count", "launch_seconds_count"):
        name = f"kernelrelay_{name}"
        assert total(before, name) < total(during, name) <= total(after, name), name
    output = {"channel": "iopub", "direction": "to_client"}
    assert total(after, "kernelrelay_bytes_total", **output) - total(before, "kernelrelay_bytes_total", **output) > 1000


def test_no_message_is_logged(service: Service, work: Work) -> None:
    with work("chatty.ipynb") as client:
        log = service.folder / "relayd.log"
        before = log.read_text()
        said = run(client, "for number in range(1000): print(number, flush=True)")
        assert len(said.of("stream")) > 500
        # What happens besides may be noted, and a thousand messages may not.
        assert len(log.read_text()[len(before) :].splitlines()) < 10


# Who may read


@pytest.fixture
def page(service: Service) -> str:
    return service.relayd("page")


def test_it_is_not_there_unless_asked_for(fresh_service: Service) -> None:
    fresh_service.relayd("start")
    assert fresh_service.status()["page"] is None
    url = fresh_service.relayd("page")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
    assert fresh_service.relayd("page") == url == fresh_service.status()["page"]
    assert ask(url).status == 200
    other = fresh_service.attempt("page", "--http", "127.0.0.2:0")
    assert other.returncode != 0 and "KR-PAGE-OPEN" in other.stderr and url in other.stderr
    assert "KR-PAGE-ADDRESS" in fresh_service.attempt("page", "--http", "example.org:80").stderr
    fresh_service.relayd("stop")
    with pytest.raises(OSError):
        ask(url)


def test_it_opens_with_relayd(fresh_service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = fresh_service.attempt("start", "--http", str(port))
        assert refused.returncode != 0
        assert "KR-PAGE-BIND" in (fresh_service.folder / "relayd.log").read_text()
        # What the environment asks for must not keep a kernel from starting.
        os.environ["KERNELRELAY_HTTP"] = str(port)
        try:
            fresh_service.relayd("start")
        finally:
            del os.environ["KERNELRELAY_HTTP"]
        assert fresh_service.status()["page"] is None
    fresh_service.relayd("start", "--http", str(port))
    assert fresh_service.relayd("page") == f"http://127.0.0.1:{port}/"
    fresh_service.relayd("stop")
    os.environ["KERNELRELAY_HTTP"] = "[::1]:0" if has_ipv6() else "0"
    try:
        fresh_service.relayd("start")
    finally:
        del os.environ["KERNELRELAY_HTTP"]
    assert ask(fresh_service.status()["page"], "/metrics").status == 200


def has_ipv6() -> bool:
    """Whether this machine has IPv6's loopback. A system that knows the protocol need not."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "localhost:1", "127.0.0.1.evil.example:{port}", ""])
def test_a_foreign_name_is_refused(page: str, host: str) -> None:
    """A page of the web that makes its own name point here."""
    answer = ask(page, "/status.json", Host=host.format(port=urlsplit(page).port))
    assert answer.status in (400, 421)
    assert b"kernels" not in answer.read()


def test_it_is_for_reading(page: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = ask(page, method=method)
        assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"
    assert ask(page, "/metrics", "HEAD").read() == b""
    answer = ask(page, "/metrics")
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert figures(answer.read().decode())
    policy = ask(page).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_elsewhere_it_asks_for_its_token(fresh_service: Service, tmp_path: Path) -> None:
    fresh_service.relayd("start", "--http", "0.0.0.0:0")
    url = fresh_service.relayd("page")
    token = parse_qs(urlsplit(url).query)["token"][0]
    local = f"http://127.0.0.1:{urlsplit(url).port}/"
    for path in ("/", "/metrics", "/status.json", "/events", "/?token=" + "0" * len(token)):
        assert ask(local, path).status == 401, path
    for path in ("/", "/metrics", "/status.json"):
        assert ask(local, f"{path}?token={token}").status == 200, path
    assert ask(local, "/metrics", Authorization=f"Bearer {token}").status == 200
    # However the host is called: who knows the token is let in, who does not is not.
    full = f"box.example.org:{urlsplit(url).port}"
    assert ask(local, f"/metrics?token={token}", Host=full).status == 200
    assert ask(local, "/metrics", Host=full).status == 401
    shown = [
        (fresh_service.folder / "relayd.log").read_text(), fresh_service.relayd("status", "--json"),
        fresh_service.relayd("metrics"), ask(local, f"/status.json?token={token}").read().decode(),
    ]
    assert not [text for text in shown if token in text]
    # A browser is let in by the address that `relayd page` prints, and so are its events and its links.
    with chromium(tmp_path / "chromium") as driver:
        window = Window(driver, f"{local}?token={token}")
        window.open()
        window.until("#link", "live")
        window.until("#count", "None runs")
        link = driver.find_element(By.ID, "metrics").get_attribute("href") or ""
        assert link == f"{local}metrics?token={token}"


# What a person sees


@pytest.fixture
def window(page: str, tmp_path: Path) -> Iterator[Window]:
    with chromium(tmp_path / "chromium") as driver:
        yield Window(driver, page)


class Window:
    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, width: int = 1120, height: int = 800, scheme: str = "light") -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        self.driver.get(self.url)
        self.until("#link", "live")

    def text(self, css: str) -> str:
        return str(self.driver.execute_script("return document.querySelector(arguments[0])?.textContent ?? ''", css))

    def until(self, css: str, text: str, seconds: float = 20) -> None:
        for _ in pauses(seconds):
            if text in self.text(css):
                return
        raise AssertionError(f"{css} says {self.text(css)!r}, not {text!r}; see {self.shoot('page-failure')}")

    def card(self, name: str) -> str:
        """The selector of a kernel's card."""
        for _ in pauses(20):
            found = self.driver.execute_script(
                "return [...document.querySelectorAll('#list > li')].find(li =>"
                " li.querySelector('h3').textContent === arguments[0])?.dataset.kernel", name,
            )
            if found:
                return f'#list > li[data-kernel="{found}"]'
        raise AssertionError(f"{name} does not show; see {self.shoot('page-failure')}")

    def shoot(self, name: str) -> Path:
        """The whole page, however long."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        width = self.driver.execute_script("return innerWidth")
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        )
        assert self.driver.save_screenshot(str(path))
        return path


CONTRASTS = """
const number = text => { const all = text.match(/[\\d.]+/g).map(Number); return all.length > 3 ? all : [...all, 1]; };
const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const poor = [];
let seen = 0;
for (const element of document.querySelectorAll("body *")) {
  const words = [...element.childNodes].filter(n => n.nodeType === 3 && n.data.trim());
  const box = element.getBoundingClientRect();
  const isLamp = element.matches("svg.lamp");
  if (!(words.length || isLamp) || box.width < 2 || element.closest(".unseen, script, style, template, noscript")) continue;
  let ground = element, back = [0, 0, 0, 0];
  while (ground && (back = number(getComputedStyle(ground).backgroundColor))[3] === 0) ground = ground.parentElement;
  // What is pale is as hard to read as what is grey.
  let solid = 1;
  for (let part = element; part; part = part.parentElement) solid *= Number(getComputedStyle(part).opacity);
  const ink = number(getComputedStyle(element).color).map((colour, i) => i < 3 ? colour * solid + back[i] * (1 - solid) : 1);
  const [one, other] = [light(ink), light(back)].sort((a, b) => b - a);
  const ratio = (one + .05) / (other + .05);
  seen += 1;
  if (ratio < (isLamp ? 3 : 4.5)) poor.push(`${element.tagName}.${element.getAttribute("class")} ${ratio.toFixed(2)}`);
}
let drawn = 0;
for (const mark of document.querySelectorAll(".plot .curve, .plot .gap-foot, .launch rect")) {
  const style = getComputedStyle(mark);
  let ground = mark, back = [0, 0, 0, 0];
  while (ground && (back = number(getComputedStyle(ground).backgroundColor))[3] === 0) ground = ground.parentElement;
  const [one, other] = [light(number(mark.matches(".curve") ? style.stroke : style.fill)), light(back)].sort((a, b) => b - a);
  drawn += 1;
  if ((one + .05) / (other + .05) < 3) poor.push(`${mark.tagName}.${mark.getAttribute("class")}`);
}
return [seen, drawn, poor];
"""


@pytest.mark.timeout(300)
def test_the_page_follows_a_kernel(
    window: Window, work: Work, up: Callable[..., Container]
) -> None:
    """Busy, idle again, its container paused: each shows by itself, and is said to who does not see."""
    container = up()
    with work("forecast.ipynb", container=container) as client:
        window.open()
        card = window.card("forecast.ipynb")
        window.until(f"{card} .verdict b", "ok")
        assert len(window.driver.find_elements(By.CSS_SELECTOR, f"{card} .lamps li")) == 7
        client.execute("import time\nfor _ in range(80): print(1, flush=True); time.sleep(.05)\n" + sleeping())
        window.until(f"{card} .verdict b", "busy")
        await_text(client, "asleep")
        request(client, "interrupt_request", {})
        window.until(f"{card} .verdict b", "ok", 30)
        window.until("#news", "forecast.ipynb: ok")
        assert_its_launch_is_drawn(window, card)
        assert_its_rates_are_drawn(window, card)
        window.until("#events", "kernel reached")

        docker("pause", container.name)
        try:
            window.until(f"{card} .lamps li.bad", "container")
            window.until(f"{card} .verdict b", "container paused")
            window.until(f"{card} .remedy code", f"docker unpause {container.name}")
            window.until("#news", "container paused")
            window.until("#events", "word container-paused")
            assert window.driver.title.startswith("(1!)")
            for name, width, height, scheme in [
                ("page-light", 1120, 800, "light"), ("page-dark", 1120, 800, "dark"), ("page-phone", 360, 740, "light"),
            ]:
                window.open(width, height, scheme)
                window.card("forecast.ipynb")
                assert window.driver.execute_script("return document.documentElement.scrollWidth") <= width
                window.shoot(name)
                seen, drawn, poor = window.driver.execute_script(CONTRASTS)
                assert seen > 60 and drawn > 7 and not poor, f"{name}: {poor}"
                # The same while relayd does not answer: old figures are still to be read.
                stale = "link('reconnecting', 'reconnecting, as of 12:00:00');" + CONTRASTS
                seen, drawn, poor = window.driver.execute_script(stale)
                assert seen > 60 and drawn > 7 and not poor, f"{name}, stale: {poor}"
        finally:
            docker("unpause", container.name)
        window.until(f"{window.card('forecast.ipynb')} .verdict b", "ok", 30)
    window.until("#ended", "forecast.ipynb")
    kernel, notebook, _, verdict, ago, wrapped = window.driver.execute_script(
        "const cells = [...document.querySelectorAll('#ended tbody tr:first-child > *')];"
        "return [...cells.map(cell => cell.textContent), getComputedStyle(cells.at(-1)).whiteSpace]"
    )
    assert len(kernel) == 12 and notebook == "forecast.ipynb" and verdict == "ended: ended by SIGTERM"
    assert ago.endswith(" ago") and wrapped == "nowrap"


def assert_its_launch_is_drawn(window: Window, card: str) -> None:
    """A bar for each phase, each from where the one before ends."""
    bars = window.driver.execute_script(
        "return [...document.querySelectorAll(`${arguments[0]} .launch tbody tr`)].map(row => {"
        " const bar = row.querySelector('rect'), box = bar.getBoundingClientRect();"
        " return [row.children[0].textContent, +bar.getAttribute('x'), +bar.getAttribute('width'), box.width, box.height]; })", card,
    )  # fmt: skip
    assert [name for name, *_ in bars] == ["bind", "inspect", "gate", "spawn", "route", "connect"]
    assert all(shown > 0 and high > 0 for *_, shown, high in bars), bars
    end = 0.0
    for _, begin, width, *_ in bars:
        # What would be too short to be seen is a little longer than it is.
        assert abs(begin - end) <= 3, bars
        end = begin + width
    assert abs(end - 1000) <= 3


def assert_its_rates_are_drawn(window: Window, card: str) -> None:
    """And are the ones that are counted: what is drawn, summed up, is what has passed."""
    for _ in pauses(PATIENCE):
        description = window.text(f"{card} .plot[data-plot=rate] desc")
        if found := re.match(r"At most ([\d.,]+) a second\.", description):
            if float(found[1].replace(",", "")) > 0:
                break
    else:
        pytest.fail(description)
    curve = window.driver.find_element(By.CSS_SELECTOR, f"{card} .plot[data-plot=rate] .curve").get_attribute("d") or ""
    assert curve.startswith("M") and len({point.split()[1] for point in re.findall(r"[ML]([\d.]+ [\d.]+)", curve)}) > 1
    for _ in pauses(PATIENCE):
        report = json.loads(ask(window.url, "/status.json").read())
        (kernel,) = [each for each in report["kernels"] if card.endswith(f'"{each["id"]}"]')]
        history = kernel["history"]
        # What passed since the last sample is not drawn yet.
        if history["messages_per_second"][-1] == 0:
            break
    lanes = [lane for name, channel in kernel["channels"].items() if name != "hb" for lane in channel.values()]
    passed = sum(lane["messages"] for lane in lanes)
    drawn = sum(history["messages_per_second"]) * history["every_seconds"]
    # What came before the first sample never is, and on a machine that has much to do samples are further apart than they say.
    assert 0.3 * passed < drawn < 1.5 * passed, (passed, history)


def test_by_keyboard(window: Window, work: Work) -> None:
    with work("keys.ipynb"), work("more.ipynb"):
        window.open()
        card = window.card("keys.ipynb")
        window.card("more.ipynb")
        driver, reached = window.driver, []
        for _ in range(30):
            ActionChains(driver).send_keys(Keys.TAB).perform()
            place, outline = driver.execute_script(
                "const e = document.activeElement, s = getComputedStyle(e);"
                "return [e.className === 'skip' ? 'skip' : e.id || e.getAttribute('aria-label') || e.tagName,"
                " s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]"
            )
            if place == "BODY":
                break
            assert outline, f"{place} has the focus, and nobody can see that"
            reached.append(place)
        assert reached[0] == "skip" and reached.count("SUMMARY") == 2
        assert {"metrics", "json", "Gates"} <= set(reached)
        summary = driver.find_element(By.CSS_SELECTOR, f"{card} summary")
        driver.execute_script("arguments[0].focus()", summary)
        before = driver.find_element(By.CSS_SELECTOR, f"{card} details").get_attribute("open")
        ActionChains(driver).send_keys(Keys.ENTER).perform()
        assert driver.find_element(By.CSS_SELECTOR, f"{card} details").get_attribute("open") != before
        # The next report must not take the focus away.
        time.sleep(2.5)
        assert driver.execute_script("return document.activeElement === arguments[0]", summary)


def test_it_can_be_read_aloud(window: Window, work: Work) -> None:
    with work("aloud.ipynb"):
        window.open()
        card = window.card("aloud.ipynb")
        window.until(f"{card} .plot[data-plot=beat] desc", "lost")
        nameless = window.driver.execute_script("""
            const found = [];
            for (const table of document.querySelectorAll("table")) if (!table.caption?.textContent) found.push("a table");
            for (const svg of document.querySelectorAll("svg[role=img]"))
              if (!svg.getAttribute("aria-labelledby").split(" ").every(id => document.getElementById(id)?.textContent)) found.push("a plot");
            for (const svg of document.querySelectorAll("svg:not([role=img])")) if (!svg.closest("[aria-hidden=true]")) found.push("a drawing");
            for (const region of document.querySelectorAll("[role=region]")) if (!region.getAttribute("aria-label")) found.push("a region");
            const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
            if (new Set(ids).size !== ids.length) found.push("an id that stands twice");
            return found;""")
        assert nameless == []
        levels = [int(e.tag_name[1]) for e in window.driver.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
        assert levels[0] == 1 and levels.count(1) == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:]))
        for item in window.driver.find_elements(By.CSS_SELECTOR, f"{card} .lamps li"):
            assert re.match(r"\w+: (good|of concern|bad|not known)\. ", item.get_attribute("textContent") or "")


def test_a_name_is_a_name(window: Window, work: Work) -> None:
    with work(HOSTILE):
        window.open()
        card = window.card(HOSTILE)
        window.until(f"{card} h3", "<img src=x")
        assert window.driver.execute_script("return document.querySelectorAll('img').length") == 0
        # Before it may stand how many are not well at the moment.
        assert window.driver.title.endswith("KernelRelay")
        assert window.driver.execute_script("return document.scripts.length") == 1


def test_a_relayd_that_ends_and_comes_back(fresh_service: Service, tmp_path: Path) -> None:
    fresh_service.relayd("start", "--http", "0")
    url = fresh_service.relayd("page")
    with chromium(tmp_path / "chromium") as driver:
        window = Window(driver, url)
        window.open()
        fresh_service.relayd("stop")
        window.until("#link", "reconnecting")
        fresh_service.relayd("start", "--http", str(urlsplit(url).port))
        window.until("#link", "live")
        assert json.loads(ask(url, "/status.json").read())["kernels"] == []
