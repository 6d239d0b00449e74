"""Log-mel and MFCC features as Kaldi and HTK compute them (kaldi-native-fbank's options and numbers).

    frame -> minus its mean -> pre-emphasis -> window -> power spectrum -> mel triangles -> log -> DCT -> lifter

Samples are float32 in -1..1 and are taken times 32768, which is Kaldi's scale: log energies agree with it.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_2D, F32_RO, I64_RO, REASSOCIATE, VOID, late_kernel, part
from voicestream.dsp.cosine import dot
from voicestream.dsp.fft import BINS, SIZE, WORK, fft_table, power_of_real
from voicestream.dsp.framing import Framing
from voicestream.dsp.pcm import FULL_SCALE

Window: TypeAlias = Literal["povey", "hamming", "hann", "rectangular"]

_FLOOR = float(np.finfo(np.float32).eps)  # Kaldi's, under every logarithm

# Positions in a plan's numbers; from MEL on, first bin and count of bins of each mel band.
LENGTH, SHIFT, STRIDE, BANDS, CEPSTRA, WIDTH, ENERGY, REMOVE_DC, AT_FFT, AT_MEL, AT_DCT, MEL = range(12)
_AT_SPECTRUM = SIZE + WORK
_AT_BANDS = _AT_SPECTRUM + BINS
SCRATCH = _AT_BANDS + 128  # frame, FFT, spectrum, bands


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """What to compute from which frames; defaults are Kaldi's for MFCC, but without energy.

    ceps 0 gives `mel_bins` log-mel energies instead of cepstra. high_hz 0 or below counts from the Nyquist
    frequency. energy: the log energy of the frame replaces the first coefficient (log-mel: comes before).
    raw_energy: measured before pre-emphasis and window. samples: nothing is computed, a row is the middle of
    the frame itself, as long as the shift, so that rows in a row are the audio, for models that hear it themselves.
    """

    rate_hz: int = 16000
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    window: Window = "povey"
    pre_emphasis: float = 0.97
    remove_dc: bool = True
    mel_bins: int = 23
    low_hz: float = 20.0
    high_hz: float = 0.0
    ceps: int = 13
    lifter: float = 22.0
    energy: bool = False
    raw_energy: bool = True
    samples: bool = False

    @property
    def framing(self) -> Framing:
        return Framing(int(self.rate_hz * 0.001 * self.frame_length_ms), int(self.rate_hz * 0.001 * self.frame_shift_ms))

    @property
    def width(self) -> int:
        """Numbers per frame."""
        return self.framing.shift if self.samples else self.ceps or self.mel_bins + self.energy

    def __post_init__(self) -> None:
        framing, nyquist_hz = self.framing, self.rate_hz / 2
        high_hz = self.high_hz if self.high_hz > 0 else nyquist_hz + self.high_hz
        if framing.shift < 1 or not 2 <= framing.length <= SIZE:
            raise ValueError(f"frames of 2 to {SIZE} samples, not {framing}")
        if not 0 <= self.low_hz < high_hz <= nyquist_hz:
            raise ValueError(f"mel bands lie between 0 and {nyquist_hz} Hz, not {self.low_hz} to {high_hz}")
        if not 1 <= self.mel_bins <= 128 or not 0 <= self.ceps <= self.mel_bins:
            raise ValueError(f"1 to 128 bands and at most as many cepstra, not {self.mel_bins} and {self.ceps}")
        if self.samples and framing.shift > framing.length:
            raise ValueError("frames of samples leave none out")


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """Options as the kernel wants them: numbers int64 and table float32 (window, FFT, mel weights, DCT)."""

    options: FeatureOptions
    numbers: NDArray[np.int64]
    table: NDArray[np.float32]


@lru_cache(maxsize=64)
def feature_plan(options: FeatureOptions) -> FeaturePlan:
    framing = options.framing
    size = 1 << (framing.length - 1).bit_length()  # Kaldi's padding; its bins are every `stride`th of ours
    head = np.array([options.pre_emphasis, FULL_SCALE**2 if options.raw_energy else 1.0, 0.0, 0.0])
    window = _window(options.window, framing.length) * FULL_SCALE
    spans, weights = _mel(options, size)
    transform = _cosines(options.mel_bins, options.ceps, options.lifter)
    fft = fft_table()
    at_fft = len(head) + len(window)
    at_mel = at_fft + len(fft)
    at_dct = at_mel + len(weights)
    energy = (2 if options.raw_energy else 1) if options.energy else 0
    bands = 0 if options.samples else options.mel_bins  # what the kernel knows them by
    numbers = [framing.length, framing.shift, SIZE // size, bands, options.ceps, options.width, energy, options.remove_dc]
    numbers += [at_fft, at_mel, at_dct, *spans]
    table = np.concatenate((head, window, fft, weights, transform.reshape(-1))).astype(np.float32)
    return FeaturePlan(options, np.array(numbers, np.int64), table)


def _window(name: Window, length: int) -> NDArray[np.float64]:
    cosine = np.cos(2 * pi * np.arange(length) / (length - 1))
    match name:
        case "povey":
            return (0.5 - 0.5 * cosine) ** 0.85
        case "hamming":
            return 0.54 - 0.46 * cosine
        case "hann":
            return 0.5 - 0.5 * cosine
        case "rectangular":
            return np.ones(length)


def _mel(options: FeatureOptions, size: int) -> tuple[list[int], NDArray[np.float64]]:
    """Triangles on the mel scale over FFT bins below Nyquist: (first bin, bins) of each band, all weights in a row."""

    def mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1127.0 * np.log1p(hz / 700.0)

    high_hz = options.high_hz if options.high_hz > 0 else options.rate_hz / 2 + options.high_hz
    low, high = mel(np.array([options.low_hz, high_hz])).tolist()
    edges = np.linspace(low, high, options.mel_bins + 2)
    bins = mel(np.arange(size // 2) * options.rate_hz / size)
    spans: list[int] = []
    weights: list[NDArray[np.float64]] = []
    for left, centre, right in zip(edges, edges[1:], edges[2:], strict=False):
        inside = np.flatnonzero((bins > left) & (bins < right))
        at = bins[inside]
        weights.append(np.where(at <= centre, (at - left) / (centre - left), (right - at) / (right - centre)))
        spans += [int(inside[0]) if len(inside) else 0, len(inside)]
    return spans, np.concatenate(weights)


def _cosines(bands: int, cepstra: int, lifter: float) -> NDArray[np.float64]:
    """(cepstra, bands): orthonormal DCT-II, rows raised by the lifter 1 + Q/2 sin(pi i / Q)."""
    row = np.arange(cepstra)[:, None]
    transform: NDArray[np.float64] = np.sqrt(2.0 / bands) * np.cos(pi / bands * (np.arange(bands) + 0.5) * row)
    transform[:1] = np.sqrt(1.0 / bands)
    lift: NDArray[np.float64] = 1.0 + 0.5 * lifter * np.sin(pi * row / lifter) if lifter else np.ones((cepstra, 1))
    return lift * transform


def mfcc(samples: NDArray[np.float32], options: FeatureOptions) -> NDArray[np.float32]:
    """A whole recording (n,) float32 in -1..1 at options.rate_hz -> (frames, options.width) float32."""
    plan = feature_plan(options)
    out = np.empty((options.framing.count(len(samples)), options.width), np.float32)
    _features(np.array(samples, np.float32), plan.numbers, plan.table, np.empty(SCRATCH, np.float32), out)
    return out


class FeatureStream:
    """Features of one stream, as its samples come; pieces give the same as the whole, to the bit."""

    def __init__(self, options: FeatureOptions) -> None:
        self._plan = feature_plan(options)
        self._framing = options.framing
        self._scratch = np.empty(SCRATCH, np.float32)
        self._waiting = np.empty(0, np.float32)
        self._skip = 0  # samples between frames that belong to none: shift beyond length

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples (n,) float32 in -1..1 -> frames completed by them (k, width) float32."""
        waiting = np.concatenate((self._waiting, samples), dtype=np.float32)
        skip = min(self._skip, len(waiting))
        self._skip -= skip
        waiting = waiting[skip:]
        frames = self._framing.count(len(waiting))
        out = np.empty((frames, self._plan.options.width), np.float32)
        _features(waiting, self._plan.numbers, self._plan.table, self._scratch, out)
        used = frames * self._framing.shift
        self._skip += max(0, used - len(waiting))
        self._waiting = waiting[used:].copy()
        return out


@part(inline=True)
def _sum(x: NDArray[np.float32]) -> np.float32:
    total = np.float32(0.0)
    for i in range(len(x)):
        total += x[i]
    return total


@part(inline=True)
def _energy(x: NDArray[np.float32], mean: np.float32) -> np.float32:
    total = np.float32(0.0)
    for i in range(len(x)):
        total += (x[i] - mean) * (x[i] - mean)
    return total


@part(inline=True)
def _shape(
    x: NDArray[np.float32], mean: np.float32, pre_emphasis: np.float32, window: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    # (x - mean) - p (x one before - mean), windowed; before the first sample Kaldi repeats it.
    length = len(window)
    older, newer, shape, y = x[: length - 1], x[1:length], window[1:], out[1:length]
    offset = mean - pre_emphasis * mean
    for i in range(length - 1):
        y[i] = (newer[i] - pre_emphasis * older[i] - offset) * shape[i]
    out[0] = (x[0] - pre_emphasis * x[0] - offset) * window[0]


@part(fastmath=REASSOCIATE)
def feature_frame(
    x: NDArray[np.float32], numbers: NDArray[np.int64], table: NDArray[np.float32], scratch: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """One frame (length,) float32 in -1..1 -> `out` (width,); `scratch` (SCRATCH,) float32."""
    length, bands, cepstra = numbers[LENGTH], numbers[BANDS], numbers[CEPSTRA]
    if bands == 0:
        first = (length - numbers[SHIFT]) // 2
        for i in range(len(out)):
            out[i] = x[first + i]
        return
    frame = scratch[:SIZE]
    spectrum = scratch[_AT_SPECTRUM:_AT_BANDS]
    band = scratch[_AT_BANDS : _AT_BANDS + bands]
    mean = _sum(x) / np.float32(length) if numbers[REMOVE_DC] else np.float32(0.0)
    _shape(x, mean, table[0], table[4 : 4 + length], frame)
    padding = frame[length:]
    for i in range(len(padding)):
        padding[i] = np.float32(0.0)
    floor = np.float32(_FLOOR)
    energy = np.float32(0.0)
    if numbers[ENERGY] == 1:
        energy = np.log(max(_energy(frame, np.float32(0.0)), floor))
    elif numbers[ENERGY] == 2:
        energy = np.log(max(_energy(x, mean) * table[1], floor))
    power_of_real(frame, table[numbers[AT_FFT] : numbers[AT_MEL]], scratch[SIZE:_AT_SPECTRUM], spectrum)
    stride = numbers[STRIDE]
    if stride > 1:
        for k in range(BINS // stride):
            spectrum[k] = spectrum[stride * k]
    weight = numbers[AT_MEL]
    for m in range(bands):
        first, count = numbers[MEL + 2 * m], numbers[MEL + 2 * m + 1]
        band[m] = dot(table[weight : weight + count], spectrum[first : first + count])
        weight += count
    for m in range(bands):
        band[m] = np.log(max(band[m], floor))
    if cepstra:
        row = numbers[AT_DCT]
        for c in range(cepstra):
            out[c] = dot(table[row : row + bands], band)
            row += bands
        if numbers[ENERGY]:
            out[0] = energy
    else:
        start = 1 if numbers[ENERGY] else 0
        for m in range(bands):
            out[start + m] = band[m]
        if numbers[ENERGY]:
            out[0] = energy


# `samples` is typed writable though only read, as in the front end: so both share the compiled parts.
@late_kernel(VOID(F32, I64_RO, F32_RO, F32, F32_2D))
def _features(
    samples: NDArray[np.float32],
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    scratch: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    for i in range(len(out)):
        start = i * numbers[SHIFT]
        feature_frame(samples[start : start + numbers[LENGTH]], numbers, table, scratch, out[i])
