"""Speech or not by a small recurrent network over log-mel energies, one label per 30 ms, without look-ahead.

    20 ms frames each 10 ms ─► log-mel below 3.8 kHz ─► over the noise floor ─► dense ─► GRU ─► dense ─► hangover

Label k is decided by the three frames that end 10, 20 and 30 ms into it, so it comes with the last sample of its
time, as those of `vad.py` do. Bands are the same in Hz at 8 and 16 kHz, so one network serves both rates. What the
network sees depends little on gain: each band over its floor, which falls at once and rises in seconds, the loudness,
which rises at once and falls in seconds, and the floor under the loudness.
"""

from dataclasses import dataclass, field, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_RO, I64_RO, INT, REASSOCIATE, U8, late_kernel, part
from voicestream.dsp.gru import GATES, accumulate, gru_step
from voicestream.dsp.mfcc import SCRATCH as FEATURE_SCRATCH
from voicestream.dsp.mfcc import FeatureOptions, feature_frame, feature_plan

RATES_HZ = (8000, 16000)
FEATURES = FeatureOptions(
    rate_hz=8000, frame_length_ms=20.0, window="hann", pre_emphasis=0.0, mel_bins=20, low_hz=100.0, high_hz=3800.0, ceps=0
)
BANDS = FEATURES.mel_bins
HOPS = 3  # frames per label
INPUTS = (HOPS + 1) * BANDS + 1  # bands over their floor, the loudness, the floor under it

_LOWEST, _HIGHEST = 4.0, 40.0  # log energies are held between: rounding noise, and beyond full scale
_FIRST_LOUDNESS = 12.0  # at least, of a young stream; white noise of -60 dBFS has 14
_RISE, _FALL = 0.2, 0.004  # of the loudness, share of the difference per label
_FLOOR_RISE, _FLOOR_FALL = 0.01, 0.25
_OFFSET, _SPREAD = 3.0, 3.0  # inputs are made small round zero
_LOUDNESS_MIDDLE, _LOUDNESS_SPREAD = 16.0, 5.0
_MOST_DECIDED = 30.0  # logits are held within +- this

# Positions in a stream's state: the bands of the frames under way, their floor and the hidden layer come last.
HOP, AGE, LOUDNESS, SCORE, QUIET, STACK = range(6)
_AT_FLOOR = STACK + HOPS * BANDS
_AT_HIDDEN = _AT_FLOOR + BANDS
_SILENT, _BEGUN, _RUNNING = np.float32(0.0), np.float32(1.0), np.float32(2.0)  # ages
# Positions in the numbers, and in the head of the table.
_DENSE, _HIDDEN, _AT_FEATURES, _AT_BIAS, _AT_INWARD, _AT_AROUND, _AT_GATE_BIAS, _AT_OUT, _FEATURING = range(9)
_THRESHOLD, _HANGOVER, _GAIN, _HEAD = range(4)


@dataclass(frozen=True, eq=False, slots=True)
class VadNetwork:
    """Weights of the network, float32, and how its score becomes labels; compared by identity.

    dense (INPUTS, d), dense_bias (d,), inward (d, 3h), around (h, 3h), gate_bias (6h,), out (h,), out_bias (1,);
    gates in the order r, z, n. ValueError when the shapes do not fit each other.
    """

    arrays: dict[str, NDArray[np.float32]] = field(repr=False)
    threshold: float = 0.5  # on the probability: a frame above it is speech
    hangover_frames: int = 0  # frames of 30 ms that stay speech after one
    _plans: dict[int, "NetworkPlan"] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        shapes = {name: array.shape for name, array in self.arrays.items()}
        if shapes != _shapes(len(self.arrays["inward"]), len(self.arrays["around"])) or not 0 < self.threshold < 1:
            raise ValueError(f"no network of shapes {shapes} and threshold {self.threshold}")

    def plan(self, rate_hz: int) -> "NetworkPlan":
        """The tables of this network at 8000 or 16000 Hz; ValueError for others."""
        if rate_hz not in self._plans:
            self._plans[rate_hz] = _plan(self, rate_hz)
        return self._plans[rate_hz]


@dataclass(frozen=True, eq=False, slots=True)
class NetworkPlan:
    """A network at one rate as the kernel wants it; sizes in floats."""

    numbers: NDArray[np.int64]
    table: NDArray[np.float32]
    span: int  # samples of a frame, two hops
    state: int
    scratch: int


def _plan(network: VadNetwork, rate_hz: int) -> NetworkPlan:
    if rate_hz not in RATES_HZ:
        raise ValueError(f"VAD at 8000 or 16000 Hz, not {rate_hz}")
    features = feature_plan(replace(FEATURES, rate_hz=rate_hz))
    of = network.arrays
    dense, hidden = len(of["inward"]), len(of["around"])
    # Energies grow with the square of the samples in a frame.
    gain = 2.0 * log(rate_hz / FEATURES.rate_hz)
    head = np.array([log(network.threshold / (1 - network.threshold)), network.hangover_frames, gain, 0.0])
    parts = [head, of["dense"], of["dense_bias"], of["inward"], of["around"], of["gate_bias"], np.append(of["out"], of["out_bias"])]
    starts = np.cumsum([part.size for part in parts])
    numbers = [dense, hidden, starts[6], starts[1], starts[2], starts[3], starts[4], starts[5], *features.numbers]
    table = np.concatenate([*(part.reshape(-1) for part in parts), features.table]).astype(np.float32)
    work = INPUTS + dense + 2 * GATES * hidden
    return NetworkPlan(np.array(numbers, np.int64), table, features.options.framing.length, _AT_HIDDEN + hidden, max(FEATURE_SCRATCH, work))


class NetworkVad:
    """One stream at 8 or 16 kHz; pieces give the same as the whole."""

    def __init__(self, rate_hz: int, network: VadNetwork) -> None:
        self._plan = plan = network.plan(rate_hz)
        self._hop = rate_hz // 100
        self._state = np.empty(plan.state, np.float32)
        self._scratch = np.empty(plan.scratch, np.float32)
        self._waiting = np.empty(0, np.float32)
        network_start(self._state)

    def feed(self, samples: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Samples (n,) float32 in -1..1 -> labels (k,) uint8 0/1 and probabilities (k,) float32 of frames completed."""
        waiting = np.concatenate((self._waiting, samples), dtype=np.float32)
        most = len(waiting) // (HOPS * self._hop) + 1
        labels, scores = np.empty(most, np.uint8), np.empty(most, np.float32)
        plan = self._plan
        made = _network_vad(waiting, self._hop, plan.span, plan.numbers, plan.table, self._state, self._scratch, labels, scores)
        frames, used = made & 0xFFFFFFFF, made >> 32
        self._waiting = waiting[used * self._hop :].copy()
        return labels[:frames], scores[:frames]

    @property
    def inputs(self) -> NDArray[np.float32]:
        """What the network saw last, (INPUTS,): it lies where the kernel left it."""
        return self._scratch[:INPUTS]


def network_start(state: NDArray[np.float32]) -> None:
    """Make `state` (NetworkPlan.state,) that of a stream which has heard nothing."""
    state[:] = 0.0
    state[QUIET] = 99.0


@part(fastmath=REASSOCIATE)
def network_hop(
    x: NDArray[np.float32], numbers: NDArray[np.int64], table: NDArray[np.float32], state: NDArray[np.float32], scratch: NDArray[np.float32]
) -> int:
    """Take the 20 ms (span,) that end with a hop of 10 ms -> label of the frame that hop completes, -1 if it completes none.

    A stream's first hop has no 20 ms yet: no call is made for it, and its bands are taken to be those of the next.
    """
    if _gather(x, numbers, table, state, scratch):
        return _decide(numbers, table, state, scratch)
    return -1


@part(fastmath=REASSOCIATE)
def _gather(
    x: NDArray[np.float32], numbers: NDArray[np.int64], table: NDArray[np.float32], state: NDArray[np.float32], scratch: NDArray[np.float32]
) -> bool:
    # The bands of one more frame; whether they make a label's three.
    at = STACK + int(state[HOP]) * BANDS if state[AGE] != _SILENT else STACK + BANDS
    bands = state[at : at + BANDS]
    feature_frame(x, numbers[_FEATURING:], table[numbers[_AT_FEATURES] :], scratch, bands)
    for m in range(BANDS):
        energy = bands[m] - table[_GAIN]
        bands[m] = min(energy, np.float32(_HIGHEST)) if energy > np.float32(_LOWEST) else np.float32(_LOWEST)  # NaN is lowest
    if state[AGE] == _SILENT:
        state[AGE] = _BEGUN
        state[HOP] = np.float32(1.0)
        for m in range(BANDS):
            state[STACK + m] = bands[m]
    state[HOP] += np.float32(1.0)
    if state[HOP] < np.float32(HOPS):
        return False
    state[HOP] = np.float32(0.0)
    return True


@part(inline=True)
def _inputs(state: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    stack, floor = state[STACK:_AT_FLOOR], state[_AT_FLOOR:_AT_HIDDEN]
    level = np.float32(0.0)
    for i in range(HOPS):
        loudest = stack[i * BANDS]
        for m in range(1, BANDS):
            loudest = max(loudest, stack[i * BANDS + m])
        level += loudest
    level /= np.float32(HOPS)
    if state[AGE] == _BEGUN:
        state[AGE] = _RUNNING
        state[LOUDNESS] = max(level, np.float32(_FIRST_LOUDNESS))
        for m in range(BANDS):
            floor[m] = (stack[m] + stack[BANDS + m] + stack[2 * BANDS + m]) / np.float32(HOPS)
    step = level - state[LOUDNESS]
    loudness = state[LOUDNESS] + step * (np.float32(_RISE) if step > np.float32(0.0) else np.float32(_FALL))
    state[LOUDNESS] = loudness
    out[HOPS * BANDS] = (loudness - np.float32(_LOUDNESS_MIDDLE)) / np.float32(_LOUDNESS_SPREAD)
    for m in range(BANDS):
        below = (stack[m] + stack[BANDS + m] + stack[2 * BANDS + m]) / np.float32(HOPS) - floor[m]
        floor[m] += below * (np.float32(_FLOOR_FALL) if below < np.float32(0.0) else np.float32(_FLOOR_RISE))
        out[HOPS * BANDS + 1 + m] = (floor[m] - loudness + np.float32(_OFFSET)) / np.float32(_SPREAD)
        for i in range(HOPS):
            out[i * BANDS + m] = (stack[i * BANDS + m] - floor[m]) / np.float32(_SPREAD)


@part(fastmath=REASSOCIATE)
def _decide(numbers: NDArray[np.int64], table: NDArray[np.float32], state: NDArray[np.float32], scratch: NDArray[np.float32]) -> int:
    dense, hidden = numbers[_DENSE], numbers[_HIDDEN]
    inputs, layer = scratch[:INPUTS], scratch[INPUTS : INPUTS + dense]
    work = scratch[INPUTS + dense : INPUTS + dense + 2 * GATES * hidden]
    _inputs(state, inputs)
    bias = table[numbers[_AT_BIAS] : numbers[_AT_INWARD]]
    for j in range(dense):
        layer[j] = bias[j]
    accumulate(table[_HEAD + 1 : numbers[_AT_BIAS]], inputs, layer)
    for j in range(dense):
        layer[j] = max(layer[j], np.float32(0.0))
    memory = state[_AT_HIDDEN : _AT_HIDDEN + hidden]
    gru_step(
        table[numbers[_AT_INWARD] : numbers[_AT_AROUND]],
        table[numbers[_AT_AROUND] : numbers[_AT_GATE_BIAS]],
        table[numbers[_AT_GATE_BIAS] : numbers[_AT_OUT]],
        layer,
        memory,
        work,
    )
    out = table[numbers[_AT_OUT] : numbers[_AT_OUT] + hidden + 1]
    score = out[hidden]
    for j in range(hidden):
        score += out[j] * memory[j]
    score = min(max(score, np.float32(-_MOST_DECIDED)), np.float32(_MOST_DECIDED))
    state[SCORE] = score
    state[QUIET] = np.float32(0.0) if score > table[_THRESHOLD] else min(state[QUIET] + np.float32(1.0), np.float32(99.0))
    return 1 if state[QUIET] <= table[_HANGOVER] else 0


# `samples` is typed writable though only read, as in the front end: so both share the compiled parts.
@late_kernel(INT(F32, INT, INT, I64_RO, F32_RO, F32, F32, U8, F32))
def _network_vad(
    samples: NDArray[np.float32],
    hop: int,
    span: int,
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    state: NDArray[np.float32],
    scratch: NDArray[np.float32],
    labels: NDArray[np.uint8],
    scores: NDArray[np.float32],
) -> int:
    # Returns labels made | hops used << 32.
    frames = 0
    start = 0
    while start + span <= len(samples):
        label = network_hop(samples[start : start + span], numbers, table, state, scratch)
        if label >= 0:
            labels[frames] = label
            scores[frames] = np.float32(1.0) / (np.float32(1.0) + np.exp(-state[SCORE]))
            frames += 1
        start += hop
    return frames | (start // hop) << 32


def network_inputs(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """What the network sees of a whole recording, for its training: samples (n,) float32 in -1..1 -> (k, INPUTS) float32."""
    stream = NetworkVad(rate_hz, VadNetwork({name: np.zeros(shape, np.float32) for name, shape in _shapes(1, 1).items()}))
    frame = HOPS * (rate_hz // 100)
    out = np.empty((len(samples) // frame, INPUTS), np.float32)
    for label in range(len(out)):
        stream.feed(samples[label * frame : (label + 1) * frame])
        out[label] = stream.inputs
    return out


def _shapes(d: int, h: int) -> dict[str, tuple[int, ...]]:
    return {
        "dense": (INPUTS, d), "dense_bias": (d,), "inward": (d, GATES * h), "around": (h, GATES * h),
        "gate_bias": (2 * GATES * h,), "out": (h,), "out_bias": (1,),
    }  # fmt: skip
