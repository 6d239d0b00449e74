"""Weights of a model: the safetensors layout, read without executing anything.

Eight bytes length of the header, a JSON header naming type, shape and place of each array, then the arrays
(https://github.com/huggingface/safetensors, "Format"). Only float32 is read; the caller checks the SHA-256
of the whole file against the card first.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import MisuseError

Array = NDArray[np.float32]


def read_weights(data: bytes) -> dict[str, Array]:
    """Arrays by name, read-only views of `data`; `MisuseError` when the layout is not as described."""
    try:
        (header_bytes,) = struct.unpack_from("<Q", data)
        body = 8 + header_bytes
        header: dict[str, Any] = json.loads(data[8:body])
        return {name: _array(entry, data, body) for name, entry in header.items() if name != "__metadata__"}
    except (struct.error, ValueError, KeyError, TypeError, OverflowError) as error:
        raise MisuseError(f"weights unreadable: {error}") from None


def write_weights(arrays: Mapping[str, Array]) -> bytes:
    """The same bytes for the same arrays, whatever the machine."""
    header, body = {}, b""
    for name in sorted(arrays):
        raw = np.ascontiguousarray(arrays[name], dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(arrays[name].shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)  # the arrays start aligned
    return struct.pack("<Q", len(text)) + text + body


def _array(entry: dict[str, Any], data: bytes, body: int) -> Array:
    start, end = entry["data_offsets"]
    if entry["dtype"] != "F32" or not 0 <= start <= end <= len(data) - body:
        raise ValueError("array outside the file or not float32")
    return np.frombuffer(data[body + start : body + end], "<f4").reshape(entry["shape"])
