import json
import struct

import numpy as np
import pytest

from voicestream.errors import MisuseError
from voicestream.models.weights import read_weights, write_weights

ARRAYS = {"matrix": np.arange(6, dtype=np.float32).reshape(2, 3), "half": np.array([0.5, -2], np.float16)}


def test_come_back_with_their_shapes() -> None:
    back = read_weights(write_weights(ARRAYS))
    assert {name: (array.tolist(), array.dtype.name) for name, array in back.items()} == {
        "matrix": ([[0, 1, 2], [3, 4, 5]], "float32"),
        "half": ([0.5, -2], "float32"),
    }


def test_the_layout_is_safetensors() -> None:
    data = write_weights(ARRAYS)
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    assert header["matrix"] == {"dtype": "F32", "shape": [2, 3], "data_offsets": [4, 28]}
    assert data[8 + size + 4 :] == ARRAYS["matrix"].tobytes()


def test_order_does_not_change_the_bytes() -> None:
    assert write_weights(ARRAYS) == write_weights(dict(reversed(ARRAYS.items())))


def test_metadata_is_passed_over() -> None:
    header = b'{"__metadata__":{"format":"np"}}'
    assert read_weights(struct.pack("<Q", len(header)) + header) == {}


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},  # beyond the file
        {"dtype": "F32", "shape": [2], "data_offsets": [-4, 4]},
        {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2]},
        None,
    ],
)
def test_a_header_that_lies_is_refused(entry: object) -> None:
    header = json.dumps({"array": entry}).encode()
    with pytest.raises(MisuseError):
        read_weights(struct.pack("<Q", len(header)) + header + bytes(8))


@pytest.mark.parametrize("data", [b"", b"1234567", struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 4) + b"\x80\x04\x95."])
def test_what_is_no_weights_file_is_refused(data: bytes) -> None:
    with pytest.raises(MisuseError):
        read_weights(data)
