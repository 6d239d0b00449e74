"""RFC 6455 framing, server side, without any I/O: bytes in, messages and control answers out.

    bytes ──► receive() ──► messages (str | bytes), in order
                 │
                 ├──► pongs: answers to pings
                 └──► peer_close / failure: why no message follows, and the close frame to send last

    OPEN ──── peer's Close ───────────────► CLOSED   (`last_frame` echoes it)
      │ └──── peer broke the protocol ────► CLOSED   (`last_frame` says so, `failure` says why)
      └────── close() by us ──────────────► CLOSING ── peer's Close, or anything illegal ──► CLOSED
                                            (data frames are thrown away)

Two kernels do the byte work for many frames per read: find the frames, unmask them in place. Everything
that happens seldom (fragments, control frames, UTF-8) is plain Python. Never raises for what a peer sends.
"""

import codecs
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numba import types
from numpy.typing import NDArray

from voicestream.dsp._jit import BYTEARRAY, I64, INT, U8, kernel, part

ROWS = 1024  # frames found per kernel call
_FIELDS = 3  # opcode and FIN bit, first payload byte, end of payload

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FIN = 0x80

# what the parser kernel can complain about, in row 0
_RESERVED, _UNMASKED, _OPCODE, _CONTROL, _LENGTH, _TOO_BIG = 1, 2, 3, 4, 5, 6
_COMPLAINTS: dict[int, tuple[int, str]] = {
    _RESERVED: (1002, "reserved bits set"),
    _UNMASKED: (1002, "frame not masked"),
    _OPCODE: (1002, "unknown opcode"),
    _CONTROL: (1002, "control frame too long or fragmented"),
    _LENGTH: (1002, "length not in its shortest form"),
    _TOO_BIG: (1009, "message too big"),
}

_U64 = types.uint64


@part()
def _unmask(buffer: bytearray, begin: np.uint64, end: np.uint64, key64: NDArray[np.uint8]) -> int:
    """XOR buffer[begin:end] with the mask repeated in key64 (64,): blocks of 64 become one vector instruction."""
    blocks = (end - begin) // np.uint64(64)
    for block in range(blocks):
        at = begin + block * np.uint64(64)
        for j in range(np.uint64(64)):
            buffer[at + j] ^= key64[j]
    for i in range(begin + blocks * np.uint64(64), end):
        buffer[i] ^= key64[(i - begin) & np.uint64(63)]
    return 0


@kernel(INT(BYTEARRAY, _U64, _U64, _U64, I64, U8))
def _parse(
    buffer: bytearray, begin: np.uint64, end: np.uint64, limit: np.uint64, table: NDArray[np.int64], key64: NDArray[np.uint8]
) -> int:
    """Find and unmask the whole frames in buffer[begin:end]; returns how many, at most ROWS.

    table (3 + 3 * ROWS,) int64: first the position after the last frame, the bytes missing after `end` before the
    next one can be judged further (0 = nothing begun), the complaint; then per frame the FIN bit and opcode, the
    first payload byte, the end of the payload. A payload above `limit` is complained of from its header alone.
    """
    at = begin
    count = 0
    complaint = 0
    missing = np.uint64(0)
    while count < ROWS and at < end:
        have = end - at
        if have < np.uint64(2):
            missing = np.uint64(2) - have
            break
        first = np.uint64(buffer[at])
        second = np.uint64(buffer[at + np.uint64(1)])
        opcode = first & np.uint64(0x0F)
        length = second & np.uint64(0x7F)
        if first & np.uint64(0x70):
            complaint = 1
            break
        if second & np.uint64(0x80) == np.uint64(0):
            complaint = 2
            break
        if opcode > np.uint64(10) or (opcode > np.uint64(2) and opcode < np.uint64(8)):
            complaint = 3
            break
        if opcode >= np.uint64(8) and (length > np.uint64(125) or first & np.uint64(0x80) == np.uint64(0)):
            complaint = 4
            break
        extended = np.uint64(0)
        if length == np.uint64(126):
            extended = np.uint64(2)
        elif length == np.uint64(127):
            extended = np.uint64(8)
        header = np.uint64(6) + extended
        if have < header:
            missing = header - have
            break
        if extended:
            length = np.uint64(0)
            for i in range(extended):
                length = length << np.uint64(8) | np.uint64(buffer[at + np.uint64(2) + i])
            shortest = np.uint64(126) if extended == np.uint64(2) else np.uint64(65536)
            if length < shortest or length >> np.uint64(63):
                complaint = 5
                break
        if length > limit:
            complaint = 6
            break
        if have < header + length:
            missing = header + length - have
            break
        payload = at + header
        mask = payload - np.uint64(4)
        for i in range(np.uint64(64)):
            key64[i] = buffer[mask + (i & np.uint64(3))]
        _unmask(buffer, payload, payload + length, key64)
        row = 3 + 3 * count
        table[row] = np.int64(first & np.uint64(0x8F))
        table[row + 1] = np.int64(payload)
        table[row + 2] = np.int64(payload + length)
        at = payload + length
        count += 1
    table[0] = np.int64(at)
    table[1] = np.int64(missing)
    table[2] = complaint
    return count


# One trio thread parses all connections, a call at a time: the scratch is shared.
_table = np.zeros(_FIELDS + _FIELDS * ROWS, np.int64)
_rows = _table.data
_key64 = np.zeros(64, np.uint8)


@dataclass(frozen=True, slots=True)
class MessageLimit:
    """The largest messages a route takes; beyond them Close 1009 (size) or 1008 (fragments)."""

    text_bytes: int = 64 * 1024
    binary_bytes: int = 1024 * 1024
    fragments: int = 64


class State(Enum):
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


_OPEN = State.OPEN  # a name of our own is looked up four times as fast


class Codec:
    """One connection's framing state: some tens of bytes while idle, no buffer of its own."""

    __slots__ = (
        "_decoder", "_fragments", "_held", "_limit", "_limit_bytes", "_missing", "_opcode", "_parts", "_size", "failure",
        "last_frame", "peer_close", "pongs", "state",
    )  # fmt: skip

    def __init__(self, limit: MessageLimit) -> None:
        self._limit = limit
        self._limit_bytes = max(limit.text_bytes, limit.binary_bytes)
        self._held: bytearray | None = None  # bytes of a frame that is not whole yet
        self._missing = 0  # at least so many bytes until it can be
        self._opcode = 0  # of the fragmented message under way, 0 for none
        self._parts: list[bytes | str] = []
        self._size = 0
        self._fragments = 0
        self._decoder: codecs.IncrementalDecoder | None = None
        self.state = State.OPEN
        self.pongs: list[bytes] = []  # frames to send; the owner empties it
        self.last_frame = b""  # the close frame to send when all answers are sent
        self.peer_close: int | None = None  # the code the peer closed with (1005: it gave none)
        self.failure: tuple[int, str] | None = None  # what the peer did wrong: the close code and reason we sent

    def receive(self, data: bytearray, count: int) -> list[str | bytes]:
        """Take the first `count` bytes of `data` (which is scribbled upon) and return the messages they complete."""
        messages: list[str | bytes] = []
        if self.state is State.CLOSED:
            return messages
        begin = 0
        if self._held is not None:
            self._held += memoryview(data)[:count]
            if count < self._missing:  # a frame that comes byte by byte costs one addition a byte
                self._missing -= count
                return messages
            data, count = self._held, len(self._held)
        while True:
            found = _parse(data, begin, count, self._limit_bytes, _table, _key64)  # type: ignore[arg-type]
            rows = _rows[: _FIELDS + _FIELDS * found].tolist()
            begin, missing, complaint = rows[0], rows[1], rows[2]
            view = memoryview(data)
            for row in range(_FIELDS, len(rows), _FIELDS):
                head, first, end = rows[row], rows[row + 1], rows[row + 2]
                # What nearly every frame is goes without a further call: that call is a third of a frame's cost.
                if head == _FIN | BINARY and not self._opcode and self.state is _OPEN and end - first <= self._limit.binary_bytes:
                    messages.append(view[first:end].tobytes())
                else:
                    self._frame(head, view[first:end], messages)
            if complaint:
                self._fail(*_COMPLAINTS[complaint])
            if complaint or found < ROWS:
                break
        if begin == count or self._ended():
            self._held = None
        else:
            self._missing = missing
            self._held = data[begin:count]
        return messages

    def _ended(self) -> bool:
        return self.state is State.CLOSED

    def _frame(self, head: int, payload: memoryview, messages: list[str | bytes]) -> None:
        if self.state is State.CLOSED:
            return
        opcode = head & 0x0F
        if opcode >= CLOSE:
            self._control(opcode, bytes(payload))
        elif self.state is State.CLOSING:
            return
        elif head == _FIN | BINARY and not self._opcode:  # receive() has taken those within the limit
            self._fail(*_COMPLAINTS[_TOO_BIG])
        elif head == _FIN | TEXT and not self._opcode:
            if len(payload) > self._limit.text_bytes:
                self._fail(*_COMPLAINTS[_TOO_BIG])
                return
            try:
                messages.append(str(payload, "utf-8"))
            except UnicodeDecodeError:
                self._fail(1007, "text is not UTF-8")
        else:
            self._fragment(opcode, bool(head & _FIN), payload, messages)

    def _fragment(self, opcode: int, final: bool, payload: memoryview, messages: list[str | bytes]) -> None:
        if (opcode == CONTINUATION) != bool(self._opcode):
            self._fail(1002, "fragments out of order")
            return
        if opcode:
            self._opcode = opcode
            self._decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None
        self._fragments += 1
        self._size += len(payload)
        if self._size > (self._limit.text_bytes if self._opcode == TEXT else self._limit.binary_bytes):
            self._fail(*_COMPLAINTS[_TOO_BIG])
            return
        if self._fragments > self._limit.fragments:
            self._fail(1008, "too many fragments")
            return
        try:
            self._parts.append(bytes(payload) if self._decoder is None else self._decoder.decode(bytes(payload), final))
        except UnicodeDecodeError:
            self._fail(1007, "text is not UTF-8")
            return
        if final:
            messages.append((b"" if self._decoder is None else "").join(self._parts))  # type: ignore[arg-type]
            self._forget_fragments()

    def _forget_fragments(self) -> None:
        self._opcode = self._fragments = self._size = 0
        self._parts = []
        self._decoder = None

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            if self.state is State.OPEN:
                self.pongs.append(frame(PONG, payload))
        elif opcode == CLOSE:
            self._peer_closed(payload)

    def _peer_closed(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2], "big") if payload else 1005
        if payload and not _may_be_sent(code):  # a single byte is below all codes
            self._fail(1002, "bad close code")
            return
        try:
            str(payload[2:], "utf-8")
        except UnicodeDecodeError:
            self._fail(1007, "close reason is not UTF-8")
            return
        self.peer_close = code
        if self.state is State.OPEN:
            self.last_frame = frame(CLOSE, payload[:2])
        self.state = State.CLOSED
        self._forget_fragments()

    def _fail(self, code: int, reason: str) -> None:
        if self.state is State.OPEN:
            self.failure = (code, reason)
            self.last_frame = close_frame(code, reason)
        self.state = State.CLOSED
        self._forget_fragments()

    def close(self, code: int, reason: str = "") -> None:
        """We end it: from now on only the peer's Close is of interest."""
        if self.state is State.OPEN:
            self.state = State.CLOSING
            self.last_frame = close_frame(code, reason)
            self._forget_fragments()


def _may_be_sent(code: int) -> bool:
    """RFC 6455 section 7.4: the codes that may stand in a close frame."""
    return (code in range(1000, 1015) and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999


def frame(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 65536:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to the 123 bytes that a control frame has room for."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode()[:123].decode(errors="ignore").encode())
