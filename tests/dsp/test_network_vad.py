"""The network's way from samples to labels, with weights drawn at random: its own business is elsewhere."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests import naive
from tests.dsp.toy_network import H, network
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.dsp.network_vad import BANDS, NetworkVad, VadNetwork, network_inputs
from voicestream.dsp.resample import resample

RATES_HZ = (8000, 16000)


def sound(rate_hz: int, seconds: float) -> NDArray[np.float32]:
    """Noise below 3 kHz that comes and goes, over a little that stays."""
    n = int(8000 * seconds)
    rng = np.random.default_rng(6)
    slow = np.abs(np.sin(2 * np.pi * 1.3 * np.arange(n) / 8000)) ** 3
    low = np.convolve(rng.standard_normal(n), np.hanning(7) / 3, "same") * slow + 0.01 * rng.standard_normal(n)
    return resample((0.1 * low).astype(np.float32), 8000, rate_hz)


def inputs_written_out(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The inputs at 8 kHz as the module's docstring tells them."""
    options = FeatureOptions(8000, 20.0, window="hann", pre_emphasis=0.0, mel_bins=BANDS, low_hz=100.0, high_hz=3800.0, ceps=0)
    bands = np.clip(naive.features(samples, options), 4.0, 40.0)
    frames = np.concatenate((bands[:1], bands))  # the first hop has no frame of its own
    told, loudness, floor = [], 0.0, np.zeros(BANDS)
    for label in range(len(frames) // 3):
        three = frames[3 * label : 3 * label + 3]
        level, mean = three.max(axis=1).mean(), three.mean(axis=0)
        if label == 0:
            loudness, floor = max(level, 12.0), mean
        loudness += (0.2 if level > loudness else 0.004) * (level - loudness)
        floor = floor + np.where(mean < floor, 0.25, 0.01) * (mean - floor)
        told.append([*((three - floor) / 3.0).reshape(-1), (loudness - 16.0) / 5.0, *((floor - loudness + 3.0) / 3.0)])
    return np.array(told)


def test_inputs_are_as_written_out() -> None:
    samples = sound(8000, 1.5)
    np.testing.assert_allclose(network_inputs(samples, 8000), inputs_written_out(samples), atol=2e-3)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # cannot overflow


@pytest.mark.parametrize("size", [0.1, 1.0, 20.0])  # where tanh is a line, where it bends, where float32 has reached 1
def test_scores_are_those_of_the_formula(size: float) -> None:
    samples = sound(8000, 3.0)
    one = network()
    of = {name: array * np.float32(size) for name, array in one.arrays.items()}
    _, scores = NetworkVad(8000, VadNetwork(of)).feed(samples)
    hidden = np.zeros(H)
    for inputs, score in zip(network_inputs(samples, 8000).astype(float), scores, strict=True):
        x = np.maximum(inputs @ of["dense"] + of["dense_bias"], 0)
        to, turn = x @ of["inward"] + of["gate_bias"][: 3 * H], hidden @ of["around"] + of["gate_bias"][3 * H :]
        r, z = sigmoid(to[:H] + turn[:H]), sigmoid(to[H : 2 * H] + turn[H : 2 * H])
        hidden = (1 - z) * np.tanh(to[2 * H :] + r * turn[2 * H :]) + z * hidden
        assert score == pytest.approx(sigmoid(np.clip(hidden @ of["out"] + of["out_bias"], -30, 30))[0], abs=1e-3)


def test_the_network_sees_the_same_at_both_rates() -> None:
    narrow, wide = (network_inputs(sound(rate_hz, 3.0), rate_hz) for rate_hz in RATES_HZ)
    assert np.abs(narrow - wide).mean() < 0.02


def test_gain_changes_little_but_the_loudness() -> None:
    quiet, loud = (network_inputs(gain * sound(8000, 2.0), 8000) for gain in (0.1, 1.0))
    difference = np.abs(quiet - loud).mean(axis=0)
    assert difference[: 3 * BANDS].max() < 1e-3
    assert difference[3 * BANDS] == pytest.approx(2 * np.log(10) / 5, abs=0.1)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, 12000), max_size=6))
def test_pieces_give_the_same_as_the_whole(rate_hz: int, cuts: list[int]) -> None:
    samples = sound(rate_hz, 0.75)
    whole_labels, whole_scores = NetworkVad(rate_hz, network()).feed(samples)
    stream = NetworkVad(rate_hz, network())
    edges = [0, *sorted(min(cut, len(samples)) for cut in cuts), len(samples)]
    pieces = [stream.feed(samples[start:end]) for start, end in pairwise(edges)]
    assert np.concatenate([labels for labels, _ in pieces]).tobytes() == whole_labels.tobytes()
    assert np.concatenate([scores for _, scores in pieces]).tobytes() == whole_scores.tobytes()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_label_comes_with_the_last_sample_of_its_time(rate_hz: int) -> None:
    stream, frame = NetworkVad(rate_hz, network()), 3 * rate_hz // 100
    for _ in range(4):
        assert len(stream.feed(np.zeros(frame - 1, np.float32))[0]) == 0
        assert len(stream.feed(np.zeros(1, np.float32))[0]) == 1


def test_threshold_and_hangover_make_labels_of_scores() -> None:
    samples = sound(8000, 6.0)
    _, scores = NetworkVad(8000, network()).feed(samples)
    threshold = float(np.median(scores))
    labels, _ = NetworkVad(8000, network(threshold, hangover_frames=2)).feed(samples)
    above = scores > threshold
    late = [np.concatenate((np.zeros(by, bool), above[: len(above) - by])) for by in range(3)]
    assert 0 < above.mean() < 1
    assert labels.tolist() == np.any(late, axis=0).astype(int).tolist()


def test_nan_and_infinity_poison_nothing() -> None:
    stream = NetworkVad(8000, network())
    for poison in (np.nan, np.inf, -np.inf, 3e38):
        assert np.isfinite(stream.feed(np.full(4800, poison, np.float32))[1]).all()
    assert np.isfinite(stream.feed(sound(8000, 1.0))[1]).all()


def test_weights_that_do_not_fit_are_refused() -> None:
    arrays = network().arrays | {"out": np.zeros(H + 1, np.float32)}
    with pytest.raises(ValueError, match="no network of shapes"):
        VadNetwork(arrays)
    with pytest.raises(ValueError, match="not 44100"):
        network().plan(44100)
