"""Hand-made fakes of what surrounds a WebSocket: the network under it, the conversation above it."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf

import trio

from tests.transport.wire import CLOSE, close_code, split
from voicestream.transport.head import Refusal
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Disconnected, Timing, WebSocket

TIMING = Timing()


class FakePipe:
    """A network whose buffer has room for `room` more bytes; `peer_*` is what the other end does."""

    def __init__(self, room: float = inf) -> None:
        self.room = room
        self.sent = bytearray()
        self.eof_sent = False
        self.closed_at: float | None = None
        self.broken = False
        self._news = trio.Event()
        self._incoming: deque[bytes] = deque()

    def peer_sends(self, data: bytes) -> None:
        """b"" is the end of its stream."""
        self._incoming.append(data)
        self._tell()

    def peer_reads(self, count: float = inf) -> None:
        self.room += count
        self._tell()

    def peer_resets(self) -> None:
        self.broken = True
        self._tell()

    def frames(self) -> list[tuple[int, bytes]]:
        return split(bytes(self.sent))

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    def _check(self) -> None:
        if self.closed_at is not None:
            raise trio.ClosedResourceError
        if self.broken:
            raise trio.BrokenResourceError

    async def read(self, into: bytearray, take: Callable[[int], bool]) -> None:
        wanted = True
        while wanted:
            await trio.lowlevel.checkpoint()
            self._check()
            while not self._incoming:
                await self._news.wait()
                self._check()
            data = self._incoming.popleft()
            into[: len(data)] = data
            wanted = take(len(data))

    def write(self, data: bytes) -> int:
        self._check()
        count = int(min(len(data), self.room))
        self.room -= count
        self.sent += data[:count]
        return count

    async def write_more(self, data: bytes) -> int:
        await trio.lowlevel.checkpoint()
        while not (count := self.write(data)):
            await self._news.wait()
        return count

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        self.eof_sent = True

    async def aclose(self) -> None:
        if self.closed_at is None:
            self.closed_at = trio.current_time()
        self._tell()
        await trio.lowlevel.checkpoint()


class Speaker:
    """A source of prepared messages that remembers how often it was asked, and for how much."""

    def __init__(self, *messages: str | bytes) -> None:
        self.waiting = deque(messages)
        self.asked: list[int] = []

    def __call__(self, room_bytes: int) -> list[str | bytes]:
        self.asked.append(room_bytes)
        said: list[str | bytes] = []
        while self.waiting and room_bytes > 0:
            room_bytes -= len(self.waiting[0])
            said.append(self.waiting.popleft())
        return said


async def received(websocket: WebSocket) -> list[str | bytes]:
    """The messages of the next read."""
    heard: list[str | bytes] = []

    def hear(messages: list[str | bytes]) -> bool:
        heard.extend(messages)
        return False

    await websocket.listen(hear)
    return heard


async def hear(websocket: WebSocket, heard: list[str | bytes] | None = None) -> None:
    """Receive to the end, with the pings kept going, as a conversation does."""
    try:
        while True:
            with trio.CancelScope(deadline=websocket.due):
                while True:
                    messages = await received(websocket)
                    if heard is not None:
                        heard += messages
                    websocket.flush()
            websocket.tick(trio.current_time())
            websocket.flush()
    except Disconnected:
        pass


async def echo(websocket: WebSocket) -> None:
    speaker = Speaker()
    websocket.attach(speaker)
    try:
        while True:
            speaker.waiting += await received(websocket)
            websocket.flush()
    except Disconnected:
        pass


class Book:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self.open: set[WebSocket] = set()
        self.endings: list[tuple[int, str] | None] = []
        self.escapes: list[BaseException] = []

    def refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def opened(self, path: str, websocket: WebSocket) -> None:
        self.open.add(websocket)

    def closed(self, path: str, websocket: WebSocket) -> None:
        self.open.remove(websocket)
        self.endings.append((websocket.ending.code, websocket.ending.side) if websocket.ending else None)

    def escaped(self, error: BaseException) -> None:
        self.escapes.append(error)


@asynccontextmanager
async def open_websocket(
    pipe: FakePipe, source: Speaker | None = None, early: bytes = b"", timing: Timing = TIMING
) -> AsyncIterator[tuple[WebSocket, trio.Nursery]]:
    """A WebSocket on `pipe` and the nursery of its writer task."""
    async with trio.open_nursery() as nursery:
        websocket = WebSocket(pipe, nursery, MessageLimit(), timing, early)
        websocket.attach(source or Speaker())
        yield websocket, nursery


def close_codes(pipe: FakePipe) -> list[int]:
    return [close_code(payload) for opcode, payload in pipe.frames() if opcode == CLOSE]
