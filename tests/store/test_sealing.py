"""The key of credentials: made once, its owner's alone, and beside the operator's."""

import stat
from pathlib import Path

import pytest

from voicestream.errors import CREDENTIAL_KEY_FILE, PeerError
from voicestream.store.sealing import FILE_NAME, keys, load_key

CONFIGURED = bytes(32)


def test_the_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    first = load_key(tmp_path / "new")
    assert len(first) == 32
    assert load_key(tmp_path / "new") == first != load_key(tmp_path / "another")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / "new" / FILE_NAME).stat().st_mode) == 0o600


def test_the_operators_key_seals_and_the_own_one_still_opens(tmp_path: Path) -> None:
    assert keys(tmp_path, CONFIGURED) == [CONFIGURED]
    assert not (tmp_path / FILE_NAME).exists()
    (own,) = keys(tmp_path, None)
    assert keys(tmp_path, CONFIGURED) == [CONFIGURED, own]


@pytest.mark.parametrize("content", [b"", b"no key", b"00" * 31, b"00" * 33, b"\xff" * 64])
def test_a_file_that_is_no_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    (tmp_path / FILE_NAME).chmod(0o600)
    with pytest.raises(PeerError) as caught:
        load_key(tmp_path)
    assert caught.value.fault is CREDENTIAL_KEY_FILE


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(PeerError) as caught:
        load_key(tmp_path)
    assert caught.value.fault is CREDENTIAL_KEY_FILE


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PeerError) as caught:
        load_key(tmp_path / "file")
    assert caught.value.fault is CREDENTIAL_KEY_FILE
