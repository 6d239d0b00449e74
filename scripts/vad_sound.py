"""What synthesised sounds are made of: noise of a colour, bands, curves that wander, things that begin at times."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter as butterworth
from scipy.signal import oaconvolve, sosfilt

Samples: TypeAlias = NDArray[np.float64]
Generator: TypeAlias = np.random.Generator

RATE_HZ = 8000


def band(x: Samples, low_hz: float, high_hz: float) -> Samples:
    sos = butterworth(2, [max(low_hz, 20.0), min(high_hz, 3950.0)], "bandpass", fs=RATE_HZ, output="sos")
    filtered: Samples = sosfilt(sos, x)
    return filtered


def coloured(rng: Generator, n: int, slope: float) -> Samples:
    """Noise whose power falls as frequency to the power `slope` (0 white, 1 pink, 2 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    return np.asarray(np.fft.irfft(spectrum * np.maximum(hz, 20.0) ** (-slope / 2), n))


def wander(rng: Generator, n: int, period_s: float) -> Samples:
    """A smooth random curve of mean 0 and deviation 1 that turns about every `period_s`."""
    points = int(n / RATE_HZ / period_s) + 3
    y = rng.standard_normal(points)
    at = np.linspace(0.0, points - 1.001, n)
    left = at.astype(int)
    share = (1 - np.cos(np.pi * (at - left))) / 2
    return np.asarray(y[left] * (1 - share) + y[left + 1] * share)


def phase(hz: Samples | float, n: int) -> Samples:
    return 2 * np.pi * np.cumsum(np.broadcast_to(hz, n)) / RATE_HZ


def placed(n: int, starts: NDArray[np.int64], sounds: list[Samples]) -> Samples:
    """Each sound from its start on, overlapping where they do."""
    out = np.zeros(n)
    for start, sound in zip(starts, sounds, strict=True):
        piece = sound[: n - start]
        out[start : start + len(piece)] += piece
    return out


def times(rng: Generator, n: int, per_s: float) -> NDArray[np.int64]:
    return np.sort(rng.integers(0, n, max(1, rng.poisson(per_s * n / RATE_HZ))))


def beats(rng: Generator, n: int, period_s: float, jitter: float = 0.02) -> NDArray[np.int64]:
    at = np.arange(rng.uniform(0, period_s), n / RATE_HZ, period_s)
    at = at + rng.normal(0, jitter * period_s, len(at))
    return np.clip(at * RATE_HZ, 0, n - 1).astype(np.int64)


def gated(rng: Generator, n: int, x: Samples, on_s: tuple[float, float], off_s: tuple[float, float]) -> Samples:
    """On and off in turns of random length, edges of 3 ms."""
    gate = np.zeros(n)
    at = -int(rng.uniform(0, off_s[1]) * RATE_HZ)
    while at < n:
        on = int(rng.uniform(*on_s) * RATE_HZ)
        gate[max(at, 0) : max(at + on, 0)] = 1.0
        at += on + int(rng.uniform(*off_s) * RATE_HZ)
    return x * oaconvolve(gate, np.ones(24) / 24, mode="same")
