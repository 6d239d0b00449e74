"""What else could have been said in the place of a phone: each other phone, or none, put between its neighbours.

For every alternative the stretch from the start of the phone before to the end of the phone after is aligned anew, with
each of the three sounding as it does beside the others; so borders move with the alternative, and no stretch is left out.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F64, I64_RO, VOID, late_kernel
from voicestream.models.speech.definition import SILENCE, STATES, ModelDefinition, Position

NOTHING: Final = ""  # the phone was left out
_PAUSE_FRAMES: Final = 10  # of a neighbouring pause that are looked at
_LONGEST: Final = 3 * STATES
_F32_2D_RO = types.Array(types.float32, 2, "C", readonly=True)
_I64_2D_RO = types.Array(types.int64, 2, "C", readonly=True)
_F64_2D_RO = types.Array(types.float64, 2, "C", readonly=True)


class Segment(NamedTuple):
    """A phone or a pause and its frames start..end."""

    phone: str
    start: int
    end: int
    position: Position = "internal"


def alternatives(definition: ModelDefinition) -> tuple[str, ...]:
    """What a phone is compared with: every phone, and nothing."""
    return (*(phone for phone in definition.phones if phone not in definition.fillers), NOTHING)


class Substitution:
    """Compares phones of an alignment with their alternatives."""

    def __init__(self, definition: ModelDefinition, transitions: NDArray[np.float64]) -> None:
        self._definition = definition
        self._stay = np.array([[steps[state, state] for state in range(STATES)] for steps in transitions])
        self._leave = np.array([[steps[state, state + 1] for state in range(STATES)] for steps in transitions])
        self.alternatives: Final = alternatives(definition)

    def log_likelihoods(self, segments: Sequence[Segment], at: int, frames: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """Of each alternative for segment `at`, and last of the phone expected, (alternatives + 1,) float32 in nats.

        frames (n, senones) float32: likelihoods of all senones from frame `first` on.
        """
        start, end = self.reach(segments, at)
        chosen = (*self.alternatives, segments[at].phone)
        senones = np.full((len(chosen), _LONGEST), -1, np.int64)
        stay = np.zeros((len(chosen), _LONGEST))
        leave = np.zeros((len(chosen), _LONGEST))
        for row, phone in enumerate(chosen):
            self._chain(segments, at, phone, senones[row], stay[row], leave[row])
        pauses = [STATES * (0 <= i < len(segments) and self._pause(segments[i])) for i in (at - 1, at + 1)]
        free = np.array(pauses, np.int64)
        out = np.empty(len(chosen), np.float32)
        window = np.ascontiguousarray(frames[start - first : end - first])
        _chain_scores(window, senones, stay, leave, free, np.empty(_LONGEST), out)
        return out

    def reach(self, segments: Sequence[Segment], at: int) -> tuple[int, int]:
        """First frame, and the one behind the last, that are looked at for segment `at`."""
        start, end = segments[at].start, segments[at].end
        if at:
            before = segments[at - 1]
            start = max(before.start, start - _PAUSE_FRAMES) if self._pause(before) else before.start
        if at + 1 < len(segments):
            after = segments[at + 1]
            end = min(after.end, end + _PAUSE_FRAMES) if self._pause(after) else after.end
        return start, end

    def _pause(self, segment: Segment) -> bool:
        return segment.phone in self._definition.fillers

    def _chain(
        self,
        segments: Sequence[Segment],
        at: int,
        phone: str,
        senones: NDArray[np.int64],
        stay: NDArray[np.float64],
        leave: NDArray[np.float64],
    ) -> None:
        around = [segments[i].phone if 0 <= i < len(segments) else SILENCE for i in range(at - 2, at + 3)]
        middle = [phone] if phone != NOTHING else []
        line = [*around[:2], *middle, *around[3:]]
        places = [segments[i].position if 0 <= i < len(segments) else "internal" for i in (at - 1, at, at + 1)]
        if not middle:
            del places[1]
        slot = 0
        for index in range(1, len(line) - 1):
            if (index == 1 and at == 0) or (index == len(line) - 2 and at + 1 == len(segments)):
                continue  # there is no such neighbour
            model = self._definition.model(line[index], line[index - 1], line[index + 1], places[index - 1])
            senones[slot : slot + STATES] = model.senones
            stay[slot : slot + STATES] = self._stay[model.transition]
            leave[slot : slot + STATES] = self._leave[model.transition]
            slot += STATES


@late_kernel(VOID(_F32_2D_RO, _I64_2D_RO, _F64_2D_RO, _F64_2D_RO, I64_RO, F64, F32))
def _chain_scores(
    frames: NDArray[np.float32],
    senones: NDArray[np.int64],
    stay: NDArray[np.float64],
    leave: NDArray[np.float64],
    free: NDArray[np.int64],
    score: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    # free: how many states a path may begin in, and end in; 0 is the first or last alone.
    for row in range(len(senones)):
        states = 0
        while states < senones.shape[1] and senones[row, states] >= 0:
            states += 1
        for s in range(states):
            score[s] = frames[0, senones[row, s]] if s < max(free[0], 1) else -np.inf
        for t in range(1, len(frames)):
            for s in range(states - 1, -1, -1):
                best = score[s] + stay[row, s]
                if s > 0:
                    best = max(best, score[s - 1] + leave[row, s - 1])
                score[s] = best + frames[t, senones[row, s]]
        best = -np.inf
        for s in range(states):
            if s >= states - max(free[1], 1):
                best = max(best, score[s])
        out[row] = best
