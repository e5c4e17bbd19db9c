"""An engine of a test's own, which it may stop and start as it likes; and a way to the suite's own that can be shut."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from service import pauses


class OwnEngine:
    """A second dockerd beside the one that the suite uses. Its containers end with it, as Docker does unless it is told
    otherwise, or outlive it where `live_restore` is on."""

    def __init__(self, folder: Path, live_restore: bool) -> None:
        self.folder = folder
        self.live_restore = live_restore
        self.host = f"unix://{folder}/docker.sock"
        # Of this engine alone, as its network: another suite may have one at the same time.
        self.bridge = f"krt{uuid.uuid4().hex[:8]}"
        self.address = f"10.{random.randrange(64, 256)}.{random.randrange(256)}.1/24"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if not Path(f"/sys/class/net/{self.bridge}").exists():
            # Without a bridge of its own it would take the other's away.
            self._ip("link", "add", self.bridge, "type", "bridge")
            self._ip("address", "add", self.address, "dev", self.bridge)
            self._ip("link", "set", self.bridge, "up")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["dockerd", "--host", self.host, "--bridge", self.bridge, "--iptables=false", "--ip-masq=false",
                 *(["--live-restore"] if self.live_restore else []), "--data-root", self.folder / "data", "--exec-root", self.folder / "exec",
                 "--pidfile", self.folder / "pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        for _ in pauses(60):
            if self.docker("version", check=False).returncode == 0:
                return
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def load(self, image: str) -> None:
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "--host", self.host, "load"], stdin=saved.stdout, check=True, capture_output=True, timeout=300)

    def docker(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["docker", "--host", self.host, *words], check=check, capture_output=True, timeout=60)

    def remove(self) -> None:
        if self.process is None:
            self.start()
        names = self.docker("ps", "--all", "--quiet").stdout.decode().split()
        if names:
            self.docker("rm", "--force", "--volumes", *names)
        self.stop()
        self._ip("link", "delete", self.bridge)
        # dockerd has mounted its folder on itself.
        subprocess.run(["umount", "--recursive", self.folder / "data"], capture_output=True, timeout=10)
        shutil.rmtree(self.folder)

    @staticmethod
    def is_possible() -> bool:
        return os.getuid() == 0 and shutil.which("dockerd") is not None and shutil.which("ip") is not None

    @staticmethod
    def _ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


class EngineDoor:
    """A way to the suite's engine that can be shut: for whoever goes by it the engine has ended, and every link with it.

    A thread for each direction of each connection; all have ended when it is shut. What they begin they begin under the
    lock, and not once it is being shut: no connection that came at that moment is missed.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.host = f"unix://{place}"
        self.threads: list[threading.Thread] = []
        self.ends: list[socket.socket] = []
        self.lock = threading.Lock()
        self.open()

    def open(self) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.place))
        self.listener.listen(64)
        self.is_open = True
        self._begin(self._accept, self.listener)

    def shut(self) -> None:
        self.place.unlink(missing_ok=True)
        with self.lock:
            self.is_open = False
        for end in (self.listener, *self.ends):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join()
        for end in (self.listener, *self.ends):
            end.close()
        self.threads, self.ends = [], []

    def _begin(self, work: Callable[..., None], *ends: socket.socket) -> None:
        self.threads.append(threading.Thread(target=work, args=ends))
        self.threads[-1].start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect("/var/run/docker.sock")
            with self.lock:
                if not self.is_open:
                    near.close()
                    far.close()
                    return
                self.ends += [near, far]
                self._begin(self._pass, near, far)
                self._begin(self._pass, far, near)

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
