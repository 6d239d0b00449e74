"""The packets of one Engine.IO session that wait for a transport: bounded, in order, the droppable ones go first."""

from collections import deque
from typing import NamedTuple

from voicestream.protocols.engineio_packet import SEPARATOR, Packet, encode_packet, encode_part

_SEPARATOR = SEPARATOR.encode()
_OVERHEAD_BYTES = 128  # of a packet in memory, so that many small ones count too


class _Waiting(NamedTuple):
    packet: Packet
    droppable: bool


class Outbox:
    """Beyond `packets_max` the oldest droppable packet goes; beyond `bytes_max` the outbox is `full`."""

    __slots__ = ("_bytes_max", "_droppable", "_packets_max", "_size_bytes", "_waiting")

    def __init__(self, packets_max: int, bytes_max: int) -> None:
        self._packets_max = packets_max
        self._bytes_max = bytes_max
        self._waiting: deque[_Waiting] = deque()
        self._droppable = 0
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        return self._size_bytes > self._bytes_max

    def put(self, packet: Packet, droppable: bool = False) -> None:
        """Add at the end."""
        self._waiting.append(_Waiting(packet, droppable))
        self._droppable += droppable
        self._size_bytes += len(packet.data) + _OVERHEAD_BYTES
        if self._droppable and len(self._waiting) > self._packets_max:
            self._forget(next(index for index, waiting in enumerate(self._waiting) if waiting.droppable))

    def clear(self) -> None:
        self._waiting.clear()
        self._droppable = self._size_bytes = 0

    def frames(self, room_bytes: int) -> list[str | bytes]:
        """Take WebSocket frames, about `room_bytes` of them, at least one if any waits and there is room at all."""
        frames: list[str | bytes] = []
        while self._waiting and room_bytes > 0:
            frame = encode_packet(self._forget(0))
            frames.append(frame)
            room_bytes -= len(frame)
        return frames

    def payload(self, max_bytes: int) -> bytes:
        """Take the body of an answer to a GET: at most `max_bytes`, but at least one packet if any waits."""
        parts: list[bytes] = []
        size_bytes = 0
        while self._waiting:
            part = encode_part(self._waiting[0].packet)
            size_bytes += len(part) + 1
            if parts and size_bytes - 1 > max_bytes:
                break
            parts.append(part)
            self._forget(0)
        return _SEPARATOR.join(parts)

    def _forget(self, index: int) -> Packet:
        packet, droppable = self._waiting[index]
        del self._waiting[index]
        self._droppable -= droppable
        self._size_bytes -= len(packet.data) + _OVERHEAD_BYTES
        return packet
