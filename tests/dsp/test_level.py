"""Loudness over time against itself written out."""

import numpy as np
import pytest

from voicestream.dsp.level import SILENCE_DB, level_db


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_levels_are_mean_squares_around_the_middles(rate_hz: int) -> None:
    samples = np.random.default_rng(2).normal(0.0, 0.1, rate_hz // 3).astype(np.float32)
    hop, half = rate_hz // 100, round(0.016 * rate_hz)
    written_out = [
        10 * np.log10(np.mean(samples[max(middle - half, 0) : middle + half].astype(np.float64) ** 2))
        for middle in range(hop // 2, len(samples) // hop * hop, hop)
    ]
    np.testing.assert_allclose(level_db(samples, rate_hz), written_out, atol=1e-4)


def test_full_scale_is_0_db() -> None:
    np.testing.assert_allclose(level_db(np.ones(1600, np.float32), 16000), 0.0, atol=1e-5)


def test_silence_has_a_floor() -> None:
    assert level_db(np.zeros(1600, np.float32), 16000).tolist() == [SILENCE_DB] * 10


def test_nothing_is_nothing() -> None:
    assert len(level_db(np.zeros(0, np.float32), 16000)) == 0
