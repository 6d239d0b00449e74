from dataclasses import replace
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest

from voicestream.dsp.mfcc import mfcc
from voicestream.errors import MisuseError
from voicestream.models.registry import default_speaker_model
from voicestream.models.speaker.mfcc import FEATURES, MfccSpeaker

MODEL = default_speaker_model()
WEIGHTS = files("voicestream.models.speaker").joinpath("mfcc.safetensors").read_bytes()


def voice(pitch_hz: float, tilt: float, seed: int = 1, seconds: float = 4.0) -> np.ndarray:
    """Features of something that buzzes and changes like a voice; `tilt` is its throat."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(8000 * seconds)) / 8000
    formants = 500 + 1500 * np.repeat(rng.random(int(10 * seconds) + 1), 800)[: len(time)]
    buzz = sum(np.cos(2 * np.pi * k * pitch_hz * time) * k**-tilt / (1 + ((k * pitch_hz - formants) / 300) ** 2) for k in range(1, 16))
    return mfcc((0.05 * buzz + 0.0005 * rng.normal(size=len(time))).astype(np.float32), FEATURES)


def everything(features: np.ndarray) -> np.ndarray:
    return np.ones(len(features), np.bool_)


def test_vectors_are_of_unit_length_and_of_the_cards_dimension() -> None:
    features = voice(120, 1.0)
    vector = MODEL.embed(features, everything(features))
    assert vector.shape == (MODEL.card.dimension,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)


def test_loudness_does_not_change_the_voice() -> None:
    features = voice(120, 1.0)
    louder = features.copy()
    louder[:, 0] += np.float32(np.sqrt(FEATURES.mel_bins) * np.log(100.0))  # 20 dB in the first coefficient of the DCT
    speech = everything(features)
    assert MODEL.score(MODEL.embed(features, speech), MODEL.embed(louder, speech)) > 0.999


def test_only_speech_frames_count() -> None:
    features = voice(120, 1.0)
    speech = np.arange(len(features)) % 100 < 60
    noisy = features.copy()
    noisy[~speech] += np.random.default_rng(5).normal(0, 30, noisy[~speech].shape).astype(np.float32)
    inside = speech.copy()
    for shift in (-2, -1, 1, 2):  # slopes reach two frames out
        inside &= np.roll(speech, shift)
    assert MODEL.embed(features, inside).tobytes() == MODEL.embed(noisy, inside).tobytes()
    assert MODEL.embed(features, everything(features)).tobytes() != MODEL.embed(noisy, everything(features)).tobytes()


def test_one_buzz_is_nearer_to_itself_than_to_another() -> None:
    same, again, other = voice(110, 1.0, 1), voice(110, 1.0, 2), voice(230, 0.2, 3)
    vectors = [MODEL.embed(one, everything(one)) for one in (same, again, other)]
    assert MODEL.score(vectors[0], vectors[1]) > MODEL.score(vectors[0], vectors[2]) + 0.2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_speech_or_hardly_any_is_still_a_unit_vector(count: int) -> None:
    features = voice(120, 1.0)[:count]
    for speech in (everything(features), np.zeros(count, np.bool_)):
        assert np.linalg.norm(MODEL.embed(features, speech)) == pytest.approx(1.0, abs=1e-6)


def test_a_voice_scores_one_with_itself_and_lengths_do_not_matter() -> None:
    features = voice(120, 1.0)
    vector = MODEL.embed(features, everything(features))
    assert MODEL.score(vector, vector) == pytest.approx(1.0, abs=1e-6)
    assert MODEL.score(0.3 * vector, vector) == pytest.approx(1.0, abs=1e-6)
    assert MODEL.score(vector, -vector) == pytest.approx(-1.0, abs=1e-6)
    assert MODEL.score(0 * vector, vector) == 0.0
    assert MODEL.probability(1.0, 10.0) > 0.9999


def test_probability_grows_with_the_score_and_stays_within_bounds() -> None:
    for net_speech_s in (0.0, 1.0, 3.0, 10.0, 1e6):
        found = [MODEL.probability(score, net_speech_s) for score in np.linspace(-1, 1, 41)]
        assert all(0.0 <= one <= 1.0 for one in found)
        assert all(one < other for one, other in pairwise(found))


def test_more_speech_makes_a_middling_score_mean_less() -> None:
    # An impostor's ten seconds seldom reach what one second of anybody can: the same score must convince less or more,
    # but never the same.
    assert MODEL.probability(MODEL.card.threshold, 1.0) != pytest.approx(MODEL.probability(MODEL.card.threshold, 10.0), abs=0.02)


def test_the_threshold_is_where_the_odds_are_even() -> None:
    assert MODEL.probability(MODEL.card.threshold, 5.0) == pytest.approx(0.5, abs=0.01)


def test_weights_that_are_not_the_cards_are_refused() -> None:
    changed = bytearray(WEIGHTS)
    changed[-1] ^= 1
    with pytest.raises(MisuseError):
        MfccSpeaker(bytes(changed), MODEL.card)
    with pytest.raises(MisuseError):
        MfccSpeaker(WEIGHTS, replace(MODEL.card, sha256="00" * 32))
