"""`voicestream client assess` as a person uses it, against a server that shares no line with ours."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tests.cli.assessment.elsa_server import TOKEN, ElsaServer
from tests.cli.people import RATE_HZ, say
from voicestream.cli.main import app
from voicestream.cli.secret import API_KEY

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def server() -> Iterator[ElsaServer]:
    with ElsaServer() as running:
        yield running


@pytest.fixture
def speech(tmp_path: Path) -> str:
    soundfile.write(tmp_path / "talk.wav", say(1, 1, 2.4), RATE_HZ)
    return str(tmp_path / "talk.wav")


def run(url: str, *arguments: str, **environ: str) -> Any:
    return CliRunner().invoke(app, ["client", "assess", *arguments], env={"VOICESTREAM_URL": url, "VOICESTREAM_APIKEY": TOKEN} | environ)


def test_free_speech(server: ElsaServer, speech: str) -> None:
    server.said.clear()
    result = run(server.url, speech)
    assert result.exit_code == 0, result.output
    assert "talk.wav, 2.4 s" in result.stdout
    assert "ɹ→l" in result.stdout
    assert "The assessment covers" not in result.stdout
    assert server.said[0] == {"api_plan": "standard", "return_json": True}
    assert [packet[0] for packet in server.said[1:-1]] == [RATE_HZ] * 5
    assert b"".join(packet[1] for packet in server.said[1:-1]) == soundfile.read(speech, dtype="int16")[0].tobytes()
    assert server.said[-1] == {"type": "ELSA:end_stream"}


def test_a_given_sentence(server: ElsaServer, speech: str) -> None:
    result = run(server.url, speech, "--text", "pizza party", "--plan", "premium")
    assert result.exit_code == 0, result.output
    assert "to be said: pizza party" in result.stdout
    assert "! noisy" in result.stdout


@pytest.mark.parametrize("sentence, told", [(None, "ɹ→l"), ("pizza party", "p→b")])
def test_over_http(server: ElsaServer, speech: str, sentence: str | None, told: str) -> None:
    result = run(server.http_url, speech, "--via", "http", *(() if sentence is None else ("--text", sentence)))
    assert result.exit_code == 0, result.output
    assert told in result.stdout


def test_json_is_what_the_server_told(server: ElsaServer, speech: str) -> None:
    streamed = [json.loads(line) for line in run(server.url, speech, "--json").stdout.splitlines()]
    assert [told["status"] for told in streamed] == ["accepted", "processing", "processing", "success"]
    (uploaded,) = [json.loads(line) for line in run(server.http_url, speech, "--json", "--via", "http").stdout.splitlines()]
    assert uploaded["speakers"] == streamed[-1]["speakers"]


def test_a_page_is_written(server: ElsaServer, speech: str, tmp_path: Path) -> None:
    result = run(server.url, speech, "--html", str(tmp_path / "talk.html"))
    assert result.exit_code == 0, result.output
    html = (tmp_path / "talk.html").read_text(encoding="utf-8")
    assert "<title>talk.wav: speech assessment</title>" in html
    assert "data:audio/mpeg" in html


def test_a_server_that_had_enough_is_noted(speech: str) -> None:
    with ElsaServer(endpoint_after=1) as server:
        result = run(server.url, speech, "--realtime")
    assert result.exit_code == 0, result.output
    assert "! The assessment covers 0.5 s of 2.4 s of the recording." in result.stdout


def test_ctrl_c_ends_the_speech_and_what_was_said_is_assessed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", say(1, 1, 60.0), RATE_HZ)
    command = [sys.executable, "-c", "from voicestream.cli.main import main; main()", "client", "assess", str(tmp_path / "long.wav")]
    with ElsaServer() as server:
        process = subprocess.Popen(
            [*command, "--realtime", "--url", server.url], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {API_KEY: TOKEN}
        )
        assert server.hearing.wait(60)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "market" in told
    assert server.said[-1] == {"type": "ELSA:end_stream"}


class SoundCard:
    """Has a second of sound, then silence for ever."""

    def __init__(self, blocksize: int, callback: Callable[[object, int, object, object], None], **_options: object) -> None:
        self._blocks = [np.full(blocksize, number, "<i2").tobytes() for number in range(10)]
        self._callback = callback

    def __enter__(self) -> Self:
        threading.Thread(target=lambda: [self._callback(memoryview(block), len(block) // 2, None, None) for block in self._blocks]).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


def test_the_microphone_until_the_server_has_heard_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sounddevice")
    module.RawInputStream, module.PortAudioError = SoundCard, OSError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    with ElsaServer(endpoint_after=10) as server:
        result = run(server.url, "--mic")
    assert result.exit_code == 0, result.output
    assert "microphone, 1.0 s" in result.stdout
    assert [packet[1][:2] for packet in server.said[1:]] == [bytes([number, 0]) for number in range(10)]


def test_the_token_may_come_from_a_file_or_the_command_line(server: ElsaServer, speech: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{TOKEN}\n")
    assert run(server.url, speech, "--apikey-file", str(tmp_path / "key"), VOICESTREAM_APIKEY="").exit_code == 0
    assert run(server.url, speech, "--token", TOKEN, VOICESTREAM_APIKEY="").exit_code == 0


@pytest.mark.parametrize("via", ["ws", "http"])
def test_a_wrong_token_is_told_and_not_shown(server: ElsaServer, speech: str, via: str) -> None:
    result = run(server.url if via == "ws" else server.http_url, speech, "--via", via, VOICESTREAM_APIKEY="sesame")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "HTTP 401, Unauthorized" in result.stderr
    assert "sesame" not in result.stderr


def test_a_bad_recording_is_told_with_its_reason(speech: str) -> None:
    with ElsaServer({"status": "bad_quality", "reason": "too_noisy"}) as server:
        result = run(server.url, speech)
    assert result.exit_code == 2
    assert "no assessment, no_audio, too_noisy" in result.stderr


def test_a_result_of_another_kind_is_told(speech: str) -> None:
    with ElsaServer({"words": []}) as server:
        assert "VS1022" in run(server.http_url, speech, "--via", "http").stderr


@pytest.mark.parametrize(
    "arguments, told",
    [
        ((), "give one of FILE and --mic"),
        (("x.wav", "--mic"), "give one of FILE and --mic"),
        (("x.wav", "--text", "  "), "--text has no words"),
        (("x.wav", "--realtime", "--via", "http"), "--realtime is for a file that is streamed"),
        (("x.wav", "--html", "/nowhere/x.html"), "VS1027"),
        (("/nowhere/x.wav",), "VS1020"),
    ],
)
def test_a_misunderstanding_ends_before_anything_is_sent(arguments: tuple[str, ...], told: str) -> None:
    result = run("http://127.0.0.1:1", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("via", ["ws", "http"])
def test_no_server_is_told(speech: str, via: str) -> None:
    result = run("http://127.0.0.1:1", speech, "--via", via)
    assert result.exit_code == 2
    assert "VS1021" in result.stderr
