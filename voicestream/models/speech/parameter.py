"""Numbers of a Sphinx acoustic model: Gaussians, mixture weights and transitions, as arrays.

Layouts: pocketsphinx `src/ms_gauden.c` (means, variances), `src/tmat.c` (transitions), `src/ptm_mgau.c` (mixture weights).
"""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import MisuseError

LOG_STEP: Final = 1024 * float(np.log(1.0001))  # of a mixture weight kept in eight bits: nats
_BYTE_ORDER: Final = 0x11223344
_VARIANCE_FLOOR: Final = 1e-4
_TRANSITION_FLOOR: Final = 1e-4


def read_gaussians(means: bytes, variances: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two whole files -> means and variances, each (codebooks, streams, densities, numbers) float32."""
    mean, variance = _density_file(means), _density_file(variances)
    if mean.shape != variance.shape:
        raise MisuseError("means and variances of different Gaussians")
    return mean, np.maximum(variance, np.float32(_VARIANCE_FLOOR))


def read_transitions(data: bytes) -> NDArray[np.float64]:
    """A whole file -> (matrices, states, states + 1) float64: log probability of each step, -inf where there is none."""
    at = _after_header(data)
    matrices, source, target, count = struct.unpack_from("<4i", data, at)
    raw = np.frombuffer(data, "<f4", count, at + 16).reshape(matrices, source, target).astype(np.float64)
    probability = raw / raw.sum(axis=2, keepdims=True)
    probability = np.where(probability > 0, np.maximum(probability, _TRANSITION_FLOOR), 0.0)
    with np.errstate(divide="ignore"):
        return np.log(probability / probability.sum(axis=2, keepdims=True))  # type: ignore[no-any-return]


def read_mixture_weights(data: bytes, streams: int, densities: int, senones: int) -> NDArray[np.uint8]:
    """A whole file -> (streams, densities, senones) uint8: minus the log of each weight in steps of LOG_STEP."""
    at = 0
    while True:  # strings that describe the file, the last one empty
        (length,) = struct.unpack_from("<i", data, at)
        at += 4 + length
        if length == 0:
            break
    rows, columns = struct.unpack_from("<2i", data, at)
    if rows != densities or columns < senones or len(data) - at - 8 != streams * rows * columns:
        raise MisuseError("mixture weights of another model")
    whole = np.frombuffer(data, np.uint8, offset=at + 8).reshape(streams, rows, columns)
    return whole[:, :, :senones]


def _density_file(data: bytes) -> NDArray[np.float32]:
    at = _after_header(data)
    codebooks, streams, densities = struct.unpack_from("<3i", data, at)
    lengths = struct.unpack_from(f"<{streams}i", data, at + 12)
    (count,) = struct.unpack_from("<i", data, at + 12 + 4 * streams)
    if len(set(lengths)) != 1 or count != codebooks * densities * sum(lengths):
        raise MisuseError("Gaussians of unequal streams")
    flat = np.frombuffer(data, "<f4", count, at + 16 + 4 * streams)
    return flat.reshape(codebooks, streams, densities, lengths[0]).astype(np.float32)


def _after_header(data: bytes) -> int:
    at = data.index(b"endhdr\n") + 7
    (order,) = struct.unpack_from("<I", data, at)
    if order != _BYTE_ORDER:
        raise MisuseError("numbers of another byte order")
    return at + 4
