"""The whole server as a process of its own, seen from outside: its port, its log, its figures, its end."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_START_S = 120.0  # with kernels to compile
_COMMAND = [sys.executable, "-c", "from voicestream.cli.main import main; main()", "serve", "--host", "127.0.0.1", "--port", "0"]


class House:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.port = 0
        self._log = log

    def log(self, begin: int = 0) -> list[dict[str, Any]]:
        """The events logged since byte `begin` of the log."""
        with self._log.open("rb") as file:
            file.seek(begin)
            return [json.loads(line) if line.startswith(b"{") else {"event": "no JSON", "text": line.decode()} for line in file]

    def log_end(self) -> int:
        """Where the log stands now."""
        return self._log.stat().st_size

    def await_serving(self) -> None:
        """Until its port is open; RuntimeError with the log when that does not come."""
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self.process.poll() is None:
            for entry in self.log():
                if entry["event"] == "serving":
                    self.port = entry["ports"][0]
                    return
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start: {self._log.read_text()}")

    def template_of(self, samples: NDArray[np.int16], rate_hz: int) -> str:
        """The server's template of a voice (n,) int16."""
        url = f"http://127.0.0.1:{self.port}/voice_template_factory/create_voice_template_from_samples?sample_rate={rate_hz}"
        request = urllib.request.Request(url, samples.astype("<i2").tobytes(), {"Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.load(answer))

    def gauge(self, name: str) -> float:
        """A figure of /metrics that has no labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        raise LookupError(name)

    def files(self) -> int:
        """Open descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@contextmanager
def house(log: Path, **settings: object) -> Iterator[House]:
    """Start the server with `settings` on top of the defaults, its log in the file `log`; killed with the block."""
    pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with log.open("wb") as out:
        process = subprocess.Popen([*_COMMAND, "--log-format", "json", *pairs], stdout=out, stderr=out)
    running = House(process, log)
    try:
        running.await_serving()
        yield running
    finally:
        process.kill()
        process.wait()
