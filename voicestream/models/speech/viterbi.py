"""The likeliest path through a network of states: which state each frame belongs to (G. D. Forney, 1973)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from voicestream.dsp._jit import F32_RO, F64, I32_RO, I64, VOID, late_kernel

JUNCTION: Final = -1  # column of a state that takes no time
_U8_2D = types.Array(types.uint8, 2, "C")
_F32_2D_RO = types.Array(types.float32, 2, "C", readonly=True)


@dataclass(frozen=True, slots=True)
class Network:
    """States in an order in which every arc, but a state's to itself, goes forward; the first is the start, the last the end.

    column (states,) int32: of the likelihoods, or JUNCTION; first (states + 1,) int32: its arcs are first[s]:first[s+1] of
    source (arcs,) int32 and weight (arcs,) float32, nats.
    """

    column: NDArray[np.int32]
    first: NDArray[np.int32]
    source: NDArray[np.int32]
    weight: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Path:
    """state (frames,) int64 of each frame; score: of the whole, nats, -inf where the frames are too few for any path."""

    state: NDArray[np.int64]
    score: float


def best_path(network: Network, log_likelihoods: NDArray[np.float32]) -> Path:
    """The likeliest path from the first state to the last; log_likelihoods (frames, columns) float32."""
    log_likelihoods = np.ascontiguousarray(log_likelihoods)
    frames, states = len(log_likelihoods), len(network.column)
    back = np.empty((frames + 1, states), np.uint8)
    scores = np.empty(2 * states, np.float64)
    state = np.zeros(frames, np.int64)
    end = np.empty(1, np.float64)
    _best_path(network.column, network.first, network.source, network.weight, log_likelihoods, scores, back, state, end)
    return Path(state, float(end[0]))


@late_kernel(VOID(I32_RO, I32_RO, I32_RO, F32_RO, _F32_2D_RO, F64, _U8_2D, I64, F64))
def _best_path(
    column: NDArray[np.int32],
    first: NDArray[np.int32],
    source: NDArray[np.int32],
    weight: NDArray[np.float32],
    log_likelihoods: NDArray[np.float32],
    scores: NDArray[np.float64],
    back: NDArray[np.uint8],
    state: NDArray[np.int64],
    end: NDArray[np.float64],
) -> None:
    states = len(column)
    before, now = scores[:states], scores[states:]
    for s in range(states):
        before[s] = -np.inf
    # Row 0 is the moment before the first frame: only junctions are reached in it.
    for t in range(len(log_likelihoods) + 1):
        for s in range(states):
            best, arc = -np.inf, 0
            if column[s] >= 0:
                for a in range(first[s], first[s + 1]):
                    score = before[source[a]] + weight[a]
                    if score > best:
                        best, arc = score, a - first[s]
                if t > 0:
                    best += log_likelihoods[t - 1, column[s]]
                else:
                    best = -np.inf
            else:
                for a in range(first[s], first[s + 1]):
                    score = now[source[a]] + weight[a]
                    if score > best:
                        best, arc = score, a - first[s]
                if s == 0 and t == 0:
                    best = 0.0
            now[s] = best
            back[t, s] = arc
        before, now = now, before
    end[0] = before[states - 1]
    if end[0] == -np.inf:
        return
    s, t = states - 1, len(log_likelihoods)
    while t > 0:
        if column[s] >= 0:
            state[t - 1] = s
            s = source[first[s] + back[t, s]]
            t -= 1
        else:
            s = source[first[s] + back[t, s]]
