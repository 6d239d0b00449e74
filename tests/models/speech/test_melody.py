"""How far pitch and loudness move, on sounds that move by a known amount."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models.speech.toy_speech import run, speech
from voicestream.models.speech.melody import melody

RATE_HZ = 16000


def voice(hz: NDArray[np.float64], loudness: NDArray[np.float64] | float = 0.1) -> NDArray[np.float32]:
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    return (loudness * sum(np.cos(n * phase) / n for n in range(1, 6))).astype(np.float32)


def held(values: list[float], seconds: float = 0.3) -> NDArray[np.float64]:
    return np.repeat(values, int(seconds * RATE_HZ))


WORDS = run([0.0, 0.3, 0.6, 0.9])


def test_a_monotone_does_not_move() -> None:
    found = melody(speech(WORDS, samples=voice(held([150.0] * 4))))
    assert found.pitch_variation == pytest.approx(0.0, abs=0.05)
    assert found.energy_variation == pytest.approx(0.0, abs=0.6)


def test_variation_is_in_semitones_whatever_the_voice() -> None:
    low, high = (melody(speech(WORDS, samples=voice(held([hz, 1.5 * hz, hz, 1.5 * hz])))) for hz in (100.0, 200.0))
    assert low.pitch_variation == pytest.approx(3.51, abs=0.2)
    assert high.pitch_variation == pytest.approx(low.pitch_variation, abs=0.2)


def test_loudness_moves_in_decibels() -> None:
    found = melody(speech(WORDS, samples=voice(held([150.0] * 4), held([0.1, 0.01, 0.1, 0.01]))))
    assert found.energy_variation == pytest.approx(10.0, abs=1.0)


def test_what_is_outside_the_words_does_not_count() -> None:
    found = melody(speech(WORDS[:2], samples=voice(held([150.0, 150.0, 300.0, 300.0]))))
    assert found.pitch_variation == pytest.approx(0.0, abs=0.05)


def test_silence_has_no_melody() -> None:
    found = melody(speech(WORDS))
    assert found.pitch_variation is None
    assert found.energy_variation is None


def test_no_words_have_no_melody() -> None:
    found = melody(speech([], samples=voice(held([150.0]))))
    assert (found.pitch_variation, found.energy_variation) == (None, None)
