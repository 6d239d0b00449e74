"""One WebSocket connection: whole messages in, a pulled stream of messages out, deadlines kept.

    open ── close() ──────────────────────► ending ─┐
      │ └── peer's Close, or its violation ► ending ─┼─ finish(): answers that wait, the close frame, ─► closed
      └──── the network broke, nothing written       │            the peer's Close or 5 s
            for 10 s, no pong for 20 s ────► ending ─┘

Sending is pulled: `flush()` asks the source for as much as the outbox has room for and hands it to the
kernel at once. What the kernel does not take waits for a writer task that lives only as long as it is
needed. So a peer that does not read costs at most the outbox, whatever its answers would add up to.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import trio

from voicestream import errors
from voicestream.errors import Fault
from voicestream.transport.pipe import READ_BYTES, Pipe
from voicestream.transport.rfc6455 import BINARY, PING, TEXT, Codec, MessageLimit, State, frame


@dataclass(frozen=True, slots=True)
class Timing:
    """Deadlines of every WebSocket, in seconds, and the bounds that go with them."""

    ping_s: float = 20.0
    pong_s: float = 20.0
    write_s: float = 10.0
    close_s: float = 5.0
    finish_s: float = 60.0  # for all answers that wait when the end has come: a peer may read slowly, but not for ever
    outbox_bytes: int = 256 * 1024
    control_frames: int = 512  # a peer may send so many per ping interval


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended. code: of the first close frame, 1006 where there was none; side: who began; fault: what was wrong."""

    code: int
    side: str  # "peer", "server" or "network"
    reason: str = ""
    fault: Fault | None = field(default=None, compare=False)


_VIOLATIONS = {1002: errors.FRAME_BROKEN, 1007: errors.NOT_UTF8, 1008: errors.TOO_MANY_PIECES, 1009: errors.MESSAGE_LARGE}


class Disconnected(Exception):
    """Nothing more will be received; `websocket.ending` tells why."""


Source = Callable[[int], "list[str | bytes]"]
Hear = Callable[["list[str | bytes]"], bool]


def _silence(room_bytes: int) -> list[str | bytes]:
    return []


_SHORT = 8  # characters of an answer that comes again and again: "200", "true", "[]"


@lru_cache(maxsize=64)
def _short(text: str) -> bytes:
    return frame(TEXT, text.encode())


_scratch = bytearray(READ_BYTES)  # one trio thread reads one socket at a time


class WebSocket:
    """`early`: bytes that came in the same segment as the upgrade. The writer task runs in `nursery`."""

    __slots__ = (
        "_awaiting_pong", "_codec", "_controls", "_early", "_finishing", "_heard", "_last_sent", "_lost", "_nursery", "_out", "_pipe",
        "_source", "_timing", "_writer_done", "_writing", "defect", "due", "ending",
    )  # fmt: skip

    def __init__(self, pipe: Pipe, nursery: trio.Nursery, limit: MessageLimit, timing: Timing, early: bytes = b"") -> None:
        self._pipe = pipe
        self._nursery = nursery
        self._codec = Codec(limit)
        self._timing = timing
        self._early = early
        self._source: Source = _silence
        self._out = b""  # what the kernel has not taken yet
        self._writing = False  # the writer task lives
        self._writer_done: trio.Event | None = None  # finish() waits for it
        self._finishing = False
        self._last_sent = False  # the close frame is in the outbox
        self._lost = False  # the network broke: nothing can be read or written any more
        self._heard = False
        self._awaiting_pong = False
        self._controls = 0
        self.due = trio.current_time() + timing.ping_s  # when tick() wants to be called
        self.ending: Ending | None = None
        self.defect: Exception | None = None  # what our own source raised: the connection ends with 1011

    def attach(self, source: Source) -> None:
        """From now on send what `source(room_bytes)` gives: the next messages, about so many bytes, [] for none now."""
        self._source = source

    async def listen(self, hear: Hear) -> None:
        """Call `hear` with the messages that bytes complete, often one, perhaps none, until it returns False.

        Raises Disconnected at the end. This is where a conversation waits; cancelled here, nothing is lost.
        `hear` must not block, and may run outside of this task, but what it raises is raised here.
        """
        wanted = True

        def take(count: int) -> bool:
            nonlocal wanted
            if count:
                wanted = hear(self._take(_scratch, count))
            else:
                self._lose("end of stream without a close frame")
            return wanted and self.ending is None

        if self._early and self.ending is None:
            data, self._early = bytearray(self._early), b""
            wanted = hear(self._take(data, len(data)))
        while wanted:
            if self.ending is not None:
                raise Disconnected
            try:
                await self._pipe.read(_scratch, take)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._lose("connection lost")
                raise Disconnected from error

    def _take(self, data: bytearray, count: int) -> list[str | bytes]:
        self._heard = True
        codec = self._codec
        messages = codec.receive(data, count)
        if codec.pongs:
            self._controls += len(codec.pongs)
            if self._controls > self._timing.control_frames:
                codec.pongs.clear()
                self.close(1008, "too many control frames", errors.TOO_MANY_PIECES)
        if codec.state is State.CLOSED:
            if codec.failure is not None:
                code, reason = codec.failure
                self.ending = Ending(code, "peer", reason, _VIOLATIONS[code])
            elif self.ending is None:
                self.ending = Ending(codec.peer_close or 1005, "peer")
        return messages

    def close(self, code: int, reason: str = "", fault: Fault | None = None) -> None:
        """End the connection from our side: a close frame follows the last answer."""
        if self.ending is None:
            self.ending = Ending(code, "server", reason, fault)
            self._codec.close(code, reason)

    def _lose(self, reason: str) -> None:
        self._codec.state = State.CLOSED
        self._last_sent = self._lost = True
        if self.ending is None:
            self.ending = Ending(1006, "network", reason)

    def tick(self, now: float) -> None:
        """Keep the pings going; anything heard counts as a sign of life."""
        if now < self.due:
            return
        self._controls = 0
        if self._heard:
            self._heard = self._awaiting_pong = False
            self.due = now + self._timing.ping_s
        elif self._awaiting_pong:
            self.due = float("inf")
            self.close(1011, "no pong", errors.NO_PONG)
        else:
            self._awaiting_pong = True
            self._codec.pongs.append(frame(PING, b""))
            self.due = now + self._timing.pong_s

    # ---- sending ------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what waits, as far as the kernel takes it now."""
        while not self._writing and (data := self._out or self._collect()):
            try:
                sent = self._pipe.write(data)
            except trio.BrokenResourceError:
                self._out = b""
                self._lose("connection lost")
                return
            self._out = data[sent:]
            if self._out:
                self._writing = True
                self._nursery.start_soon(self._write_out)
            elif sent < self._timing.outbox_bytes // 2:
                return  # the source had no more than this

    def _collect(self) -> bytes:
        """The next bytes to send: pongs, as many messages as there is room for, and after the last of them the close frame."""
        if self._last_sent:
            return b""
        frames, self._codec.pongs = self._codec.pongs, []
        try:
            messages = self._source(self._timing.outbox_bytes)
        except Exception as error:  # whoever flushes, here is where it must not escape: the writer task has nobody above it
            self.defect, self._source, messages = error, _silence, []
            self.close(1011, "internal error")
        for message in messages:
            if isinstance(message, str):
                frames.append(_short(message) if len(message) < _SHORT else frame(TEXT, message.encode()))
            else:
                frames.append(frame(BINARY, message))
        if self._finishing and not messages:
            self.close(1000)  # unless it has ended already
            frames.append(self._codec.last_frame)
            self._last_sent = True
        return frames[0] if len(frames) == 1 else b"".join(frames)

    async def _write_out(self) -> None:
        data = self._out
        while data:
            with trio.move_on_after(self._timing.write_s) as patience:
                try:
                    data = data[await self._pipe.write_more(data) :]
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    data = b""
                    self._lose("connection lost")
            if patience.cancelled_caught:
                data = b""
                self._give_up()
                await self._pipe.aclose()  # wakes the reader
            data = data or self._collect()
        self._out = b""
        self._writing = False
        if self._writer_done is not None:
            self._writer_done.set()

    def _give_up(self) -> None:
        self.ending = self.ending or Ending(1013, "server", "peer does not read", errors.NOT_READING)
        self._lose("peer does not read")

    # ---- the end ------------------------------------------------------------------------------------

    async def finish(self) -> None:
        """Say what is still to be said, then the close frame, and let the peer have it before the connection goes."""
        self._finishing = True
        with trio.move_on_after(self._timing.finish_s) as patience:
            while not self._last_sent or self._out:
                self.flush()
                if self._writing:
                    self._writer_done = trio.Event()
                    await self._writer_done.wait()
        if patience.cancelled_caught:
            self._give_up()
        if not self._lost and self._codec.peer_close is None:
            with trio.move_on_after(self._timing.close_s):
                await self._linger()
        await self._pipe.aclose()

    async def _linger(self) -> None:
        """Read on until the peer has closed: a connection closed over unread bytes is reset, and our close frame with it."""
        if self._codec.failure is not None:
            await self._pipe.send_eof()

        def take(count: int) -> bool:
            self._codec.receive(_scratch, count)
            return count > 0 and self._codec.peer_close is None

        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._pipe.read(_scratch, take)
