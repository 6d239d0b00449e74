"""Speech as a telephone carries it: mu-law at 8 kHz in pieces of 20 ms."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from voicestream.cli.microphone import RATE_HZ, microphone
from voicestream.cli.recording import Recording
from voicestream.cli.stream import paced
from voicestream.dsp.g711 import mulaw_compress
from voicestream.dsp.pcm import from_bytes, to_float, to_int16
from voicestream.dsp.resample import Resampler, resample

TELEPHONE_HZ = 8000
PIECE_S = 0.02
_PIECE_BYTES = 160
_LAST_SILENCE_S = 0.5  # a call does not end in the middle of a sound, and detectors tell the end of speech by what follows


def telephone(recording: Recording) -> bytes:
    """A recording at any rate -> mu-law at 8 kHz, with half a second of silence behind it."""
    samples = recording.samples
    if recording.rate_hz != TELEPHONE_HZ:
        samples = to_int16(resample(to_float(samples), recording.rate_hz, TELEPHONE_HZ))
    return mulaw_compress(samples) + b"\xff" * round(TELEPHONE_HZ * _LAST_SILENCE_S)


def recorded(mulaw: bytes, speed: float) -> AsyncGenerator[bytes]:
    """The pieces of a call, at `speed` times that of speech; 0: as fast as they are taken."""
    return paced(_pieces(mulaw), PIECE_S / speed if speed else None)


async def spoken() -> AsyncGenerator[bytes]:
    """Pieces of a call from the default microphone, as they are said. PeerError VS1023 where there is none."""
    resampler = Resampler(RATE_HZ, TELEPHONE_HZ)
    async with aclosing(microphone()) as messages:
        async for message in messages:
            for piece in _pieces(mulaw_compress(to_int16(resampler.feed(to_float(from_bytes(message)))))):
                yield piece


def _pieces(mulaw: bytes) -> Iterator[bytes]:
    return (mulaw[start : start + _PIECE_BYTES] for start in range(0, len(mulaw), _PIECE_BYTES))
