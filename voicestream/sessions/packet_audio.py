"""A recording that comes in packets, as one stream of 16 kHz mono.

    first packet ─┬─ RIFF....WAVE ─► each such packet brings its own header; one without goes on where the last ended
                  ├─ a container ──► all packets are one file, which FFmpeg decodes as it grows (`growing_file`)
                  └─ anything else ─► refused: samples without a header cannot be told from noise

Pieces give the same samples as the whole. A header is believed as far as the bytes go (elsa.md section 2).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.codecs.containers import RATES_HZ, sniff
from voicestream.codecs.growing_file import GrowingFile, Piece
from voicestream.codecs.wav_packet import Form, WavPackets
from voicestream.dsp.g711 import alaw_expand, mulaw_expand
from voicestream.dsp.pcm import FULL_SCALE, to_int16
from voicestream.dsp.resample import Resampler
from voicestream.errors import NO_AUDIO, NOT_FINITE, RATE_UNSUPPORTED, UNKNOWN_FORMAT, PeerError

RATE_HZ: Final = 16_000
_SNIFFED_BYTES: Final = 12  # tell every format we know

Samples = NDArray[np.int16]
_NOTHING: Final[Samples] = np.empty(0, np.int16)


class PacketAudio:
    """Packets in, samples (n,) int16 at 16 kHz out. `max_s`: a container is not decoded beyond; close() when it is left unfinished."""

    def __init__(self, max_s: float) -> None:
        self._max_s = max_s
        self._first = bytearray()  # until it tells what it is
        self._wav: WavPackets | None = None
        self._file: GrowingFile | None = None
        self._to_16_khz: _Converter | None = None

    def feed(self, packet: bytes, *, last: bool = False) -> Samples:
        """Take a packet, of any size; last: no more will come, and flush() follows. PeerError VS2001, VS2002, VS2005, VS2007, VS2008."""
        if self._wav is None and self._file is None:
            self._first += packet
            if len(self._first) < _SNIFFED_BYTES:
                return _NOTHING
            packet, self._first = bytes(self._first), bytearray()
            self._tell(packet)
        if self._wav is not None:
            return self._converted(_monos(self._wav.feed(packet)))
        assert self._file is not None
        self._file.write(packet, last=last)
        return self._converted(self._file.take())

    def flush(self) -> Samples:
        """The rest, when no more packets come; waits for the decoder of a container. PeerError as feed(), VS2003 when nothing came."""
        if self._first:
            raise PeerError(UNKNOWN_FORMAT)
        if self._file is not None:
            rest = self._converted(self._file.finish())
        elif self._wav is not None:
            rest = self._converted(_monos(self._wav.flush()))
        else:
            raise PeerError(NO_AUDIO)
        return rest if self._to_16_khz is None else np.concatenate((rest, self._to_16_khz.flush()))

    def close(self) -> None:
        """Nobody wants the rest."""
        if self._file is not None:
            self._file.close()

    def _tell(self, first: bytes) -> None:
        if first.startswith(b"RIFF") and first.startswith(b"WAVE", 8):
            self._wav = WavPackets()
            return
        name = sniff(first)
        if not name:
            raise PeerError(UNKNOWN_FORMAT)
        self._file = GrowingFile(name, self._max_s)

    def _converted(self, pieces: list[Piece]) -> Samples:
        out = []
        for rate_hz, mono in pieces:
            if self._to_16_khz is None or self._to_16_khz.rate_hz != rate_hz:
                if self._to_16_khz is not None:
                    out.append(self._to_16_khz.flush())
                self._to_16_khz = _Converter(rate_hz)
            out.append(self._to_16_khz.feed(mono))
        return np.concatenate(out) if out else _NOTHING


class _Converter:
    """From `rate_hz` to 16 kHz without the resampler's delay: n samples in, ceil(n * 16000 / rate_hz) out in the end."""

    def __init__(self, rate_hz: int) -> None:
        if rate_hz not in RATES_HZ:
            raise PeerError(RATE_UNSUPPORTED, f"{rate_hz} Hz")
        self.rate_hz = rate_hz
        self._resampler = Resampler(rate_hz, RATE_HZ) if rate_hz != RATE_HZ else None
        self._late = self._resampler.delay_samples if self._resampler else 0  # outputs of the filter's rise, to drop
        self._heard = 0
        self._told = 0

    def feed(self, mono: NDArray[np.float32]) -> Samples:
        self._heard += len(mono)
        if self._resampler is None:
            return to_int16(mono)
        return self._told_once(self._resampler.feed(np.ascontiguousarray(mono)))

    def flush(self) -> Samples:
        if self._resampler is None:
            return _NOTHING
        rest = self._told_once(self._resampler.flush())
        more = self._told - self._resampler.plan.length(self._heard)  # silence that pushed the last samples out
        return rest[: len(rest) - more]

    def _told_once(self, made: NDArray[np.float32]) -> Samples:
        dropped = min(self._late, len(made))
        self._late -= dropped
        self._told += len(made) - dropped
        return to_int16(made[dropped:])


def _monos(frames: list[tuple[Form, bytes]]) -> list[Piece]:
    return [(form.rate_hz, _mono(form, data)) for form, data in frames]


def _mono(form: Form, data: bytes) -> NDArray[np.float32]:
    """Whole frames -> (n,) float32 in -1..1, channels averaged. PeerError VS2005."""
    samples = _samples(form, data)
    mono = samples.reshape(-1, form.channels).mean(axis=1, dtype=np.float32) if form.channels > 1 else samples
    if form.tag == 3 and not np.isfinite(mono).all():
        raise PeerError(NOT_FINITE)
    return mono


def _samples(form: Form, data: bytes) -> NDArray[np.float32]:
    match form.tag, form.bits:
        case 1, 8:
            return (np.frombuffer(data, "u1").astype(np.float32) - np.float32(128)) / np.float32(128)
        case 1, 16:
            return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(FULL_SCALE)
        case 1, 24:  # into the upper three bytes of 32
            wide = np.zeros((len(data) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            return wide.view("<i4").reshape(-1).astype(np.float32) / np.float32(2**31)
        case 1, 32:
            return np.frombuffer(data, "<i4").astype(np.float32) / np.float32(2**31)
        case 3, 32:
            return np.frombuffer(data, "<f4").astype(np.float32, copy=False)
        case 3, _:
            with np.errstate(over="ignore"):  # becomes infinite, which is refused
                return np.frombuffer(data, "<f8").astype(np.float32)
        case 6, _:
            return alaw_expand(data).astype(np.float32) / np.float32(FULL_SCALE)
        case _:
            return mulaw_expand(data).astype(np.float32) / np.float32(FULL_SCALE)
