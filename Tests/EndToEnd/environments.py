"""An image with kernels in other places than Debian's: a virtual environment, and what conda calls an environment.

Conda itself cannot be had here. What one of its environments is to whoever starts a kernel is emulated: a prefix with
an interpreter of its own that nothing else points to, no pyvenv.cfg, and a PATH and CONDA_PREFIX that activation sets.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from containers import docker
from processes import VENVS
from service import ROOT

VENV = "/opt/venv"
CONDA = "/opt/conda/envs/work"
NEWEST = "ipykernel==7.4.0"

# Debian's python finds its packages in dist-packages of its prefix, and its prefix by where lib/python3.* is.
MAKE = f"""
set -eu
version=$(python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
python3 -m venv --without-pip {VENV}
cp -r /opt/packages/. {VENV}/lib/$version/site-packages/
mkdir -p {CONDA}/bin {CONDA}/lib/python3
cp $(readlink -f /usr/bin/python3) {CONDA}/bin/python
cp -r /usr/lib/$version {CONDA}/lib/$version
mv /opt/packages {CONDA}/lib/python3/dist-packages
"""


def make(base: str, image: str, folder: Path) -> None:
    """The packages come from PyPI on the host, chosen for the container's Python: it may have no network."""
    version = docker("run", "--rm", base, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    pip = [VENVS / "main/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    choice = ["--only-binary=:all:", "--python-version", version, "--implementation", "cp", "--target", folder]
    pins = ["--constraint", ROOT / "Tests/Python/requirements.txt"]
    subprocess.run([*pip, *choice, *pins, NEWEST], check=True, timeout=300, stdout=sys.stderr)
    name = f"{image.replace('/', '-')}-making"
    docker("run", "--detach", "--init", "--name", name, base, "sleep", "600")
    try:
        docker("cp", str(folder), f"{name}:/opt/packages")
        docker("exec", name, "sh", "-c", MAKE, timeout=120)
        docker("commit", name, image)
    finally:
        docker("rm", "--force", name)
