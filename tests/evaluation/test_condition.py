import numpy as np
import pytest

from voicestream.evaluation.condition import telephone


def tone(frequency_hz: float, rate_hz: int = 16_000) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(rate_hz) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_speech_comes_out_at_the_level_and_rate_of_a_telephone(rate_hz: int) -> None:
    found = telephone(tone(1000, rate_hz), rate_hz)
    assert len(found) == 8000
    assert 20 * np.log10(np.sqrt(np.mean(found.astype(float) ** 2))) == pytest.approx(-23, abs=0.2)


def test_what_a_telephone_does_not_carry_is_gone() -> None:
    mixed = telephone(tone(100) + tone(1000) + tone(3800), 16_000)[400:-400]
    power = np.abs(np.fft.rfft(mixed * np.hanning(len(mixed)), 8000)) ** 2
    for outside in (100, 3800):
        assert 10 * np.log10(power[1000] / power[outside]) > 35


@pytest.mark.parametrize("samples", [np.empty(0, np.float32), np.zeros(1000, np.float32)])
def test_nothing_and_silence_stay_so(samples: np.ndarray) -> None:
    assert not telephone(samples, 16_000).any()
