"""Tensors out of a torch checkpoint, without torch and without pickle: the opcodes are read, nothing is ever called.

A checkpoint is a pickle whose tensors point into raw storages beside it (torch/serialization.py):

    zip (since torch 1.6)    NAME/data.pkl, NAME/data/KEY ...
    legacy                   pickles of magic number, protocol and system; the pickle; pickle of the keys; storages

The machine below knows the opcodes that dictionaries of tensors are made of, and of the names a pickle may refer
to only `torch._utils._rebuild_tensor_v2`, the storage types and `collections.OrderedDict`. Anything else is refused.
"""

import io
import pickletools
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import CHECKPOINT_FOREIGN, PeerError

Tensors: TypeAlias = dict[str, NDArray[Any]]

_LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
_STORAGES: Final = {
    "torch HalfStorage": "<f2", "torch FloatStorage": "<f4", "torch DoubleStorage": "<f8",
    "torch ByteStorage": "u1", "torch CharStorage": "i1", "torch ShortStorage": "<i2", "torch IntStorage": "<i4",
    "torch LongStorage": "<i8", "torch BoolStorage": "?",
}  # fmt: skip
_TENSOR, _ORDERED = "torch._utils _rebuild_tensor_v2", "collections OrderedDict"
_BROKEN: Final = (  # all that bytes which are no checkpoint can lead to
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RuntimeError, TypeError, ValueError, struct.error,
    zipfile.BadZipFile,
)  # fmt: skip
_CONSTANTS: Final[dict[str, object]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS: Final = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"})
_SHORT_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True, slots=True)
class _Name:
    """A name the pickle refers to; only those in the tables above are ever made."""

    text: str


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view into a storage, as `_rebuild_tensor_v2` would make it; offset and strides in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(data: bytes) -> Tensors:
    """Every tensor of a checkpoint by its path in the dictionaries (`model_state.lstm.weight_hh_l0`).

    Raises PeerError VS3045 for anything that is not a dictionary of tensors and plain values, or is damaged.
    """
    try:
        tree, storages = _read_zip(data) if data.startswith(b"PK") else _read_legacy(data)
        return {path: _view(tensor, storages) for path, tensor in _tensors(tree, "", set())}
    except _BROKEN as error:
        raise PeerError(CHECKPOINT_FOREIGN, type(error).__name__) from error


def _read_zip(data: bytes) -> tuple[object, dict[str, bytes]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    (root,) = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
    members = [info for info in archive.infolist() if info.filename.startswith(f"{root}data/")]
    if any(info.compress_type != zipfile.ZIP_STORED for info in members):
        raise ValueError("compressed storage")  # torch never writes one, and it could unfold without end
    tree = _Machine(io.BytesIO(archive.read(f"{root}data.pkl"))).run()
    return tree, {info.filename.removeprefix(f"{root}data/"): archive.read(info) for info in members}


def _read_legacy(data: bytes) -> tuple[object, dict[str, bytes]]:
    stream = io.BytesIO(data)
    magic, _protocol, _system = (_Machine(stream).run() for _ in range(3))
    if magic != _LEGACY_MAGIC:
        raise ValueError("no torch checkpoint")
    machine = _Machine(stream)
    tree = machine.run()
    keys = _Machine(stream).run()
    if not isinstance(keys, list):
        raise ValueError("no list of storages")
    storages = {}
    for key in keys:
        size = np.dtype(machine.storages[key].dtype).itemsize
        (count,) = struct.unpack("<q", stream.read(8))
        if count != machine.storages[key].count:
            raise ValueError("storage of another size than its tensors say")
        storages[key] = stream.read(count * size)
    return tree, storages


class _Machine:
    """The stack machine of one pickle, reduced to what builds dictionaries, lists, tuples and tensors."""

    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memory: dict[int, object] = {}
        self.storages: dict[str, _Storage] = {}

    def run(self) -> object:
        """Value of the pickle that begins here; the stream stands behind it afterwards."""
        for opcode, argument, _ in pickletools.genops(self._stream):
            self._step(opcode.name, argument)
        (value,) = self._stack
        return value

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        match name:
            case "PROTO" | "STOP" | "FRAME":
                pass
            case "MARK":
                self._marks.append(len(stack))
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append(_CONSTANTS[name])
            case "TUPLE":
                stack.append(tuple(self._since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple([self._pop() for _ in range(_SHORT_TUPLES[name])][::-1]))
            case "BINPUT" | "LONG_BINPUT":
                self._memory[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self._memory[argument])
            case "APPEND" | "APPENDS":
                items = [self._pop()] if name == "APPEND" else self._since_mark()
                _of(list, stack[-1]).extend(items)
            case "SETITEM" | "SETITEMS":
                items = [self._pop(), self._pop()][::-1] if name == "SETITEM" else self._since_mark()
                _of(dict, stack[-1]).update(zip(items[::2], items[1::2], strict=True))
            case "GLOBAL":
                if argument not in _STORAGES and argument not in (_TENSOR, _ORDERED):
                    raise ValueError("a name that no dictionary of tensors needs")
                stack.append(_Name(argument))
            case "REDUCE":
                arguments = _of(tuple, self._pop())
                stack.append(_rebuilt(_of(_Name, self._pop()), arguments))
            case "BUILD":  # attributes of a state dictionary (`_metadata`): plain values that nobody needs
                self._pop()
                _of(dict, stack[-1])
            case "BINPERSID":
                stack.append(self._storage(_of(tuple, self._pop())))
            case _ if name in _LITERALS:
                stack.append(argument)
            case _:
                raise ValueError("an opcode that no dictionary of tensors needs")

    def _pop(self) -> Any:
        if self._marks and len(self._stack) <= self._marks[-1]:
            raise ValueError("stack underrun")
        return self._stack.pop()

    def _since_mark(self) -> list[Any]:
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    def _storage(self, address: tuple[Any, ...]) -> _Storage:
        # ("storage", type, key, device, elements[, view]); where it lay, a GPU or not, does not matter here
        kind, name, key, _device, count = address[:5]
        if kind != "storage" or any(extra is not None for extra in address[5:]):
            raise ValueError("an address that is no storage")
        found = _Storage(_of(str, key), _STORAGES[_of(_Name, name).text], _of(int, count))
        return self.storages.setdefault(found.key, found)


def _rebuilt(name: _Name, arguments: tuple[Any, ...]) -> object:
    if name.text == _ORDERED and arguments == ():
        return {}
    if name.text != _TENSOR:
        raise ValueError("a call that no dictionary of tensors needs")
    storage, offset, shape, strides = arguments[:4]
    whole = [_of(int, number) for number in (offset, *_of(tuple, shape), *_of(tuple, strides))]
    if len(shape) != len(strides) or min(whole) < 0:
        raise ValueError("a tensor that no memory holds")
    return _Tensor(_of(_Storage, storage), offset, shape, strides)


def _view(tensor: _Tensor, storages: dict[str, bytes]) -> NDArray[Any]:
    dtype = np.dtype(tensor.storage.dtype)
    flat = np.frombuffer(storages[tensor.storage.key], dtype)
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if len(flat) != tensor.storage.count or not (0 in tensor.shape or last < len(flat)):
        raise ValueError("a tensor outside its storage")
    if prod(tensor.shape) > len(flat):
        raise ValueError("a tensor larger than its storage")  # strides of 0 would unfold without end
    steps = [stride * dtype.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, steps, writeable=False).copy()


def _tensors(tree: object, path: str, seen: set[int]) -> Iterator[tuple[str, _Tensor]]:
    if isinstance(tree, _Tensor):
        yield path, tree
    elif isinstance(tree, dict) and id(tree) not in seen:  # one dictionary in many places could be walked without end
        seen.add(id(tree))
        for key, value in tree.items():
            yield from _tensors(value, f"{path}.{key}" if path else str(key), seen)


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"a {kind.__name__} was wanted")
    return value
