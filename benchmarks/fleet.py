"""Server processes on one core and the load generator on another, as context managers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from benchmarks.load import Job, Outcome


class Server:
    """A running server process."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.pid = process.pid
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
def server(module: str, *arguments: str) -> Iterator[Server]:
    """Run a module that prints its port as its first line; ended with the block."""
    with _process(module, *arguments) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"{module} {' '.join(arguments)} did not start: {line!r}")
        yield Server(process, int(line))


@contextmanager
def generator() -> Iterator[Generator]:
    with _process("benchmarks.load") as process:
        yield Generator(process)


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
