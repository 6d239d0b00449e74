"""Weights of a model: the safetensors layout, read without executing anything.

Eight bytes length of the header, a JSON header naming type, shape and place of each array, then the arrays
(https://github.com/huggingface/safetensors, "Format"). Only float16 and float32 are read, and given as float32;
the SHA-256 of the whole file is checked against the card first: `known_weights`.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import MisuseError

Array: TypeAlias = NDArray[np.float32]
Arrays: TypeAlias = Mapping[str, Array]

_TYPES: Final = {"F16": "<f2", "F32": "<f4"}


def read_weights(data: bytes) -> dict[str, Array]:
    """Arrays by name, float32; `MisuseError` when the layout is not as described."""
    try:
        (header_bytes,) = struct.unpack_from("<Q", data)
        body = 8 + header_bytes
        if body > len(data):
            raise ValueError("header outside the file")
        header: dict[str, Any] = json.loads(data[8:body])
        return {name: _array(entry, data, body) for name, entry in header.items() if name != "__metadata__"}
    except (struct.error, ValueError, KeyError, TypeError, OverflowError) as error:
        raise MisuseError(f"weights unreadable: {error}") from None


def known_weights(data: bytes, name: str, sha256: str) -> dict[str, Array]:
    """The arrays of a whole file, when it is the one its card means; `MisuseError` when it is another."""
    if sha256_of(data) != sha256:
        raise MisuseError(f"the weights of {name} are not those of its card")
    return read_weights(data)


def write_weights(arrays: Mapping[str, NDArray[np.floating[Any]]]) -> bytes:
    """The same bytes for the same arrays, whatever the machine; each float16 or float32 as it is."""
    header, body, end = {}, [], 0
    for name in sorted(arrays):
        kind = next(kind for kind, dtype in _TYPES.items() if arrays[name].dtype == np.dtype(dtype))
        raw = np.ascontiguousarray(arrays[name], _TYPES[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(arrays[name].shape), "data_offsets": [end, end + len(raw)]}
        body.append(raw)
        end += len(raw)
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)  # the arrays start aligned
    return b"".join((struct.pack("<Q", len(text)), text, *body))


def sha256_of(data: bytes) -> str:
    """Hex, as it stands in a card."""
    return hashlib.sha256(data).hexdigest()


def _array(entry: dict[str, Any], data: bytes, body: int) -> Array:
    start, end = entry["data_offsets"]
    if entry["dtype"] not in _TYPES or not 0 <= start <= end <= len(data) - body:
        raise ValueError("array outside the file or of another type")
    return np.frombuffer(data[body + start : body + end], _TYPES[entry["dtype"]]).reshape(entry["shape"]).astype(np.float32)
