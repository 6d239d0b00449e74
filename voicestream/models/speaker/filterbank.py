"""Mel power of a recording as the neural models were trained on it: frames of 25 ms around every 10 ms, at 16 kHz.

Whole recordings, and a transform of 400 points: numpy's FFT does it in 30 us per second of audio, so the kernels of
`dsp.mfcc`, which are made for streams and for powers of two, are not bent to it.
"""

from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
Array: TypeAlias = NDArray[np.float32]

RATE_HZ: Final = 16000
HOP: Final = 160
LENGTH: Final = 400
_BINS_HZ: Final = np.linspace(0.0, RATE_HZ / 2, LENGTH // 2 + 1)


def power(samples: Samples, window: Array) -> Array:
    """Samples (n,) -> squared magnitudes (1 + n // 160, 201) of frames centred on every 160th sample, zeros around them."""
    padded = np.zeros(len(samples) + LENGTH, np.float32)
    padded[LENGTH // 2 : LENGTH // 2 + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, LENGTH)[::HOP]
    spectrum = np.fft.rfft(frames * window)
    return np.square(spectrum.real) + np.square(spectrum.imag)


@cache
def hann() -> Array:
    """(400,), periodic."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / LENGTH)).astype(np.float32)


@cache
def hamming() -> Array:
    """(400,), periodic."""
    return (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(LENGTH) / LENGTH)).astype(np.float32)


@cache
def slaney_bands(bands: int) -> Array:
    """(201, bands): triangles of equal area, linear below 1 kHz and logarithmic above (M. Slaney, Auditory Toolbox, 1998)."""
    step_hz, log_hz, log_step = 200.0 / 3, 1000.0, np.log(6.4) / 27

    def to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        above = log_hz / step_hz
        return np.where(mel < above, mel * step_hz, log_hz * np.exp(log_step * (np.maximum(mel, above) - above)))

    highest = log_hz / step_hz + np.log(RATE_HZ / 2 / log_hz) / log_step
    edges_hz = to_hz(np.linspace(0.0, highest, bands + 2))
    left, centre, right = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    at = _BINS_HZ[:, None]
    rise, fall = (at - left) / (centre - left), (right - at) / (right - centre)
    weights = np.maximum(0.0, np.minimum(rise, fall)) * 2.0 / (right - left)
    return weights.astype(np.float32)


@cache
def speechbrain_bands(bands: int) -> Array:
    """(201, bands): triangles on the mel scale, as wide on the right as on the left (speechbrain.processing.features.Filterbank)."""
    highest = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0.0, highest, bands + 2) / 2595) - 1)
    width, centre = np.diff(edges_hz)[:-1], edges_hz[1:-1]
    slope = (_BINS_HZ[:, None] - centre) / width
    return np.maximum(0.0, np.minimum(slope + 1.0, 1.0 - slope)).astype(np.float32)
