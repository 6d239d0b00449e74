"""Streaming polyphase resampling: every chunk of 20 ms in gives 20 ms out, at most 3 ms late.

The prototype is a Kaiser-windowed sinc (J. F. Kaiser, 1974) at the common multiple of both rates, flat to
0.9 of the lower Nyquist frequency and at least 75 dB down from 1.1 on. An output sample is one dot product
of the newest `taps` input samples with its phase of the prototype:

    y[n] = sum over k of h[phase + k * up] * x[index - k],    n * down = index * up + phase

From 8 to 16 kHz the prototype is half-band: one phase of the two is a plain delay, and the other runs over
all outputs at once (0.5 us per 20 ms, dot products 1.5, soxr HQ 2.9). Block FFT resamplers such as soxr
are silent for four chunks of five and then give 100 ms at once, hence this file.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, gcd, pi

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_RO, I64, I64_RO, INT, REASSOCIATE, late_kernel, part

RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000)

_ATTENUATION_DB = 76.0
_TRANSITION = 0.2  # of the lower Nyquist frequency, centred on it
_MOST_PHASES = 2000  # rates without a common multiple worth a table are refused
_LANES = 8  # dot products come in whole vectors
_BLOCK = 1024  # samples in flight, to stay in the first cache
_FIR_TAPS = 8  # taps per pass of the half-band filter

# Positions in a plan's numbers and in a stream's counters.
UP, DOWN, TAPS, HALF_BAND = range(4)
INDEX, PHASE = range(2)


@dataclass(frozen=True, slots=True)
class ResamplePlan:
    """Coefficients for one pair of rates.

    table (up * taps,) float32: one row per phase, oldest sample first; numbers (4,) int64: up, down, taps,
    half-band; delay_samples: group delay, a whole number of output samples; prototype float64, for tests.
    """

    source_hz: int
    target_hz: int
    numbers: NDArray[np.int64]
    table: NDArray[np.float32]
    delay_samples: int
    prototype: NDArray[np.float64]

    @property
    def taps(self) -> int:
        return int(self.numbers[TAPS])

    def length(self, samples: int) -> int:
        """Outputs that exist after `samples` inputs."""
        return -(-samples * int(self.numbers[UP]) // int(self.numbers[DOWN]))

    @property
    def tail(self) -> int:
        """Inputs of silence that push the last real sample through the filter."""
        return -(-self.delay_samples * int(self.numbers[DOWN]) // int(self.numbers[UP]))


@lru_cache(maxsize=64)
def resample_plan(source_hz: int, target_hz: int) -> ResamplePlan:
    """Design the filter from `source_hz` to `target_hz`; ValueError for rates without a small common multiple."""
    if not (1000 <= source_hz <= 1_000_000 and 1000 <= target_hz <= 1_000_000):
        raise ValueError(f"no resampling from {source_hz} to {target_hz} Hz")
    up, down = target_hz // gcd(source_hz, target_hz), source_hz // gcd(source_hz, target_hz)
    if up > _MOST_PHASES:
        raise ValueError(f"no resampling from {source_hz} to {target_hz} Hz: {up} phases")
    if up == down:
        return ResamplePlan(source_hz, target_hz, np.array([1, 1, 1, 0]), np.ones(1, np.float32), 0, np.ones(1))
    fast_hz = source_hz * up
    nyquist_hz = min(source_hz, target_hz) / 2
    width = 2 * pi * _TRANSITION * nyquist_hz / fast_hz  # of the transition, radians per fast sample
    half_band = (up, down) == (2, 1)
    if half_band:  # the ends of an odd number of taps fall on zeros: cut them off
        reach = 48
    else:  # a delay of whole output samples, so that the front end can align by dropping some
        reach = down * ceil((_ATTENUATION_DB - 7.95) / (2.285 * width) / 2 / down)
    attenuation_db = 2 * reach * 2.285 * width + 7.95
    at = np.arange(-reach, reach + 1)
    cutoff = 2 * nyquist_hz / fast_hz
    prototype = cutoff * np.sinc(cutoff * at) * np.kaiser(2 * reach + 1, 0.1102 * (attenuation_db - 8.7))
    if half_band:
        reach, prototype = reach - 1, prototype[1:-1]
    taps = _LANES * ceil(len(prototype) / up / _LANES)
    padded = np.zeros(taps * up)
    padded[: len(prototype)] = prototype
    phases = padded.reshape(taps, up).T
    phases = phases / phases.sum(axis=1, keepdims=True)  # every phase passes DC alike: no image of it
    prototype = phases.T.reshape(-1) / up
    table = np.ascontiguousarray(phases[:, ::-1], np.float32).reshape(-1)
    return ResamplePlan(source_hz, target_hz, np.array([up, down, taps, half_band]), table, reach // down, prototype)


class Resampler:
    """One stream from `source_hz` to `target_hz`; pieces give the same as the whole, to the bit.

    Output n is the input at time n / target_hz - delay_samples / target_hz: causal, so the first
    `delay_samples` outputs are the filter's rise.
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        self.plan = resample_plan(source_hz, target_hz)
        self.delay_samples = self.plan.delay_samples
        self._numbers, self._table = self.plan.numbers, self.plan.table
        self._up, self._down = int(self._numbers[UP]), int(self._numbers[DOWN])
        self._work = np.zeros(self.plan.taps - 1 + _BLOCK, np.float32)
        self._counters = np.zeros(2, np.int64)

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples (n,) float32 -> (m,) float32, m = n * target_hz / source_hz within one sample."""
        out = np.empty(len(samples) * self._up // self._down + 5, np.float32)
        made = _resample(samples, self._numbers, self._table, self._counters, self._work, out)
        return out[:made]

    def flush(self) -> NDArray[np.float32]:
        """The outputs still in the filter; the stream is over."""
        return self.feed(np.zeros(self.plan.tail, np.float32))


def resample(samples: NDArray[np.float32], source_hz: int, target_hz: int) -> NDArray[np.float32]:
    """A whole recording (n,) float32 at `source_hz` -> (ceil(n * target_hz / source_hz),) at `target_hz`, without delay."""
    stream = Resampler(source_hz, target_hz)
    out = np.concatenate((stream.feed(np.ascontiguousarray(samples, np.float32)), stream.flush()))
    return out[stream.delay_samples :][: stream.plan.length(len(samples))]


@part(inline=True)
def _halves(work: NDArray[np.float32], count: int, table: NDArray[np.float32], taps: int, out: NDArray[np.float32]) -> None:
    # Phase 0 into the upper half of `out` in passes of 8 taps over all outputs, then spread; phase 1 is a delay.
    sums = out[count : 2 * count]
    for i in range(count):
        sums[i] = np.float32(0.0)
    for k in range(0, taps, _FIR_TAPS):
        h = table[k : k + _FIR_TAPS]
        h0, h1, h2, h3, h4, h5, h6, h7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
        x = work[k : k + count + _FIR_TAPS - 1]
        for i in range(count):
            sums[i] += (
                h0 * x[i] + h1 * x[i + 1] + h2 * x[i + 2] + h3 * x[i + 3]
                + h4 * x[i + 4] + h5 * x[i + 5] + h6 * x[i + 6] + h7 * x[i + 7]
            )  # fmt: skip
    late = work[taps - taps // 2 : taps - taps // 2 + count]
    for i in range(count):
        out[2 * i] = sums[i]
        out[2 * i + 1] = late[i]


@part(inline=True)
def _decimate(work: NDArray[np.float32], count: int, index: int, down: int, h: NDArray[np.float32], out: NDArray[np.float32]) -> int:
    # Four outputs share every load of a coefficient (2.3 us for 48 -> 16 kHz, one at a time 3.3). The last
    # group repeats an output instead of falling back to fewer: all outputs are computed alike, to the bit.
    taps = len(h)
    made = 0
    for first in range(index, count, 4 * down):
        second = first + down if first + down < count else first
        third = second + down if second + down < count else first
        fourth = third + down if third + down < count else first
        x0, x1 = work[first : first + taps], work[second : second + taps]
        x2, x3 = work[third : third + taps], work[fourth : fourth + taps]
        y0, y1, y2, y3 = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for k in range(taps):
            y0 += h[k] * x0[k]
            y1 += h[k] * x1[k]
            y2 += h[k] * x2[k]
            y3 += h[k] * x3[k]
        out[made], out[made + 1], out[made + 2], out[made + 3] = y0, y1, y2, y3
        made += 4
    return (count - index + down - 1) // down if index < count else 0


@part(inline=True)
def _phases(
    work: NDArray[np.float32],
    count: int,
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    counters: NDArray[np.int64],
    out: NDArray[np.float32],
) -> int:
    # One dot product per output, written out: as a call it costs 3 ns more each. Slices, because a computed
    # index keeps LLVM from vectorising (10x).
    up, taps = numbers[UP], numbers[TAPS]
    index, phase = counters[INDEX], counters[PHASE]
    whole, rest = numbers[DOWN] // up, numbers[DOWN] % up
    made = 0
    while index < count:
        h, x = table[phase * taps : phase * taps + taps], work[index : index + taps]
        y = np.float32(0.0)
        for k in range(taps):
            y += h[k] * x[k]
        out[made] = y
        made += 1
        index += whole
        phase += rest
        if phase >= up:
            phase -= up
            index += 1
    counters[INDEX], counters[PHASE] = index - count, phase
    return made


@part(fastmath=REASSOCIATE)
def resample_block(
    work: NDArray[np.float32],
    count: int,
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    counters: NDArray[np.int64],
    out: NDArray[np.float32],
) -> int:
    """Resample `count` samples of `work` that follow taps - 1 older ones; returns how many samples came out.

    `out` has room for length(count) + 4 samples. The newest taps - 1 samples move to the front of `work`.
    """
    down, taps = numbers[DOWN], numbers[TAPS]
    index = counters[INDEX]
    if numbers[HALF_BAND]:
        _halves(work, count, table, taps, out)
        made = 2 * count
    elif numbers[UP] == 1:
        made = _decimate(work, count, index, down, table[:taps], out)
        counters[INDEX] = index + made * down - count
    else:
        made = _phases(work, count, numbers, table, counters, out)
    newest = work[count : count + taps - 1]
    for i in range(taps - 1):
        work[i] = newest[i]
    return made


@late_kernel(INT(F32_RO, I64_RO, F32_RO, I64, F32, F32))
def _resample(
    samples: NDArray[np.float32],
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    counters: NDArray[np.int64],
    work: NDArray[np.float32],
    out: NDArray[np.float32],
) -> int:
    older = numbers[TAPS] - 1
    made = 0
    for start in range(0, len(samples), _BLOCK):
        block = samples[start : start + _BLOCK]
        room = work[older : older + len(block)]
        for i in range(len(block)):
            room[i] = block[i]
        made += resample_block(work, len(block), numbers, table, counters, out[made:])
    return made
