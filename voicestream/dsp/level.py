"""How loud a recording is over time."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

HOP_S: Final = 0.01
_HALF_WINDOW_S: Final = 0.016  # 32 ms in all: two periods of a low voice
SILENCE_DB: Final = -100.0


def level_db(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Samples (n,) float32 in -1..1 -> (frames,) float32: dB relative to full scale around the middle of each 10 ms."""
    hop, half = round(HOP_S * rate_hz), round(_HALF_WINDOW_S * rate_hz)
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    middle = np.arange(len(samples) // hop) * hop + hop // 2
    first, last = np.maximum(middle - half, 0), np.minimum(middle + half, len(samples))
    power = np.maximum(energy[last] - energy[first], 0.0) / np.maximum(last - first, 1)
    return np.asarray(np.maximum(10.0 * np.log10(power + 1e-30), SILENCE_DB), np.float32)
