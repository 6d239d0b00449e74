"""PCM16 <-> float32: the only place where the two scales meet."""

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0


def to_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Samples (n,) int16 -> (n,) float32 in -1..1; exact."""
    return np.multiply(samples, np.float32(1.0 / FULL_SCALE), dtype=np.float32)


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples (n,) float32 in -1..1 -> (n,) int16: rounded to even, clipped, NaN as silence."""
    scaled: NDArray[np.float64] = np.rint(np.asarray(samples, np.float64) * FULL_SCALE)
    scaled[np.isnan(scaled)] = 0.0
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def from_bytes(data: bytes) -> NDArray[np.int16]:
    """PCM16 little-endian bytes -> (n,) int16, read-only where the machine is little-endian; an odd last byte is left out."""
    return np.frombuffer(data, "<i2", len(data) // 2).astype(np.int16, copy=False)
