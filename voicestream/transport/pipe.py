"""Bytes in and out of one connection, written at once where the kernel takes them and later where not.

A `SocketPipe` reads and writes the descriptor itself: a read and a write of a paced stream then cost one
system call each and no checkpoint of their own (measured: 12.2 us a message against 12.9 through
`SocketStream`). A `StreamPipe` runs over any trio stream: TLS, and memory streams in tests.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Protocol

import trio

from voicestream.transport.readiness import Door, readiness

READ_BYTES = 64 * 1024
_RECORD_BYTES = 16 * 1024  # a TLS record: what a slow reader must take within one write deadline


class Pipe(Protocol):
    """What a WebSocket needs of a connection. Errors of the network are `trio.BrokenResourceError`."""

    async def read(self, into: bytearray, take: Callable[[int], bool]) -> None:
        """Put bytes as they come at the front of `into` and call `take` with their count, until it returns False.

        The count is 0 at the peer's end of stream. `take` must not block, and may run outside of this task,
        but what it raises is raised here.
        """
        ...

    def write(self, data: bytes) -> int:
        """Send what can be sent without waiting; its count, 0 when the peer must be waited for."""
        ...

    async def write_more(self, data: bytes) -> int:
        """Wait until some of `data` is sent; its count."""
        ...

    async def send_eof(self) -> None:
        """Nothing more will be sent; where the stream cannot say so, nothing happens."""
        ...

    async def aclose(self) -> None: ...


class SocketPipe:
    """A plain TCP connection. Once closed it touches its descriptor no more: the number may be another connection's by then."""

    __slots__ = ("_door", "_fd", "_full", "_stream")

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._fd = stream.socket.fileno()
        self._door: Door | None = None  # made at the first read: HTTP connections have no use for it
        self._full = True  # the last read filled its buffer: more is likely there

    async def read(self, into: bytearray, take: Callable[[int], bool]) -> None:
        if self._fd < 0:
            raise trio.ClosedResourceError
        if self._door is None:
            self._door = readiness().door(self._fd)
        wanted = True
        room = [into]

        def ready() -> bool:
            nonlocal wanted
            try:
                count = os.readv(self._fd, room)
            except BlockingIOError:
                self._full = False
                return True
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from error
            self._full = count == len(into)
            wanted = take(count)
            return wanted and not self._full

        while wanted:
            if self._full:
                await trio.lowlevel.checkpoint()
                ready()
            else:
                await self._door.wait(ready)

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error

    async def write_more(self, data: bytes) -> int:
        while not (count := self.write(data)):
            await trio.lowlevel.wait_writable(self._fd)
        return count

    async def send_eof(self) -> None:
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._stream.send_eof()

    async def aclose(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        self._fd = -1
        await self._stream.aclose()


class StreamPipe:
    """Any other trio stream; each write waits its turn in the writer task."""

    __slots__ = ("_stream",)

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def read(self, into: bytearray, take: Callable[[int], bool]) -> None:
        wanted = True
        while wanted:
            data = await self._stream.receive_some(len(into))
            into[: len(data)] = data
            wanted = take(len(data))

    def write(self, data: bytes) -> int:
        return 0

    async def write_more(self, data: bytes) -> int:
        piece = data[:_RECORD_BYTES]
        await self._stream.send_all(piece)
        return len(piece)

    async def send_eof(self) -> None:
        return  # TLS cannot end one direction

    async def aclose(self) -> None:
        await trio.aclose_forcefully(self._stream)
