"""Stationary noise taken out of mel bands, as the acoustic model was trained to hear them.

The floor of each band's smoothed power is followed and subtracted, fast drops are masked by the peak before, and the gain
that results is smoothed over neighbouring bands (C. Kim and R. Stern, "Power-Normalized Cepstral Coefficients", 2012;
numbers as in pocketsphinx `src/fe/fe_noise.c`).
"""

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32_2D, F64, VOID, late_kernel, part

_POWER = 0.7  # smoothing of the power
_RISE, _FALL = 0.995, 0.5  # how slowly a floor follows upwards and downwards
_PEAK, _MASKED = 0.85, 0.2  # how slowly a peak is forgotten, and what of it covers what follows
_MAX_GAIN = 20.0
_NEIGHBOURS = 4  # bands on either side


def denoise(bands: NDArray[np.float32]) -> None:
    """Bands (frames, bands) float32 of mel power, cleaned in place."""
    _denoise(bands, np.empty(6 * bands.shape[1], np.float64))


@part()
def _follow(floor: NDArray[np.float64], level: NDArray[np.float64]) -> None:
    for i in range(len(floor)):
        keep = _RISE if level[i] >= floor[i] else _FALL
        floor[i] = keep * floor[i] + (1.0 - keep) * level[i]


@late_kernel(VOID(F32_2D, F64))
def _denoise(bands: NDArray[np.float32], scratch: NDArray[np.float64]) -> None:
    count = bands.shape[1]
    power, noise, floor = scratch[:count], scratch[count : 2 * count], scratch[2 * count : 3 * count]
    peak, signal, gain = scratch[3 * count : 4 * count], scratch[4 * count : 5 * count], scratch[5 * count : 6 * count]
    for t in range(len(bands)):
        band = bands[t]
        if t == 0:
            for i in range(count):
                power[i] = band[i]
                noise[i] = floor[i] = band[i] / _MAX_GAIN
                peak[i] = 0.0
        for i in range(count):
            power[i] = _POWER * power[i] + (1.0 - _POWER) * band[i]
        _follow(noise, power)
        for i in range(count):
            signal[i] = max(power[i] - noise[i], 1.0)
        _follow(floor, signal)
        for i in range(count):
            heard = signal[i]
            peak[i] *= _PEAK
            if heard < _PEAK * peak[i]:
                signal[i] = peak[i] * _MASKED
            peak[i] = max(peak[i], heard)
            signal[i] = max(signal[i], floor[i])
            gain[i] = _MAX_GAIN
            if signal[i] < _MAX_GAIN * power[i]:
                gain[i] = max(signal[i] / power[i], 1.0 / _MAX_GAIN)
        for i in range(count):
            first, last = max(0, i - _NEIGHBOURS), min(count - 1, i + _NEIGHBOURS)
            total = 0.0
            for j in range(first, last + 1):
                total += gain[j]
            band[i] = np.float32(band[i] * (total / (last - first + 1)))
