"""Tensors come out of torch checkpoints; nothing else ever does."""

import zipfile
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

from tests.models.torch_file import dictionary, legacy, numbers, tensor, text, whole, zipped
from voicestream.errors import CHECKPOINT_FOREIGN, PeerError
from voicestream.models.checkpoint import read_checkpoint

SIX = np.arange(6, dtype=np.float32)
TREE = dictionary(
    step=whole(7),
    model=dictionary(matrix=tensor("a", 6, 0, (2, 3), (3, 1)), column=tensor("a", 6, 1, (2,), (3,))),
    count=tensor("b", 1, 0, (), (), "LongStorage"),
)
STORAGES = {"a": SIX, "b": np.array([9], np.int64)}


def refuse(data: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        read_checkpoint(data)
    assert caught.value.fault is CHECKPOINT_FOREIGN


@pytest.mark.parametrize("layout", [zipped, legacy])
def test_tensors_are_views_of_their_storages(layout: Callable[..., bytes]) -> None:
    found = read_checkpoint(layout(TREE, STORAGES))
    assert {name: array.tolist() for name, array in found.items()} == {
        "model.matrix": [[0, 1, 2], [3, 4, 5]],
        "model.column": [1, 4],
        "count": 9,
    }


@pytest.mark.parametrize(
    "tree",
    [
        b"cos\nsystem\n(" + text("true") + b"tR",  # what pickle would run
        b"cbuiltins\neval\n.",
        b"(S'true'\nios\nsystem\n",  # INST
        text("os") + text("system") + b"\x93",  # STACK_GLOBAL
        b"ctorch\nFloatStorage\n)R",  # a known name, called
        b"ccollections\nOrderedDict\n(" + numbers((1,)) + b"tR",
        text("storage") + b"Q",  # an address of another kind
        b"}" + text("a"),  # two values
        b"t",  # no mark
        b"(}u0",
        b"\x80\x04\x95" + b"\xff" * 8,
    ],
)
def test_what_is_no_dictionary_of_tensors_is_refused(tree: bytes) -> None:
    refuse(zipped(tree, {}))
    refuse(legacy(tree, {}))


@pytest.mark.parametrize(
    "view",
    [
        tensor("a", 6, 1, (6,), (1,)),  # ends outside
        tensor("a", 6, -1, (2,), (1,)),
        tensor("a", 6, 0, (3,), (-1,)),
        tensor("a", 6, 0, (1000, 1000), (0, 0)),  # a megabyte of one number
        tensor("a", 7, 0, (2,), (1,)),  # not the size of its storage
        tensor("a", 6, 0, (2, 2), (1,)),
        tensor("c", 6, 0, (2,), (1,)),  # there is no such storage
        tensor("a", 6, 0, (2,), (1,), "QInt8Storage"),
    ],
)
def test_a_tensor_that_is_not_there_is_refused(view: bytes) -> None:
    refuse(zipped(dictionary(x=view), {"a": SIX}))


def test_a_dictionary_inside_itself_ends() -> None:
    inside_itself = b"}q\x00" + text("again") + b"h\x00s" + text("x") + tensor("a", 6, 0, (1,), (1,)) + b"s"
    assert list(read_checkpoint(zipped(inside_itself, {"a": SIX}))) == ["x"]


def test_a_compressed_storage_is_refused() -> None:
    refuse(zipped(TREE, STORAGES, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("layout", [zipped, legacy])
def test_a_file_cut_off_anywhere_is_refused(layout: Callable[..., bytes]) -> None:
    data = layout(TREE, STORAGES)
    for end in range(0, len(data) - 1, 7):
        refuse(data[:end])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pickletools, about escapes in a text
@pytest.mark.parametrize("layout", [zipped, legacy])
def test_no_byte_leads_to_another_error(layout: Callable[..., bytes]) -> None:
    rng = np.random.default_rng(3)
    data = bytearray(layout(TREE, STORAGES))
    for at, value in zip(rng.integers(0, len(data), 400), rng.integers(0, 256, 400), strict=True):
        changed = data.copy()
        changed[at] = value
        with suppress(PeerError):
            read_checkpoint(bytes(changed))
