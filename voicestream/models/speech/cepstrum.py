"""What the acoustic model hears: cepstra of denoised mel bands, their differences, and the differences of those.

    samples -> pre-emphasis -> Hamming 25.6 ms every 10 ms -> power -> 25 mel bands -> denoised -> log -> DCT -> minus the mean

Not the front end's MFCC: the bands are rounded to bins and of equal area, noise is removed between bands and logarithm,
and pre-emphasis runs on across frames (pocketsphinx `src/fe/fe_sigproc.c`, `src/feat/feat.c`; options of its `feat.params`).
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_2D, F32_RO, I64_RO, VOID, late_kernel
from voicestream.dsp.fft import BINS, SIZE, WORK, fft_table, power_of_real
from voicestream.dsp.pcm import FULL_SCALE
from voicestream.models.speech.denoising import denoise

RATE_HZ: Final = 16000
FRAMES_PER_S: Final = 100
SHIFT_SAMPLES: Final = RATE_HZ // FRAMES_PER_S
LENGTH_SAMPLES: Final = 410
CEPSTRA: Final = 13
STREAMS: Final = 3

_BANDS: Final = 25
_LOW_HZ, _HIGH_HZ = 130.0, 6800.0
_PRE_EMPHASIS: Final = 0.97
_LIFTER: Final = 22
_LOG_FLOOR: Final = 1e-4
_DITHER_DB: Final = -45.0  # below the speech


class _Table(NamedTuple):
    window: NDArray[np.float32]
    fft: NDArray[np.float32]
    spans: NDArray[np.int64]  # first bin and count of bins of each band
    weights: NDArray[np.float32]  # of all bands in a row
    transform: NDArray[np.float32]  # (cepstra, bands), liftered


def frame_count(samples: int) -> int:
    """Frames of so many samples; the last one is filled up with silence."""
    return 2 + (samples - LENGTH_SAMPLES) // SHIFT_SAMPLES if samples >= LENGTH_SAMPLES else 0


def features(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A whole recording (n,) float32 in -1..1 at 16 kHz -> (frames, 3, 13) float32: cepstra, first and second differences."""
    cepstra = cepstrum(samples)
    speech = cepstra[cepstra[:, 0] >= 0]  # digital silence has no say in the mean
    if len(speech):
        cepstra -= speech.mean(axis=0)
    wide = np.concatenate((cepstra[:1].repeat(3, 0), cepstra, cepstra[-1:].repeat(3, 0)))
    first = wide[5:-1] - wide[1:-5]
    second = (wide[6:] - wide[2:-4]) - (wide[4:-2] - wide[:-6])
    return np.stack((cepstra, first, second), axis=1)


def dithered(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The recording with as much noise as a quiet room has: the model was trained on rooms, and takes digital silence for speech.

    White noise of one level below the loudest tenth of the frames, the same at every call; a recording with more of its own
    hardly changes.
    """
    frames = samples[: len(samples) // SHIFT_SAMPLES * SHIFT_SAMPLES].reshape(-1, SHIFT_SAMPLES)
    if not len(frames):
        return samples
    loud = float(np.sqrt(np.quantile((frames.astype(np.float64) ** 2).mean(axis=1), 0.9)))
    noise = np.random.default_rng(0).standard_normal(len(samples), np.float32)
    return samples + np.float32(max(loud * 10 ** (_DITHER_DB / 20), 1 / FULL_SCALE)) * noise


def cepstrum(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A whole recording (n,) float32 in -1..1 at 16 kHz -> (frames, 13) float32, its mean still in it."""
    table = _table()
    frames = frame_count(len(samples))
    padded = np.zeros(max(frames - 1, 0) * SHIFT_SAMPLES + LENGTH_SAMPLES, np.float32)
    padded[: len(samples)] = samples[: len(padded)]
    padded *= FULL_SCALE
    emphasised = padded.copy()
    emphasised[1:] -= np.float32(_PRE_EMPHASIS) * padded[:-1]
    emphasised[len(samples) :] = 0
    bands = np.empty((frames, _BANDS), np.float32)
    _mel_bands(emphasised, table.window, table.fft, table.spans, table.weights, np.empty(SIZE + WORK + BINS, np.float32), bands)
    denoise(bands)
    cepstra: NDArray[np.float32] = np.log(bands + np.float32(_LOG_FLOOR)) @ table.transform.T
    return cepstra


@cache
def _table() -> _Table:
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(LENGTH_SAMPLES) / (LENGTH_SAMPLES - 1))
    spans, weights = _filters()
    row = np.arange(CEPSTRA)[:, None]
    transform = np.sqrt(2 / _BANDS) * np.cos(np.pi / _BANDS * (np.arange(_BANDS) + 0.5) * row)
    transform[0] = np.sqrt(1 / _BANDS)
    transform *= 1 + _LIFTER / 2 * np.sin(np.pi * row / _LIFTER)
    return _Table(window.astype(np.float32), fft_table(), spans, weights, transform.astype(np.float32))


def _filters() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Triangles of equal area on the mel scale, their corners rounded to FFT bins."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    corners_hz = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    bin_hz = RATE_HZ / SIZE
    corners_hz = np.floor(corners_hz / bin_hz + 0.5) * bin_hz
    spans, weights = [], []
    for left, centre, right in zip(corners_hz, corners_hz[1:], corners_hz[2:], strict=False):
        first, last = round(left / bin_hz), round(right / bin_hz)
        hz = np.arange(first, last + 1) * bin_hz
        weights.append(np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)) * 2 / (right - left))
        spans.append((first, last - first + 1))
    return np.array(spans, np.int64).reshape(-1), np.concatenate(weights).astype(np.float32)


@late_kernel(VOID(F32, F32_RO, F32_RO, I64_RO, F32_RO, F32, F32_2D))
def _mel_bands(
    samples: NDArray[np.float32],
    window: NDArray[np.float32],
    fft: NDArray[np.float32],
    spans: NDArray[np.int64],
    weights: NDArray[np.float32],
    scratch: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    frame, work, spectrum = scratch[:SIZE], scratch[SIZE : SIZE + WORK], scratch[SIZE + WORK :]
    for t in range(len(out)):
        start = t * SHIFT_SAMPLES
        for i in range(LENGTH_SAMPLES):
            frame[i] = samples[start + i] * window[i]
        for i in range(LENGTH_SAMPLES, SIZE):
            frame[i] = np.float32(0.0)
        power_of_real(frame, fft, work, spectrum)
        weight = 0
        for m in range(out.shape[1]):
            first, count = spans[2 * m], spans[2 * m + 1]
            total = np.float32(0.0)
            for i in range(count):
                total += weights[weight + i] * spectrum[first + i]
            out[t, m] = total
            weight += count
