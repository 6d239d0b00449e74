import json
import math
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from voicestream.errors import MisuseError, PeerError
from voicestream.models.authenticity.cnn import CnnAuthenticity, _convolved_1d, _convolved_2d
from voicestream.models.authenticity.view import WINDOW, views
from voicestream.models.registry import authenticity_model

MODEL = authenticity_model()
WEIGHTS = files("voicestream.models.authenticity").joinpath("cnn.safetensors").read_bytes()
GOLDEN = json.loads((Path(__file__).parent / "authenticity_golden.json").read_text())
SECOND = 8000


def buzz(seconds: float, pitch_hz: float = 120.0, seed: int = 1) -> np.ndarray:
    """Something like a voice: harmonics under wandering formants, and breath."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(SECOND * seconds)) / SECOND
    formants = np.interp(time, np.arange(0, seconds + 1, 0.2), 500 + 1500 * rng.random(len(np.arange(0, seconds + 1, 0.2))))
    tone = sum(np.cos(2 * np.pi * k * pitch_hz * time) / (1 + ((k * pitch_hz - formants) / 300) ** 2) for k in range(1, 25))
    return (0.05 * tone + 0.002 * rng.normal(size=len(time))).astype(np.float32)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['seconds']} s")
def test_scores_are_those_of_torch(case: dict[str, float]) -> None:
    # Written by scripts/train_authenticity.py from the network it exported, in torch.
    clip = buzz(case["seconds"], case["pitch_hz"], int(case["seed"]))
    assert MODEL.score(clip) == pytest.approx(case["score"], abs=1e-4)


def test_convolutions_do_what_their_loops_say() -> None:
    rng = np.random.default_rng(3)
    x, weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((2, 6, 7), (3, 2, 3, 3), (3,)))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    slow = [[[(weight[o] * padded[:, i : i + 3, j : j + 3]).sum() + bias[o] for j in range(7)] for i in range(0, 6, 2)] for o in range(3)]
    assert np.allclose(_convolved_2d(x, weight, bias, (2, 1)), np.maximum(slow, 0), atol=1e-5)
    x, weight = rng.normal(size=(2, 40)).astype(np.float32), rng.normal(size=(3, 2, 5)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (1, 1)))  # five taps at a stride of four: one zero on each side, as in training
    slow = [[(weight[o] * padded[:, i : i + 5]).sum() + bias[o] for i in range(0, 38, 4)] for o in range(3)]
    assert np.allclose(_convolved_1d(x, weight, bias, 4), np.maximum(slow, 0), atol=1e-5)


def test_loudness_and_the_colour_of_the_recording_do_not_show_in_the_spectrogram() -> None:
    clip = buzz(3.0)
    assert np.allclose(views(clip)[0], views(np.float32(0.1) * clip)[0], atol=1e-3)
    rows = views(clip)[0]
    assert np.abs(rows.mean(axis=1)).max() < 1e-4


def test_the_flattened_waveform_has_an_even_spectrum() -> None:
    raw = buzz(3.0)
    flat = views(raw)[2]

    def unevenness_db(wave: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(wave.reshape(-1, WINDOW), axis=1)) ** 2
        bands = power.mean(axis=0)[1:].reshape(16, -1).mean(axis=1)
        return float(np.ptp(10 * np.log10(bands)))

    cut = len(flat) // WINDOW * WINDOW
    assert unevenness_db(flat[:cut]) < unevenness_db(raw[:cut]) - 10


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.1, 0.99])
def test_too_little_is_no_yes(seconds: float) -> None:
    score = MODEL.score(buzz(seconds))
    assert score < MODEL.card.threshold
    assert 0.49 < MODEL.probability(score) < 0.5


def test_silence_is_no_yes() -> None:
    assert MODEL.score(np.zeros(3 * SECOND, np.float32)) < MODEL.card.threshold


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])
def test_numbers_that_are_none_give_a_finite_score(value: float) -> None:
    clip = buzz(2.0)
    clip[100:400] = value
    assert math.isfinite(MODEL.score(clip))
    assert math.isfinite(MODEL.score(np.full(2 * SECOND, value, np.float32)))


def test_a_tone_noise_and_clipping_give_finite_scores_and_probabilities() -> None:
    time = np.arange(3 * SECOND) / SECOND
    rng = np.random.default_rng(1)
    for clip in (0.5 * np.sin(2 * np.pi * 440 * time), np.sign(np.sin(2 * np.pi * 100 * time)), rng.normal(size=len(time))):
        score = MODEL.score(clip.astype(np.float32))
        assert math.isfinite(score)
        assert 0 <= MODEL.probability(score) <= 1


def test_the_input_stays_as_it_was() -> None:
    clip = buzz(2.0)
    clip.setflags(write=False)
    before = clip.copy()
    MODEL.score(clip)
    assert np.array_equal(clip, before)


def test_a_long_clip_is_the_mean_of_its_windows() -> None:
    clip = buzz(8.0)
    assert MODEL.score(clip) == pytest.approx((MODEL.score(clip[: 4 * SECOND]) + MODEL.score(clip[4 * SECOND :])) / 2, abs=1e-5)


def test_probability_grows_with_the_score_and_is_even_at_the_threshold() -> None:
    found = [MODEL.probability(score) for score in np.linspace(-8, 8, 33)]
    assert all(one < other for one, other in pairwise(found))
    assert 0 <= MODEL.probability(-1e6) < MODEL.probability(1e6) <= 1
    assert MODEL.probability(MODEL.card.threshold) == pytest.approx(0.5, abs=0.01)


def test_weights_that_are_not_the_cards_are_refused() -> None:
    changed = bytearray(WEIGHTS)
    changed[-1] ^= 1
    with pytest.raises(MisuseError):
        CnnAuthenticity(bytes(changed), MODEL.card)
    with pytest.raises(MisuseError):
        CnnAuthenticity(WEIGHTS, replace(MODEL.card, sha256="00" * 32))


def test_the_card_says_how_often_it_errs_and_where() -> None:
    rows = MODEL.card.measured
    assert {row.metric for row in rows} >= {"EER %", "APCER %", "BPCER %"}
    assert all(0 <= row.value <= 100 for row in rows)
    assert any("left out of training" in row.trials for row in rows)


def test_an_unknown_name_is_the_peers_mistake() -> None:
    with pytest.raises(PeerError):
        authenticity_model("nobody")
