"""Speech or not, frame by frame: energy below 1 kHz over an adaptive noise floor, with hangover.

Every 10 ms the signal is averaged down to 2 kHz and differenced (no DC, little of what hisses and rattles);
a frame of 30 ms has the mean of its three energies in dB, so a click counts little. The floor is the lowest
smoothed energy of the last 4 s (after R. Martin, "Spectral subtraction based on minimum statistics", 1994).
Speech is what exceeds it by `threshold_db`, and by a share of the way up to the recent peak, which keeps
noise between words out. Voice ends gradually, and in noise its end drowns, so the hangover is longer there.

Labels come without look-ahead and never change. A steady sound is speech for about a second at most.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_RO, INT, REASSOCIATE, U8, late_kernel, part

RATES_HZ = (8000, 16000)

_SLOW_HZ = 2000
_HOP_SLOW = 20  # samples of a 10 ms hop at 2 kHz
_HOPS = 3  # per frame
_SLOT_FRAMES = 16  # the floor's memory: 8 slots of 0.48 s
_SLOTS = 8
_SMOOTHING = 0.6
_DECAY_DB = 1.0  # of the soft score, per frame without speech
_SCORE_SCALE_DB = 3.0
_NOTHING_DB = 100.0

# Positions in a stream's state and in the options as the kernel has them.
LAST, SUM, HOP, SMOOTH, LOWEST, COUNT, SLOT, PEAK, QUIET, AGE, MARGIN, RING = range(12)
STATE = RING + _SLOTS
THRESHOLD, SHARE, FLOOR, FIRST_FLOOR, FIRST_FRAMES, FALL, SHORT, LONG, CLEAN, WIDTH = range(10)


@dataclass(frozen=True, slots=True)
class VadOptions:
    """Decibels relative to full scale of the differenced band below 1 kHz; frames of 30 ms."""

    threshold_db: float = 6.0  # over the floor
    peak_share: float = 0.45  # of the way from floor to peak
    floor_db: float = -60.0  # the floor is never taken to be lower
    first_floor_db: float = -50.0  # nor higher than this, while a stream is young
    first_frames: int = 32
    peak_fall_db: float = 0.03  # per frame
    hangover_frames: int = 4  # where the peak is `clean_db` and more over the floor
    noisy_hangover_frames: int = 12  # where it is 15 dB less than that
    clean_db: float = 35.0

    @property
    def table(self) -> NDArray[np.float32]:
        values = (self.threshold_db, self.peak_share, self.floor_db, self.first_floor_db, self.first_frames, self.peak_fall_db)
        return np.array([*values, self.hangover_frames, self.noisy_hangover_frames, self.clean_db, 15.0], np.float32)


class Vad:
    """One stream at 8 or 16 kHz; pieces give the same as the whole."""

    def __init__(self, rate_hz: int, options: VadOptions | None = None) -> None:
        if rate_hz not in RATES_HZ:
            raise ValueError(f"VAD at 8000 or 16000 Hz, not {rate_hz}")
        self._hop = rate_hz // 100
        self._options = (options or VadOptions()).table
        self._state = np.empty(STATE, np.float32)
        self._waiting = np.empty(0, np.float32)
        vad_start(self._state)

    def feed(self, samples: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Samples (n,) float32 in -1..1 -> labels (k,) uint8 0/1 and soft scores (k,) float32 0..1 of frames completed."""
        waiting = np.concatenate((self._waiting, samples), dtype=np.float32)
        hops = len(waiting) // self._hop
        labels, scores = np.empty(hops, np.uint8), np.empty(hops, np.float32)
        frames = _vad(waiting, self._hop, self._options, self._state, labels, scores)
        self._waiting = waiting[hops * self._hop :].copy()
        return labels[:frames], scores[:frames]


def vad_start(state: NDArray[np.float32]) -> None:
    """Make `state` (STATE,) that of a stream which has heard nothing."""
    state[:] = 0.0
    state[LAST] = np.nan
    state[LOWEST] = _NOTHING_DB
    state[PEAK] = -_NOTHING_DB
    state[QUIET] = 99.0
    state[MARGIN] = -_NOTHING_DB
    state[RING:] = _NOTHING_DB


@part(inline=True)
def _hop_db(x: NDArray[np.float32], last: np.float32) -> np.float32:
    # Energy of the differences of 20 averages; `last` is the average before them.
    per = len(x) // _HOP_SLOW
    energy = np.float32(0.0)
    for i in range(_HOP_SLOW):
        group = x[i * per : i * per + per]
        mean = np.float32(0.0)
        for j in range(per):
            mean += group[j]
        mean /= np.float32(per)
        energy += (mean - last) * (mean - last)
        last = mean
    return energy


@part(fastmath=REASSOCIATE)
def vad_hop(x: NDArray[np.float32], options: NDArray[np.float32], state: NDArray[np.float32]) -> int:
    """Take 10 ms of samples -> label of the frame they complete, -1 if they complete none."""
    per = len(x) // _HOP_SLOW
    first = np.float32(0.0)
    newest = np.float32(0.0)
    for j in range(per):
        first += x[j]
        newest += x[len(x) - per + j]
    last = state[LAST] if state[LAST] == state[LAST] else first / np.float32(per)
    energy = _hop_db(x, last) / np.float32(_HOP_SLOW)
    state[LAST] = newest / np.float32(per)
    state[SUM] += np.float32(10.0) * np.log10(energy + np.float32(1e-10)) if energy < np.float32(1e10) else np.float32(0.0)
    state[HOP] += np.float32(1.0)
    if state[HOP] < np.float32(_HOPS):
        return -1
    level = state[SUM] / np.float32(_HOPS)
    state[SUM] = np.float32(0.0)
    state[HOP] = np.float32(0.0)
    return _frame(level, options, state)


@part(inline=True)
def _frame(level: np.float32, options: NDArray[np.float32], state: NDArray[np.float32]) -> int:
    young = state[AGE] < options[FIRST_FRAMES]
    if state[AGE] == np.float32(0.0):
        state[SMOOTH] = level
    state[SMOOTH] += np.float32(1.0 - _SMOOTHING) * (level - state[SMOOTH])
    state[LOWEST] = min(state[LOWEST], state[SMOOTH])
    floor = state[LOWEST]
    for i in range(_SLOTS):
        floor = min(floor, state[RING + i])
    if young:
        floor = min(floor, options[FIRST_FLOOR])
        state[AGE] += np.float32(1.0)
    floor = max(floor, options[FLOOR])
    peak = max(level, state[PEAK] - options[FALL], floor + np.float32(2.0) * options[THRESHOLD])
    state[PEAK] = peak
    margin = level - floor - max(options[THRESHOLD], options[SHARE] * (peak - floor))
    state[MARGIN] = max(margin, state[MARGIN] - np.float32(_DECAY_DB))
    noisy = min(max((options[CLEAN] - (peak - floor)) / options[WIDTH], np.float32(0.0)), np.float32(1.0))
    state[QUIET] = np.float32(0.0) if margin > np.float32(0.0) else min(state[QUIET] + np.float32(1.0), np.float32(99.0))
    state[COUNT] += np.float32(1.0)
    if state[COUNT] == np.float32(_SLOT_FRAMES):
        slot = int(state[SLOT])
        state[RING + slot] = state[LOWEST]
        state[SLOT] = np.float32(slot + 1 if slot + 1 < _SLOTS else 0)
        state[LOWEST] = np.float32(_NOTHING_DB)
        state[COUNT] = np.float32(0.0)
    return 1 if state[QUIET] <= options[SHORT] + (options[LONG] - options[SHORT]) * noisy else 0


# `samples` is typed writable though only read, as in the front end: so both share the compiled parts.
@late_kernel(INT(F32, INT, F32_RO, F32, U8, F32))
def _vad(
    samples: NDArray[np.float32],
    hop: int,
    options: NDArray[np.float32],
    state: NDArray[np.float32],
    labels: NDArray[np.uint8],
    scores: NDArray[np.float32],
) -> int:
    frames = 0
    for start in range(0, len(samples) - hop + 1, hop):
        label = vad_hop(samples[start : start + hop], options, state)
        if label >= 0:
            labels[frames] = label
            scores[frames] = np.float32(1.0) / (np.float32(1.0) + np.exp(-state[MARGIN] / np.float32(_SCORE_SCALE_DB)))
            frames += 1
    return frames
