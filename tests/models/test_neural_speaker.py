"""Models that hear the audio itself: the rows they get, their projection, and several of them as one."""

import numpy as np
import pytest

from voicestream.dsp.cosine import unit
from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.dsp.mfcc import FeatureOptions, mfcc
from voicestream.dsp.resample import resample
from voicestream.errors import MisuseError
from voicestream.models.card import Card, joint_sha256
from voicestream.models.registry import default_speaker_model
from voicestream.models.speaker.fusion import FusedSpeaker, heard_by
from voicestream.models.speaker.neural import FEATURES, NeuralSpeaker, joined
from voicestream.models.weights import sha256_of, write_weights

NETWORK_SHA256 = "11" * 32
CALIBRATION = np.array([-3, 10, 0.5, 1], np.float32)


def card(*sha256: str) -> Card:
    return Card("toy", "1", "speaker", 16000, 2, joint_sha256(*sha256), "none", 0.3, "none", "nothing")


def speaker(turn: float) -> NeuralSpeaker:
    """A model whose voice is the angle of mean and deviation of what it hears, turned."""
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], np.float32)
    backend = write_weights({"centre": np.full(2, 0.1, np.float32), "projection": turned, "calibration": CALIBRATION})
    network = lambda samples: np.array([samples.mean(), samples.std()], np.float32)  # noqa: E731
    return NeuralSpeaker(network, NETWORK_SHA256, backend, card(NETWORK_SHA256, sha256_of(backend)))


def noise(seconds: float, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.01, 0.05, int(16000 * seconds)), -0.9, 0.9).astype(np.float32)


def rows_of(samples: np.ndarray) -> np.ndarray:
    pcm = np.round(samples * 32768).astype("<i2").tobytes()
    return FrontEnd(FrontEndPlan("pcm16", 16000, 16000, FEATURES)).feed(pcm)[1]


def test_rows_of_samples_end_to_end_are_the_audio() -> None:
    samples = (np.round(noise(1.0) * 32768) / 32768).astype(np.float32)
    heard = rows_of(samples).reshape(-1)
    middle = (400 - 160) // 2  # of the first frame
    assert heard.tolist() == samples[middle : middle + len(heard)].tolist()


def test_only_speech_is_heard() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert joined(rows, np.array([True, False, False, True])).tolist() == [0, 1, 2, 9, 10, 11]


def test_a_frame_shorter_than_its_shift_has_no_rows_of_samples() -> None:
    with pytest.raises(ValueError, match="leave none out"):
        FeatureOptions(frame_length_ms=10, frame_shift_ms=20, samples=True)


def test_voices_are_centred_turned_and_of_unit_length() -> None:
    rows = rows_of(noise(0.5))
    speech = np.arange(len(rows)) % 3 > 0
    heard = joined(rows, speech)
    expected = unit(np.array([heard.mean(), heard.std()], np.float32)) - np.float32(0.1)
    turned = expected @ np.array([[0, 1], [-1, 0]], np.float32)
    np.testing.assert_allclose(speaker(np.pi / 2).embed(rows, speech), unit(turned), atol=1e-6)


def test_weights_that_are_not_the_cards_are_refused() -> None:
    backend = write_weights({"centre": np.zeros(2, np.float32)})
    with pytest.raises(MisuseError):
        NeuralSpeaker(lambda samples: samples, "22" * 32, backend, card(NETWORK_SHA256, sha256_of(backend)))


def fused(weight: tuple[float, ...]) -> tuple[list[NeuralSpeaker], FusedSpeaker]:
    parts = [speaker(0.4), speaker(-1.0)]
    weights = write_weights({"weight": np.array(weight, np.float32), "calibration": CALIBRATION})
    return parts, FusedSpeaker(parts, weights, card(*(part.card.sha256 for part in parts), sha256_of(weights)))


def test_the_cosine_of_a_fusion_is_the_weighted_sum() -> None:
    parts, whole = fused((0.25, 0.75))
    one, other = (rows_of(sound) for sound in (noise(0.5), np.cumsum(noise(0.5, 5) - 0.01, dtype=np.float32)))
    speech = np.ones(len(one), np.bool_)
    expected = sum(
        share * part.score(part.embed(one, speech), part.embed(other, speech)) for share, part in zip((0.25, 0.75), parts, strict=True)
    )
    first, second = whole.embed(one, speech), whole.embed(other, speech)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert whole.score(first, second) == pytest.approx(expected, abs=1e-6)


def test_a_fusion_of_other_parts_is_refused() -> None:
    parts, whole = fused((0.5, 0.5))
    weights = write_weights({"weight": np.array((0.5, 0.5), np.float32), "calibration": CALIBRATION})
    with pytest.raises(MisuseError):
        FusedSpeaker(parts[::-1], weights, whole.card)


def test_the_embedded_model_hears_the_same_through_rows_of_samples() -> None:
    part = default_speaker_model()
    samples = np.convolve(noise(1.0), np.hanning(9) / 4, "same").astype(np.float32)
    rows = rows_of(samples)
    marks = np.arange(len(rows)) % 40 < 25
    heard, speech = heard_by(part, rows, marks)
    middle = 120  # rows begin there
    expected = mfcc(resample(samples[middle : middle + rows.size], 16000, 8000), part.features)
    np.testing.assert_allclose(heard, expected, atol=0.02)  # 16-bit samples
    assert len(speech) == len(heard)
    row_ms, heard_ms = 12.5 + 10 * np.flatnonzero(marks), 7.5 + 12.5 + 10 * np.flatnonzero(speech)  # middles of what is speech
    assert all(np.abs(row_ms - at_ms).min() <= 5 for at_ms in heard_ms)


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_hardly_any_rows_are_heard_as_none(rows: int) -> None:
    heard, speech = heard_by(default_speaker_model(), np.zeros((rows, FEATURES.width), np.float32), np.ones(rows, np.bool_))
    assert len(heard) == len(speech)
