"""A front end and a speaker model whose every number can be told beforehand.

Audio is made of levels: a frame is speech when its first sample is not zero, a feature row is the level
of its first sample, and a voice is the direction whose angle is the mean level of its speech.
"""

from dataclasses import dataclass, field
from math import atan2, cos, sin

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEndPlan
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.card import Card
from voicestream.sessions.quality import Gate
from voicestream.sessions.vocabulary import Audio, Job, Result, Session, Template, Vector

LEVEL = 10_000  # a sample of this size is an angle of one radian


def audio(rate_hz: int, *spans: tuple[float, float]) -> bytes:
    """PCM16 of (seconds, level) spans; level 0 is silence."""
    return b"".join(np.full(round(seconds * rate_hz), level * LEVEL, "<i2").tobytes() for seconds, level in spans)


class ToyFront:
    """Labels and rows come `lag_ms` late, as behind a resampler."""

    lag_ms = 0

    def __init__(self, plan: FrontEndPlan) -> None:
        self.plan = plan
        self._pcm = b""
        self._labels = 0
        self._rows = 0

    def feed(self, data: bytes) -> tuple[bytes, NDArray[np.float32]]:
        self._pcm += data
        return self._upto(len(self._pcm) // 2 - self.plan.rate_hz * self.lag_ms // 1000)

    def flush(self) -> tuple[bytes, NDArray[np.float32]]:
        return self._upto(len(self._pcm) // 2)

    def _upto(self, samples: int) -> tuple[bytes, NDArray[np.float32]]:
        rate_hz = self.plan.rate_hz
        levels = np.frombuffer(self._pcm[: len(self._pcm) // 2 * 2], "<i2")
        first_label, first_row = self._labels, self._rows
        self._labels = max(first_label, 100 * samples // (3 * rate_hz))
        labels = bytes(int(levels[3 * rate_hz * frame // 100] != 0) for frame in range(first_label, self._labels))
        if self.plan.features is None:
            return labels, np.empty((0, 0), np.float32)
        self._rows = max(first_row, (1000 * samples - 25 * rate_hz) // (10 * rate_hz) + 1)
        rows = [[levels[-(-rate_hz * row // 100)] / LEVEL, row] for row in range(first_row, self._rows)]
        return labels, np.array(rows, np.float32).reshape(-1, 2)


class LateFront(ToyFront):
    lag_ms = 5  # as late as a resampler may be


ANYTHING = Gate(voice=0.0, level_dbfs=-200.0, snr_db=-10.0, clipped=1.0)
CARD = Card("toy", "1", "speaker", 8000, 2, "00" * 32, "none", 0.5, "none", "nothing")


def voice(angle: float) -> Vector:
    return np.array([cos(angle), sin(angle)], np.float32)


def template(angle: float) -> Template:
    return Template("toy", CARD.hash, voice(angle), 5.0)


@dataclass
class ToyModel:
    """Remembers what it was asked."""

    card: Card = CARD
    rate_hz: int = 8000
    features: FeatureOptions = field(default_factory=lambda: FeatureOptions(rate_hz=8000, ceps=2))
    heavy: bool = False
    embedded_rows: list[tuple[int, int, int]] = field(default_factory=list)  # first row, rows, speech rows
    net_speech_s: list[float] = field(default_factory=list)

    def embed(self, features: NDArray[np.float32], speech: NDArray[np.bool_]) -> Vector:
        self.embedded_rows.append((int(features[0, 1]), len(features), int(speech.sum())))
        assert np.array_equal(np.diff(features[:, 1]), np.ones(len(features) - 1))
        return voice(float(features[speech, 0].mean()))

    def score(self, one: Vector, other: Vector) -> float:
        return cos(atan2(one[1], one[0]) - atan2(other[1], other[0]))

    def probability(self, score: float, net_speech_s: float) -> float:
        self.net_speech_s.append(round(net_speech_s, 6))
        return (score + 1) / 2


class ToyLiving:
    """Its probability is the loudest level."""

    card = CARD
    rate_hz = 8000
    heavy = True

    def score(self, samples: np.ndarray) -> float:
        return float(samples.max())

    def probability(self, score: float) -> float:
        return score


class SampleFront(ToyFront):
    """Gives the samples themselves where a model wants those."""

    def feed(self, data: bytes) -> tuple[bytes, np.ndarray]:
        return self._with_samples(super().feed(data), data)

    def flush(self) -> tuple[bytes, np.ndarray]:
        return self._with_samples(super().flush(), b"")

    def _with_samples(self, heard: tuple[bytes, np.ndarray], data: bytes) -> tuple[bytes, np.ndarray]:
        features = self.plan.features
        if features is None or not features.samples:
            return heard
        level = np.frombuffer(data, "<i2")[:1].astype(np.float32) / 10_000
        return heard[0], np.full((len(heard[1]), features.width), level[0] if len(level) else 0.0, np.float32)


def hear(session: Session, *payloads: bytes) -> list[Result]:
    """The result of each message; Jobs are run."""
    results = []
    for payload in payloads:
        outcome = session.feed(Audio(payload))
        results.append(outcome.run() if isinstance(outcome, Job) else outcome)
    return results


def cut(pcm: bytes, *sizes: int) -> list[bytes]:
    """`pcm` in pieces of these sizes, again and again."""
    pieces, start, turn = [], 0, 0
    while start < len(pcm):
        size = sizes[turn % len(sizes)]
        pieces.append(pcm[start : start + size])
        start, turn = start + size, turn + 1
    return pieces
