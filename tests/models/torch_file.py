"""Checkpoints as torch writes them, put together opcode by opcode: what a test wants, whether torch would write it or not."""

import io
import pickle
import struct
import zipfile

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def whole(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(whole, values)) + b"t"


def tensor(key: str, count: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], kind: str = "FloatStorage") -> bytes:
    """A tensor as a view of the storage `key` of `count` numbers."""
    address = b"(" + text("storage") + b"ctorch\n%s\n" % kind.encode() + text(key) + text("cuda:0") + whole(count) + b"tQ"
    rest = whole(offset) + numbers(shape) + numbers(strides) + b"\x89" + b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + address + rest + b"tR"


def dictionary(**values: bytes) -> bytes:
    return b"}(" + b"".join(text(name) + value for name, value in values.items()) + b"u"


def zipped(tree: bytes, storages: dict[str, NDArray[np.generic]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """The layout since torch 1.6."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + tree + b".")
        for key, array in storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return out.getvalue()


def legacy(tree: bytes, storages: dict[str, NDArray[np.generic]]) -> bytes:
    """The layout before it."""
    head = b"".join(pickle.dumps(value, 2) for value in (MAGIC, 1001, {"little_endian": True}))
    body = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in storages.values())
    return head + b"\x80\x02" + tree + b"." + pickle.dumps(list(storages), 2) + body
