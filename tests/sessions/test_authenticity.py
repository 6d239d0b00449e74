"""Which stretches of a recording are judged, and how they become one verdict."""

import numpy as np
import pytest

from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.models.registry import authenticity_model
from voicestream.sessions.authenticity import CLIP_S, CLIPS, judge


class FakeModel:
    """The score of a clip is its loudest sample."""

    card = authenticity_model().card
    rate_hz = 8000
    heavy = False

    def __init__(self) -> None:
        self.heard_s: list[float] = []

    def score(self, samples: np.ndarray) -> float:
        self.heard_s.append(len(samples) / self.rate_hz)
        return float(samples.max())

    def probability(self, score: float) -> float:
        return score / 2


class AllSpeech:
    """A front end that takes everything but digital silence for speech."""

    def __init__(self, plan: FrontEndPlan) -> None:
        self._front = FrontEnd(plan)

    def feed(self, data: bytes) -> tuple[bytes, np.ndarray]:
        labels, rows = self._front.feed(data)
        return bytes([1]) * len(labels) if any(data) else bytes(len(labels)), rows

    def flush(self) -> tuple[bytes, np.ndarray]:
        return self._front.flush()


def sound(level: float, seconds: float, rate_hz: int = 8000) -> bytes:
    return np.full(round(seconds * rate_hz), level * 32768).astype("<i2").tobytes()


def test_the_verdict_is_the_mean_of_the_clips_with_speech() -> None:
    model = FakeModel()
    found = judge((8000, [sound(0.5, CLIP_S), sound(0.0, CLIP_S), sound(0.25, CLIP_S)]), model, AllSpeech)
    assert found is not None
    assert (found.score, found.probability, found.clips) == pytest.approx((0.375, 0.1875, 2), abs=1e-3)


def test_a_long_recording_is_judged_by_its_first_clips() -> None:
    model = FakeModel()
    found = judge((16000, (sound(0.5, 1.0, 16000) for _ in range(100 * CLIP_S))), model, AllSpeech)
    assert found is not None
    assert (found.clips, len(model.heard_s)) == (CLIPS, CLIPS)
    assert model.heard_s == pytest.approx([CLIP_S] * CLIPS, abs=0.05)


def test_the_rest_of_a_recording_is_a_clip_when_it_holds_enough() -> None:
    model = FakeModel()
    judge((8000, [sound(0.5, CLIP_S + 1.5)]), model, AllSpeech)
    judge((8000, [sound(0.5, CLIP_S + 0.5)]), model, AllSpeech)
    assert model.heard_s == pytest.approx([CLIP_S, 1.5, CLIP_S], abs=0.05)


@pytest.mark.parametrize("blocks", [[], [b""], [sound(0.0, 9.0)], [sound(0.5, 0.5)]])
def test_without_speech_there_is_no_verdict(blocks: list[bytes]) -> None:
    assert judge((8000, blocks), FakeModel(), AllSpeech) is None
