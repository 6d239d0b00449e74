"""Two views of a clip for the authenticity model: what its sounds are, and when its throat closes.

The spectrogram loses the recording's colour (the mean of each bin), so that it shows no band limits. The pulses are
energies of 4 ms of a flattened waveform, which keeps every phase but loses the envelope of each short spectrum:
closures of a throat stay sharp in it, where a vocoder or a room has smeared or ironed them.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]

RATE_HZ: Final = 8000
WINDOW, HOP = 256, 128  # 32 and 16 ms: Hann windows that add up to one
BINS: Final = WINDOW // 2  # without the zeroth
SHORT, STEP = 32, 8  # 4 and 1 ms: shorter than a period of any voice
PULSE_BINS: Final = SHORT // 2 + 1
REACH: Final = 6  # bins to either side that an envelope is smoothed over, twice
FLOOR: Final = 1e-3  # under a squared magnitude before the logarithm
PULSE_FLOOR: Final = 1e-2
EMPHASIS: Final = 0.03  # how much of the loudest part of an envelope stays under all of it
LEVEL: Final = 1e-5  # rms under which a clip is silence

_WINDOW: Final = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
_SHORT_WINDOW: Final = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SHORT) / SHORT)).astype(np.float32)


def views(samples: Array) -> tuple[Array, Array, Array]:
    """A clip (n,) float32 at 8 kHz, n >= 256 -> log spectrogram (128, frames), log pulses (17, 16 frames + 13), flattened waveform."""
    samples = samples / np.float32(max(float(np.sqrt(np.mean(samples * samples, dtype=np.float64))), LEVEL))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * _WINDOW
    spectrum = np.fft.rfft(frames).astype(np.complex64)
    magnitude = np.abs(spectrum)
    log = np.log(magnitude[:, 1:] ** 2 + np.float32(FLOOR))
    log -= log.mean(axis=0)
    smooth = _smoothed(_smoothed(magnitude))
    gain = np.float32(WINDOW / 16) / (smooth + np.float32(EMPHASIS) * (smooth.max(axis=1, keepdims=True) + np.float32(1)))
    flat = np.fft.irfft(spectrum * gain).astype(np.float32)
    whole = np.zeros((len(flat) + 1, HOP), np.float32)
    whole[:-1] += flat[:, :HOP]
    whole[1:] += flat[:, HOP:]
    wave = whole.reshape(-1)
    short = np.lib.stride_tricks.sliding_window_view(wave, SHORT)[::STEP] * _SHORT_WINDOW
    pulses = np.log(np.abs(np.fft.rfft(short)) ** 2 + np.float32(PULSE_FLOOR))
    return np.ascontiguousarray(log.T, np.float32), np.ascontiguousarray(pulses.T, np.float32), wave


def _smoothed(magnitude: Array) -> Array:
    """Means over up to 13 neighbouring bins, fewer at the edges."""
    total = np.cumsum(np.pad(magnitude, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    at = np.arange(magnitude.shape[1])
    low, high = np.maximum(at - REACH, 0), np.minimum(at + REACH + 1, magnitude.shape[1])
    mean: Array = ((total[:, high] - total[:, low]) / (high - low)).astype(np.float32)
    return mean
