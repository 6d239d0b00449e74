"""WAV in packets: some bring a header of their own, some go on where the last one ended; cut anywhere.

Header sizes are hints. A size of 0 or beyond what comes is a writer that did not know yet, and means all that comes. Behind a
size that is true stand other chunks, which are told by their names, or more samples, which are heard.
Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991).
"""

import struct
from dataclasses import dataclass
from typing import Final

from voicestream.codecs.containers import MAX_CHANNELS
from voicestream.errors import MANY_CHANNELS, UNKNOWN_FORMAT, UNREADABLE_AUDIO, PeerError

_EXTENSIBLE: Final = 0xFFFE
_FORMAT: Final = struct.Struct("<HHIIHH")
_SUBFORMAT_AT: Final = 24  # in the format chunk: a GUID that begins with the format tag
_FORMAT_BYTES: Final = 40
_HEADER_BYTES: Final = 64 * 1024  # of chunks before the samples
_BEHIND: Final = frozenset(  # chunks that follow samples
    (b"LIST", b"INFO", b"fact", b"cue ", b"smpl", b"bext", b"iXML", b"JUNK", b"junk", b"PAD ", b"id3 ", b"ID3 ", b"PEAK", b"afsp", b"_PMX")
)
_WIDTHS: Final[dict[tuple[int, int], int]] = {  # format tag, bits -> bytes of a sample
    (1, 8): 1, (1, 16): 2, (1, 24): 3, (1, 32): 4, (3, 32): 4, (3, 64): 8, (6, 8): 1, (7, 8): 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """How samples are written: a format tag (1 PCM, 3 float, 6 A-law, 7 mu-law), bits of a sample, channels interleaved."""

    tag: int
    bits: int
    channels: int
    rate_hz: int

    @property
    def frame_bytes(self) -> int:
        return _WIDTHS[self.tag, self.bits] * self.channels


class WavPackets:
    """Packets in, pieces out: whole frames, and how they are written. The first packet begins with `RIFF....WAVE`."""

    def __init__(self) -> None:
        self._form: Form | None = None
        self._header = bytearray()  # one that is not whole yet
        self._carry = b""  # part of a frame
        self._left = 0.0  # bytes of samples until the end that the header tells
        self._pad = 0  # bytes between that end and what follows
        self._behind: bytearray | None = None  # what follows it, until it tells whether it is a chunk
        self._over = False  # it was: nothing is heard until the next header

    def feed(self, packet: bytes) -> list[tuple[Form, bytes]]:
        """Take a packet, of any size. PeerError VS2001, VS2002, VS2008."""
        if self._header or (packet.startswith(b"RIFF") and packet.startswith(b"WAVE", 8)):
            self._header += packet
            begin = self._read_header()
            if begin is None:
                return []
            packet, self._header = bytes(self._header[begin:]), bytearray()
        return self._hear(packet)

    def flush(self) -> list[tuple[Form, bytes]]:
        """Nothing: part of a frame is no sample. PeerError VS2001 when a header was never whole."""
        if self._header:
            raise PeerError(UNREADABLE_AUDIO)
        return []

    def _hear(self, data: bytes) -> list[tuple[Form, bytes]]:
        if self._over or self._form is None:
            return []
        samples = data
        if len(data) > self._left:
            samples = data[: int(self._left)] + self._more(data[int(self._left) :])
        self._left = max(self._left - len(data), 0)
        samples = self._carry + samples
        whole = len(samples) - len(samples) % self._form.frame_bytes
        self._carry = samples[whole:]
        return [(self._form, samples[:whole])] if whole else []

    def _more(self, data: bytes) -> bytes:
        """What is to be heard of bytes behind the end that the header tells."""
        if self._behind is None:  # it was told already that they are samples
            return data
        self._behind += data
        if len(self._behind) < self._pad + 4:
            return b""
        behind, self._behind = bytes(self._behind), None
        if behind[self._pad : self._pad + 4] in _BEHIND:
            self._over = True
            return b""
        return behind

    def _read_header(self) -> int | None:
        """Where the samples begin; None while that is not known. PeerError VS2001, VS2002, VS2008."""
        data, at, form = self._header, 12, None
        while at + 8 <= len(data):
            name, size = struct.unpack_from("<4sI", data, at)
            at += 8
            if name == b"data":
                if form is None:
                    raise PeerError(UNREADABLE_AUDIO)
                self._begin(form, size)
                return at
            if name == b"fmt " and at + min(size, _FORMAT_BYTES) <= len(data):
                form = form or _form(bytes(data[at : at + min(size, _FORMAT_BYTES)]))
            at += size + size % 2
        if at > _HEADER_BYTES or len(data) > _HEADER_BYTES:
            raise PeerError(UNREADABLE_AUDIO)
        return None

    def _begin(self, form: Form, size: int) -> None:
        self._form, self._carry, self._over = form, b"", False
        self._left = size or float("inf")
        self._pad = size % 2
        self._behind = bytearray()


def _form(chunk: bytes) -> Form:
    if len(chunk) < _FORMAT.size:
        raise PeerError(UNREADABLE_AUDIO)
    tag, channels, rate_hz, _, _, bits = _FORMAT.unpack_from(chunk)
    if tag == _EXTENSIBLE and len(chunk) == _FORMAT_BYTES:
        (tag,) = struct.unpack_from("<H", chunk, _SUBFORMAT_AT)
    if not channels or not rate_hz:
        raise PeerError(UNREADABLE_AUDIO)
    if channels > MAX_CHANNELS:
        raise PeerError(MANY_CHANNELS)
    if (tag, bits) not in _WIDTHS:
        raise PeerError(UNKNOWN_FORMAT)
    return Form(tag, bits, channels, rate_hz)
