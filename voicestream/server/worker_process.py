"""One worker process as the server sees it: asked one thing at a time, ended when it is left."""

import os
import subprocess
import sys
from signal import SIGALRM, Signals
from types import TracebackType
from typing import Final, Self

import trio

from voicestream.errors import CATALOGUE, WORKER_DEFECT, WORKER_DIED, WORKER_MISSING, WORKER_SLOW, PeerError
from voicestream.server.worker import ANSWER, ANSWERED, BEGUN, LONGEST_BYTES, REFUSED, REQUEST

_SLACK_S: Final = 2.0  # the worker's own alarm rings first
_END_S: Final = 1.0  # for an idle one to see that its stdin has ended
_READ_BYTES: Final = 65_536

# What a worker is told of our environment: no settings, for they may be secrets, and it reads what strangers sent.
_NAMES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
_PREFIXES: Final = ("NUMBA_", "XDG_", "OPENBLAS_", "OMP_")


class NotBegun(Exception):
    """The process ended, and the request has nothing to do with it: another process may have it."""


class WorkerProcess:
    """A running `voicestream.server.worker`; `async with` ends and reaps it, whatever it does."""

    def __init__(self, factory: str) -> None:
        self._command = [sys.executable, "-P", "-m", "voicestream.server.worker", factory]
        self._process: trio.Process
        self.busy = False  # until it has answered
        self._received = bytearray()

    async def __aenter__(self) -> Self:
        """Start it; PeerError VS2164 when the machine gives no process."""
        try:
            self._process = await trio.lowlevel.open_process(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
            )
        except OSError as error:
            raise PeerError(WORKER_MISSING, error.strerror or "") from error
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with trio.CancelScope(shield=True):
            await process.stdin.aclose()
            if not self.busy:
                with trio.move_on_after(_END_S):
                    await process.wait()
            process.kill()  # of one that has ended it does nothing
            await process.wait()
            await process.stdout.aclose()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """By whatever cause."""
        return self._process.returncode is not None

    async def wait(self) -> None:
        """Until it has ended."""
        await self._process.wait()

    async def ask(self, request: bytes, limit_s: float) -> bytes:
        """Its answer to a request; after NotBegun, VS2161 and VS2162 it is of no use any more.

        NotBegun when it ended before it had read the request. PeerError VS2161 when it dies, VS2162 when it takes longer,
        VS2163 for a defect in it, else what it refused.
        """
        assert self._process.stdin is not None
        self.busy = True
        begun = False
        with trio.move_on_after(limit_s + _SLACK_S):
            try:
                await self._process.stdin.send_all(REQUEST.pack(len(request), int(1000 * limit_s)) + request)
                begun = await self._receive(len(BEGUN)) == BEGUN
                size, kind = ANSWER.unpack(await self._receive(ANSWER.size))
                answer = await self._receive(size)
            except (trio.BrokenResourceError, EOFError):
                with trio.CancelScope(shield=True):  # its pipe is closed: it ends now, or is ended
                    self._process.kill()
                    cause = -(await self._process.wait())
                if not begun:
                    raise NotBegun(_name(cause)) from None
                if cause == SIGALRM:
                    raise PeerError(WORKER_SLOW, f"over {limit_s:g} s") from None
                raise PeerError(WORKER_DIED, _name(cause)) from None
            self.busy = False
            if kind == ANSWERED:
                return answer
            raise _told(kind, answer.decode("utf-8", "replace"))
        raise PeerError(WORKER_SLOW, f"over {limit_s:g} s")

    async def _receive(self, size: int) -> bytes:
        """So many bytes; EOFError when it sends fewer or announces more than any answer has."""
        assert self._process.stdout is not None
        if size > LONGEST_BYTES:
            raise EOFError
        while len(self._received) < size:
            data = await self._process.stdout.receive_some(_READ_BYTES)
            if not data:
                raise EOFError
            self._received += data
        found = bytes(self._received[:size])
        del self._received[:size]
        return found


def _told(kind: int, text: str) -> PeerError:
    code, _, detail = text.partition(" ")
    if kind == REFUSED and code in CATALOGUE:
        return PeerError(CATALOGUE[code], detail)
    return PeerError(WORKER_DEFECT, text)


def _name(cause: int) -> str:
    """`SIGSEGV`, or `exit 1`."""
    try:
        return Signals(cause).name
    except ValueError:
        return f"exit {-cause}"


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _NAMES or name.startswith(_PREFIXES)}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # what we import is what it imports
