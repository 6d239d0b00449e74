"""What a start says when speech assessment is wanted and not installed: it never fails, whatever the registry has."""

import zipfile
from pathlib import Path

import pytest

from voicestream.cli.speech import install_speech
from voicestream.models.speech.moonshine import BUNDLE
from voicestream.server.config import Settings

OFF = "Speech assessment is off (VS{}"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, which is all that pip knows."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_without_the_package_there_is_one_line_on_what_is_missing_and_how_to_get_it(
    tmp_path: Path, registry: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    install_speech(Settings(data_folder=tmp_path))
    getting, off = capfd.readouterr().err.splitlines()
    assert "moonshine-voice 0.1.0" in getting
    assert "56 MB" in getting
    assert off.startswith(OFF.format("3042"))
    assert f"`voicestream models install moonshine --set data_folder={tmp_path}`" in off


def test_another_package_of_that_name_is_not_taken(tmp_path: Path, registry: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(registry / "moonshine_voice-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("moonshine_voice-0.1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: moonshine-voice\nVersion: 0.1.0\n")
        wheel.writestr("moonshine_voice-0.1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("moonshine_voice-0.1.0.dist-info/RECORD", "")
        for member in BUNDLE.members.values():
            wheel.writestr(member.path, bytes(member.size_bytes))
    install_speech(Settings(data_folder=tmp_path))
    assert OFF.format("3044") in capfd.readouterr().err
    assert not BUNDLE.is_installed(tmp_path)


def test_what_is_there_or_not_wanted_is_not_fetched(tmp_path: Path, registry: Path, capfd: pytest.CaptureFixture[str]) -> None:
    install_speech(Settings(data_folder=tmp_path, component_assessment=False))
    for name in BUNDLE.members:
        (BUNDLE.folder(tmp_path) / name).parent.mkdir(parents=True, exist_ok=True)
        (BUNDLE.folder(tmp_path) / name).touch()
    install_speech(Settings(data_folder=tmp_path))
    assert capfd.readouterr().err == ""
