"""Streaming resampling: right values, right spectrum, no lateness, and pieces equal the whole."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests import naive
from voicestream.dsp.resample import RATES_HZ, Resampler, resample, resample_plan

COMPILED = not numba.config.DISABLE_JIT  # where kernels run as Python, fewer examples
PAIRS = [(source, target) for source in RATES_HZ for target in (8000, 16000)]
RNG = np.random.default_rng(1)


def noise(samples: int) -> NDArray[np.float32]:
    return RNG.standard_normal(samples).astype(np.float32)


def response_db(source_hz: int, target_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies and gain of the coefficients as the kernel has them, float32 and per phase."""
    plan = resample_plan(source_hz, target_hz)
    up, taps = int(plan.numbers[0]), plan.taps
    fast = np.zeros(up * taps)
    fast.reshape(taps, up)[:] = plan.table.reshape(up, taps)[:, ::-1].T / up
    points = 1 << (len(fast) * 16).bit_length()
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(fast, points)) + 1e-12)
    return np.fft.rfftfreq(points, 1 / (source_hz * up)), gain_db


@pytest.mark.parametrize("source_hz, target_hz", PAIRS)
def test_equals_the_weighed_sum_of_all_samples(source_hz: int, target_hz: int) -> None:
    samples = noise(1500)
    stream = Resampler(source_hz, target_hz)
    expected = naive.resample(samples, source_hz, target_hz)
    np.testing.assert_allclose(stream.feed(samples), expected, atol=2e-5)


@pytest.mark.parametrize("source_hz, target_hz", [pair for pair in PAIRS if pair[0] != pair[1]])
def test_flat_to_the_pass_edge_and_75_db_down_from_the_stop_edge(source_hz: int, target_hz: int) -> None:
    frequency_hz, gain_db = response_db(source_hz, target_hz)
    nyquist_hz = min(source_hz, target_hz) / 2
    assert np.abs(gain_db[frequency_hz <= 0.9 * nyquist_hz]).max() < 0.05
    assert gain_db[frequency_hz >= 1.1 * nyquist_hz].max() <= -75


@pytest.mark.parametrize("source_hz, target_hz", PAIRS)
def test_20_ms_in_gives_20_ms_out_at_most_3_ms_late(source_hz: int, target_hz: int) -> None:
    stream = Resampler(source_hz, target_hz)
    assert stream.delay_samples / target_hz <= 0.003
    cuts = np.arange(1, 60) * source_hz // 50
    for before, after in pairwise(cuts.tolist()):
        assert abs(len(stream.feed(noise(after - before))) - target_hz // 50) <= 1


@pytest.mark.parametrize("source_hz, target_hz", PAIRS)
def test_a_recording_keeps_its_place_in_time(source_hz: int, target_hz: int) -> None:
    def tone(rate_hz: int) -> NDArray[np.float32]:
        return np.sin(2 * np.pi * 440 * np.arange(rate_hz // 5) / rate_hz).astype(np.float32)

    made = resample(tone(source_hz), source_hz, target_hz)
    assert len(made) == target_hz // 5
    inner = slice(target_hz // 50, -target_hz // 50)  # away from the edges, where silence begins
    np.testing.assert_allclose(made[inner], tone(target_hz)[inner], atol=5e-4)


@settings(max_examples=60 if COMPILED else 5, deadline=None)
@given(st.sampled_from(PAIRS), st.lists(st.integers(0, 400), max_size=12))
def test_pieces_equal_the_whole(pair: tuple[int, int], pieces: list[int]) -> None:
    samples = noise(sum(pieces))
    whole = Resampler(*pair)
    stream = Resampler(*pair)
    parts = [stream.feed(part) for part in np.split(samples, np.cumsum(pieces[:-1]))] if pieces else []
    made = np.concatenate([*parts, stream.flush()])
    assert np.array_equal(made, np.concatenate((whole.feed(samples), whole.flush())))


@pytest.mark.parametrize("source_hz", [8000, 44100, 48000])
def test_one_sample_at_a_time_equals_the_whole(source_hz: int) -> None:
    samples = noise(700)
    stream = Resampler(source_hz, 16000)
    made = np.concatenate([stream.feed(samples[i : i + 1]) for i in range(len(samples))])
    assert np.array_equal(made, Resampler(source_hz, 16000).feed(samples))


@pytest.mark.parametrize("source_hz, target_hz", PAIRS)
def test_dc_stays_dc(source_hz: int, target_hz: int) -> None:
    stream = Resampler(source_hz, target_hz)
    stream.feed(np.ones(2000, np.float32))
    np.testing.assert_allclose(stream.feed(np.ones(500, np.float32)), 1.0, atol=5e-6)


def test_rates_that_make_no_sense_are_refused() -> None:
    for source_hz, target_hz in ((0, 8000), (-8000, 16000), (10**9, 16000), (44101, 16000)):
        with pytest.raises(ValueError, match="no resampling"):
            Resampler(source_hz, target_hz)
