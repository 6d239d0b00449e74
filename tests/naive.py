"""Slow obvious twins of the kernels: written from the definition, to be compared with everywhere."""

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.resample import resample_plan


def resample(samples: NDArray[np.float32], source_hz: int, target_hz: int) -> NDArray[np.float64]:
    """Put zeros between the samples, filter, keep every `down`th: what polyphase resampling saves."""
    plan = resample_plan(source_hz, target_hz)
    up, down = int(plan.numbers[0]), int(plan.numbers[1])
    fast = np.zeros(len(samples) * up)
    fast[::up] = samples
    return np.convolve(fast, plan.prototype * up)[: len(fast) : down]
