"""What every session does with a message of audio: decode it, count it, put it through the front end."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.codecs.opus import OpusDecoder
from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.vad.model import Front, MakeFront
from voicestream.sessions.vocabulary import Encoding

Features: TypeAlias = NDArray[np.float32]


class Intake:
    """Turns the messages of one stream into labels and features; `samples` counts at the declared rate."""

    __slots__ = ("_bytes", "_decoder", "_front", "_rate_hz")

    def __init__(self, rate_hz: int, encoding: Encoding, front: Front) -> None:
        self._front = front
        self._decoder = OpusDecoder(rate_hz) if encoding == "opus" else None
        self._rate_hz = rate_hz
        self._bytes = 0

    @property
    def samples(self) -> int:
        """Whole samples taken in; an odd last byte waits for the next message."""
        return self._bytes >> 1

    @property
    def heard_s(self) -> float:
        """Seconds of audio taken in."""
        return self.samples / self._rate_hz

    def feed(self, payload: bytes) -> tuple[bytes, Features]:
        """Take one message: labels, one byte 0 or 1 per completed 30 ms frame, and feature rows valid until the next.

        Raises PeerError, and adds nothing, for a bad Opus packet. An empty Opus message is no lost packet.
        """
        if self._decoder is not None and payload:
            payload = self._decoder.decode(payload).tobytes()
        self._bytes += len(payload)
        return self._front.feed(payload)

    def flush(self) -> tuple[bytes, Features]:
        """Give what the resampler still held; for recordings, whose end is known."""
        return self._front.flush()


def media_intake(rate_hz: int, encoding: Encoding, make_front: MakeFront = FrontEnd) -> Intake:
    """Make the intake of the services that want labels alone, analysed at 8 kHz below 16 kHz, else at 16 kHz."""
    plan = FrontEndPlan(encoding="pcm16", rate_hz=rate_hz, analysis_hz=8000 if rate_hz < 16000 else 16000, features=None)
    return Intake(rate_hz, encoding, make_front(plan))


def voice_intake(rate_hz: int, encoding: Encoding, analysis_hz: int, features: FeatureOptions, make_front: MakeFront = FrontEnd) -> Intake:
    """Make the intake of the services that want a model's features beside the labels."""
    plan = FrontEndPlan(encoding="pcm16", rate_hz=rate_hz, analysis_hz=analysis_hz, features=features)
    return Intake(rate_hz, encoding, make_front(plan))
