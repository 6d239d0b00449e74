"""A recording as a client streams it: messages of PCM16, or Opus packets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicestream import errors
from voicestream.cli.terminal import fail, fail_with
from voicestream.errors import PeerError
from voicestream.sessions.vocabulary import Encoding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MESSAGE_S: dict[Encoding, float] = {"pcm16": 0.1, "opus": 0.02}
_OPUS_RATE_HZ = 16_000  # for recordings at a rate that Opus has not


@dataclass(frozen=True, slots=True)
class Recording:
    """Mono speech: `samples` (n,) int16 at `rate_hz`."""

    samples: NDArray[np.int16]
    rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz

    def messages(self, encoding: Encoding) -> Iterator[bytes]:
        """The recording cut into messages of MESSAGE_S; for Opus the last one is filled up with silence."""
        size = round(self.rate_hz * MESSAGE_S[encoding])
        pieces = [self.samples[start : start + size] for start in range(0, len(self.samples), size)]
        if encoding == "pcm16":
            return (piece.astype("<i2").tobytes() for piece in pieces)
        import numpy as np

        from voicestream.codecs.opus import OpusEncoder

        encoder = OpusEncoder(self.rate_hz)
        return (encoder.encode(np.pad(piece, (0, size - len(piece)))) for piece in pieces)

    def at_rate_of(self, encoding: Encoding) -> Recording:
        """Itself, resampled where the rate cannot be sent in this encoding."""
        from voicestream.protocols.idvoice_parameter import RATES_HZ

        if self.rate_hz in RATES_HZ[encoding]:
            return self
        from voicestream.dsp.pcm import to_float, to_int16
        from voicestream.dsp.resample import resample

        return Recording(to_int16(resample(to_float(self.samples), self.rate_hz, _OPUS_RATE_HZ)), _OPUS_RATE_HZ)


def read_bytes(path: Path) -> bytes:
    """The file's content, `-` meaning standard input; ends the command with VS1020 when it cannot be read."""
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        fail(errors.UNREADABLE_FILE, f"{path}: {error.strerror}")


def read_recording(path: Path) -> Recording:
    """Any audio file as a Recording; ends the command with the numbered reason when there is none in it."""
    from voicestream.codecs.containers import decode_file
    from voicestream.dsp.pcm import to_int16

    try:
        samples, rate_hz = decode_file(read_bytes(path))
    except PeerError as error:
        fail_with(error)
    return Recording(to_int16(samples), rate_hz)
