"""The doctor finds what is wrong, and only that."""

import resource
import socket
from pathlib import Path

import pytest

from voicestream.cli import doctor
from voicestream.cli.doctor import Health
from voicestream.server.config import Settings


def test_a_taken_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(host="127.0.0.1", port=taken.getsockname()[1])
        (finding,) = doctor.port(settings)
    assert finding.health is Health.BAD
    assert "--port" in finding.fix
    (finding,) = doctor.port(settings)
    assert finding.health is Health.GOOD


def test_a_low_file_limit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 1024))
    assert [finding.health for finding in doctor.file_limit(Settings(connections=2000))] == [Health.BAD]
    assert [finding.health for finding in doctor.file_limit(Settings(connections=1000))] == [Health.GOOD]


def test_an_unwritable_kernel_cache_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (finding,) = doctor.kernel_cache(Settings())
    assert (finding.health, "XDG_CACHE_HOME" in finding.fix) == (Health.WARN, True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert [finding.health for finding in doctor.kernel_cache(Settings())] == [Health.GOOD]


def test_unsealed_templates_are_mentioned() -> None:
    assert [finding.health for finding in doctor.seal(Settings())] == [Health.WARN]
    assert [finding.health for finding in doctor.seal(Settings(template_key="ab" * 32))] == [Health.GOOD]


def test_an_absent_model_is_found() -> None:
    assert [finding.health for finding in doctor.models(Settings(model="absent"))] == [Health.BAD]


def test_opus_is_there() -> None:
    assert [finding.health for finding in doctor.opus(Settings())] == [Health.GOOD]
