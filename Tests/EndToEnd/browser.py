"""JupyterLab with a headless Chromium in front of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from service import ROOT, Service, pauses

SCREENSHOTS = ROOT / ".build/screenshots"
PATIENCE = 60  # seconds; a browser on two shared cores takes its time

# No question about news, no tips, no check for updates: nothing lies over the notebook.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
    # A kernel that ends by a menu is asked about only where a test wants to see that.
    "@jupyterlab/apputils-extension/sessionDialogs.jupyterlab-settings": {"skipKernelRestartDialog": True},
}


@contextmanager
def served(service: Service, prefix: Path, folder: Path) -> Iterator[str]:
    """A JupyterLab on a free loopback port, with the kernelspecs under `prefix` beside its own; gives its address."""
    home, runtime, notebooks = (folder / name for name in ("home", "runtime", "notebooks"))
    for path in (home, runtime, notebooks):
        path.mkdir(parents=True)
    for name, content in SETTINGS.items():
        path = folder / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    environment = {
        **service.environment,
        "HOME": str(home),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_PATH": str(prefix / "share/jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    # Only in a test: the one who pastes the demo's lines is warned by Jupyter itself.
    command += ["--allow-root"] if os.getuid() == 0 else []
    with open(folder / "lab.log", "wb") as log:
        lab = subprocess.Popen(command, cwd=notebooks, env=environment, stdout=log, stderr=log)
    try:
        yield address(lab, runtime, folder / "lab.log")
    finally:
        # Its kernels get their time, as when somebody presses Ctrl-C twice.
        lab.terminate()
        lab.wait(PATIENCE)
    assert list(runtime.glob("kernel-*.json")) == [], "a connection file is left"


def address(lab: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """The server says in its runtime folder where it listens, and its token."""
    for _ in pauses(seconds=PATIENCE):
        assert lab.poll() is None, log.read_text()
        for file in runtime.glob("jpserver-*.json"):
            if content := file.read_text():
                server = json.loads(content)
                return f"{server['url']}lab?token={server['token']}"
    raise AssertionError(log.read_text())


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    # Its own sandbox cannot be had by root nor in most containers; it sees nothing but this server.
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,800",
        "--hide-scrollbars", f"--user-data-dir={folder}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        )
        yield driver
    finally:
        driver.quit()


@dataclass
class Lab:
    """What a person does there, by the marks that JupyterLab's own tests go by."""

    driver: webdriver.Chrome

    def find(self, css: str, text: str = "") -> WebElement:
        """The first visible element that has this text, as soon as there is one."""

        def look(driver: webdriver.Chrome) -> WebElement | bool:
            for element in driver.find_elements(By.CSS_SELECTOR, css):
                if element.is_displayed() and text in (element.text or element.get_attribute("title") or ""):
                    return element
            return False

        # An element that was found may be drawn anew before it is asked.
        waiting = WebDriverWait(self.driver, PATIENCE, ignored_exceptions=(StaleElementReferenceException,))
        try:
            return waiting.until(look)
        except TimeoutException:
            raise AssertionError(f"{css} {text!r} does not show; see {self.shoot('failure')}") from None

    def open(self, url: str) -> None:
        self.driver.get(url)
        self.find(".jp-Launcher")

    def pick_in_the_launcher(self, display_name: str) -> None:
        self.find(".jp-LauncherCard[data-category=Notebook]", display_name).click()
        self.find(".jp-Notebook")
        self.until_idle()

    def until_idle(self) -> None:
        """As the status bar has it: the sign beside the kernel's name says so also before there is a kernel."""
        self.find("#jp-main-statusbar", "| Idle")

    def until_busy(self) -> None:
        self.find('.jp-Notebook-ExecutionIndicator[data-status="busy"]')

    def type(self, code: str) -> None:
        """Into the cell that is last. The editor would close brackets and indent by itself: the text goes in whole."""
        editor = self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-Cell .cm-content")[-1]
        editor.click()
        self.driver.execute_cdp_cmd("Input.insertText", {"text": code})

    def run(self, code: str) -> None:
        self.type(code)
        self.press(Keys.SHIFT, Keys.ENTER)

    def press(self, *keys: str) -> None:
        chain = ActionChains(self.driver)
        for key in keys[:-1]:
            chain.key_down(key)
        chain.send_keys(keys[-1])
        for key in keys[:-1]:
            chain.key_up(key)
        chain.perform()

    def output(self, text: str) -> WebElement:
        return self.find(".jp-OutputArea-output", text)

    def interrupt(self) -> None:
        self.find('.jp-Toolbar [data-jp-item-name="interrupt"]').click()

    def restart(self) -> None:
        self.find('.jp-Toolbar [data-jp-item-name="restart"]').click()

    def answer(self, text: str) -> None:
        field = self.find(".jp-Stdin-input")
        field.send_keys(text + Keys.ENTER)

    def shoot(self, name: str) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        assert self.driver.save_screenshot(str(path))
        return path
