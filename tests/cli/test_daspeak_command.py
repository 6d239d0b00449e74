"""`voicestream client register` and its like as a person uses them, against a server that shares no line with ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tests.cli.people import RATE_HZ, say
from tests.cli.vendor import Vendor
from voicestream.cli.main import app

SECRETS = {"VOICESTREAM_CLIENT_ID": "c1", "VOICESTREAM_CLIENT_SECRET": "s1", "VOICESTREAM_APIKEY": "k1"}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("speech") / "me.wav"
    soundfile.write(file, say(1, 1, 1.5), RATE_HZ)
    return str(file)


def run(vendor: Vendor, *arguments: str, **environ: str) -> Any:
    vendor.score = 0.99
    return CliRunner().invoke(
        app, ["client", arguments[0], "--speed", "0", *arguments[1:]], env=SECRETS | {"VOICESTREAM_URL": vendor.url} | environ
    )


def test_a_registration_keeps_its_credential_and_the_voice(vendor: Vendor, speech: str, tmp_path: Path) -> None:
    credential, audio = tmp_path / "me.credential", tmp_path / "voice"
    result = run(vendor, "register", speech, "--duration", "1", "-o", str(credential), "--save-audio", str(audio))
    assert result.exit_code == 0, result.output
    assert "Registration: approved" in result.stdout
    assert "1.00 s" in result.stdout
    assert credential.read_text() == "dm9p\n"
    assert len(audio.read_bytes()) == 8000


def test_a_credential_without_a_file_is_printed(vendor: Vendor, speech: str) -> None:
    assert run(vendor, "register", speech, "--duration", "1").stdout.splitlines()[-1] == "dm9p"


def test_a_verification_brings_the_credential(vendor: Vendor, speech: str, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("dm9p\n")
    result = run(vendor, "verify", speech, "--credential", str(tmp_path / "c"), "--duration", "1", "--similarity", "0.6")
    assert result.exit_code == 0, result.output
    assert "similarity" in result.stdout
    assert vendor.initialized["verify_request"] == {"credential": "dm9p", "similarity_threshold": 0.6, "audio_total_duration": 1.0}


def test_json_is_what_the_server_told(vendor: Vendor, speech: str) -> None:
    told = [json.loads(line) for line in run(vendor, "register", speech, "--duration", "1", "--json").stdout.splitlines()]
    assert [one["event"] for one in told] == ["info-consumer-ready", *["info-vad-status"] * 3, "result-success"]
    assert told[-1]["credential"] == "dm9p"


def test_a_rejection_is_exit_code_1_with_its_reason(speech: str) -> None:
    with Vendor(score=0.1) as vendor:
        result = CliRunner().invoke(
            app, ["client", "register", speech, "--duration", "1", "--speed", "0"], env=SECRETS | {"VOICESTREAM_URL": vendor.url}
        )
    assert result.exit_code == 1
    assert "Registration: rejected, authenticity is too low" in result.stdout


def test_events_of_one_argument_are_understood(speech: str) -> None:
    with Vendor(hands_audio_back=False) as vendor:
        assert run(vendor, "register", speech, "--duration", "1").exit_code == 0


def test_the_vendors_base_url_may_have_its_path(vendor: Vendor, speech: str) -> None:
    assert run(vendor, "register", speech, "--duration", "1", "--url", f"{vendor.url}/socket.io").exit_code == 0


@pytest.mark.parametrize(
    "environ, arguments, told",
    [
        ({"VOICESTREAM_CLIENT_SECRET": "wrong"}, (), "HTTP 401, invalid_client"),
        ({"VOICESTREAM_APIKEY": "wrong"}, (), "the audio connection was refused with HTTP 403"),
        ({}, ("--duration", "60"), "error-audio, too short"),
        ({"VOICESTREAM_URL": "http://127.0.0.1:1"}, (), "VS1021"),
        ({"VOICESTREAM_CLIENT_SECRET": ""}, (), "VOICESTREAM_CLIENT_SECRET"),
        ({}, ("-o", "/nowhere/c"), "VS1027"),
        ({}, ("--mic",), "one of FILE and --mic"),
        ({"VOICESTREAM_APIKEY": "schlüssel"}, (), "VOICESTREAM_APIKEY"),
        ({"VOICESTREAM_AUDIOHOOK_SECRET": "###"}, ("--via", "audiohook"), "not base64"),
    ],
)
def test_no_result_is_exit_code_2_with_its_reason(
    vendor: Vendor, speech: str, environ: dict[str, str], arguments: tuple[str, ...], told: str
) -> None:
    result = run(vendor, "register", speech, *arguments, **environ)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    for secret in ("s1", "k1", "wrong", "t1"):
        assert f" {secret}" not in result.stderr


@pytest.mark.parametrize(
    "arguments, told",
    [
        ((), "give one of --template, --enrol and --credential"),
        (("--credential", "c", "--template", "t"), "give one of"),
        (("--credential", "c", "--opus"), "--opus is not for --credential"),
        (("--template", "t", "--via", "twilio"), "--via is for --credential"),
    ],
)
def test_flags_of_the_other_protocol_are_a_misunderstanding(vendor: Vendor, arguments: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(app, ["client", "verify", "x.wav", *arguments])
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("url", ["http://localhost:abc", "ftp://localhost", "http://", "http://[::1", "", "http://h:0"])
def test_what_is_no_url_is_told(vendor: Vendor, url: str) -> None:
    result = run(vendor, "twilio", "x.wav", "--call-id", "C7", "--url", url)
    assert result.exit_code == 2
    assert "not the URL of a server" in result.stderr


def test_the_audio_side_alone(vendor: Vendor, speech: str) -> None:
    vendor.await_call("C7")
    result = run(vendor, "twilio", speech, "--call-id", "C7", "--speed", "4")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("a call of 1.0 s; the server ended it")


def test_secrets_may_come_from_files(vendor: Vendor, speech: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s1\n")
    (tmp_path / "key").write_text("k1\n")
    files = ("--client-secret-file", str(tmp_path / "secret"), "--apikey-file", str(tmp_path / "key"))
    result = run(vendor, "register", speech, "--duration", "1", *files, VOICESTREAM_CLIENT_SECRET="", VOICESTREAM_APIKEY="")
    assert result.exit_code == 0, result.output


def test_any_rate_becomes_a_telephones(tmp_path: Path) -> None:
    from voicestream.cli.recording import read_recording
    from voicestream.cli.telephone_audio import telephone
    from voicestream.dsp.g711 import mulaw_expand

    time_s = np.arange(44_100) / 44_100
    soundfile.write(tmp_path / "tone.flac", (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32), 44_100)
    samples = mulaw_expand(telephone(read_recording(tmp_path / "tone.flac")))
    assert len(samples) == 8000 + 4000
    assert np.argmax(np.abs(np.fft.rfft(samples[:8000]))) == 440
    assert not samples[-3900:].any()
