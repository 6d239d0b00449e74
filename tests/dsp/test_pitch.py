"""Pitch of sounds that are made to have it; on real speech it is compared with other trackers by scripts/measure_pitch.py."""

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.dsp.pitch import HOP_S, pitch


def voice(hz: NDArray[np.float64], rate_hz: int, harmonics: int = 12) -> NDArray[np.float32]:
    """A sound of that pitch at every sample, its harmonics falling by 12 dB per octave like a throat's."""
    phase = 2 * np.pi * np.cumsum(hz) / rate_hz
    tones = [np.where(n * hz < rate_hz / 2, np.cos(n * phase) / n**2, 0.0) for n in range(1, harmonics + 1)]
    return (0.2 * np.sum(tones, axis=0)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("hz", [65.0, 110.0, 220.0, 330.0, 520.0])
def test_steady_pitch_is_told_within_a_third_of_a_percent(hz: float, rate_hz: int) -> None:
    found = pitch(voice(np.full(rate_hz // 2, hz), rate_hz), rate_hz).hz[5:-5]
    np.testing.assert_allclose(found, hz, rtol=0.003)


def test_a_glide_over_an_octave_is_followed_without_delay() -> None:
    hz = 120.0 * 2.0 ** np.linspace(0.0, 1.0, 16000)
    found = pitch(voice(hz, 16000), 16000).hz[5:-5]
    middles = (np.arange(5, 95) + 0.5) * HOP_S
    np.testing.assert_allclose(found, 120.0 * 2.0**middles, rtol=0.01)


def test_a_missing_fundamental_is_heard() -> None:
    phase = 2 * np.pi * 150.0 * np.arange(8000) / 16000
    upper = (0.1 * (np.cos(3 * phase) + np.cos(4 * phase) + np.cos(5 * phase))).astype(np.float32)
    np.testing.assert_allclose(pitch(upper, 16000).hz[5:-5], 150.0, rtol=0.003)


@pytest.mark.parametrize("level", [1e-3, 0.1])
def test_noise_has_no_pitch(level: float) -> None:
    noise = (level * np.random.default_rng(3).standard_normal(32000)).astype(np.float32)
    assert np.isfinite(pitch(noise, 16000).hz).mean() < 0.05


def test_hissing_and_rumbling_have_hardly_any() -> None:
    noise = np.random.default_rng(4).standard_normal(32000)
    rumble = (0.1 * np.convolve(noise, np.hanning(24) / 3, "same")).astype(np.float32)  # below 1 kHz
    assert np.isfinite(pitch(rumble, 16000).hz).mean() < 0.2


def test_silence_around_a_voice_is_unvoiced() -> None:
    quiet = np.zeros(8000, np.float32)
    found = pitch(np.concatenate((quiet, voice(np.full(8000, 200.0), 16000), quiet)), 16000).hz
    voiced = np.flatnonzero(np.isfinite(found))
    assert (voiced[0], voiced[-1]) == (pytest.approx(50, abs=2), pytest.approx(99, abs=2))
    assert len(voiced) == voiced[-1] - voiced[0] + 1


def test_loudness_changes_nothing() -> None:
    sound = voice(np.full(8000, 180.0), 16000)
    np.testing.assert_allclose(pitch(np.float32(0.001) * sound, 16000).hz, pitch(sound, 16000).hz, rtol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 159])
def test_less_than_a_frame_is_none(samples: int) -> None:
    assert len(pitch(np.ones(samples, np.float32), 16000).hz) == 0


def test_one_frame_is_one_frame() -> None:
    assert len(pitch(np.ones(160, np.float32), 16000).hz) == 1
