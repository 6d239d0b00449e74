"""Server processes on one core and the load generator on another, as context managers."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import IO

from benchmarks.load import Job, Outcome
from benchmarks.measure import SERVER_CORE, pin

_PATIENCE_S = 60.0  # for a start with kernels to compile


class Server:
    """A running server process."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port


class Generator:
    """The load generator's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: Job) -> Outcome:
        """One job from start to end; RuntimeError when the generator died of it (its traceback is on standard error)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator ended at {job}")
        return Outcome(**json.loads(line))


@contextmanager
def generator() -> Iterator[Generator]:
    with _process(["-m", "benchmarks.load"]) as process:
        yield Generator(process)


@contextmanager
def peer(module: str, *arguments: str) -> Iterator[Server]:
    """A module of benchmarks/peers, which prints its port as its first line; ended with the block."""
    with _process(["-m", module, *arguments]) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"{module} {' '.join(arguments)} did not start: {line!r}")
        yield Server(process.pid, int(line))


@contextmanager
def voicestream(**settings: object) -> Iterator[Server]:
    """The real server, as `voicestream serve` starts it, with `settings` on top of the defaults."""
    pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    command = ["-c", "from voicestream.cli.main import main; main()", "serve", "--host", "127.0.0.1", "--port", "0", "--log-format", "json"]
    with tempfile.TemporaryFile("w+") as log, _process([*command, *pairs], errors=log, core=SERVER_CORE) as process:
        yield Server(process.pid, _port_in(log, process))


def _port_in(log: IO[str], process: subprocess.Popen[str]) -> int:
    """The port in the server's log line `serving`."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        log.seek(0)
        for line in log:
            if '"serving"' in line:
                return int(json.loads(line)["ports"][0])
        time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"voicestream did not start: {log.read()}")


@contextmanager
def _process(command: list[str], errors: IO[str] | None = None, core: int | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        preexec_fn=None if core is None else partial(pin, core),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
