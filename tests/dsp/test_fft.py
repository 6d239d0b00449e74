"""The power spectrum against numpy's FFT."""

import numpy as np

from voicestream.dsp.fft import SIZE, power_spectrum


def test_equals_numpy_on_noise_and_on_unit_impulses() -> None:
    noise = np.random.default_rng(2).standard_normal((4, SIZE)).astype(np.float32)
    for frame in (*noise, *np.eye(SIZE, dtype=np.float32)[::7], np.ones(SIZE, np.float32)):
        expected = np.abs(np.fft.rfft(frame.astype(np.float64))) ** 2
        np.testing.assert_allclose(power_spectrum(frame), expected, rtol=1e-4, atol=1e-5 * max(1.0, expected.max()))


def test_every_tone_falls_into_its_own_bin() -> None:
    for frequency in range(SIZE // 2 + 1):
        tone = np.cos(2 * np.pi * frequency * np.arange(SIZE) / SIZE + 0.3).astype(np.float32)
        assert int(np.argmax(power_spectrum(tone))) == frequency
