"""The pitch of a voice: fundamental frequency every 10 ms, and where there is none.

Each frame is compared with itself one period earlier and later (normalised cross-correlation: D. Talkin, "A robust
algorithm for pitch tracking", 1995): the lags at which it repeats best are candidates. The path through the candidates,
and through being unvoiced, that costs least in all is taken (Viterbi; costs after P. Boersma, "Accurate short-term
analysis of the fundamental frequency", 1993), because a voice moves in small steps and a wrong octave is a leap.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_2D, F32_2D_RO, I64, REASSOCIATE, VOID, late_kernel, part
from voicestream.dsp.resample import resample

RATE_HZ: Final = 8000  # analysed at: the band of a telephone holds all harmonics that matter
HOP_S: Final = 0.01
LOWEST_HZ: Final = 60.0
HIGHEST_HZ: Final = 550.0

_HOP: Final = 80
_WINDOW: Final = 240  # samples compared: 30 ms, two periods of a low voice
_LONGEST: Final = round(RATE_HZ / LOWEST_HZ)
_SHORTEST: Final = round(RATE_HZ / HIGHEST_HZ)
_CANDIDATES: Final = 12  # per frame, the first being "unvoiced"
_SIDE: Final = (_WINDOW + _LONGEST) // 2 + 2  # samples before a frame's centre that it may look at

_WEAKEST: Final = 0.3  # correlation that makes a candidate
_VOICING: Final = 0.5  # strength of being unvoiced: what repeats less is noise
_SILENCE: Final = 0.03  # of the loudest peak: what is softer is rather unvoiced
_OCTAVE: Final = 0.02  # per octave: of two lags that repeat alike the shorter one is the period
_LEAP: Final = 0.35  # per octave between one frame and the next
_TURN: Final = 0.14  # between voiced and unvoiced


class Pitch(NamedTuple):
    """hz (frames,) float32, NaN where unvoiced; strength (frames,) float32: correlation of the best candidate, 0..1."""

    hz: NDArray[np.float32]
    strength: NDArray[np.float32]


def pitch(samples: NDArray[np.float32], rate_hz: int) -> Pitch:
    """The pitch of a whole recording (n,) float32 in -1..1: frame i is the 10 ms from i * HOP_S on; 60 to 550 Hz."""
    slow = resample(np.asarray(samples, np.float32), rate_hz, RATE_HZ)
    frames = len(samples) * RATE_HZ // (rate_hz * _HOP)  # whole ones of the samples given: resampling rounds up
    chosen, strongest = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
    if frames:
        slow = slow - slow.mean(dtype=np.float64).astype(np.float32)
        peak = float(np.abs(slow).max())
        padded = np.zeros(len(slow) + 2 * _SIDE, np.float32)
        padded[_SIDE : _SIDE + len(slow)] = slow / np.float32(peak) if peak > 0.0 else slow
        hz, strength = np.zeros((frames, _CANDIDATES), np.float32), np.full((frames, _CANDIDATES), -1.0, np.float32)
        _candidates(padded, np.empty(_LONGEST + 2, np.float32), hz, strength)
        _path(hz, strength, np.empty((frames, _CANDIDATES), np.float32), np.empty(frames * _CANDIDATES, np.int64), chosen)
        strongest = np.clip(strength[:, 1:].max(axis=1), 0.0, 1.0)
    return Pitch(np.where(chosen > 0.0, chosen, np.float32(np.nan)), strongest)


@part(fastmath=REASSOCIATE)
def _product(x: NDArray[np.float32], y: NDArray[np.float32]) -> np.float32:
    total = np.float32(0.0)
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


@part()
def _correlate(padded: NDArray[np.float32], centre: int, lag: int) -> np.float32:
    """Likeness -1..1 of two windows `lag` apart whose common middle is `centre`: so a glide does not shift the frame."""
    first = centre - (_WINDOW + lag) // 2
    left, right = padded[first : first + _WINDOW], padded[first + lag : first + lag + _WINDOW]
    energy = _product(left, left) * _product(right, right)
    # what is 60 dB under the loudest sample has no pitch worth telling
    return np.float32(_product(left, right) / np.sqrt(energy + np.float32((_WINDOW * 1e-6) ** 2)))


@late_kernel(VOID(F32, F32, F32_2D, F32_2D))
def _candidates(padded: NDArray[np.float32], likeness: NDArray[np.float32], hz: NDArray[np.float32], strength: NDArray[np.float32]) -> None:
    """Peaks of the correlation of every frame; column 0 is being unvoiced, its strength the frame's softness."""
    for frame in range(len(hz)):
        centre = _SIDE + frame * _HOP + _HOP // 2
        for lag in range(_SHORTEST - 1, _LONGEST + 2):
            likeness[lag] = _correlate(padded, centre, lag)
        loudest = 0.0
        for i in range(centre - _HOP, centre + _HOP):
            loudest = max(loudest, float(abs(padded[i])))
        strength[frame, 0] = np.float32(_VOICING + max(0.0, 2.0 - loudest * (1.0 + _VOICING) / _SILENCE))
        for lag in range(_SHORTEST, _LONGEST + 1):
            before, here, after = likeness[lag - 1], likeness[lag], likeness[lag + 1]
            if here < np.float32(_WEAKEST) or here < before or here <= after:
                continue
            bend = before - np.float32(2.0) * here + after
            shift = np.float32(0.5) * (before - after) / bend if bend < np.float32(0.0) else np.float32(0.0)
            period = np.float32(lag) + shift
            height = here - np.float32(0.25) * (before - after) * shift
            weakest = 1  # the place to take: the first empty one (strength -1), else the weakest
            for place in range(2, _CANDIDATES):
                if strength[frame, place] < strength[frame, weakest]:
                    weakest = place
            worth = min(height, np.float32(1.0)) - np.float32(_OCTAVE) * np.log2(period / np.float32(_SHORTEST))
            if worth > strength[frame, weakest]:
                strength[frame, weakest] = worth
                hz[frame, weakest] = np.float32(RATE_HZ) / period


@late_kernel(VOID(F32_2D_RO, F32_2D_RO, F32_2D, I64, F32))
def _path(
    hz: NDArray[np.float32], strength: NDArray[np.float32], best: NDArray[np.float32], origin: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """The candidates that are strongest in all, less what the steps between them cost; `out` 0 where unvoiced."""
    frames, width = hz.shape
    for place in range(width):
        best[0, place] = strength[0, place]
    for frame in range(1, frames):
        for place in range(width):
            most, source = np.float32(-np.inf), 0
            here = hz[frame, place]
            for other in range(width):
                there = hz[frame - 1, other]
                if (here == np.float32(0.0)) != (there == np.float32(0.0)):
                    cost = np.float32(_TURN)
                elif here == np.float32(0.0):
                    cost = np.float32(0.0)
                else:
                    cost = np.float32(_LEAP) * abs(np.log2(here / there))
                if best[frame - 1, other] - cost > most:
                    most, source = best[frame - 1, other] - cost, other
            best[frame, place] = most + strength[frame, place]
            origin[frame * width + place] = source
    place = 0
    for other in range(1, width):
        if best[frames - 1, other] > best[frames - 1, place]:
            place = other
    for frame in range(frames - 1, -1, -1):
        out[frame] = hz[frame, place]
        if frame:
            place = origin[frame * width + place]
