"""`relayd doctor`: what it says of containers that are well, and of those that are not; and that nothing stays behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from containers import Container, docker
from service import BINARIES, Service, Spec, pauses, until_nothing_left

PATIENCE = 120
LAST = "remains"


def examined(
    service: Service, *arguments: str, environment: dict[str, str] | None = None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and what was found by the checks' names."""
    command = [str(BINARIES / "relayd"), "doctor", "--json", *arguments]
    done = subprocess.run(
        command, env={**service.environment, **(environment or {})}, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["schema_version"] == 1
    assert report["healthy"] == (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in report["checks"]}


def marks(checks: dict[str, dict[str, Any]], mark: str) -> set[str]:
    return {name for name, check in checks.items() if check["mark"] == mark}


def assert_only(checks: dict[str, dict[str, Any]], failed: str, code: str | None = None) -> None:
    """This one failed, and everything behind it was skipped because of it."""
    assert marks(checks, "bad") == {failed}, checks
    assert {checks[name]["because"] for name in marks(checks, "skipped")} <= {failed, None}
    assert checks["kernel"]["because"] == failed
    if code is not None:
        assert checks[failed]["code"] == code
    assert checks[failed]["remedy"]


def test_a_healthy_container(service: Service, container: Container) -> None:
    code, checks = examined(service, container.name)
    assert code == 0, checks
    assert marks(checks, "bad") == set()
    # The suite has no kernelspecs in Jupyter's own folders; other people's may be on this machine. An engine that takes two
    # seconds for an answer has much to do, and is as healthy.
    assert marks(checks, "warning") <= {"kernelspecs", "spec containers", "server"}, checks
    assert checks["kernel"]["text"].startswith("1+1 = 2 by ")
    phases = {phase["name"]: phase["milliseconds"] for phase in checks["kernel"]["phases"]}
    assert {"first reply", "execute", "shutdown"} <= phases.keys()
    assert all(milliseconds >= 0 for milliseconds in phases.values())
    assert checks[LAST]["mark"] == "good"


def test_lines_for_people(service: Service, container: Container) -> None:
    told = service.relayd("doctor", container.name, timeout=PATIENCE)
    assert "\x1b" not in told
    lines = told.splitlines()
    assert any(line.startswith("✓ kernel") and "1+1 = 2" in line for line in lines)
    assert not any(line.startswith("✗") for line in lines)


def test_without_a_relayd(fresh_service: Service, container: Container) -> None:
    """It is started for the sake of the kernel, and is gone with it."""
    code, checks = examined(fresh_service, container.name)
    assert code == 0, checks
    assert checks["relayd"]["mark"] == "good"
    assert "no relayd" in checks[LAST]["text"]
    assert until_nothing_left([fresh_service]) == []
    assert fresh_service.daemons() == []
    assert not list(fresh_service.folder.glob("*.json"))


def test_a_notebook_goes_on(service: Service, container: Container, notebook: Any) -> None:
    notebook.run("x = 41")
    code, _ = examined(service, container.name)
    assert code == 0
    assert notebook.text("print(x + 1)") == "42"


def test_an_interruption(service: Service, container: Container) -> None:
    """Ctrl-C while the kernel starts, which this one does for ever: it goes as it came."""
    never = "['sh', '-c', 'exec sleep 1000', '{connection_file}']"
    command = [str(BINARIES / "relayd"), "doctor", "--cmd", never, container.name]
    doctor = subprocess.Popen(command, env=service.environment, stdout=subprocess.PIPE, text=True)
    for _ in pauses(PATIENCE):
        if service.status()["kernels"] and container.kernels():
            break
    doctor.send_signal(signal.SIGINT)
    told, _ = doctor.communicate(timeout=PATIENCE)
    assert doctor.returncode == 130
    # Nothing is said of what was interrupted, and nothing behind it is begun.
    assert " ipykernel " in told.splitlines()[-1]
    assert until_nothing_left([service]) == []
    assert not list(service.folder.glob("doctor-*.json"))


def stopped(container: Container) -> str:
    docker("stop", "--time", "1", container.name)
    return f"docker start {container.name}"


def paused(container: Container) -> str:
    docker("pause", container.name)
    return f"docker unpause {container.name}"


@pytest.mark.parametrize(
    ("make", "code"), [(stopped, "KR-CONTAINER-STOPPED"), (paused, "KR-CONTAINER-PAUSED")], ids=["stopped", "paused"]
)
def test_a_container_that_cannot(
    service: Service, up: Callable[..., Container], make: Callable[[Container], str], code: str
) -> None:
    container = up()
    remedy = make(container)
    exit_code, checks = examined(service, container.name)
    assert exit_code == 69
    assert_only(checks, "container", code)
    # What is offered mends it.
    assert checks["container"]["remedy"] == remedy
    subprocess.run(remedy, shell=True, check=True, capture_output=True, timeout=60)
    container.settle()
    assert examined(service, container.name)[0] == 0


def test_a_container_that_is_not_there(service: Service, container: Container) -> None:
    code, checks = examined(service, container.name[:-1])
    assert code == 69
    assert_only(checks, "container", "KR-CONTAINER-MISSING")
    assert container.name in checks["container"]["text"]


def test_an_image_without_python(scratch: str, service: Service, up: Callable[..., Container]) -> None:
    code, checks = examined(service, up(image=scratch).name)
    assert code == 69
    assert_only(checks, "python", "KR-PYTHON-MISSING")
    assert checks["gate"]["mark"] == "good"


@pytest.fixture(scope="module")
def without_ipykernel(image: str) -> Iterator[str]:
    name = f"kr-e2e-bare-{uuid.uuid4().hex[:8]}"
    docker("run", "--name", name, image, "sh", "-c", "rm -r /usr/lib/python3/dist-packages/ipykernel*")
    docker("commit", name, name)
    docker("rm", name)
    yield name
    docker("image", "rm", "--force", name)


def test_an_image_without_ipykernel(
    service: Service, up: Callable[..., Container], without_ipykernel: str
) -> None:
    container = up(image=without_ipykernel)
    code, checks = examined(service, container.name)
    assert code == 69
    assert_only(checks, "ipykernel", "KR-IPYKERNEL-MISSING")
    assert "/usr/bin/python3" in checks["ipykernel"]["text"]
    assert container.name in checks["ipykernel"]["remedy"] and "ipykernel" in checks["ipykernel"]["remedy"]


def test_a_container_that_publishes_nothing(service: Service, run_by_hand: Callable[..., Container]) -> None:
    """On this host it is reached all the same."""
    code, checks = examined(service, run_by_hand().name)
    assert code == 0, checks
    assert checks["ports"]["mark"] == "good"
    assert "none is published" in checks["ports"]["text"]
    assert "no port is published" in checks["routes"]["text"]


def test_ports_on_all_interfaces(service: Service, run_by_hand: Callable[..., Container]) -> None:
    code, checks = examined(service, run_by_hand("--publish", "10003").name)
    assert code == 0, checks
    assert checks["ports"]["mark"] == "warning"
    assert "all interfaces" in checks["ports"]["text"]


def test_a_read_only_container(service: Service, run_by_hand: Callable[..., Container]) -> None:
    container = run_by_hand("--read-only", "--tmpfs", "/tmp:noexec")
    code, checks = examined(service, container.name)
    assert code == 69
    assert_only(checks, "gate", "KR-GATE-READ-ONLY")


def test_a_user_that_the_container_does_not_know(service: Service, container: Container) -> None:
    code, checks = examined(service, "--user", "nobody-of-this-name", container.name)
    assert code == 69
    assert_only(checks, "gate", "KR-GATE-USER")


def test_another_kernel(service: Service, container: Container) -> None:
    code, checks = examined(service, "--cmd", "no-such-program --really", container.name)
    assert code == 69
    assert checks["python"]["mark"] == checks["ipykernel"]["mark"] == "skipped"
    assert marks(checks, "bad") == {"kernel"}
    assert checks["kernel"]["code"] == "KR-GATE-COMMAND-NOT-FOUND"


def test_an_engine_that_is_not_there(service: Service) -> None:
    code, checks = examined(service, "any", environment={"DOCKER_HOST": "unix:///nowhere.sock"})
    assert code == 69
    assert_only(checks, "socket", "KR-ENGINE-UNREACHABLE")
    assert checks["relayd"]["mark"] == "good"


def test_a_context_that_is_not_there(service: Service) -> None:
    code, checks = examined(service, "any", environment={"DOCKER_CONTEXT": "nowhere"})
    assert code == 69
    assert_only(checks, "context")
    assert "nowhere" in checks["context"]["text"]
    assert checks["context"]["remedy"] == "docker context ls"


def test_an_engine_that_does_not_answer(service: Service, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Somebody listens at its socket, and hangs up on whoever comes."""
    place = tmp_path_factory.mktemp("engine") / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        thread = threading.Thread(target=hang_up, args=(listener,))
        thread.start()
        try:
            code, checks = examined(service, "any", environment={"DOCKER_HOST": f"unix://{place}"})
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert code == 69
    assert_only(checks, "server", "KR-ENGINE-UNREACHABLE")
    assert checks["socket"]["mark"] == "good"


def hang_up(listener: socket.socket) -> None:
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


def test_a_socket_that_one_may_not_use(fresh_service: Service, somebody: dict[str, Any]) -> None:
    """As somebody whom the engine does not know. Whoever is not root has a socket that nobody may use."""
    locked = fresh_service.folder / "locked"
    program = fresh_service.folder / "relayd" if somebody else BINARIES / "relayd"
    options = {**somebody, "extra_groups": []} if somebody else {"env": fresh_service.environment}
    with socket.socket(socket.AF_UNIX) as holder:
        if not somebody:
            holder.bind(str(locked))
            locked.chmod(0)
            options["env"]["DOCKER_HOST"] = f"unix://{locked}"
        done = subprocess.run(
            [program, "doctor", "--json", "any"], capture_output=True, text=True, timeout=PATIENCE, **options
        )
    locked.unlink(missing_ok=True)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 69
    assert_only(checks, "socket", "KR-ENGINE-DENIED")
    assert checks["socket"]["remedy"].startswith("sudo usermod -aG ")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: shutil.copy("/bin/true", path), "is not static"),
        (lambda path: path.write_bytes((BINARIES / "relay-shim").read_bytes()[:4096]), "does not run"),
        (lambda path: path.write_text("#!/bin/sh\n"), "not a program of Linux"),
        (lambda path: path.symlink_to("/nowhere"), "KR-GATE-BINARY"),
    ],
    ids=["dynamic", "cut-off", "script", "not-there"],
)
def test_a_shim_that_cannot_be_a_gate(
    service: Service, tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    shim = tmp_path / "relay-shim"
    make(shim)
    if shim.exists():
        shim.chmod(0o755)
    code, checks = examined(service, environment={"KERNELRELAY_SHIM": str(shim)})
    assert code == 69
    assert marks(checks, "bad") == {"relay-shim"}
    assert said in checks["relay-shim"]["text"] + (checks["relay-shim"]["code"] or "")
    assert checks["relay-shim"]["remedy"]


def test_a_shim_that_may_not_be_executed(service: Service, tmp_path: Path) -> None:
    shim = tmp_path / "relay-shim"
    shutil.copy(BINARIES / "relay-shim", shim)
    shim.chmod(0o644)
    environment = {"KERNELRELAY_SHIM": str(shim)}
    code, checks = examined(service, environment=environment)
    assert code == 69
    assert marks(checks, "bad") == {"relay-shim"}
    subprocess.run(checks["relay-shim"]["remedy"], shell=True, check=True)
    assert examined(service, environment=environment)[1]["relay-shim"]["mark"] == "good"


def test_a_runtime_folder_that_others_may_read(fresh_service: Service) -> None:
    fresh_service.folder.chmod(0o755)
    code, checks = examined(fresh_service)
    assert code == 69
    assert marks(checks, "bad") == {"runtime folder"}
    assert checks["relayd"]["because"] == "runtime folder"
    subprocess.run(checks["runtime folder"]["remedy"], shell=True, check=True)
    assert examined(fresh_service)[1]["runtime folder"]["mark"] == "good"


def test_what_listens_is_no_relayd(fresh_service: Service) -> None:
    place = fresh_service.folder / "relayd.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        thread = threading.Thread(target=hang_up, args=(listener,))
        thread.start()
        try:
            code, checks = examined(fresh_service)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
    place.unlink()
    assert code == 69
    assert marks(checks, "bad") == {"relayd"}
    assert checks["relayd"]["remedy"]


def test_a_libcrypto_that_signs_nothing(service: Service, tmp_path: Path) -> None:
    """As OpenSSL is where its configuration offers no HMAC."""
    (tmp_path / "openssl.cnf").write_text(
        "openssl_conf = all\n[all]\nproviders = chosen\n[chosen]\nbase = one\n[one]\nactivate = 1\n"
    )
    code, checks = examined(service, environment={"OPENSSL_CONF": str(tmp_path / "openssl.cnf")})
    assert code == 69
    # Nor is there a hash by which the gate's program could be known.
    assert marks(checks, "bad") == {"libraries", "relay-shim"}
    assert "no HMAC-SHA256" in checks["libraries"]["text"]
    assert checks["libraries"]["remedy"].startswith("sudo apt-get install")


def test_a_client_that_is_not_there(service: Service) -> None:
    code, checks = examined(service, "--docker", "no-such-client", "any")
    assert code == 69
    assert_only(checks, "client", "KR-ENGINE-MISSING")


def test_a_kernelspec_whose_program_is_gone(service: Service, add: Callable[..., Spec], container: Container) -> None:
    spec = add()
    file = spec.folder / "kernel.json"
    content = json.loads(file.read_text())
    content["argv"][0] = "/nowhere/relay-shim"
    file.write_text(json.dumps(content))
    environment = {"JUPYTER_PATH": str(spec.prefix / "share/jupyter")}
    code, checks = examined(service, environment=environment)
    assert code == 69
    assert checks["kernelspecs"]["mark"] == "bad"
    assert str(file) in checks["kernelspecs"]["remedy"]


def test_the_host_alone(service: Service, container: Container) -> None:
    done = service.attempt("doctor")
    assert done.returncode in (0, 69)
    assert f"relayd doctor {container.name}" in done.stdout.splitlines()
    assert "kernel " not in done.stdout


def test_no_secret_is_reported(
    service: Service, add: Callable[..., Spec], run_by_hand: Callable[..., Container], tmp_path: Path
) -> None:
    names = ("container", "plain", "variable", "argv", "caller", "log", "pass", "auth")
    planted = {name: f"planted-{name}-{uuid.uuid4().hex}" for name in names}
    variables = {"APP_TOKEN": "container", "APP": "plain", "DB_PASS": "pass", "REDISCLI_AUTH": "auth"}
    container = run_by_hand(*(f"--env={name}={planted[value]}" for name, value in variables.items()))
    spec = add("--env", f"X={planted['variable']}", container=container)
    file = spec.folder / "kernel.json"
    content = json.loads(file.read_text())
    content["argv"][-1:-1] = ["--env", f"Y={planted['argv']}"]
    file.write_text(json.dumps(content))
    with open(service.folder / "relayd.log", "a") as log:
        log.write(f"a line with token={planted['log']} and {planted['container']}, {planted['plain']}\n")
        # Too short to be taken out wherever they stand: their names tell.
        log.write("DB_PASS=pl7nt MYSQL_PWD=pl7nt PGPASS=pl7nt REDISCLI_AUTH=pl7nt\n")
    report = tmp_path / "report.json"
    environment = {
        "JUPYTER_PATH": str(spec.prefix / "share/jupyter"), "HF_TOKEN": planted["caller"],
    }
    # It cannot start, and says why with the container's own secret on its stderr.
    command = json.dumps(["sh", "-c", "echo APP is $APP_TOKEN >&2; exit 3"])
    done = subprocess.run(
        [str(BINARIES / "relayd"), "doctor", "--cmd", command, "--report", str(report), container.name],
        env={**service.environment, **environment}, capture_output=True, text=True, timeout=PATIENCE,
    )
    assert done.returncode == 69
    assert stat.S_IMODE(os.stat(report).st_mode) == 0o600
    text = report.read_text()
    content = json.loads(text)
    assert content["kernelspecs"][0]["argv"][0].endswith("relay-shim")
    assert content["container"]["name"] == container.name
    assert content["log"]
    secrets = [*planted.values(), (service.folder / "secret").read_text()]
    for place in (text, done.stdout, done.stderr):
        assert not [secret for secret in secrets if secret in place]
        assert "planted" not in place and "pl7nt" not in place
