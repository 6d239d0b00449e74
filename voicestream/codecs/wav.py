"""WAV as telephony writes it: PCM16, mu-law and A-law, and one channel of it.

The whole header is believed only as far as the bytes go. Sizes that a streaming writer left open (0, or larger than
what follows) mean the rest. Sources: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991),
"Multiple Channel Audio Data and WAVE Files" (2007).
"""

import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal, TypeAlias

import numpy as np

from voicestream.errors import UNREADABLE_AUDIO, MisuseError, PeerError

Codec: TypeAlias = Literal["pcm16", "alaw", "mulaw"]

_CODECS: Final[dict[tuple[int, int], Codec]] = {(1, 16): "pcm16", (6, 8): "alaw", (7, 8): "mulaw"}  # format tag, bits
_TYPES: Final[dict[Codec, str]] = {"pcm16": "<i2", "alaw": "u1", "mulaw": "u1"}
_EXTENSIBLE: Final = 0xFFFE
_FORMAT: Final = struct.Struct("<HHIIHH")
_SUBFORMAT_AT: Final = 24  # in the format chunk: a GUID that begins with the format tag


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV file whose samples are not decoded yet. codec None: one that is not read here."""

    rate_hz: int
    channels: int
    codec: Codec | None
    data: memoryview

    @property
    def frames(self) -> int:
        """Samples of each channel; 0 where the codec is none of ours."""
        return len(self.data) // (self.channels * np.dtype(_TYPES[self.codec]).itemsize) if self.codec else 0

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate_hz

    def channel(self, number: int) -> bytes:
        """The samples of a channel, counted from 1, still in the file's codec; pcm16 is little-endian."""
        if self.codec is None or not 1 <= number <= self.channels:
            raise MisuseError("a channel that is not there, or a codec that is not read")
        samples = np.frombuffer(self.data, _TYPES[self.codec], self.frames * self.channels)
        return samples.reshape(-1, self.channels)[:, number - 1].tobytes()


def is_wav(data: bytes | bytearray) -> bool:
    """Whether it begins as a WAV file does."""
    return data.startswith(b"RIFF") and data.startswith(b"WAVE", 8)


def read_wav(data: bytes | bytearray) -> Wav:
    """The file that `is_wav`. PeerError VS2001 when its format is missing, or says no rate or no channel."""
    view = memoryview(data)
    format_chunk = None
    for name, chunk in _chunks(view):
        if name == b"fmt " and format_chunk is None:
            format_chunk = bytes(chunk[:40])
        elif name == b"data" and format_chunk is not None:
            return _wav(format_chunk, chunk)
    raise PeerError(UNREADABLE_AUDIO)


def _wav(format_chunk: bytes, samples: memoryview) -> Wav:
    if len(format_chunk) < _FORMAT.size:
        raise PeerError(UNREADABLE_AUDIO)
    tag, channels, rate_hz, _, _, bits = _FORMAT.unpack_from(format_chunk)
    if tag == _EXTENSIBLE and len(format_chunk) == 40:
        (tag,) = struct.unpack_from("<H", format_chunk, _SUBFORMAT_AT)
    if not channels or not rate_hz:
        raise PeerError(UNREADABLE_AUDIO)
    return Wav(rate_hz, channels, _CODECS.get((tag, bits)), samples)


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 12
    while at + 8 <= len(view):
        name, size = struct.unpack_from("<4sI", view, at)
        at += 8
        if name == b"data" and size == 0:
            size = len(view) - at
        yield name, view[at : at + size]
        at += size + size % 2


def write_wav(pcm16: bytes, rate_hz: int) -> bytes:
    """A complete file of PCM16 little-endian mono."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm16)
    return file.getvalue()
