"""The power spectrum against numpy's FFT."""

import numpy as np
import pytest

from voicestream.dsp.fft import SIZES, power_spectrum


@pytest.mark.parametrize("size", SIZES)
def test_equals_numpy_on_noise_and_on_every_unit_impulse(size: int) -> None:
    noise = np.random.default_rng(2).standard_normal((4, size)).astype(np.float32)
    for frame in (*noise, *np.eye(size, dtype=np.float32)[::7], np.ones(size, np.float32)):
        expected = np.abs(np.fft.rfft(frame.astype(np.float64))) ** 2
        np.testing.assert_allclose(power_spectrum(frame), expected, rtol=1e-4, atol=1e-5 * max(1.0, expected.max()))


@pytest.mark.parametrize("size", SIZES)
def test_every_tone_falls_into_its_own_bin(size: int) -> None:
    for frequency in range(size // 2 + 1):
        tone = np.cos(2 * np.pi * frequency * np.arange(size) / size + 0.3).astype(np.float32)
        assert int(np.argmax(power_spectrum(tone))) == frequency


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="no FFT of 400"):
        power_spectrum(np.zeros(400, np.float32))
