"""Cosine scores of voice vectors, and the sum of products that they and every filter are made of."""

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import REASSOCIATE, part


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (..., k) float32 -> the same directions at unit length; nothing stays nothing."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return (vector / np.where(length > 0, length, 1)).astype(np.float32, copy=False)


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Score of two unit vectors (k,) float32: -1..1, rounding cut off.

    BLAS: 0.35 us for 192 dimensions, of which a kernel would save a quarter and cost every start its loading.
    """
    score = float(np.dot(a, b))
    return 1.0 if score > 1.0 else -1.0 if score < -1.0 else score


def cosines(vector: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores of one unit vector (k,) float32 with each row of a gallery (n, k) of unit vectors -> (n,) float32 in -1..1.

    BLAS again: 9.6 us for 1,000 rows of 192 where a kernel took 11.7. Both are bound by memory from 100,000 rows on.
    """
    scores: NDArray[np.float32] = gallery @ vector
    np.minimum(scores, 1.0, out=scores)  # two passes take half of what np.clip does
    return np.maximum(scores, -1.0, out=scores)


@part(fastmath=REASSOCIATE)
def dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> np.float32:
    """Sum of products of two contiguous views: slices, because a computed index keeps LLVM from vectorising (10x)."""
    total = np.float32(0.0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total
