"""Recorded people at the rates that clients have: Debian's telephone prompts, resampled for the higher ones."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from voicestream.cli.prompt import speakers
from voicestream.codecs.opus import OpusEncoder

Pcm: TypeAlias = NDArray[np.int16]

RATES_HZ = (8000, 16000, 44100, 48000)
_PROMPT_HZ = 8000


@dataclass(eq=False, repr=False)
class Person:
    """One voice: `enrol` and `test` are other sentences, (n,) int16 at 8 kHz; `at` gives them at any rate."""

    name: str
    enrol: Pcm
    test: Pcm
    _resampled: dict[tuple[str, int], Pcm] = field(default_factory=dict)

    def at(self, part: str, rate_hz: int) -> Pcm:
        """Part "enrol" or "test" at `rate_hz`."""
        if (part, rate_hz) not in self._resampled:
            self._resampled[part, rate_hz] = soxr.resample(getattr(self, part), _PROMPT_HZ, rate_hz)
        return self._resampled[part, rate_hz]


def people() -> list[Person]:
    """Everybody whose prompts are installed."""
    return [Person(speaker.name, speaker.enrol.samples, speaker.test.samples) for speaker in speakers()]


def pcm16_messages(samples: Pcm, size: int) -> list[bytes]:
    """Bytes of PCM16 little-endian, cut every `size` samples."""
    return [samples[start : start + size].astype("<i2").tobytes() for start in range(0, len(samples), size)]


def opus_messages(samples: Pcm, rate_hz: int) -> list[bytes]:
    """Packets of 20 ms at 24 kbit/s, the last one filled up with silence."""
    encoder = OpusEncoder(rate_hz, bitrate_bps=24_000)
    size = rate_hz // 50
    padded = np.pad(samples, (0, -len(samples) % size))
    return [encoder.encode(packet) for packet in padded.reshape(-1, size)]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` in messages of the `sizes`, again and again."""
    messages: list[bytes] = []
    at = 0
    while at < len(data):
        messages.append(data[at : at + sizes[len(messages) % len(sizes)]])
        at += len(messages[-1])
    return messages
